"""The end of a call: BYE, CANCEL, timeouts, and what is still owed to each leg afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import party, relays, timers
from call_control.domain.requests import acknowledgement, in_dialog
from call_control.domain.turn import Turn

#: Timers of a dialog. That of the credit is not among them: it goes on with those who stay.
_OF_A_DIALOG = (
    record.TIMER_KIND_KEEPALIVE,
    record.TIMER_KIND_KEEPALIVE_GRACE,
    record.TIMER_KIND_SESSION_REFRESH,
    record.TIMER_KIND_SESSION_EXPIRED,
)


#: States of a call that nobody has answered yet.
SETTING_UP = (record.CALL_STATE_ROUTING, record.CALL_STATE_TRYING, record.CALL_STATE_RINGING)


def end_call(turn: Turn, status: int) -> None:
    """Mark the call as over: no timer of it runs any more except those of its debts."""
    call = turn.call
    if call.state == record.CALL_STATE_ENDED:
        return
    if call.state == record.CALL_STATE_ROUTING:
        turn.drop_inquiries()
    call.state = record.CALL_STATE_ENDED
    call.final_status = status
    call.answer_by_ms = call.watch_at_ms = 0
    if call.ack_by_ms and not turn.awaits_ack:
        call.ack_by_ms = 0
    if call.timers:
        del call.timers[:]
    abandon_relays(turn)
    call.ClearField("transfer")
    call.ClearField("subscription")
    turn.changed = True
    if call.release_source == record.RELEASE_SOURCE_UNSPECIFIED:
        call.release_source = record.RELEASE_SOURCE_INTERNAL


def release_leg(turn: Turn, leg: record.Leg, headers: Sequence[sip_pb2.Header] = ()) -> None:
    """Hang up on a leg in whatever state it is: BYE, CANCEL, a final answer, or nothing if it is over.

    The caller gets no BYE before its ACK, or before we stop waiting for that (RFC 3261 15).
    """
    if leg.state == record.LEG_STATE_CONFIRMED:
        if not leg.end_time_ms:
            leg.end_time_ms = turn.now
        if leg.index or not turn.awaits_ack:
            _bye(turn, leg, headers)
    elif leg.state in party.AWAITING_FINAL:
        leg.end_time_ms = turn.now
        if party.has_route(leg):
            _cancel(turn, leg, headers)
        elif leg.index:
            leg.state = record.LEG_STATE_ENDED
        else:
            _refuse(turn, leg)


def _refuse(turn: Turn, leg: record.Leg) -> None:
    """Nobody will answer the caller's INVITE any more."""
    leg.state = record.LEG_STATE_ENDED
    transaction = turn.invite_transaction
    if transaction is None:
        return
    transaction.ClearField("held")
    transaction.prack_awaited = False
    if transaction.answer.status < 200:
        turn.answer(transaction, 500, "Disconnected")


def _bye(turn: Turn, leg: record.Leg, headers: Sequence[sip_pb2.Header]) -> None:
    _acknowledge_bare(turn, leg)
    leg.state = record.LEG_STATE_RELEASING
    turn.request(in_dialog(turn, leg, "BYE", headers=headers), record.PROOF_FINAL, leg)


def _acknowledge_bare(turn: Turn, leg: record.Leg) -> None:
    """The offer of a 2xx stays unanswered, but no BYE goes before the ACK (RFC 3261 15)."""
    if leg.ack_withheld:
        leg.ack_withheld = False
        turn.request(acknowledgement(turn, leg, leg.invite_cseq, leg.invite_branch), record.PROOF_DONE, leg)


def _cancel(turn: Turn, leg: record.Leg, headers: Sequence[sip_pb2.Header]) -> None:
    invite = edge.SendRequest(
        method="INVITE",
        request_uri=leg.remote_target,
        branch=leg.invite_branch,
        call_id=leg.call_id,
        from_value=leg.local_uri,
        from_tag=leg.local_tag,
        to_value=leg.remote_uri,
        cseq=leg.invite_cseq,
        max_forwards=turn.policy.max_forwards,
    )
    cancel = edge.Cancel(
        branch=leg.invite_branch,
        headers=headers,
        sent=leg.sent if leg.HasField("sent") else None,
        invite=invite,
        provisional_seen=leg.state == record.LEG_STATE_PROCEEDING,
    )
    leg.state = record.LEG_STATE_CANCELLING
    leg.ClearField("early")
    position = turn.debt_of_branch(leg.invite_branch)
    if position is not None:
        # A cancelled INVITE is not sent again: its edge has it, or nobody ever will.
        turn.pay((position,))
    turn.cancel(cancel, leg)


def release_all(turn: Turn, status: int, source: record.ReleaseSource, *, besides: int = -1) -> None:
    """Hang up on every leg but one and end the call."""
    turn.call.release_source = source
    end_call(turn, status)
    for leg in turn.call.legs[:]:
        if leg.index != besides:
            release_leg(turn, leg)


def disconnect(turn: Turn, source: record.ReleaseSource = record.RELEASE_SOURCE_INTERNAL) -> None:
    """End a call by our own decision: 500 to a caller that waits, BYE or CANCEL to everybody else."""
    call = turn.call
    if call.state == record.CALL_STATE_ENDED:
        return
    unanswered = call.state not in (record.CALL_STATE_ANSWERED, record.CALL_STATE_CONFIRMED)
    release_all(turn, 500 if unanswered else 200, source)


def credit_used_up(turn: Turn, leg: record.Leg, due_ms: int) -> None:
    """The talk time is over: hang up on both sides. The call ended when it was due, not when we looked."""
    if turn.call.state == record.CALL_STATE_ENDED:
        return
    release_all(turn, 200, record.RELEASE_SOURCE_INTERNAL)
    for released in turn.call.legs[:]:
        if released.end_time_ms == turn.now:
            released.end_time_ms = due_ms


# -- requests of the peers -----------------------------------------------------------------------


def cancelled(turn: Turn, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """The caller gave up before the answer: 487 to it, CANCEL to the callee."""
    transaction = turn.invite_transaction
    if transaction is None:
        return
    if not request.cancel_answered:
        turn.answer(turn.open_transaction(turn.ingress, request, reporter), 200, "OK")
    turn.call.release_source = record.RELEASE_SOURCE_CALLER
    turn.answer(transaction, 487, "Request Terminated")
    _give_up(turn, party.reasons(request.headers))


def self_cancelled(turn: Turn) -> None:
    """The edge answered 487 to a cancelled INVITE by itself, and refused what came later."""
    transaction = turn.invite_transaction
    if transaction is not None:
        turn.settle_answers(transaction.transaction)
        transaction.answer.CopyFrom(
            edge.Respond(transaction=transaction.transaction, status=487, reason="Request Terminated")
        )
    turn.call.release_source = record.RELEASE_SOURCE_CALLER
    turn.ingress.state = record.LEG_STATE_ENDED
    _give_up(turn, ())


def _give_up(turn: Turn, headers: Sequence[sip_pb2.Header]) -> None:
    end_call(turn, 487)
    for leg in turn.call.legs[:]:
        release_leg(turn, leg, headers)


def hung_up_early(turn: Turn, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """A BYE of the caller in the early dialog: 200 to it, 487 to the INVITE, CANCEL to the callee."""
    turn.answer(turn.open_transaction(turn.ingress, request, reporter), 200, "OK")
    transaction = turn.invite_transaction
    if transaction is not None:
        turn.answer(transaction, 487, "Request Terminated")
    turn.call.release_source = record.RELEASE_SOURCE_CALLER
    _give_up(turn, party.reasons(request.headers))


def hung_up(turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """A BYE of either side of an answered call: 200 to it, BYE to the other side."""
    call = turn.call
    call.release_source = record.RELEASE_SOURCE_CALLEE if leg.index else record.RELEASE_SOURCE_CALLER
    turn.answer(turn.open_transaction(leg, request, reporter), 200, "OK")
    leave(turn, leg, request)
    headers = party.reasons(request.headers)
    end_call(turn, 200)
    for other in call.legs[:]:
        if other.index != leg.index:
            release_leg(turn, other, headers)


def leave(turn: Turn, leg: record.Leg, request: edge.RequestEvent) -> None:
    """The peer of a leg has hung up: nothing more is owed to it, nor awaited from it."""
    _acknowledge_bare(turn, leg)
    leg.state = record.LEG_STATE_ENDED
    leg.end_time_ms = turn.now
    leg.remote_cseq = max(leg.remote_cseq, request.origin.cseq)
    abandon_relays(turn)
    if leg.index == 0 and turn.invite_transaction is not None:
        turn.call.ack_by_ms = 0
        # Whoever hangs up has our 2xx: its ACK got lost, and no edge need repeat the answer.
        turn.stop_others(turn.invite_transaction, edge.EdgeRef())
        turn.close_transaction(turn.invite_transaction.transaction)


def acknowledged_after_end(turn: Turn, reporter: edge.EdgeRef) -> None:
    """The caller's ACK for a call that is over: if it waits for its BYE, it may have that now."""
    transaction = turn.invite_transaction
    if transaction is None:
        return
    turn.stop_others(transaction, reporter)
    turn.close_transaction(transaction.transaction)
    if turn.call.ack_by_ms:
        turn.call.ack_by_ms = 0
        release_leg(turn, turn.ingress)


# -- one leg leaves, the call goes on ------------------------------------------------------------


def dismiss(turn: Turn, leg: record.Leg) -> None:
    """Hang up on one leg while others stay connected."""
    _part(turn, leg)
    release_leg(turn, leg)
    leg.ClearField("sent_body")


def dismissed(turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """A BYE of one leg while others stay connected: 200, and no more of it."""
    turn.answer(turn.open_transaction(leg, request, reporter), 200, "OK")
    _part(turn, leg)
    _acknowledge_bare(turn, leg)
    leg.state = record.LEG_STATE_ENDED
    if not leg.end_time_ms:
        leg.end_time_ms = turn.now
    leg.ClearField("sent_body")


def _part(turn: Turn, leg: record.Leg) -> None:
    """End what is under way between a leg and another, and let its timers run no longer."""
    call = turn.call
    if call.HasField("subscription") and call.subscription.leg == leg.index:
        call.ClearField("subscription")
    timers.disarm(call, *_OF_A_DIALOG, leg=leg.index)
    for relay in [one for one in call.relays[:] if leg.index in (one.from_leg, one.to_leg)]:
        _part_from(turn, relay, leg)


def _part_from(turn: Turn, relay: record.Relay, leg: record.Leg) -> None:
    transaction = turn.transaction(relay.transaction)
    if transaction is not None and relay.state == record.RELAY_STATE_PENDING:
        turn.answer(transaction, 487, "Request Terminated")
    other = turn.call.legs[relay.to_leg]
    if relay.ack_withheld:
        turn.request(acknowledgement(turn, other, relay.cseq, relay.branch), record.PROOF_DONE, other)
    elif other.index == leg.index:
        relays.pay(turn, relay)
    elif relay.state != record.RELAY_STATE_ANSWERED and relay.method == "INVITE":
        # Its final answer is awaited: no other offer may go there before.
        if relay.state == record.RELAY_STATE_PENDING:
            relays.cancel(turn, relay)
        return
    else:
        relays.pay(turn, relay)
    turn.call.relays.remove(relay)
    turn.changed = True


def abandon_relays(turn: Turn) -> None:
    """End the requests under way inside the dialogs: answer the requester, cancel our own.

    Ours are cancelled at a peer that has hung up, too: nothing else makes it answer an INVITE that it got
    before (RFC 3261 15.1.1 does not ask for it).
    """
    crossing = turn.call.relays
    if not crossing:
        return
    for relay in crossing:
        transaction = turn.transaction(relay.transaction)
        unanswered = relay.state == record.RELAY_STATE_PENDING
        if transaction is not None and unanswered:
            turn.answer(transaction, 487, "Request Terminated")
        if unanswered and relay.method == "INVITE":
            turn.cancel(
                edge.Cancel(
                    branch=relay.branch,
                    sent=relay.sent if relay.HasField("sent") else None,
                    invite=relay.request,
                    provisional_seen=relay.provisional_seen,
                ),
                turn.call.legs[relay.to_leg],
            )
        position = turn.debt_of_branch(relay.branch)
        if position is not None:
            turn.pay((position,))
        if relay.ack_withheld:
            # Its offer stays unanswered, but its 2xx does not (RFC 3261 13.2.2.4).
            leg = turn.call.legs[relay.to_leg]
            turn.request(acknowledgement(turn, leg, relay.cseq, relay.branch), record.PROOF_DONE, leg)
    del crossing[:]


# -- timers --------------------------------------------------------------------------------------


def expire_unanswered(turn: Turn) -> None:
    """Nobody answered in time (RFC 3261 13.3.1): 487 to the caller, CANCEL to the callee."""
    transaction = turn.invite_transaction
    if transaction is not None:
        turn.answer(transaction, 487, "Request Expired")
    turn.call.release_source = record.RELEASE_SOURCE_INTERNAL
    _give_up(turn, ())


def expire_unacknowledged(turn: Turn) -> None:
    """Our 2xx was never acknowledged (RFC 3261 13.3.1.4): hang up on both sides."""
    transaction = turn.invite_transaction
    if transaction is not None:
        turn.close_transaction(transaction.transaction)
    turn.call.ack_by_ms = 0
    if turn.call.state == record.CALL_STATE_ENDED:
        release_leg(turn, turn.ingress)
        return
    release_all(turn, 408, record.RELEASE_SOURCE_INTERNAL)


def reap(turn: Turn) -> None:
    """The call outlived its maximum: end it whatever its state."""
    turn.call.reap_by_ms = 0
    if turn.call.state in SETTING_UP:
        expire_unanswered(turn)
    elif turn.call.state != record.CALL_STATE_ENDED:
        release_all(turn, 408, record.RELEASE_SOURCE_INTERNAL)
