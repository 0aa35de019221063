"""Reliable provisionals (RFC 3262), each side of the call by itself: who wants them gets them.

Towards the caller an answer that must wait for a PRACK is held; towards the callee we acknowledge at once,
unless the answer to its offer has to come from the caller's own PRACK.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import early_dialogs, own_requests, party, session
from call_control.domain.turn import Turn
from sipcore.dialog import route_set_uac
from sipcore.errors import PeerProtocolError
from sipcore.headers import CSeq
from sipcore.reliability import OPTION_TAG, RAck, RSeqOrder, parse_rack, parse_rseq, rseq_order

# -- towards the caller --------------------------------------------------------------------------


def reliability_of(headers: Sequence[sip_pb2.Header]) -> record.Reliability:
    """Return how the sender of an INVITE takes provisionals."""
    found = record.RELIABILITY_UNSPECIFIED
    for header in headers[:]:
        name = header.name.lower()
        if name in ("require", "supported", "k") and OPTION_TAG in party.options(header.value):
            if name == "require":
                return record.RELIABILITY_REQUIRED
            found = record.RELIABILITY_SUPPORTED
    return found


def ring(
    turn: Turn,
    transaction: record.ServerTransaction,
    response: edge.ResponseEvent,
    headers: list[sip_pb2.Header],
) -> None:
    """Send the caller a 101..199 as it wants it; while one waits for its PRACK, the latest one is held."""
    body = response.body if response.HasField("body") else None
    if not _sends_reliably(transaction, response):
        turn.answer(transaction, response.status, response.reason, contact=True, headers=headers, body=body)
        return
    respond = edge.Respond(
        status=response.status, reason=response.reason, contact=True, headers=headers, body=body
    )
    if transaction.prack_awaited:
        _hold(turn, transaction, respond)
    else:
        _send_reliably(turn, transaction, respond)


def _hold(turn: Turn, transaction: record.ServerTransaction, respond: edge.Respond) -> None:
    """Keep an answer until the PRACK; a session description that it does not repeat goes with it."""
    if transaction.held.HasField("body") and not respond.HasField("body"):
        respond.body.CopyFrom(transaction.held.body)
    transaction.held.CopyFrom(respond)
    turn.changed = True


def _sends_reliably(transaction: record.ServerTransaction, response: edge.ResponseEvent) -> bool:
    if transaction.reliability == record.RELIABILITY_REQUIRED:
        return True
    return transaction.reliability == record.RELIABILITY_SUPPORTED and rseq_of(response) > 0


def _send_reliably(turn: Turn, transaction: record.ServerTransaction, respond: edge.Respond) -> None:
    transaction.rseq = transaction.rseq + 1 if transaction.rseq else _first_rseq(turn.call.key)
    transaction.prack_awaited = True
    headers = [
        *respond.headers,
        sip_pb2.Header(name="Require", value=OPTION_TAG),
        sip_pb2.Header(name="RSeq", value=str(transaction.rseq)),
    ]
    turn.answer(
        transaction,
        respond.status,
        respond.reason,
        contact=True,
        headers=headers,
        body=respond.body if respond.HasField("body") else None,
        rseq=transaction.rseq,
    )


def _first_rseq(key: str) -> int:
    """Return a number in 1..2^30 that differs from call to call (RFC 3262 3) and needs no randomness."""
    digest = blake2b(f"{key} rseq".encode(), digest_size=4).digest()
    return (int.from_bytes(digest, "big") >> 2) + 1


def answer(
    turn: Turn,
    transaction: record.ServerTransaction,
    status: int,
    reason: str,
    headers: Sequence[sip_pb2.Header],
    body: sip_pb2.Body | None,
) -> None:
    """Send the caller the 2xx, or hold it until the last provisional is acknowledged (RFC 3262 3).

    Until it has left, the caller's INVITE is not answered, and the call rings.
    """
    if transaction.prack_awaited:
        _hold(turn, transaction, edge.Respond(status=status, reason=reason, headers=headers, body=body))
    else:
        _connect(turn, transaction, status, reason, headers, body)


def _connect(
    turn: Turn,
    transaction: record.ServerTransaction,
    status: int,
    reason: str,
    headers: Sequence[sip_pb2.Header],
    body: sip_pb2.Body | None,
) -> None:
    call, ingress = turn.call, turn.ingress
    call.state = record.CALL_STATE_ANSWERED
    call.answer_by_ms = call.watch_at_ms = 0
    call.ack_by_ms = turn.now + turn.policy.ack_timeout_ms
    ingress.state = record.LEG_STATE_CONFIRMED
    ingress.connect_time_ms = turn.now
    if transaction.session_interval_s:
        session.hold(turn, ingress, transaction.session_interval_s, we_refresh=transaction.session_refresher)
    turn.answer(transaction, status, reason, contact=True, headers=headers, body=body)


def acknowledged(turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """A PRACK of the caller: 200 to it, to the callee the answer it waits for; and what was held leaves."""
    invite = turn.invite_transaction
    prack = turn.open_transaction(leg, request, reporter)
    if leg.index or invite is None or not _acknowledges(request, invite, leg):
        turn.answer(prack, 481, "Call Leg/Transaction Does Not Exist")
        return
    turn.stop_others(invite, reporter, over=False)
    turn.settle_answers(invite.transaction)
    invite.prack_awaited = False
    turn.answer(prack, 200, "OK")
    callees = ((one, early_dialogs.of_withheld_prack(one)) for one in turn.call.legs[1:])
    callee, tag = next((pair for pair in callees if pair[1] is not None), (None, None))
    if callee is not None and tag is not None:
        early = early_dialogs.turn_to(callee, tag)
        early.prack_withheld = False
        early.agreed = True
        if request.HasField("body"):
            callee.sent_body.CopyFrom(request.body)
            leg.received_body_digest = party.body_digest(request.body)
        _prack(turn, callee, request.body if request.HasField("body") else None)
    if invite.HasField("held"):
        held = edge.Respond.FromString(invite.held.SerializeToString())
        invite.ClearField("held")
        _release(turn, invite, held)


def _acknowledges(request: edge.RequestEvent, invite: record.ServerTransaction, leg: record.Leg) -> bool:
    value = next((header.value for header in request.headers if header.name.lower() == "rack"), None)
    if value is None or not invite.prack_awaited:
        return False
    try:
        rack = parse_rack(value)
    except PeerProtocolError:
        return False
    return rack == RAck(invite.rseq, CSeq(leg.invite_cseq, "INVITE"))


def _release(turn: Turn, invite: record.ServerTransaction, held: edge.Respond) -> None:
    if held.status < 200:
        _send_reliably(turn, invite, held)
    else:
        body = held.body if held.HasField("body") else None
        _connect(turn, invite, held.status, held.reason, held.headers, body)


# -- towards the callee --------------------------------------------------------------------------


def rseq_of(response: edge.ResponseEvent) -> int:
    """Return the RSeq number of a reliable provisional; 0 for any other response."""
    reliable, number = False, 0
    for header in response.headers[:]:
        name = header.name.lower()
        if name == "require" and OPTION_TAG in party.options(header.value):
            reliable = True
        elif name == "rseq":
            try:
                number = parse_rseq(header.value)
            except PeerProtocolError:
                return 0
    return number if reliable and response.to_tag else 0


def accept(turn: Turn, leg: record.Leg, response: edge.ResponseEvent, rseq: int) -> bool:
    """Acknowledge a reliable provisional of the callee; False: it is a repetition, or out of order (4)."""
    known = early_dialogs.of_tag(leg, response.to_tag)
    if known is not None and rseq_order(known.rseq, rseq) is not RSeqOrder.NEXT:
        return False
    early = early_dialogs.turn_to(leg, response.to_tag)
    if known is None:
        early.remote_target = response.contact_uri or leg.remote_target
        early.route_set.extend(route_set_uac(response.record_route))
    early.rseq = rseq
    turn.changed = True
    offers = not turn.call.invite.body.data and bool(response.body.data) and not early.agreed
    invite = turn.invite_transaction
    if offers and invite is not None and invite.reliability:
        early.prack_withheld = True
    else:
        early.agreed = early.agreed or bool(response.body.data)
        _prack(turn, leg, None)
    return True


def _prack(turn: Turn, leg: record.Leg, body: sip_pb2.Body | None) -> None:
    rack = sip_pb2.Header(name="RAck", value=f"{leg.early.rseq} {leg.invite_cseq} INVITE")
    own_requests.send(turn, leg, "PRACK", record.OWN_PURPOSE_PRACK, headers=(rack,), body=body)
