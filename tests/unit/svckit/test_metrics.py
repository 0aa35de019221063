"""Metrics: closed label sets, series that exist from the start."""

from __future__ import annotations

import pytest
from prometheus_client import generate_latest

from svckit.lifecycle import State
from svckit.metrics import Counter, Gauge, Histogram, Metric, Metrics
from svckit.telemetry import ProcessMetrics

RECEIVED = Counter(
    "received_total",
    "Messages",
    unit="messages",
    labels={"method": ("INVITE", "other"), "way": ("in", "out")},
)


def exposed(metrics: Metrics) -> set[str]:
    return set(generate_latest(metrics.registry).decode().splitlines())


def test_every_series_exists_from_the_start() -> None:
    metrics = Metrics()
    received = metrics.counters(RECEIVED)
    assert set(received) == {("INVITE", "in"), ("INVITE", "out"), ("other", "in"), ("other", "out")}
    received["INVITE", "in"].inc()
    lines = exposed(metrics)
    assert 'received_total{method="INVITE",way="in"} 1.0' in lines
    assert 'received_total{method="other",way="out"} 0.0' in lines


def test_a_value_outside_of_the_set_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Metrics().counters(RECEIVED)["BYE", "in"]


def test_gauges_and_histograms() -> None:
    metrics = Metrics()
    depth = metrics.gauge(Gauge("depth", "Depth of the queue", unit="items"))
    depth.set(3.0)
    depth.inc()
    depth.dec(2.0)
    delay = metrics.histogram(Histogram("delay_seconds", "Delay", unit="seconds", buckets=(0.1, 1.0)))
    delay.observe(0.5)
    assert exposed(metrics) >= {
        "depth 2.0",
        'delay_seconds_bucket{le="0.1"} 0.0',
        'delay_seconds_bucket{le="1.0"} 1.0',
        "delay_seconds_count 1.0",
    }


def test_labelled_gauges_and_histograms() -> None:
    metrics = Metrics()
    shards = ("0", "1")
    metrics.gauges(Gauge("depth", "Depth", unit="items", labels={"shard": shards}))["1",].set(1.0)
    metrics.histograms(Histogram("size", "Size", unit="bytes", labels={"shard": shards}))["0",].observe(9.0)
    assert exposed(metrics) >= {'depth{shard="1"} 1.0', 'depth{shard="0"} 0.0', 'size_count{shard="0"} 1.0'}


def test_a_declaration_is_bound_once() -> None:
    metrics = Metrics()
    metrics.counters(RECEIVED)
    with pytest.raises(ValueError, match="Duplicated"):
        metrics.counters(RECEIVED)


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ({"method": ()}, "closed set"),
        ({"method": ("a", "a")}, "closed set"),
        ({"a": tuple(map(str, range(50))), "b": tuple(map(str, range(50)))}, "2500 series are too many"),
    ],
)
def test_labels_are_closed_and_few(labels: dict[str, tuple[str, ...]], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Gauge("x", "X", unit="x", labels=labels)


def test_a_counter_says_so_in_its_name() -> None:
    with pytest.raises(ValueError, match="_total"):
        Counter("received", "Messages", unit="messages")


def test_kinds_are_those_of_the_contract() -> None:
    kinds: list[Metric] = [RECEIVED, Gauge("g", "G", unit="x"), Histogram("h", "H", unit="x")]
    assert [metric.kind for metric in kinds] == ["counter", "gauge", "histogram"]


def test_the_process_tells_its_state_and_lag() -> None:
    metrics = Metrics()
    process = ProcessMetrics(metrics)
    process.on_state(State.SERVING, State.DRAINING)
    process.on_lag(0.25)
    assert exposed(metrics) >= {
        "draining 1.0",
        "event_loop_lag_seconds 0.25",
        'lifecycle_changes_total{state="draining"} 1.0',
    }
    process.on_state(State.DRAINING, State.STOPPED)
    assert "draining 0.0" in exposed(metrics)
