"""Requests that cross inside an answered call."""

import pytest

from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from support.call_driver import ANSWER, OFFER, CallDriver

NEW_OFFER = sip_pb2.Body(data=b"v=0 hold", content_type="application/sdp")
NEW_ANSWER = sip_pb2.Body(data=b"v=0 held", content_type="application/sdp")

#: (requester's leg, CSeq number of its next request)
SIDES = [(0, 2), (1, 1)]


def crossing(driver: CallDriver, leg: int, cseq: int) -> edge.SendRequest:
    driver.in_dialog("INVITE", cseq, leg=leg, body=NEW_OFFER)
    (invite,) = driver.requests("INVITE")
    return invite


@pytest.mark.parametrize(("leg", "cseq"), SIDES)
def test_a_reinvite_crosses_and_its_answer_comes_back(leg: int, cseq: int) -> None:
    driver = CallDriver()
    driver.confirmed()
    invite = crossing(driver, leg, cseq)
    assert invite.body == NEW_OFFER
    assert driver.identity.read_tag(invite.from_tag) == (driver.key, 1 - leg)
    driver.response(200, invite.branch, body=NEW_ANSWER, cseq=invite.cseq)
    ack, answer = driver.port.take()
    assert (ack.send_request.method, ack.send_request.cseq) == ("ACK", invite.cseq)
    assert answer.respond.body == NEW_ANSWER
    driver.in_dialog("ACK", cseq, leg=leg)
    assert driver.call is not None
    assert not driver.call.relays


def test_the_same_offer_again_is_answered_here() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog("INVITE", 2, body=OFFER)
    (answer,) = driver.port.take()
    assert (answer.respond.status, answer.respond.body) == (200, ANSWER)
    driver.in_dialog("ACK", 2)
    assert driver.call is not None
    assert not driver.call.relays


def test_reinvites_of_both_sides_meet_491() -> None:
    driver = CallDriver()
    driver.confirmed()
    crossing(driver, 0, 2)
    driver.in_dialog("INVITE", 1, leg=1, body=NEW_OFFER)
    (answer,) = driver.commands("respond")
    assert answer.respond.status == 491


def test_a_refused_reinvite_leaves_the_call_as_it_was() -> None:
    driver = CallDriver()
    driver.confirmed()
    invite = crossing(driver, 0, 2)
    driver.response(488, invite.branch, cseq=invite.cseq, reason="Not Acceptable Here")
    (answer,) = driver.commands("respond")
    assert answer.respond.status == 488
    again = crossing(driver, 0, 3)
    assert again.body == NEW_OFFER


@pytest.mark.parametrize("status", [408, 481])
def test_a_reinvite_that_finds_no_dialog_ends_the_call(status: int) -> None:
    driver = CallDriver()
    driver.confirmed()
    invite = crossing(driver, 0, 2)
    driver.response(status, invite.branch, cseq=invite.cseq)
    commands = driver.port.take()
    assert status in [c.respond.status for c in commands]
    assert [c.send_request.method for c in commands].count("BYE") == 2


def test_a_cancelled_reinvite_does_not_end_the_call() -> None:
    driver = CallDriver()
    driver.confirmed()
    invite = crossing(driver, 0, 2)
    request = driver.request("CANCEL", 2, leg=0, branch="z9hG4bKINVITE20")
    request.cancel_answered = True
    driver.tell(driver.event(request=request))
    answer, cancel = driver.port.take()
    assert (answer.respond.status, cancel.cancel.branch) == (487, invite.branch)
    driver.response(487, invite.branch, cseq=invite.cseq)
    assert driver.call is not None
    assert not driver.call.relays
    assert crossing(driver, 1, 1).body == NEW_OFFER


def test_a_reinvite_without_body_is_a_delayed_offer() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog("INVITE", 2)
    (invite,) = driver.requests("INVITE")
    driver.response(200, invite.branch, body=NEW_OFFER, cseq=invite.cseq)
    (answer,) = driver.port.take()
    assert answer.respond.body == NEW_OFFER
    driver.in_dialog("ACK", 2, body=NEW_ANSWER)
    (ack,) = driver.requests("ACK")
    assert (ack.body, ack.cseq) == (NEW_ANSWER, invite.cseq)


def test_bye_while_a_reinvite_is_pending() -> None:
    driver = CallDriver()
    driver.confirmed()
    crossing(driver, 0, 2)
    driver.in_dialog("BYE", 3)
    commands = driver.port.take()
    assert [c.respond.status for c in commands if c.respond.status] == [200, 487]
    kinds = [c.WhichOneof("kind") for c in commands]
    assert "cancel" in kinds
    assert "BYE" in [c.send_request.method for c in commands]


def test_an_answer_after_all_is_acknowledged_and_needs_no_cancel_any_more() -> None:
    driver = CallDriver()
    driver.confirmed()
    invite = crossing(driver, 0, 2)
    driver.in_dialog("BYE", 3)
    driver.confirm_all()
    (bye,) = driver.requests("BYE")
    driver.response(200, invite.branch, cseq=invite.cseq, body=NEW_ANSWER)
    assert [request.cseq for request in driver.requests("ACK")] == [invite.cseq]
    driver.response(200, bye.branch, method="BYE", cseq=bye.cseq)
    driver.pass_time(10)
    assert driver.call is None


def test_bye_of_the_side_that_was_asked() -> None:
    driver = CallDriver()
    driver.confirmed()
    invite = crossing(driver, 0, 2)
    driver.in_dialog("BYE", 1, leg=1)
    commands = driver.port.take()
    assert [c.respond.status for c in commands if c.respond.status] == [200, 487]
    assert [c.cancel.branch for c in commands if c.HasField("cancel")] == [invite.branch]
    assert [c.send_request.from_tag for c in commands if c.send_request.method == "BYE"] == [
        driver.identity.tag(driver.key, 0)
    ]


@pytest.mark.parametrize("method", ["INFO", "MESSAGE", "NOTIFY"])
@pytest.mark.parametrize(("leg", "cseq"), SIDES)
def test_other_requests_cross_with_their_answers(method: str, leg: int, cseq: int) -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog(method, cseq, leg=leg, body=sip_pb2.Body(data=b"\xff\x00", content_type="a/b"))
    (request,) = driver.requests(method)
    assert request.body.data == b"\xff\x00"
    driver.response(202, request.branch, method=method, cseq=request.cseq, reason="Accepted")
    (answer,) = driver.commands("respond")
    assert (answer.respond.status, answer.respond.reason) == (202, "Accepted")


def test_options_is_answered_here() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog("OPTIONS", 2)
    (answer,) = driver.port.take()
    assert answer.respond.status == 200
    assert "INVITE" in next(h.value for h in answer.respond.headers if h.name == "Allow")


def test_an_unknown_method_is_refused_with_allow() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog("PUBLISH", 2)
    (answer,) = driver.port.take()
    assert answer.respond.status == 405


@pytest.mark.parametrize("method", ["INVITE", "BYE", "INFO"])
def test_an_old_cseq_is_refused(method: str) -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog("OPTIONS", 5)
    driver.port.take()
    driver.in_dialog(method, 4)
    (answer,) = driver.port.take()
    assert (answer.respond.status, answer.respond.reason) == (500, "Server Internal Error")


@pytest.mark.parametrize(
    ("status", "target"), [(200, "sip:moved@192.0.2.77"), (488, "sip:1001@192.0.2.9:5060")]
)
def test_a_reinvite_moves_the_remote_target_when_it_is_accepted(status: int, target: str) -> None:
    """RFC 6141 4.4: what is refused leaves the dialog as it was."""
    driver = CallDriver()
    driver.confirmed()
    request = driver.request("INVITE", 2, leg=0, body=NEW_OFFER)
    request.contact_uri = "sip:moved@192.0.2.77"
    driver.tell(driver.event(request=request))
    (invite,) = driver.requests("INVITE")
    driver.response(status, invite.branch, cseq=invite.cseq)
    driver.port.take()
    driver.in_dialog("BYE", 1, leg=1)
    assert driver.requests("BYE")[-1].request_uri == target


@pytest.mark.parametrize(("leg", "status"), [(0, 491), (1, 500)])
def test_update_while_a_late_offer_waits_for_the_ack_is_refused(leg: int, status: int) -> None:
    """RFC 3311 5.2: the callee's own offer waits, so 500 for the callee."""
    driver = CallDriver()
    driver.invite(body=None)
    driver.response(200, driver.requests("INVITE")[0].branch, body=OFFER)
    driver.confirm_all()
    driver.port.take()
    driver.in_dialog("UPDATE", 2, leg=leg, body=NEW_OFFER)
    (command,) = driver.commands()
    assert command.respond.status == status


def test_provisional_of_a_reinvite_that_wants_reliable_ones_only_stays_here() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog("INVITE", 2, body=NEW_OFFER, headers=(("Require", "100rel"),))
    (invite,) = driver.requests("INVITE")
    driver.response(180, invite.branch, cseq=invite.cseq)
    assert driver.commands() == []


def test_only_a_well_formed_reason_crosses() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog("BYE", 2, headers=(("Reason", 'SIP;cause=x, Q.850 ;cause=16;text="a\\"b"'),))
    (bye,) = driver.requests("BYE")
    reasons = [one.value for one in bye.headers if one.name == "Reason"]
    assert reasons == ['Q.850;cause=16;text="a\\"b"']
