"""The open client transactions of an edge: one attempt per command, one trial per address."""

import math
from collections.abc import Callable, Iterator
from typing import Final

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain.ports import Address, Endpoint
from sip_edge.domain.roads import Road
from sip_edge.domain.writing import Fields
from sipcore.transaction import ClientTransaction

Hop = str | Address
"""A connection, or an address reached by UDP: what can fail under several requests at once."""


class Attempt:
    """One request that call-control asked for, over all the addresses it may go to."""

    __slots__ = ("call_key", "cancel", "current", "final", "request", "targets", "tries")

    def __init__(self, call_key: str, request: edge_pb2.SendRequest) -> None:
        self.call_key: Final = call_key
        self.request = request
        """As asked for; once it is settled only what names it is left."""
        self.targets: list[Endpoint] = []
        """Addresses not tried yet, best first."""
        self.tries = 0
        """Addresses tried, and changes of transport."""
        self.current: Trial | None = None
        """The trial that counts; `None` before the first address is known."""
        self.cancel: Fields | None = None
        """Header fields of the CANCEL that was asked for; set, nothing further is tried."""
        self.final: edge_pb2.ResponseEvent | None = None
        """What call-control was told as the end."""

    def settle(self, final: edge_pb2.ResponseEvent) -> None:
        """The peer has answered for good. It is remembered for 64*T1, and what was asked is large."""
        asked = self.request
        self.final = final
        self.request = edge_pb2.SendRequest(
            method=asked.method, branch=asked.branch, call_id=asked.call_id, cseq=asked.cseq
        )


class Trial:
    """One request, or CANCEL, on its way to one address."""

    __slots__ = (
        "_expire",
        "ack",
        "attempt",
        "branch",
        "data",
        "fallback",
        "forgotten",
        "heard",
        "hop",
        "look_at",
        "machine",
        "provisional",
        "road",
        "sent",
        "since",
    )

    def __init__(
        self,
        attempt: Attempt | None,
        machine: ClientTransaction,
        data: bytes,
        road: Road,
        expire: Callable[["Trial", float], None],
    ) -> None:
        self.attempt: Final = attempt
        """`None` for a CANCEL: nobody waits for what comes of it."""
        self.machine: Final = machine
        self.branch: Final = machine.branch
        self.data = data
        """The request as it left, until nothing repeats it any more."""
        self.road: Final = road
        self.hop: Final[Hop] = road.flow or road.address
        """What may fail before a response comes."""
        self._expire: Final = expire
        self.heard = False
        """A response came, or none matters any more."""
        self.provisional = False
        """A provisional response came: a CANCEL may leave."""
        self.fallback: Endpoint | None = None
        """Where to go if there is no TCP here: it was chosen for the size of the request only."""
        self.ack = b""
        """ACK for the non-2xx final response."""
        self.sent: edge_pb2.Sent | None = None
        """INVITE only: how it left."""
        self.forgotten = False
        """Nothing happens by itself any more."""
        self.look_at = math.inf
        self.since = 0.0
        """When it left first."""

    @property
    def deadline(self) -> float:
        """When something happens by itself."""
        return math.inf if self.forgotten else self.machine.deadline

    def expire(self, now: float) -> None:
        """See `Timed`."""
        self._expire(self, now)


class ClientTable:
    """Client transactions by branch; CANCELs, which share the branch of their INVITE, apart from them."""

    __slots__ = ("_by_branch", "_cancels", "_unheard", "attempts")

    def __init__(self) -> None:
        self._by_branch: dict[str, Trial] = {}
        self._cancels: dict[str, Trial] = {}
        self._unheard: dict[Hop, dict[Trial, None]] = {}
        self.attempts: dict[str, Attempt] = {}
        """Attempts by the branch that call-control gave, until their last trial is forgotten."""

    def __len__(self) -> int:
        return len(self._by_branch) + len(self._cancels)

    def __iter__(self) -> Iterator[Trial]:
        """All of them as they are now; some may be over when they come up."""
        return iter([*self._by_branch.values(), *self._cancels.values()])

    def get(self, branch: str) -> Trial | None:
        """The trial that left under this branch."""
        return self._by_branch.get(branch)

    def answered_by(self, branch: str, method: str) -> Trial | None:
        """The trial that a response with this branch and CSeq method belongs to (RFC 3261 17.1.3)."""
        trial = (self._cancels if method == "CANCEL" else self._by_branch).get(branch)
        return trial if trial is not None and trial.machine.method == method else None

    def add(self, trial: Trial, *, cancel: bool = False) -> None:
        """A new transaction, from which nothing was heard yet."""
        (self._cancels if cancel else self._by_branch)[trial.branch] = trial
        self._unheard.setdefault(trial.hop, {})[trial] = None

    def heard(self, trial: Trial) -> None:
        """A response came: what becomes of the hop is no longer this request's concern."""
        if trial.heard:
            return
        trial.heard = True
        waiting = self._unheard.get(trial.hop)
        if waiting is not None:
            waiting.pop(trial, None)
            if not waiting:
                del self._unheard[trial.hop]

    def unheard(self, hop: Hop) -> list[Trial]:
        """Requests by this hop that nobody has answered yet."""
        return list(self._unheard.get(hop, ()))

    def remove(self, trial: Trial) -> None:
        """The transaction is over, or shall be."""
        trial.forgotten = True
        for table in (self._by_branch, self._cancels):
            if table.get(trial.branch) is trial:
                del table[trial.branch]
        self.heard(trial)

    def unfinished(self) -> int:
        """How many requests wait for their final response."""
        return sum(attempt.final is None for attempt in self.attempts.values())
