"""What a pod keeps in memory: a slot per cached call, and which edges are away."""

from __future__ import annotations

from collections.abc import Mapping

from b2bua.aaa.v1 import aaa_pb2 as aaa
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain.ports import EdgePort

Arrival = tuple[EdgePort, edge.Event]
"""An event, and the edge to which its acknowledgement goes."""


class Slot:
    """What is cached of one call, and what waits for it."""

    __slots__ = (
        "asked",
        "busy",
        "closing",
        "declined",
        "disconnecting",
        "done",
        "epoch",
        "key",
        "known",
        "over",
        "owed",
        "queue",
        "replies",
        "sents",
        "stored",
        "timer",
        "used",
    )

    def __init__(self, key: str) -> None:
        self.key = key
        self.known = False
        self.asked = False  # whether the store was there when the last commit was asked for
        self.declined: set[int] = set()  # events that could not be committed here before
        self.over = False  # ended here while the store was away, whatever the record says
        self.stored: bytes = b""
        self.busy = False
        self.timer = False
        self.used = 0
        self.closing = False
        self.disconnecting = False
        self.epoch = 0
        self.owed: frozenset[int] = frozenset()
        self.queue: list[Arrival] = []
        self.done: set[int] = set()
        self.replies: list[aaa.AuthorizeResponse] = []
        self.sents: list[edge.Sent] = []

    def has_heard(self, sent: edge.Sent) -> bool:
        """Whether the same report waits here already.

        Then another pod has asked for it, which finds the debt unpaid in the store: it needs a commit.
        """
        return any(one.branch == sent.branch for one in self.sents)


class Absences:
    """Edges that this pod has not seen since a time, and edges that have begun another life."""

    def __init__(
        self, ports: Mapping[str, EdgePort], left_at: Mapping[str, int], started: int, before: int
    ) -> None:
        self._ports, self._left_at, self._started, self._before = ports, left_at, started, before

    def is_away(self, ref: edge.EdgeRef) -> bool:
        """Whether the edge was away for too long."""
        if ref.edge_id in self._ports:
            return False
        return self._left_at.get(ref.edge_id, self._started) <= self._before

    def has_forgotten(self, ref: edge.EdgeRef) -> bool:
        """Whether the edge was started anew, and knows none of its transactions any more."""
        port = self._ports.get(ref.edge_id)
        return port is not None and port.boot != ref.boot
