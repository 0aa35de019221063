"""An edge: the core, the delivery of its events, its streams to the pods, and its one UDP socket."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random

from b2bua.callcontrol.v1.edge_link_pb2 import ConnectResponse
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2
from call_control.domain.policy import WANTED_HEADERS
from sip_edge.domain import Address, EdgeConfig, EdgeCore, HostPort, Lifecycle, Listener, Query
from sip_edge.domain.delivery import Delivery, Refusal
from sipcore.testing.clock import Clock, Timer
from sipcore.testing.wire import Wire
from support.simulation.pods import SimulatedPod
from support.simulation.process import Process
from support.simulation.streams import Streams
from support.simulation.trace import Trace
from svckit.identity import Identity

_TICK = 0.05
_SILENCE_LIMIT = 5.0
_RETRY = (0.2, 2.0)


class SimulatedEdge:
    """One edge over all its lives, at one address. `core` and `delivery` are those of the present life."""

    core: EdgeCore
    delivery: Delivery
    process: Process

    def __init__(
        self,
        name: str,
        address: Address,
        *,
        clock: Clock,
        trace: Trace,
        wire: Wire,
        identity: Identity,
        pods: Sequence[SimulatedPod],
        contact: Address | None,
        chance: Random,
    ) -> None:
        self.name = name
        self.address = address
        self.clock = clock
        self.trace = trace
        self.boot = 0
        self.streams: dict[str, Streams] = {}
        self._wire = wire
        self._identity = identity
        self._pods = pods
        self._contact = HostPort(*contact) if contact is not None else None
        self._chance = chance
        self._origins: dict[tuple[str, int], str] = {}
        self.on_silence: Callable[[SimulatedEdge], None] = lambda edge: None
        """Called when it breaks the streams to a pod that said nothing for too long."""
        self._timer: Timer | None = None
        self._armed = math.inf
        self._ticking = False
        self.start()

    def start(self) -> None:
        """Begin a life."""
        self.boot += 1
        self.trace.note(self.name, "start", self.boot)
        self.process = process = Process(self.clock)
        send = self._wire.attach(self.address, lambda data, source: process.do(self.receive, data, source))
        self._send = send
        listener = Listener(
            name="udp", transport="udp", host=self.address[0], port=self.address[1], contact=self._contact
        )
        config = EdgeConfig(edge_id=self.name, boot=self.boot, listeners=(listener,))
        self.delivery = Delivery(on_refused=self._refused)
        self.core = EdgeCore(config, self, self)
        self.core.greeted(self._identity, WANTED_HEADERS)
        self.core.admission.state = Lifecycle.SERVING
        self.streams = {}
        self._origins = {}
        self._timer, self._armed, self._ticking = None, math.inf, False
        for pod in self._pods:
            self._connect(pod)

    def kill(self, noticed_after: float = 0.0) -> None:
        """End it at once; pods notice after some seconds."""
        if not self.process.alive:
            return
        self.trace.note(self.name, "killed")
        self.process.kill()
        self._wire.detach(self.address)
        for streams in self.streams.values():
            streams.break_(pod_notices=noticed_after)

    # -- Outlet ----------------------------------------------------------------------------

    def send_datagram(self, listener: str, data: bytes, address: Address) -> None:
        """See `Outlet.send_datagram`."""
        self._send(data, address)

    def connect(self, flow: str, listener: str, address: Address) -> None:
        """See `Outlet.connect`."""
        raise AssertionError("the simulated network has no TCP")

    def send_stream(self, flow: str, data: bytes) -> None:
        """See `Outlet.send_stream`."""
        raise AssertionError("the simulated network has no TCP")

    def close_stream(self, flow: str) -> None:
        """See `Outlet.close_stream`."""
        raise AssertionError("the simulated network has no TCP")

    def resolve(self, token: int, query: Query) -> None:
        """See `Outlet.resolve`."""
        self.core.resolved(token, (), self.clock.time())

    def source_ip(self, towards: str) -> str:
        """See `Outlet.source_ip`."""
        return self.address[0]

    # -- ControlLink -----------------------------------------------------------------------

    def submit(self, event: edge_pb2.Event) -> None:
        """See `ControlLink.submit`."""
        self.delivery.submit(event, self.clock.time())
        self._tick_later()

    def done(self, refs: Sequence[edge_pb2.CommandRef]) -> None:
        """See `ControlLink.done`; goes to the pod that issued the command."""
        for ref in refs:
            if not ref.id:
                continue
            pod = self._origins.pop((ref.call_key, ref.id), None) or self.delivery.home(ref.call_key)
            streams = self.streams.get(pod) if pod is not None else None
            if streams is not None and streams.is_open:
                streams.done(ref)

    def may_open_call(self) -> bool:
        """See `ControlLink.may_open_call`."""
        return self.delivery.may_open_call()

    # -- network and time ------------------------------------------------------------------

    def receive(self, data: bytes, source: Address) -> None:
        """A datagram came in."""
        self.core.receive_datagram("udp", data, source, self.clock.time())
        self._rearm()

    def _rearm(self) -> None:
        deadline = self.core.next_deadline()
        if deadline >= self._armed:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed = deadline
        self._timer = self.process.later(deadline - self.clock.time(), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._armed = math.inf
        self.core.on_timer(self.clock.time())
        self._rearm()

    # -- pods ------------------------------------------------------------------------------

    def take_in(self, pod: str, frame: ConnectResponse) -> None:
        """A frame of a pod, in the order of `PodSession`."""
        now, delivery = self.clock.time(), self.delivery
        if frame.acknowledged:
            delivery.acknowledge(pod, frame.acknowledged, now)
        for command in frame.commands:
            if pod != delivery.home(command.call_key):
                self._origins[command.call_key, command.id] = pod
            self.core.execute(command, now)
        if frame.HasField("credits"):
            delivery.grant(pod, frame.credits)
        delivery.heard(pod, now)
        if frame.busy:
            delivery.busy(pod, frame.busy, now)
        self._rearm()

    def lost(self, streams: Streams) -> None:
        """The streams to a pod have broken."""
        pod = streams.pod
        if self.streams.get(pod.name) is not streams:
            return
        del self.streams[pod.name]
        if streams.is_open:
            self.delivery.pod_down(pod.name, self.clock.time())
            self._rearm()
        self.process.later(self._chance.uniform(*_RETRY), self._connect, pod)

    def _connect(self, pod: SimulatedPod) -> None:
        if not pod.process.alive:
            self.process.later(self._chance.uniform(*_RETRY), self._connect, pod)
            return
        self.streams[pod.name] = Streams(self, pod, self._chance)

    def _refused(self, event: edge_pb2.Event, reason: Refusal) -> None:
        """A new call that no pod takes is told so; all else ends by its own timers."""
        self.trace.note(self.name, "given up", f"#{event.id} {reason.name}")
        if not event.opens_call:
            return
        respond = edge_pb2.Respond(
            transaction=event.request.transaction,
            status=503,
            reason="Service Unavailable",
            headers=[sip_pb2.Header(name="Retry-After", value="5")],
        )
        refusal = edge_pb2.Command(id=0, call_key=event.call_key, edge=event.edge, respond=respond)
        self.core.execute(refusal, self.clock.time())
        self._rearm()

    def _tick_later(self) -> None:
        if not self._ticking:
            self._ticking = True
            self.process.later(_TICK, self._tick)

    def _tick(self) -> None:
        """Look for what nobody acknowledged, and end the streams to pods that are silent for too long."""
        self._ticking = False
        now = self.clock.time()
        self.delivery.on_timer(now)
        self._rearm()
        silent = False
        for name, streams in tuple(self.streams.items()):
            silence = self.delivery.silence(name, now) if streams.is_open else 0.0
            silent = silent or silence > 0.0
            if silence > _SILENCE_LIMIT:
                self.on_silence(self)
                streams.break_()
        if silent or len(self.delivery):
            self._tick_later()
