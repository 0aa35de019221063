"""What call-control needs of the edges that are connected to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from b2bua.edge.v1 import edge_pb2 as edge


class EdgePort(Protocol):
    """One connected edge. None of the methods raises or blocks; what is lost is issued again."""

    edge_id: str
    """SIP_EDGE_ID of the edge."""
    boot: int
    """Boot epoch of its process."""

    def send(self, commands: Sequence[edge.Command]) -> None:
        """Have commands carried out, in this order."""

    def acknowledge(self, event_ids: Sequence[int]) -> None:
        """Tell that the transitions of these events are committed."""

    def busy(self, event_ids: Sequence[int]) -> None:
        """Tell that these events cannot be committed here now."""
