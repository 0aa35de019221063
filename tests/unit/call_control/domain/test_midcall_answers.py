"""Crossing requests that end in another way than with one answer and one ACK."""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from support.call_driver import ANSWER, OFFER, CallDriver

NEW = sip_pb2.Body(data=b"v=0 new", content_type="application/sdp")


def reinvited(driver: CallDriver, body: sip_pb2.Body | None = NEW) -> edge.SendRequest:
    """The caller sends a re-INVITE; return ours to the callee."""
    driver.confirmed()
    driver.in_dialog("INVITE", 2, body=body)
    (invite,) = driver.requests("INVITE")
    return invite


def finals(driver: CallDriver) -> list[int]:
    return [one.respond.status for one in driver.commands("respond") if one.respond.status >= 200]


def test_failure_after_the_success_is_not_passed_on() -> None:
    driver = CallDriver()
    invite = reinvited(driver)
    driver.response(200, invite.branch, cseq=invite.cseq, body=ANSWER)
    driver.response(488, invite.branch, cseq=invite.cseq, to_tag="fork")
    assert finals(driver) == [200]


def test_late_offer_is_acknowledged_before_the_bye() -> None:
    driver = CallDriver()
    invite = reinvited(driver, body=None)
    driver.response(200, invite.branch, cseq=invite.cseq, body=OFFER)
    driver.confirm_all()
    driver.port.take()
    driver.pass_time(33.0)
    sent = [one.send_request for one in driver.commands("send_request")]
    callee = [(one.method, one.cseq) for one in sent if one.to_tag == "callee-tag"]
    assert callee[:2] == [("ACK", invite.cseq), ("BYE", invite.cseq + 1)]


def test_end_of_the_call_settles_the_cancel_of_a_reinvite() -> None:
    driver = CallDriver()
    invite = reinvited(driver)
    driver.in_dialog("BYE", 3)
    driver.confirm_all()
    (bye,) = driver.requests("BYE")
    driver.response(487, invite.branch, cseq=invite.cseq)
    assert driver.leg(1).state == record.LEG_STATE_RELEASING
    driver.response(200, bye.branch, method="BYE", cseq=bye.cseq)
    assert driver.call is None


def test_refresh_that_waits_for_its_ack_costs_no_answer_at_the_end() -> None:
    """It has no branch, and the answers of other requests are owed without one, too."""
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog("INVITE", 2, body=OFFER)
    driver.port.take()
    driver.in_dialog("BYE", 3)
    assert driver.call is not None
    owed = [debt.command.respond.transaction.rpartition(" ")[2] for debt in driver.call.debts]
    assert owed == ["INVITE", "BYE", ""]


def test_reinvite_whose_edge_is_gone_for_good_does_not_block_the_call_for_ever() -> None:
    driver = CallDriver()
    reinvited(driver)
    driver.pod.detach(driver.port)
    driver.pass_time(400.0)
    assert driver.call is None or not driver.call.relays


def test_answers_that_no_edge_confirms_do_not_pile_up() -> None:
    driver = CallDriver()
    driver.confirmed()
    for cseq in range(2, 12):
        driver.in_dialog("OPTIONS", cseq)
    driver.pass_time(40.0)
    assert driver.call is not None
    assert len(driver.call.transactions) == 0


def test_success_of_a_reinvite_that_was_abandoned_settles_its_cancel() -> None:
    driver = CallDriver()
    invite = reinvited(driver)
    driver.in_dialog("BYE", 3)
    driver.response(200, invite.branch, cseq=invite.cseq, body=ANSWER)
    assert driver.call is not None
    assert not [debt for debt in driver.call.debts if debt.command.HasField("cancel")]


def test_one_that_leaves_a_transfer_gets_the_ack_of_its_late_offer() -> None:
    driver = CallDriver(transfer="perform")
    invite = reinvited(driver, body=None)
    driver.response(200, invite.branch, cseq=invite.cseq, body=OFFER)
    driver.in_dialog("REFER", 1, leg=1, headers=(("Refer-To", "sip:3003@example.org"),))
    driver.confirm_all()
    driver.port.take()
    driver.in_dialog("BYE", 2, leg=1)
    assert [one.cseq for one in driver.requests("ACK")] == [invite.cseq]
