"""Calls over a network that loses, repeats and reorders: each ends well, on both sides, and here."""

import pytest

from sipcore.testing.agent import ScriptedAgent
from sipcore.testing.script import CallState, Script
from sipcore.testing.wire import Faults
from support.simulation.one_process import Simulation

LOSSY = Faults(loss=0.2, duplication=0.2, reordering=0.2)

#: Longer than any timer of a call that ends: three times 64*T1, and the tombstone.
LONG = 200.0

#: caller's script, callee's script
CALLS = {
    "caller hangs up": (Script(hangup_after=1.0), Script()),
    "callee hangs up": (Script(), Script(hangup_after=1.0)),
    "busy": (Script(), Script(status=486)),
    "cancel while ringing": (Script(cancel_after=1.0), Script(answer_after=None)),
    "cancel before ringing": (Script(cancel_after=0.0), Script(ring_after=None, answer_after=5.0)),
    "cancel crossing 200": (Script(cancel_after=0.5), Script(answer_after=0.5)),
    "re-INVITE of the caller": (Script(reinvite_after=0.5, hangup_after=30.0), Script()),
    "re-INVITE of the callee": (Script(hangup_after=30.0), Script(reinvite_after=0.5)),
    "glare": (Script(reinvite_after=0.5, hangup_after=30.0), Script(reinvite_after=0.5)),
    "both hang up": (Script(hangup_after=1.0), Script(hangup_after=1.0)),
    "INFO": (Script(info_after=0.5, hangup_after=10.0), Script(info_after=0.7)),
}


def assert_over(simulation: Simulation, agent: ScriptedAgent) -> None:
    assert all(call.state is CallState.ENDED for call in agent.calls)
    assert not agent.busy


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", CALLS)
def test_every_call_ends_on_both_sides(name: str, seed: int) -> None:
    caller, callee = CALLS[name]
    simulation = Simulation(seed, LOSSY, callee=callee)
    for _ in range(4):
        simulation.call(caller)
        simulation.run(0.3)
    simulation.run(LONG)
    assert_over(simulation, simulation.caller)
    assert_over(simulation, simulation.callee)
    assert simulation.pod.cached_calls == 0
    assert simulation.store.active == set()
    assert simulation.edge.core.open_transactions == 0


@pytest.mark.parametrize("name", CALLS)
def test_a_call_on_a_perfect_network_repeats_nothing(name: str) -> None:
    caller, callee = CALLS[name]
    simulation = Simulation(0, callee=callee)
    simulation.call(caller)
    simulation.run(LONG)
    assert_over(simulation, simulation.caller)
    assert_over(simulation, simulation.callee)
    assert simulation.pod.cached_calls == 0
    seen = [passage.data for passage in simulation.wire.log]
    assert len(seen) == len(set(seen))
