"""Virtual time: callbacks run in the order of their times, and no time passes while they run."""

import heapq
from collections.abc import Callable
from typing import Protocol, TypeVarTuple

__all__ = ["Clock", "Handle", "Scheduler", "Timer"]

Ts = TypeVarTuple("Ts")


class Handle(Protocol):
    """A callback that was asked for."""

    def cancel(self) -> None:
        """It does not run, if it did not run yet."""


class Scheduler(Protocol):
    """What code on virtual time needs of a clock. An asyncio event loop fits as it is."""

    def time(self) -> float:
        """Monotonic seconds."""

    def call_at(self, when: float, callback: Callable[[*Ts], object], *args: *Ts) -> Handle:
        """Run `callback(*args)` at `when`."""


class Timer:
    """A scheduled callback of `Clock`."""

    __slots__ = ("_order", "callback", "when")

    def __init__(self, when: float, order: int, callback: Callable[[], object]) -> None:
        self.when = when
        self._order = order
        self.callback: Callable[[], object] | None = callback

    def __lt__(self, other: "Timer") -> bool:
        return (self.when, self._order) < (other.when, other._order)

    def cancel(self) -> None:
        """It does not run, if it did not run yet."""
        self.callback = None


class Clock:
    """A clock that moves only when it is told to, from one callback to the next.

    Callbacks of the same time run in the order in which they were asked for. A time in the past means now.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._order = 0
        self._timers: list[Timer] = []

    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    def call_at(self, when: float, callback: Callable[[*Ts], object], *args: *Ts) -> Timer:
        """Run `callback(*args)` at `when`."""
        self._order += 1
        timer = Timer(max(when, self._now), self._order, (lambda: callback(*args)) if args else callback)
        heapq.heappush(self._timers, timer)
        return timer

    def call_later(self, delay: float, callback: Callable[[*Ts], object], *args: *Ts) -> Timer:
        """Run `callback(*args)` after `delay` seconds."""
        return self.call_at(self._now + delay, callback, *args)

    def next_time(self) -> float | None:
        """When the next callback runs; None when there is none."""
        while self._timers and self._timers[0].callback is None:
            heapq.heappop(self._timers)
        return self._timers[0].when if self._timers else None

    def step(self) -> bool:
        """Moves to the next callback and runs it. False when there is none."""
        when = self.next_time()
        if when is None:
            return False
        callback = heapq.heappop(self._timers).callback
        self._now = when
        if callback is not None:
            callback()
        return True

    def run_until(self, when: float) -> None:
        """Runs everything that is due up to and including `when`, and stops there."""
        while (due := self.next_time()) is not None and due <= when:
            self.step()
        self._now = max(self._now, when)

    def run_for(self, seconds: float) -> None:
        """Runs everything that is due in the next `seconds`."""
        self.run_until(self._now + seconds)

    def run_until_idle(self, limit: float = 3600.0) -> None:
        """Runs until no callback is left. Raises RuntimeError when one is beyond `limit` virtual seconds."""
        end = self._now + limit
        while (due := self.next_time()) is not None:
            if due > end:
                raise RuntimeError(f"still busy after {limit} virtual seconds")
            self.step()
