"""Provisionals that the edge repeats until their PRACK (RFC 3262 3)."""

from typing import Any

import pytest

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain import DropReason
from sipcore.message import Response
from sipcore.testing.builders import cancel_of, invite
from support.edge_world import IDENTITY, World, in_dialog


def _ring(world: World, event: edge_pb2.Event, rseq: int = 1, status: int = 180, **fields: Any) -> Response:
    headers = [{"name": "Require", "value": "100rel"}, {"name": "RSeq", "value": str(rseq)}]
    world.respond(event, status, rseq=rseq, headers=headers, contact=True, **fields)
    answer = world.sent()
    assert isinstance(answer, Response)
    return answer


def _prack(event: edge_pb2.Event, rack: str = "1 1 INVITE", **fields: Any) -> bytes:
    return in_dialog("PRACK", event, headers=[("RAck", rack)] if rack else [], **fields)


def test_is_repeated_until_its_prack_which_call_control_answers() -> None:
    world = World()
    world.core.greeted(IDENTITY, ["rack"])
    event = world.open_call()
    answer = _ring(world, event)
    assert answer.headers.get("rseq") == "1"
    world.pass_time(1.5)
    first, second = world.packets()
    assert first.data == second.data
    assert first.message == answer
    world.receive(_prack(event))
    told = world.event()
    assert told.call_key == event.call_key
    assert told.request.origin.method == "PRACK"
    assert [(header.name, header.value) for header in told.request.headers] == [("RAck", "1 1 INVITE")]
    world.pass_time(20)
    assert not world.packets()
    world.respond(told, 200)
    assert world.lines() == ["200"]
    assert not world.drops()


def test_that_nobody_acknowledges_is_told_after_64_t1() -> None:
    world = World()
    event = world.open_call()
    _ring(world, event, 7)
    world.pass_time(31.9)
    assert world.lines() == ["180"] * 6
    assert not world.events()
    world.pass_time(0.2)
    told = world.event()
    assert told.call_key == event.call_key
    missing = told.provisional_unacknowledged
    assert (missing.transaction, missing.rseq) == (event.request.transaction, 7)
    world.pass_time(100)
    assert not world.packets()
    assert not world.events()


@pytest.mark.parametrize(
    ("rack", "fields"),
    [
        ("2 1 INVITE", {}),
        ("1 2 INVITE", {}),
        ("1 1 BYE", {}),
        ("1 1", {}),
        ("x 1 INVITE", {}),
        ("", {}),
        ("1 1 INVITE", {"from_tag": "mallory"}),
        ("1 1 INVITE", {"call_id": "another"}),
    ],
)
def test_prack_for_something_else_does_not_stop_it(rack: str, fields: dict[str, Any]) -> None:
    world = World()
    event = world.open_call()
    _ring(world, event)
    world.receive(_prack(event, rack, **fields))
    assert world.event().request.origin.method == "PRACK"
    world.pass_time(0.5)
    assert world.lines() == ["180"]


@pytest.mark.parametrize("status", [200, 486])
def test_final_answer_ends_the_repeats(status: int) -> None:
    world = World()
    event = world.open_call()
    _ring(world, event)
    world.respond(event, status)
    world.pass_time(31.9)
    assert set(world.lines()) == {str(status)}


def test_487_of_the_edge_itself_ends_the_repeats() -> None:
    world = World()
    event = world.open_call()
    _ring(world, event)
    world.receive(cancel_of(invite()))
    world.pass_time(4.1)
    world.packets()
    world.pass_time(20)
    assert set(world.lines()) == {"487"}


def test_newer_one_replaces_the_older() -> None:
    world = World()
    event = world.open_call()
    _ring(world, event, 1, 183)
    _ring(world, event, 2, 180)
    world.pass_time(0.5)
    assert world.lines() == ["180"]
    world.receive(_prack(event, "1 1 INVITE"))
    world.pass_time(1)
    assert world.lines() == ["180"]
    world.receive(_prack(event, "2 1 INVITE", cseq=3))
    world.pass_time(40)
    assert not world.packets()


def test_ordinary_one_in_between_does_not_end_the_repeats() -> None:
    world = World()
    event = world.open_call()
    _ring(world, event, 1, 183)
    world.respond(event, 182)
    assert world.lines() == ["182"]
    world.pass_time(0.5)
    assert world.lines() == ["183"]
    world.receive(invite())
    assert world.lines() == ["182"]


def test_stop_ends_the_repeats_and_leaves_the_transaction_open() -> None:
    world = World()
    event = world.open_call()
    _ring(world, event)
    command = world.command(event.call_key, stop={"transaction": event.request.transaction})
    assert (event.call_key, command.id) in world.done()
    world.pass_time(40)
    assert not world.packets()
    assert not world.events()
    world.respond(event, 200)
    assert world.lines() == ["200"]
    assert not world.drops()


def test_is_repeated_by_an_edge_that_never_saw_the_invite() -> None:
    event = World().open_call()
    world = World()
    _ring(world, event)
    world.pass_time(0.5)
    assert world.lines() == ["180"]
    world.receive(_prack(event))
    world.pass_time(40)
    assert not world.packets()


def test_of_a_re_invite_is_acknowledged_by_its_own_cseq() -> None:
    world = World()
    event = World().open_call()
    world.receive(in_dialog("INVITE", event, cseq=5, contact="sip:a@192.0.2.1"))
    world.packets()
    again = world.event()
    _ring(world, again, 3, 183, to_tag="")
    world.receive(_prack(event, "3 1 INVITE", cseq=6))
    world.pass_time(0.5)
    assert world.lines() == ["183"]
    world.receive(_prack(event, "3 5 INVITE", cseq=7))
    world.pass_time(5)
    assert not world.packets()


def test_over_tcp_it_is_repeated_too() -> None:
    world = World()
    flow = world.core.flow_opened("tcp", ("192.0.2.1", 33000), world.now)
    assert flow is not None
    world.core.receive_stream(flow, invite(via="SIP/2.0/TCP 192.0.2.1:5060"), world.now)
    world.packets()
    _ring(world, world.event())
    world.pass_time(0.5)
    assert [packet.via for packet in world.packets()] == [flow]


def test_that_comes_too_late_is_not_repeated() -> None:
    world = World()
    event = world.open_call()
    world.respond(event, 486)
    world.packets()
    world.respond(event, 180, rseq=1)
    assert world.drops() == {DropReason.LATE_ANSWER: 1}
    world.pass_time(0.4)
    assert not world.packets()
