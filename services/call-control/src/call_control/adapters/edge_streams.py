"""The streams of all connected edges of a pod.

An edge opens two streams and binds them by a session number. It is attached to the pod when both are there:
an edge that reaches us over two addresses gives the second attempt up after our greeting, and must not lose
the first by it. All that goes down to an edge, acknowledgements of new calls included, goes on the stream in
progress: so an acknowledgement cannot overtake the commands of its transition, and costs no frame of its own.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import NoReturn, Protocol

import grpc
import structlog

from b2bua.callcontrol.v1.edge_link_pb2 import (
    STREAM_KIND_IN_PROGRESS,
    ConnectRequest,
    ConnectResponse,
    Greeting,
    Hello,
)
from b2bua.edge.v1.edge_pb2 import CommandRef, Event
from call_control.adapters.edge_connection import (
    EdgeConnection,
    EdgeLostError,
    Stream,
    StreamSettings,
    StreamStats,
)
from call_control.domain.credits import Credits
from call_control.domain.ports import EdgePort

__all__ = ("EdgeStreams", "PodPort", "StreamSettings", "StreamStats")

_log = structlog.get_logger(__name__)

_SessionKey = tuple[str, int, int]
"""Edge, boot epoch and session number."""


class PodPort(Protocol):
    """What the streams need of the engine. Nothing here blocks."""

    def attach(self, port: EdgePort) -> None:
        """An edge is connected."""

    def detach(self, port: EdgePort) -> None:
        """It is no more."""

    def on_event(self, port: EdgePort, event: Event) -> None:
        """Something happened at the edge; to be acknowledged, or declined as busy, through the port."""

    def on_done(self, port: EdgePort, refs: Sequence[CommandRef]) -> None:
        """The edge carried these commands out."""


class EdgeStreams:
    """All connected edges of a pod."""

    def __init__(
        self,
        *,
        pod: PodPort,
        greeting: Greeting,
        also_accepted: Collection[str] = (),
        credits: Credits | None = None,
        settings: StreamSettings | None = None,
    ) -> None:
        """Serve edges that have the key of the greeting, or one of `also_accepted` (key rotation)."""
        self.stats = StreamStats()
        self._pod = pod
        self._greeting = greeting
        self._accepted_keys = frozenset(also_accepted) | {greeting.key_fingerprint}
        self._credits = credits or Credits()
        self._settings = settings or StreamSettings()
        self._draining = False
        self._half_open: dict[_SessionKey, EdgeConnection] = {}
        self._edges: dict[str, EdgeConnection] = {}  # attached, by id of the edge
        self._clock: Callable[[], float] = _not_started
        self._timer: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to watch credits and stalled edges."""
        self._clock = asyncio.get_running_loop().time
        self._timer = asyncio.create_task(self._watch(), name="edge streams")
        self._timer.add_done_callback(_log_defect)

    async def close(self) -> None:
        """End all streams."""
        if self._timer is not None:
            self._timer.cancel()
            await asyncio.wait((self._timer,))
        for connection in (*self._edges.values(), *self._half_open.values()):
            connection.end("the pod stops")

    def drain(self) -> None:
        """Tell every edge, now and later, to send no new calls here."""
        self._draining = True
        for connection in self._edges.values():
            connection.drain()

    def admit(self, open_: bool) -> None:
        """Grant no credits at all while `open_` is False."""
        self._credits.admitting = open_
        self._grant()

    async def serve(self, stream: Stream) -> None:
        """Serve one stream until it ends."""
        hello = await self._hello(stream)
        key = (hello.edge.edge_id, hello.edge.boot, hello.session)
        try:
            if hello.kind == STREAM_KIND_IN_PROGRESS:
                await self._serve_in_progress(hello, key, stream)
            elif key in self._half_open:
                await self._serve_new_calls(self._half_open.pop(key), stream)
            else:
                await stream.abort(
                    grpc.StatusCode.FAILED_PRECONDITION, "no stream in progress of this session"
                )
        except* EdgeLostError as lost:
            # The edge sees the end of the stream, connects again and repeats what it has.
            _log.info("link.edge_gone", edge=hello.edge.edge_id, reason=str(lost.exceptions[0]))

    async def _hello(self, stream: Stream) -> Hello:
        """Return the hello of an edge that may be served; others are aborted."""
        async with asyncio.timeout(self._settings.hello_timeout):
            first = await stream.read()
        if not isinstance(first, ConnectRequest) or not first.hello.edge.edge_id:
            await stream.abort(grpc.StatusCode.INVALID_ARGUMENT, "the first frame holds no hello")
        hello = first.hello
        if hello.key_fingerprint not in self._accepted_keys:
            self.stats.edges_refused += 1
            _log.error(
                "link.edge_refused",
                edge=hello.edge.edge_id,
                peer=stream.peer(),
                reason="identity key differs",
                ours=self._greeting.key_fingerprint,
                theirs=hello.key_fingerprint,
            )
            await stream.write(ConnectResponse(greeting=self._greeting))  # so that the edge can say it too
            await stream.abort(grpc.StatusCode.FAILED_PRECONDITION, "identity key differs")
        return hello

    async def _serve_in_progress(self, hello: Hello, key: _SessionKey, stream: Stream) -> None:
        connection = EdgeConnection(
            hello, credits=self._credits, clock=self._clock, settings=self._settings, stats=self.stats
        )
        self._half_open[key] = connection
        try:
            await stream.write(ConnectResponse(greeting=self._greeting))
            async with asyncio.TaskGroup() as group:
                group.create_task(connection.write(stream))
                group.create_task(connection.wait_ended())
                await self._read(connection, stream)
        finally:
            self._half_open.pop(key, None)
            self._detach(connection, "the stream in progress ended")

    async def _serve_new_calls(self, connection: EdgeConnection, stream: Stream) -> None:
        self._attach(connection, stream.peer())
        try:
            await stream.write(ConnectResponse(greeting=self._greeting))
            async with asyncio.TaskGroup() as group:
                group.create_task(connection.wait_ended())
                await self._read(connection, stream)
        finally:
            self._detach(connection, "the stream of new calls ended")

    def _attach(self, connection: EdgeConnection, peer: str) -> None:
        replaced = self._edges.get(connection.edge_id)
        if replaced is not None:
            self._detach(replaced, "the edge connected again")
        self._edges[connection.edge_id] = connection
        self.stats.attached = len(self._edges)
        _log.info("link.edge_attached", edge=connection.edge_id, boot=connection.boot, peer=peer)
        if self._draining:
            connection.drain()
        self._grant()
        self._pod.attach(connection)

    def _detach(self, connection: EdgeConnection, reason: str) -> None:
        connection.end(reason)
        if self._edges.get(connection.edge_id) is connection:
            del self._edges[connection.edge_id]
            self.stats.attached = len(self._edges)
            self._pod.detach(connection)

    async def _read(self, connection: EdgeConnection, stream: Stream) -> NoReturn:
        while True:
            frame = await stream.read()
            if not isinstance(frame, ConnectRequest):
                raise EdgeLostError("the edge ended the stream")
            self._take_in(connection, frame)

    def _take_in(self, connection: EdgeConnection, frame: ConnectRequest) -> None:
        self.stats.frames += 1
        self.stats.events += len(frame.events)
        # First the confirmations: they are proofs for the very commits that the events cause.
        if frame.done:
            try:
                self._pod.on_done(connection, frame.done)
            except Exception:
                # The commands will be issued again.
                self.stats.failures += 1
                _log.exception("link.done_failed", edge=connection.edge_id)
        for event in frame.events:
            if event.opens_call:
                connection.arrived(event.id)
            try:
                self._pod.on_event(connection, event)
            except Exception:
                # It stays unacknowledged, and the edge tries another pod; the stream goes on.
                self.stats.failures += 1
                _log.exception("link.event_failed", edge=connection.edge_id, call_key=event.call_key)

    def _grant(self) -> None:
        share = self._credits.share(len(self._edges))
        self.stats.credits = share
        for connection in self._edges.values():
            connection.grant(share)

    async def _watch(self) -> None:
        interval = self._settings.interval
        while True:
            due = self._clock() + interval
            await asyncio.sleep(interval)
            now = self._clock()
            self._credits.lagged(now - due)
            self._credits.adjust(len(self._edges))
            self._grant()
            for connection in tuple(self._edges.values()):
                connection.expire(now)
                reason = connection.trouble(now)
                if reason:
                    self.stats.edges_stalled += 1
                    _log.warning("link.edge_stalled", edge=connection.edge_id, reason=reason)
                    self._detach(connection, reason)


def _log_defect(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.critical("link.defect", task=task.get_name(), exc_info=error)


def _not_started() -> float:
    raise RuntimeError("the streams were not started")
