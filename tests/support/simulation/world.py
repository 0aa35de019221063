"""A run: the parts put together, the plan carried out, until nothing moves any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

from call_control.adapters.memory_store import MemoryStore
from call_control.domain.policy import Policy
from call_control.domain.routing.entry import parse_route
from call_control.domain.store import Commit
from sipcore.message import Request
from sipcore.testing.agent import ScriptedAgent
from sipcore.testing.call import Call
from sipcore.testing.clock import Clock
from sipcore.testing.script import CallState, Script
from sipcore.testing.wire import PERFECT, Passage, Wire
from support.simulation.edges import SimulatedEdge
from support.simulation.faults import Fault, Impairment, Suffered, lost_records, without_pods
from support.simulation.network import CALLEES, CALLERS, EDGES, SHARED, TARGET, Balancer
from support.simulation.plan import Injection, Plan, PlannedCall
from support.simulation.pods import SimulatedPod
from support.simulation.scripts import ANSWER_TIMEOUT, MAX_CALL
from support.simulation.store import SHARDS, USUAL_DELAY, SharedStore, StoreConnection
from support.simulation.trace import Trace
from svckit.identity import Identity

#: Longer than the longest call, the repetitions after its end, and the memory of what is over.
_HORIZON = MAX_CALL + 220.0
_STEP = 4.0
#: Edges connect again within this time.
_RECONNECTED = 2.5


def policy(routes: int, transfer: str) -> Policy:
    """What the simulated operator wants: short timers, and the callees in the order of trial."""
    return Policy(
        routes=tuple(parse_route(f"{host}:{port}") for host, port in CALLEES[:routes]),
        answer_timeout_ms=round(ANSWER_TIMEOUT * 1_000),
        max_call_ms=round(MAX_CALL * 1_000),
        transfer=transfer,
        transfer_direct=True,
    )


class World:
    """Everything there is, and everything that happened to it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.clock = Clock(start=1_000.0)
        self.start = self.clock.time()
        self.trace = Trace(self.clock)
        self.suffered: list[Suffered] = []
        self._impairments: list[Impairment] = []
        self.placed: list[tuple[PlannedCall, Call]] = []
        self.store = SharedStore(self.clock, self.trace)
        self.wire = Wire(self.clock, self._chance("wire").random, plan.network)
        self.wire.watch = self._watch
        identity = Identity(b"k" * 32, salt=self.store.memory.salt, shards=SHARDS)
        self.pods = [
            SimulatedPod(
                f"pod-{number}",
                clock=self.clock,
                trace=self.trace,
                shared=self.store,
                identity=identity,
                policy=policy(plan.routes, plan.transfer),
                chance=self._chance(f"pod-{number}"),
                credits=plan.credits,
            )
            for number in range(plan.pods)
        ]
        self.edges = [
            SimulatedEdge(
                f"edge-{number}",
                EDGES[number],
                clock=self.clock,
                trace=self.trace,
                wire=self.wire,
                identity=identity,
                pods=self.pods,
                contact=SHARED if plan.shared_address else None,
                chance=self._chance(f"edge-{number}"),
            )
            for number in range(plan.edges)
        ]
        for edge in self.edges:
            edge.on_silence = lambda edge: self._suffer(Fault.STREAM_BROKEN, 0.0, edge.name)
        Balancer(self.wire, self._chance("balancer"), self._takers, sticky=plan.sticky)
        self.callers = [
            ScriptedAgent.on_wire(f"caller{number}", address, self.wire, self.clock)
            for number, address in enumerate(CALLERS)
        ]
        self.callees = [
            ScriptedAgent.on_wire(
                f"callee{number}", address, self.wire, self.clock, script=self._script_of(number)
            )
            for number, address in enumerate(CALLEES[: plan.routes])
        ]
        self.target = ScriptedAgent.on_wire(
            "target", TARGET, self.wire, self.clock, script=self._script_of_target
        )
        self._planned = {call.number: call for call in plan.calls}

    def run(self) -> None:
        """Carry out the plan, and wait until nothing moves."""
        plan = self.plan
        if plan.network != PERFECT:
            self._suffer(Fault.PACKETS, _HORIZON)
        if plan.shared_address and not plan.sticky and plan.edges > 1:
            self._suffer(Fault.SPREAD, _HORIZON)
        if plan.credits < len(plan.calls):
            self._suffer(Fault.FEW_CREDITS, _HORIZON)
        self.clock.run_for(0.05)
        for call in plan.calls:
            self.clock.call_at(self.start + call.at, self._place, call)
        for injection in plan.injections:
            self.clock.call_at(self.start + injection.at, _INJECT[injection.fault], self, injection)
        last = max([call.at for call in plan.calls] + [one.at + one.lasts for one in plan.injections])
        self.clock.run_until(self.start + last + 1.0)
        while self.clock.time() < self.start + _HORIZON and self.moves:
            self.clock.run_for(_STEP)
        for pod in self.pods:
            pod.engine.forget_idle(pod.store.now() + 1)
        edges, pods = [edge.name for edge in self.edges], [pod.name for pod in self.pods]
        self.suffered += without_pods(self._impairments, edges, pods)
        self.suffered += lost_records(self.suffered)

    @property
    def moves(self) -> bool:
        """Whether something may still happen by itself."""
        return (
            any(agent.busy or _talks(agent) for agent in self.agents)
            or bool(self.store.left())
            or any(edge.core.open_transactions or len(edge.delivery) for edge in self.living_edges)
        )

    @property
    def agents(self) -> list[ScriptedAgent]:
        """All people."""
        return [*self.callers, *self.callees, self.target]

    @property
    def living_edges(self) -> list[SimulatedEdge]:
        """The edges that are there."""
        return [edge for edge in self.edges if edge.process.alive]

    # -- people ----------------------------------------------------------------------------

    def _place(self, planned: PlannedCall) -> None:
        address = SHARED if self.plan.shared_address else EDGES[planned.edge]
        self.trace.note(f"caller{planned.caller}", "calls", f"call {planned.number}: {planned.name}")
        uri = f"sip:{planned.number}@{address[0]}"
        call = self.callers[planned.caller].call(uri, script=planned.scenario.caller, destination=address)
        self.placed.append((planned, call))

    def _script_of(self, route: int) -> Callable[[Request], Script]:
        def choose(invite: Request) -> Script:
            planned = self._dialled(invite)
            if route == self.plan.routes - 1:
                return planned.scenario.callee
            return planned.earlier[route]

        return choose

    def _script_of_target(self, invite: Request) -> Script:
        return self._dialled(invite).scenario.target

    def _dialled(self, invite: Request) -> PlannedCall:
        return self._planned[int(invite.uri.partition(":")[2].partition("@")[0])]

    # -- the network -----------------------------------------------------------------------

    def _takers(self) -> list[Callable[[bytes, tuple[str, int]], None]]:
        return [self._taker(edge) for edge in self.living_edges]

    @staticmethod
    def _taker(edge: SimulatedEdge) -> Callable[[bytes, tuple[str, int]], None]:
        return lambda data, source: edge.process.do(edge.receive, data, source)

    def _watch(self, passage: Passage) -> None:
        self.trace.note(f"{passage.source[0][6:]}>{passage.destination[0][6:]}", "packet", passage)

    def _chance(self, what: str) -> Random:
        return Random(f"{self.plan.seed}/{what}")

    # -- faults ----------------------------------------------------------------------------

    def _suffer(self, fault: Fault, lasts: float, edge: str = "") -> None:
        now = self.clock.time()
        self.trace.note("fault", fault.name, f"{edge or 'all'} for {lasts:.3f}")
        self.suffered.append(Suffered(fault=fault, start=now, end=now + lasts, edge=edge))

    def _impair(self, pod: str, lasts: float, edge: str = "") -> None:
        """A pod is of no use to an edge, or to all, for a while."""
        now = self.clock.time()
        self._impairments.append(Impairment(edge=edge, pod=pod, start=now, end=now + lasts + _RECONNECTED))

    def _kill_pod(self, injection: Injection) -> None:
        if not injection.stage:
            self._end_pod(self.pods[injection.pod], injection)
            return
        armed = [True]

        def arm(pod: SimulatedPod) -> None:
            def strike(_: Commit) -> None:
                if armed[0]:
                    armed[0] = False
                    self._end_pod(pod, injection)

            setattr(pod.store, _STAGES[injection.stage], strike)

        # Whichever pod commits next, as most of them have nothing to do.
        for pod in self.pods:
            arm(pod)

    def _end_pod(self, pod: SimulatedPod, injection: Injection) -> None:
        if not pod.process.alive:
            return
        self._suffer(Fault.POD_KILLED, injection.lasts)
        pod.kill(noticed_after=injection.noticed)
        # An edge connects again only when it has noticed, even if the pod is back before.
        self._impair(pod.name, max(injection.lasts, injection.noticed))
        self.clock.call_later(injection.lasts, pod.start)

    def _pause_pod(self, injection: Injection) -> None:
        pod = self.pods[injection.pod]
        process = pod.process
        if not process.alive or process.paused:
            return
        self._suffer(Fault.POD_PAUSED, injection.lasts)
        process.pause()
        self._impair(pod.name, injection.lasts)
        self.clock.call_later(injection.lasts, process.resume)

    def _kill_edge(self, injection: Injection) -> None:
        edge = self.edges[injection.edge]
        if not edge.process.alive:
            return
        self._suffer(Fault.EDGE_KILLED, injection.lasts, edge.name)
        edge.kill(noticed_after=injection.noticed)
        for pod in self.pods:
            self._impair(pod.name, injection.lasts, edge.name)
        self.clock.call_later(injection.lasts, edge.start)

    def _lose_edge(self, injection: Injection) -> None:
        edge = self.edges[injection.edge]
        if len(self.living_edges) < 2 or not edge.process.alive:
            return
        self._suffer(Fault.EDGE_LOST, _HORIZON, edge.name)
        edge.kill(noticed_after=injection.noticed)

    def _pause_edge(self, injection: Injection) -> None:
        edge = self.edges[injection.edge]
        if not edge.process.alive or edge.process.paused:
            return
        self._suffer(Fault.EDGE_PAUSED, injection.lasts, edge.name)
        edge.process.pause()
        self.clock.call_later(injection.lasts, edge.process.resume)

    def _break_streams(self, injection: Injection) -> None:
        edge = self.edges[injection.edge]
        streams = edge.streams.get(self.pods[injection.pod].name)
        if streams is None or not edge.process.alive:
            return
        self._suffer(Fault.STREAM_BROKEN, 0.0, edge.name)
        streams.break_(edge_notices=injection.noticed, pod_notices=0.01)
        self._impair(streams.pod.name, injection.noticed, edge.name)

    def _stall_streams(self, injection: Injection) -> None:
        edge = self.edges[injection.edge]
        streams = edge.streams.get(self.pods[injection.pod].name)
        if streams is None or not edge.process.alive:
            return
        self._suffer(Fault.STREAM_STALLED, injection.lasts, edge.name)
        streams.stall(injection.lasts)
        self._impair(streams.pod.name, injection.lasts, edge.name)

    def _cut_store(self, injection: Injection) -> None:
        self._suffer(Fault.STORE_CUT, 0.0)
        self.pods[injection.pod].store.cut()

    def _slow_store(self, injection: Injection) -> None:
        pod = self.pods[injection.pod]
        connection: StoreConnection = pod.store
        # Every second time longer than a request may take.
        delay = 0.1 + 0.8 * (injection.lag > 0.1)
        self._suffer(Fault.STORE_SLOW, injection.lasts)
        self._impair(pod.name, injection.lasts)
        connection.delay = delay
        self.clock.call_later(injection.lasts, setattr, connection, "delay", USUAL_DELAY)

    def _lose_store(self, injection: Injection) -> None:
        self._suffer(injection.fault, injection.lasts)
        self.store.go_away()
        self.clock.call_later(injection.lasts, self.store.come_back)

    def _roll_store_back(self, injection: Injection) -> None:
        # What is written from now on is going to be lost.
        self._suffer(Fault.STORE_ROLLED_BACK, injection.lag)
        replica = self.store.snapshot()
        self.clock.call_later(injection.lag, self._fail_over, replica)

    def _fail_over(self, replica: MemoryStore) -> None:
        self.store.roll_back(replica)


def _talks(agent: ScriptedAgent) -> bool:
    return any(call.state is not CallState.ENDED for call in agent.calls)


_STAGES = {"before": "before_commit", "after": "after_commit", "reply": "after_reply"}

_INJECT: Mapping[Fault, Callable[[World, Injection], None]] = MappingProxyType(
    {
        Fault.POD_KILLED: World._kill_pod,
        Fault.POD_PAUSED: World._pause_pod,
        Fault.EDGE_KILLED: World._kill_edge,
        Fault.EDGE_LOST: World._lose_edge,
        Fault.EDGE_PAUSED: World._pause_edge,
        Fault.STREAM_BROKEN: World._break_streams,
        Fault.STREAM_STALLED: World._stall_streams,
        Fault.STORE_CUT: World._cut_store,
        Fault.STORE_SLOW: World._slow_store,
        Fault.STORE_AWAY_SHORTLY: World._lose_store,
        Fault.STORE_AWAY: World._lose_store,
        Fault.STORE_ROLLED_BACK: World._roll_store_back,
    }
)
