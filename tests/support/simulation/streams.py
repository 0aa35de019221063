"""The streams between one edge and one pod: frames in order on each, with delay; they stall and break.

The frames are the product's own messages, filled in as `sip_edge.adapters.pod_session` and
`call_control.adapters.edge_connection` do, so nothing is shared between the two processes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Generic, TypeVar

from b2bua.callcontrol.v1.edge_link_pb2 import ConnectRequest, ConnectResponse
from b2bua.edge.v1.edge_pb2 import Command, CommandRef
from sip_edge.domain.delivery import StreamName
from support.simulation.process import Process

if TYPE_CHECKING:
    from support.simulation.edges import SimulatedEdge
    from support.simulation.pods import SimulatedPod

_BATCH = 32
_LAZY = 0.05
_GREETING_TIMEOUT = 2.0
_DELAY = (0.0003, 0.003)

Frame = TypeVar("Frame", ConnectRequest, ConnectResponse)


class _Pipe(Generic[Frame]):
    """One direction of one stream."""

    def __init__(self, streams: Streams, receiver: Process, receive: Callable[[Frame], None]) -> None:
        self._streams = streams
        self._receiver = receiver
        self._receive = receive
        self._last = 0.0

    def send(self, frame: Frame) -> None:
        streams = self._streams
        arrival = streams.clock.time() + streams.chance.uniform(*_DELAY)
        self._last = max(self._last, arrival, streams.stalled_until)
        streams.clock.call_at(self._last, self._arrive, frame)

    def _arrive(self, frame: Frame) -> None:
        if self._streams.broken:
            return
        if self._streams.stalled_until > self._streams.clock.time():
            self._last = max(self._last, self._streams.stalled_until)
            self._streams.clock.call_at(self._last, self._arrive, frame)
            return
        self._receiver.do(self._receive, frame)


class _Writer:
    """Collects what gathers in one turn; what is not urgent waits for company."""

    def __init__(self, process: Process, write: Callable[[], None]) -> None:
        self._process = process
        self._write = write
        self._awake = False
        self._lazily = False

    def wake(self) -> None:
        """See `sip_edge.domain.delivery.Writer`."""
        if not self._awake:
            self._awake = True
            self._process.later(0.0, self._woken)

    def wake_lazily(self) -> None:
        """See `sip_edge.domain.delivery.Writer`."""
        if not self._awake and not self._lazily:
            self._lazily = True
            self._process.later(_LAZY, self._waited)

    def _waited(self) -> None:
        if self._lazily:
            self.wake()

    def _woken(self) -> None:
        self._awake = self._lazily = False
        self._write()


class Streams:
    """Both streams of one session between an edge and a pod."""

    def __init__(self, edge: SimulatedEdge, pod: SimulatedPod, chance: Random) -> None:
        """Connect; `open` is called at the edge when that is done."""
        self.clock = edge.clock
        self.chance = chance
        self.trace = edge.trace
        self.edge = edge
        self.pod = pod
        self.edge_process = edge.process
        self.pod_process = pod.process
        self.broken = False
        self.stalled_until = 0.0
        self.is_open = False
        self._done: list[CommandRef] = []
        self._up = _Pipe(self, self.pod_process, self._at_pod)
        self._up_new = _Pipe(self, self.pod_process, self._at_pod)
        self._down = _Pipe(self, self.edge_process, self._at_edge)
        self._writer = _Writer(self.edge_process, self._write_in_progress)
        self._new_writer = _Writer(self.edge_process, self._write_new_calls)
        self.port = PodPort(self)
        self.clock.call_later(2 * _DELAY[1], self.pod_process.do, self._attach)
        self.clock.call_later(_GREETING_TIMEOUT, self._give_up)

    # -- life ------------------------------------------------------------------------------

    def _attach(self) -> None:
        if not self.broken:
            self.pod.attached(self)
            self.clock.call_later(2 * _DELAY[1], self.edge_process.do, self._open)

    def _open(self) -> None:
        if self.broken or self.edge.streams.get(self.pod.name) is not self:
            return
        self.is_open = True
        self.trace.note(self.edge.name, "connected", self.pod.name)
        self.edge.delivery.pod_up(self.pod.name, self._new_writer, self._writer, self.clock.time())
        self.port.open()

    def _give_up(self) -> None:
        if not self.is_open:
            self.break_()

    def break_(self, edge_notices: float = 0.0, pod_notices: float = 0.0) -> None:
        """What is on its way is lost; each side notices after some seconds."""
        if self.broken:
            return
        self.broken = True
        self.trace.note(self.edge.name, "broken", self.pod.name)
        self.clock.call_later(edge_notices, self.edge_process.do, self.edge.lost, self)
        self.clock.call_later(pod_notices, self.pod_process.do, self.pod.lost, self)

    def stall(self, seconds: float) -> None:
        """Nothing arrives for a while; then everything does."""
        self.stalled_until = self.clock.time() + seconds

    # -- the edge's side -------------------------------------------------------------------

    def done(self, ref: CommandRef) -> None:
        """Confirm a command."""
        self._done.append(ref)
        self._writer.wake_lazily()

    def _write_in_progress(self) -> None:
        if self.edge.streams.get(self.pod.name) is not self or not self.is_open:
            return
        events = self.edge.delivery.take(self.pod.name, StreamName.IN_PROGRESS, _BATCH, self.clock.time())
        if len(events) == _BATCH:
            self._writer.wake()
        if events or self._done:
            done, self._done = self._done, []
            self._up.send(ConnectRequest(events=events, done=done))

    def _write_new_calls(self) -> None:
        if self.edge.streams.get(self.pod.name) is not self or not self.is_open:
            return
        events = self.edge.delivery.take(self.pod.name, StreamName.NEW_CALLS, _BATCH, self.clock.time())
        if len(events) == _BATCH:
            self._new_writer.wake()
        if events:
            self._up_new.send(ConnectRequest(events=events))

    def _at_edge(self, frame: ConnectResponse) -> None:
        if self.edge.streams.get(self.pod.name) is self:
            self.trace.note(f"{self.pod.name}>{self.edge.name}", "frame", frame)
            self.edge.take_in(self.pod.name, frame)

    # -- the pod's side --------------------------------------------------------------------

    def _at_pod(self, frame: ConnectRequest) -> None:
        self.trace.note(f"{self.edge.name}>{self.pod.name}", "frame", frame)
        for event in frame.events:
            if not self.pod_process.alive:
                return
            if event.opens_call:
                self.port.arrived(event.id)
            self.pod.engine.on_event(self.port, event)
        if frame.done:
            self.pod.engine.on_done(self.port, frame.done)

    def write_down(self, frames: list[ConnectResponse]) -> None:
        """Frames of the pod."""
        for frame in frames:
            self._down.send(frame)


class PodPort:
    """`EdgePort` of the pod: what waits to be written to the edge."""

    def __init__(self, streams: Streams) -> None:
        self.edge_id = streams.edge.name
        self.boot = streams.edge.boot
        self.ended = False
        self._streams = streams
        self._frames: list[ConnectResponse] = []
        self._opened = False
        self._new_calls: set[int] = set()
        self._writer = _Writer(streams.pod_process, self._write)

    def open(self) -> None:
        """The edge reads from now on."""
        self._opened = True
        self._writer.wake()

    def arrived(self, event_id: int) -> None:
        """A new call came: its edge waits for the acknowledgement."""
        self._new_calls.add(event_id)

    def end(self) -> None:
        """The edge is gone; what is queued is lost."""
        self.ended = True
        self._frames.clear()

    def grant(self, credits: int) -> None:
        """Tell how many new calls may be open."""
        if not self.ended:
            self._open_frame().credits = credits
            self._writer.wake()

    # -- EdgePort --------------------------------------------------------------------------

    def send(self, commands: Sequence[Command]) -> None:
        """See `EdgePort.send`."""
        if self.ended:
            return
        for command in commands:
            self._open_frame().commands.append(command)
        self._writer.wake()

    def acknowledge(self, event_ids: Sequence[int]) -> None:
        """See `EdgePort.acknowledge`."""
        if self.ended:
            return
        self._open_frame().acknowledged.extend(event_ids)
        if self._new_calls.isdisjoint(event_ids):
            self._writer.wake_lazily()
        else:
            self._new_calls.difference_update(event_ids)
            self._writer.wake()

    def busy(self, event_ids: Sequence[int], *, unsure: bool = False) -> None:
        """See `EdgePort.busy`: what may be committed is left to the patience of the edge."""
        if not (self.ended or unsure):
            self._open_frame().busy.extend(event_ids)
            self._writer.wake()

    def _open_frame(self) -> ConnectResponse:
        frames = self._frames
        if not frames or len(frames[-1].commands) >= _BATCH:
            frames.append(ConnectResponse())
        return frames[-1]

    def _write(self) -> None:
        if self._opened and not self.ended:
            frames, self._frames = self._frames, []
            self._streams.write_down(frames)
