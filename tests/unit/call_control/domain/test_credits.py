"""Credits follow the delay of new calls in the pod."""

import pytest

from call_control.domain.credits import Credits


def pass_interval(credits: Credits, *, calls: int, waited: float, lag: float = 0.0, edges: int = 1) -> int:
    for _ in range(calls):
        credits.arrived()
    for _ in range(calls):
        credits.settled(waited)
    credits.lagged(lag)
    credits.adjust(edges)
    return credits.share(edges)


def test_a_window_that_is_used_grows_while_calls_are_quick() -> None:
    credits = Credits(initial=16)
    shares = [pass_interval(credits, calls=credits.share(1), waited=0.001) for _ in range(5)]
    assert shares == sorted(set(shares))


def test_a_window_that_is_not_used_stays() -> None:
    credits = Credits(initial=128)
    assert pass_interval(credits, calls=3, waited=0.001) == 128


def test_it_grows_no_further_than_the_ceiling() -> None:
    credits = Credits(initial=100, ceiling=101)
    assert [pass_interval(credits, calls=100, waited=0.0) for _ in range(3)] == [101, 101, 101]


def test_it_shrinks_in_proportion_to_the_delay() -> None:
    credits = Credits(target=0.05, initial=100)
    assert pass_interval(credits, calls=10, waited=0.08) == 62


def test_it_shrinks_by_half_at_most_in_one_interval() -> None:
    credits = Credits(target=0.05, initial=100)
    assert pass_interval(credits, calls=10, waited=3.0) == 50


def test_it_never_shrinks_below_the_floor() -> None:
    credits = Credits(initial=16, floor=4)
    shares = [pass_interval(credits, calls=4, waited=2.0) for _ in range(6)]
    assert shares[-1] == 4


def test_a_late_loop_counts_as_delay() -> None:
    credits = Credits(target=0.05, initial=100)
    assert pass_interval(credits, calls=0, waited=0.0, lag=0.1) == 50


def test_one_slow_commit_among_quick_ones_does_not_count() -> None:
    credits = Credits(initial=100)
    credits.arrived()
    credits.arrived()
    credits.settled(2.0)
    credits.settled(0.001)
    credits.adjust(1)
    assert credits.share(1) == 100


def test_a_pod_recovers_after_overload() -> None:
    credits = Credits(initial=64)
    for _ in range(10):
        pass_interval(credits, calls=4, waited=1.0)
    for _ in range(60):
        pass_interval(credits, calls=credits.share(1), waited=0.001)
    assert credits.share(1) >= 64


def test_edges_share_the_window_and_each_gets_one_at_least() -> None:
    credits = Credits(initial=8)
    assert credits.share(4) == 2
    assert credits.share(100) == 1
    assert credits.share(0) == 8


def test_no_credits_while_the_pod_does_not_admit() -> None:
    credits = Credits(initial=8)
    credits.admitting = False
    assert credits.share(1) == 0
    credits.adjust(1)
    credits.admitting = True
    assert credits.share(1) == 8


def test_calls_of_an_edge_that_is_gone_are_not_in_flight() -> None:
    credits = Credits()
    credits.arrived()
    credits.arrived()
    credits.abandoned(2)
    assert credits.in_flight == 0


@pytest.mark.parametrize("wrong", [{"floor": 0}, {"initial": 2}, {"ceiling": 10}, {"target": 0.0}])
def test_windows_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="credits need"):
        Credits(**wrong)  # type: ignore[arg-type]  # that is the point
