"""Whatever happens to a transaction or on the wire, everything comes to an end and nothing is left behind."""

import math
import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sipcore.errors import LocalProtocolError
from sipcore.testing import CallState, Clock, Faults, Kind, Script, ScriptedAgent, Wire
from sipcore.transaction import (
    Action,
    ClientState,
    ClientTransaction,
    ReliableProvisional,
    ServerState,
    ServerTransaction,
)

STATUS = st.sampled_from((100, 180, 183, 200, 202, 302, 404, 487, 600))
METHOD = st.sampled_from(("INVITE", "BYE"))
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("message", "timer", "cancel", "ack", "repeat", "error")),
        STATUS,
        st.floats(0.0, 40.0),
    ),
    max_size=20,
)
FINALS = (Action.TIMEOUT, Action.TRANSPORT_FAILED)


def finish(transaction: ClientTransaction | ServerTransaction | ReliableProvisional) -> list[Action]:
    """Fires all timers that are left."""
    done: list[Action] = []
    while transaction.deadline != math.inf:
        done += transaction.on_timer(transaction.deadline)
    return done


@given(METHOD, st.booleans(), STEPS)
def test_client_transactions_give_one_outcome_and_end(
    method: str, reliable: bool, steps: list[tuple[str, int, float]]
) -> None:
    transaction = ClientTransaction(branch="b", method=method, reliable=reliable)
    done = Counter(transaction.start(0.0))
    outcomes = 0
    now = 0.0
    for what, status, pause in steps:
        now += pause
        before = transaction.state, transaction.deadline
        try:
            if what == "message":
                actions = transaction.on_response(status, now)
                outcomes += status >= 300 and Action.PASS_RESPONSE in actions
                outcomes += method == "BYE" and 200 <= status < 300 and Action.PASS_RESPONSE in actions
            elif what == "timer":
                actions = transaction.on_timer(now)
            elif what == "cancel":
                actions = transaction.expect_end(now)
            else:
                actions = transaction.on_transport_error(now)
        except LocalProtocolError:
            assert before == (transaction.state, transaction.deadline)
            continue
        done.update(actions)
    done.update(finish(transaction))
    assert transaction.state is ClientState.TERMINATED
    assert done[Action.TERMINATE] == 1
    assert outcomes + sum(done[action] for action in FINALS) <= 1
    assert outcomes + sum(done[action] for action in FINALS) + done[Action.PASS_RESPONSE] >= 1


@given(METHOD, st.booleans(), STEPS)
def test_server_transactions_never_break_and_end_after_a_final_response(
    method: str, reliable: bool, steps: list[tuple[str, int, float]]
) -> None:
    transaction = ServerTransaction(method, reliable)
    done: Counter[Action] = Counter()
    now = 0.0
    for what, status, pause in steps:
        now += pause
        if what == "message":
            done.update(transaction.on_send(status, now))
        elif what == "timer":
            done.update(transaction.on_timer(now))
        elif what == "ack":
            done.update(transaction.on_ack(now))
        elif what == "repeat":
            done.update(transaction.on_request(now))
        elif what == "error":
            done.update(transaction.on_transport_error(now))
    done.update(transaction.on_send(500, now))
    done.update(finish(transaction))
    assert transaction.state is ServerState.TERMINATED
    assert done[Action.TERMINATE] == 1
    assert done[Action.PASS_ACK] + done[Action.ACK_MISSING] <= 1


@given(
    st.lists(st.tuples(st.sampled_from(("prack", "overtaken", "timer")), st.floats(0.0, 40.0)), max_size=9)
)
def test_reliable_provisionals_end_once_and_complain_only_when_nobody_spoke(
    steps: list[tuple[str, float]],
) -> None:
    provisional = ReliableProvisional()
    done = Counter(provisional.start(0.0))
    now = 0.0
    for what, pause in steps:
        now += pause
        if what == "prack":
            done.update(provisional.on_prack(now))
        elif what == "overtaken":
            done.update(provisional.on_overtaken(now))
        else:
            done.update(provisional.on_timer(now))
    done.update(finish(provisional))
    assert done[Action.TERMINATE] == 1
    assert done[Action.SEND_RESPONSE] <= 7
    assert done[Action.PRACK_MISSING] <= 1


DELAY = st.sampled_from((0.0, 0.1, 0.5, 0.505, 0.51, 2.0, 8.0))
MAYBE = st.none() | DELAY
CALLER = st.builds(
    Script,
    cancel_after=MAYBE,
    reinvite_after=MAYBE,
    info_after=MAYBE,
    hangup_after=DELAY,
    reinvite_status=st.sampled_from((200, 488)),
    offer=st.sampled_from((Script().offer, b"")),
)
CALLEE = st.builds(
    Script,
    ring_after=MAYBE,
    answer_after=DELAY,
    status=st.sampled_from((200, 200, 302, 486, 603)),
    reinvite_after=MAYBE,
    info_after=MAYBE,
    hangup_after=MAYBE,
    reinvite_status=st.sampled_from((200, 488)),
)


@given(st.integers(0, 2**32), st.lists(st.tuples(CALLER, CALLEE), min_size=1, max_size=4))
def test_every_call_ends_on_both_sides_of_a_bad_wire(seed: int, scripts: list[tuple[Script, Script]]) -> None:
    clock = Clock()
    faults = Faults(loss=0.2, duplication=0.1, reordering=0.2)
    wire = Wire(clock, random.Random(seed).random, faults)
    alice = ScriptedAgent.on_wire("alice", ("192.0.2.1", 5060), wire, clock)
    bob = ScriptedAgent.on_wire(
        "bob", ("192.0.2.2", 5060), wire, clock, script=lambda invite: scripts[int(invite.uri[4])][1]
    )
    for number, (script, _) in enumerate(scripts):
        alice.call(f"sip:{number}@192.0.2.2", script=script)
    clock.run_until_idle()
    for agent in (alice, bob):
        assert not agent.busy
        assert all(call.state is CallState.ENDED and call.ending is not None for call in agent.calls)
        assert Counter(record.call_id for record in agent.happened(Kind.ENDED)) == Counter(
            call.call_id for call in agent.calls
        )
    for call in bob.calls:
        finals = [r.status for r in bob.happened(Kind.RESPONSE_SENT, "INVITE") if r.call_id == call.call_id]
        assert sum(status >= 200 for status in finals) >= 1
        assert call.status in finals
