"""Requests inside a call that cross from one leg to the other: re-INVITE, UPDATE, INFO, ...

A request of one side (the requester) becomes a request of ours to the other; its answer comes back. At most
one offer crosses at a time: a second one meets 491 (RFC 3261 14.2, RFC 3311 5.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import party, relays, reliable, session
from call_control.domain.policy import EXTENSIONS
from call_control.domain.requests import in_dialog
from call_control.domain.turn import Turn
from sipcore.session_timer import Grant


class _Crossing(NamedTuple):
    """What of a request, and of its answers, the other side gets beside the body."""

    headers: frozenset[str] = frozenset()
    expires: bool = False


_EVENTS = frozenset({"event", "o", "allow-events", "u", "subscription-state", "accept", "min-expires"})
_CROSSING = {
    "INVITE": _Crossing(),
    "UPDATE": _Crossing(),
    "INFO": _Crossing(frozenset({"info-package", "recv-info"})),
    "MESSAGE": _Crossing(),
    "NOTIFY": _Crossing(_EVENTS),
    "SUBSCRIBE": _Crossing(_EVENTS, expires=True),
}
#: Methods that cross as they are.
RELAYED = frozenset(_CROSSING) - {"INVITE", "UPDATE"}
#: Header fields that cross with every request and answer, beside Reason.
_ALWAYS = frozenset({"warning", "retry-after"})
#: What we understand, for Allow.
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, MESSAGE, NOTIFY, SUBSCRIBE, REFER"

#: When a peer may try again whose UPDATE met one of its own, in seconds (RFC 3311 5.2: 0 to 10).
_RETRY_AFTER = "3"


# -- the requester's request ---------------------------------------------------------------------


def reinvited(turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """Take a re-INVITE to the other side, or answer it here when nothing changes."""
    transaction = turn.open_transaction(leg, request, reporter)
    transaction.reliability = reliable.reliability_of(request.headers)
    peer = turn.peer(leg)
    if peer is None or relays.exchange(turn.call) is not None:
        turn.answer(transaction, 491, "Request Pending")
        return
    granted = grant(turn, leg, request, transaction)
    if granted is None:
        return
    digest = party.body_digest(request.body)
    if digest and digest == leg.received_body_digest:
        _refresh(turn, leg, request, transaction, granted)
    else:
        cross(turn, leg, peer, request, transaction)


def updated(turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """Take an UPDATE with an offer to the other side; one without is answered here (RFC 3311 5.2)."""
    transaction = turn.open_transaction(leg, request, reporter)
    if request.body.data and _offer_waits(turn, leg, transaction):
        return
    granted = grant(turn, leg, request, transaction)
    if granted is None:
        return
    peer = turn.peer(leg) or turn.early_peer(leg)
    if request.body.data and peer is not None:
        cross(turn, leg, peer, request, transaction)
        return
    if request.body.data:
        turn.answer(transaction, 491, "Request Pending")
        return
    take_target(leg, request.contact_uri)
    session.start(turn, leg, granted.timer)
    turn.answer(transaction, 200, "OK", contact=True, headers=session.headers_of_grant(granted))


def _offer_waits(turn: Turn, leg: record.Leg, transaction: record.ServerTransaction) -> bool:
    """Refuse an offer while another one waits: 500 to whoever sent that, else 491 (RFC 3311 5.2)."""
    under_way = relays.exchange(turn.call)
    if under_way is not None:
        own = under_way.method == "UPDATE" and under_way.from_leg == leg.index and not under_way.purpose
    else:
        late = next((one for one in turn.call.legs[:] if one.ack_withheld), None)
        if late is None:
            return False
        own = late.index == leg.index
    if own:
        retry_after = sip_pb2.Header(name="Retry-After", value=_RETRY_AFTER)
        turn.answer(transaction, 500, "Server Internal Error", headers=(retry_after,))
    else:
        turn.answer(transaction, 491, "Request Pending")
    return True


def grant(
    turn: Turn, leg: record.Leg, request: edge.RequestEvent, transaction: record.ServerTransaction
) -> Grant | None:
    """What the session timer of the requester's leg will be; None: the request is refused already."""
    if 0 <= request.max_forwards <= 1:
        turn.answer(transaction, 483, "Too Many Hops")
        return None
    try:
        granted = session.granted(turn, leg, request)
    except session.Refusal as refusal:
        turn.answer(transaction, refusal.status, refusal.reason, headers=refusal.headers)
        return None
    session.keep_grant(transaction, granted)
    return granted


def take_target(leg: record.Leg, contact_uri: str) -> None:
    """Refresh the remote target from a request or answer that is accepted (RFC 3261 12.2)."""
    if not contact_uri:
        return
    if leg.HasField("early"):
        # The leg itself keeps where its INVITE went: a CANCEL goes there too.
        leg.early.remote_target = contact_uri
    elif leg.index == 0 or leg.state == record.LEG_STATE_CONFIRMED:
        leg.remote_target = contact_uri


def _refresh(
    turn: Turn,
    leg: record.Leg,
    request: edge.RequestEvent,
    transaction: record.ServerTransaction,
    grant: Grant,
) -> None:
    """Same offer as last time: the same answer, and the other side hears nothing."""
    turn.call.relays.add(
        method="INVITE",
        transaction=request.transaction,
        from_leg=leg.index,
        to_leg=leg.index,
        origin_cseq=request.origin.cseq,
        state=record.RELAY_STATE_ANSWERED,
        ack_by_ms=turn.now + turn.policy.ack_timeout_ms,
        offer_digest=leg.received_body_digest,
    )
    take_target(leg, request.contact_uri)
    session.start(turn, leg, grant.timer)
    turn.answer(
        transaction,
        200,
        "OK",
        contact=True,
        headers=session.headers_of_grant(grant),
        body=leg.sent_body,
    )


def cross(
    turn: Turn,
    leg: record.Leg,
    peer: record.Leg,
    request: edge.RequestEvent,
    transaction: record.ServerTransaction,
) -> record.Relay:
    """Take a request of one side to the other; what comes of it is decided in `midcall_answers`."""
    method = request.origin.method
    hops = request.max_forwards
    headers = crossing(method, request.headers)
    if _CROSSING[method].expires and request.expires >= 0:
        headers.append(sip_pb2.Header(name="Expires", value=str(request.expires)))
    exchanges = method not in RELAYED
    if exchanges:
        headers += session.request_headers(turn, peer)
    command = in_dialog(
        turn,
        peer,
        method,
        headers=headers,
        body=request.body if request.HasField("body") else None,
        max_forwards=hops - 1 if hops > 0 else turn.policy.max_forwards,
    )
    relay = turn.call.relays.add(
        method=method,
        transaction=transaction.transaction,
        from_leg=leg.index,
        to_leg=peer.index,
        branch=command.branch,
        cseq=command.cseq,
        origin_cseq=request.origin.cseq,
        state=record.RELAY_STATE_PENDING,
    )
    if exchanges:
        relay.offer_digest = party.body_digest(request.body)
        relay.contact_uri = request.contact_uri
    if method == "INVITE":
        relay.request.CopyFrom(command)
        relay.request.ClearField("body")
    turn.request(command, record.PROOF_FINAL, peer)
    return relay


def crossing(method: str, headers: Sequence[sip_pb2.Header]) -> list[sip_pb2.Header]:
    """Return the header fields of a request, or of an answer to it, that the other side gets too."""
    wanted = _CROSSING[method].headers | _ALWAYS
    return [*party.reasons(headers), *(header for header in headers if header.name.lower() in wanted)]


def relayed(turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """Take an INFO, MESSAGE, NOTIFY or SUBSCRIBE to the other side."""
    transaction = turn.open_transaction(leg, request, reporter)
    peer = turn.peer(leg)
    if peer is None:
        # Not 481, which would end the dialog (RFC 5057 5.1): the other side is about to change.
        turn.answer(transaction, 480, "Temporarily Unavailable")
    elif 0 <= request.max_forwards <= 1:
        turn.answer(transaction, 483, "Too Many Hops")
    else:
        cross(turn, leg, peer, request, transaction)


def options(turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """Answer OPTIONS inside a dialog (RFC 3261 11.2)."""
    transaction = turn.open_transaction(leg, request, reporter)
    headers = [
        sip_pb2.Header(name="Allow", value=ALLOW),
        sip_pb2.Header(name="Accept", value="application/sdp"),
        sip_pb2.Header(name="Supported", value=", ".join(EXTENSIONS)),
    ]
    turn.answer(transaction, 200, "OK", contact=True, headers=headers)


def unsupported(turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """Refuse a method that we do not support inside a dialog (RFC 3261 8.2.1)."""
    transaction = turn.open_transaction(leg, request, reporter)
    allow = sip_pb2.Header(name="Allow", value=ALLOW)
    turn.answer(transaction, 405, "Method Not Allowed", headers=[allow])


def refuse(
    turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef, status: int, reason: str
) -> None:
    """Answer a request that has no place in the state of the call."""
    turn.answer(turn.open_transaction(leg, request, reporter), status, reason)


def reinvite_cancelled(
    turn: Turn, relay: record.Relay, request: edge.RequestEvent, reporter: edge.EdgeRef
) -> None:
    """The requester takes its re-INVITE back: the call goes on as it was."""
    leg = turn.call.legs[relay.from_leg]
    if not request.cancel_answered:
        turn.answer(turn.open_transaction(leg, request, reporter), 200, "OK")
    transaction = turn.transaction(relay.transaction)
    if transaction is not None:
        turn.answer(transaction, 487, "Request Terminated")
    relays.cancel(turn, relay, party.reasons(request.headers))
