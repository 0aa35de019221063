"""The end of a call, from every state."""

import pytest

from b2bua.callcontrol.v1 import call_pb2 as record
from support.call_driver import ANSWER, OFFER, CallDriver


def statuses(driver: CallDriver) -> list[int]:
    return [command.respond.status for command in driver.commands("respond")]


def finish_bye(driver: CallDriver) -> None:
    """Confirm everything and answer the BYEs that were sent."""
    byes = [c.send_request for c in driver.port.commands if c.send_request.method == "BYE"]
    driver.confirm_all()
    for bye in byes:
        driver.response(200, bye.branch, method="BYE", cseq=bye.cseq)


def test_cancel_while_ringing() -> None:
    driver = CallDriver()
    branch = driver.ringing()
    driver.port.take()
    driver.cancel()
    answer, cancel = driver.port.commands
    assert answer.respond.status == 487
    assert cancel.cancel.branch == branch
    assert cancel.cancel.provisional_seen
    assert cancel.cancel.sent.sent_by == "192.0.2.100"
    driver.confirm_all()
    driver.response(487, branch)
    assert driver.call is None


def test_cancel_crossing_a_2xx_hangs_up_on_the_callee() -> None:
    driver = CallDriver()
    branch = driver.ringing()
    driver.cancel()
    driver.confirm_all()
    driver.port.take()
    driver.response(200, branch, body=ANSWER)
    assert [c.send_request.method for c in driver.port.commands] == ["ACK", "BYE"]
    finish_bye(driver)
    driver.pass_time(2)
    assert driver.call is None


def test_cancel_after_the_answer_changes_nothing() -> None:
    driver = CallDriver()
    driver.answered()
    driver.port.take()
    driver.cancel()
    assert driver.port.take() == []
    assert driver.call is not None
    assert driver.call.state == record.CALL_STATE_ANSWERED


def test_a_cancelled_call_that_nobody_answers_is_forgotten_in_time() -> None:
    driver = CallDriver()
    driver.ringing()
    driver.cancel()
    driver.confirm_all()
    driver.pass_time(35)
    assert driver.call is None
    assert driver.store.active == set()


def test_the_callee_hangs_up() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog("BYE", 1, leg=1)
    answer, bye = driver.port.commands
    assert answer.respond.status == 200
    assert bye.send_request.to_tag == "caller-tag"
    assert bye.send_request.from_tag == driver.identity.tag(driver.key, 0)
    finish_bye(driver)
    assert driver.call is None


def test_the_callee_hangs_up_before_the_callers_ack() -> None:
    driver = CallDriver()
    driver.answered()
    driver.confirm_all()
    driver.port.take()
    driver.in_dialog("BYE", 1, leg=1)
    driver.confirm_all()
    assert [c.respond.status for c in driver.port.take()] == [200]
    driver.in_dialog("ACK", 1)
    assert [c.send_request.method for c in driver.port.commands] == ["BYE"]
    finish_bye(driver)
    driver.pass_time(2)
    assert driver.call is None


def test_nobody_acknowledges() -> None:
    driver = CallDriver()
    driver.answered()
    driver.confirm_all()
    driver.pass_time(33)
    byes = [c.send_request.to_tag for c in driver.port.commands if c.send_request.method == "BYE"]
    assert {"caller-tag", "callee-tag"} <= set(byes)


def test_a_bye_that_nobody_answers_is_repeated_and_then_given_up() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog("BYE", 2)
    first = driver.requests("BYE")[0]
    driver.pass_time(1.2)
    (again,) = driver.requests("BYE")
    assert again.branch == first.branch
    driver.pass_time(34)
    assert driver.call is None


def test_a_repeated_bye_gets_the_answer_that_it_got() -> None:
    driver = CallDriver()
    driver.confirmed()
    bye = driver.in_dialog("BYE", 2)
    finish_bye(driver)
    driver.port.take()
    again = driver.event(request=bye.request)
    driver.tell(again)
    assert statuses(driver) == [200]


@pytest.mark.parametrize(
    ("method", "status"), [("BYE", 200), ("INFO", 500), ("INVITE", 500), ("OPTIONS", 500), ("CANCEL", 481)]
)
def test_an_ended_call_is_remembered_for_a_while(method: str, status: int) -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog("BYE", 2)
    finish_bye(driver)
    driver.port.take()
    driver.in_dialog(method, 3)
    assert statuses(driver) == [status]


def test_bye_for_an_unknown_call_gets_481() -> None:
    driver = CallDriver()
    driver.in_dialog("BYE", 2)
    assert statuses(driver) == [481]


def test_a_stray_2xx_for_a_forgotten_call_is_hung_up() -> None:
    driver = CallDriver()
    event = driver.event()
    event.response.branch = driver.identity.branch(driver.key, 1, 1)
    event.response.status = 200
    event.response.method = "INVITE"
    event.response.stray = True
    event.response.to_tag = "callee-tag"
    event.response.contact_uri = "sip:2002@192.0.2.1"
    event.response.from_value = f"<sip:1001@192.0.2.100>;tag={driver.identity.tag(driver.key, 1)}"
    event.response.to_value = "<sip:2002@192.0.2.1>;tag=callee-tag"
    driver.tell(event)
    sent = [c.send_request for c in driver.port.take()]
    assert [one.method for one in sent] == ["ACK", "BYE"]
    assert sent[1].to_tag == "callee-tag"
    assert sent[1].cseq == sent[0].cseq + 1


def test_a_call_that_outlives_its_maximum_is_ended() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.time[0] += driver.policy.max_call_ms
    driver.pass_time(0.1)
    assert len(driver.requests("BYE")) == 2


def test_another_pod_goes_on_after_a_kill_between_commit_and_emit() -> None:
    driver = CallDriver()
    driver.invite()
    lost = driver.requests("INVITE")[0]
    other = driver.new_pod()
    driver.pass_time(1.2, pod=other)
    (again,) = driver.requests("INVITE")
    assert again == lost


def test_a_repeated_event_changes_nothing_and_repeats_what_is_owed() -> None:
    driver = CallDriver()
    event = driver.invite()
    first = driver.requests("INVITE")[0]
    before = driver.call
    event.redelivered = True
    driver.tell(event, pod=driver.new_pod())
    assert driver.call == before
    assert driver.requests("INVITE") == [first]


def test_early_bye_of_the_caller_ends_the_attempt() -> None:
    driver = CallDriver()
    driver.ringing()
    driver.port.take()
    driver.in_dialog("BYE", 2)
    commands = driver.port.take()
    assert [c.respond.status for c in commands if c.respond.status] == [200, 487]
    assert commands[-1].WhichOneof("kind") == "cancel"


def test_a_store_that_is_away_leaves_the_event_with_the_edge() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.store.available = False
    event = driver.in_dialog("INFO", 2)
    assert driver.port.refused == [event.id]
    driver.store.available = True
    driver.tell(event)
    assert event.id in driver.port.acknowledged


def test_people_hang_up_although_the_store_is_away() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.store.available = False
    event = driver.in_dialog("BYE", 2)
    assert driver.port.refused == [event.id]
    driver.tell(event)
    assert [c.respond.status for c in driver.port.commands if c.respond.status] == [200]
    assert event.id in driver.port.acknowledged
    finish_bye(driver)
    assert driver.pod.cached_calls == 0
    driver.store.available = True
    driver.pod.on_available()
    assert driver.call is None
    assert driver.store.active == set()


def test_idle_calls_leave_the_cache_and_go_on_from_the_store() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.time[0] += 1_000
    assert driver.pod.forget_idle(driver.time[0]) == 1
    assert driver.pod.cached_calls == 0
    driver.in_dialog("BYE", 2)
    assert driver.requests("BYE")


def test_a_bye_of_the_caller_stands_for_its_lost_ack() -> None:
    driver = CallDriver()
    driver.answered()
    driver.confirm_all()
    driver.in_dialog("BYE", 2)
    finish_bye(driver)
    assert driver.call is None


def test_a_call_that_is_woken_for_nothing_corrects_its_deadline() -> None:
    driver = CallDriver()
    driver.confirmed()
    commits = driver.pod.counters.commits
    driver.pod.on_due([driver.key])
    driver.pass_time(30)
    assert driver.pod.counters.commits == commits + 1


def test_a_store_that_rolls_back_does_not_revive_an_ended_call() -> None:
    driver = CallDriver()
    driver.confirmed()
    earlier = driver.store._records[driver.key]
    driver.in_dialog("BYE", 2)
    finish_bye(driver)
    assert driver.call is None
    driver.store._records[driver.key] = earlier
    driver.store._tombstones.remove(driver.key)
    assert driver.call is not None
    driver.pod.on_lost_writes()
    assert driver.call is None


def test_caller_that_has_not_acknowledged_gets_its_bye_after_the_ack() -> None:
    """RFC 3261 15, whatever ends the call: here its credit of one second."""
    driver = CallDriver("192.0.2.1;credit-time=1")
    driver.answered()
    driver.confirm_all()
    driver.port.take()
    driver.pass_time(1.5)
    assert [one.to_tag for one in driver.requests("BYE")] == ["callee-tag"]
    driver.in_dialog("ACK", 1)
    assert [one.to_tag for one in driver.requests("BYE")] == ["caller-tag"]


def test_end_of_an_attempt_is_not_moved_by_the_end_of_the_call() -> None:
    driver = CallDriver("192.0.2.1", "192.0.2.2")
    driver.invite()
    driver.response(486, driver.requests("INVITE")[0].branch)
    ended = driver.leg(1).end_time_ms
    driver.pass_time(1.0)
    driver.cancel()
    assert driver.leg(1).end_time_ms == ended


def test_callee_that_hangs_up_before_its_late_offer_is_answered_gets_its_ack() -> None:
    driver = CallDriver()
    driver.invite(body=None)
    driver.response(200, driver.requests("INVITE")[0].branch, body=OFFER)
    driver.confirm_all()
    driver.in_dialog("BYE", 1, leg=1)
    assert len(driver.requests("ACK")) == 1
