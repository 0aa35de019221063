"""Messages that cross or come again, by user agents on sockets, through both forms of the product."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.lines import Line
from support.pairs import Pair


@pytest.fixture
def pair(line: Line) -> Iterator[Pair]:
    """Two user agents; afterwards the product has forgotten the call."""
    with Pair.on(line) as ends:
        yield ends


def test_answer_crosses_cancel(pair: Pair) -> None:
    """The callee picks up as the caller gives up: 487 for the caller, ACK and BYE for the callee."""
    call = pair.ringing()
    pair.caller.cancel()
    cancel = call.hear("CANCEL")
    call.pick_up()
    call.answer(cancel, 200, "OK")
    call.hear_ack()
    call.hear_bye()
    pair.caller.acknowledge_failure(pair.caller.hear_status(487))
    assert len(pair.caller.final_tags) == 1


def test_cancelled_invite_keeps_its_tag(pair: Pair) -> None:
    """The 487 is of the dialog that the 180 began."""
    call = pair.ringing()
    pair.caller.cancel()
    call.answer(call.hear("CANCEL"), 200, "OK")
    call.respond(487, "Request Terminated")
    refusal = pair.caller.hear_status(487)
    pair.caller.acknowledge_failure(refusal)
    ringing = next(message for message in pair.caller.endpoint.seen if message.status == 180)
    assert refusal.to_tag == ringing.to_tag


def test_each_repeated_200_is_acknowledged(pair: Pair) -> None:
    call = pair.established()
    for repeats in (2, 3, 4):
        call.pick_up()
        call.hear_ack()
        assert pair.acks() == repeats
    pair.hang_up(call)
    assert len(pair.caller.final_tags) == 1


def test_repeated_invite_is_one_call(pair: Pair) -> None:
    """Each repeat of the INVITE is answered with what was last answered, and reaches nobody else."""
    call = pair.ringing()
    pair.caller.endpoint.send(pair.caller.invite_data, pair.caller.next_hop or ("", 0))
    pair.caller.hear_status(180)
    call.pick_up()
    pair.caller.hear_status(200)
    pair.caller.acknowledge()
    call.hear_ack()
    pair.hang_up(call)
    assert len(pair.callee.invites(pair.caller)) == 1


def test_repeated_bye_is_answered_again(pair: Pair) -> None:
    call = pair.established()
    bye = pair.caller.begin("BYE")
    call.hear_bye()
    pair.caller.settle(bye)
    pair.caller.repeat(bye)
    pair.caller.settle(bye)


def test_both_hang_up_at_once(pair: Pair) -> None:
    """Both BYEs are answered 200."""
    call = pair.established()
    callers_bye = pair.caller.begin("BYE")
    callees_bye = call.begin("BYE")
    pair.caller.settle(callers_bye)
    call.settle(callees_bye)
    call.hear_bye()


def test_reinvites_meet(pair: Pair) -> None:
    """Glare (RFC 3261 14.1): both sides are refused with 491, and the call stays up."""
    call = pair.established()
    mine = pair.caller.begin("INVITE", body="v=0\r\n")
    theirs = call.begin("INVITE", body="v=0\r\n")
    heard = call.hear("INVITE")
    call.answer(heard, 491, "Request Pending")
    call.settle(theirs, 491)
    call.acknowledge_refusal(theirs)
    pair.caller.settle(mine, 491)
    pair.caller.acknowledge_refusal(mine)
    pair.hang_up(call)
