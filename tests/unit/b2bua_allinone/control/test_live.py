"""What the control socket shows of the calls and transactions of a process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from b2bua_allinone.control.live import LiveCalls, call_line
from sipcore.testing.builders import invite
from support.call_driver import CallDriver
from support.edge_world import World

TRYING, ANSWERED = record.CALL_STATE_TRYING, record.CALL_STATE_ANSWERED


def a_call(state: record.CallState = record.CALL_STATE_CONFIRMED, call_id: str = "c@h") -> record.Call:
    return record.Call(
        key=f"key of {call_id}",
        state=state,
        legs=[
            record.Leg(
                call_id=call_id,
                state=record.LEG_STATE_CONFIRMED,
                remote_uri='"Alice" <sip:alice@192.0.2.1>',
                local_uri="<sip:200@198.51.100.1>",
                remote_target="sip:alice@192.0.2.1:5066;transport=tcp",
            ),
            record.Leg(
                index=1,
                call_id=f"{call_id}-b2b_1",
                state=record.LEG_STATE_CONFIRMED,
                local_uri="<sip:alice@198.51.100.1>",
                remote_uri="<sip:9200@192.0.2.2>",
                remote_target="sip:9200@192.0.2.99",
                sent=edge.Sent(address={"ip": "2001:db8::2", "port": 5070, "transport": "udp"}),
            ),
        ],
    )


class FakePod:
    """Holds records, and writes down which calls shall end."""

    def __init__(self, *calls: record.Call) -> None:
        self.held = calls
        self.ended: list[str] = []

    def active_keys(self) -> Sequence[str]:
        return [call.key for call in self.held if call.state != record.CALL_STATE_ENDED]

    def records(self, text: str = "") -> Iterable[record.Call]:
        return [call for call in self.held if text.encode() in call.SerializeToString()]

    def disconnect(self, call_key: str) -> None:
        self.ended.append(call_key)


def live(*calls: record.Call) -> tuple[LiveCalls, FakePod]:
    pod = FakePod(*calls)
    return LiveCalls(pod, World().core, lambda: 0.0), pod


def test_each_leg_shows_its_own_address() -> None:
    line = call_line(a_call())
    assert line.call_id == "c@h"
    assert line.state == "Connected"
    assert line.ingress is not None and line.egress is not None
    assert (line.ingress.state, line.ingress.peer) == ("Connected", "tcp:192.0.2.1:5066")
    assert (line.ingress.calling, line.ingress.called) == ("alice", "200")
    assert (line.egress.state, line.egress.peer) == ("Connected", "udp:[2001:db8::2]:5070")
    assert (line.egress.calling, line.egress.called) == ("alice", "9200")


def test_the_caller_is_where_the_invite_came_from() -> None:
    call = a_call(record.CALL_STATE_TRYING)
    call.invite.origin.source.CopyFrom(call.legs[1].sent.address)
    call.invite.origin.source.ip = "203.0.113.7"
    line = call_line(call)
    assert line.ingress is not None
    assert line.ingress.peer == "udp:203.0.113.7:5070"


@pytest.mark.parametrize(
    ("call_state", "leg_state", "changes", "shown"),
    [
        (
            record.CALL_STATE_TRYING,
            record.LEG_STATE_INVITING,
            {},
            ("ARComplete", "Trying(UAS)", "Trying(UAC)"),
        ),
        (
            record.CALL_STATE_TRYING,
            record.LEG_STATE_PROCEEDING,
            {},
            ("ARComplete", "Trying(UAS)", "Trying(UAC)"),
        ),
        (
            record.CALL_STATE_RINGING,
            record.LEG_STATE_PROCEEDING,
            {"alerting_time_ms": 1},
            ("ARComplete", "Ringing(UAS)", "Ringing(UAC)"),
        ),
        (
            record.CALL_STATE_RINGING,
            record.LEG_STATE_CANCELLING,
            {},
            ("ARComplete", "Ringing(UAS)", "Cancelling(UAC)"),
        ),
        (
            record.CALL_STATE_RINGING,
            record.LEG_STATE_ENDED,
            {"final_status": 486},
            ("ARComplete", "Ringing(UAS)", "Failed"),
        ),
        (
            record.CALL_STATE_ANSWERED,
            record.LEG_STATE_RELEASING,
            {},
            ("Connected", "Connected", "Disconnected"),
        ),
        (record.CALL_STATE_ANSWERED, record.LEG_STATE_ENDED, {}, ("Connected", "Connected", "Disconnected")),
    ],
)
def test_states(
    call_state: record.CallState,
    leg_state: record.LegState,
    changes: dict[str, int],
    shown: tuple[str, str, str],
) -> None:
    call = a_call(call_state)
    call.legs[1].state = leg_state
    for name, value in changes.items():
        setattr(call.legs[1], name, value)
    line = call_line(call)
    assert line.ingress is not None and line.egress is not None
    assert (line.state, line.ingress.state, line.egress.state) == shown


def test_a_call_without_a_callee() -> None:
    call = a_call(record.CALL_STATE_ROUTING)
    del call.legs[1]
    line = call_line(call)
    assert (line.state, line.egress) == ("WaitRoute", None)


def test_a_reinvite_shows_on_both_sides() -> None:
    call = a_call()
    call.relays.add(method="INVITE", from_leg=1, to_leg=0)
    line = call_line(call)
    assert line.ingress is not None and line.egress is not None
    assert (line.ingress.state, line.egress.state) == ("Updating(UAC)", "Updating(UAS)")


@pytest.mark.parametrize("target", ["", "tel:+1234", "nonsense"])
def test_a_target_that_says_no_address(target: str) -> None:
    call = a_call()
    call.legs[0].remote_target = target
    call.legs[0].remote_uri = "sip:192.0.2.1"
    line = call_line(call)
    assert line.ingress is not None
    assert (line.ingress.peer, line.ingress.calling) == ("N/A", "N/A")


def test_calls_that_are_over_are_not_shown() -> None:
    calls, _ = live(a_call(), a_call(record.CALL_STATE_ENDED, "over@h"))
    assert [line.call_id for line in calls.calls()] == ["c@h"]


def test_disconnecting_by_the_ingress_call_id() -> None:
    calls, pod = live(a_call(), a_call(call_id="d@h"), a_call(record.CALL_STATE_ENDED, "over@h"))
    assert calls.disconnect("d@h")
    assert not calls.disconnect("d@h-b2b_1")
    assert not calls.disconnect("over@h")
    assert pod.ended == ["key of d@h"]
    list(calls.disconnect_all())
    assert pod.ended == ["key of d@h", "key of c@h", "key of d@h"]


def test_no_call_has_media_that_could_time_out() -> None:
    assert not live(a_call())[0].media_timeout("1", None)


def test_transactions_with_their_age() -> None:
    world = World()
    world.open_call(invite(call_id="t@h"))
    _, sent = world.place()
    assert sent is not None
    calls = LiveCalls(FakePod(), world.core, lambda: world.now + 7.0)
    (server,) = calls.server_transactions()
    assert (server.id, server.method, server.state) == ("t@h/1/z9hG4bK-1", "INVITE", "PROCEEDING")
    (client,) = calls.client_transactions()
    assert (client.id, client.method) == (f"call-1-b2b_1/1/{sent.via.branch}", "INVITE")
    assert (server.age, client.age) == (7.0, 7.0)


def test_the_calls_of_a_real_pod() -> None:
    driver = CallDriver()
    driver.invite()
    calls = LiveCalls(driver.pod, World().core, lambda: 0.0)
    (line,) = calls.calls()
    assert (line.call_id, line.state) == ("call-1", "ARComplete")
    assert not calls.disconnect("call")
    assert calls.disconnect("call-1")
    assert list(calls.calls()) == []
