"""The whole B2BUA on virtual time: edges, pods and a store in one process, joined by a lossy wire.

Everything is the product's own code but the sockets, the clock and the network. A run is repeated
exactly by its seed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from b2bua.edge.v1 import edge_pb2 as edge
from b2bua_allinone.wiring import InProcessLink
from call_control.adapters.memory_store import MemoryStore
from call_control.domain.policy import Policy
from call_control.domain.routing.entry import parse_route
from call_control.pod import Pod
from sip_edge.domain import Address, EdgeConfig, EdgeCore, Lifecycle, Listener, Query
from sipcore.testing.agent import ScriptedAgent
from sipcore.testing.clock import Clock, Timer
from sipcore.testing.script import Script
from sipcore.testing.wire import PERFECT, Faults, Wire
from svckit.identity import Identity

CALLER = ("192.0.2.10", 5060)
CALLEE = ("192.0.2.20", 5060)
EDGE = ("192.0.2.1", 5060)

#: Store time at the start of a run, in milliseconds.
_EPOCH_MS = 1_700_000_000_000
_SWEEP_SECONDS = 0.1


class SimulatedEdge:
    """The shell of an edge on virtual time: one UDP listener."""

    def __init__(self, address: Address, wire: Wire, clock: Clock, identity: Identity, boot: int = 1) -> None:
        self.clock = clock
        self._send = wire.attach(address, self._receive)
        self._timer: Timer | None = None
        self._armed = math.inf
        edge_id = f"edge-{address[0]}"
        self.link = InProcessLink(
            edge_id=edge_id, boot=boot, execute=self._execute, schedule=clock.call_later
        )
        listener = Listener(name="udp", transport="udp", host=address[0], port=address[1])
        config = EdgeConfig(edge_id=edge_id, boot=boot, listeners=(listener,))
        self.core = EdgeCore(config, self, self.link)
        self.core.greeted(identity, Policy(routes=()).wanted_headers)
        self.core.admission.state = Lifecycle.SERVING

    # -- Outlet ----------------------------------------------------------------------------

    def send_datagram(self, listener: str, data: bytes, address: Address) -> None:
        self._send(data, address)

    def connect(self, flow: str, listener: str, address: Address) -> None:
        raise AssertionError("the simulated network has no TCP")

    def send_stream(self, flow: str, data: bytes) -> None:
        raise AssertionError("the simulated network has no TCP")

    def close_stream(self, flow: str) -> None:
        raise AssertionError("the simulated network has no TCP")

    def resolve(self, token: int, query: Query) -> None:
        self.core.resolved(token, (), self.clock.time())

    def source_ip(self, towards: str) -> str:
        return EDGE[0]

    # -- pump ------------------------------------------------------------------------------

    def _receive(self, data: bytes, source: Address) -> None:
        self.core.receive_datagram("udp", data, source, self.clock.time())
        self._rearm()

    def _execute(self, command: edge.Command) -> None:
        self.core.execute(command, self.clock.time())
        self._rearm()

    def _on_timer(self) -> None:
        self._timer = None
        self._armed = math.inf
        self.core.on_timer(self.clock.time())
        self._rearm()

    def _rearm(self) -> None:
        self.link.flush()
        deadline = self.core.next_deadline()
        if deadline >= self._armed:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed = deadline
        self._timer = self.clock.call_at(deadline, self._on_timer)


class Simulation:
    """A caller, a callee, and the B2BUA between them."""

    def __init__(self, seed: int, faults: Faults = PERFECT, *, callee: Script | None = None) -> None:
        self.clock = Clock(start=1_000.0)
        self.wire = Wire(self.clock, random.Random(seed).random, faults)
        self.store = MemoryStore(salt=b"s" * 16, clock=lambda: _EPOCH_MS + round(self.clock.time() * 1_000))
        identity = Identity(b"k" * 32, salt=self.store.salt, shards=self.store.shards)
        host, port = CALLEE
        self.edge = SimulatedEdge(EDGE, self.wire, self.clock, identity)
        self.pod = Pod(
            pod_id="pod",
            store=self.store,
            identity=identity,
            policy=Policy(routes=(parse_route(f"{host}:{port}"),)),
        )
        self.edge.link.attach(self.pod)
        self.caller = ScriptedAgent.on_wire("caller", CALLER, self.wire, self.clock)
        self.callee = ScriptedAgent.on_wire("callee", CALLEE, self.wire, self.clock, script=callee)
        self.clock.call_later(_SWEEP_SECONDS, self._sweep)

    def call(self, script: Script) -> None:
        """Let the caller place a call."""
        self.caller.call("sip:2002@192.0.2.1", script=script)

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.clock.run_for(seconds)

    def _sweep(self) -> None:
        self.store.claim_due_many(range(self.store.shards), 1_000, self._due)
        self.clock.call_later(_SWEEP_SECONDS, self._sweep)

    def _due(self, keys: Sequence[str]) -> None:
        self.pod.on_due(keys)
