"""/livez, /readyz and /metrics over HTTP, answered by a thread of its own.

A thread, because the one thing that /livez has to notice is an event loop that no longer turns, and because
rendering metrics must not delay a call. The loop beats twice a second; the thread only reads what the loop
wrote last.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6
from typing import NamedTuple

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from svckit.errors import StartError
from svckit.lifecycle import Lifecycle, State
from svckit.listen import HostPort

BEAT_SECONDS = 0.5
"""How often the loop shows that it turns."""

STUCK_SECONDS = 5.0
"""Without a beat for so long, /livez says that the process should be restarted."""

_CLIENT_SECONDS = 5.0
# `close` waits for this at most.
_POLL_SECONDS = 0.1
_TEXT = "text/plain; charset=utf-8"

_READINESS: Mapping[State, tuple[HTTPStatus, str]] = {
    State.STARTING: (HTTPStatus.SERVICE_UNAVAILABLE, "starting"),
    State.SERVING: (HTTPStatus.OK, "serving"),
    State.OVERLOADED: (HTTPStatus.TOO_MANY_REQUESTS, "overloaded"),
    State.DRAINING: (HTTPStatus.SERVICE_UNAVAILABLE, "draining"),
    State.STOPPED: (HTTPStatus.SERVICE_UNAVAILABLE, "stopped"),
}


class Answer(NamedTuple):
    """What a probe gets."""

    status: HTTPStatus
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a probe is judged by. `silent` is the time in seconds since the loop's last beat."""

    state: State
    silent: float
    failing: tuple[str, ...] = ()


def livez(vitals: Vitals) -> Answer:
    """200 as long as the loop turns.

    A dependency that is away is no reason to restart us: that is /readyz.
    """
    if vitals.silent > STUCK_SECONDS:
        return _text(HTTPStatus.SERVICE_UNAVAILABLE, f"event loop silent for {vitals.silent:.1f} s")
    return _text(HTTPStatus.OK, "alive")


def readyz(vitals: Vitals) -> Answer:
    """200 when new work is welcome; 429 when overloaded; else 503 and why."""
    status, word = _READINESS[vitals.state]
    if status is HTTPStatus.OK and vitals.failing:
        return _text(HTTPStatus.SERVICE_UNAVAILABLE, "waiting for " + ", ".join(vitals.failing))
    return _text(status, word)


def _text(status: HTTPStatus, line: str) -> Answer:
    return Answer(status, _TEXT, line.encode() + b"\n")


class Health:
    """The HTTP endpoint of one process.

    `on_lag` is called at each beat with the seconds by which the beat came late (the loop's lag).
    """

    def __init__(
        self,
        lifecycle: Lifecycle,
        registry: CollectorRegistry,
        *,
        on_lag: Callable[[float], None] | None = None,
    ) -> None:
        self._lifecycle = lifecycle
        self._registry = registry
        self._on_lag = on_lag
        self._checks: dict[str, Callable[[], bool]] = {}
        self._last_beat = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None
        self._server: _Server | None = None

    def require(self, name: str, ready: Callable[[], bool]) -> None:
        """Make /readyz wait for `ready()`.

        It is called in the endpoint's thread: only read an attribute there.
        """
        self._checks[name] = ready

    def vitals(self) -> Vitals:
        """What is known now; callable from any thread."""
        failing = tuple(name for name, ready in self._checks.items() if not ready())
        return Vitals(self._lifecycle.state, time.monotonic() - self._last_beat, failing)

    def answer(self, path: str) -> Answer:
        """The answer to GET `path`; callable from any thread."""
        match path.partition("?")[0]:
            case "/livez":
                return livez(self.vitals())
            case "/readyz":
                return readyz(self.vitals())
            case "/metrics":
                return Answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._registry))
            case _:
                return _text(HTTPStatus.NOT_FOUND, "try /livez, /readyz or /metrics")

    def start(self, address: HostPort | None) -> HostPort | None:
        """Begin to beat on the running loop, and serve on `address` unless it is None; returns what was
        bound.

        Raises StartError when the address cannot be bound.
        """
        self._beat(time.monotonic())
        if address is None:
            return None
        try:
            self._server = _Server(address, self.answer)
        except OSError as error:
            raise StartError(f"cannot serve HTTP on {address}: {error.strerror or error}") from error
        threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()
        return HostPort(address.host, self._server.server_address[1])

    def close(self) -> None:
        """Stop serving and beating."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _beat(self, due: float) -> None:
        now = time.monotonic()
        self._last_beat = now
        if self._on_lag is not None:
            self._on_lag(max(0.0, now - due))
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(BEAT_SECONDS, self._beat, now + BEAT_SECONDS)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    server_address: tuple[str, int]

    def __init__(self, address: HostPort, answer: Callable[[str], Answer]) -> None:
        self.address_family = AF_INET6 if ":" in address.host else AF_INET
        self.answer = answer
        super().__init__((address.host, address.port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _CLIENT_SECONDS
    protocol_version = "HTTP/1.1"
    server_version = "b2bua"
    sys_version = ""

    def do_GET(self) -> None:
        status, content_type, body = self.server.answer(self.path)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Probes are not news."""
