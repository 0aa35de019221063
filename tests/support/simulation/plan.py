"""A run before it begins: everything that is decided by the seed alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from sipcore.testing.script import Script
from sipcore.testing.wire import PERFECT
from sipcore.testing.wire import Faults as WireFaults
from support.simulation.faults import Fault
from support.simulation.network import CALLERS
from support.simulation.scripts import SCENARIOS, Scenario, earlier_route


class Edition(NamedTuple):
    """How much of the tables a plan is drawn from. They grow at their ends: old runs can be drawn again."""

    scenarios: int
    faults: int
    transfers: int


EDITIONS = (Edition(22, 12, 1), Edition(25, 12, 2))
"""A new scenario or fault makes a new edition; seeds that found something name theirs."""

#: What is done with a REFER, see `Policy.transfer`.
_TRANSFERS = ("pass", "perform")
#: Faults begin within this time.
_TURBULENCE = 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """A call that will be placed."""

    number: int
    at: float
    name: str
    scenario: Scenario
    earlier: tuple[Script, ...]
    """What the callees of the routes before the last one do."""
    caller: int
    edge: int
    """Where the INVITE goes; without meaning if there is a shared address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """A fault that will be injected. Times are seconds."""

    fault: Fault
    at: float
    lasts: float
    edge: int
    pod: int
    noticed: float = 0.0
    """After what time the others notice a death."""
    stage: str = ""
    """A pod is killed at its next commit from `at` on: "before" it is executed, "after" that, or after the
    "reply", when its effects have not left. Empty: at the time itself."""
    lag: float = 0.0
    """How much a store that rolls back has lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All of a run."""

    seed: int
    edges: int
    pods: int
    routes: int
    shared_address: bool
    """Calls come to an address behind which any edge may take each packet, and Contacts show it."""
    sticky: bool
    """With a shared address: one sender's packets go to one edge, as long as it lives."""
    credits: int
    transfer: str
    """What is done with a REFER, see `Policy.transfer`."""
    network: WireFaults
    calls: tuple[PlannedCall, ...]
    injections: tuple[Injection, ...]

    def lines(self) -> Iterator[str]:
        """The plan for people."""
        address = "own addresses"
        if self.shared_address:
            address = f"shared address, {'sticky' if self.sticky else 'spread'}"
        yield (
            f"seed {self.seed}: {self.edges} edges ({address}), {self.pods} pods with {self.credits} credits,"
            f" {self.routes} routes, transfer {self.transfer}"
        )
        yield f"network: {self.network}"
        for call in self.calls:
            yield f"call {call.number} at {call.at:.3f} to edge {call.edge}: {call.name}"
            yield f"    caller {_script(call.scenario.caller)}"
            for script in call.earlier:
                yield f"    earlier {_script(script)}"
            yield f"    callee {_script(call.scenario.callee)}"
            yield f"    target {_script(call.scenario.target)}"
        for injection in self.injections:
            yield (
                f"fault at {injection.at:.3f} for {injection.lasts:.3f}: {injection.fault.name}"
                f" edge {injection.edge} pod {injection.pod} {injection.stage}"
                f" noticed {injection.noticed} lag {injection.lag:.3f}"
            )


def _script(script: Script) -> str:
    default = Script()
    names = ("trying", "ring_after", "ring_status", "answer_after", "status", "cancel_after", "hangup_after")
    parts = [
        f"{name}={getattr(script, name)}"
        for name in (*names, "reinvite_status")
        if getattr(script, name) != getattr(default, name)
    ]
    parts += ["late offer"] if not script.offer else []
    parts += [f"{step.act.__name__}@{step.after:.3f}{'e' if step.early else ''}" for step in script.steps]
    return " ".join(parts) or "default"


def draw(seed: int, edition: int = len(EDITIONS)) -> Plan:
    """The plan of a seed; editions count from 1."""
    tables = EDITIONS[edition - 1]
    chance = Random(f"{seed}/plan")
    edges = chance.choice((1, 2, 2, 3))
    pods = chance.choice((1, 2, 2, 3))
    routes = chance.choice((1, 1, 1, 2, 3))
    calls = tuple(_call(chance, tables, number, edges, routes) for number in range(1, chance.randint(3, 7)))
    count = chance.choice((0, 1, 1, 1, 2, 2, 3))
    return Plan(
        seed=seed,
        edges=edges,
        pods=pods,
        routes=routes,
        shared_address=chance.random() < 0.5,
        sticky=chance.random() < 0.5,
        credits=2 if chance.random() < 0.05 else 128,
        transfer=Random(f"{seed}/transfer").choice(_TRANSFERS[: tables.transfers]),
        network=_network(chance),
        calls=calls,
        injections=tuple(_injection(chance, tables, calls, edges, pods) for _ in range(count)),
    )


def _call(chance: Random, tables: Edition, number: int, edges: int, routes: int) -> PlannedCall:
    name = chance.choice(tuple(SCENARIOS)[: tables.scenarios])
    return PlannedCall(
        number=number,
        at=chance.uniform(0.1, 8.0),
        name=name,
        scenario=SCENARIOS[name](chance),
        earlier=tuple(earlier_route(chance, position) for position in range(routes - 1)),
        caller=chance.randrange(len(CALLERS)),
        edge=chance.randrange(edges),
    )


def _network(chance: Random) -> WireFaults:
    if chance.random() < 0.4:
        return PERFECT
    return WireFaults(
        loss=chance.choice((0.0, 0.1, 0.25)),
        duplication=chance.choice((0.0, 0.1, 0.3)),
        reordering=chance.choice((0.0, 0.1, 0.3)),
        delay=chance.choice((0.001, 0.005, 0.05)),
        hold=chance.choice((0.05, 0.5, 1.0)),
        most_losses=2,
    )


#: How long each fault lasts, from and to, in seconds. These are the faults that are planned.
_DURATIONS: dict[Fault, tuple[float, float]] = {
    Fault.POD_KILLED: (0.1, 10.0),
    Fault.POD_PAUSED: (0.1, 8.0),
    Fault.EDGE_KILLED: (0.1, 20.0),
    Fault.EDGE_LOST: (0.0, 0.0),
    Fault.EDGE_PAUSED: (0.1, 5.0),
    Fault.STREAM_BROKEN: (0.0, 0.0),
    Fault.STREAM_STALLED: (0.2, 4.0),
    Fault.STORE_CUT: (0.0, 0.0),
    Fault.STORE_SLOW: (0.5, 8.0),
    Fault.STORE_AWAY_SHORTLY: (0.05, 0.6),
    Fault.STORE_AWAY: (1.2, 15.0),
    Fault.STORE_ROLLED_BACK: (0.0, 0.0),
}
#: Death comes more often than the rest: it is what the design is about.
_WEIGHTS = {Fault.POD_KILLED: 4.0, Fault.EDGE_KILLED: 2.0, Fault.STORE_ROLLED_BACK: 0.5}


def _injection(
    chance: Random, tables: Edition, calls: tuple[PlannedCall, ...], edges: int, pods: int
) -> Injection:
    possible = [
        fault for fault in tuple(_DURATIONS)[: tables.faults] if fault is not Fault.EDGE_LOST or edges > 1
    ]
    (fault,) = chance.choices(possible, [_WEIGHTS.get(one, 1.0) for one in possible])
    near = chance.choice(calls).at + chance.expovariate(1.0)
    return Injection(
        fault=fault,
        at=chance.choice((near, near, near, chance.uniform(0.0, _TURBULENCE))),
        lasts=chance.uniform(*_DURATIONS[fault]),
        edge=chance.randrange(edges),
        pod=chance.randrange(pods),
        noticed=chance.choice((0.0, 0.0, 0.01, 6.0)),
        stage=chance.choice(("", "before", "after", "reply")) if fault is Fault.POD_KILLED else "",
        lag=chance.choice((0.05, 0.5, 2.0)),
    )
