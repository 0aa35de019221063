"""A network of datagrams on virtual time that loses, repeats and reorders by a seed, and logs all it did."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from sipcore.testing.clock import Scheduler

__all__ = ["PERFECT", "Address", "Fate", "Faults", "Passage", "Receive", "Send", "Wire"]

Address = tuple[str, int]
"""Host and port. The wire resolves nothing: a host may be any string."""
Send = Callable[[bytes, Address], None]
"""Sends a datagram to an address."""
Receive = Callable[[bytes, Address], None]
"""Takes a datagram and the address it came from."""


class Fate(Enum):
    """What became of one copy of a datagram."""

    DELIVERED = "delivered"
    LOST = "lost"
    """By chance, see `Faults.loss`."""
    CUT = "cut"
    """By `Wire.cut`."""
    UNREACHABLE = "unreachable"
    """Nobody was attached to the destination when it arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Probabilities for each datagram, and times in seconds."""

    loss: float = 0.0
    duplication: float = 0.0
    """Chance that it arrives twice."""
    reordering: float = 0.0
    """Chance, for each copy, that it is held back, so that later ones overtake it."""
    delay: float = 0.005
    hold: float = 0.5
    """A copy that is held back takes up to so much longer."""
    most_losses: int | None = None
    """How often the same datagram may be lost on the same way: what is repeated often enough arrives."""


PERFECT = Faults()


class Passage(NamedTuple):
    """One copy of a datagram, and what became of it."""

    time: float
    source: Address
    destination: Address
    data: bytes
    fate: Fate


class Wire:
    """Connects named endpoints.

    `chance` yields numbers in [0, 1): `random.Random(seed).random` makes a run that can be repeated.
    `faults` may be changed while it runs. `log` has one entry for each copy, in the order of the decisions;
    `watch` hears of each entry.
    """

    def __init__(self, clock: Scheduler, chance: Callable[[], float], faults: Faults = PERFECT) -> None:
        self._clock = clock
        self._chance = chance
        self._ends: dict[Address, Receive] = {}
        self._losses: Counter[tuple[bytes, Address, Address]] = Counter()
        self.faults = faults
        self.log: list[Passage] = []
        self.watch: Callable[[Passage], None] | None = None
        self.cut: Callable[[bytes, Address, Address], bool] | None = None
        """When set: whether this datagram (data, source, destination) gets lost, whatever the chances."""

    def attach(self, address: Address, receive: Receive) -> Send:
        """Whatever is sent to `address` goes to `receive` from now on. Returns how to send from there."""
        self._ends[address] = receive

        def send(data: bytes, destination: Address) -> None:
            self.send(data, address, destination)

        return send

    def detach(self, address: Address) -> None:
        """The endpoint is gone; what is under way to it becomes unreachable."""
        del self._ends[address]

    def send(self, data: bytes, source: Address, destination: Address) -> None:
        """Sends one datagram."""
        if self.cut is not None and self.cut(data, source, destination):
            self._note(source, destination, data, Fate.CUT)
            return
        faults = self.faults
        if self._happens(faults.loss) and self._may_lose(data, source, destination):
            self._note(source, destination, data, Fate.LOST)
            return
        for _ in range(2 if self._happens(faults.duplication) else 1):
            delay = faults.delay
            if self._happens(faults.reordering):
                delay += self._chance() * faults.hold
            self._clock.call_at(self._clock.time() + delay, self._arrive, data, source, destination)

    def count(self, fate: Fate) -> int:
        """How many copies met this fate so far."""
        return sum(passage.fate is fate for passage in self.log)

    def _may_lose(self, data: bytes, source: Address, destination: Address) -> bool:
        most = self.faults.most_losses
        if most is None:
            return True
        key = data, source, destination
        self._losses[key] += 1
        return self._losses[key] <= most

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._chance() < probability

    def _arrive(self, data: bytes, source: Address, destination: Address) -> None:
        receive = self._ends.get(destination)
        self._note(source, destination, data, Fate.DELIVERED if receive else Fate.UNREACHABLE)
        if receive is not None:
            receive(data, source)

    def _note(self, source: Address, destination: Address, data: bytes, fate: Fate) -> None:
        passage = Passage(self._clock.time(), source, destination, data, fate)
        self.log.append(passage)
        if self.watch is not None:
            self.watch(passage)
