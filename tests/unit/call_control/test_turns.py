"""A turn that raises, which no turn should: the call ends, nobody waits, the process goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from call_control import turns
from call_control.domain import table
from support.call_driver import CallDriver


def raising(*_: object, **__: object) -> None:
    raise ZeroDivisionError


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make each event of a call that is known raise from now on."""
    return lambda: monkeypatch.setattr(table, "apply", raising)


def test_first_invite_gets_500_and_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns.opening, "open_call", raising)
    driver = CallDriver()
    event = driver.invite()
    assert [one.respond.status for one in driver.commands()] == [500]
    assert driver.port.acknowledged == [event.id]
    assert (driver.call, driver.pod.cached_calls, driver.pod.counters.failed) == (None, 0, 1)


def test_ringing_call_ends_with_500_and_cancel(broken: Callable[[], None]) -> None:
    driver = CallDriver()
    branch = driver.ringing()
    driver.port.take()
    broken()
    event = driver.response(183, branch)
    respond, cancel = driver.commands()
    assert (respond.respond.status, cancel.cancel.branch) == (500, branch)
    assert event.id in driver.port.acknowledged


def test_call_that_is_up_ends_with_bye_on_both_sides(broken: Callable[[], None]) -> None:
    driver = CallDriver()
    driver.confirmed()
    broken()
    driver.in_dialog("INFO", 2)
    commands = driver.commands()
    assert [one.respond.status for one in commands if one.HasField("respond")] == [500]
    byes = [one.send_request for one in commands if one.HasField("send_request")]
    assert [(bye.method, bye.to_tag) for bye in byes] == [("BYE", "caller-tag"), ("BYE", "callee-tag")]
    driver.pass_time(100.0)
    assert (driver.call, driver.pod.cached_calls) == (None, 0)


def test_timer_that_raises_ends_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = CallDriver("192.0.2.1;expires=5")
    driver.ringing()
    monkeypatch.setattr(turns.upkeep, "on_timer", raising)
    driver.pass_time(6.0)
    assert [one.respond.status for one in driver.commands("respond")][-1] == 500


def test_repetition_of_the_event_changes_nothing(
    broken: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = CallDriver()
    driver.confirmed()
    with monkeypatch.context() as only_once:
        only_once.setattr(table, "apply", raising)
        event = driver.in_dialog("INFO", 2)
    before = driver.call
    driver.tell(event)
    assert driver.call == before


def test_call_that_cannot_be_ended_is_buried(
    broken: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = CallDriver()
    driver.confirmed()
    broken()
    monkeypatch.setattr(turns.release, "disconnect", raising)
    driver.in_dialog("INFO", 2)
    assert (driver.call, driver.pod.cached_calls) == (None, 0)
    assert driver.pod.counters.ended == {500: 1}
