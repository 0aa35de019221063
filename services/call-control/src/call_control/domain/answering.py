"""The callee's answers to the INVITE that opened the call, and the caller's ACK."""

from __future__ import annotations

from collections.abc import Sequence

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import hunting, keepalive, party, reliable, session, timers
from call_control.domain.release import release_leg
from call_control.domain.requests import acknowledgement
from call_control.domain.turn import Turn
from sipcore.dialog import route_set_uac

#: More branches of one INVITE that answer are left to their own timers: each costs a leg of the record.
_MAX_FORKS = 16

# -- answers of the callee -----------------------------------------------------------------------


def provisional(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """Pass a 101..199 on to the caller; an identical repeat passes without a commit."""
    transaction = turn.invite_transaction
    hunting.heard(turn, leg, response.status)
    if leg.state == record.LEG_STATE_INVITING:
        leg.state = record.LEG_STATE_PROCEEDING
        turn.changed = True
    if response.status == 100 and not leg.trying_time_ms:
        leg.trying_time_ms = turn.now
    if response.status == 100 or transaction is None:
        return
    digest = party.body_digest(response.body)
    repeated = (
        turn.call.state == record.CALL_STATE_RINGING
        and transaction.answer.status == response.status
        and leg.received_body_digest == digest
    )
    rseq = reliable.rseq_of(response)
    if rseq and not reliable.accept(turn, leg, response, rseq):
        return
    if repeated and not rseq and transaction.answer.rseq:
        # What is acknowledged already, or will be, is not sent again (RFC 3262 3).
        return
    if repeated and not rseq:
        _repeat_provisional(turn, transaction, response)
        return
    turn.call.state = record.CALL_STATE_RINGING
    leg.received_body_digest = digest
    if not leg.alerting_time_ms:
        leg.alerting_time_ms = turn.now
    if response.HasField("body"):
        turn.ingress.sent_body.CopyFrom(response.body)
    reliable.ring(turn, transaction, response, party.reasons(response.headers))


def _repeat_provisional(
    turn: Turn, transaction: record.ServerTransaction, response: edge.ResponseEvent
) -> None:
    respond = edge.Respond()
    respond.CopyFrom(transaction.answer)
    if response.HasField("body"):
        respond.body.CopyFrom(response.body)
    turn.repeat(edge.Command(respond=respond, edge=transaction.edges[0]), transaction.origin)


def answered(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """Connect caller and callee: a 2xx of the current attempt (RFC 3261 13.2.2.4)."""
    call, transaction = turn.call, turn.invite_transaction
    if transaction is None or not response.to_tag:
        refuse_tagless(turn, leg, response)
        return
    confirm(turn, leg, response)
    if call.invite.HasField("body"):
        leg.sent_body.CopyFrom(call.invite.body)
    _forget_the_hunt(turn)
    late_offer = not call.invite.body.data and bool(response.body.data)
    if late_offer:
        leg.ack_withheld = True
    else:
        acknowledge(turn, leg)
        start_credit(turn, leg)
    session.agreed(turn, leg, response)
    headers = [*transaction.session_headers[:], *_supported(turn)]
    body = _answer_of(turn, transaction, response)
    reliable.answer(turn, transaction, response.status, response.reason, headers, body)
    call.ClearField("invite")


def _answer_of(
    turn: Turn, transaction: record.ServerTransaction, response: edge.ResponseEvent
) -> sip_pb2.Body | None:
    """Return the body of the 2xx for the caller.

    One that stood in a provisional only counts when that was reliable (RFC 3261 13.2.1), which may have been
    so on the callee's side alone.
    """
    ingress = turn.ingress
    if response.HasField("body"):
        ingress.sent_body.CopyFrom(response.body)
        return response.body
    previewed = ingress.HasField("sent_body") and not transaction.rseq and turn.call.invite.body.data
    return ingress.sent_body if previewed else None


def _supported(turn: Turn) -> list[sip_pb2.Header]:
    """Tell the caller what it may do with its call when it transfers it."""
    if turn.policy.transfer != "perform":
        return []
    return [sip_pb2.Header(name="Supported", value="replaces")]


def _forget_the_hunt(turn: Turn) -> None:
    """Drop what only further attempts would need."""
    call = turn.call
    if call.next_route < len(call.routes):
        del call.routes[call.next_route :]
    call.ClearField("failure")
    if call.timers:
        del call.timers[:]


def start_credit(turn: Turn, leg: record.Leg) -> None:
    """Let the credit of a leg run: from the answer, after a late offer from the ACK (behaviour: credit)."""
    credit = turn.call.routes[leg.route].credit_ms
    if credit:
        timers.arm(turn.call, record.TIMER_KIND_CREDIT, turn.now + credit, leg.index)


def confirm(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """Make a dialog of a 2xx to the INVITE of an attempt (RFC 3261 12.1.2)."""
    if leg.early.remote_tag not in ("", response.to_tag):
        # Another branch of a fork wins; its numbers are its own.
        leg.remote_cseq = 0
    leg.state = record.LEG_STATE_CONFIRMED
    leg.connect_time_ms = turn.now
    leg.remote_tag = response.to_tag
    # Only a CANCEL needs to know how the INVITE left, and it is too late for one.
    leg.ClearField("sent")
    leg.final_status = response.status
    leg.takes_update = party.allows(response.headers, "UPDATE")
    leg.ClearField("early")
    leg.received_body_digest = party.body_digest(response.body)
    if response.contact_uri:
        leg.remote_target = response.contact_uri
    if leg.route_set:
        del leg.route_set[:]
    if response.record_route:
        leg.route_set.extend(route_set_uac(response.record_route))
    hunting.pay_invite(turn, leg)


def acknowledge(turn: Turn, leg: record.Leg, body: sip_pb2.Body | None = None) -> None:
    """Acknowledge the 2xx to the INVITE of an attempt; the answer to a late offer goes with it."""
    ack = acknowledgement(turn, leg, leg.invite_cseq, leg.invite_branch, body=body)
    turn.request(ack, record.PROOF_DONE, leg)


def refuse_tagless(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """A 2xx without To tag makes no dialog: acknowledge, hang up, go on as after a 502."""
    turn_down(turn, leg, response)
    hunting.go_on(turn, 502, "Bad Gateway", (), after=leg)


def turn_down(
    turn: Turn, leg: record.Leg, response: edge.ResponseEvent, headers: Sequence[sip_pb2.Header] = ()
) -> None:
    """Hang up on a callee whose 2xx is of no use: ACK, BYE."""
    hunting.heard(turn, leg, response.status)
    confirm(turn, leg, response)
    acknowledge(turn, leg)
    release_leg(turn, leg, headers)


def answered_late(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """A 2xx for an attempt that was given up: acknowledge it and hang up (crossing CANCEL)."""
    confirm(turn, leg, response)
    turn.settle_cancel(leg.invite_branch)
    acknowledge(turn, leg)
    release_leg(turn, leg)


def answered_again(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """A further 2xx to an INVITE: repeat the ACK, or hang up on another branch of a fork."""
    if response.to_tag == leg.remote_tag:
        if not leg.ack_withheld:
            ack = acknowledgement(turn, leg, response.cseq, response.branch)
            turn.repeat(edge.Command(send_request=ack, edge=leg.edge))
        return
    forks = [one for one in turn.call.legs[:] if one.invite_branch == leg.invite_branch]
    fork = next((one for one in forks if one.remote_tag == response.to_tag), None)
    if fork is None and len(forks) < _MAX_FORKS:
        _lose_fork(turn, leg, response)
    if fork is None:
        return
    ack = acknowledgement(turn, fork, response.cseq, response.branch)
    turn.repeat(edge.Command(send_request=ack, edge=fork.edge))


def _lose_fork(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """Make a leg of the losing branch of a fork, only to acknowledge it and hang up."""
    fork = turn.call.legs.add()
    fork.CopyFrom(leg)
    fork.index = len(turn.call.legs) - 1
    for field in ("sent_body", "ack_withheld", "remote_cseq", "session_interval_s"):
        fork.ClearField(field)
    confirm(turn, fork, response)
    acknowledge(turn, fork)
    release_leg(turn, fork)


def failed_late(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """The final failure of an attempt that was cancelled or already forgotten."""
    if leg.state == record.LEG_STATE_CANCELLING:
        hunting.end_attempt(turn, leg, response.status)
    turn.settle_cancel(leg.invite_branch)


# -- the caller's acknowledgement ----------------------------------------------------------------


def acknowledged(turn: Turn, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """The caller's ACK for our 2xx: the call is up; a withheld ACK follows with its answer."""
    call, transaction = turn.call, turn.invite_transaction
    call.state = record.CALL_STATE_CONFIRMED
    call.ack_by_ms = 0
    turn.changed = True
    if transaction is not None:
        turn.stop_others(transaction, reporter)
        turn.close_transaction(transaction.transaction)
    legs = call.legs[:]
    for leg in legs:
        if leg.state == record.LEG_STATE_CONFIRMED:
            keepalive.start(turn, leg)
    for leg in legs[1:]:
        if leg.ack_withheld:
            leg.ack_withheld = False
            answer = request.body if request.HasField("body") else None
            if answer is not None:
                leg.sent_body.CopyFrom(answer)
                turn.ingress.received_body_digest = party.body_digest(answer)
            acknowledge(turn, leg, answer)
            start_credit(turn, leg)
