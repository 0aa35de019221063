"""What a pod keeps in memory: a slot per cached call, and which edges are away."""

from __future__ import annotations

from collections.abc import Container

from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain.ports import EdgePort

Arrival = tuple[EdgePort, edge.Event]
"""An event, and the edge to which its acknowledgement goes."""


class Slot:
    """What is cached of one call, and what waits for it."""

    __slots__ = (
        "busy",
        "closing",
        "done",
        "epoch",
        "key",
        "known",
        "owed",
        "queue",
        "sents",
        "stored",
        "timer",
        "used",
    )

    def __init__(self, key: str) -> None:
        self.key = key
        self.known = False
        self.stored: bytes = b""
        self.busy = False
        self.timer = False
        self.used = 0
        self.closing = False
        self.epoch = 0
        self.owed: frozenset[int] = frozenset()
        self.queue: list[Arrival] = []
        self.done: set[int] = set()
        self.sents: list[edge.Sent] = []

    def has_heard(self, sent: edge.Sent) -> bool:
        """Whether the same report waits here already.

        Then another pod has asked for it, which finds the debt unpaid in the store: it needs a commit.
        """
        return any(one.branch == sent.branch for one in self.sents)


class Absent(Container[str]):
    """The ids of the edges that were away from this pod for too long."""

    def __init__(self, present: Container[str], left_at: dict[str, int], started: int, before: int) -> None:
        self._present, self._left_at, self._started, self._before = present, left_at, started, before

    def __contains__(self, edge_id: object) -> bool:
        if edge_id in self._present or not isinstance(edge_id, str):
            return False
        return self._left_at.get(edge_id, self._started) <= self._before
