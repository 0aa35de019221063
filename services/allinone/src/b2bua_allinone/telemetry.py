"""Metrics of what the one-process programs have beside an edge and call-control."""

from __future__ import annotations

from b2bua_allinone.message_log.log import MessageLog
from svckit.metrics import Counter, Metrics

UNLOGGED = Counter(
    "message_log_lost_total",
    "SIP messages that are missing in the message log",
    unit="messages",
    labels={"reason": ("queue_full", "write_failed")},
)

METRICS = (UNLOGGED,)


class MessageLogMetrics:
    """Carries the log's own counters over."""

    def __init__(self, metrics: Metrics, log: MessageLog) -> None:
        self._lost = metrics.counters(UNLOGGED)
        self._log = log
        self._seen = {"queue_full": 0, "write_failed": 0}

    def carry_over(self) -> None:
        """Bring the metrics up to date."""
        for reason, count in (("queue_full", self._log.dropped), ("write_failed", self._log.failed)):
            self._lost[(reason,)].inc(count - self._seen[reason])
            self._seen[reason] = count
