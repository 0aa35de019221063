"""One heap for all deadlines, and the memory of bounded duration."""

import math

from sip_edge.domain.deadlines import Deadlines
from sip_edge.domain.remembered import Remembered


class Item:
    """Expires at each of its times."""

    def __init__(self, *times: float) -> None:
        self.times = list(times)
        self.look_at = math.inf
        self.expired: list[float] = []

    @property
    def deadline(self) -> float:
        return self.times[0] if self.times else math.inf

    def expire(self, now: float) -> None:
        self.expired.append(now)
        self.times.pop(0)


def test_expires_what_is_due_again_and_again() -> None:
    deadlines, item = Deadlines(horizon=32.0), Item(1.0, 2.0, 4.0)
    deadlines.arm(item, 0.0)
    assert deadlines.next() == 1.0
    deadlines.run(0.9)
    assert item.expired == []
    deadlines.run(1.1)
    assert deadlines.next() == 2.0
    deadlines.run(5.0)
    assert item.expired == [1.1, 5.0, 5.0]
    assert deadlines.next() == math.inf


def test_later_deadline_costs_one_look_and_nothing_happens() -> None:
    deadlines, item = Deadlines(horizon=32.0), Item(1.0)
    deadlines.arm(item, 0.0)
    item.times = [3.0]
    deadlines.arm(item, 0.0)
    deadlines.run(1.0)
    assert item.expired == []
    assert deadlines.next() == 3.0


def test_earlier_deadline_is_kept_and_the_old_look_is_void() -> None:
    deadlines, item = Deadlines(horizon=32.0), Item(3.0)
    deadlines.arm(item, 0.0)
    item.times = [1.0]
    deadlines.arm(item, 0.0)
    deadlines.run(1.0)
    assert item.expired == [1.0]
    deadlines.run(3.0)
    assert item.expired == [1.0]
    assert deadlines.next() == math.inf


def test_nothing_is_promised_beyond_the_horizon() -> None:
    deadlines, item = Deadlines(horizon=32.0), Item(100.0)
    deadlines.arm(item, 0.0)
    assert deadlines.next() == 32.0
    item.times = []
    deadlines.run(32.0)
    assert deadlines.next() == math.inf


def test_no_deadline_is_no_look() -> None:
    deadlines = Deadlines(horizon=32.0)
    deadlines.arm(Item(), 0.0)
    assert deadlines.next() == math.inf


def test_remembered_for_one_to_two_spans() -> None:
    memory: Remembered[str, int] = Remembered(10.0)
    memory.put("a", 1, 100.0)
    memory.put("b", 2, 109.0)
    memory.put("c", 3, 112.0)
    assert [memory.get(key) for key in "abc"] == [1, 2, 3]
    assert len(memory) == 3
    memory.put("d", 4, 125.0)
    assert [memory.get(key) for key in "abcd"] == [None, None, 3, 4]


def test_remembered_forgets_all_after_a_long_silence() -> None:
    memory: Remembered[str, int] = Remembered(10.0)
    memory.put("a", 1, 100.0)
    memory.put("b", 2, 200.0)
    assert memory.get("a") is None
    assert memory.get("b") == 2
