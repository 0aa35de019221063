"""Credits: how many unacknowledged new calls a pod takes from the edges.

The pod looks at how long new calls wait in it, from arrival until their first transition is committed. While
that stays below a target the window grows, as far as it is used; above it the window shrinks in proportion.
What counts in an interval is the shortest wait: a standing queue delays every call, a slow commit only one.
"""

import math


class Credits:
    """The window of one pod. Delays are seconds."""

    __slots__ = (
        "_ceiling",
        "_floor",
        "_in_flight",
        "_lag",
        "_peak",
        "_shortest",
        "_target",
        "_window",
        "admitting",
    )

    def __init__(
        self, *, target: float = 0.05, floor: int = 4, initial: int = 128, ceiling: int = 4096
    ) -> None:
        """Start with a window of `initial` calls that stays between `floor` and `ceiling`.

        `target` is the wait up to which the window may grow.
        """
        if not 0 < floor <= initial <= ceiling or target <= 0:
            raise ValueError("credits need 0 < floor <= initial <= ceiling and a positive target")
        self._target = target
        self._floor = floor
        self._ceiling = ceiling
        self._window = initial
        self._in_flight = 0
        self._peak = 0
        self._shortest = math.inf
        self._lag = 0.0
        self.admitting = True
        """False: no credits at all, whatever the delay (store away, outbox above its second watermark)."""

    @property
    def in_flight(self) -> int:
        """How many new calls wait for their commit."""
        return self._in_flight

    def arrived(self) -> None:
        """A new call arrived."""
        self._in_flight += 1
        self._peak = max(self._peak, self._in_flight)

    def settled(self, waited: float) -> None:
        """A new call was acknowledged or declined after this many seconds."""
        self._in_flight -= 1
        self._shortest = min(self._shortest, waited)

    def abandoned(self, calls: int) -> None:
        """The edge of so many unsettled calls has gone; they say nothing about the delay."""
        self._in_flight -= calls

    def lagged(self, lag: float) -> None:
        """The event loop was late by so many seconds, and everything in it with it."""
        self._lag = max(self._lag, lag)

    def adjust(self, edges: int) -> None:
        """Close an interval (about 100 ms) in which `edges` edges were connected, and move the window."""
        waited = 0.0 if math.isinf(self._shortest) else self._shortest
        delay = max(waited, self._lag)
        share = self.share(edges)
        if delay > self._target:
            shrunk = int(self._window * max(0.5, self._target / delay))
            self._window = max(self._floor, shrunk)
        elif self._peak * 2 >= share > 0:
            self._window = min(self._ceiling, self._window + max(1, self._window // 16))
        self._peak = self._in_flight
        self._shortest = math.inf
        self._lag = 0.0

    def share(self, edges: int) -> int:
        """Return the credits of each of `edges` edges: at least one while the pod admits calls."""
        return max(1, self._window // max(1, edges)) if self.admitting else 0
