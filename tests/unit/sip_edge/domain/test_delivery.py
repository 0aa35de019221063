"""Delivery of events to pods: where each event goes, and that none is forgotten."""

from collections.abc import Sequence

import pytest

from b2bua.edge.v1.edge_pb2 import Event, SentEvent
from sip_edge.domain.delivery import Cause, Delivery, Refusal, StreamName
from sip_edge.domain.rendezvous import Rendezvous

NEW, OLD = StreamName.NEW_CALLS, StreamName.IN_PROGRESS
PODS = ("pod-a", "pod-b", "pod-c")
KEY = "07somecall"
FIRST, SECOND, THIRD = Rendezvous(PODS).order("07")


class Writer:
    """Notes what wakes it."""

    def __init__(self, name: str, stream: StreamName, edge: "Edge") -> None:
        self.name, self.stream, self.edge = name, stream, edge

    def wake(self) -> None:
        self.edge.woken.append((self.name, self.stream))

    def wake_lazily(self) -> None:
        self.edge.woken_lazily.append((self.name, self.stream))


class Edge:
    """A `Delivery` with pods, a clock and an account of what came out."""

    def __init__(self, pods: Sequence[str] = PODS, *, credits: int = 10, limit: int = 100) -> None:
        self.now = 100.0
        self.refused: list[tuple[int, Refusal]] = []
        self.woken: list[tuple[str, StreamName]] = []
        self.woken_lazily: list[tuple[str, StreamName]] = []
        self.delivery = Delivery(
            on_refused=lambda event, reason: self.refused.append((event.id, reason)), limit=limit
        )
        self._ids = 0
        for pod in pods:
            self.up(pod, credits)

    def up(self, pod: str, credits: int = 10) -> None:
        self.delivery.pod_up(pod, Writer(pod, NEW, self), Writer(pod, OLD, self), self.now)
        self.delivery.grant(pod, credits)

    def submit(self, key: str = KEY, *, opens_call: bool = False) -> int:
        self._ids += 1
        self.delivery.submit(Event(id=self._ids, call_key=key, opens_call=opens_call), self.now)
        return self._ids

    def take(self, pod: str, stream: StreamName = OLD, limit: int = 64) -> list[int]:
        return [event.id for event in self.delivery.take(pod, stream, limit, self.now)]

    def ack(self, pod: str, *ids: int) -> None:
        self.delivery.acknowledge(pod, ids, self.now)
        self.delivery.heard(pod, self.now)

    def busy(self, pod: str, *ids: int) -> None:
        self.delivery.heard(pod, self.now)
        self.delivery.busy(pod, ids, self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.delivery.on_timer(self.now)


def test_an_event_goes_to_the_owner_of_its_shard_and_wakes_its_stream() -> None:
    edge = Edge()
    one = edge.submit()
    two = edge.submit(opens_call=True)
    assert edge.woken == [(FIRST, OLD), (FIRST, NEW)]
    assert edge.take(FIRST) == [one]
    assert edge.take(FIRST, NEW) == [two]
    assert edge.take(SECOND) == edge.take(FIRST) == []


def test_the_report_of_a_sent_request_waits_for_company_and_keeps_its_place() -> None:
    edge = Edge()
    edge.delivery.submit(Event(id=900, call_key=KEY, sent=SentEvent()), edge.now)
    assert (edge.woken, edge.woken_lazily) == ([], [(FIRST, OLD)])
    urgent = edge.submit()
    assert edge.woken == [(FIRST, OLD)]
    assert edge.take(FIRST) == [900, urgent]


def test_a_batch_is_limited_and_in_order() -> None:
    edge = Edge()
    ids = [edge.submit() for _ in range(5)]
    assert edge.take(FIRST, limit=3) == ids[:3]
    assert edge.take(FIRST, limit=3) == ids[3:]


def test_acknowledged_events_are_forgotten() -> None:
    edge = Edge()
    edge.ack(FIRST, edge.submit(), edge.submit())
    assert len(edge.delivery) == 0
    assert edge.take(FIRST) == []


def test_unknown_and_repeated_acknowledgements_are_ignored() -> None:
    edge = Edge()
    one = edge.submit()
    edge.ack(SECOND, one, one, 4711)
    assert len(edge.delivery) == 0


def test_an_event_without_acknowledgement_goes_to_the_next_pod_after_a_second() -> None:
    edge = Edge()
    one = edge.submit()
    edge.take(FIRST)
    edge.wait(0.5)
    edge.delivery.heard(FIRST, edge.now)
    edge.wait(0.499)
    assert edge.take(SECOND) == []
    edge.wait(0.001)
    (event,) = edge.delivery.take(SECOND, OLD, 64, edge.now)
    assert (event.id, event.redelivered) == (one, True)
    assert edge.delivery.redelivered == {Cause.TIMEOUT: 1}


def test_after_the_last_pod_comes_the_first_again() -> None:
    edge = Edge()
    one = edge.submit()
    for pod in (FIRST, SECOND, THIRD, FIRST):
        assert edge.take(pod) == [one]
        edge.wait(0.5)
        for other in PODS:
            edge.delivery.heard(other, edge.now)
        edge.wait(0.5)


def test_a_pod_that_says_nothing_loses_all_it_has_at_once() -> None:
    edge = Edge()
    one = edge.submit()
    edge.take(FIRST)
    edge.wait(0.9)
    two = edge.submit()
    edge.wait(0.1)
    assert edge.take(SECOND) == [one, two]
    assert edge.delivery.redelivered == {Cause.SILENT: 2}


def test_a_silent_pod_gets_nothing_until_it_speaks() -> None:
    edge = Edge()
    edge.submit()
    edge.take(FIRST)
    edge.wait(1.0)
    edge.submit()
    assert edge.take(FIRST) == []
    assert edge.delivery.home(KEY) == SECOND
    edge.wait(2.0)
    assert edge.delivery.silence(FIRST, edge.now) == pytest.approx(2.0)
    edge.delivery.heard(FIRST, edge.now)
    assert edge.delivery.silence(FIRST, edge.now) == 0.0
    three = edge.submit()
    assert edge.take(FIRST) == [three]


def test_a_late_acknowledgement_of_the_first_pod_settles_the_event() -> None:
    edge = Edge()
    one = edge.submit()
    edge.take(FIRST)
    edge.wait(1.0)
    edge.ack(FIRST, one)
    assert edge.take(SECOND) == []
    assert len(edge.delivery) == 0


def test_a_broken_stream_sends_its_events_on_at_once() -> None:
    edge = Edge()
    written, unwritten = edge.submit(), edge.submit()
    edge.take(FIRST, limit=1)
    edge.delivery.pod_down(FIRST, edge.now)
    events = edge.delivery.take(SECOND, OLD, 64, edge.now)
    assert [(event.id, event.redelivered) for event in events] == [(written, True), (unwritten, False)]


def test_busy_sends_an_event_on_at_once_to_each_pod_in_turn_and_then_rests() -> None:
    edge = Edge()
    bye = edge.submit()
    for pod in (FIRST, SECOND, THIRD):
        assert edge.take(pod) == [bye]
        edge.busy(pod, bye)
    assert [edge.take(pod) for pod in PODS] == [[], [], []]
    assert edge.refused == []
    edge.wait(1.0)
    assert edge.take(FIRST) == [bye]


def test_busy_of_a_pod_that_no_longer_has_the_event_is_ignored() -> None:
    edge = Edge()
    one = edge.submit()
    edge.take(FIRST)
    edge.busy(SECOND, one)
    assert edge.take(THIRD) == []


def test_a_new_call_that_every_pod_declines_is_refused() -> None:
    edge = Edge()
    invite = edge.submit(opens_call=True)
    for pod in (FIRST, SECOND, THIRD):
        assert edge.take(pod, NEW) == [invite]
        edge.busy(pod, invite)
    assert edge.refused == [(invite, Refusal.BUSY)]
    assert len(edge.delivery) == 0


def test_a_new_call_that_some_pod_may_have_committed_is_kept() -> None:
    edge = Edge()
    invite = edge.submit(opens_call=True)
    edge.take(FIRST, NEW)
    edge.delivery.pod_down(FIRST, edge.now)
    for pod in (SECOND, THIRD):
        assert edge.take(pod, NEW) == [invite]
        edge.busy(pod, invite)
    assert edge.refused == []
    edge.wait(1.0)
    assert edge.take(SECOND, NEW) == [invite]


def test_without_pods_a_new_call_is_refused_and_the_rest_waits() -> None:
    edge = Edge(())
    assert not edge.delivery.live
    invite = edge.submit(opens_call=True)
    bye = edge.submit()
    assert edge.refused == [(invite, Refusal.NO_POD)]
    assert edge.delivery.home(KEY) is None
    edge.up("pod-b")
    assert edge.take("pod-b") == [bye]


def test_credits_bound_unacknowledged_new_calls() -> None:
    edge = Edge(("pod-a",), credits=2)
    one, two = edge.submit("00a", opens_call=True), edge.submit("00b", opens_call=True)
    assert not edge.delivery.may_open_call()
    three = edge.submit("00c", opens_call=True)
    assert edge.refused == [(three, Refusal.NO_CREDIT)]
    edge.ack("pod-a", one)
    assert edge.delivery.may_open_call()
    edge.busy("pod-a", two)
    edge.submit("00d", opens_call=True)
    assert edge.delivery.may_open_call()


def test_new_calls_beyond_the_credits_of_the_first_pod_go_to_the_next() -> None:
    edge = Edge(credits=1)
    ids = [edge.submit(f"07{number}", opens_call=True) for number in range(3)]
    assert [edge.take(pod, NEW) for pod in (FIRST, SECOND, THIRD)] == [[one] for one in ids]
    assert not edge.delivery.may_open_call()


def test_credits_are_free_again_when_the_pod_is_gone() -> None:
    edge = Edge(("pod-a",), credits=1)
    edge.submit(opens_call=True)
    edge.delivery.pod_down("pod-a", edge.now)
    edge.up("pod-a", credits=1)
    assert edge.delivery.may_open_call()


def test_a_redelivered_new_call_needs_no_credit() -> None:
    edge = Edge()
    invite = edge.submit(opens_call=True)
    edge.take(FIRST, NEW)
    for pod in PODS:
        edge.delivery.grant(pod, 0)
    edge.delivery.pod_down(FIRST, edge.now)
    assert edge.take(SECOND, NEW) == [invite]


def test_a_new_call_that_waited_a_second_in_the_queue_is_refused() -> None:
    edge = Edge()
    timed, taken = edge.submit("07a", opens_call=True), 0
    edge.now += 0.5
    taken = edge.submit("07b", opens_call=True)
    edge.now += 0.5
    edge.delivery.heard(FIRST, edge.now)
    edge.delivery.on_timer(edge.now)
    assert edge.refused == [(timed, Refusal.STALE)]
    edge.now += 0.6
    assert edge.take(FIRST, NEW) == []
    assert edge.refused[1:] == [(taken, Refusal.STALE)]


def test_what_is_in_progress_is_never_stale() -> None:
    edge = Edge(("pod-a",))
    bye = edge.submit()
    edge.now += 5.0
    assert edge.take("pod-a") == [bye]


def test_after_64_t1_an_event_is_given_up() -> None:
    edge = Edge(())
    bye = edge.submit()
    for _ in range(31):
        edge.wait(1.0)
    assert edge.refused == []
    edge.wait(1.0)
    assert edge.refused == [(bye, Refusal.EXPIRED)]
    assert edge.delivery.refused == {Refusal.EXPIRED: 1}


def test_too_many_events_are_refused_and_new_calls_first() -> None:
    edge = Edge(limit=4)
    edge.submit("00a")
    edge.submit("00b")
    assert not edge.delivery.may_open_call()
    invite = edge.submit("00c", opens_call=True)
    edge.submit("00d")
    edge.submit("00e")
    last = edge.submit("00f")
    assert edge.refused == [(invite, Refusal.OVERFLOW), (last, Refusal.OVERFLOW)]


def test_a_draining_pod_gets_no_new_calls_and_what_is_in_progress_prefers_others() -> None:
    edge = Edge()
    edge.delivery.drain(FIRST)
    invite, bye = edge.submit(opens_call=True), edge.submit("07other")
    assert edge.take(SECOND, NEW) == [invite]
    assert edge.take(SECOND) == [bye]
    assert edge.delivery.home(KEY) == SECOND


def test_with_all_pods_draining_calls_in_progress_go_on() -> None:
    edge = Edge()
    for pod in PODS:
        edge.delivery.drain(pod)
    assert not edge.delivery.may_open_call()
    invite, bye = edge.submit(opens_call=True), edge.submit("07other")
    assert edge.refused == [(invite, Refusal.NO_CREDIT)]
    assert edge.take(FIRST) == [bye]
    assert edge.delivery.home(KEY) == FIRST


class TestFollowers:
    """A CANCEL stays behind its INVITE until that is acknowledged."""

    def test_it_takes_the_same_stream(self) -> None:
        edge = Edge()
        invite, cancel = edge.submit(opens_call=True), edge.submit()
        assert edge.take(FIRST, NEW) == [invite, cancel]

    def test_afterwards_it_is_in_progress(self) -> None:
        edge = Edge()
        edge.ack(FIRST, edge.submit(opens_call=True))
        cancel = edge.submit()
        assert edge.take(FIRST) == [cancel]

    def test_it_follows_to_a_pod_that_is_not_the_owner(self) -> None:
        edge = Edge(credits=1)
        edge.submit("07other", opens_call=True)
        invite, cancel = edge.submit(opens_call=True), edge.submit()
        assert edge.take(SECOND, NEW) == [invite, cancel]

    def test_it_moves_when_the_invite_moves(self) -> None:
        edge = Edge()
        invite, cancel = edge.submit(opens_call=True), edge.submit()
        edge.take(FIRST, NEW)
        edge.busy(FIRST, invite)
        assert edge.take(SECOND, NEW) == [invite, cancel]
        edge.ack(FIRST, cancel)  # that pod had no call to cancel
        assert len(edge.delivery) == 2
        edge.ack(SECOND, invite, cancel)
        assert len(edge.delivery) == 0

    def test_declined_alone_it_waits_for_the_invite(self) -> None:
        edge = Edge()
        invite, cancel = edge.submit(opens_call=True), edge.submit()
        edge.take(FIRST, NEW)
        edge.busy(FIRST, cancel)
        assert edge.take(FIRST, NEW) == []
        edge.ack(FIRST, invite)
        assert edge.take(FIRST) + edge.take(SECOND) == [cancel]

    def test_declined_alone_it_is_offered_again_after_a_second(self) -> None:
        edge = Edge()
        edge.submit(opens_call=True)
        edge.now += 0.5
        cancel = edge.submit()
        edge.take(FIRST, NEW)
        edge.busy(FIRST, cancel)
        edge.now += 0.3
        edge.delivery.heard(FIRST, edge.now)
        edge.wait(0.7)
        assert cancel in edge.take(SECOND, NEW)

    def test_it_is_refused_with_the_invite(self) -> None:
        edge = Edge(("pod-a",))
        invite, cancel = edge.submit(opens_call=True), edge.submit()
        edge.wait(1.0)
        assert edge.refused == [(invite, Refusal.STALE), (cancel, Refusal.STALE)]
        assert len(edge.delivery) == 0


def test_a_new_call_is_kept_when_the_same_one_told_again_may_be_committed() -> None:
    edge = Edge((FIRST, SECOND), credits=2)
    one, two = edge.submit(opens_call=True), edge.submit(opens_call=True)
    assert edge.take(FIRST, NEW) == [one, two]
    edge.busy(FIRST, one)
    edge.delivery.pod_down(FIRST, edge.now)
    edge.delivery.pod_down(SECOND, edge.now)
    assert edge.refused == []
    edge.up(THIRD)
    edge.wait(1.0)
    assert edge.take(THIRD, NEW) == [one, two]
