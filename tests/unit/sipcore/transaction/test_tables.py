"""Every (state, event) of every machine is decided, and the rows that run say what the tables say."""

import dataclasses
from typing import Any

import pytest

from sipcore.timers import ZERO_WHEN_RELIABLE, Wait
from sipcore.transaction.provisional import PROVISIONAL
from sipcore.transaction.tables import (
    CLIENT_INVITE,
    CLIENT_NON_INVITE,
    SERVER_INVITE,
    SERVER_NON_INVITE,
    Action,
    ClientState,
    Machine,
    Repeat,
    ServerState,
)

MACHINES = [CLIENT_INVITE, CLIENT_NON_INVITE, SERVER_INVITE, SERVER_NON_INVITE, PROVISIONAL]


@pytest.fixture(params=MACHINES, ids=lambda machine: machine.name)
def machine(request: pytest.FixtureRequest) -> Machine[Any, Any]:
    machine: Machine[Any, Any] = request.param
    return machine


def test_every_pair_is_decided_exactly_once(machine: Machine[Any, Any]) -> None:
    for state in machine.states:
        for event in machine.events:
            homes = [
                where
                for where in (machine.table, machine.ignored, machine.illegal)
                if (state, event) in where
            ]
            assert len(homes) == 1, (state, event)


def test_no_pair_is_outside_the_machine(machine: Machine[Any, Any]) -> None:
    for state, event in [*machine.table, *machine.ignored, *machine.illegal]:
        assert state in machine.states
        assert event in machine.events


def test_a_table_with_a_gap_is_refused(machine: Machine[Any, Any]) -> None:
    state, event = next(iter(machine.table))
    table = {pair: outcome for pair, outcome in machine.table.items() if pair != (state, event)}
    with pytest.raises(ValueError, match=machine.name):
        dataclasses.replace(machine, table=table)


def test_every_state_can_be_reached_and_can_end(machine: Machine[Any, Any]) -> None:
    steps = {
        state: {o.state for (s, _), o in machine.table.items() if s is state} for state in machine.states
    }
    first = machine.states[0]
    assert _reach(steps, first) | {first} == set(machine.states)
    terminated = next(state for state in machine.states if state.name == "TERMINATED")
    assert all(terminated in _reach(steps, state) for state in machine.states if state is not terminated)
    assert not steps[terminated]


def _reach(steps: dict[Any, set[Any]], start: Any) -> set[Any]:
    seen: set[Any] = set()
    todo = [start]
    while todo:
        new = steps[todo.pop()] - seen
        seen |= new
        todo += new
    return seen


def test_termination_is_always_said_and_stops_both_clocks(machine: Machine[Any, Any]) -> None:
    for outcome in machine.table.values():
        ends = outcome.state.name == "TERMINATED"
        assert (Action.TERMINATE in outcome.actions) is ends
        assert ((outcome.repeat, outcome.wait) == (Repeat.STOP, Wait.STOP)) is ends


@pytest.mark.parametrize("reliable", [False, True])
def test_rows_follow_the_table(machine: Machine[Any, Any], reliable: bool) -> None:
    rows = machine.rows(reliable=reliable)
    for state in machine.states:
        for event in machine.events:
            row = rows[state][event]
            if (state, event) in machine.illegal:
                assert row is None
            elif (state, event) in machine.ignored:
                assert row == (state, (), Repeat.KEEP, Wait.KEEP)
            else:
                assert row is not None
                outcome = machine.table[state, event]
                assert row.actions[: len(outcome.actions)] == outcome.actions
                assert reliable or row == outcome


def test_reliable_rows_never_wait_for_repetitions(machine: Machine[Any, Any]) -> None:
    for row in machine.rows(reliable=True):
        for outcome in row:
            assert outcome is None or outcome.wait not in ZERO_WHEN_RELIABLE
            assert outcome is None or outcome.repeat is not Repeat.FIRST


@pytest.mark.parametrize(
    ("machine", "states"),
    [
        (CLIENT_INVITE, set(ClientState) - {ClientState.TRYING}),
        (SERVER_INVITE, set(ServerState)),
    ],
    ids=["client", "server"],
)
def test_an_invite_uses_the_states_of_rfc_6026(machine: Machine[Any, Any], states: set[Any]) -> None:
    assert set(machine.states) == states
