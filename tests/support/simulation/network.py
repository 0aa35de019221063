"""Where the parties are, and an address behind which any edge may take a packet."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from sipcore.testing.wire import Address, Wire

CALLERS: tuple[Address, ...] = (("192.0.2.10", 5060), ("192.0.2.11", 5060))
CALLEES: tuple[Address, ...] = (("192.0.2.20", 5060), ("192.0.2.21", 5060), ("192.0.2.22", 5060))
TARGET: Address = ("192.0.2.30", 5060)
"""To whom calls are transferred."""
EDGES: tuple[Address, ...] = (("192.0.2.1", 5060), ("192.0.2.2", 5060), ("192.0.2.3", 5060))
SHARED: Address = ("192.0.2.100", 5060)
"""What a load balancer announces: it leads to any edge that lives."""


class Balancer:
    """Sends each packet for the shared address to some edge: to any one, or by its sender."""

    def __init__(
        self,
        wire: Wire,
        chance: Random,
        alive: Callable[[], list[Callable[[bytes, Address], None]]],
        *,
        sticky: bool,
    ) -> None:
        """`alive` gives how each living edge takes a packet."""
        self._chance = chance
        self._alive = alive
        self._sticky = sticky
        wire.attach(SHARED, self._receive)

    def _receive(self, data: bytes, source: Address) -> None:
        edges = self._alive()
        if edges:
            last = int(source[0].rpartition(".")[2])
            receive = edges[last % len(edges)] if self._sticky else self._chance.choice(edges)
            receive(data, source)
