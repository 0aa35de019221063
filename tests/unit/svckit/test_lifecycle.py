"""The life of a service: every pair of the table, and lives from start to stop."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from itertools import product

import pytest

from svckit.errors import StartError
from svckit.lifecycle import IGNORED, ILLEGAL, TRANSITIONS, Event, Lifecycle, LifecycleError, State, serve

PATH_TO: dict[State, tuple[Event, ...]] = {
    State.STARTING: (),
    State.SERVING: (Event.STARTED,),
    State.OVERLOADED: (Event.STARTED, Event.OVERLOAD),
    State.DRAINING: (Event.STARTED, Event.DRAIN),
    State.STOPPED: (Event.STOP,),
}


def lifecycle_in(state: State) -> Lifecycle:
    lifecycle = Lifecycle()
    for event in PATH_TO[state]:
        lifecycle.on(event)
    assert lifecycle.state is state
    return lifecycle


@pytest.mark.parametrize("pair", list(product(State, Event)), ids=lambda pair: f"{pair[0]}-{pair[1]}")
def test_every_pair_is_decided_once(pair: tuple[State, Event]) -> None:
    assert [pair in TRANSITIONS, pair in IGNORED, pair in ILLEGAL].count(True) == 1
    state, event = pair
    lifecycle = lifecycle_in(state)
    seen: list[tuple[State, State]] = []
    lifecycle.watch(lambda before, after: seen.append((before, after)))
    if pair in ILLEGAL:
        with pytest.raises(LifecycleError):
            lifecycle.on(event)
        assert lifecycle.state is state
    else:
        assert lifecycle.on(event) is TRANSITIONS.get(pair, state)
    assert seen == ([(state, TRANSITIONS[pair])] if pair in TRANSITIONS else [])


def test_only_a_serving_service_is_ready() -> None:
    assert [state for state in State if lifecycle_in(state).ready] == [State.SERVING]


class Recorder:
    """A service that writes down what is asked of it; a busy one is never idle."""

    def __init__(self, busy: bool = False) -> None:
        self.calls: list[str] = []
        self.idle = asyncio.Event()
        if not busy:
            self.idle.set()

    async def start(self, tasks: asyncio.TaskGroup) -> None:
        self.calls.append("start")

    async def drain(self) -> None:
        self.calls.append("drain")
        await self.idle.wait()
        self.calls.append("drained")

    async def stop(self) -> None:
        self.calls.append("stop")


def at(lifecycle: Lifecycle, state: State, action: Callable[[], object]) -> None:
    """Do something when the state is reached."""
    lifecycle.watch(lambda _, after: action() if after is state else None)


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_sigterm_and_sighup_drain(number: signal.Signals) -> None:
    lifecycle = Lifecycle()
    at(lifecycle, State.SERVING, lambda: send(number))
    service = Recorder()
    await serve(service, lifecycle, drain_seconds=60.0)
    assert service.calls == ["start", "drain", "drained", "stop"]
    assert lifecycle.state is State.STOPPED


async def test_sigint_stops_at_once() -> None:
    lifecycle = Lifecycle()
    at(lifecycle, State.SERVING, lambda: send(signal.SIGINT))
    service = Recorder(busy=True)
    await serve(service, lifecycle, drain_seconds=60.0)
    assert service.calls == ["start", "stop"]


async def test_sigint_ends_a_drain() -> None:
    lifecycle = Lifecycle()
    service = Recorder(busy=True)
    at(lifecycle, State.SERVING, lambda: send(signal.SIGTERM))
    at(lifecycle, State.DRAINING, lambda: asyncio.get_running_loop().call_soon(send, signal.SIGINT))
    await serve(service, lifecycle, drain_seconds=60.0)
    assert service.calls == ["start", "drain", "stop"]


async def test_a_drain_has_an_end() -> None:
    lifecycle = Lifecycle()
    at(lifecycle, State.SERVING, lambda: asyncio.get_running_loop().call_soon(lifecycle.on, Event.DRAIN))
    service = Recorder(busy=True)
    await serve(service, lifecycle, drain_seconds=0.0)
    assert service.calls[-1] == "stop"
    assert "drained" not in service.calls


async def test_a_failed_start_is_stopped_and_told() -> None:
    class Failing(Recorder):
        async def start(self, tasks: asyncio.TaskGroup) -> None:
            raise StartError("address in use")

    service = Failing()
    with pytest.raises(ExceptionGroup) as caught:
        await serve(service, Lifecycle(), drain_seconds=1.0)
    assert caught.group_contains(StartError, match="address in use")
    assert service.calls == ["stop"]


async def test_a_start_that_hangs_can_be_stopped() -> None:
    lifecycle = Lifecycle()

    class Hanging(Recorder):
        async def start(self, tasks: asyncio.TaskGroup) -> None:
            asyncio.get_running_loop().call_soon(lifecycle.on, Event.DRAIN)
            await asyncio.Event().wait()

    service = Hanging()
    await serve(service, lifecycle, drain_seconds=1.0)
    assert service.calls == ["stop"]


async def test_a_failing_background_task_ends_the_service() -> None:
    async def fail() -> None:
        raise RuntimeError("lost the socket")

    class WithTask(Recorder):
        async def start(self, tasks: asyncio.TaskGroup) -> None:
            tasks.create_task(fail())

    service = WithTask()
    with pytest.raises(ExceptionGroup) as caught:
        await serve(service, Lifecycle(), drain_seconds=1.0)
    assert caught.group_contains(RuntimeError, match="lost the socket")
    assert service.calls == ["stop"]


async def test_background_tasks_end_with_the_service() -> None:
    cancelled = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    lifecycle = Lifecycle()

    class WithTask(Recorder):
        async def start(self, tasks: asyncio.TaskGroup) -> None:
            tasks.create_task(forever())
            await super().start(tasks)

    at(lifecycle, State.SERVING, lambda: asyncio.get_running_loop().call_soon(lifecycle.on, Event.STOP))
    await serve(WithTask(), lifecycle, drain_seconds=1.0)
    assert cancelled.is_set()


@pytest.mark.parametrize("turns", range(6))
async def test_a_stop_shortly_after_the_start_is_obeyed(turns: int) -> None:
    lifecycle = Lifecycle()

    def stop_after(remaining: int) -> None:
        if remaining == 0:
            lifecycle.on(Event.STOP)
        else:
            asyncio.get_running_loop().call_soon(stop_after, remaining - 1)

    class Quick(Recorder):
        async def start(self, tasks: asyncio.TaskGroup) -> None:
            await super().start(tasks)
            stop_after(turns)

    service = Quick()
    await serve(service, lifecycle, drain_seconds=1.0)
    assert service.calls == ["start", "stop"]
