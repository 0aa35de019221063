"""The life of a service: starting, serving or overloaded, draining, stopped.

SIGTERM drains: no new work, what is in progress may end, at most `drain_seconds`. SIGINT stops at once. Both
end with exit status 0. The table decides; nothing else in the project compares states to find out what may
follow.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

import structlog


class State(StrEnum):
    """Where in its life a service is."""

    STARTING = "starting"
    SERVING = "serving"
    OVERLOADED = "overloaded"
    DRAINING = "draining"
    STOPPED = "stopped"


class Event(StrEnum):
    """What moves a service along."""

    STARTED = "started"
    OVERLOAD = "overload"
    RELIEF = "relief"
    DRAIN = "drain"
    STOP = "stop"


TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (State.STARTING, Event.STARTED): State.SERVING,
        (State.STARTING, Event.DRAIN): State.STOPPED,
        (State.STARTING, Event.STOP): State.STOPPED,
        (State.SERVING, Event.OVERLOAD): State.OVERLOADED,
        (State.SERVING, Event.DRAIN): State.DRAINING,
        (State.SERVING, Event.STOP): State.STOPPED,
        (State.OVERLOADED, Event.RELIEF): State.SERVING,
        (State.OVERLOADED, Event.DRAIN): State.DRAINING,
        (State.OVERLOADED, Event.STOP): State.STOPPED,
        (State.DRAINING, Event.STOP): State.STOPPED,
    }
)
"""What follows; a pair that is absent is in IGNORED or ILLEGAL."""

IGNORED = frozenset(
    {
        (State.STARTING, Event.OVERLOAD),
        (State.STARTING, Event.RELIEF),
        (State.SERVING, Event.RELIEF),
        (State.OVERLOADED, Event.OVERLOAD),
        (State.DRAINING, Event.OVERLOAD),
        (State.DRAINING, Event.RELIEF),
        (State.DRAINING, Event.DRAIN),
        (State.STOPPED, Event.OVERLOAD),
        (State.STOPPED, Event.RELIEF),
        (State.STOPPED, Event.DRAIN),
        (State.STOPPED, Event.STOP),
    }
)
"""Late or repeated news that changes nothing."""

ILLEGAL = frozenset(
    {
        (State.SERVING, Event.STARTED),
        (State.OVERLOADED, Event.STARTED),
        (State.DRAINING, Event.STARTED),
        (State.STOPPED, Event.STARTED),
    }
)
"""A service starts once; `Lifecycle.on` raises LifecycleError."""


class LifecycleError(Exception):
    """An event that cannot happen in this state: a bug of the caller."""


Watcher = Callable[[State, State], None]


class Lifecycle:
    """The state of one service, and who wants to know when it changes.

    Not thread-safe, except reading `state`.
    """

    __slots__ = ("_watchers", "state")

    def __init__(self) -> None:
        self.state = State.STARTING
        self._watchers: list[Watcher] = []

    def on(self, event: Event) -> State:
        """Apply `event` and tell the watchers; returns the state that holds now."""
        before = self.state
        after = TRANSITIONS.get((before, event))
        if after is None:
            if (before, event) in ILLEGAL:
                raise LifecycleError(f"{event} while {before}")
            return before
        self.state = after
        for watcher in tuple(self._watchers):
            watcher(before, after)
        return after

    def watch(self, watcher: Watcher) -> None:
        """Call `watcher(before, after)` on each change, at once and in the order of registration."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """No longer call `watcher`."""
        self._watchers.remove(watcher)

    @property
    def ready(self) -> bool:
        """Whether new work should be sent here: serving, not overloaded, not draining."""
        return self.state is State.SERVING

    async def reached(self, *states: State) -> State:
        """Wait until the state is one of `states`."""
        if self.state in states:
            return self.state
        found: asyncio.Future[State] = asyncio.get_running_loop().create_future()

        def watcher(_before: State, after: State) -> None:
            if after in states and not found.done():
                found.set_result(after)

        self.watch(watcher)
        try:
            return await found
        finally:
            self.unwatch(watcher)


class Service(Protocol):
    """What `serve` runs.

    Background tasks go into the group: when one of them fails, the service ends with its error.
    """

    async def start(self, tasks: asyncio.TaskGroup) -> None:
        """Bind and connect.

        When it returns the service is serving; raise StartError for what the operator can mend.
        """

    async def drain(self) -> None:
        """Take no new work; return when nothing is in progress.

        Cancelled when the time is up or on SIGINT.
        """

    async def stop(self) -> None:
        """Close everything now. Called once at the end of every life, also after a failed start."""


async def serve(service: Service, lifecycle: Lifecycle, *, drain_seconds: float) -> None:
    """Run `service` from start to stop. Returns when it was told to end; raises what made it fail."""
    try:
        with _signals(lifecycle):
            async with asyncio.TaskGroup() as tasks:
                await _live(service, lifecycle, tasks, drain_seconds)
                raise _Ended
    except* _Ended:
        pass
    finally:
        lifecycle.on(Event.STOP)
        await service.stop()


class _Ended(Exception):
    """Cancels what is left in the task group at the end of a life."""


async def _live(
    service: Service, lifecycle: Lifecycle, tasks: asyncio.TaskGroup, drain_seconds: float
) -> None:
    log = structlog.get_logger("svckit.lifecycle")
    if not await _unless_stopped(lifecycle, service.start(tasks)):
        return
    lifecycle.on(Event.STARTED)
    log.info("service.serving")
    if await lifecycle.reached(State.DRAINING, State.STOPPED) is State.STOPPED:
        log.info("service.stopped")
        return
    log.info("service.draining", seconds=drain_seconds)
    try:
        async with asyncio.timeout(drain_seconds):
            idle = await _unless_stopped(lifecycle, service.drain())
        log.info("service.drained" if idle else "service.stopped")
    except TimeoutError:
        log.warning("service.drain_incomplete", seconds=drain_seconds)


async def _unless_stopped(lifecycle: Lifecycle, work: Coroutine[Any, Any, None]) -> bool:
    """Run `work` to its end, unless the service is told to stop: then cancel it and return False."""
    task = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(lifecycle.reached(State.STOPPED))
    try:
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pending in (task, stopped):
            pending.cancel()
        await asyncio.wait((task, stopped))
    # Looked at last: the signal may come while the two come to rest.
    if lifecycle.state is State.STOPPED and task.cancelled():
        return False
    task.result()
    return lifecycle.state is not State.STOPPED


@contextmanager
def _signals(lifecycle: Lifecycle) -> Iterator[None]:
    """SIGTERM drains, SIGINT stops, for as long as the context lasts.

    SIGHUP drains too: whether the terminal has gone or somebody hopes to have settings read anew, it must not
    kill.
    """
    loop = asyncio.get_running_loop()
    meaning = {signal.SIGTERM: Event.DRAIN, signal.SIGHUP: Event.DRAIN, signal.SIGINT: Event.STOP}
    for number, event in meaning.items():
        loop.add_signal_handler(number, lifecycle.on, event)
    try:
        yield
    finally:
        for number in meaning:
            loop.remove_signal_handler(number)
