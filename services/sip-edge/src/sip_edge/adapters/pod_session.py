"""One life of the two streams between this edge and a call-control pod: from hello until either breaks."""

import asyncio
from collections.abc import Coroutine
from typing import NoReturn, Protocol, TypeVar

import grpc

from b2bua.callcontrol.v1.edge_link_pb2 import ConnectRequest, ConnectResponse, Hello
from b2bua.callcontrol.v1.edge_link_pb2_grpc import EdgeLinkServiceStub
from b2bua.edge.v1.edge_pb2 import Command, CommandRef
from sip_edge.adapters.link_settings import LinkSettings
from sip_edge.domain.delivery import Delivery, StreamName
from svckit.batching import BatchWriter, Pace

_T = TypeVar("_T")

Stream = grpc.aio.StreamStreamCall[ConnectRequest, ConnectResponse]


class StreamEndedError(Exception):
    """The streams to a pod are of no use any more; the text says why."""


class CommandTaker(Protocol):
    """Who carries commands out."""

    def __call__(self, pod_id: str, command: Command) -> None:
        """Carry out a command that came from this pod. Does not raise."""


async def _told_apart(work: Coroutine[object, object, _T]) -> _T:
    """Do stream work; turn the CancelledError of a cancelled RPC into StreamEndedError.

    gRPC raises it also when nobody cancelled the task, which a task group would take for a quiet end.
    """
    try:
        return await work
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise StreamEndedError("the stream was cancelled") from None


async def open_stream(
    channel: grpc.aio.Channel, hello: Hello, patience: float
) -> tuple[Stream, ConnectResponse]:
    """Say hello; return the stream and the pod's first frame, which holds its greeting.

    Raises StreamEndedError, TimeoutError (no greeting for `patience` seconds) or what gRPC raises.
    """
    stub = EdgeLinkServiceStub(channel)  # type: ignore[no-untyped-call]  # generated code
    stream: Stream = stub.Connect()
    async with asyncio.timeout(patience):
        await _told_apart(stream.write(ConnectRequest(hello=hello)))
        first = await _told_apart(stream.read())
    if not isinstance(first, ConnectResponse) or not first.HasField("greeting"):
        raise StreamEndedError("the pod did not greet")
    return stream, first


class PodSession:
    """Two streams that are open. `run` is the whole life; the other methods may be called meanwhile."""

    def __init__(
        self,
        pod_id: str,
        in_progress: Stream,
        new_calls: Stream,
        *,
        delivery: Delivery,
        on_command: CommandTaker,
        settings: LinkSettings,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.pod_id = pod_id
        self._in_progress = in_progress
        self._new_calls = new_calls
        self._delivery = delivery
        self._on_command = on_command
        self._settings = settings
        self._clock = loop.time
        self._writer = BatchWriter(self._collect_in_progress, in_progress.write, Pace(linger=settings.linger))
        self._new_calls_writer = BatchWriter(
            self._collect_new_calls, new_calls.write, Pace(linger=settings.linger)
        )
        self._done: list[CommandRef] = []
        self._dropped = asyncio.Event()
        self._drop_reason = ""

    async def run(self, first: ConnectResponse) -> None:
        """Exchange batches until a stream breaks; always raises, a group of what the streams raised."""
        now = self._clock()
        self._delivery.pod_up(self.pod_id, self._new_calls_writer, self._writer, now)
        try:
            self._take_in(first, now)
            async with asyncio.TaskGroup() as group:
                group.create_task(_told_apart(self._read(self._in_progress)))
                group.create_task(_told_apart(self._read(self._new_calls)))
                group.create_task(_told_apart(self._writer.run()))
                group.create_task(_told_apart(self._new_calls_writer.run()))
                group.create_task(self._wait_for_drop())
        finally:
            self._delivery.pod_down(self.pod_id, self._clock())

    def drop(self, reason: str) -> None:
        """End both streams."""
        self._drop_reason = reason
        self._dropped.set()

    def done(self, ref: CommandRef) -> bool:
        """Confirm a command; False if too many confirmations wait. The next frame takes it along."""
        if len(self._done) >= self._settings.done_limit:
            return False
        self._done.append(ref)
        self._writer.wake_lazily()
        return True

    def hurry(self) -> None:
        """Write at once what waits for company, from now on: the edge stops."""
        self._writer.hurry()
        self._new_calls_writer.hurry()

    def _collect_in_progress(self) -> tuple[ConnectRequest, int] | None:
        limit = self._settings.batch_limit
        events = self._delivery.take(self.pod_id, StreamName.IN_PROGRESS, limit, self._clock())
        done = self._done
        if not events and not done:
            return None
        if len(events) == limit:
            self._writer.wake()
        self._done = []
        return ConnectRequest(events=events, done=done), len(events) + len(done)

    def _collect_new_calls(self) -> tuple[ConnectRequest, int] | None:
        limit = self._settings.batch_limit
        events = self._delivery.take(self.pod_id, StreamName.NEW_CALLS, limit, self._clock())
        if not events:
            return None
        if len(events) == limit:
            self._new_calls_writer.wake()
        return ConnectRequest(events=events), len(events)

    async def _read(self, stream: Stream) -> NoReturn:
        while True:
            frame = await stream.read()
            if not isinstance(frame, ConnectResponse):
                raise StreamEndedError("the pod ended the stream")
            self._take_in(frame, self._clock())

    def _take_in(self, frame: ConnectResponse, now: float) -> None:
        delivery = self._delivery
        # First the acknowledgements: what the commands of a new call cause need not follow its INVITE then.
        if frame.acknowledged:
            delivery.acknowledge(self.pod_id, frame.acknowledged, now)
        for command in frame.commands:
            self._on_command(self.pod_id, command)
        if frame.HasField("credits"):
            delivery.grant(self.pod_id, frame.credits)
        if frame.draining:
            delivery.drain(self.pod_id)
        delivery.heard(self.pod_id, now)
        if frame.busy:
            delivery.busy(self.pod_id, frame.busy, now)

    async def _wait_for_drop(self) -> NoReturn:
        await self._dropped.wait()
        raise StreamEndedError(self._drop_reason)
