"""Groups of routes: the order is drawn by weight, the same for the same call."""

from collections import Counter

import pytest

from call_control.domain.routing.entry import RouteEntry, RouteError, read_routes
from call_control.domain.routing.groups import order_of_trial


def order(seed: str, *routes: str) -> str:
    return " ".join(
        entry.host if isinstance(entry, RouteEntry) else "?"
        for entry in order_of_trial(read_routes(routes), seed)
    )


def test_without_a_group_everything_keeps_its_place() -> None:
    entries = read_routes(["a", "b;", "c"])
    assert order_of_trial(entries, "seed") is entries


def test_the_same_seed_draws_the_same() -> None:
    routes = [f"h{number};group=g" for number in range(8)]
    assert order("one", *routes) == order("one", *routes)
    assert len({order(f"seed {number}", *routes) for number in range(20)}) > 15


def test_all_members_are_tried_and_the_others_keep_their_place() -> None:
    routes = ["a", "b;group=x", "c;group=x", "d;", "e;group=y", "f;group=y", "g"]
    seen = {order(f"seed {number}", *routes) for number in range(40)}
    assert seen == {"a b c ? e f g", "a c b ? e f g", "a b c ? f e g", "a c b ? f e g"}


def test_groups_side_by_side_are_two() -> None:
    seen = {
        order(f"seed {number}", "a;group=x", "b;group=x", "c;group=y", "a2;group=x") for number in range(40)
    }
    assert seen == {"a b c a2", "b a c a2"}


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        (("", ""), (0.5, 0.5)),
        ((";weight=3", ";weight=1"), (0.75, 0.25)),
        ((";weight=8", "", ";weight=1"), (0.8, 0.1, 0.1)),
        ((";weight=65535", ";weight=1"), (1.0, 0.0)),
    ],
)
def test_weights_are_shares_of_the_calls(weights: tuple[str, ...], shares: tuple[float, ...]) -> None:
    routes = [f"h{number};group=g{weight}" for number, weight in enumerate(weights)]
    calls = 4_000
    firsts = Counter(order(f"call {number}", *routes).split()[0] for number in range(calls))
    for number, share in enumerate(shares):
        assert firsts[f"h{number}"] / calls == pytest.approx(share, abs=0.03)


def test_the_second_is_drawn_from_what_is_left_by_weight() -> None:
    routes = ["a;group=g;weight=2", "b;group=g;weight=1", "c;group=g;weight=1"]
    orders = [order(f"call {number}", *routes) for number in range(8_000)]
    counts = Counter(one for one in orders if one.startswith("b"))
    assert counts["b a c"] / sum(counts.values()) == pytest.approx(2 / 3, abs=0.04)


def test_two_groups_of_a_call_are_drawn_apart() -> None:
    routes = ["a;group=x", "b;group=x", "c;group=y", "d;group=y"]
    counts = Counter(order(f"call {number}", *routes) for number in range(4_000))
    assert len(counts) == 4
    assert min(counts.values()) > 850


def test_an_error_is_passed_through() -> None:
    error = RouteError("bad")
    assert list(order_of_trial([error, RouteEntry(host="a", group="g")], "s")) == [
        error,
        RouteEntry(host="a", group="g"),
    ]
