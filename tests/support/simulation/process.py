"""A process that can be killed, and held still, between any two things that it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVarTuple

from sipcore.testing.clock import Clock, Timer

Ts = TypeVarTuple("Ts")


class Process:
    """One life of a process: whatever it does is done through `do`."""

    def __init__(self, clock: Clock) -> None:
        self.alive = True
        self.paused = False
        self._clock = clock
        self._backlog: list[Callable[[], object]] = []

    def do(self, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        """Call back now; after the pause while the process is held still; never when it is dead."""
        if not self.alive:
            return
        if self.paused:
            self._backlog.append(lambda: callback(*args))
        else:
            callback(*args)

    def later(self, delay: float, callback: Callable[[*Ts], object], *args: *Ts) -> Timer:
        """Do something after some seconds."""
        return self._clock.call_later(delay, lambda: self.do(callback, *args))

    def kill(self) -> None:
        """End it; what it was about to do is not done."""
        self.alive = False
        self._backlog.clear()

    def pause(self) -> None:
        """Hold it still, as SIGSTOP or a starved machine does."""
        self.paused = True

    def resume(self) -> None:
        """Go on: first with what gathered meanwhile."""
        if not self.paused:
            return
        self.paused = False
        backlog, self._backlog = self._backlog, []
        for callback in backlog:
            if self.alive:
                callback()
