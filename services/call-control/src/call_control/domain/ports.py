"""What call-control needs of the edges that are connected to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from b2bua.aaa.v1 import aaa_pb2 as aaa
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain.store import Commit


class EdgePort(Protocol):
    """One connected edge. None of the methods raises or blocks; what is lost is issued again."""

    edge_id: str
    """SIP_EDGE_ID of the edge."""
    boot: int
    """Boot epoch of its process."""

    def send(self, commands: Sequence[edge.Command]) -> None:
        """Have commands carried out, in this order. They are parts of a record: what is kept is copied."""

    def acknowledge(self, event_ids: Sequence[int]) -> None:
        """Tell that the transitions of these events are committed."""

    def busy(self, event_ids: Sequence[int], *, unsure: bool = False) -> None:
        """Tell that these events cannot be committed here now.

        `unsure`: they may be committed all the same. Then none may be refused, only offered again.
        """


class Authorizer(Protocol):
    """Asks whether calls may be placed; replies come back through `Pod.on_authorized`."""

    def authorize(self, request: aaa.AuthorizeRequest) -> None:
        """Ask. The same id again means the same question, and gets the same reply."""


class NobodyAuthorizes:
    """For a policy without authorisation."""

    def authorize(self, request: aaa.AuthorizeRequest) -> None:
        """Nobody is asked."""


class Journal(Protocol):
    """Keeps what could not be committed while the store was away."""

    def append(self, commit: Commit) -> None:
        """Keep a commit with `restore` set."""

    def clear(self) -> None:
        """All that was kept is in the store."""


class NoJournal:
    """A journal for stores that do not outlive the process."""

    def append(self, commit: Commit) -> None:
        """Nothing to keep."""

    def clear(self) -> None:
        """Nothing to forget."""
