"""The metrics of the edge; docs/telemetry/metrics.yaml is their contract."""

from __future__ import annotations

from sip_edge.adapters.call_control import LinkStats
from sip_edge.adapters.counters import IoDrop
from sip_edge.domain import METHODS, DropReason, Lifecycle
from sip_edge.domain.delivery import Cause, Refusal
from sip_edge.service import EdgeService
from svckit.metrics import BoundCounter, Counter, Gauge, Metric, Metrics

DIRECTIONS = ("in", "out")
RESPONSE = "response"
OTHER = "other"

# Status codes of the IANA registry that a B2BUA meets; any other counts as "other".
CODES = tuple(
    str(code)
    for code in (
        *(100, 180, 181, 182, 183, 199, 200, 202, 204, 300, 301, 302, 305, 380),
        *(400, 401, 402, 403, 404, 405, 406, 407, 408, 410, 412, 413, 414, 415, 416, 417, 420, 421, 422),
        *(423, 424, 425, 428, 429, 430, 433, 436, 437, 438, 439, 440, 469, 470, 480, 481, 482, 483, 484),
        *(485, 486, 487, 488, 489, 491, 493, 494, 500, 501, 502, 503, 504, 505, 513, 555, 580),
        *(600, 603, 604, 606, 607, 608),
    )
)

MESSAGES = Counter(
    "sip_messages_total",
    "SIP messages, retransmissions included",
    unit="messages",
    labels={"method": (*sorted(METHODS), OTHER, RESPONSE), "direction": DIRECTIONS},
)
RESPONSES = Counter(
    "sip_responses_total",
    "SIP responses, retransmissions included",
    unit="messages",
    labels={"code": (*CODES, OTHER), "direction": DIRECTIONS},
)
DROPPED = Counter(
    "sip_dropped_total",
    "What had no effect, by the reason why",
    unit="messages",
    labels={"reason": tuple(reason.name.lower() for reason in (*DropReason, *IoDrop))},
)
TRANSACTIONS = Gauge("sip_transactions", "Open SIP transactions", unit="transactions")
CONNECTIONS = Gauge("sip_connections", "Open TCP connections", unit="connections")
DATAGRAMS = Counter(
    "sip_datagrams_total", "UDP datagrams", unit="datagrams", labels={"direction": DIRECTIONS}
)
ICMP_ERRORS = Counter("sip_icmp_errors_total", "ICMP errors for datagrams that we sent", unit="errors")
ADMISSION = Gauge(
    "sip_admission",
    "1 for the state that decides on new work",
    unit="bool",
    labels={"state": tuple(state.value for state in Lifecycle)},
)
LINK_PODS = Gauge("link_pods", "Call-control pods that the edge can send to", unit="pods")
LINK_EVENTS = Counter("link_events_total", "Events told to call-control", unit="events")
LINK_COMMANDS = Counter("link_commands_total", "Commands of call-control", unit="commands")
LINK_REFUSED = Counter(
    "link_refused_total",
    "Events given up without a pod that committed them",
    unit="events",
    labels={"reason": tuple(refusal.name.lower() for refusal in Refusal)},
)
LINK_REDELIVERED = Counter(
    "link_redelivered_total",
    "Events that went on to another pod",
    unit="events",
    labels={"cause": tuple(cause.name.lower() for cause in Cause)},
)

METRICS: tuple[Metric, ...] = (
    MESSAGES,
    RESPONSES,
    DROPPED,
    TRANSACTIONS,
    CONNECTIONS,
    DATAGRAMS,
    ICMP_ERRORS,
    ADMISSION,
    LINK_PODS,
    LINK_EVENTS,
    LINK_COMMANDS,
    LINK_REFUSED,
    LINK_REDELIVERED,
)


class _Total:
    """A counter that follows a number counted elsewhere."""

    __slots__ = ("_counter", "_reached")

    def __init__(self, counter: BoundCounter) -> None:
        self._counter = counter
        self._reached = 0

    def reach(self, count: int) -> None:
        """Grow to `count`."""
        if count != self._reached:
            self._counter.inc(count - self._reached)
            self._reached = count


def _totals(metrics: Metrics, metric: Counter) -> dict[tuple[str, ...], _Total]:
    return {values: _Total(counter) for values, counter in metrics.counters(metric).items()}


class EdgeMetrics:
    """Carries the counters of core and sockets over, so that counting costs nothing per message."""

    def __init__(self, metrics: Metrics) -> None:
        self._messages = _totals(metrics, MESSAGES)
        self._responses = _totals(metrics, RESPONSES)
        self._dropped = _totals(metrics, DROPPED)
        self._datagrams = _totals(metrics, DATAGRAMS)
        self._icmp_errors = _Total(metrics.counter(ICMP_ERRORS))
        self._transactions = metrics.gauge(TRANSACTIONS)
        self._connections = metrics.gauge(CONNECTIONS)
        self._admission = metrics.gauges(ADMISSION)

    def carry_over(self, edge: EdgeService) -> None:
        """Bring the metrics up to date; once a second is often enough."""
        core, io = edge.core, edge.io
        self._count_messages("in", core.counters.requests, core.counters.responses)
        self._count_messages("out", core.counters.sent_requests, core.counters.sent_responses)
        for reason in DropReason:
            self._dropped[(reason.name.lower(),)].reach(core.counters.drops[reason])
        for lost in IoDrop:
            self._dropped[(lost.name.lower(),)].reach(io.drops[lost])
        self._datagrams[("in",)].reach(io.received)
        self._datagrams[("out",)].reach(io.sent)
        self._icmp_errors.reach(io.icmp_errors)
        self._transactions.set(core.open_transactions)
        self._connections.set(io.connections)
        for state in Lifecycle:
            self._admission[(state.value,)].set(1.0 if core.admission.state is state else 0.0)

    def _count_messages(self, direction: str, requests: dict[str, int], responses: list[int]) -> None:
        for method, count in requests.items():
            label = method if method in METHODS else OTHER
            self._messages[(label, direction)].reach(count)
        total = sum(responses)
        self._messages[(RESPONSE, direction)].reach(total)
        for code in CODES:
            count = responses[int(code)]
            total -= count
            self._responses[(code, direction)].reach(count)
        self._responses[(OTHER, direction)].reach(total)


class LinkMetrics:
    """The same for the link to call-control, which the all-in-one does not have."""

    def __init__(self, metrics: Metrics) -> None:
        self._pods = metrics.gauge(LINK_PODS)
        self._events = _Total(metrics.counter(LINK_EVENTS))
        self._commands = _Total(metrics.counter(LINK_COMMANDS))
        self._refused = _totals(metrics, LINK_REFUSED)
        self._redelivered = _totals(metrics, LINK_REDELIVERED)

    def carry_over(self, stats: LinkStats, pods: int) -> None:
        """Bring the metrics up to date; `pods` are those that the link can send to."""
        self._pods.set(pods)
        self._events.reach(stats.events)
        self._commands.reach(stats.commands)
        for refusal in Refusal:
            self._refused[(refusal.name.lower(),)].reach(stats.refused.get(refusal, 0))
        for cause in Cause:
            self._redelivered[(cause.name.lower(),)].reach(stats.redelivered.get(cause, 0))
