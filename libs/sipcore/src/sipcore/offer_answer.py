"""Offer and answer in one dialog, as a table (RFC 3264; in SIP: RFC 3261 13 and 14, 3262 5, 3311 5, 6337).

The state says who has an INVITE open, whose offer waits for an answer, and in which message that came. A
message that one side sends leads to the next state and tells what its session description means; or it comes
at the wrong time, and there is a status to answer it with. Every (state, sender, message) is decided.

The table holds for one dialog: each early dialog of a forked INVITE goes on from the state that the INVITE
led to. It does not know whether reliable responses are acknowledged yet; that rule (RFC 3262 3) is about
responses, not about sessions.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from sipcore.errors import LocalProtocolError

__all__ = ["TABLE", "Meaning", "Message", "Outcome", "Refusal", "Side", "State", "Step", "step"]


class Side(IntEnum):
    """Who sends."""

    US = 0
    PEER = 1

    @property
    def other(self) -> Side:
        """The one at the other end of the dialog."""
        return Side.PEER if self is Side.US else Side.US


class Message(IntEnum):
    """What is sent: SDP is with, BARE without a session description.

    Messages that say nothing about sessions are left out: provisional responses without description, UPDATE
    without description and its responses. A response to PRACK or UPDATE counts only if that request carried
    an offer that was not refused by this table.
    """

    INVITE_SDP = 0
    INVITE_BARE = 1
    UNRELIABLE_SDP = 2
    """101-199 without RSeq."""
    RELIABLE_SDP = 3
    """101-199 with Require: 100rel (RFC 3262)."""
    INVITE_2XX_SDP = 4
    INVITE_2XX_BARE = 5
    INVITE_FAILED = 6
    """3xx-6xx, or no answer."""
    ACK_SDP = 7
    ACK_BARE = 8
    PRACK_SDP = 9
    PRACK_BARE = 10
    UPDATE_SDP = 11
    REQUEST_2XX_SDP = 12
    """2xx to the PRACK or UPDATE that carried the offer."""
    REQUEST_2XX_BARE = 13
    REQUEST_FAILED = 14
    """3xx-6xx to it, or no answer."""


class State(IntEnum):
    """Where a dialog is. SENT is by us, RECEIVED from the peer. The numbers may be stored."""

    STABLE = 0
    """No offer waits for an answer, no INVITE is open."""
    BARE_INVITE_SENT = 1
    """An INVITE without offer is open: the other side has to make the offer."""
    BARE_INVITE_RECEIVED = 2
    INVITE_OFFER_SENT = 3
    """The offer was in the INVITE."""
    INVITE_OFFER_RECEIVED = 4
    RELIABLE_OFFER_SENT = 5
    """The offer was in a reliable provisional response; the answer belongs in its PRACK."""
    RELIABLE_OFFER_RECEIVED = 6
    FINAL_OFFER_SENT = 7
    """The offer was in the 2xx; the answer belongs in the ACK. The INVITE is not open any more."""
    FINAL_OFFER_RECEIVED = 8
    EARLY_SENT = 9
    """Our INVITE is open, its offer is answered: PRACK and UPDATE may bring more of them."""
    EARLY_RECEIVED = 10
    REQUEST_OFFER_SENT = 11
    """The offer was in an UPDATE or PRACK; the answer belongs in its 2xx. No INVITE is open."""
    REQUEST_OFFER_RECEIVED = 12
    EARLY_SENT_OFFER_SENT = 13
    """As EARLY_SENT, and the offer of an UPDATE or PRACK of ours waits for its answer."""
    EARLY_SENT_OFFER_RECEIVED = 14
    """As EARLY_SENT, and the offer of an UPDATE of the peer waits for its answer."""
    EARLY_RECEIVED_OFFER_SENT = 15
    EARLY_RECEIVED_OFFER_RECEIVED = 16

    @property
    def inviter(self) -> Side | None:
        """Whose INVITE is open."""
        return _INVITERS.get(self)

    @property
    def offerer(self) -> Side | None:
        """Whose offer waits for an answer."""
        return _OFFERERS.get(self)


class Meaning(IntEnum):
    """What the session description of a message is, or that it has none."""

    NONE = 0
    """Nothing changes."""
    OFFER = 1
    ANSWER = 2
    PREVIEW = 3
    """Media may follow it already, but what counts is still to come (RFC 3261 13.2.1, RFC 6337 2.4)."""
    IGNORED = 4
    """Neither offer nor answer can be here (any more): it has no effect, and need not be sent."""
    MISSING = 5
    """An offer or answer should be here and is not: the session is what it was before."""
    ROLLBACK = 6
    """What was offered, or agreed in this INVITE, is void: the session is what it was (RFC 3261 14.1)."""
    LATER = 7
    """Of ours only: it must not leave yet. To be tried again when the state has changed."""


class Step(NamedTuple):
    """The message is taken."""

    state: State
    meaning: Meaning


class Refusal(NamedTuple):
    """The message comes at the wrong time and changes nothing.

    A request of the peer is answered with this. A request of ours does not leave: whoever wanted it (the
    other leg's peer) is answered with this.
    """

    status: int
    reason: str
    retry_after: bool = False
    """Whether to add Retry-After, 0 to 10 seconds at random (RFC 3311 5.2)."""


Outcome: TypeAlias = Step | Refusal

_PENDING = Refusal(491, "Request Pending")
_TOO_EARLY = Refusal(500, "Server Internal Error", retry_after=True)
_STRAY = Refusal(481, "Call Leg/Transaction Does Not Exist")

_S = State
_M = Message
_US = Side.US
_PEER = Side.PEER

_INVITERS = {
    **dict.fromkeys(
        (_S.BARE_INVITE_SENT, _S.INVITE_OFFER_SENT, _S.RELIABLE_OFFER_RECEIVED, _S.EARLY_SENT), _US
    ),
    **dict.fromkeys((_S.EARLY_SENT_OFFER_SENT, _S.EARLY_SENT_OFFER_RECEIVED), _US),
    **dict.fromkeys((_S.BARE_INVITE_RECEIVED, _S.INVITE_OFFER_RECEIVED, _S.RELIABLE_OFFER_SENT), _PEER),
    **dict.fromkeys(
        (_S.EARLY_RECEIVED, _S.EARLY_RECEIVED_OFFER_SENT, _S.EARLY_RECEIVED_OFFER_RECEIVED), _PEER
    ),
}
_OFFERERS = {
    state: _US if state.name.endswith("OFFER_SENT") else _PEER for state in State if "OFFER" in state.name
}

_MIRRORED = {
    state: State[state.name.replace("SENT", "\0").replace("RECEIVED", "SENT").replace("\0", "RECEIVED")]
    for state in State
}
"""The state as the peer sees it."""

_STEPS: tuple[tuple[State, Side, Message, State, Meaning], ...] = (
    (_S.STABLE, _US, _M.INVITE_SDP, _S.INVITE_OFFER_SENT, Meaning.OFFER),
    (_S.STABLE, _US, _M.INVITE_BARE, _S.BARE_INVITE_SENT, Meaning.NONE),
    (_S.STABLE, _US, _M.UPDATE_SDP, _S.REQUEST_OFFER_SENT, Meaning.OFFER),
    # The 2xx to the INVITE has overtaken it.
    (_S.STABLE, _US, _M.PRACK_SDP, _S.REQUEST_OFFER_SENT, Meaning.OFFER),
    # An INVITE with an offer (RFC 6337 2.2, patterns 1 and 3). A 2xx without answer after an unreliable
    # preview is against RFC 3261 13.2.1, and met.
    (_S.INVITE_OFFER_SENT, _PEER, _M.UNRELIABLE_SDP, _S.INVITE_OFFER_SENT, Meaning.PREVIEW),
    (_S.INVITE_OFFER_SENT, _PEER, _M.RELIABLE_SDP, _S.EARLY_SENT, Meaning.ANSWER),
    (_S.INVITE_OFFER_SENT, _PEER, _M.INVITE_2XX_SDP, _S.STABLE, Meaning.ANSWER),
    (_S.INVITE_OFFER_SENT, _PEER, _M.INVITE_2XX_BARE, _S.STABLE, Meaning.MISSING),
    (_S.INVITE_OFFER_SENT, _PEER, _M.INVITE_FAILED, _S.STABLE, Meaning.ROLLBACK),
    # An INVITE without offer (patterns 2 and 4): the first reliable response brings it.
    (_S.BARE_INVITE_SENT, _PEER, _M.UNRELIABLE_SDP, _S.BARE_INVITE_SENT, Meaning.PREVIEW),
    (_S.BARE_INVITE_SENT, _PEER, _M.RELIABLE_SDP, _S.RELIABLE_OFFER_RECEIVED, Meaning.OFFER),
    (_S.BARE_INVITE_SENT, _PEER, _M.INVITE_2XX_SDP, _S.FINAL_OFFER_RECEIVED, Meaning.OFFER),
    (_S.BARE_INVITE_SENT, _PEER, _M.INVITE_2XX_BARE, _S.STABLE, Meaning.MISSING),
    (_S.BARE_INVITE_SENT, _PEER, _M.INVITE_FAILED, _S.STABLE, Meaning.NONE),
    (_S.RELIABLE_OFFER_RECEIVED, _US, _M.PRACK_SDP, _S.EARLY_SENT, Meaning.ANSWER),
    (_S.RELIABLE_OFFER_RECEIVED, _US, _M.PRACK_BARE, _S.EARLY_SENT, Meaning.MISSING),
    # The peer should have waited for the PRACK (RFC 3262 3). Its offer may still be answered there, or in
    # the ACK.
    (_S.RELIABLE_OFFER_RECEIVED, _PEER, _M.INVITE_2XX_SDP, _S.FINAL_OFFER_RECEIVED, Meaning.IGNORED),
    (_S.RELIABLE_OFFER_RECEIVED, _PEER, _M.INVITE_2XX_BARE, _S.FINAL_OFFER_RECEIVED, Meaning.NONE),
    (_S.RELIABLE_OFFER_RECEIVED, _PEER, _M.INVITE_FAILED, _S.STABLE, Meaning.ROLLBACK),
    (_S.FINAL_OFFER_RECEIVED, _US, _M.ACK_SDP, _S.STABLE, Meaning.ANSWER),
    (_S.FINAL_OFFER_RECEIVED, _US, _M.ACK_BARE, _S.STABLE, Meaning.MISSING),
    (_S.FINAL_OFFER_RECEIVED, _US, _M.PRACK_SDP, _S.STABLE, Meaning.ANSWER),
    # More offers while the INVITE is open (patterns 5 and 6).
    (_S.EARLY_SENT, _US, _M.PRACK_SDP, _S.EARLY_SENT_OFFER_SENT, Meaning.OFFER),
    (_S.EARLY_SENT, _US, _M.UPDATE_SDP, _S.EARLY_SENT_OFFER_SENT, Meaning.OFFER),
    (_S.EARLY_SENT, _PEER, _M.UPDATE_SDP, _S.EARLY_SENT_OFFER_RECEIVED, Meaning.OFFER),
    (_S.EARLY_SENT, _PEER, _M.INVITE_2XX_SDP, _S.STABLE, Meaning.IGNORED),
    (_S.EARLY_SENT, _PEER, _M.INVITE_2XX_BARE, _S.STABLE, Meaning.NONE),
    (_S.EARLY_SENT, _PEER, _M.INVITE_FAILED, _S.STABLE, Meaning.ROLLBACK),
    (_S.EARLY_SENT_OFFER_SENT, _PEER, _M.REQUEST_2XX_SDP, _S.EARLY_SENT, Meaning.ANSWER),
    (_S.EARLY_SENT_OFFER_SENT, _PEER, _M.REQUEST_2XX_BARE, _S.EARLY_SENT, Meaning.MISSING),
    (_S.EARLY_SENT_OFFER_SENT, _PEER, _M.REQUEST_FAILED, _S.EARLY_SENT, Meaning.ROLLBACK),
    (_S.EARLY_SENT_OFFER_SENT, _PEER, _M.INVITE_2XX_SDP, _S.REQUEST_OFFER_SENT, Meaning.IGNORED),
    (_S.EARLY_SENT_OFFER_SENT, _PEER, _M.INVITE_2XX_BARE, _S.REQUEST_OFFER_SENT, Meaning.NONE),
    (_S.EARLY_SENT_OFFER_SENT, _PEER, _M.INVITE_FAILED, _S.REQUEST_OFFER_SENT, Meaning.ROLLBACK),
    (_S.EARLY_SENT_OFFER_RECEIVED, _US, _M.REQUEST_2XX_SDP, _S.EARLY_SENT, Meaning.ANSWER),
    (_S.EARLY_SENT_OFFER_RECEIVED, _US, _M.REQUEST_2XX_BARE, _S.EARLY_SENT, Meaning.MISSING),
    (_S.EARLY_SENT_OFFER_RECEIVED, _US, _M.REQUEST_FAILED, _S.EARLY_SENT, Meaning.ROLLBACK),
    (_S.EARLY_SENT_OFFER_RECEIVED, _PEER, _M.INVITE_2XX_SDP, _S.REQUEST_OFFER_RECEIVED, Meaning.IGNORED),
    (_S.EARLY_SENT_OFFER_RECEIVED, _PEER, _M.INVITE_2XX_BARE, _S.REQUEST_OFFER_RECEIVED, Meaning.NONE),
    (_S.EARLY_SENT_OFFER_RECEIVED, _PEER, _M.INVITE_FAILED, _S.REQUEST_OFFER_RECEIVED, Meaning.ROLLBACK),
    (_S.REQUEST_OFFER_SENT, _PEER, _M.REQUEST_2XX_SDP, _S.STABLE, Meaning.ANSWER),
    (_S.REQUEST_OFFER_SENT, _PEER, _M.REQUEST_2XX_BARE, _S.STABLE, Meaning.MISSING),
    (_S.REQUEST_OFFER_SENT, _PEER, _M.REQUEST_FAILED, _S.STABLE, Meaning.ROLLBACK),
)
"""What moves a dialog, told for one of the two sides; the other side's steps are their mirror images."""

_LATER = {
    (_S.RELIABLE_OFFER_SENT, _US, message): Step(_S.RELIABLE_OFFER_SENT, Meaning.LATER)
    for message in (_M.INVITE_2XX_SDP, _M.INVITE_2XX_BARE)
}
"""RFC 3262 3: no 2xx before the PRACK of a response that carried a description."""

_OFFERING = frozenset((_M.INVITE_SDP, _M.INVITE_BARE, _M.UPDATE_SDP, _M.PRACK_SDP))
"""Requests that open an exchange, and so can be refused."""

_INVITES = frozenset((_M.INVITE_SDP, _M.INVITE_BARE))
_PRACKS = frozenset((_M.PRACK_SDP, _M.PRACK_BARE))
_EARLY = frozenset((_M.UNRELIABLE_SDP, _M.RELIABLE_SDP))
_HARMLESS = frozenset((_M.ACK_BARE, _M.PRACK_BARE, _M.REQUEST_2XX_BARE, _M.REQUEST_FAILED))
"""What we may send in any state without an effect on it."""

_WITH_SDP = frozenset(message for message in Message if message.name.endswith("SDP"))


def step(state: State, sender: Side, message: Message) -> Outcome:
    """What ``message`` of ``sender`` does in ``state``.

    Raises LocalProtocolError for a message of ours that makes no sense in this state.
    """
    outcome = TABLE[state, sender, message]
    if outcome is None:
        raise LocalProtocolError(f"{message.name} cannot be sent in state {state.name}")
    return outcome


def _table() -> Mapping[tuple[State, Side, Message], Outcome | None]:
    steps: dict[tuple[State, Side, Message], Step] = {}
    for state, sender, message, after, meaning in _STEPS:
        steps[state, sender, message] = Step(after, meaning)
        steps[_MIRRORED[state], sender.other, message] = Step(_MIRRORED[after], meaning)
    steps.update(_LATER)
    triples = [(state, sender, message) for state in State for sender in Side for message in Message]
    return MappingProxyType({triple: steps.get(triple) or _otherwise(*triple) for triple in triples})


def _otherwise(state: State, sender: Side, message: Message) -> Outcome | None:
    """What is not a step is refused if it can be, else ignored; if it is ours, it is a mistake."""
    if message in _PRACKS and state.inviter is sender.other:
        return _STRAY if sender is Side.PEER else None
    if message in _OFFERING:
        return _PENDING if sender is Side.US else _refusal(state, message)
    if sender is Side.US and message not in _HARMLESS:
        return Step(state, Meaning.IGNORED) if message in _EARLY and state.inviter is Side.PEER else None
    return Step(state, Meaning.IGNORED if message in _WITH_SDP else Meaning.NONE)


def _refusal(state: State, message: Message) -> Refusal:
    """Who crosses us is told 491; who does not wait for us is told 500 (RFC 3311 5.2, RFC 6337 4.2).

    An INVITE while one is open is told 491, whoever sent that: RFC 3261 14.2 would have 500 for the second
    of the same side, but 491 is what makes clients try again, and what they get from others.
    """
    if message in _INVITES and state.inviter is not None:
        return _PENDING
    first = state.inviter if state.offerer is None else state.offerer
    return _TOO_EARLY if first is Side.PEER else _PENDING


TABLE = _table()
"""The outcome of each (state, sender, message); None for what makes no sense to send."""
