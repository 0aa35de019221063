"""Whatever is armed in whatever order: everything expires at the first look at or after its time."""

import math

from hypothesis import given
from hypothesis import strategies as st

from sip_edge.domain.deadlines import Deadlines

HORIZON = 4.0
DELAYS = st.one_of(st.floats(0.0, 10.0), st.sampled_from([0.0, 0.25, 0.5, 4.0, math.inf]))


class Item:
    """Expires once."""

    def __init__(self) -> None:
        self.deadline = math.inf
        self.look_at = math.inf
        self.expired: list[float] = []

    def expire(self, now: float) -> None:
        self.expired.append(self.deadline)
        self.deadline = math.inf


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.lists(st.tuples(st.integers(0, 4), DELAYS), max_size=4))))
def test_nothing_is_early_late_or_forgotten(steps: list[tuple[float, list[tuple[int, float]]]]) -> None:
    deadlines, items, now = Deadlines(HORIZON), [Item() for _ in range(5)], 1000.0
    for passed, armed in steps:
        now += passed
        due = [item for item in items if item.deadline <= now]
        assert not due or deadlines.next() <= now
        deadlines.run(now)
        assert [item for item in items if item.expired] == due
        for item in items:
            item.expired.clear()
        assert deadlines.next() > now
        for number, delay in armed:
            items[number].deadline = now + delay
            deadlines.arm(items[number], now)
