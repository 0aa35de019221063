"""One heap for the deadlines of all transactions.

A transaction moves its deadline with almost every message, nearly always to a later time. So an entry of the
heap is only a promise to look: it is made when the deadline is earlier than any look promised so far, and
renewed when it comes up too early. That keeps about one entry per transaction and costs nothing per message.
"""

import math
from heapq import heappop, heappush
from typing import Protocol


class Timed(Protocol):
    """Something with a deadline."""

    @property
    def deadline(self) -> float:
        """Monotonic seconds; infinity for never. An expired item must move it."""

    look_at: float
    """Belongs to `Deadlines`: the earliest promised look. Starts as infinity."""

    def expire(self, now: float) -> None:
        """The deadline has passed."""


class Deadlines:
    """The next thing to happen by itself."""

    __slots__ = ("_count", "_heap", "_horizon")

    def __init__(self, horizon: float) -> None:
        """No look is promised for later than `horizon` seconds ahead: by then what is over is let go."""
        self._heap: list[tuple[float, int, Timed]] = []
        self._horizon = horizon
        self._count = 0

    def arm(self, item: Timed, now: float) -> None:
        """To be called whenever the deadline of `item` may have moved to an earlier time."""
        deadline = item.deadline
        if deadline >= item.look_at or deadline == math.inf:
            return
        horizon = now + self._horizon
        look_at = deadline if deadline < horizon else horizon
        if look_at < item.look_at:
            item.look_at = look_at
            self._count += 1
            heappush(self._heap, (look_at, self._count, item))

    def next(self) -> float:
        """When `run` wants to be called; it may turn out that nothing was due."""
        return self._heap[0][0] if self._heap else math.inf

    def run(self, now: float) -> None:
        """Expire what is due."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            promised, _, item = heappop(heap)
            if promised != item.look_at:
                continue
            item.look_at = math.inf
            if item.deadline <= now:
                item.expire(now)
            self.arm(item, now)
