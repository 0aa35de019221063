"""Rendezvous hashing of shards over pods."""

from collections import Counter

from sip_edge.domain.rendezvous import Rendezvous

SHARDS = [f"{number:02d}" for number in range(64)]
PODS = ["pod-a", "pod-b", "pod-c", "pod-d"]


def test_the_order_does_not_depend_on_who_came_first() -> None:
    one, other = Rendezvous(PODS), Rendezvous(reversed(PODS))
    assert [one.order(shard) for shard in SHARDS] == [other.order(shard) for shard in SHARDS]


def test_every_pod_is_in_the_order_once() -> None:
    assert all(sorted(Rendezvous(PODS).order(shard)) == PODS for shard in SHARDS)


def test_every_pod_owns_some_shards() -> None:
    owners = Counter(Rendezvous(PODS).order(shard)[0] for shard in SHARDS)
    assert sorted(owners) == PODS
    assert max(owners.values()) < len(SHARDS) / 2


def test_a_pod_that_goes_leaves_the_order_of_the_others_as_it_was() -> None:
    rendezvous = Rendezvous(PODS)
    before = {shard: rendezvous.order(shard) for shard in SHARDS}
    rendezvous.discard("pod-b")
    assert len(rendezvous) == 3
    for shard, order in before.items():
        assert rendezvous.order(shard) == tuple(pod for pod in order if pod != "pod-b")


def test_a_pod_that_comes_back_gets_its_shards_again() -> None:
    rendezvous = Rendezvous(PODS)
    before = [rendezvous.order(shard) for shard in SHARDS]
    rendezvous.discard("pod-c")
    rendezvous.add("pod-c")
    assert [rendezvous.order(shard) for shard in SHARDS] == before


def test_without_pods_there_is_no_order() -> None:
    rendezvous = Rendezvous()
    assert rendezvous.order("00") == ()
    assert len(rendezvous) == 0
