"""The timers that only some calls have: at most one of a kind and leg runs at a time.

Those of every call (answer, ACK, watch, reap) are fields of the record.
"""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record

#: Timers of one attempt to reach somebody, and of the group of its route.
OF_AN_ATTEMPT = (
    record.TIMER_KIND_NO_REPLY,
    record.TIMER_KIND_NO_PROGRESS,
    record.TIMER_KIND_NO_ANSWER,
    record.TIMER_KIND_GROUP,
)


def arm(call: record.Call, kind: record.TimerKind, at_ms: int, leg: int = 0) -> None:
    """Let a timer run out at `at_ms`, in milliseconds of the store's clock; one that runs is moved."""
    for timer in call.timers[:]:
        if timer.kind == kind and timer.leg == leg:
            timer.at_ms = at_ms
            return
    call.timers.add(kind=kind, leg=leg, at_ms=at_ms)


def disarm(call: record.Call, *kinds: record.TimerKind, leg: int) -> bool:
    """Stop timers of a leg; tell whether any ran."""
    timers = call.timers
    found = [position for position, timer in enumerate(timers) if timer.leg == leg and timer.kind in kinds]
    for position in reversed(found):
        del timers[position]
    return bool(found)


def runs(call: record.Call, kind: record.TimerKind, leg: int) -> bool:
    """Tell whether a timer runs."""
    return any(timer.kind == kind and timer.leg == leg for timer in call.timers[:])


def take_due(call: record.Call, now: int) -> list[record.Timer]:
    """Remove the timers that are due and return them, earliest first."""
    timers = call.timers
    due = [position for position, timer in enumerate(timers) if timer.at_ms <= now]
    taken = [record.Timer.FromString(timers[position].SerializeToString()) for position in due]
    for position in reversed(due):
        del timers[position]
    return sorted(taken, key=lambda timer: timer.at_ms)
