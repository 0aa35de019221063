"""The virtual clock: order, cancelling, and no surprise in the past."""

import pytest

from sipcore.testing import Clock


def test_callbacks_run_in_the_order_of_their_times() -> None:
    clock = Clock(10.0)
    seen: list[tuple[str, float]] = []

    def note(name: str) -> None:
        seen.append((name, clock.time()))

    for name, when in (("late", 13.0), ("early", 11.0), ("early too", 11.0), ("past", 2.0)):
        clock.call_at(when, note, name)
    clock.run_until_idle()
    assert seen == [("past", 10.0), ("early", 11.0), ("early too", 11.0), ("late", 13.0)]


def test_arguments_are_handed_over() -> None:
    clock = Clock()
    seen: list[str] = []
    clock.call_later(1.0, seen.append, "one")
    clock.run_for(1.0)
    assert seen == ["one"]


def test_a_cancelled_callback_does_not_run() -> None:
    clock = Clock()
    seen: list[int] = []
    clock.call_later(1.0, seen.append, 1).cancel()
    clock.call_later(2.0, seen.append, 2)
    assert clock.next_time() == 2.0
    clock.run_until_idle()
    assert seen == [2]
    assert not clock.step()


def test_time_stops_where_it_was_told_to() -> None:
    clock = Clock()
    seen: list[int] = []
    clock.call_at(1.0, seen.append, 1)
    clock.call_at(5.0, seen.append, 5)
    clock.run_until(3.0)
    assert (clock.time(), seen) == (3.0, [1])
    clock.run_for(1.0)
    assert (clock.time(), seen) == (4.0, [1])


def test_a_callback_can_ask_for_another_one_at_once() -> None:
    clock = Clock()
    seen: list[float] = []
    clock.call_at(1.0, lambda: clock.call_later(0.0, lambda: seen.append(clock.time())))
    clock.run_until(1.0)
    assert seen == [1.0]


def test_running_for_ever_is_an_error() -> None:
    clock = Clock()

    def again() -> None:
        clock.call_later(1.0, again)

    again()
    with pytest.raises(RuntimeError, match="still busy"):
        clock.run_until_idle(limit=10.0)
