"""Batches on a stream: one task writes, and what gathers while it writes goes out in the next frame.

A gRPC write costs about the same for one item as for eight, so items are collected. Below `threshold` items a
second nothing waits; above it a batch may linger for `linger` seconds to find company (design.md 5).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Frame = TypeVar("Frame")


class Pace:
    """Tells how long a batch may linger, from the rate of items on its stream.

    Times are monotonic seconds.
    """

    __slots__ = ("_busy", "_items", "_linger", "_since", "_threshold", "_window")

    def __init__(self, *, threshold: float = 200.0, linger: float = 0.002, window: float = 0.1) -> None:
        self._threshold = threshold
        self._linger = linger
        self._window = window
        self._since = 0.0
        self._items = 0
        self._busy = False

    def linger(self, now: float) -> float:
        """Return the seconds for which the batch that begins now may linger."""
        return self._linger if self._busy and now - self._since <= 2 * self._window else 0.0

    def wrote(self, items: int, now: float) -> None:
        """Count the items of a frame."""
        self._items += items
        elapsed = now - self._since
        if elapsed >= self._window:
            self._busy = self._items > self._threshold * elapsed
            self._items = 0
            self._since = now


class BatchWriter(Generic[Frame]):
    """The single writer of a stream.

    `collect` returns the next frame and how many items are in it, or None. It is asked once after each
    `wake`, so it wakes the writer itself when it leaves something for another frame. `write` is the stream's;
    an exception it raises ends `run`.
    """

    __slots__ = ("_collect", "_pace", "_pending", "_sleeping", "_write", "writing_since")

    def __init__(
        self,
        collect: Callable[[], tuple[Frame, int] | None],
        write: Callable[[Frame], Awaitable[None]],
        pace: Pace,
    ) -> None:
        self._collect = collect
        self._write = write
        self._pace = pace
        self._pending = False
        self._sleeping: asyncio.Future[None] | None = None
        self.writing_since: float | None = None
        """Loop time at which the write in flight began, or None: shows a peer that does not read."""

    def wake(self) -> None:
        """There is something to collect."""
        if not self._pending:
            self._pending = True
            if self._sleeping is not None and not self._sleeping.done():
                self._sleeping.set_result(None)

    async def run(self) -> None:
        """Write until cancelled or until the stream breaks (the exception of `write`)."""
        loop = asyncio.get_running_loop()
        while True:
            if not self._pending:
                self._sleeping = loop.create_future()
                await self._sleeping
            pause = self._pace.linger(loop.time())
            if pause:
                await asyncio.sleep(pause)
            self._pending = False
            batch = self._collect()
            if batch is None:
                continue
            frame, items = batch
            self.writing_since = loop.time()
            await self._write(frame)
            self.writing_since = None
            self._pace.wrote(items, loop.time())
