"""Connections. The core names them, frames what comes in, and knows which of them it may use again."""

import math
from typing import Final

from sip_edge.domain.config import Listener
from sip_edge.domain.drop_reasons import Counters, DropReason
from sip_edge.domain.ports import Address, Outlet
from sipcore.parser import Limits, Outcome, StreamParser


class Flow:
    """One connection."""

    __slots__ = ("id", "incomplete_since", "listener", "outgoing", "parser", "peer")

    def __init__(self, flow: str, listener: Listener, peer: Address, limits: Limits, outgoing: bool) -> None:
        self.id: Final = flow
        self.listener: Final = listener
        self.peer: Final = peer
        self.outgoing: Final = outgoing
        self.parser: Final = StreamParser(limits)
        self.incomplete_since = math.inf
        """When the message began that is not complete yet; infinity between messages."""

    def receive(self, data: bytes, now: float) -> list[Outcome]:
        """Take octets; what is complete now, in order."""
        outcomes = self.parser.receive(data)
        if not self.parser.partial:
            self.incomplete_since = math.inf
        elif outcomes or self.incomplete_since == math.inf:
            self.incomplete_since = now
        return outcomes


class Flows:
    """All open connections of the edge."""

    __slots__ = ("_by_id", "_by_peer", "_count", "_counters", "_limits", "_max", "_outlet", "_prefix")

    def __init__(
        self, *, boot: int, limits: Limits, max_flows: int, outlet: Outlet, counters: Counters
    ) -> None:
        # The boot number keeps a connection of an earlier run apart from one of this run.
        self._prefix = f"{boot:x}."
        self._limits = limits
        self._max = max_flows
        self._outlet = outlet
        self._counters = counters
        self._count = 0
        self._by_id: dict[str, Flow] = {}
        self._by_peer: dict[Address, Flow] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, flow: str) -> Flow | None:
        """The connection of this id, if it is still there."""
        return self._by_id.get(flow)

    def accept(self, listener: Listener, peer: Address) -> Flow | None:
        """A peer has connected; `None`: there are too many."""
        return self._add(listener, peer, outgoing=False)

    def towards(self, listener: Listener, peer: Address) -> Flow | None:
        """A connection that leads to the peer's listening address: an open one or a new one (RFC 3261 18)."""
        flow = self._by_peer.get(peer)
        if flow is not None:
            return flow
        flow = self._add(listener, peer, outgoing=True)
        if flow is not None:
            self._by_peer[peer] = flow
            self._outlet.connect(flow.id, listener.name, peer)
        return flow

    def forget(self, flow: str) -> Flow | None:
        """The connection is gone. `None` if that is known already."""
        gone = self._by_id.pop(flow, None)
        if gone is not None and gone.outgoing:
            del self._by_peer[gone.peer]
        return gone

    def _add(self, listener: Listener, peer: Address, *, outgoing: bool) -> Flow | None:
        if len(self._by_id) >= self._max:
            self._counters.drop(DropReason.FLOW_REFUSED)
            return None
        self._count += 1
        flow = Flow(f"{self._prefix}{self._count:x}", listener, peer, self._limits, outgoing)
        self._by_id[flow.id] = flow
        return flow
