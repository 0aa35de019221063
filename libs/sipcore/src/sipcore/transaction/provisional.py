"""Reliable provisional responses, from their first sending to their PRACK (RFC 3262 3).

A machine beside the INVITE server transaction, which goes on as if the response were an ordinary one: it
answers repetitions of the INVITE, and knows nothing of PRACK.
"""

import math
from enum import IntEnum
from typing import Final

from sipcore.timers import DEFAULT_TIMERS, Timers, Wait
from sipcore.transaction.machine import Transaction
from sipcore.transaction.tables import Action, Machine, Next, Repeat

__all__ = ["PROVISIONAL", "ProvisionalEvent", "ProvisionalState", "ReliableProvisional"]


class ProvisionalState(IntEnum):
    """States of a reliable provisional."""

    INITIAL = 0
    UNACKNOWLEDGED = 1
    """Sent, and repeated: from T1 on, doubling, without the bound of T2."""
    TERMINATED = 2


class ProvisionalEvent(IntEnum):
    """What can happen to a reliable provisional."""

    START = 0
    PRACK = 1
    """Its PRACK came, here or elsewhere."""
    OVERTAKEN = 2
    """The INVITE got its final response, or a newer reliable provisional."""
    REPEAT_DUE = 3
    WAIT_OVER = 4
    """64 * T1 without a PRACK."""


_P = ProvisionalState
_V = ProvisionalEvent


def _end(*actions: Action) -> Next[ProvisionalState]:
    return Next(_P.TERMINATED, (*actions, Action.TERMINATE), Repeat.STOP, Wait.STOP)


_SEND: Final = (Action.SEND_RESPONSE,)

PROVISIONAL: Machine[ProvisionalState, ProvisionalEvent] = Machine(
    name="reliable provisional",
    states=tuple(_P),
    events=tuple(_V),
    wait_over=_V.WAIT_OVER,
    table={
        # Repeated on every transport: what carries it beyond the first hop is not known.
        (_P.INITIAL, _V.START): Next(_P.UNACKNOWLEDGED, _SEND, Repeat.FIRST_ALWAYS, Wait.PRACK),
        (_P.UNACKNOWLEDGED, _V.PRACK): _end(),
        (_P.UNACKNOWLEDGED, _V.OVERTAKEN): _end(),
        (_P.UNACKNOWLEDGED, _V.REPEAT_DUE): Next(_P.UNACKNOWLEDGED, _SEND, Repeat.DOUBLE),
        (_P.UNACKNOWLEDGED, _V.WAIT_OVER): _end(Action.PRACK_MISSING),
    },
    ignored=frozenset({(_P.TERMINATED, _V.PRACK), (_P.TERMINATED, _V.OVERTAKEN)}),
    illegal=frozenset(
        {
            *((_P.INITIAL, event) for event in _V if event is not _V.START),
            (_P.UNACKNOWLEDGED, _V.START),
            *((_P.TERMINATED, event) for event in (_V.START, _V.REPEAT_DUE, _V.WAIT_OVER)),
        }
    ),
)
_ROWS: Final = PROVISIONAL.rows(reliable=False)


class ReliableProvisional(Transaction[ProvisionalState, ProvisionalEvent]):
    """One reliable provisional response. Which PRACK acknowledges it the caller finds out, by RAck."""

    __slots__ = ()

    def __init__(self, timers: Timers = DEFAULT_TIMERS) -> None:
        super().__init__(_ROWS, ProvisionalState.INITIAL, timers, timers.waits, math.inf)

    def start(self, now: float) -> tuple[Action, ...]:
        """The response goes out for the first time."""
        return self._take(ProvisionalEvent.START, now)

    def on_prack(self, now: float) -> tuple[Action, ...]:
        """It is acknowledged."""
        return self._take(ProvisionalEvent.PRACK, now)

    def on_overtaken(self, now: float) -> tuple[Action, ...]:
        """The INVITE was answered further, so nobody waits for this response any more."""
        return self._take(ProvisionalEvent.OVERTAKEN, now)

    def on_timer(self, now: float) -> tuple[Action, ...]:
        """To be called at `deadline`; what is not due yet does not happen."""
        return self._due(ProvisionalEvent.REPEAT_DUE, ProvisionalEvent.WAIT_OVER, now)
