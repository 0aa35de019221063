"""Metrics with closed label sets.

A metric is declared once, in the `telemetry.py` of its service, with all values that its labels may have, and
in docs/telemetry/metrics.yaml, which a test compares. `Metrics` binds a declaration: every child exists from
the start, so a series never appears late, and the hot path calls `inc()` on an object it holds.

    RECEIVED = Counter("sip_messages_total", "SIP messages", unit="messages", labels={"direction": ("in",
    "out")}) received = metrics.counters(RECEIVED)[("in",)]      # once received.inc()
    # per message
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType
from typing import Protocol

import prometheus_client
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

NO_LABELS: Mapping[str, tuple[str, ...]] = MappingProxyType({})

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets for what takes from a millisecond to ten seconds."""

_MAX_CHILDREN = 1000


@dataclass(frozen=True, slots=True)
class Metric:
    """Declaration of a metric. `unit` is for readers; `labels` maps a label to all the values it may have."""

    name: str
    help: str
    unit: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NO_LABELS)

    def __post_init__(self) -> None:
        children = 1
        for label, values in self.labels.items():
            if not values or len(set(values)) != len(values):
                raise ValueError(f"{self.name}: label {label} needs a closed set of values")
            children *= len(values)
        if children > _MAX_CHILDREN:
            raise ValueError(f"{self.name}: {children} series are too many")

    @property
    def kind(self) -> str:
        """counter, gauge or histogram, as in metrics.yaml."""
        return type(self).__name__.lower()


@dataclass(frozen=True, slots=True)
class Counter(Metric):
    """Only grows. The name ends in `_total`."""

    def __post_init__(self) -> None:
        Metric.__post_init__(self)
        if not self.name.endswith("_total"):
            raise ValueError(f"{self.name}: the name of a counter ends in _total")


@dataclass(frozen=True, slots=True)
class Gauge(Metric):
    """Goes up and down."""


@dataclass(frozen=True, slots=True)
class Histogram(Metric):
    """Distribution over `buckets` (upper bounds, rising)."""

    buckets: tuple[float, ...] = SECONDS


class BoundCounter(Protocol):
    """One series of a counter."""

    def inc(self, amount: float = 1) -> None:
        """Add `amount` >= 0."""


class BoundGauge(Protocol):
    """One series of a gauge."""

    def set(self, value: float) -> None:
        """Replace the value."""

    def inc(self, amount: float = 1) -> None:
        """Add `amount`."""

    def dec(self, amount: float = 1) -> None:
        """Subtract `amount`."""


class BoundHistogram(Protocol):
    """One series of a histogram."""

    def observe(self, amount: float) -> None:
        """Count one observation."""


class Metrics:
    """The metrics of one process. Each declaration is bound once."""

    def __init__(self) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs has no annotation
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def counters(self, metric: Counter) -> Mapping[tuple[str, ...], BoundCounter]:
        """All series, by the values of the labels in the order of their declaration."""
        family = prometheus_client.Counter(
            metric.name, metric.help, tuple(metric.labels), registry=self.registry
        )
        return {values: family.labels(*values) if values else family for values in _series(metric)}

    def counter(self, metric: Counter) -> BoundCounter:
        """The only series of a counter without labels."""
        return self.counters(metric)[()]

    def gauges(self, metric: Gauge) -> Mapping[tuple[str, ...], BoundGauge]:
        """As `counters`."""
        names = tuple(metric.labels)
        family = prometheus_client.Gauge(metric.name, metric.help, names, registry=self.registry)
        return {values: family.labels(*values) if values else family for values in _series(metric)}

    def gauge(self, metric: Gauge) -> BoundGauge:
        """The only series of a gauge without labels."""
        return self.gauges(metric)[()]

    def histograms(self, metric: Histogram) -> Mapping[tuple[str, ...], BoundHistogram]:
        """As `counters`."""
        family = prometheus_client.Histogram(
            metric.name, metric.help, tuple(metric.labels), registry=self.registry, buckets=metric.buckets
        )
        return {values: family.labels(*values) if values else family for values in _series(metric)}

    def histogram(self, metric: Histogram) -> BoundHistogram:
        """The only series of a histogram without labels."""
        return self.histograms(metric)[()]


def _series(metric: Metric) -> list[tuple[str, ...]]:
    return list(product(*metric.labels.values()))
