"""What client and server transactions share: one table lookup per event, and two clocks."""

import math
from typing import Final, Generic

from sipcore.errors import LocalProtocolError
from sipcore.timers import Timers
from sipcore.transaction.tables import Action, E, Repeat, Rows, S

__all__ = ["Transaction"]

# In Python 3.11 an attribute of an enumeration costs as much as a call: names for what each message needs.
_STOP: Final = Repeat.STOP
_DOUBLE: Final = Repeat.DOUBLE
_DOUBLE_TO_T2: Final = Repeat.DOUBLE_TO_T2
_AT_T2: Final = Repeat.AT_T2


class Transaction(Generic[S, E]):
    """Runs one table. Holds a state and two deadlines, no message and no address.

    `deadline` is when `on_timer` wants to be called (monotonic seconds, infinity for never); it may have
    changed after any call. Calling `on_timer` too early does nothing, so a stale wake-up costs nothing.
    """

    __slots__ = ("_interval", "_repeat_at", "_rows", "_timers", "_wait_at", "_waits", "deadline", "state")

    def __init__(
        self, rows: Rows[S], state: S, timers: Timers, waits: tuple[float, ...], wait_at: float
    ) -> None:
        self._rows = rows
        self._timers = timers
        self._waits = waits
        self._interval = timers.t1
        self._repeat_at = math.inf
        self._wait_at = wait_at
        self.state: S = state
        self.deadline: float = wait_at

    def _take(self, event: E, now: float) -> tuple[Action, ...]:
        step = self._rows[self.state][event]
        if step is None:
            raise LocalProtocolError(f"{event.name} cannot happen in state {self.state.name}")
        self.state, actions, repeat, wait = step
        if repeat is _STOP:
            self._repeat_at = math.inf
        elif repeat:
            self._repeat_at = now + self._next_interval(repeat)
        if wait:
            self._wait_at = now + self._waits[wait]
        if repeat or wait:
            self.deadline = self._repeat_at if self._repeat_at < self._wait_at else self._wait_at
        return actions

    def _due(self, repeat_due: E, wait_over: E, now: float) -> tuple[Action, ...]:
        """The one timer event that is due at `now`, if any; the end of a state goes before a repetition."""
        if now < self.deadline:
            return ()
        return self._take(wait_over if now >= self._wait_at else repeat_due, now)

    def _next_interval(self, repeat: Repeat) -> float:
        if repeat is _DOUBLE:
            self._interval *= 2
        elif repeat is _DOUBLE_TO_T2:
            self._interval = min(2 * self._interval, self._timers.t2)
        elif repeat is _AT_T2:
            self._interval = self._timers.t2
        else:
            self._interval = self._timers.t1
        return self._interval
