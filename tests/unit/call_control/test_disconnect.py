"""Ending calls from outside: by an operator, or at the end of a process."""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record
from support.call_driver import CallDriver


def answered() -> CallDriver:
    driver = CallDriver()
    driver.invite()
    (invite,) = driver.requests("INVITE")
    driver.sent(invite.branch)
    driver.response(200, invite.branch)
    driver.in_dialog("ACK", 1)
    driver.commands()
    return driver


def test_a_call_that_waits_gets_its_500_and_the_callee_its_cancel() -> None:
    driver = CallDriver()
    driver.invite()
    (invite,) = driver.requests("INVITE")
    driver.sent(invite.branch)
    driver.response(180, invite.branch)
    driver.commands()
    driver.pod.disconnect(driver.key)
    told = driver.commands()
    assert [(one.respond.status, one.respond.reason) for one in told if one.HasField("respond")] == [
        (500, "Disconnected")
    ]
    assert [one.cancel.branch for one in told if one.HasField("cancel")] == [invite.branch]
    assert driver.pod.active_keys() == []


def test_an_answered_call_gets_a_bye_on_both_sides() -> None:
    driver = answered()
    assert driver.pod.active_keys() == [driver.key]
    driver.pod.disconnect(driver.key)
    assert len(driver.requests("BYE")) == 2
    assert driver.call is not None
    assert driver.call.state == record.CALL_STATE_ENDED
    assert driver.call.release_source == record.RELEASE_SOURCE_INTERNAL


def test_a_call_is_ended_once() -> None:
    driver = answered()
    driver.pod.disconnect(driver.key)
    driver.commands()
    driver.pod.disconnect(driver.key)
    assert driver.requests("BYE") == []


def test_a_call_that_another_pod_has_is_ended_too() -> None:
    driver = answered()
    driver.new_pod().disconnect(driver.key)
    assert len(driver.requests("BYE")) == 2


def test_a_call_that_is_unknown_leaves_nothing_behind() -> None:
    driver = answered()
    before = driver.pod.cached_calls
    driver.pod.disconnect("1kj0si2sn620lvi3eriqlh")
    assert driver.pod.cached_calls == before


def test_people_can_be_hung_up_while_the_store_is_away() -> None:
    driver = answered()
    driver.store.available = False
    driver.pod.disconnect(driver.key)
    assert len(driver.requests("BYE")) == 2


def test_looking_at_the_calls_that_hold_a_text() -> None:
    driver = answered()
    assert [call.key for call in driver.pod.records("call-1")] == [driver.key]
    assert list(driver.pod.records("call-2")) == []
    assert [call.key for call in driver.pod.records()] == [driver.key]
