"""Transfers that the product carries out, by user agents on sockets, through both forms of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from support.lines import Line
from support.pairs import Pair
from support.ua import CalleeCall, Dialog, sdp, tag_of

OpenLine = Callable[..., Line]
REFER_TO = ("Refer-To", "<sip:carol@elsewhere.invalid>")


@pytest.fixture
def pair(form: str, open_line: OpenLine) -> Iterator[Pair]:
    """Two user agents, through a product that carries transfers out."""
    with Pair.on(open_line(form, transfer="perform")) as ends:
        yield ends


def refer(side: Dialog) -> None:
    """Ask for a transfer, and hear that it is being tried."""
    side.settle(side.begin("REFER", extra=[REFER_TO]), 202)
    hear_progress(side, "100 Trying", "active")


def hear_progress(side: Dialog, status: str, state: str) -> None:
    """Wait for a NOTIFY and answer it."""
    notify = side.hear_progress(status)
    assert notify.header("subscription-state").startswith(state)
    assert notify.header("event") == "refer"


def rings(pair: Pair, transferor: Dialog) -> CalleeCall:
    """The target rings, and the transferor hears of it."""
    target = pair.callee.call(pair.caller, user="carol")
    assert not target.invite.body
    assert target.invite.header("referred-by")
    target.ring()
    hear_progress(transferor, "180 Ringing", "active")
    return target


def connect(target: CalleeCall, transferee: Dialog) -> None:
    """The target picks up; both hear each other."""
    target.pick_up()
    offer = transferee.hear("INVITE")
    assert offer.body == sdp("callee")
    transferee.answer(offer, 200, "OK", body=sdp("transferee"))
    assert target.hear_ack().body == sdp("transferee")
    transferee.hear("ACK")


def hang_up(first: Dialog, second: Dialog) -> None:
    bye = first.begin("BYE")
    second.hear_bye()
    first.settle(bye)


@pytest.mark.parametrize("by", ["caller", "callee"])
def test_blind_transfer(pair: Pair, by: str) -> None:
    call = pair.established()
    transferor, transferee = (pair.caller, call) if by == "caller" else (call, pair.caller)
    refer(transferor)
    target = rings(pair, transferor)
    connect(target, transferee)
    hear_progress(transferor, "200 OK", "terminated")
    transferor.hear_bye()
    hang_up(target, transferee)


@pytest.mark.parametrize("by", ["caller", "callee"])
def test_transferor_hangs_up_while_the_target_rings(pair: Pair, by: str) -> None:
    call = pair.established()
    transferor, transferee = (pair.caller, call) if by == "caller" else (call, pair.caller)
    refer(transferor)
    target = rings(pair, transferor)
    transferor.settle(transferor.begin("BYE"))
    connect(target, transferee)
    hang_up(transferee, target)


def test_busy_target(pair: Pair) -> None:
    call = pair.established()
    refer(pair.caller)
    target = pair.callee.call(pair.caller, user="carol")
    target.respond(486, "Busy Here")
    hear_progress(pair.caller, "486 Busy Here", "terminated")
    pair.hang_up(call)


def test_transferee_hangs_up_while_the_target_rings(pair: Pair) -> None:
    call = pair.established()
    refer(pair.caller)
    target = rings(pair, pair.caller)
    bye = call.begin("BYE")
    cancel = target.hear("CANCEL")
    target.answer(cancel, 200, "OK")
    target.respond(487, "Request Terminated")
    pair.caller.hear_bye()
    call.settle(bye)


def replaces(side: Dialog) -> str:
    """The value of Replaces that names a dialog as its other side knows it."""
    return f"{side.call_id};to-tag={tag_of(side.remote)};from-tag={tag_of(side.local)}"


@pytest.mark.parametrize("by", ["caller", "callee"])
def test_attended_transfer(pair: Pair, by: str) -> None:
    """The transferor talks to the target first: two calls of ours become one way."""
    first = pair.established()
    with pair.another("carol") as consultation:
        target = consultation.established()
        # Either end of the consultation may be the one who brings the others together.
        transferor, transferee = (pair.caller, first) if by == "caller" else (first, pair.caller)
        there = consultation.caller
        refer_to = f"<sip:carol@{there.next_hop[0]}?Replaces={quote(replaces(there))}>"
        transferor.settle(transferor.begin("REFER", extra=[("Refer-To", refer_to)]), 202)
        hear_progress(transferor, "100 Trying", "active")
        asked = target.hear("INVITE")
        assert not asked.body
        target.answer(asked, 200, "OK", body=sdp("target"))
        there.hear_bye()
        offered = transferee.hear("INVITE")
        assert offered.body == sdp("target")
        transferee.answer(offered, 200, "OK", body=sdp("transferee"))
        assert target.hear("ACK").body == sdp("transferee")
        transferee.hear("ACK")
        hear_progress(transferor, "200 OK", "terminated")
        transferor.hear_bye()
        hang_up(target, transferee)


def test_attended_transfer_whose_consultation_is_over(pair: Pair) -> None:
    call = pair.established()
    with pair.another("carol") as consultation:
        target = consultation.established()
        gone = quote(replaces(consultation.caller))
        consultation.hang_up(target)
        refer_to = ("Refer-To", f"<sip:carol@127.0.0.1?Replaces={gone}>")
        pair.caller.settle(pair.caller.begin("REFER", extra=[refer_to]), 202)
        hear_progress(pair.caller, "100 Trying", "active")
        hear_progress(pair.caller, "603 Decline", "terminated")
        pair.hang_up(call)


def test_invite_with_replaces(pair: Pair) -> None:
    """Somebody takes the caller's place, as after a transfer that was passed on."""
    call = pair.established()
    with pair.another("bob") as newcomer:
        newcomer.caller.invite(body=sdp("newcomer"), extra=[("Replaces", replaces(pair.caller))])
        offered = call.hear("INVITE")
        assert offered.body == sdp("newcomer")
        call.answer(offered, 200, "OK", body=sdp("callee again"))
        assert newcomer.caller.hear_status(200).body == sdp("callee again")
        newcomer.caller.acknowledge()
        call.hear("ACK")
        pair.caller.hear_bye()
        hang_up(newcomer.caller, call)


def test_invite_with_replaces_of_an_unknown_dialog(pair: Pair) -> None:
    call = pair.established()
    with pair.another("bob") as newcomer:
        newcomer.caller.invite(extra=[("Replaces", "nobody@nowhere;to-tag=1;from-tag=2")])
        newcomer.caller.acknowledge_failure(newcomer.caller.hear_status(481))
    pair.hang_up(call)
