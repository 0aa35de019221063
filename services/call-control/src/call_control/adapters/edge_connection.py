"""One connected edge: what waits to be written to it, and the `EdgePort` that fills that."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import grpc

from b2bua.callcontrol.v1.edge_link_pb2 import ConnectRequest, ConnectResponse, Hello
from b2bua.edge.v1.edge_pb2 import Command
from call_control.domain.credits import Credits
from svckit.batching import BatchWriter, Pace

Stream = grpc.aio.ServicerContext[ConnectRequest, ConnectResponse]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """Times are seconds."""

    queue_limit: int = 20_000
    """Commands that wait for one edge before it is disconnected."""
    batch_limit: int = 32
    """Commands in one frame."""
    linger: float = 0.002
    """How long a frame may wait for company, on a stream with more than 200 items a second."""
    write_limit: float = 5.0
    """An edge that does not take a frame for so long is disconnected."""
    answer_limit: float = 10.0
    """A new call that was not answered for so long no longer counts as being in flight."""
    hello_timeout: float = 5.0
    """A stream that does not say hello is ended."""
    interval: float = 0.1
    """Between two looks at credits and stalled edges."""


@dataclass(slots=True)
class StreamStats:
    """What the streams did, for metrics."""

    attached: int = 0
    """Edges connected now."""
    credits: int = 0
    """Credits of each edge now."""
    frames: int = 0
    """Frames received."""
    events: int = 0
    """Events received."""
    failures: int = 0
    """Events and confirmations that made the pod raise: a defect."""
    commands: int = 0
    """Commands queued."""
    edges_refused: int = 0
    """Streams of edges with another identity key."""
    edges_stalled: int = 0
    """Edges disconnected because they did not read."""


class EdgeLostError(Exception):
    """The streams of an edge are of no use any more; the text says why."""


class EdgeConnection:
    """One edge: queues what goes to it, and implements `EdgePort`."""

    def __init__(
        self,
        hello: Hello,
        *,
        credits: Credits,
        clock: Callable[[], float],
        settings: StreamSettings,
        stats: StreamStats,
    ) -> None:
        self.edge_id = hello.edge.edge_id
        self.boot = hello.edge.boot
        self._credits = credits
        self._granted = -1
        self._clock = clock
        self._settings = settings
        self._stats = stats
        self._frames: deque[ConnectResponse] = deque()
        self._queued = 0
        self._arrived: dict[int, float] = {}  # when unacknowledged new calls came
        self._ended = asyncio.Event()
        self._reason = ""
        self._hurried = False
        self._writer: BatchWriter[ConnectResponse] | None = None

    # EdgePort

    def send(self, commands: Sequence[Command]) -> None:
        """Queue commands; they are copied."""
        if self._ended.is_set():
            return
        self._queued += len(commands)
        self._stats.commands += len(commands)
        for command in commands:
            self._open_frame().commands.append(command)
        self._wake()

    def acknowledge(self, event_ids: Sequence[int]) -> None:
        """Tell that these events are committed, in or after the frame of the commands queued so far.

        The edge waits only for those of new calls, which use up its credits.
        """
        if not self._ended.is_set():
            self._open_frame().acknowledged.extend(event_ids)
            if self._settle(event_ids):
                self._wake()
            elif self._writer is not None:
                self._writer.wake_lazily()

    def busy(self, event_ids: Sequence[int], *, unsure: bool = False) -> None:
        """Tell the edge to offer these events elsewhere.

        Nothing is told when one may be committed: the edge then finds it unacknowledged, and refuses none.
        """
        if unsure:
            self._settle(event_ids)
        elif not self._ended.is_set():
            self._open_frame().busy.extend(event_ids)
            self._settle(event_ids)
            self._wake()

    # For EdgeStreams

    def grant(self, credits: int) -> None:
        """Tell the edge how many new calls it may have open, if that changed."""
        if credits != self._granted and not self._ended.is_set():
            self._granted = credits
            self._open_frame().credits = credits
            self._wake()

    def drain(self) -> None:
        """Tell the edge to send no new calls; nothing waits for company any more."""
        if not self._ended.is_set():
            self._hurried = True
            self._open_frame().draining = True
            self._wake()
            if self._writer is not None:
                self._writer.hurry()

    def arrived(self, event_id: int) -> None:
        """Note a new call, for the credits."""
        if event_id not in self._arrived and not self._ended.is_set():
            self._arrived[event_id] = self._clock()
            self._credits.arrived()

    def end(self, reason: str) -> None:
        """End both streams; what is queued is lost (the debts stand in the records)."""
        if not self._ended.is_set():
            self._reason = reason
            self._ended.set()
            self._frames.clear()
            self._credits.abandoned(len(self._arrived))
            self._arrived.clear()

    def expire(self, now: float) -> None:
        """Forget new calls that were never answered: their edge has long taken them elsewhere."""
        while self._arrived:
            event_id, since = next(iter(self._arrived.items()))
            if now - since < self._settings.answer_limit:
                break
            del self._arrived[event_id]
            self._credits.abandoned(1)

    def trouble(self, now: float) -> str:
        """Return why the edge must be disconnected, empty if it takes what is there for it."""
        if self._queued > self._settings.queue_limit:
            return "too many commands wait for it"
        since = self._writer.writing_since if self._writer is not None else None
        if since is not None and now - since > self._settings.write_limit:
            return "it does not read"
        return ""

    async def write(self, stream: Stream) -> None:
        """Write frames until the stream breaks."""
        self._writer = BatchWriter(self._collect, stream.write, Pace(linger=self._settings.linger))
        if self._hurried:
            self._writer.hurry()
        self._writer.wake()
        await self._writer.run()

    async def wait_ended(self) -> NoReturn:
        """Raise EdgeLostError when the connection is ended from here; both streams wait for it."""
        await self._ended.wait()
        raise EdgeLostError(self._reason)

    def _open_frame(self) -> ConnectResponse:
        frames = self._frames
        if not frames or len(frames[-1].commands) >= self._settings.batch_limit:
            frames.append(ConnectResponse())
        return frames[-1]

    def _wake(self) -> None:
        if self._writer is not None:
            self._writer.wake()

    def _collect(self) -> tuple[ConnectResponse, int] | None:
        if not self._frames:
            return None
        frame = self._frames.popleft()
        commands = len(frame.commands)
        self._queued -= commands
        if self._frames and self._writer is not None:
            self._writer.wake()
        return frame, commands + len(frame.acknowledged) + len(frame.busy)

    def _settle(self, event_ids: Sequence[int]) -> bool:
        """Take new calls out of the count of the credits; True if there were any."""
        opened = False
        for event_id in event_ids:
            since = self._arrived.pop(event_id, None)
            if since is not None:
                opened = True
                self._credits.settled(self._clock() - since)
        return opened
