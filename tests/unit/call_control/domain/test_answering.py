"""From the caller's INVITE to the caller's ACK."""

import pytest

from b2bua.callcontrol.v1 import call_pb2 as record
from support.call_driver import ANSWER, OFFER, CallDriver, value_of


def test_an_invite_becomes_an_invite_to_the_first_route() -> None:
    driver = CallDriver("192.0.2.1:5070")
    driver.invite()
    (invite,) = driver.requests("INVITE")
    assert invite.request_uri == "sip:2002@192.0.2.1:5070"
    assert invite.target.uri == "sip:192.0.2.1:5070"
    assert invite.from_value == "Ann <sip:1001@@local>"
    assert invite.to_value == "<sip:2002@192.0.2.1>"
    assert invite.max_forwards == 69
    assert invite.body == OFFER
    assert driver.identity.read_tag(invite.from_tag) == (driver.key, 1)


@pytest.mark.parametrize("max_forwards", [0, 1])
def test_a_call_out_of_hops_is_refused(max_forwards: int) -> None:
    driver = CallDriver()
    driver.invite(max_forwards=max_forwards)
    (answer,) = driver.commands("respond")
    assert (answer.respond.status, answer.respond.reason) == (483, "Too Many Hops")


def test_an_invite_without_max_forwards_leaves_with_seventy() -> None:
    driver = CallDriver()
    driver.invite(max_forwards=-1)
    assert driver.requests("INVITE")[0].max_forwards == 70


def test_a_plain_call_takes_six_commits() -> None:
    driver = CallDriver()
    branch = driver.confirmed()
    driver.in_dialog("BYE", 2)
    bye = next(c.send_request for c in driver.port.commands if c.send_request.method == "BYE")
    driver.confirm_all()
    driver.response(200, bye.branch, method="BYE", cseq=bye.cseq)
    assert driver.pod.counters.commits == 6
    assert driver.call is None
    assert driver.store.active == set()
    assert driver.identity.read_branch(branch) is not None


def test_no_deadline_is_left_of_an_established_call_but_the_reaper() -> None:
    driver = CallDriver()
    driver.confirmed()
    commits = driver.pod.counters.commits
    driver.pass_time(60)
    assert driver.pod.counters.commits == commits
    assert driver.port.take() == []


def test_a_repeated_provisional_is_passed_on_without_a_commit() -> None:
    driver = CallDriver()
    branch = driver.ringing()
    driver.port.take()
    commits = driver.pod.counters.commits
    driver.response(180, branch)
    (again,) = driver.commands("respond")
    assert (again.respond.status, again.id) == (180, 0)
    assert driver.pod.counters.commits == commits


def test_the_answer_reaches_the_caller_and_the_callee_gets_its_ack() -> None:
    driver = CallDriver()
    branch = driver.ringing()
    driver.port.take()
    driver.response(200, branch, body=ANSWER)
    ack, answer = driver.port.take()
    assert (ack.send_request.method, ack.send_request.to_tag) == ("ACK", "callee-tag")
    assert ack.send_request.request_uri == "sip:2002@192.0.2.1:5060"
    assert (answer.respond.status, answer.respond.body) == (200, ANSWER)


def test_a_late_offer_waits_for_the_callers_answer() -> None:
    driver = CallDriver()
    driver.invite(body=None)
    branch = driver.requests("INVITE")[0].branch
    driver.response(200, branch, body=OFFER)
    (only,) = driver.port.take()
    assert only.respond.body == OFFER
    driver.in_dialog("ACK", 1, body=ANSWER)
    (ack,) = driver.requests("ACK")
    assert ack.body == ANSWER


def test_a_failure_goes_to_the_next_route_and_the_last_one_to_the_caller() -> None:
    driver = CallDriver("192.0.2.1", "192.0.2.2")
    driver.invite()
    first = driver.requests("INVITE")[0]
    driver.response(503, first.branch, reason="Out")
    (second,) = driver.requests("INVITE")
    assert second.request_uri == "sip:2002@192.0.2.2"
    assert second.body == OFFER
    assert second.from_tag != first.from_tag
    driver.response(486, second.branch, reason="Busy Here")
    (answer,) = driver.commands("respond")
    assert (answer.respond.status, answer.respond.reason) == (486, "Busy Here")


def test_a_2xx_of_another_branch_of_a_fork_is_acknowledged_and_hung_up() -> None:
    driver = CallDriver()
    branch = driver.confirmed()
    driver.response(200, branch, to_tag="other", body=ANSWER)
    methods = [(c.send_request.method, c.send_request.to_tag) for c in driver.port.take()]
    assert methods == [("ACK", "other"), ("BYE", "other")]
    assert driver.leg(1).state == record.LEG_STATE_CONFIRMED


def test_a_repeated_2xx_is_acknowledged_again() -> None:
    driver = CallDriver()
    branch = driver.confirmed()
    driver.response(200, branch, body=ANSWER)
    assert [request.method for request in driver.requests("ACK")] == ["ACK"]


def test_a_2xx_without_to_tag_counts_as_502() -> None:
    driver = CallDriver()
    branch = driver.ringing()
    driver.port.take()
    driver.response(200, branch, to_tag="")
    sent = driver.port.take()
    assert [c.send_request.method for c in sent if c.send_request.method] == ["ACK", "BYE"]
    assert [c.respond.status for c in sent if c.respond.status] == [502]
    hung_up = [c.send_request for c in sent if c.send_request.method]
    assert {request.request_uri for request in hung_up} == {"sip:2002@192.0.2.1:5060"}


def test_a_repeated_2xx_without_to_tag_is_only_acknowledged() -> None:
    driver = CallDriver()
    branch = driver.ringing()
    driver.response(200, branch, to_tag="")
    driver.port.take()
    driver.response(200, branch, to_tag="")
    assert [c.send_request.method for c in driver.port.take()] == ["ACK"]


def test_the_invite_at_a_second_edge_joins_the_first() -> None:
    driver = CallDriver()
    driver.invite()
    first = driver.requests("INVITE")[0]
    event = driver.event(request=driver.request("INVITE", 1, branch="z9hG4bKcaller"))
    event.opens_call = True
    event.edge.edge_id = "edge-b"
    driver.tell(event)
    assert {request.branch for request in driver.requests("INVITE")} <= {first.branch}
    assert driver.call is not None
    assert [one.edge_id for one in driver.call.transactions[0].edges] == ["edge-a", "edge-b"]


def test_the_same_request_over_another_path_is_a_loop() -> None:
    driver = CallDriver()
    driver.invite()
    driver.port.take()
    other = driver.event(request=driver.request("INVITE", 1, branch="z9hG4bKother"))
    other.opens_call = True
    other.request.merge_key = "merge-1"
    other.call_key = driver.identity.call_key("call-1", "caller-tag", 1, "192.0.2.9", "z9hG4bKother")
    driver.tell(other)
    (answer,) = driver.commands("respond")
    assert answer.respond.status == 482


def test_nobody_answers() -> None:
    driver = CallDriver()
    driver.invite(expires=10)
    branch = driver.requests("INVITE")[0].branch
    driver.sent(branch)
    driver.response(180, branch)
    driver.confirm_all()
    driver.pass_time(11)
    commands = driver.commands()
    assert any(one.respond.status == 487 for one in commands)
    assert any(one.WhichOneof("kind") == "cancel" for one in commands)


def test_an_attempt_whose_edge_stays_away_fails_over() -> None:
    driver = CallDriver("192.0.2.1", "192.0.2.2")
    driver.ringing()
    driver.pod.detach(driver.port)
    driver.port.edge_id = "edge-b"
    driver.pod.attach(driver.port)
    driver.port.take()
    driver.pass_time(70)
    assert any(request.request_uri == "sip:2002@192.0.2.2" for request in driver.requests("INVITE"))


def test_a_response_tells_how_the_invite_left_when_that_got_lost() -> None:
    driver = CallDriver()
    driver.invite()
    branch = driver.requests("INVITE")[0].branch
    event = driver.event()
    event.response.branch = branch
    event.response.status = 180
    event.response.method = "INVITE"
    event.response.sent.branch = branch
    event.response.sent.sent_by = "192.0.2.100"
    event.response.sent.local_host = "192.0.2.100"
    driver.tell(event)
    assert driver.leg(1).sent.sent_by == "192.0.2.100"
    assert driver.leg(1).local_uri == "Ann <sip:1001@192.0.2.100>"
    assert driver.call is not None
    assert not [debt for debt in driver.call.debts if debt.proof == record.PROOF_SENT]


def test_answers_name_the_server_if_the_operator_wants_it() -> None:
    driver = CallDriver(server="Example")
    driver.answered()
    driver.in_dialog("OPTIONS", 2)
    answers = [one.respond for one in driver.commands("respond")]
    assert answers
    assert all(value_of(one.headers, "Server") == "Example" for one in answers)
