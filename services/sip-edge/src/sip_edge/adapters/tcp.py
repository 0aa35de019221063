"""TCP: connections by the ids that the core knows them by. Framing is the core's business."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from sip_edge.adapters.counters import IoCounters, IoDrop
from sip_edge.domain.ports import Address

_BACKLOG = 1024
_SWEEP_SECONDS = 1.0


class FlowSink(Protocol):
    """What the core offers for connections (see `EdgeCore`)."""

    def flow_opened(self, listener: str, peer: Address, now: float) -> str | None:
        """A peer has connected: the id of its connection, or None to refuse it."""

    def receive_stream(self, flow: str, data: bytes, now: float) -> None:
        """Bytes of a connection."""

    def flow_closed(self, flow: str, now: float) -> None:
        """The connection is gone, or was never made."""

    def incomplete_since(self, flow: str) -> float:
        """When the message began that has not ended yet; infinity if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpLimits:
    """Bounds on connections; durations in seconds."""

    connections: int = 20_000
    unsent_bytes: int = 1 << 20
    """A peer that leaves more than this unread is closed."""
    connect_timeout: float = 2.0
    idle_timeout: float = 1800.0
    """Without a byte from the peer for so long, a connection is closed (keep-alives count)."""
    message_timeout: float = 15.0
    """A message that takes longer from its first byte to its last ends the connection."""
    dead_timeout: float = 32.0
    """Sent bytes unacknowledged by the peer's kernel for so long end the connection."""


def bind_tcp(host: str, port: int) -> socket.socket:
    """A bound, non-blocking socket, not yet listening; raises OSError. Port 0 takes a free one."""
    sock = _stream_socket(host)
    try:
        # The old process's connections may still be winding down on this address.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _stream_socket(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    if family is socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return sock


class TcpConnections:
    """All connections of one edge, accepted and made."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sink: FlowSink,
        *,
        batch_done: Callable[[], None],
        counters: IoCounters,
        limits: TcpLimits = TcpLimits(),
    ) -> None:
        """`batch_done` is called after the sink was told something."""
        self.loop = loop
        self.sink = sink
        self.batch_done = batch_done
        self.counters = counters
        self.limits = limits
        self.flows: dict[str, _Connection] = {}
        self._servers: list[asyncio.Server] = []
        self._sources: dict[str, str] = {}
        self._sweep_handle = loop.call_later(_SWEEP_SECONDS, self._sweep_again)

    async def listen(self, listener: str, sock: socket.socket) -> Address:
        """Accept connections on a bound socket; tells the address."""
        host, port = sock.getsockname()[:2]
        server = await self.loop.create_server(lambda: _Accepted(self, listener), sock=sock, backlog=_BACKLOG)
        self._servers.append(server)
        if host not in ("0.0.0.0", "::"):
            self._sources[listener] = host
        return host, port

    def connect(self, flow: str, listener: str, address: Address) -> None:
        """Open a connection under the id `flow`, from the listener's address unless that is a wildcard.

        Failure is told to the sink, never before this returns.
        """
        connection = _Connection(self, flow)
        if len(self.flows) >= self.limits.connections:
            self.counters.drops[IoDrop.TCP_REFUSED] += 1
            self.loop.call_soon(self.tell_closed, flow)
            return
        self.flows[flow] = connection
        source = self._sources.get(listener)
        connection.opening = self.loop.create_task(self._open(connection, source, address))

    def send(self, flow: str, data: bytes) -> None:
        """Send, or queue until the connection is up. Never raises, and never calls the sink."""
        connection = self.flows.get(flow)
        if connection is None:
            self.counters.drops[IoDrop.TCP_NO_CONNECTION] += 1
        else:
            connection.send(data)

    def disconnect(self, flow: str) -> None:
        """Close a connection; the sink is not told. What was sent before still goes out."""
        connection = self.flows.pop(flow, None)
        if connection is not None:
            connection.close()

    def sweep(self, now: float) -> None:
        """Close the connections from which nothing, or no end of a message, has come for too long."""
        silent_since = now - self.limits.idle_timeout
        slow_since = now - self.limits.message_timeout
        for connection in list(self.flows.values()):
            if connection.last_heard <= silent_since:
                self.counters.drops[IoDrop.TCP_IDLE] += 1
            elif self.sink.incomplete_since(connection.flow) <= slow_since:
                self.counters.drops[IoDrop.TCP_INCOMPLETE] += 1
            else:
                continue
            connection.abort()

    async def close(self) -> None:
        """Stop listening and close everything; the sink is not told."""
        self._sweep_handle.cancel()
        for server in self._servers:
            server.close()
        opening = [c.opening for c in self.flows.values() if c.opening is not None]
        for flow in list(self.flows):
            self.disconnect(flow)
        await asyncio.gather(*opening, return_exceptions=True)

    def closed(self, flow: str) -> None:
        """A connection has ended by itself: tell the sink, unless the core closed it."""
        if self.flows.pop(flow, None) is not None:
            self.tell_closed(flow)

    def tell_closed(self, flow: str) -> None:
        """Tell the sink that a connection is gone."""
        self.sink.flow_closed(flow, self.loop.time())
        self.batch_done()

    def _sweep_again(self) -> None:
        self.sweep(self.loop.time())
        self._sweep_handle = self.loop.call_later(_SWEEP_SECONDS, self._sweep_again)

    async def _open(self, connection: _Connection, source: str | None, address: Address) -> None:
        sock: socket.socket | None = None
        try:
            async with asyncio.timeout(self.limits.connect_timeout):
                sock = _stream_socket(address[0])
                if source is not None:
                    sock.bind((source, 0))
                await self.loop.sock_connect(sock, address)
            await self.loop.create_connection(lambda: connection, sock=sock)
        except (OSError, TimeoutError):
            self.counters.drops[IoDrop.TCP_CONNECT_FAILED] += 1
            if sock is not None:
                sock.close()
            self.closed(connection.flow)
        except BaseException:
            if sock is not None:
                sock.close()
            raise
        finally:
            connection.opening = None


class _Connection(asyncio.Protocol):
    """One connection that we make or have accepted."""

    __slots__ = ("_owner", "_transport", "_unsent", "flow", "last_heard", "opening")

    def __init__(self, owner: TcpConnections, flow: str) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._unsent = b""
        self.flow = flow
        self.last_heard = owner.loop.time()
        self.opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._owner.counters.connections += 1
        _tune(transport, self._owner.limits)
        unsent, self._unsent = self._unsent, b""
        if unsent:
            self._transport.write(unsent)

    def data_received(self, data: bytes) -> None:
        owner = self._owner
        self.last_heard = now = owner.loop.time()
        if self.flow in owner.flows:
            owner.sink.receive_stream(self.flow, data, now)
            owner.batch_done()

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.counters.connections -= 1
        self._owner.closed(self.flow)

    def send(self, data: bytes) -> None:
        """Write, or queue while the connection is not up; too much that is not read ends it."""
        transport = self._transport
        if transport is None:
            self._unsent += data
            unsent = len(self._unsent)
        else:
            transport.write(data)
            unsent = transport.get_write_buffer_size()
        if unsent > self._owner.limits.unsent_bytes:
            self._owner.counters.drops[IoDrop.TCP_UNSENT_LIMIT] += 1
            self.abort()

    def close(self) -> None:
        """Close when all is sent."""
        if self._transport is not None:
            self._transport.close()
        elif self.opening is not None:
            self.opening.cancel()

    def abort(self) -> None:
        """Close without sending what waits; the sink is told when this has returned."""
        self._owner.flows.pop(self.flow, None)
        self._owner.loop.call_soon(self._owner.tell_closed, self.flow)
        if self._transport is not None:
            self._transport.abort()
        elif self.opening is not None:
            self.opening.cancel()


class _Accepted(_Connection):
    """A connection that a peer has made: it gets its id when it is there."""

    __slots__ = ("_listener",)

    def __init__(self, owner: TcpConnections, listener: str) -> None:
        super().__init__(owner, "")
        self._listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        owner = self._owner
        peer = transport.get_extra_info("peername")
        flow = None
        if peer is not None and len(owner.flows) < owner.limits.connections:
            flow = owner.sink.flow_opened(self._listener, (peer[0], peer[1]), self.last_heard)
        if flow is None:
            owner.counters.drops[IoDrop.TCP_REFUSED] += 1
            cast(asyncio.Transport, transport).abort()
            return
        self.flow = flow
        owner.flows[flow] = self


def _tune(transport: asyncio.BaseTransport, limits: TcpLimits) -> None:
    """Send at once, and notice a peer that has vanished."""
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(limits.dead_timeout * 1000))
