"""What an event means to a call: the second half of the key into the call table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto

from b2bua.aaa.v1 import aaa_pb2 as aaa
from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import early_dialogs, relays, release
from call_control.domain.midcall import RELAYED
from call_control.domain.turn import Turn, same_request
from sipcore.dialog import CSeqOrder, cseq_order


class Kind(IntEnum):
    """The kinds of events, in the order of a call's life."""

    INVITE_AGAIN = auto()
    """The INVITE of this call once more, from an edge that did not have it."""
    REPLACING = auto()
    """An INVITE that is to take the place of a dialog of this call (RFC 3891)."""
    CANCEL = auto()
    """The caller cancels its INVITE."""
    SELF_CANCELLED = auto()
    """The edge ended a cancelled INVITE by itself."""
    EARLY_BYE = auto()
    """A BYE of the caller inside the dialog of its INVITE."""
    PROVISIONAL = auto()
    """1xx to an INVITE of ours."""
    SUCCESS = auto()
    """2xx to an INVITE of ours that awaits one."""
    LATE_SUCCESS = auto()
    """2xx to an INVITE of ours that was given up."""
    SUCCESS_AGAIN = auto()
    """2xx to an INVITE of ours that has had one."""
    FAILURE = auto()
    """3xx..6xx to an INVITE of ours, or no answer in time."""
    LATE_FAILURE = auto()
    """The same for an INVITE of ours that was given up."""
    TARGET_PROVISIONAL = auto()
    """1xx to an INVITE of ours to the target of a transfer."""
    TARGET_SUCCESS = auto()
    """2xx to the same."""
    TARGET_FAILURE = auto()
    """3xx..6xx to the same, or no answer in time."""
    ACK = auto()
    """The caller's ACK for the 2xx to the INVITE that opened the call."""
    PRACK_MISSING = auto()
    """An edge repeated a reliable provisional for 64*T1 in vain."""
    ACK_MISSING = auto()
    """An edge repeated a 2xx for 64*T1 in vain."""
    BYE = auto()
    """A BYE of either side."""
    STRANGER = auto()
    """A request of somebody who has our tag, but no dialog."""
    LATE_CANCEL = auto()
    """A CANCEL of a request that is not open."""
    REINVITE = auto()
    """An INVITE of either side inside its dialog."""
    REINVITE_CANCEL = auto()
    """The requester cancels its re-INVITE."""
    REINVITE_ACK = auto()
    """The requester's ACK for the 2xx to its re-INVITE."""
    UPDATE = auto()
    """An UPDATE of either side."""
    PRACK = auto()
    """The caller acknowledges a reliable provisional."""
    REFER = auto()
    """One side wants the other to call somebody else."""
    RELAYED_REQUEST = auto()
    """A request that crosses as it is."""
    OPTIONS = auto()
    """OPTIONS inside a dialog."""
    OTHER_REQUEST = auto()
    """Any other request inside a dialog."""
    RELEASED_LEG = auto()
    """Any request but BYE of a peer that we have hung up on, or that has: the call may go on."""
    REPEATED_REQUEST = auto()
    """A request that is open already, from another edge."""
    OLD_REQUEST = auto()
    """A request whose CSeq number is not higher than the last one's."""
    RELAY_PROVISIONAL = auto()
    """1xx to a request of ours that crosses."""
    RELAY_SUCCESS = auto()
    """2xx to a request of ours that crosses."""
    RELAY_FAILURE = auto()
    """3xx..6xx to a request of ours that crosses, or none in time."""
    OWN_PROVISIONAL = auto()
    """1xx to a request that we sent by ourselves."""
    OWN_SUCCESS = auto()
    """2xx to a request that we sent by ourselves."""
    OWN_FAILURE = auto()
    """3xx..6xx to a request that we sent by ourselves, or none in time."""
    STRAY_SUCCESS = auto()
    """2xx to a re-INVITE that is over."""
    REQUEST_FINAL = auto()
    """The final answer to our BYE."""
    AUTHORIZED = auto()
    """The reply to an authorisation: the call may be placed, or not."""
    DISCONNECT = auto()
    """Somebody who may do so wants the call to end."""
    NOTHING = auto()
    """An event that has lost its meaning: ACK or answer of something that is over."""


@dataclass(slots=True)
class Subject:
    """What an event is about. Nobody changes it; to freeze it would cost more than all else here."""

    kind: Kind
    leg: record.Leg | None = None
    relay: record.Relay | None = None
    reply: aaa.AuthorizeResponse | None = None


_NOTHING = Subject(Kind.NOTHING)
_NEW = CSeqOrder.NEW

_OVER = (record.LEG_STATE_CANCELLING, record.LEG_STATE_RELEASING, record.LEG_STATE_ENDED)

_IN_DIALOG_KINDS = {
    "INVITE": Kind.REINVITE,
    "OPTIONS": Kind.OPTIONS,
    "UPDATE": Kind.UPDATE,
    "PRACK": Kind.PRACK,
    "REFER": Kind.REFER,
    **dict.fromkeys(RELAYED, Kind.RELAYED_REQUEST),
}


def classify(turn: Turn, event: edge.Event, what: str | None, leg_index: int) -> Subject:
    """Tell what an event means.

    `what` is its field that is set; `leg_index` is what its tag or branch says, -1 if neither does.
    """
    match what:
        case "request":
            return _classify_request(turn, event, leg_index)
        case "response":
            return _classify_response(turn, event.response, leg_index)
        case "ack_missing":
            return Subject(
                Kind.ACK_MISSING, relay=relays.of_transaction(turn.call, event.ack_missing.transaction)
            )
        case "provisional_unacknowledged":
            return Subject(Kind.PRACK_MISSING, turn.ingress)
        case "self_cancelled":
            relay = relays.of_transaction(turn.call, event.self_cancelled.transaction)
            return Subject(Kind.SELF_CANCELLED, turn.ingress) if relay is None else _NOTHING
    return _NOTHING


def _classify_request(turn: Turn, event: edge.Event, leg_index: int) -> Subject:
    request = event.request
    method = request.origin.method
    if method == "CANCEL":
        return _classify_cancel(turn, request)
    if not request.to_tag:
        return _classify_invite(turn, event) if method == "INVITE" else _NOTHING
    leg = _speaker(turn, leg_index, request.from_tag)
    if method == "ACK":
        return _classify_ack(turn, leg, request) if leg is not None else _NOTHING
    if leg is None:
        return Subject(Kind.STRANGER, turn.ingress)
    if turn.transaction(request.transaction) is not None:
        return Subject(Kind.REPEATED_REQUEST, leg)
    last = leg.remote_cseq
    if last and cseq_order(last, request.origin.cseq) is not _NEW:
        return Subject(Kind.OLD_REQUEST, leg)
    return Subject(_in_dialog_kind(turn, leg, method), leg)


def _classify_invite(turn: Turn, event: edge.Event) -> Subject:
    if event.opens_call:
        return Subject(Kind.INVITE_AGAIN, turn.ingress)
    known = turn.transaction(event.request.transaction) is not None
    return Subject(Kind.REPEATED_REQUEST if known else Kind.REPLACING)


def _speaker(turn: Turn, leg_index: int, from_tag: str) -> record.Leg | None:
    """Return the leg whose peer sends: the branches of a fork know us by the same tag (RFC 3261 12.2.2)."""
    leg = turn.leg(leg_index)
    if leg is None:
        return None
    if not leg.remote_tag:
        early = leg.HasField("early")
        return leg if not early or early_dialogs.of_tag(leg, from_tag) is not None else None
    if leg.remote_tag == from_tag:
        return leg
    same_tag = (one for one in turn.call.legs[:] if one.local_tag == leg.local_tag)
    return next((one for one in same_tag if one.remote_tag == from_tag), None)


def _in_dialog_kind(turn: Turn, leg: record.Leg, method: str) -> Kind:
    if method == "BYE":
        early = leg.index == 0 and turn.call.state in release.SETTING_UP
        return Kind.EARLY_BYE if early else Kind.BYE
    up = turn.call.state in (record.CALL_STATE_ANSWERED, record.CALL_STATE_CONFIRMED)
    if leg.state in _OVER or (up and leg.state != record.LEG_STATE_CONFIRMED):
        return Kind.RELEASED_LEG
    return _IN_DIALOG_KINDS.get(method, Kind.OTHER_REQUEST)


def _classify_cancel(turn: Turn, request: edge.RequestEvent) -> Subject:
    reference = request.transaction.rpartition(" ")[0] + " INVITE"
    relay = relays.of_transaction(turn.call, reference)
    if relay is not None and relay.state == record.RELAY_STATE_PENDING:
        return Subject(Kind.REINVITE_CANCEL, relay=relay)
    return Subject(Kind.LATE_CANCEL if request.to_tag else Kind.CANCEL, turn.ingress)


def _classify_ack(turn: Turn, leg: record.Leg, request: edge.RequestEvent) -> Subject:
    if leg.index == 0 and request.origin.cseq == leg.invite_cseq:
        return Subject(Kind.ACK, leg)
    relay = relays.of_ack(turn.call, leg.index, request.origin.cseq)
    return Subject(Kind.REINVITE_ACK, leg, relay) if relay is not None else _NOTHING


def _classify_response(turn: Turn, response: edge.ResponseEvent, leg_index: int) -> Subject:
    leg = turn.leg(leg_index)
    if leg is None:
        return _NOTHING
    branch, status = response.branch, response.status
    if same_request(leg.invite_branch, branch):
        kind = _invite_kind(leg, status)
        if turn.call.HasField("transfer"):
            kind = _TARGET_KINDS.get(kind, kind)
        return Subject(kind, leg)
    relay = relays.of_branch(turn.call, branch)
    if relay is not None:
        kinds = _OWN_KINDS if relay.purpose else _RELAY_KINDS
        return Subject(kinds[min(status // 100, 3) - 1], leg, relay)
    if response.method == "INVITE" and 200 <= status < 300:
        return Subject(Kind.STRAY_SUCCESS, leg)
    return Subject(Kind.REQUEST_FINAL, leg) if status >= 200 else _NOTHING


def _invite_kind(leg: record.Leg, status: int) -> Kind:
    waiting = leg.state in (record.LEG_STATE_INVITING, record.LEG_STATE_PROCEEDING)
    if status < 200:
        return Kind.PROVISIONAL if waiting else Kind.NOTHING
    if status >= 300:
        return Kind.FAILURE if waiting else Kind.LATE_FAILURE
    if 200 <= leg.final_status < 300:
        return Kind.SUCCESS_AGAIN
    return Kind.SUCCESS if waiting else Kind.LATE_SUCCESS


#: By the class of the status: 1xx, 2xx, any other.
_RELAY_KINDS = (Kind.RELAY_PROVISIONAL, Kind.RELAY_SUCCESS, Kind.RELAY_FAILURE)
_OWN_KINDS = (Kind.OWN_PROVISIONAL, Kind.OWN_SUCCESS, Kind.OWN_FAILURE)

#: What answers mean while a transfer is under way: those who wait are called for it.
_TARGET_KINDS = {
    Kind.PROVISIONAL: Kind.TARGET_PROVISIONAL,
    Kind.SUCCESS: Kind.TARGET_SUCCESS,
    Kind.FAILURE: Kind.TARGET_FAILURE,
}
