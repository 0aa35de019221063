"""Where the pods are."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from sip_edge.adapters.discovery import DnsPods, StaticPods, pod_source


@pytest.mark.parametrize(
    ("setting", "means"),
    [
        ("a:1", StaticPods(frozenset({"a:1"}))),
        ("a:1, b:2,", StaticPods(frozenset({"a:1", "b:2"}))),
        (["a:1", "b:2", "a:1"], StaticPods(frozenset({"a:1", "b:2"}))),
        ("dns:///call-control:50051", DnsPods("call-control", 50051, 2.0)),
        ("dns:///[::1]:50051", DnsPods("::1", 50051, 2.0)),
    ],
)
def test_the_setting_is_read(setting: str | list[str], means: object) -> None:
    assert pod_source(setting, dns_interval=2.0) == means


@pytest.mark.parametrize("setting", ["", " , ", [], "dns:///name", "dns:///:1", "dns:///name:http"])
def test_a_setting_that_names_no_pod_is_refused(setting: str | list[str]) -> None:
    with pytest.raises(ValueError, match=r"no call-control pod|want dns"):
        pod_source(setting, dns_interval=2.0)


async def test_a_list_is_told_once() -> None:
    told: list[frozenset[str]] = []
    await StaticPods(frozenset({"a:1"})).watch(told.append)
    assert told == [{"a:1"}]


def record(address: str) -> tuple[int, int, int, str, tuple[str, int]]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.SOCK_STREAM, 6, "", (address, 1)


async def look_up(
    monkeypatch: pytest.MonkeyPatch, answers: list[list[str] | OSError]
) -> list[frozenset[str]]:
    """Watch a name whose look-ups give these answers; return what was told."""
    script: Iterator[list[str] | OSError] = iter(answers)
    finished = asyncio.Event()

    async def getaddrinfo(host: str, port: int, *, type: int) -> list[object]:
        answer = next(script, None)
        if answer is None:
            finished.set()
            await asyncio.Event().wait()
        if isinstance(answer, OSError):
            raise answer
        return [record(address) for address in answer or ()]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    told: list[frozenset[str]] = []
    task = asyncio.create_task(DnsPods("pods", 1, 0.0).watch(told.append))
    await finished.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return told


async def test_a_name_stands_for_all_its_records(monkeypatch: pytest.MonkeyPatch) -> None:
    told = await look_up(monkeypatch, [["192.0.2.1", "192.0.2.2", "2001:db8::1"]])
    assert told == [{"ipv4:192.0.2.1:1", "ipv4:192.0.2.2:1", "ipv6:[2001:db8::1]:1"}]


async def test_only_changes_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = ["192.0.2.1"], ["192.0.2.1", "192.0.2.2"]
    told = await look_up(monkeypatch, [one, one, two, two, one])
    assert [len(addresses) for addresses in told] == [1, 2, 1]


async def test_a_look_up_that_fails_changes_nothing_and_is_logged_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failure = OSError("no such name")
    with capture_logs() as logs:
        told = await look_up(monkeypatch, [["192.0.2.1"], failure, failure, ["192.0.2.1"], failure])
    assert len(told) == 1
    assert [line["event"] for line in logs] == ["link.dns_failed", "link.dns_failed"]
