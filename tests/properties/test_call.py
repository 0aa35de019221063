"""Whatever happens to a call, in whatever order: it ends, everybody is told once, nothing remains."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sipcore.codec_filter import parse_allowed_pts
from sipcore.session_timer import Wish
from support.call_driver import CallDriver
from support.wild_peers import ACTIONS, Action, Draw, WildPeers

#: Longer than the longest timer of an unanswered call, and all that follows; twice.
_LONG = 900.0
#: Octets of a record beside its bodies. A plain call stays below 1600; these peers leave many requests open.
_LARGEST = 10_000
_PARAMETERS = (
    "",
    ";expires=20",
    ";np_expires=5;expires=30",
    ";nr_expires=3",
    ";gt=4,1",
    ";gt=6,2;expires=9",
    ";credit-time=3",
    ";auth=ann:secret",
    ";auth=nopass",
    ";redirect=follow",
    ";hs_scodes=486,503",
)
_NUMBERS = st.integers(0, 2**40)
_POLICIES = st.fixed_dictionaries(
    {},
    optional={
        "session": st.sampled_from(
            (Wish(interval=600), Wish(interval=90, we_refresh=True), Wish(we_refresh=False))
        ),
        "reliable": st.just("always"),
        "ingress_keepalive_ms": st.just(5_000),
        "egress_keepalive_ms": st.just(7_000),
        "keepalive_method": st.just("OPTIONS"),
        "keepalive_grace_ms": st.just(20_000),
        "pass_authentication": st.just(True),
        "follow_redirects": st.just(True),
        "allowed_codecs": st.just(parse_allowed_pts("0")),
        "authorize": st.just(True),
        "transfer": st.just("perform"),
        "transfer_direct": st.just(True),
        "answer_timeout_ms": st.just(60_000),
    },
)


@settings(max_examples=300)
@given(
    routes=st.lists(st.sampled_from(_PARAMETERS), min_size=1, max_size=3),
    policy=_POLICIES,
    opening=_NUMBERS,
    stage=st.sampled_from((0, 1, 2, 3, 3, 4)),
    steps=st.lists(st.tuples(st.sampled_from(ACTIONS), _NUMBERS), max_size=40),
)
def test_every_call_ends_and_leaves_nothing(
    routes: list[str],
    policy: dict[str, Any],
    opening: int,
    stage: int,
    steps: list[tuple[Action, int]],
) -> None:
    entries = [f"192.0.2.{number}{parameters}" for number, parameters in enumerate(routes, 1)]
    driver = CallDriver(*entries, **policy)
    peers = WildPeers(driver, Draw(opening))
    peers.come_far(stage)
    for action, number in steps:
        action(peers, number)
    peers.end(_LONG)
    assert driver.call is None
    assert driver.pod.cached_calls == 0
    assert driver.store.active == set()
    due: list[str] = []
    driver.time[0] += driver.policy.max_call_ms * 3
    driver.store.claim_due_many(range(driver.store.shards), 100, due.extend)
    assert due == []
    peers.watch.check_end()
    assert peers.largest <= _LARGEST
