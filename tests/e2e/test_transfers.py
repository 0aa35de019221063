"""Transfers that the product carries out, by user agents on sockets, through both forms of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from support.lines import Line
from support.pairs import Pair
from support.ua import CalleeCall, Dialog, sdp

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
