"""Batches: one writer, and company for those who come while it writes."""

import asyncio
from collections import deque
from contextlib import suppress

import pytest

from svckit.batching import BatchWriter, Pace


def test_a_slow_stream_never_lingers() -> None:
    pace = Pace(threshold=200)
    for turn in range(50):
        now = 10.0 + turn * 0.01
        assert pace.linger(now) == 0.0
        pace.wrote(1, now)


def test_a_busy_stream_lingers() -> None:
    pace = Pace(threshold=200, linger=0.002)
    for turn in range(200):
        pace.wrote(1, 10.0 + turn * 0.001)
    assert pace.linger(10.2) == 0.002


def test_a_stream_that_was_busy_once_does_not() -> None:
    pace = Pace(threshold=200)
    for turn in range(200):
        pace.wrote(1, 10.0 + turn * 0.001)
    assert pace.linger(11.0) == 0.0


class Sink:
    """A stream whose writes end when the test says so."""

    def __init__(self) -> None:
        self.items: deque[int] = deque()
        self.frames: list[list[int]] = []
        self.gate = asyncio.Semaphore(0)
        self.wrote = asyncio.Event()
        self.writer = BatchWriter(self.collect, self.write, Pace())

    def add(self, *items: int) -> None:
        self.items.extend(items)
        self.writer.wake()

    def collect(self) -> tuple[list[int], int] | None:
        batch = list(self.items)
        self.items.clear()
        return (batch, len(batch)) if batch else None

    async def write(self, frame: list[int]) -> None:
        self.frames.append(frame)
        self.wrote.set()
        await self.gate.acquire()


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_gathers_during_a_write_goes_out_in_one_frame() -> None:
    sink = Sink()
    task = asyncio.create_task(sink.writer.run())
    sink.add(1)
    await turns()
    sink.add(2)
    sink.add(3, 4)
    await turns()
    assert sink.frames == [[1]]
    assert sink.writer.writing_since is not None
    sink.gate.release()
    await turns()
    assert sink.frames == [[1], [2, 3, 4]]
    sink.gate.release()
    await turns()
    assert sink.writer.writing_since is None
    sink.add(5)
    await turns()
    assert sink.frames[-1] == [5]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_what_was_added_before_the_start_is_written() -> None:
    sink = Sink()
    sink.add(1)
    task = asyncio.create_task(sink.writer.run())
    await turns()
    assert sink.frames == [[1]]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_broken_stream_ends_the_writer() -> None:
    async def write(frame: list[int]) -> None:
        raise ConnectionError

    writer = BatchWriter(lambda: ([1], 1), write, Pace())
    writer.wake()
    with pytest.raises(ConnectionError):
        await writer.run()


async def test_what_may_wait_goes_out_with_what_may_not() -> None:
    sink = Sink()
    task = asyncio.create_task(sink.writer.run())
    sink.items.append(1)
    sink.writer.wake_lazily()
    await turns()
    assert sink.frames == []
    sink.add(2)
    await turns()
    assert sink.frames == [[1, 2]]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_what_found_no_company_goes_out_after_a_while() -> None:
    sink = Sink()
    sink.writer.lazy_seconds = 0.001
    task = asyncio.create_task(sink.writer.run())
    sink.items.append(1)
    sink.writer.wake_lazily()
    async with asyncio.timeout(2):
        await sink.wrote.wait()
    assert sink.frames == [[1]]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_hurried_writer_waits_for_nothing() -> None:
    sink = Sink()
    task = asyncio.create_task(sink.writer.run())
    sink.items.append(1)
    sink.writer.wake_lazily()
    sink.writer.hurry()
    await turns()
    assert sink.frames == [[1]]
    sink.gate.release()
    await turns()
    sink.items.append(2)
    sink.writer.wake_lazily()
    await turns()
    assert sink.frames == [[1], [2]]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_what_still_waits_when_the_stream_ends_disturbs_nobody() -> None:
    sink = Sink()
    failures: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    writer = asyncio.create_task(sink.writer.run())
    await turns()
    sink.items.append(1)
    sink.writer.wake_lazily()
    writer.cancel()
    with suppress(asyncio.CancelledError):
        await writer
    sink.writer.hurry()
    await turns()
    assert failures == []
    assert sink.frames == []
