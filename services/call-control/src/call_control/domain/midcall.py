"""Requests inside an answered call that cross from one leg to the other: re-INVITE, INFO, ...

A request of one side (the requester) becomes a request of ours to the other; its answer comes
back. At most one re-INVITE crosses at a time: a second one meets 491 (RFC 3261 14.2).
"""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import party
from call_control.domain.release import release_all
from call_control.domain.requests import acknowledgement, in_dialog
from call_control.domain.turn import Turn, same_request

#: Methods that cross as they are, beside INVITE.
RELAYED = frozenset({"INFO", "MESSAGE", "NOTIFY"})
#: What we understand, for Allow.
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, MESSAGE, NOTIFY"

#: A re-INVITE answered with one of these takes the dialog down (RFC 5057 5.1).
_FATAL = frozenset({408, 481})


def relay_of_branch(call: record.Call, branch: str) -> record.Relay | None:
    """Return the crossing request whose request to the other side has a branch."""
    return next((relay for relay in call.relays if same_request(relay.branch, branch)), None)


def relay_of_transaction(call: record.Call, reference: str) -> record.Relay | None:
    """Return the crossing request of a requester's server transaction."""
    return next((relay for relay in call.relays if relay.transaction == reference), None)


def relay_of_ack(call: record.Call, leg: int, cseq: int) -> record.Relay | None:
    """Return the answered re-INVITE that an ACK of a leg is for."""
    return next(
        (
            relay
            for relay in call.relays
            if relay.from_leg == leg
            and relay.origin_cseq == cseq
            and relay.state == record.RELAY_STATE_ANSWERED
        ),
        None,
    )


# -- the requester's request ---------------------------------------------------------------------


def reinvited(turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """Take a re-INVITE to the other side, or answer it here when nothing changes."""
    transaction = turn.open_transaction(leg, request, reporter)
    peer = turn.peer(leg)
    if peer is None or any(relay.method == "INVITE" for relay in turn.call.relays):
        turn.answer(transaction, 491, "Request Pending")
    elif 0 <= request.max_forwards <= 1:
        turn.answer(transaction, 483, "Too Many Hops")
    else:
        if request.contact_uri:
            leg.remote_target = request.contact_uri
        digest = party.body_digest(request.body)
        if digest and digest == leg.received_body_digest:
            _refresh(turn, leg, request, transaction)
        else:
            _cross(turn, leg, peer, request, transaction)


def _refresh(
    turn: Turn, leg: record.Leg, request: edge.RequestEvent, transaction: record.ServerTransaction
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
    turn.answer(transaction, 200, "OK", contact=True, body=leg.sent_body)


def _cross(
    turn: Turn,
    leg: record.Leg,
    peer: record.Leg,
    request: edge.RequestEvent,
    transaction: record.ServerTransaction,
) -> None:
    method = request.origin.method
    hops = request.max_forwards
    command = in_dialog(
        turn,
        peer,
        method,
        headers=party.reasons(request.headers),
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
        offer_digest=party.body_digest(request.body),
    )
    if method == "INVITE":
        relay.request.CopyFrom(command)
        relay.request.ClearField("body")
    turn.request(command, record.PROOF_FINAL, peer)


def relayed(turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """Take an INFO, MESSAGE or NOTIFY to the other side."""
    transaction = turn.open_transaction(leg, request, reporter)
    peer = turn.peer(leg)
    if peer is None:
        turn.answer(transaction, 481, "Call Leg/Transaction Does Not Exist")
    elif 0 <= request.max_forwards <= 1:
        turn.answer(transaction, 483, "Too Many Hops")
    else:
        _cross(turn, leg, peer, request, transaction)


def options(turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """Answer OPTIONS inside a dialog (RFC 3261 11.2)."""
    transaction = turn.open_transaction(leg, request, reporter)
    headers = [
        sip_pb2.Header(name="Allow", value=ALLOW),
        sip_pb2.Header(name="Accept", value="application/sdp"),
        sip_pb2.Header(name="Supported", value=""),
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
    relay.state = record.RELAY_STATE_CANCELLING
    _pay_request(turn, relay)
    cancel = edge.Cancel(
        branch=relay.branch,
        headers=party.reasons(request.headers),
        sent=relay.sent if relay.HasField("sent") else None,
        invite=relay.request,
        provisional_seen=relay.provisional_seen,
    )
    turn.cancel(cancel, turn.call.legs[relay.to_leg])


def reinvite_acknowledged(
    turn: Turn, relay: record.Relay, request: edge.RequestEvent, reporter: edge.EdgeRef
) -> None:
    """The requester's ACK: the exchange is over; a withheld ACK follows with its answer."""
    transaction = turn.transaction(relay.transaction)
    if transaction is not None:
        turn.stop_others(transaction, reporter)
        turn.close_transaction(relay.transaction)
    if relay.ack_withheld:
        leg, requester = turn.call.legs[relay.to_leg], turn.call.legs[relay.from_leg]
        answer = request.body if request.HasField("body") else None
        if answer is not None:
            leg.sent_body.CopyFrom(answer)
            requester.received_body_digest = party.body_digest(answer)
        ack = acknowledgement(turn, leg, relay.cseq, relay.branch, body=answer)
        turn.request(ack, record.PROOF_DONE, leg)
    turn.call.relays.remove(relay)
    turn.changed = True


# -- the other side's answer ---------------------------------------------------------------------


def _pay_request(turn: Turn, relay: record.Relay) -> None:
    position = turn.debt_of_branch(relay.branch)
    if position is not None:
        turn.pay((position,))


def relay_provisional(turn: Turn, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """Pass a 101..199 to a crossing request on to the requester."""
    if not relay.provisional_seen:
        relay.provisional_seen = True
        turn.changed = True
    transaction = turn.transaction(relay.transaction)
    if relay.state != record.RELAY_STATE_PENDING or transaction is None or response.status == 100:
        return
    respond = edge.Respond(
        transaction=relay.transaction,
        status=response.status,
        reason=response.reason,
        contact=True,
        body=response.body if response.HasField("body") else None,
    )
    turn.repeat(edge.Command(respond=respond, edge=transaction.edges[0]), transaction.origin)


def relay_accepted(turn: Turn, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """A 2xx to a crossing request: to the requester, and an ACK if it is an INVITE."""
    leg = turn.call.legs[relay.to_leg]
    offer = turn.debt_of_branch(relay.branch)
    if relay.method != "INVITE":
        _finish(turn, relay, response)
        return
    if relay.state == record.RELAY_STATE_ANSWERED:
        _acknowledge_again(turn, relay, response)
        return
    if response.contact_uri:
        leg.remote_target = response.contact_uri
    body = response.body if response.HasField("body") else None
    requester = turn.call.legs[relay.from_leg]
    late_offer = not relay.offer_digest and body is not None and relay.state == record.RELAY_STATE_PENDING
    if offer is not None:
        command = turn.call.debts[offer].command.send_request
        if command.HasField("body"):
            leg.sent_body.CopyFrom(command.body)
        turn.pay((offer,))
    if not late_offer:
        ack = acknowledgement(turn, leg, relay.cseq, relay.branch)
        turn.request(ack, record.PROOF_DONE, leg)
    transaction = turn.transaction(relay.transaction)
    if relay.state == record.RELAY_STATE_CANCELLING or transaction is None:
        _settle_relay_cancel(turn, relay)
        turn.call.relays.remove(relay)
        return
    if relay.offer_digest:
        requester.received_body_digest = relay.offer_digest
    leg.received_body_digest = party.body_digest(response.body)
    if body is not None:
        requester.sent_body.CopyFrom(body)
    relay.state = record.RELAY_STATE_ANSWERED
    relay.ack_withheld = late_offer
    relay.ack_by_ms = turn.now + turn.policy.ack_timeout_ms
    relay.ClearField("request")
    turn.answer(transaction, response.status, response.reason, contact=True, body=body)


def _acknowledge_again(turn: Turn, relay: record.Relay, response: edge.ResponseEvent) -> None:
    leg = turn.call.legs[relay.to_leg]
    if not relay.ack_withheld:
        ack = acknowledgement(turn, leg, relay.cseq, response.branch)
        turn.repeat(edge.Command(send_request=ack, edge=leg.edge))


def acknowledge_stray(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """A repeated 2xx to a re-INVITE that is long over: its ACK was lost with an edge."""
    ack = acknowledgement(turn, leg, response.cseq, response.branch)
    turn.repeat(edge.Command(send_request=ack, edge=leg.edge))


def relay_refused(turn: Turn, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """A final failure of a crossing request: the requester hears it, the call goes on."""
    if relay.state == record.RELAY_STATE_CANCELLING:
        _settle_relay_cancel(turn, relay)
        turn.call.relays.remove(relay)
        return
    fatal = relay.method == "INVITE" and response.status in _FATAL
    _finish(turn, relay, response)
    if fatal:
        release_all(turn, response.status, record.RELEASE_SOURCE_INTERNAL)


def _settle_relay_cancel(turn: Turn, relay: record.Relay) -> None:
    turn.pay(
        [
            position
            for position, debt in enumerate(turn.call.debts)
            if debt.proof == record.PROOF_INVITE_FINAL
            and same_request(debt.command.cancel.branch, relay.branch)
        ]
    )
    turn.changed = True


def _finish(turn: Turn, relay: record.Relay, response: edge.ResponseEvent) -> None:
    _pay_request(turn, relay)
    transaction = turn.transaction(relay.transaction)
    if transaction is not None:
        turn.answer(
            transaction,
            response.status,
            response.reason,
            headers=party.reasons(response.headers),
            body=response.body if response.HasField("body") else None,
        )
    turn.call.relays.remove(relay)
    turn.changed = True


def expire_relay(turn: Turn, relay: record.Relay) -> None:
    """Our 2xx to a re-INVITE was never acknowledged: hang up on both sides (RFC 3261 13.3.1.4)."""
    turn.call.relays.remove(relay)
    release_all(turn, 408, record.RELEASE_SOURCE_INTERNAL)
