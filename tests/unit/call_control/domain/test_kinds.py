"""Who speaks, and whether it is still its turn: forks, attempts that were given up, strangers."""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from support.call_driver import ANSWER, OFFER, CallDriver


def in_dialog(driver: CallDriver, method: str, cseq: int, *, tag: str, leg: int = 1) -> edge.Event:
    """A request of a callee with a tag of its own."""
    request = driver.request(method, cseq, leg=leg, body=OFFER)
    request.from_tag = tag
    return driver.tell(driver.event(request=request))


def answers(driver: CallDriver) -> list[int]:
    return [one.respond.status for one in driver.commands("respond")]


def forked() -> CallDriver:
    """A call that is up, and another branch of its INVITE that answered too."""
    driver = CallDriver()
    branch = driver.confirmed()
    driver.response(200, branch, to_tag="loser", body=ANSWER)
    driver.confirm_all()
    assert [one.to_tag for one in driver.requests("BYE")] == ["loser"]
    return driver


def test_bye_of_the_branch_that_lost_leaves_the_call_alone() -> None:
    driver = forked()
    in_dialog(driver, "BYE", 1, tag="loser")
    assert answers(driver) == [200]
    assert driver.call is not None
    assert driver.call.state == record.CALL_STATE_CONFIRMED


def test_reinvite_of_the_branch_that_lost_does_not_cross() -> None:
    driver = forked()
    in_dialog(driver, "INVITE", 1, tag="loser")
    (command,) = driver.commands()
    assert command.respond.status == 481


def test_stranger_has_no_dialog() -> None:
    driver = forked()
    in_dialog(driver, "BYE", 1, tag="nobody")
    in_dialog(driver, "BYE", 1, tag="nobody", leg=7)
    assert answers(driver) == [481, 481]
    assert driver.call is not None
    assert driver.call.state == record.CALL_STATE_CONFIRMED


def test_numbers_of_an_early_branch_that_lost_do_not_count() -> None:
    driver = CallDriver(reliable="always")
    driver.invite()
    branch = driver.requests("INVITE")[0].branch
    driver.response(180, branch, to_tag="first", headers=(("Require", "100rel"), ("RSeq", "1")))
    in_dialog(driver, "UPDATE", 900, tag="first")
    driver.response(200, branch, to_tag="second", body=ANSWER)
    driver.confirm_all()
    driver.in_dialog("ACK", 1)
    driver.port.take()
    in_dialog(driver, "BYE", 1, tag="second")
    assert answers(driver) == [200]


def test_attempt_that_was_given_up_may_hang_up_too() -> None:
    """Its 2xx crossed our CANCEL, and its BYE ours, while the next attempt is answered."""
    driver = CallDriver("192.0.2.1;expires=5", "192.0.2.2")
    driver.ringing()
    first = driver.leg(1).invite_branch
    driver.pass_time(6.0)
    second = driver.leg(2).invite_branch
    driver.response(200, first, to_tag="late", body=ANSWER)
    driver.response(200, second, body=ANSWER)
    driver.confirm_all()
    driver.in_dialog("ACK", 1)
    driver.port.take()
    in_dialog(driver, "BYE", 1, tag="late")
    assert answers(driver) == [200]
    assert driver.leg(2).state == record.LEG_STATE_CONFIRMED


def test_cancel_of_a_reinvite_that_was_refused_does_not_cancel_the_call() -> None:
    driver = CallDriver()
    driver.ringing()
    driver.in_dialog("INVITE", 2, body=OFFER)
    driver.confirm_all()
    driver.port.take()
    cancel = driver.request("CANCEL", 2, leg=0, branch="z9hG4bKINVITE20")
    cancel.cancel_answered = True
    driver.tell(driver.event(request=cancel))
    assert driver.commands() == []
    assert driver.call is not None
    assert driver.call.state == record.CALL_STATE_RINGING


def test_number_of_legs_is_bounded_however_many_branches_answer() -> None:
    driver = CallDriver()
    branch = driver.confirmed()
    for number in range(100):
        driver.response(200, branch, to_tag=f"fork-{number}", body=ANSWER)
    assert driver.call is not None
    assert len(driver.call.legs) <= 17


def test_success_without_a_tag_is_hung_up_once_and_where_it_belongs() -> None:
    driver = CallDriver("192.0.2.1", "192.0.2.2")
    driver.invite()
    branch = driver.requests("INVITE")[0].branch
    driver.response(200, branch, to_tag="", body=ANSWER)
    driver.response(200, branch, to_tag="", body=ANSWER)
    (bye,) = driver.requests("BYE")
    assert bye.request_uri == "sip:2002@192.0.2.1:5060"


def test_lost_branch_of_a_late_offer_is_acknowledged_once() -> None:
    driver = CallDriver()
    driver.invite(body=None)
    branch = driver.requests("INVITE")[0].branch
    driver.response(200, branch, body=ANSWER)
    driver.port.take()
    driver.response(200, branch, to_tag="loser", body=ANSWER)
    assert [one.send_request.method for one in driver.commands("send_request")] == ["ACK", "BYE"]


def test_caller_that_hangs_up_instead_of_its_ack_gets_no_bye() -> None:
    driver = CallDriver()
    driver.answered()
    driver.confirm_all()
    driver.in_dialog("BYE", 1, leg=1)
    driver.in_dialog("BYE", 2)
    driver.confirm_all()
    driver.pass_time(100.0)
    assert driver.requests("BYE") == []
    assert driver.call is None


def test_cancel_goes_where_its_invite_went_whatever_the_callee_updates() -> None:
    driver = CallDriver()
    driver.invite(headers=(("Supported", "100rel"),))
    invite = driver.requests("INVITE")[0]
    driver.response(180, invite.branch, headers=(("Require", "100rel"), ("RSeq", "1")))
    driver.in_dialog("UPDATE", 1, leg=1)
    driver.cancel()
    (command,) = driver.commands("cancel")
    assert command.cancel.invite.request_uri == invite.request_uri


def test_update_of_the_caller_does_not_go_to_an_attempt_that_is_over() -> None:
    driver = CallDriver("192.0.2.1", "192.0.2.2")
    driver.invite(headers=(("Supported", "100rel"),))
    branch = driver.requests("INVITE")[0].branch
    driver.response(183, branch, headers=(("Require", "100rel"), ("RSeq", "1")), body=ANSWER)
    (ring,) = [one.respond for one in driver.commands("respond")]
    driver.in_dialog("PRACK", 2, headers=(("RAck", f"{ring.rseq} 1 INVITE"),))
    driver.response(486, branch)
    driver.port.take()
    driver.in_dialog("UPDATE", 3, body=OFFER)
    assert driver.requests("UPDATE") == []
