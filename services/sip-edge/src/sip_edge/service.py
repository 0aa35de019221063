"""The edge without its process: sockets, core and shell. Used by the app and by the all-in-one."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from b2bua.edge.v1 import edge_pb2
from sip_edge.adapters.counters import IoCounters
from sip_edge.adapters.dns_records import DnsRecords
from sip_edge.adapters.observed import MessageObserver, ObservedShell
from sip_edge.adapters.resolver import Resolver
from sip_edge.adapters.rfc3263 import Family
from sip_edge.adapters.shell import Shell
from sip_edge.adapters.tcp import TcpLimits, bind_tcp
from sip_edge.adapters.udp import bind_udp
from sip_edge.domain import (
    Address,
    ControlLink,
    EdgeConfig,
    EdgeCore,
    HostPort,
    Lifecycle,
    Listener,
    PeerNetwork,
)
from svckit.errors import StartError
from svckit.identity import Identity
from svckit.listen import HostPort as ListenHostPort
from svckit.listen import ListenSpec, by_socket

_DRAIN_POLL = 0.05  # seconds between looks whether a draining edge is idle

_BIND: dict[str, Callable[[str, int], socket.socket]] = {"udp": bind_udp, "tcp": bind_tcp}


@dataclass(frozen=True, slots=True, kw_only=True)
class IoOptions:
    """What the sockets and the resolver can be told. Durations in seconds."""

    tcp: TcpLimits = field(default_factory=TcpLimits)
    dns_servers: tuple[tuple[str, int], ...] = ()
    """(ip, port) of name servers; empty: those of the system."""
    dns_timeout: float = 3.0
    """For one question; a search may take several."""
    prefer_ipv6: bool = False
    """Of the addresses of a name, try IPv6 first."""


class EdgeService:
    """One edge: give it a link to call-control, start it, and tell it what the greeting said."""

    def __init__(
        self,
        config: EdgeConfig,
        listen: Iterable[ListenSpec],
        link: ControlLink,
        *,
        io: IoOptions | None = None,
        draw: Callable[[], float] = random.random,
        flush: Callable[[], None] | None = None,
        observer: MessageObserver | None = None,
    ) -> None:
        """`config.listeners` is replaced by what `listen` binds; `draw` gives floats in [0, 1); `flush` is
        called when a batch of messages is through (see `Shell`); `observer` is told of each message.
        """
        self._config = config
        self._listen = tuple(listen)
        self._link = link
        self._options = io or IoOptions()
        self._draw = draw
        self._flush = flush
        self._observer = observer
        self._shell: Shell | None = None
        self._core: EdgeCore | None = None
        self.io = IoCounters()
        self.bound: dict[str, Address] = {}
        """Addresses really bound, by name of the listener (`transport:host:port` as configured)."""

    @property
    def core(self) -> EdgeCore:
        """The core; only after `start`."""
        assert self._core is not None, "EdgeService.start was not awaited"
        return self._core

    async def start(self) -> None:
        """Bind all listeners. Until `greeted` nothing that arrives is served. Raises StartError."""
        socks: dict[str, socket.socket] = {}
        listeners: list[Listener] = []
        try:
            for specs in by_socket(self._listen).values():
                listener, sock = _bind(specs)
                socks[listener.name] = sock
                listeners.append(listener)
        except StartError:
            for sock in socks.values():
                sock.close()
            raise
        self.bound = {listener.name: (listener.host, listener.port) for listener in listeners}
        shell = self._make_shell(self._resolver(listeners))
        self._core = EdgeCore(replace(self._config, listeners=tuple(listeners)), shell, self._link)
        self._shell = shell
        by_transport = {
            transport: {one.name: socks[one.name] for one in listeners if one.transport == transport}
            for transport in _BIND
        }
        await shell.open(self._core, by_transport["udp"], by_transport["tcp"])

    def greeted(
        self, identity: Identity, wanted_headers: Iterable[str], extensions: Iterable[str] = ()
    ) -> None:
        """Begin to serve, with what call-control said in its greeting; a further one changes the headers and
        the extensions.
        """
        self.core.greeted(identity, wanted_headers, extensions)
        if self.core.admission.state is Lifecycle.STARTING:
            self.core.admission.state = Lifecycle.SERVING

    def execute(self, command: edge_pb2.Command) -> None:
        """Carry out a command of call-control. On the loop's thread; may be called out of `submit`."""
        assert self._shell is not None, "EdgeService.start was not awaited"
        self._shell.execute(command)

    async def drain(self, *, shift: float = 0.0, flows: float = 0.0) -> None:
        """Take no new work; returns when nothing is in progress.

        For `shift` seconds OPTIONS is answered 503 but calls are still served; then new calls are refused.
        Open connections alone keep the edge for `flows` seconds from then on.
        """
        admission = self.core.admission
        if shift > 0:
            admission.state = Lifecycle.SHIFTING
            await asyncio.sleep(shift)
        admission.state = Lifecycle.DRAINING
        loop = asyncio.get_running_loop()
        flows_until = loop.time() + flows
        while not self.core.idle or (self.core.open_flows and loop.time() < flows_until):  # noqa: ASYNC110
            await asyncio.sleep(_DRAIN_POLL)

    async def stop(self) -> None:
        """Close all sockets now; harmless before `start`."""
        if self._shell is not None:
            await self._shell.close()
            self._shell = None

    def _make_shell(self, resolver: Resolver) -> Shell:
        options, observer = self._options, self._observer
        if observer is None:
            return Shell(resolver, self.io, options.tcp, self._flush)
        return ObservedShell(observer, resolver, self.io, options.tcp, self._flush)

    def _resolver(self, listeners: Iterable[Listener]) -> Resolver:
        """Only addresses and transports that a listener can send from are of use."""
        loop = asyncio.get_running_loop()
        versions = {Family.IPV6 if ":" in listener.host else Family.IPV4 for listener in listeners}
        families = [family for family in Family if family in versions]
        if self._options.prefer_ipv6:
            families.reverse()
        records = DnsRecords(
            clock=loop.time, servers=self._options.dns_servers, timeout=self._options.dns_timeout
        )
        return Resolver(
            records,
            families=families,
            transports=[name for name in _BIND if any(one.transport == name for one in listeners)],
            random=self._draw,
        )


def check_listeners(listen: Iterable[ListenSpec]) -> None:
    """Find out whether all listeners can be bound, and let go of them. Raises StartError."""
    bound: list[socket.socket] = []
    try:
        for specs in by_socket(listen).values():
            bound.append(_bind(specs)[1])  # noqa: PERF401  # what is bound is closed if the next cannot be
    finally:
        for sock in bound:
            sock.close()


def _bind(specs: tuple[ListenSpec, ...]) -> tuple[Listener, socket.socket]:
    """Bind one socket; `specs` are its entries, one per group of peers."""
    first = specs[0]
    name = f"{first.transport}:{ListenHostPort(first.host, first.port)}"
    try:
        sock = _BIND[first.transport](first.host, first.port)
    except OSError as error:
        raise StartError(f"cannot listen on {name}: {error.strerror or error}") from error
    port = sock.getsockname()[1]
    default = next((spec for spec in specs if not spec.networks), None)
    exceptions = [(network, spec) for spec in specs for network in spec.networks]
    exceptions.sort(key=lambda pair: pair[0].prefixlen, reverse=True)
    listener = Listener(
        name=name,
        transport=first.transport,
        host=first.host,
        port=port,
        advertise=None if default is None else _shown(default.advertise, port),
        contact=None if default is None else _shown(default.contact, port),
        nat=None if default is None else default.nat,
        networks=tuple(
            PeerNetwork(
                network=network,
                advertise=_shown(spec.advertise, port),
                contact=_shown(spec.contact, port),
                nat=spec.nat,
            )
            for network, spec in exceptions
        ),
    )
    return listener, sock


def _shown(address: ListenHostPort | None, bound_port: int) -> HostPort | None:
    """An address for Via or Contact; port 0 stands for the one that was bound."""
    return None if address is None else HostPort(address.host, address.port or bound_port)
