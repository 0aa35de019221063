"""What comes of the requests that cross from one leg to the other: answers, and the requester's ACK."""

from __future__ import annotations

from collections.abc import Sequence

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import (
    authentication,
    keepalive,
    leaving,
    midcall,
    party,
    relays,
    replacing,
    restoring,
    session,
)
from call_control.domain.release import release_all
from call_control.domain.requests import acknowledgement
from call_control.domain.turn import Turn

#: A re-INVITE answered with one of these takes the dialog down (RFC 5057 5.1).
_FATAL = frozenset({408, 481})
#: A 2xx to one of these makes or refreshes a usage of the dialog, and carries a Contact.
_WITH_CONTACT = frozenset({"SUBSCRIBE", "NOTIFY"})


def relay_provisional(turn: Turn, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """Pass a 101..199 to a crossing request on to the requester."""
    if not relay.provisional_seen:
        relay.provisional_seen = True
        turn.changed = True
    transaction = turn.transaction(relay.transaction)
    if relay.state != record.RELAY_STATE_PENDING or transaction is None or response.status == 100:
        return
    if transaction.reliability == record.RELIABILITY_REQUIRED:
        # It wants none but reliable ones (RFC 3262 3), which nobody sends to a re-INVITE of ours.
        return
    respond = edge.Respond(
        transaction=relay.transaction,
        status=response.status,
        reason=response.reason,
        contact=True,
        to_tag="" if transaction.origin_in_dialog else turn.call.legs[relay.from_leg].local_tag,
        body=response.body if response.HasField("body") else None,
    )
    turn.repeat(edge.Command(respond=respond, edge=transaction.edges[0]), transaction.origin)


def relay_accepted(turn: Turn, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """A 2xx to a crossing request: to the requester, and an ACK if it is an INVITE."""
    if relay.state == record.RELAY_STATE_ANSWERED:
        _acknowledge_again(turn, relay, response)
        return
    leg = turn.call.legs[relay.to_leg]
    if relay.method in midcall.RELAYED:
        _finish(turn, relay, response)
        return
    midcall.take_target(leg, response.contact_uri)
    session.agreed(turn, leg, response)
    _keep_sent_offer(turn, relay, leg)
    body = response.body if response.HasField("body") else None
    late_offer = (
        relay.method == "INVITE"
        and not relay.offer_digest
        and body is not None
        and relay.state == record.RELAY_STATE_PENDING
    )
    if relay.method == "INVITE" and not late_offer:
        ack = acknowledgement(turn, leg, relay.cseq, relay.branch)
        turn.request(ack, record.PROOF_DONE, leg)
    transaction = turn.transaction(relay.transaction)
    if relay.state == record.RELAY_STATE_CANCELLING or transaction is None:
        turn.settle_cancel(relay.branch)
        turn.call.relays.remove(relay)
        restoring.restore(turn, leg)
        return
    _accept(turn, relay, transaction, response)
    if relay.HasField("replaced"):
        replacing.accepted(turn, turn.call.legs[relay.from_leg], relay, response.status)
    if relay.method == "INVITE":
        relay.state = record.RELAY_STATE_ANSWERED
        relay.ack_withheld = late_offer
        relay.ack_by_ms = turn.now + turn.policy.ack_timeout_ms
        relay.ClearField("request")
    else:
        turn.call.relays.remove(relay)


def turn_down(
    turn: Turn, relay: record.Relay, response: edge.ResponseEvent, why: Sequence[sip_pb2.Header]
) -> None:
    """A 2xx whose answer is of no use, when the old session is gone already: 502, and both sides hang up."""
    leg = turn.call.legs[relay.to_leg]
    relays.pay(turn, relay)
    if relay.method == "INVITE":
        turn.request(acknowledgement(turn, leg, relay.cseq, relay.branch), record.PROOF_DONE, leg)
    transaction = turn.transaction(relay.transaction)
    if transaction is not None:
        turn.answer(transaction, 502, "Bad Gateway", headers=why)
    turn.call.relays.remove(relay)
    release_all(turn, 502, record.RELEASE_SOURCE_INTERNAL)


def _keep_sent_offer(turn: Turn, relay: record.Relay, leg: record.Leg) -> None:
    position = turn.debt_of_branch(relay.branch)
    if position is not None:
        command = turn.call.debts[position].command.send_request
        if command.HasField("body"):
            leg.sent_body.CopyFrom(command.body)
        turn.pay((position,))


def _accept(
    turn: Turn,
    relay: record.Relay,
    transaction: record.ServerTransaction,
    response: edge.ResponseEvent,
) -> None:
    """The requester's offer is accepted: its leg takes over what it brought, and it gets the answer."""
    leg, requester = turn.call.legs[relay.to_leg], turn.call.legs[relay.from_leg]
    body = response.body if response.HasField("body") else None
    midcall.take_target(requester, relay.contact_uri)
    if transaction.session_interval_s:
        session.hold(
            turn, requester, transaction.session_interval_s, we_refresh=transaction.session_refresher
        )
    if relay.offer_digest:
        requester.received_body_digest = relay.offer_digest
    leg.received_body_digest = party.body_digest(response.body)
    if body is not None:
        requester.sent_body.CopyFrom(body)
    headers = [*transaction.session_headers, *midcall.crossing(relay.method, response.headers)]
    turn.answer(transaction, response.status, response.reason, contact=True, headers=headers, body=body)


def _acknowledge_again(turn: Turn, relay: record.Relay, response: edge.ResponseEvent) -> None:
    leg = turn.call.legs[relay.to_leg]
    if not relay.ack_withheld:
        ack = acknowledgement(turn, leg, relay.cseq, response.branch)
        turn.repeat(edge.Command(send_request=ack, edge=leg.edge))


def acknowledge_stray(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """A 2xx to a re-INVITE that is over: its ACK was lost with an edge, or our CANCEL came too late."""
    turn.settle_cancel(response.branch)
    ack = acknowledgement(turn, leg, response.cseq, response.branch)
    turn.repeat(edge.Command(send_request=ack, edge=leg.edge))


def relay_refused(turn: Turn, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """A final failure of a crossing request: the requester hears it, the call goes on as it was."""
    if relay.state == record.RELAY_STATE_ANSWERED:
        # It was accepted, and the requester knows: another branch of a fork, or a liar.
        return
    if relay.state == record.RELAY_STATE_CANCELLING:
        turn.settle_cancel(relay.branch)
        turn.call.relays.remove(relay)
        return
    leg = turn.call.legs[relay.to_leg]
    again = authentication.retry(turn, leg, relay.branch, response)
    if again is not None:
        relays.moved(relay, again)
        return
    fatal = relay.method == "INVITE" and response.status in _FATAL
    if relay.HasField("replaced"):
        replacing.refused(turn, turn.call.legs[relay.from_leg], response.status)
    _finish(turn, relay, response)
    if fatal:
        leaving.lost(turn, leg, response.status)


def _finish(turn: Turn, relay: record.Relay, response: edge.ResponseEvent) -> None:
    relays.pay(turn, relay)
    transaction = turn.transaction(relay.transaction)
    if transaction is not None:
        turn.answer(
            transaction,
            response.status,
            response.reason,
            contact=response.status < 300 and relay.method in _WITH_CONTACT,
            headers=midcall.crossing(relay.method, response.headers),
            body=response.body if response.HasField("body") else None,
        )
    turn.call.relays.remove(relay)
    turn.changed = True


def expire_relay(turn: Turn, relay: record.Relay) -> None:
    """Our 2xx to a re-INVITE was never acknowledged: hang up on both sides (RFC 3261 13.3.1.4)."""
    leaving.lost(turn, turn.call.legs[relay.from_leg], 408)


def reinvite_acknowledged(
    turn: Turn, relay: record.Relay, request: edge.RequestEvent, reporter: edge.EdgeRef
) -> None:
    """The requester's ACK: the exchange is over; a withheld ACK follows with its answer."""
    transaction = turn.transaction(relay.transaction)
    if transaction is not None:
        turn.stop_others(transaction, reporter)
        turn.close_transaction(relay.transaction)
    leg, requester = turn.call.legs[relay.to_leg], turn.call.legs[relay.from_leg]
    if relay.ack_withheld:
        answer = request.body if request.HasField("body") else None
        if answer is not None:
            leg.sent_body.CopyFrom(answer)
            requester.received_body_digest = party.body_digest(answer)
        ack = acknowledgement(turn, leg, relay.cseq, relay.branch, body=answer)
        turn.request(ack, record.PROOF_DONE, leg)
    turn.call.relays.remove(relay)
    for side in (requester, leg):
        keepalive.start(turn, side)
    turn.changed = True
