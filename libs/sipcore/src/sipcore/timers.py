"""The timer values of RFC 3261 table 4 and RFC 6026, as one frozen value.

A transaction does not know durations: its table names a timer (`Wait`) and `Timers.waits` says how long that
timer runs. All values are seconds.
"""

import math
from dataclasses import dataclass, field
from enum import IntEnum

__all__ = ["DEFAULT_TIMERS", "ZERO_WHEN_RELIABLE", "Timers", "Wait"]


class Wait(IntEnum):
    """What a transition does to the timer that bounds the current state."""

    KEEP = 0
    """The timer goes on as it is."""
    STOP = 1
    """Nothing bounds the new state."""
    B = 2
    """Client INVITE: no response at all."""
    C = 3
    """Client INVITE: provisional responses but no final one."""
    D = 4
    """Client INVITE: absorbs repeated non-2xx finals."""
    F = 5
    """Client non-INVITE: no final response."""
    H = 6
    """Server INVITE: no ACK for a non-2xx final."""
    I = 7  # noqa: E741  the RFC's own name
    """Server INVITE: absorbs repeated ACKs."""
    J = 8
    """Server non-INVITE: absorbs repeated requests."""
    K = 9
    """Client non-INVITE: absorbs repeated finals."""
    L = 10
    """Server INVITE: a 2xx was sent (RFC 6026)."""
    M = 11
    """Client INVITE: a 2xx was received (RFC 6026)."""
    CANCELLED = 12
    """Client INVITE: a CANCEL was sent, the final response is due (RFC 3261 9.1)."""
    PRACK = 13
    """Server INVITE: a reliable provisional was sent, its PRACK is due (RFC 3262 3)."""


ZERO_WHEN_RELIABLE = frozenset({Wait.D, Wait.I, Wait.J, Wait.K})
"""These absorb repetitions, which a reliable transport does not make (RFC 3261 table 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """Durations in seconds. A value of 0 for `b`, `f` or `accepted` means 64 * t1.

    Raises ValueError when a base value is not positive or t2 is less than t1.
    """

    t1: float = 0.5
    """Round trip estimate; the first retransmission interval."""
    t2: float = 4.0
    """The longest retransmission interval, except for INVITE requests."""
    t4: float = 5.0
    """How long a message may stay in the network."""
    b: float = 0.0
    """Client INVITE: how long to wait for any response."""
    f: float = 0.0
    """Client non-INVITE: how long to wait for a final response."""
    d: float = 32.0
    """Client INVITE over UDP: how long repeated non-2xx finals are acknowledged."""
    accepted: float = 0.0
    """Both sides of an INVITE: how long the Accepted state lasts (timers L and M of RFC 6026)."""
    invite_expiry: float = 300.0
    """Client INVITE: how long a final response may take after the last provisional one (as timer C)."""
    waits: tuple[float, ...] = field(init=False, repr=False, compare=False)
    """Durations indexed by `Wait`."""

    def __post_init__(self) -> None:
        if min(self.t1, self.t2, self.t4, self.invite_expiry) <= 0 or self.t2 < self.t1:
            raise ValueError("t1, t2, t4 and invite_expiry must be positive, and t2 at least t1")
        if min(self.b, self.f, self.d, self.accepted) < 0:
            raise ValueError("a timer cannot be negative")
        long = 64 * self.t1
        for name in ("b", "f", "accepted"):
            if getattr(self, name) == 0:
                object.__setattr__(self, name, long)
        waits = {
            Wait.KEEP: math.nan,
            Wait.STOP: math.inf,
            Wait.B: self.b,
            Wait.C: self.invite_expiry,
            Wait.D: self.d,
            Wait.F: self.f,
            Wait.H: long,
            Wait.I: self.t4,
            Wait.J: long,
            Wait.K: self.t4,
            Wait.L: self.accepted,
            Wait.M: self.accepted,
            Wait.CANCELLED: long,
            Wait.PRACK: long,
        }
        object.__setattr__(self, "waits", tuple(waits[wait] for wait in Wait))


DEFAULT_TIMERS = Timers()
