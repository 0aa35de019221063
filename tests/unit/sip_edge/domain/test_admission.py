"""Who gets in."""

from ipaddress import IPv4Network, IPv6Network

import pytest

from sip_edge.domain import Admission, Lifecycle
from sip_edge.domain.admission import OPEN, AccessList, Work
from support.edge_world import FakeLink


def _admission(state: Lifecycle, *, count: int = 0, credit: bool = True) -> Admission:
    link = FakeLink()
    link.credit = credit
    admission = Admission(link, limit=8, count=lambda: count)
    admission.state = state
    return admission


@pytest.mark.parametrize("state", Lifecycle)
@pytest.mark.parametrize("work", Work)
def test_every_state_decides_on_every_kind_of_work(state: Lifecycle, work: Work) -> None:
    assert _admission(state).admits(work) is (work in OPEN[state])


def test_starts_closed() -> None:
    admission = Admission(FakeLink(), limit=8, count=lambda: 0)
    assert not admission.ready
    assert not admission.admits(Work.CALL)


def test_without_credit_no_call_is_taken_and_whoever_probes_is_told_so() -> None:
    admission = _admission(Lifecycle.SERVING, credit=False)
    assert not admission.admits(Work.CALL)
    assert not admission.admits(Work.PROBE)
    assert admission.admits(Work.OUT_OF_DIALOG)


@pytest.mark.parametrize(("count", "new", "more"), [(7, True, True), (8, False, True), (10, False, False)])
def test_a_full_table_keeps_a_reserve_for_calls_in_progress(count: int, new: bool, more: bool) -> None:
    admission = _admission(Lifecycle.SERVING, count=count)
    assert admission.admits(Work.CALL) is new
    assert admission.admits_more_in_progress() is more


def test_access_list() -> None:
    access = AccessList((IPv4Network("192.0.2.0/24"), IPv6Network("2001:db8::/32")))
    for _ in range(2):
        assert access.allows("192.0.2.9")
        assert access.allows("2001:db8::9")
        assert not access.allows("198.51.100.1")
    assert AccessList(()).allows("198.51.100.1")


def test_access_list_remembers_a_bounded_number_of_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AccessList, "_MAX_KNOWN", 2)
    access = AccessList((IPv4Network("192.0.2.0/24"),))
    for number in range(5):
        assert access.allows(f"192.0.2.{number}")
    assert len(access._known) <= 2
