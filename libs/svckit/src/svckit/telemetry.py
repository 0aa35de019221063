"""What svckit itself measures in every process."""

from __future__ import annotations

from svckit.lifecycle import State
from svckit.metrics import Counter, Gauge, Metric, Metrics

LOOP_LAG = Gauge("event_loop_lag_seconds", "How late the event loop ran its last timer", unit="seconds")
DRAINING = Gauge("draining", "1 while the service drains", unit="bool")
STATE_CHANGES = Counter(
    "lifecycle_changes_total",
    "Changes of the service's state",
    unit="changes",
    labels={"state": tuple(State)},
)

METRICS: tuple[Metric, ...] = (LOOP_LAG, DRAINING, STATE_CHANGES)
"""Everything declared here; docs/telemetry/metrics.yaml says the same."""


class ProcessMetrics:
    """The metrics of one process, fed by its lifecycle and its health endpoint."""

    __slots__ = ("_changes", "_draining", "on_lag")

    def __init__(self, metrics: Metrics) -> None:
        self.on_lag = metrics.gauge(LOOP_LAG).set
        self._draining = metrics.gauge(DRAINING)
        self._changes = metrics.counters(STATE_CHANGES)

    def on_state(self, _before: State, after: State) -> None:
        """Watcher of the lifecycle."""
        self._draining.set(1.0 if after is State.DRAINING else 0.0)
        self._changes[(after,)].inc()
