"""Probes: what they say in which state, and that a stuck loop does not silence them."""

from __future__ import annotations

import asyncio
import http.client
import socket
import time
from http import HTTPStatus

import pytest
from prometheus_client import CollectorRegistry

from svckit.errors import StartError
from svckit.health import STUCK_SECONDS, Health, Vitals, livez, readyz
from svckit.lifecycle import Event, Lifecycle, State
from svckit.listen import HostPort
from svckit.metrics import Counter, Metrics

LOOPBACK = HostPort("127.0.0.1", 0)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (State.STARTING, 503),
        (State.SERVING, 200),
        (State.OVERLOADED, 429),
        (State.DRAINING, 503),
        (State.STOPPED, 503),
    ],
)
def test_readiness_follows_the_state(state: State, status: int) -> None:
    answer = readyz(Vitals(state, silent=0.0))
    assert answer.status == status
    assert state in answer.body.decode()


def test_a_serving_service_may_wait_for_others() -> None:
    answer = readyz(Vitals(State.SERVING, silent=0.0, failing=("store", "edges")))
    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.body == b"waiting for store, edges\n"


@pytest.mark.parametrize("state", list(State))
def test_a_silent_loop_is_dead_in_any_state(state: State) -> None:
    assert livez(Vitals(state, silent=STUCK_SECONDS)).status == HTTPStatus.OK
    assert livez(Vitals(state, silent=STUCK_SECONDS + 0.1)).status == HTTPStatus.SERVICE_UNAVAILABLE


def get(address: HostPort, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address.host, address.port, timeout=5.0)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


async def test_serves_probes_and_metrics() -> None:
    metrics = Metrics()
    metrics.counter(Counter("demo_total", "Demonstrations", unit="demos")).inc()
    lifecycle = Lifecycle()
    health = Health(lifecycle, metrics.registry)
    ready = False
    health.require("store", lambda: ready)
    address = health.start(LOOPBACK)
    assert address is not None
    try:
        assert await asyncio.to_thread(get, address, "/livez") == (200, "alive\n")
        assert await asyncio.to_thread(get, address, "/readyz") == (503, "starting\n")
        lifecycle.on(Event.STARTED)
        assert await asyncio.to_thread(get, address, "/readyz") == (503, "waiting for store\n")
        ready = True
        assert await asyncio.to_thread(get, address, "/readyz?verbose") == (200, "serving\n")
        status, body = await asyncio.to_thread(get, address, "/metrics")
        assert status == 200
        assert "demo_total 1.0" in body
        assert (await asyncio.to_thread(get, address, "/"))[0] == 404
    finally:
        health.close()


async def test_answers_while_the_loop_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    health = Health(Lifecycle(), CollectorRegistry())
    address = health.start(LOOPBACK)
    assert address is not None
    late = time.monotonic() + STUCK_SECONDS + 1.0
    monkeypatch.setattr("svckit.health.time.monotonic", lambda: late)
    try:
        # This blocks the loop, so only the thread can answer.
        status, body = get(address, "/livez")
    finally:
        health.close()
    assert status == 503
    assert "silent" in body


async def test_an_address_in_use_is_one_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = HostPort("127.0.0.1", taken.getsockname()[1])
        health = Health(Lifecycle(), CollectorRegistry())
        with pytest.raises(StartError, match=f"cannot serve HTTP on {address}: Address already in use"):
            health.start(address)
        health.close()


async def test_no_address_means_no_endpoint() -> None:
    health = Health(Lifecycle(), CollectorRegistry())
    assert health.start(None) is None
    assert livez(health.vitals()).status == HTTPStatus.OK
    health.close()
