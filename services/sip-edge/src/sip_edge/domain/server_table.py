"""The open server transactions of an edge, and the three ways to find one."""

import math
from collections.abc import Callable, Iterator
from typing import Final

from sip_edge.domain.origin import Origin
from sipcore.transaction import ServerState, ServerTransaction

_AWAIT_ACK: Final = frozenset({ServerState.COMPLETED, ServerState.ACCEPTED})

AckKey = tuple[str, str, str, int]
"""Call-ID, our tag, the peer's tag and CSeq number: what an ACK for a 2xx has in common with its INVITE."""


class ServerEntry:
    """One request with its transaction and its last answer."""

    __slots__ = (
        "_expire",
        "ack_key",
        "call_key",
        "dialog",
        "final",
        "key",
        "look_at",
        "machine",
        "origin",
        "response",
        "self_cancelled",
        "since",
        "status",
        "undecided_at",
    )

    def __init__(
        self,
        key: str,
        call_key: str,
        origin: Origin,
        machine: ServerTransaction,
        expire: Callable[["ServerEntry", float], None],
    ) -> None:
        self.key: Final = key
        """Reference that call-control knows."""
        self.call_key: Final = call_key
        self.origin: Final = origin
        self.machine: Final = machine
        self._expire: Final = expire
        self.response = b""
        """Last answer."""
        self.status = 0
        """Status of the last answer."""
        self.final = False
        """Whether the last answer is final."""
        self.dialog = ""
        """Our tag of the dialog whose open requests this one is counted among; empty: none."""
        self.ack_key: AckKey | None = None
        self.undecided_at = math.inf
        """When the patience with call-control ends after a CANCEL."""
        self.self_cancelled = False
        """The edge answered 487 by itself."""
        self.look_at = math.inf
        self.since = 0.0
        """When it began."""

    @property
    def deadline(self) -> float:
        """When something happens by itself."""
        deadline = self.machine.deadline
        return deadline if deadline < self.undecided_at else self.undecided_at

    def expire(self, now: float) -> None:
        """See `Timed`."""
        self._expire(self, now)


class ServerTable:
    """Server transactions by reference, by what their ACK carries, and counted per dialog."""

    __slots__ = ("_by_ack", "_by_key", "_open", "get")

    def __init__(self) -> None:
        self._by_key: dict[str, ServerEntry] = {}
        self.get: Final = self._by_key.get
        """The transaction of a reference, or `None`."""
        self._by_ack: dict[AckKey, ServerEntry] = {}
        self._open: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def __iter__(self) -> Iterator[ServerEntry]:
        """All of them as they are now; some may be over when they come up."""
        return iter(list(self._by_key.values()))

    def by_ack(self, key: AckKey) -> ServerEntry | None:
        """The transaction whose 2xx this ACK acknowledges."""
        return self._by_ack.get(key)

    def add(self, entry: ServerEntry, dialog: str = "") -> None:
        """A new transaction; with `dialog` it counts as open there until it has its final answer."""
        self._by_key[entry.key] = entry
        if dialog:
            entry.dialog = dialog
            self._open[dialog] = self._open.get(dialog, 0) + 1

    def open_in(self, dialog: str) -> int:
        """How many requests of the dialog wait for their final answer."""
        return self._open.get(dialog, 0)

    def answered(self, entry: ServerEntry, ack_key: AckKey | None) -> None:
        """The final answer was given; with `ack_key` it is a 2xx to an INVITE."""
        entry.final = True
        entry.undecided_at = math.inf
        self._close(entry)
        if ack_key is not None:
            entry.ack_key = ack_key
            self._by_ack[ack_key] = entry

    def remove(self, entry: ServerEntry) -> None:
        """The transaction is over."""
        if self._by_key.get(entry.key) is entry:
            del self._by_key[entry.key]
        if entry.ack_key is not None and self._by_ack.get(entry.ack_key) is entry:
            del self._by_ack[entry.ack_key]
        self._close(entry)

    def unfinished(self) -> int:
        """How many requests wait for a final answer, or their final answer for an ACK."""
        return sum(
            not entry.final or (entry.origin.method == "INVITE" and entry.machine.state in _AWAIT_ACK)
            for entry in self._by_key.values()
        )

    def _close(self, entry: ServerEntry) -> None:
        dialog, entry.dialog = entry.dialog, ""
        if dialog:
            left = self._open[dialog] - 1
            if left:
                self._open[dialog] = left
            else:
                del self._open[dialog]
