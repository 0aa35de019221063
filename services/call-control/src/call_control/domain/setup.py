"""From the caller's INVITE to its final answer: opening, hunting, ringing, answering."""

from __future__ import annotations

from hashlib import blake2b

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import party
from call_control.domain.release import end_call, release_leg
from call_control.domain.requests import acknowledgement
from call_control.domain.turn import Turn
from sipcore.dialog import route_set_uac, route_set_uas

SCHEMA = 1

#: A peer's Expires is believed up to one hour.
_LONGEST_EXPIRES_S = 3_600
#: Redirects whose Contact the caller gets (behaviour of the reference).
_RELAYED_REDIRECTS = frozenset({300, 301, 302})


def open_call(turn: Turn, event: edge.Event) -> None:
    """Make a call of the caller's INVITE and place the first attempt."""
    call, request, policy = turn.call, event.request, turn.policy
    origin = request.origin
    call.schema = SCHEMA
    call.key = event.call_key
    call.state = record.CALL_STATE_TRYING
    call.merge_key = request.merge_key
    call.reap_by_ms = turn.now + policy.max_call_ms
    call.watch_at_ms = turn.now + policy.edge_absence_ms
    call.answer_by_ms = turn.now + (
        min(request.expires, _LONGEST_EXPIRES_S) * 1_000 if request.expires > 0 else policy.answer_timeout_ms
    )
    leg = call.legs.add(
        index=0,
        state=record.LEG_STATE_INVITING,
        call_id=origin.call_id,
        local_tag=turn.minter.tag(event.call_key, 0),
        remote_tag=request.from_tag,
        local_uri=party.without_tag(origin.to_value),
        remote_uri=party.without_tag(origin.from_value),
        local_cseq=_first_cseq(event.call_key, 0),
        remote_cseq=origin.cseq,
        invite_cseq=origin.cseq,
        route_set=route_set_uas(origin.record_route),
        remote_target=request.contact_uri,
        edge=event.edge,
        flow=origin.flow,
        listener=origin.listener,
        received_body_digest=party.body_digest(request.body),
        setup_time_ms=turn.now,
    )
    turn.open_transaction(leg, request, event.edge)
    call.invite.CopyFrom(request)
    call.invite.ClearField("origin")
    for entry in policy.routes:
        call.routes.add(host=entry.host, port=entry.port, transport=entry.transport)
    if 0 <= request.max_forwards <= 1:
        fail_call(turn, 483, "Too Many Hops")
    else:
        hunt(turn)


def _first_cseq(key: str, leg: int) -> int:
    """Return a CSeq number in 1..2^30 that differs from call to call and needs no randomness."""
    digest = blake2b(f"{key}{leg}".encode(), digest_size=4).digest()
    return (int.from_bytes(digest, "big") >> 2) + 1


# -- hunting -------------------------------------------------------------------------------------


def hunt(turn: Turn) -> bool:
    """Place the next attempt; False when no route is left."""
    call = turn.call
    if call.next_route >= len(call.routes):
        return False
    position = call.next_route
    call.next_route += 1
    _attempt(turn, position)
    return True


def _attempt(turn: Turn, position: int) -> None:
    call, policy, ingress = turn.call, turn.policy, turn.ingress
    route, entry = call.routes[position], policy.routes[position]
    index = len(call.legs)
    number, called = (
        party.user_of(party.addr_spec(ingress.remote_uri)),
        party.user_of(call.invite.request_uri),
    )
    at_host = f"{called}@" if called else ""
    leg = call.legs.add(
        index=index,
        state=record.LEG_STATE_INVITING,
        call_id=policy.egress_call_id(ingress.call_id, position + 1),
        local_tag=turn.minter.tag(call.key, index),
        local_uri=party.local_identity(party.display_of(ingress.remote_uri), number),
        remote_uri=f"<sip:{at_host}{route.host}>",
        remote_target=f"sip:{at_host}{entry.hostport}",
        local_cseq=_first_cseq(call.key, index),
        edge=ingress.edge,
        contact_user=number,
        route=position,
        setup_time_ms=turn.now,
    )
    leg.invite_cseq = leg.local_cseq
    leg.invite_branch = turn.next_branch(leg)
    if call.invite.HasField("body"):
        leg.sent_body.CopyFrom(call.invite.body)
    hops = call.invite.max_forwards
    command = edge.SendRequest(
        method="INVITE",
        request_uri=leg.remote_target,
        branch=leg.invite_branch,
        call_id=leg.call_id,
        from_value=leg.local_uri,
        from_tag=leg.local_tag,
        to_value=leg.remote_uri,
        cseq=leg.local_cseq,
        max_forwards=hops - 1 if hops > 0 else policy.max_forwards,
        contact=True,
        contact_user=number,
        target=edge.Target(uri=entry.uri),
    )
    command.headers.add(name="Expires", value="300")
    command.headers.add(name="User-Agent", value=policy.user_agent)
    command.headers.extend(party.reasons(call.invite.headers))
    turn.request(command, record.PROOF_SENT, leg, offer=call.invite.body)


# -- answers of the callee -----------------------------------------------------------------------


def provisional(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """Pass a 101..199 on to the caller; an identical repeat passes without a commit."""
    transaction = turn.invite_transaction
    if leg.state == record.LEG_STATE_INVITING:
        leg.state = record.LEG_STATE_PROCEEDING
        turn.changed = True
    if response.status == 100 or transaction is None:
        return
    digest = party.body_digest(response.body)
    repeated = (
        turn.call.state == record.CALL_STATE_RINGING
        and transaction.answer.status == response.status
        and leg.received_body_digest == digest
    )
    if repeated:
        _repeat_provisional(turn, transaction, response)
        return
    turn.call.state = record.CALL_STATE_RINGING
    leg.received_body_digest = digest
    if not leg.alerting_time_ms:
        leg.alerting_time_ms = turn.now
    turn.answer(
        transaction,
        response.status,
        response.reason,
        contact=True,
        headers=party.reasons(response.headers),
        body=response.body if response.HasField("body") else None,
    )


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
        _refuse_tagless(turn, leg, response)
        return
    _confirm(turn, leg, response)
    call.state = record.CALL_STATE_ANSWERED
    call.answer_by_ms = call.watch_at_ms = 0
    call.ack_by_ms = turn.now + turn.policy.ack_timeout_ms
    late_offer = not call.invite.body.data and bool(response.body.data)
    if late_offer:
        leg.ack_withheld = True
    else:
        _acknowledge(turn, leg)
    ingress = turn.ingress
    ingress.state = record.LEG_STATE_CONFIRMED
    ingress.connect_time_ms = turn.now
    if response.HasField("body"):
        ingress.sent_body.CopyFrom(response.body)
    turn.answer(
        transaction,
        response.status,
        response.reason,
        contact=True,
        body=response.body if response.HasField("body") else None,
    )
    call.ClearField("invite")


def _confirm(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    leg.state = record.LEG_STATE_CONFIRMED
    leg.connect_time_ms = turn.now
    leg.remote_tag = response.to_tag
    # Only a CANCEL needs to know how the INVITE left, and it is too late for one.
    leg.ClearField("sent")
    leg.final_status = response.status
    leg.received_body_digest = party.body_digest(response.body)
    if response.contact_uri:
        leg.remote_target = response.contact_uri
    del leg.route_set[:]
    leg.route_set.extend(route_set_uac(response.record_route))
    _pay_invite(turn, leg)


def _pay_invite(turn: Turn, leg: record.Leg) -> None:
    """Any answer of the callee proves that its INVITE arrived."""
    position = turn.debt_of_branch(leg.invite_branch)
    if position is not None:
        turn.pay((position,))


def _acknowledge(turn: Turn, leg: record.Leg, body: sip_pb2.Body | None = None) -> None:
    ack = acknowledgement(turn, leg, leg.invite_cseq, leg.invite_branch, body=body)
    turn.request(ack, record.PROOF_DONE, leg)


def _refuse_tagless(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """A 2xx without To tag makes no dialog: acknowledge, hang up, go on as after a 502."""
    _confirm(turn, leg, response)
    _acknowledge(turn, leg)
    release_leg(turn, leg)
    if not hunt(turn):
        fail_call(turn, 502, "Bad Gateway")


def answered_late(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """A 2xx for an attempt that was given up: acknowledge it and hang up (crossing CANCEL)."""
    _confirm(turn, leg, response)
    settle_cancel(turn, leg)
    _acknowledge(turn, leg)
    release_leg(turn, leg)


def answered_again(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """A further 2xx to an INVITE: repeat the ACK, or hang up on another branch of a fork."""
    if response.to_tag == leg.remote_tag:
        if not leg.ack_withheld:
            ack = acknowledgement(turn, leg, response.cseq, response.branch)
            turn.repeat(edge.Command(send_request=ack, edge=leg.edge))
        return
    fork = next((one for one in turn.call.legs if one.index and one.remote_tag == response.to_tag), None)
    if fork is None:
        _lose_fork(turn, leg, response)
        return
    ack = acknowledgement(turn, fork, response.cseq, response.branch)
    turn.repeat(edge.Command(send_request=ack, edge=fork.edge))


def _lose_fork(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """Make a leg of the losing branch of a fork, only to acknowledge it and hang up."""
    fork = turn.call.legs.add()
    fork.CopyFrom(leg)
    fork.index = len(turn.call.legs) - 1
    fork.ClearField("sent_body")
    _confirm(turn, fork, response)
    _acknowledge(turn, fork)
    release_leg(turn, fork)


def failed(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """A final failure of the current attempt: next route, or the caller hears of it."""
    call = turn.call
    leg.state = record.LEG_STATE_ENDED
    leg.end_time_ms = turn.now
    leg.final_status = response.status
    turn.changed = True
    _pay_invite(turn, leg)
    redirect = response.status in _RELAYED_REDIRECTS and bool(response.contact_uri)
    if not redirect and hunt(turn):
        return
    call.release_source = record.RELEASE_SOURCE_INTERNAL if response.local else record.RELEASE_SOURCE_CALLEE
    headers = party.reasons(response.headers)
    if redirect:
        headers = [sip_pb2.Header(name="Contact", value=f"<{response.contact_uri}>"), *headers]
    fail_call(turn, response.status, response.reason, headers)


def failed_late(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """The final failure of an attempt that was cancelled or already forgotten."""
    if leg.state == record.LEG_STATE_CANCELLING:
        leg.state = record.LEG_STATE_ENDED
        leg.end_time_ms = turn.now
        leg.final_status = response.status
        turn.changed = True
    settle_cancel(turn, leg)


def settle_cancel(turn: Turn, leg: record.Leg) -> None:
    """Pay the CANCEL of an INVITE that got its final answer."""
    turn.pay(
        [
            position
            for position, debt in enumerate(turn.call.debts)
            if debt.proof == record.PROOF_INVITE_FINAL and debt.command.cancel.branch == leg.invite_branch
        ]
    )


def fail_call(turn: Turn, status: int, reason: str, headers: list[sip_pb2.Header] | None = None) -> None:
    """End an unanswered call with a final response to the caller."""
    transaction = turn.invite_transaction
    if transaction is not None:
        turn.answer(transaction, status, reason, headers=headers or ())
    end_call(turn, status)


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
    for leg in call.legs[1:]:
        if leg.ack_withheld:
            leg.ack_withheld = False
            answer = request.body if request.HasField("body") else None
            if answer is not None:
                leg.sent_body.CopyFrom(answer)
                turn.ingress.received_body_digest = party.body_digest(answer)
            _acknowledge(turn, leg, answer)
