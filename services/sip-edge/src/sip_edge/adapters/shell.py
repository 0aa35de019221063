"""The pump: joins the core with the sockets, the resolver and one timer of the event loop."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Callable, Sequence

from b2bua.edge.v1 import edge_pb2
from sip_edge.adapters.counters import IoCounters, IoDrop
from sip_edge.adapters.load import LoadWatch
from sip_edge.adapters.resolver import Resolver
from sip_edge.adapters.tcp import FlowSink, TcpConnections, TcpLimits
from sip_edge.adapters.udp import Receiver, UdpSocket
from sip_edge.adapters.wildcard import WILDCARDS, SourceAddresses, WildcardUdpSocket
from sip_edge.domain import Address, EdgeCore, Query
from sip_edge.domain.ports import Endpoint

# Deadlines are met up to so many seconds late, all those of one interval together: SIP's shortest timer
# is T1, and a wake-up of its own for each of the dozen timers of a call costs as much as its messages.
_GRAIN = 0.02


class Shell:
    """Implements `sip_edge.domain.ports.Outlet`. `open` gives it the core, before that nothing happens."""

    def __init__(
        self,
        resolver: Resolver,
        counters: IoCounters,
        limits: TcpLimits,
        flush: Callable[[], None] | None = None,
    ) -> None:
        """`flush` is called whenever the core was told something: a link in the same process then hands
        its events on at once.
        """
        self._loop = asyncio.get_running_loop()
        self._resolver = resolver
        self._counters = counters
        self._limits = limits
        self._flush = flush
        self._sources = SourceAddresses(self._loop.time)
        self._udp: dict[str, UdpSocket] = {}
        self._searches: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = math.inf
        self._core: EdgeCore
        self._tcp: TcpConnections
        self._load: LoadWatch

    async def open(
        self, core: EdgeCore, udp: dict[str, socket.socket], tcp: dict[str, socket.socket]
    ) -> None:
        """Read from the bound sockets, named by their listeners, into `core`."""
        self._core = core
        self._tcp = TcpConnections(
            self._loop, self._sink(core), batch_done=self.settle, counters=self._counters, limits=self._limits
        )
        for name, sock in tcp.items():
            await self._tcp.listen(name, sock)
        for name, sock in udp.items():
            self._udp[name] = self._datagrams(name, sock, core)
        self._load = LoadWatch(self._loop, self._udp.values(), core.admission)

    def _datagrams(self, name: str, sock: socket.socket, core: EdgeCore) -> UdpSocket:
        wildcard = sock.getsockname()[0] in WILDCARDS
        endpoint = (WildcardUdpSocket if wildcard else UdpSocket)(
            self._loop,
            sock,
            name,
            receive=self._receiver(core),
            batch_done=self.settle,
            unreachable=self._unreachable,
            counters=self._counters,
        )
        if isinstance(endpoint, WildcardUdpSocket):
            endpoint.watch_destinations(self._sources)
        return endpoint

    def _receiver(self, core: EdgeCore) -> Receiver:
        """Who takes what comes by UDP."""
        return core.receive_datagram

    def _sink(self, core: EdgeCore) -> FlowSink:
        """Who takes what comes by connections."""
        return core

    async def close(self) -> None:
        """Close all sockets and give up all searches."""
        self._load.close()
        if self._timer is not None:
            self._timer.cancel()
        for sock in self._udp.values():
            sock.close()
        for search in self._searches:
            search.cancel()
        await asyncio.gather(*self._searches, return_exceptions=True)
        await self._tcp.close()
        await self._resolver.close()

    def send_datagram(self, listener: str, data: bytes, address: Address) -> None:
        """Send from the listener's socket."""
        self._udp[listener].send(data, address)

    def connect(self, flow: str, listener: str, address: Address) -> None:
        """Open a connection."""
        self._tcp.connect(flow, listener, address)

    def send_stream(self, flow: str, data: bytes) -> None:
        """Send on a connection."""
        self._tcp.send(flow, data)

    def close_stream(self, flow: str) -> None:
        """Close a connection."""
        self._tcp.disconnect(flow)

    def source_ip(self, towards: str) -> str:
        """The address that this host uses towards another."""
        return self._sources.towards(towards)

    def resolve(self, token: int, query: Query) -> None:
        """Answer at once from the cache, or later from DNS."""
        found = self._resolver.locate_now(query)
        if found is not None:
            self._resolved(token, found)
            return
        search = self._loop.create_task(self._search(token, query))
        self._searches.add(search)
        search.add_done_callback(self._searches.discard)

    async def _search(self, token: int, query: Query) -> None:
        self._resolved(token, await self._resolver.locate(query))
        self.settle()

    def _resolved(self, token: int, found: Sequence[Endpoint]) -> None:
        if not found:
            self._counters.drops[IoDrop.NOT_RESOLVED] += 1
        self._core.resolved(token, found, self._loop.time())

    def execute(self, command: edge_pb2.Command) -> None:
        """Have the core carry out a command of call-control."""
        self._core.execute(command, self._loop.time())
        self.rearm()

    def settle(self) -> None:
        """The core was told something: hand its events on, and set the timer for its next deadline."""
        if self._flush is not None:
            self._flush()
        self.rearm()

    def rearm(self) -> None:
        """Set the timer for the core's next deadline, unless it comes up before that anyway."""
        deadline = self._core.next_deadline()
        if deadline >= self._armed_for:
            return
        due = math.ceil(deadline / _GRAIN) * _GRAIN
        if due < self._armed_for:
            if self._timer is not None:
                self._timer.cancel()
            self._armed_for = due
            self._timer = self._loop.call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._armed_for = math.inf
        try:
            self._core.on_timer(self._loop.time())
        finally:
            self.settle()

    def _unreachable(self, address: Address) -> None:
        self._core.transport_failed(address, self._loop.time())
        self.settle()
