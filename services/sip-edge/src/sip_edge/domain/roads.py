"""The ways to a peer: from what a command says about the target to a socket or a connection (RFC 3263)."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain.addressing import MAX_CACHED, Addressing, Aims, Local
from sip_edge.domain.config import Listener
from sip_edge.domain.drop_reasons import Counters, DropReason
from sip_edge.domain.flows import Flows
from sip_edge.domain.ports import Address, Endpoint, Outlet, Query
from sip_edge.domain.remembered import Remembered

Found = Callable[[list[Endpoint], float], None]

_MAX_TARGETS: Final = 8
_NO_TCP_FOR: Final = 600.0
"""Seconds for which an address that refused TCP is sent large requests by UDP at once."""


class Road(NamedTuple):
    """How a message leaves for an address."""

    local: Local
    """The listener that it leaves from, as the peer sees it."""
    flow: str
    """Connection, empty for UDP."""
    endpoint: Endpoint
    address: Address
    """The endpoint without its transport."""


class Roads:
    """Finds addresses, and roads to them."""

    __slots__ = (
        "_addressing",
        "_aims",
        "_counters",
        "_flows",
        "_no_tcp",
        "_outlet",
        "_tokens",
        "_udp",
        "_waiting",
    )

    def __init__(self, addressing: Addressing, flows: Flows, outlet: Outlet, counters: Counters) -> None:
        self._addressing: Final = addressing
        self._aims: Final = Aims()
        self._flows: Final = flows
        self._outlet: Final = outlet
        self._counters: Final = counters
        self._no_tcp: Final[Remembered[Address, bool]] = Remembered(_NO_TCP_FOR)
        self._udp: dict[tuple[Endpoint, str], Road] = {}
        self._tokens = 0
        self._waiting: dict[int, Found] = {}

    def find(self, target: edge_pb2.Target) -> list[Endpoint] | Query:
        """The addresses of a target, best first, or what the DNS is to be asked for them."""
        if target.flow:
            flow = self._flows.get(target.flow)
            return [Endpoint(*flow.peer, "tcp")] if flow is not None else []
        if target.HasField("address"):
            address = target.address
            return [Endpoint(address.ip, address.port, address.transport or "udp")]
        if target.ourselves:
            return self._addressing.ourselves()
        aim = self._aims.of(target.uri)
        if isinstance(aim, Query):
            return aim
        return [] if aim is None else [aim]

    def ask(self, query: Query, found: Found) -> None:
        """Call `found` when the DNS has answered."""
        self._tokens += 1
        self._waiting[self._tokens] = found
        self._outlet.resolve(self._tokens, query)

    def resolved(self, token: int, targets: Sequence[Endpoint], now: float) -> None:
        """The DNS has answered."""
        found = self._waiting.pop(token, None)
        if found is None:
            self._counters.drop(DropReason.RESOLUTION_UNKNOWN)
        else:
            found(list(targets[:_MAX_TARGETS]), now)

    def to(self, endpoint: Endpoint, target: edge_pb2.Target) -> Road | None:
        """The road to one address; `None`: no listener of that kind, or the connection is lost."""
        if target.flow:
            flow = self._flows.get(target.flow)
            return self._road(flow.listener, flow.id, endpoint) if flow is not None else None
        return self.along(endpoint, target.listener)

    def along(self, endpoint: Endpoint, preferred: str = "") -> Road | None:
        """The road to an address, from the listener of this name if it fits."""
        known = self._udp.get((endpoint, preferred))
        if known is not None:
            return known
        listener = self._addressing.choose(endpoint.transport, endpoint.ip, preferred)
        if listener is None:
            return None
        if endpoint.transport != "udp":
            flow = self._flows.towards(listener, (endpoint.ip, endpoint.port))
            return self._road(listener, flow.id, endpoint) if flow is not None else None
        if len(self._udp) >= MAX_CACHED:
            self._udp.clear()
        road = self._udp[endpoint, preferred] = self._road(listener, "", endpoint)
        return road

    def _road(self, listener: Listener, flow: str, endpoint: Endpoint) -> Road:
        local = self._addressing.local(listener, endpoint.ip)
        return Road(local, flow, endpoint, (endpoint.ip, endpoint.port))

    def by_tcp(self, endpoint: Endpoint) -> Road | None:
        """The road by TCP for a request too large for UDP (RFC 3261 18.1.1), unless it was refused lately."""
        if self._no_tcp.get((endpoint.ip, endpoint.port)):
            return None
        return self.along(endpoint._replace(transport="tcp"))

    def no_tcp(self, endpoint: Endpoint, now: float) -> None:
        """The address refused TCP."""
        self._no_tcp.put((endpoint.ip, endpoint.port), True, now)
