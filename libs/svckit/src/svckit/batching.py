"""Batches on a stream: one task writes, and what gathers while it writes goes out in the next frame.

A gRPC write costs about the same for one item as for eight, so items are collected. Below `threshold` items a
second nothing urgent waits; above it a batch may linger for `linger` seconds to find company.
What is not urgent waits for the next frame that is, at most `LAZY_SECONDS`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Frame = TypeVar("Frame")

LAZY_SECONDS = 0.05
"""How long items that nobody waits for may wait for company: far less than the second after which they, or
what they prove, would be repeated."""


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

    __slots__ = (
        "_collect",
        "_lazily",
        "_lazy_timer",
        "_loop",
        "_pace",
        "_pending",
        "_sleeping",
        "_write",
        "lazy_seconds",
        "writing_since",
    )

    def __init__(
        self,
        collect: Callable[[], tuple[Frame, int] | None],
        write: Callable[[Frame], Awaitable[None]],
        pace: Pace,
    ) -> None:
        """Prepare a writer; must be called on the event loop."""
        self._collect = collect
        self._write = write
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._pending = False
        self._lazily = False
        self._lazy_timer = False
        self._sleeping: asyncio.Future[None] | None = None
        self.lazy_seconds = LAZY_SECONDS
        """How long `wake_lazily` may wait; 0 makes everything urgent."""
        self.writing_since: float | None = None
        """Loop time at which the write in flight began, or None: shows a peer that does not read."""

    def wake(self) -> None:
        """There is something to collect."""
        if not self._pending:
            self._pending = True
            if self._sleeping is not None:
                self._schedule(self._sleeping)

    def wake_lazily(self) -> None:
        """There is something to collect that may wait for company."""
        if self._pending:
            return
        if not self.lazy_seconds:
            self.wake()
            return
        self._lazily = True
        if not self._lazy_timer:
            self._lazy_timer = True
            self._loop.call_later(self.lazy_seconds, self._waited)

    def hurry(self) -> None:
        """From now on nothing waits: the stream is about to end."""
        self.lazy_seconds = 0.0
        if self._lazily:
            self.wake()

    async def run(self) -> None:
        """Write until cancelled or until the stream breaks (the exception of `write`)."""
        loop = self._loop
        while True:
            self._sleeping = loop.create_future()
            if self._pending:
                self._schedule(self._sleeping)
            await self._sleeping
            self._sleeping = None
            self._pending = self._lazily = False
            batch = self._collect()
            if batch is None:
                continue
            frame, items = batch
            self.writing_since = loop.time()
            await self._write(frame)
            self.writing_since = None
            self._pace.wrote(items, loop.time())

    def _schedule(self, sleeping: asyncio.Future[None]) -> None:
        """Let the writer go on, at once or after its linger."""
        pause = self._pace.linger(self._loop.time())
        if pause:
            self._loop.call_later(pause, _ring, sleeping)
        else:
            # A writer that was cancelled in its sleep leaves a future that is done; its stream has ended.
            _ring(sleeping)

    def _waited(self) -> None:
        """Write what waited lazily, unless a frame has taken it along meanwhile."""
        self._lazy_timer = False
        if self._lazily:
            self.wake()


def _ring(sleeping: asyncio.Future[None]) -> None:
    if not sleeping.done():
        sleeping.set_result(None)
