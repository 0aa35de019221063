"""What a pod keeps in memory: a slot per cached call, and which edges are away."""

from __future__ import annotations

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
        self.declined: frozenset[int] = frozenset()  # events that could not be committed here before
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
        self.done: frozenset[int] = frozenset()
        self.replies: list[aaa.AuthorizeResponse] = []
        self.sents: list[edge.Sent] = []

    def has_heard(self, sent: edge.Sent) -> bool:
        """Whether the same report waits here already.

        Then another pod has asked for it, which finds the debt unpaid in the store: it needs a commit.
        """
        return any(one.branch == sent.branch for one in self.sents)
