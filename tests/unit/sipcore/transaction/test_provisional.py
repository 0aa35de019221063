"""Reliable provisional responses against RFC 3262 3, with literal times."""

import math

import pytest

from sipcore.errors import LocalProtocolError
from sipcore.timers import Timers
from sipcore.transaction import Action, ReliableProvisional

SEND, MISSING, END = Action.SEND_RESPONSE, Action.PRACK_MISSING, Action.TERMINATE


def run(provisional: ReliableProvisional) -> list[tuple[float, tuple[Action, ...]]]:
    """Fires every timer until none is left."""
    fired = []
    while provisional.deadline != math.inf:
        now = provisional.deadline
        fired.append((now, provisional.on_timer(now)))
    return fired


def test_is_repeated_with_doubling_intervals_until_64_t1() -> None:
    provisional = ReliableProvisional()
    assert provisional.start(0.0) == (SEND,)
    repeats = [(at, (SEND,)) for at in (0.5, 1.5, 3.5, 7.5, 15.5, 31.5)]
    assert run(provisional) == [*repeats, (32.0, (MISSING, END))]


def test_timers_are_of_t1() -> None:
    provisional = ReliableProvisional(Timers(t1=0.1))
    provisional.start(1.0)
    assert provisional.deadline == pytest.approx(1.1)
    assert run(provisional)[-1][0] == pytest.approx(7.4)


def test_prack_ends_it() -> None:
    provisional = ReliableProvisional()
    provisional.start(0.0)
    assert provisional.on_prack(0.7) == (END,)
    assert provisional.on_prack(0.8) == ()
    assert provisional.on_overtaken(0.9) == ()
    assert run(provisional) == []


def test_a_further_answer_ends_it_without_complaint() -> None:
    provisional = ReliableProvisional()
    provisional.start(0.0)
    assert provisional.on_overtaken(31.9) == (END,)
    assert run(provisional) == []


def test_a_wake_up_that_comes_early_does_nothing() -> None:
    provisional = ReliableProvisional()
    provisional.start(0.0)
    assert provisional.on_timer(0.4) == ()
    assert provisional.deadline == 0.5


def test_nothing_happens_before_it_was_sent() -> None:
    provisional = ReliableProvisional()
    for early in (provisional.on_prack, provisional.on_overtaken):
        with pytest.raises(LocalProtocolError):
            early(0.0)
    provisional.start(0.0)
    with pytest.raises(LocalProtocolError):
        provisional.start(0.1)
