"""Timer values: what follows from T1, and what is refused."""

import math

import pytest

from sipcore.timers import DEFAULT_TIMERS, Timers, Wait


def test_defaults_are_those_of_rfc_3261_table_4() -> None:
    waits = DEFAULT_TIMERS.waits
    assert {wait: waits[wait] for wait in Wait if wait is not Wait.KEEP} == {
        Wait.STOP: math.inf,
        Wait.B: 32.0,
        Wait.C: 300.0,
        Wait.D: 32.0,
        Wait.F: 32.0,
        Wait.H: 32.0,
        Wait.I: 5.0,
        Wait.J: 32.0,
        Wait.K: 5.0,
        Wait.L: 32.0,
        Wait.M: 32.0,
        Wait.CANCELLED: 32.0,
        Wait.PRACK: 32.0,
    }


def test_long_timers_follow_t1_unless_they_are_set() -> None:
    timers = Timers(t1=0.1, f=3.0)
    assert (timers.b, timers.f, timers.accepted) == (6.4, 3.0, 6.4)
    assert timers.waits[Wait.H] == 6.4


@pytest.mark.parametrize(
    "values",
    [{"t1": 0.0}, {"t2": 0.1}, {"t4": -1.0}, {"invite_expiry": 0.0}, {"b": -1.0}, {"d": -1.0}],
)
def test_impossible_values_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"t1|timer"):
        Timers(**values)
