"""INVITE with Replaces: somebody takes the place of a side of the call."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from sipcore.session_timer import Wish
from support.call_driver import ANSWER, OFFER, CallDriver, RecordingPort, value_of

NEW_OFFER = sip_pb2.Body(data=b"v=0 newcomer", content_type="application/sdp")
NEW_ANSWER = sip_pb2.Body(data=b"v=0 stays", content_type="application/sdp")
NEWCOMER = 2


def up(**policy: object) -> CallDriver:
    driver = CallDriver(**policy)
    driver.confirmed()
    return driver


def leg_of(driver: CallDriver, request: edge.SendRequest) -> int:
    read = driver.identity.read_tag(request.from_tag)
    assert read is not None
    return read[1]


def of(commands: Sequence[edge.Command], method: str) -> list[edge.SendRequest]:
    return [one.send_request for one in commands if one.send_request.method == method]


def answers(commands: Sequence[edge.Command]) -> list[edge.Respond]:
    return [one.respond for one in commands if one.HasField("respond")]


def invited(driver: CallDriver, replaced: int, body: sip_pb2.Body | None = NEW_OFFER) -> edge.SendRequest:
    """The newcomer calls; return the re-INVITE to the side that stays."""
    driver.newcomer(driver.dialog(replaced), body=body)
    (reinvite,) = driver.requests("INVITE")
    return reinvite


def taken(driver: CallDriver, replaced: int) -> list[edge.Command]:
    """The side that stays accepts the newcomer; return what was told."""
    reinvite = invited(driver, replaced)
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=NEW_ANSWER)
    return driver.commands()


@pytest.mark.parametrize("replaced", [0, 1])
def test_the_newcomer_is_connected_and_the_one_replaced_hung_up(replaced: int) -> None:
    driver = up()
    reinvite = invited(driver, replaced)
    assert (leg_of(driver, reinvite), reinvite.body) == (1 - replaced, NEW_OFFER)
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=NEW_ANSWER)
    commands = driver.commands()
    (answer,) = answers(commands)
    assert (answer.status, answer.body, answer.peer_tag) == (200, NEW_ANSWER, "newcomer-1")
    assert driver.identity.read_tag(answer.to_tag) == (driver.key, NEWCOMER)
    (bye,) = of(commands, "BYE")
    assert leg_of(driver, bye) == replaced
    driver.in_dialog("ACK", 1, leg=NEWCOMER)
    driver.response(200, bye.branch, method="BYE", cseq=bye.cseq)
    call = driver.call
    assert call is not None
    assert sorted(call.connected) == sorted([1 - replaced, NEWCOMER])
    assert not call.relays
    driver.in_dialog("BYE", 2, leg=NEWCOMER)
    assert [leg_of(driver, one) for one in driver.requests("BYE")] == [1 - replaced]
    driver.pass_time(80)
    assert driver.call is None


def test_a_newcomer_without_offer_gets_one() -> None:
    driver = up()
    reinvite = invited(driver, 0, body=None)
    assert not reinvite.body.data
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=NEW_OFFER)
    commands = driver.commands()
    assert answers(commands)[0].body == NEW_OFFER
    assert not of(commands, "ACK")
    driver.in_dialog("ACK", 1, leg=NEWCOMER, body=NEW_ANSWER)
    (ack,) = driver.requests("ACK")
    assert (leg_of(driver, ack), ack.body) == (1, NEW_ANSWER)


def test_requests_of_the_newcomer_go_where_its_contact_says() -> None:
    driver = up()
    taken(driver, 0)
    driver.in_dialog("ACK", 1, leg=NEWCOMER)
    driver.in_dialog("INFO", 1, leg=1)
    (info,) = driver.requests("INFO")
    assert info.request_uri == "sip:new@192.0.2.77"
    driver.in_dialog("INVITE", 2, leg=NEWCOMER, body=OFFER)
    (reinvite,) = driver.requests("INVITE")
    assert leg_of(driver, reinvite) == 1


def test_each_leg_has_its_times() -> None:
    driver = up()
    driver.time[0] += 5_000
    taken(driver, 0)
    driver.time[0] += 5_000
    driver.in_dialog("BYE", 2, leg=1)
    assert driver.call is not None
    legs = driver.call.legs
    start = 1_000_000
    assert [leg.connect_time_ms - start for leg in legs] == [0, 0, 5_000]
    assert [leg.end_time_ms - start for leg in legs] == [5_000, 10_000, 10_000]


def test_what_the_route_says_is_not_for_the_newcomer() -> None:
    driver = CallDriver("192.0.2.1;ash=X-Route%3A 7;op=192.0.2.5")
    driver.confirmed()
    taken(driver, 0)
    driver.in_dialog("ACK", 1, leg=NEWCOMER)
    driver.in_dialog("INFO", 1, leg=1)
    (info,) = driver.requests("INFO")
    assert value_of(info.headers, "X-Route") is None
    assert info.target.uri == "sip:new@192.0.2.77"


@pytest.mark.parametrize("status", [486, 488])
def test_a_newcomer_that_is_refused_changes_nothing(status: int) -> None:
    driver = up()
    reinvite = invited(driver, 0)
    driver.response(status, reinvite.branch, cseq=reinvite.cseq)
    assert [one.status for one in answers(driver.commands())] == [status]
    driver.confirm_all()
    driver.in_dialog("INFO", 2)
    assert [leg_of(driver, one) for one in driver.requests("INFO")] == [1]
    driver.in_dialog("BYE", 3)
    driver.pass_time(80)
    assert driver.call is None


def test_a_newcomer_that_gives_up_changes_nothing() -> None:
    driver = up()
    reinvite = invited(driver, 0)
    request = driver.request("CANCEL", 1, branch="z9hG4bKnewcomer1")
    request.cancel_answered = True
    driver.tell(driver.event(request=request))
    commands = driver.commands()
    assert [one.status for one in answers(commands)] == [487]
    assert [one.cancel.branch for one in commands if one.HasField("cancel")] == [reinvite.branch]
    # The side that stays had accepted already: it gets its old session back.
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=NEW_ANSWER)
    (again,) = driver.requests("INVITE")
    assert (leg_of(driver, again), again.body) == (1, OFFER)
    driver.response(200, again.branch, cseq=again.cseq, body=ANSWER)
    driver.in_dialog("INFO", 2)
    assert [leg_of(driver, one) for one in driver.requests("INFO")] == [1]


def test_the_one_to_be_replaced_hangs_up_meanwhile() -> None:
    driver = up()
    reinvite = invited(driver, 0)
    driver.in_dialog("BYE", 2)
    commands = driver.commands()
    assert sorted(one.status for one in answers(commands)) == [200, 487]
    assert [one.cancel.branch for one in commands if one.HasField("cancel")] == [reinvite.branch]
    driver.pass_time(80)
    assert driver.call is None


def test_a_newcomer_that_never_acknowledges_ends_the_call() -> None:
    driver = up()
    taken(driver, 0)
    driver.pass_time(33)
    assert {leg_of(driver, one) for one in driver.requests("BYE")} >= {1, NEWCOMER}
    driver.pass_time(80)
    assert driver.call is None


def test_a_session_timer_is_granted() -> None:
    driver = up(session=Wish(interval=1800))
    headers = (("Session-Expires", "600"), ("Supported", "timer"))
    driver.newcomer(driver.dialog(0), headers=headers)
    (reinvite,) = driver.requests("INVITE")
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=NEW_ANSWER)
    (answer,) = answers(driver.commands())
    assert (value_of(answer.headers, "Session-Expires") or "").startswith("600")


def test_a_session_timer_that_is_too_short_is_refused() -> None:
    driver = up(session=Wish(interval=1800))
    driver.newcomer(driver.dialog(0), headers=(("Session-Expires", "60"), ("Supported", "timer")))
    commands = driver.commands()
    assert [one.status for one in answers(commands)] == [422]
    assert not of(commands, "INVITE")
    assert driver.leg(NEWCOMER).state == record.LEG_STATE_ENDED


@pytest.mark.parametrize(
    ("replaces", "status"),
    [
        ("other;to-tag=1;from-tag=2", 481),
        ("nonsense", 481),
        ("{dialog};early-only", 486),
    ],
)
def test_what_cannot_be_replaced(replaces: str, status: int) -> None:
    driver = up()
    driver.newcomer(replaces.format(dialog=driver.dialog(0)))
    commands = driver.commands()
    assert [one.status for one in answers(commands)] == [status]
    assert len(commands) == 1


def test_two_newcomers() -> None:
    driver = up()
    invited(driver, 0)
    driver.newcomer(driver.dialog(0), number=2)
    assert [one.status for one in answers(driver.commands())] == [491]


def test_no_transfer_begins_while_a_newcomer_waits() -> None:
    driver = up(transfer="perform")
    invited(driver, 0)
    driver.in_dialog("REFER", 2, headers=(("Refer-To", "sip:3003@x"),))
    assert [one.status for one in answers(driver.commands())] == [491]


def test_one_replaced_while_it_is_told_of_a_transfer_is_told_no_more() -> None:
    driver = up(transfer="perform")
    driver.in_dialog("REFER", 2, headers=(("Refer-To", "sip:3003@x"),))
    (invite,) = driver.requests("INVITE")
    driver.response(486, invite.branch, cseq=invite.cseq)
    reinvite = invited(driver, 0)
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=NEW_ANSWER)
    driver.in_dialog("ACK", 1, leg=3)
    driver.in_dialog("REFER", 1, leg=1, headers=(("Refer-To", "sip:3003@x"),))
    assert answers(driver.commands())[-1].status == 202


def test_before_the_answer_nobody_is_replaced() -> None:
    driver = CallDriver()
    driver.ringing()
    driver.port.take()
    driver.newcomer(driver.dialog(0))
    assert [one.status for one in answers(driver.commands())] == [481]


def test_before_the_ack_a_newcomer_has_to_wait() -> None:
    driver = CallDriver()
    driver.answered()
    driver.port.take()
    driver.newcomer(driver.dialog(0))
    assert [one.status for one in answers(driver.commands())] == [491]


def test_a_dialog_that_is_over_is_not_replaced() -> None:
    driver = up()
    dialog = driver.dialog(0)
    driver.in_dialog("BYE", 2)
    (bye,) = driver.requests("BYE")
    driver.newcomer(dialog)
    assert [one.status for one in answers(driver.commands())] == [603]
    driver.response(200, bye.branch, method="BYE", cseq=bye.cseq)
    driver.pass_time(5)
    driver.port.take()
    driver.newcomer(dialog, number=2)
    assert [one.status for one in answers(driver.commands())] == [603]
    driver.pass_time(100)
    driver.port.take()
    driver.newcomer(dialog, number=3)
    assert [one.status for one in answers(driver.commands())] == [481]


def test_the_newcomers_invite_at_another_edge_joins() -> None:
    driver = up()
    dialog = driver.dialog(0)
    reinvite = invited(driver, 0)
    first, driver.port = driver.port, RecordingPort(edge_id="edge-b")
    driver.pod.attach(driver.port)
    driver.newcomer(dialog, body=NEW_OFFER)
    assert driver.call is not None
    assert len(driver.call.legs) == NEWCOMER + 1
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=NEW_ANSWER)
    for port in (first, driver.port):
        assert [one.status for one in answers(port.take())] == [200]


def test_the_newcomer_may_be_transferred_in_turn() -> None:
    driver = up(transfer="perform")
    taken(driver, 0)
    driver.in_dialog("ACK", 1, leg=NEWCOMER)
    driver.in_dialog("REFER", 2, leg=1, headers=(("Refer-To", "sip:3003@x"),))
    (invite,) = driver.requests("INVITE")
    assert "5005" in invite.from_value


def test_number_of_legs_is_bounded_however_often_somebody_is_replaced() -> None:
    driver = CallDriver()
    driver.confirmed()
    for number in range(1, 100):
        driver.newcomer(driver.dialog(0), number=number)
        for invite in driver.distinct("INVITE"):
            driver.response(488, invite.branch, cseq=invite.cseq)
        driver.confirm_all()
    assert driver.call is not None
    assert len(driver.call.legs) <= 65
