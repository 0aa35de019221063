"""What pods must agree on."""

import pytest

from b2bua.callcontrol.v1.edge_link_pb2 import Greeting
from sip_edge.domain.greeting import Cluster, GreetingRefusedError


def greeting(**changes: object) -> Greeting:
    fields = {
        "pod_id": "pod-a",
        "salt": b"s",
        "shards": 64,
        "wanted_headers": ["subject"],
        "key_fingerprint": "k1",
    }
    return Greeting(**(fields | changes))


def test_the_first_greeting_is_news() -> None:
    assert Cluster("k1").accept(greeting()) == greeting()


def test_the_same_from_another_pod_is_not() -> None:
    cluster = Cluster("k1")
    cluster.accept(greeting())
    assert cluster.accept(greeting(pod_id="pod-b")) is None


def test_wanted_headers_add_up() -> None:
    cluster = Cluster("k1")
    cluster.accept(greeting())
    news = cluster.accept(greeting(pod_id="pod-b", wanted_headers=["x-account", "subject"]))
    assert news is not None
    assert list(news.wanted_headers) == ["subject", "x-account"]
    assert cluster.accept(greeting()) is None


def test_extensions_are_those_of_the_last_pod() -> None:
    cluster = Cluster("k1")
    cluster.accept(greeting())
    news = cluster.accept(greeting(pod_id="pod-b", extensions=["100rel"]))
    assert news is not None
    assert list(news.extensions) == ["100rel"]
    assert cluster.accept(greeting(pod_id="pod-c", extensions=["100rel"])) is None
    news = cluster.accept(greeting())
    assert news is not None
    assert list(news.extensions) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"key_fingerprint": "k2"}, "identity key differs: ours k1, the pod's k2"),
        ({"salt": b"other"}, "salt or shard count"),
        ({"shards": 32}, "salt or shard count"),
        ({"salt": b""}, "without name"),
        ({"shards": 0}, "without name"),
        ({"pod_id": ""}, "without name"),
    ],
)
def test_a_pod_of_another_cluster_is_refused(changes: dict[str, object], says: str) -> None:
    cluster = Cluster("k1")
    cluster.accept(greeting())
    with pytest.raises(GreetingRefusedError, match=says):
        cluster.accept(greeting(**changes))


def test_a_previous_key_is_accepted_during_rotation() -> None:
    assert Cluster("k2", also_accepted=("k1",)).accept(greeting()) is not None
