"""A shell whose messages somebody watches: whole, as they are on the wire.

Only an edge that has an observer has this shell, so that nobody else pays for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Protocol

from sip_edge.adapters.counters import IoCounters
from sip_edge.adapters.resolver import Resolver
from sip_edge.adapters.shell import Shell
from sip_edge.adapters.tcp import FlowSink, TcpLimits
from sip_edge.adapters.udp import Receiver
from sip_edge.domain import Address, EdgeCore

LARGEST = 131_072
"""Octets of a message that is shown."""

_FOR_EVER = 1 << 62

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
# RFC 3261 20.14, and its compact form.
_LENGTH = re.compile(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,9})[ \t]*\r?$")


class MessageObserver(Protocol):
    """Told of each message. It must be quick, and must not raise or call back."""

    def received(self, transport: str, data: bytes, peer: Address) -> None:
        """A message came in; `transport` is "udp" or "tcp"."""

    def sending(self, transport: str, data: bytes, peer: Address) -> None:
        """A message goes out, or is repeated."""


class Framing:
    """Cuts the octets of a connection into messages to look at: the core cuts for itself, and judges.

    A message of more than `LARGEST` octets is left out; after a head without end nothing is shown any more.
    """

    __slots__ = ("_buffer", "_end", "_scanned", "_skip")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._skip = 0
        """Octets to come of a message that is left out."""
        self._end = 0
        """Where the message ends whose head is complete; 0: it is not."""

    def receive(self, data: bytes) -> list[bytes]:
        """Take octets; return the messages that are complete now. Keep-alives are none."""
        messages: list[bytes] = []
        self._buffer += data
        while self._find_end() and self._end <= len(self._buffer):
            messages.append(bytes(self._buffer[: self._end]))
            self._forget(self._end)
        if self._end > LARGEST:
            self._skip = self._end - len(self._buffer)
            self._forget(len(self._buffer))
        elif not self._end and len(self._buffer) > LARGEST:
            self._skip = _FOR_EVER
            self._forget(len(self._buffer))
        return messages

    def _find_end(self) -> bool:
        buffer = self._buffer
        if self._skip:
            skipped = min(self._skip, len(buffer))
            del buffer[:skipped]
            self._skip -= skipped
        if not self._scanned:
            del buffer[: len(buffer) - len(buffer.lstrip(b"\r\n"))]
        if self._end:
            return True
        blank = _BLANK_LINE.search(buffer, max(0, self._scanned - 3))
        self._scanned = len(buffer)
        if blank is not None:
            length = _LENGTH.search(buffer, 0, blank.start() + 2)
            self._end = blank.end() + (int(length.group(1)) if length is not None else 0)
        return self._end > 0

    def _forget(self, count: int) -> None:
        del self._buffer[:count]
        self._scanned = self._end = 0


class _Watched:
    """A connection that is watched."""

    __slots__ = ("framing", "peer")

    def __init__(self, peer: Address) -> None:
        self.peer: Final = peer
        self.framing: Final = Framing()


class ObservedShell(Shell):
    """As `Shell`, and tells an observer."""

    def __init__(
        self,
        observer: MessageObserver,
        resolver: Resolver,
        counters: IoCounters,
        limits: TcpLimits,
        flush: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(resolver, counters, limits, flush)
        self._observer: Final = observer
        self._watched: Final[dict[str, _Watched]] = {}

    def send_datagram(self, listener: str, data: bytes, address: Address) -> None:
        """See `Shell`."""
        self._observer.sending("udp", data, address)
        super().send_datagram(listener, data, address)

    def connect(self, flow: str, listener: str, address: Address) -> None:
        """See `Shell`."""
        self._watched[flow] = _Watched(address)
        super().connect(flow, listener, address)

    def send_stream(self, flow: str, data: bytes) -> None:
        """See `Shell`; the answer to a keep-alive is no message."""
        watched = self._watched.get(flow)
        if watched is not None and data.strip():
            self._observer.sending("tcp", data, watched.peer)
        super().send_stream(flow, data)

    def close_stream(self, flow: str) -> None:
        """See `Shell`."""
        self._watched.pop(flow, None)
        super().close_stream(flow)

    def _receiver(self, core: EdgeCore) -> Receiver:
        observer, receive = self._observer, core.receive_datagram

        def observed(listener: str, data: bytes, source: Address, now: float) -> None:
            if data.strip():
                observer.received("udp", data, source)
            receive(listener, data, source, now)

        return observed

    def _sink(self, core: EdgeCore) -> FlowSink:
        return _ObservedFlows(core, self._observer, self._watched)


class _ObservedFlows:
    """`FlowSink` in front of the core's."""

    def __init__(self, sink: FlowSink, observer: MessageObserver, watched: dict[str, _Watched]) -> None:
        self._sink = sink
        self._observer = observer
        self._watched = watched
        self.incomplete_since = sink.incomplete_since

    def flow_opened(self, listener: str, peer: Address, now: float) -> str | None:
        flow = self._sink.flow_opened(listener, peer, now)
        if flow is not None:
            self._watched[flow] = _Watched(peer)
        return flow

    def receive_stream(self, flow: str, data: bytes, now: float) -> None:
        watched = self._watched.get(flow)
        if watched is not None:
            for message in watched.framing.receive(data):
                self._observer.received("tcp", message, watched.peer)
        self._sink.receive_stream(flow, data, now)

    def flow_closed(self, flow: str, now: float) -> None:
        self._watched.pop(flow, None)
        self._sink.flow_closed(flow, now)
