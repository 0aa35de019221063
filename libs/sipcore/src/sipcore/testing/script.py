"""What a scripted agent is told to do, and what it tells about what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from sipcore.testing.builders import sdp

if TYPE_CHECKING:
    from sipcore.testing.call import Call

__all__ = ["CallState", "Ending", "Kind", "Record", "Script", "Step"]


class Step(NamedTuple):
    """Something that a script does at a time of its own."""

    after: float
    """Seconds since the INVITE was sent or received, or since the call was established."""
    act: Callable[[Call], None]
    """What is done; it looks itself whether the call is in a state for it."""
    early: bool = False
    """Count from the INVITE, not from when the call is established."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The part an agent plays in one call. Times are seconds; None means: not at all.

    The callee counts `ring_after` and `answer_after` from the INVITE, the caller `cancel_after`.
    `reinvite_after`, `info_after` and `hangup_after` are for either side and count from when its call is
    established: the caller has the 2xx, the callee has the ACK.
    """

    trying: bool = True
    """Whether a callee answers 100 at once."""
    ring_after: float | None = 0.1
    ring_status: int = 180
    answer_after: float | None = 0.5
    status: int = 200
    """The final response; from 300 on it is a refusal."""
    cancel_after: float | None = None
    """A CANCEL waits for the first provisional response, and is not sent after a final one (RFC 3261 9.1)."""
    reinvite_after: float | None = None
    reinvite_status: int = 200
    """How an INVITE inside the dialog is answered."""
    info_after: float | None = None
    hangup_after: float | None = None
    offer: bytes = sdp()
    """The body of INVITE and re-INVITE; empty for a late offer. Also the offer in the 2xx to a late offer."""
    answer: bytes = sdp("192.0.2.2", 40002)
    """The body of the 2xx to an offer, and of the ACK to an offer in a 2xx."""
    headers: tuple[tuple[str, str], ...] = ()
    """Added to the INVITE of a caller, and to the final response of a callee."""
    steps: tuple[Step, ...] = ()
    """Whatever else is done."""


class CallState(Enum):
    """Where a call stands, seen from one side."""

    CALLING = "calling"
    """The INVITE has no final response."""
    ANSWERED = "answered"
    """Callee only: the 2xx is sent, and not yet acknowledged."""
    ESTABLISHED = "established"
    ENDING = "ending"
    """Our BYE is on its way."""
    ENDED = "ended"


class Ending(Enum):
    """Why a call ended, seen from one side."""

    REFUSED = "refused"
    """The INVITE failed; `Call.status` says how (408 and 503 may be our own)."""
    CANCELLED = "cancelled"
    HUNG_UP = "hung up"
    PEER_HUNG_UP = "peer hung up"
    UNACKNOWLEDGED = "unacknowledged"
    """Callee only: the ACK for the 2xx never came, so we sent a BYE."""
    VANISHED = "vanished"
    """By `Call.vanish`: nothing is sent or answered any more."""


class Kind(Enum):
    """What happened. Repetitions are the transactions' business and are not told, except for ACK_SENT."""

    REQUEST_SENT = "request sent"
    REQUEST_RECEIVED = "request received"
    RESPONSE_SENT = "response sent"
    RESPONSE_RECEIVED = "response received"
    ACK_SENT = "ack sent"
    """For a 2xx; told again for every repeated 2xx."""
    ACK_RECEIVED = "ack received"
    """For a 2xx, the first one."""
    ACK_MISSING = "ack missing"
    TIMED_OUT = "timed out"
    """Our request got no final response; the status is the one to assume."""
    ENDED = "ended"
    UNREADABLE = "unreadable"
    """Bytes that are no SIP message; discarded."""
    UNMATCHED = "unmatched"
    """A response or an ACK that belongs to nothing; discarded."""


class Record(NamedTuple):
    """One thing that happened at an agent."""

    time: float
    kind: Kind
    call_id: str = ""
    method: str = ""
    status: int = 0
    """0 for requests."""
    data: bytes = b""
    """The message, for all that is one."""
