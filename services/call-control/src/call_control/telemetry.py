"""The metrics of call-control; docs/telemetry/metrics.yaml is their contract."""

from __future__ import annotations

from call_control.pod import Pod
from svckit.metrics import Counter, Gauge, Metric, Metrics

CALLS_CACHED = Gauge("calls_cached", "Calls whose record is cached in this pod", unit="calls")
EVENTS = Counter("call_events_total", "Events of edges", unit="events")
TRANSITIONS = Counter(
    "call_commits_total",
    "Outcomes of transitions that were committed",
    unit="commits",
    labels={"outcome": ("written", "conflict", "unavailable", "merged", "restored", "journaled")},
)
OPENED = Counter("calls_opened_total", "Calls opened by this pod", unit="calls")
RESULTS = ("success", "client", "server", "global")
ENDED = Counter("calls_total", "Calls ended by this pod, by result", unit="calls", labels={"result": RESULTS})
TIMERS = Counter("call_timers_total", "Calls woken by a deadline", unit="calls")
UNDELIVERABLE = Counter(
    "call_commands_undeliverable_total", "Commands that found no edge and are owed", unit="commands"
)
FAILED = Counter("call_turns_failed_total", "Transitions that an exception ended", unit="turns")

METRICS: tuple[Metric, ...] = (
    CALLS_CACHED,
    EVENTS,
    TRANSITIONS,
    OPENED,
    ENDED,
    TIMERS,
    UNDELIVERABLE,
    FAILED,
)


def result_of(status: int) -> str:
    """Return the result class of the SIP status that stands for the end of a call."""
    if status < 400:
        return "success"
    return {4: "client", 5: "server"}.get(status // 100, "global")


class CallControlMetrics:
    """Carries the pod's own counters over when metrics are read, so that counting costs nothing."""

    def __init__(self, metrics: Metrics) -> None:
        self._cached = metrics.gauge(CALLS_CACHED)
        self._events = metrics.counter(EVENTS)
        self._transitions = metrics.counters(TRANSITIONS)
        self._opened = metrics.counter(OPENED)
        self._ended = metrics.counters(ENDED)
        self._timers = metrics.counter(TIMERS)
        self._undeliverable = metrics.counter(UNDELIVERABLE)
        self._failed = metrics.counter(FAILED)
        self._seen: dict[str, int] = {}

    def carry_over(self, pod: Pod) -> None:
        """Bring the metrics up to date with a pod's counters."""
        counters = pod.counters
        self._cached.set(pod.cached_calls)
        self._events.inc(self._growth("events", counters.events))
        self._opened.inc(self._growth("opened", counters.opened))
        self._timers.inc(self._growth("timers", counters.timers))
        self._undeliverable.inc(self._growth("undeliverable", pod.undeliverable))
        self._failed.inc(self._growth("failed", counters.failed))
        for outcome, value in (
            ("written", counters.commits),
            ("conflict", counters.conflicts),
            ("unavailable", counters.unavailable),
            ("merged", counters.merged),
            ("restored", counters.restored),
            ("journaled", counters.journaled),
        ):
            self._transitions[(outcome,)].inc(self._growth(outcome, value))
        for status, value in list(counters.ended.items()):
            self._ended[(result_of(status),)].inc(self._growth(f"status {status}", value))

    def _growth(self, name: str, value: int) -> int:
        before = self._seen.get(name, 0)
        self._seen[name] = value
        return value - before
