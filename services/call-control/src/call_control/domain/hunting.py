"""From one route to the next: attempts, what bounds them, and what a failure means."""

from __future__ import annotations

from collections.abc import Sequence

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import authentication, party, redirection, session, timers, transfer_end
from call_control.domain.inbound_leg import first_cseq
from call_control.domain.release import SETTING_UP, end_call, release_leg
from call_control.domain.requests import first_hop, host_port, leg_headers, user_agent
from call_control.domain.turn import Turn
from sipcore import reliability, session_timer

#: Constant Expires of the egress INVITE, whatever bounds the attempt (behaviour of the reference).
_EXPIRES = sip_pb2.Header(name="Expires", value="300")
#: An attempt beyond these means that routes or redirections lead in circles.
_MAX_ATTEMPTS = 64
#: Failures of an edge before anybody was reached: they do not hide what an earlier peer said.
_NOBODY_REACHED = frozenset(
    {
        edge.LOCAL_CAUSE_UNRESOLVED,
        edge.LOCAL_CAUSE_UNREACHABLE,
        edge.LOCAL_CAUSE_NOT_SENT,
    }
)
#: What an ended attempt needs no more; the rest is for a 2xx that comes too late, and for the books.
_OF_A_LIVE_ATTEMPT = (
    "sent",
    "early",
    "authentications",
    "challenges_met",
    "contact_user",
    "received_body_digest",
)
#: What an operator has to hear of: the route leads nowhere, and nobody outside says so.
_NOTED = {
    edge.LOCAL_CAUSE_UNRESOLVED: "has no address that a listener can send to",
    edge.LOCAL_CAUSE_UNREACHABLE: "takes no INVITE at any address",
}
#: Header fields of a failure that the caller gets too, beside Reason.
_CROSSING = frozenset({"warning", "retry-after"})
#: Timers of an attempt, and the field of the route that says how long each runs.
_ATTEMPT_TIMERS = (
    (record.TIMER_KIND_NO_REPLY, "no_reply_ms"),
    (record.TIMER_KIND_NO_PROGRESS, "no_progress_ms"),
    (record.TIMER_KIND_NO_ANSWER, "expires_ms"),
)
_UNTIL_FINAL = tuple(kind for kind, _ in _ATTEMPT_TIMERS)
_UNTIL_PROGRESS = (record.TIMER_KIND_NO_REPLY, record.TIMER_KIND_NO_PROGRESS)


def hunts(call: record.Call) -> bool:
    """Tell whether somebody is still to be reached: the callee, or the target of a transfer."""
    return call.state in SETTING_UP or call.transfer.state == record.TRANSFER_STATE_DIALLING


# -- placing attempts ----------------------------------------------------------------------------


def hunt(turn: Turn) -> bool:
    """Place the next attempt; False when no route is left."""
    call = turn.call
    if call.next_route >= len(call.routes) or len(call.legs) > _MAX_ATTEMPTS:
        return False
    position = call.next_route
    call.next_route += 1
    _attempt(turn, position)
    return True


def _attempt(turn: Turn, position: int) -> None:
    call, ingress = turn.call, turn.ingress
    route = call.routes[position]
    invite = turn.invite_transaction
    if invite is not None:
        # What an earlier attempt had to say dies with it.
        invite.ClearField("held")
        ingress.ClearField("sent_body")
    key, index, called = call.key, len(call.legs), route.called
    at_host = f"{called}@" if called else ""
    leg = call.legs.add()
    leg.index = index
    leg.state = record.LEG_STATE_INVITING
    leg.call_id = turn.policy.egress_call_id(ingress.call_id, route.number, key)
    leg.local_tag = turn.minter.tag(key, index)
    leg.local_uri = party.local_identity(route.display, route.calling, route.from_host)
    leg.remote_uri = f"<sip:{at_host}{route.to_host or route.host}>"
    leg.remote_target = f"sip:{at_host}{host_port(route)}"
    leg.local_cseq = leg.invite_cseq = first_cseq(key, index)
    leg.edge.CopyFrom(ingress.edge)
    leg.contact_user = route.calling
    leg.route = position
    leg.setup_time_ms = turn.now
    if call.transfer.transferee:
        leg.without_passed_headers = True
    send_invite(turn, leg)
    for kind, field in _ATTEMPT_TIMERS:
        span = getattr(route, field)
        if span:
            timers.arm(call, kind, turn.now + span, index)
    if route.group_ms:
        timers.arm(call, record.TIMER_KIND_GROUP, turn.now + route.group_ms, index)


def send_invite(turn: Turn, leg: record.Leg) -> None:
    """Send the INVITE of an attempt, for the first time or again as its refusal wants it."""
    leg.invite_branch = turn.next_branch(leg)
    repeat_invite(turn, leg)


def repeat_invite(turn: Turn, leg: record.Leg) -> None:
    """Send the INVITE of an attempt as it is: what an edge that was started anew has to begin again with."""
    call = turn.call
    route = call.routes[leg.route]
    hops = 0 if leg.authentications else call.invite.max_forwards
    command = edge.SendRequest()
    command.method = "INVITE"
    command.request_uri = leg.remote_target
    command.branch = leg.invite_branch
    command.call_id = leg.call_id
    command.from_value = leg.local_uri
    command.from_tag = leg.local_tag
    command.to_value = leg.remote_uri
    command.cseq = leg.invite_cseq
    command.max_forwards = hops - 1 if hops > 0 else turn.policy.max_forwards
    command.contact = True
    command.contact_user = leg.contact_user
    command.target.uri = first_hop(route)
    command.target.ourselves = route.ourselves
    command.report_trying = route.no_reply_ms > 0
    command.headers.extend(_invite_headers(turn, leg, route))
    turn.request(command, record.PROOF_SENT, leg, offer=call.invite.body)


def _invite_headers(turn: Turn, leg: record.Leg, route: record.Route) -> list[sip_pb2.Header]:
    call, policy = turn.call, turn.policy
    headers = [_EXPIRES, user_agent(policy.user_agent)]
    if leg.authentications:
        body = call.invite.body.data
        headers += authentication.credentials(turn, leg, "INVITE", leg.remote_target, body)
    elif policy.pass_authentication and route.auth_mode == record.AUTH_MODE_UNSPECIFIED:
        headers += authentication.passed_credentials(call.invite.headers)
    session_headers = session.asking_headers(turn, leg)
    options = [session_timer.OPTION_TAG] if session_headers else []
    invite = turn.invite_transaction
    takes_reliable = invite is not None and invite.reliability
    if call.HasField("transfer"):
        headers += call.transfer.headers
    # Without an offer before it a reliable provisional brings one, which only a PRACK can answer: too early
    # for the transferee of a transfer, and impossible for a caller that sends none.
    elif takes_reliable or (policy.reliable == "always" and call.invite.body.data):
        options.append(reliability.OPTION_TAG)
    if policy.transfer == "perform":
        options.append("replaces")
    if options:
        headers.append(sip_pb2.Header(name="Supported", value=", ".join(options)))
    headers += session_headers
    headers += leg_headers(call, leg)
    headers += party.reasons(call.invite.headers)
    return headers


# -- what bounds an attempt ----------------------------------------------------------------------


def heard(turn: Turn, leg: record.Leg, status: int) -> None:
    """A response came: stop the timers that it satisfies."""
    if not turn.call.timers:
        return
    kinds = _UNTIL_FINAL
    if status < 200:
        kinds = (record.TIMER_KIND_NO_REPLY,) if status == 100 else _UNTIL_PROGRESS
    if timers.disarm(turn.call, *kinds, leg=leg.index):
        turn.changed = True


def attempt_expired(turn: Turn, leg: record.Leg, due_ms: int) -> None:
    """A timer of the current attempt ran out: the next route, or 500 to the caller.

    The hunt-stop list is not asked: nobody gave a status.
    """
    if not hunts(turn.call) or leg.state not in party.AWAITING_FINAL:
        return
    abandon(turn, leg)
    if not hunt(turn):
        fail_call(turn, 500, "Disconnected")


def group_expired(turn: Turn, leg: record.Leg, due_ms: int) -> None:
    """The time of a group of routes is over: go on behind it (`gt`).

    If that is just behind the last route, the current attempt may go on, but nothing follows it.
    """
    call = turn.call
    left = len(call.routes) - call.next_route
    if not hunts(call) or not left:
        return
    first = call.routes[leg.route]
    target = first.number + first.group_skip
    if call.routes[call.next_route].number > target:
        return
    if target == call.routes[-1].number + 1:
        call.next_route = len(call.routes)
        return
    while call.next_route < len(call.routes) and call.routes[call.next_route].number < target:
        call.next_route += 1
    for current in call.legs[1:]:
        attempt_expired(turn, current, due_ms)


def abandon(turn: Turn, leg: record.Leg, headers: Sequence[sip_pb2.Header] = ()) -> None:
    """Give up an attempt: CANCEL it, and let its timers run no longer."""
    timers.disarm(turn.call, *_UNTIL_FINAL, leg=leg.index)
    release_leg(turn, leg, headers)


# -- failures ------------------------------------------------------------------------------------


def failed(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """A final failure of the current attempt: credentials, the next route, or the caller hears of it."""
    call = turn.call
    pay_invite(turn, leg)
    turn.changed = True
    if authentication.challenged(turn, leg, response, leg.challenges_met) or session.asks_for_more(
        turn, leg, response
    ):
        # The peer was heard, but the time to answer goes on.
        timers.disarm(call, *_UNTIL_PROGRESS, leg=leg.index)
        leg.ClearField("early")
        leg.local_cseq += 1
        leg.invite_cseq = leg.local_cseq
        leg.state = record.LEG_STATE_INVITING
        leg.ClearField("sent")
        send_invite(turn, leg)
        return
    heard(turn, leg, response.status)
    end_attempt(turn, leg, response.status)
    route = call.routes[leg.route]
    if redirection.is_redirect(response):
        if not route.follow_redirects:
            _tell(turn, leg, response, redirection.contacts_for_caller(response))
            return
        redirection.follow(call, leg.route, response.contacts or [response.contact_uri])
    _remember(turn, leg, response)
    if response.status in route.hunt_stop or not hunt(turn):
        _tell_last(turn, leg, response)


def go_on(
    turn: Turn, status: int, reason: str, headers: Sequence[sip_pb2.Header], *, after: record.Leg
) -> None:
    """An attempt failed for a reason of ours: the next route, or the caller hears it."""
    if status in turn.call.routes[after.route].hunt_stop or not hunt(turn):
        fail_call(turn, status, reason, headers)


def end_attempt(turn: Turn, leg: record.Leg, status: int) -> None:
    """Note that nothing more comes of an attempt, and drop what only a live one needs."""
    leg.state = record.LEG_STATE_ENDED
    leg.end_time_ms = turn.now
    leg.final_status = status
    for field in _OF_A_LIVE_ATTEMPT:
        leg.ClearField(field)
    turn.changed = True


def _remember(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    if response.local_cause in _NOTED:
        route = turn.call.routes[leg.route]
        turn.notes.append(f"route {route.number} to {first_hop(route)} {_NOTED[response.local_cause]}")
    if response.local_cause not in _NOBODY_REACHED:
        turn.call.failure.CopyFrom(
            record.Failure(
                status=response.status,
                reason=response.reason,
                headers=_crossing_headers(turn, leg, response),
            )
        )


def _crossing_headers(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> list[sip_pb2.Header]:
    headers = party.reasons(response.headers)
    headers += [header for header in response.headers if header.name.lower() in _CROSSING]
    route = turn.call.routes[leg.route]
    if route.auth_mode == record.AUTH_MODE_UNSPECIFIED and turn.policy.pass_authentication:
        headers += authentication.challenges(response.headers)
    return headers


def _tell_last(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """No route is left: the caller hears what the last peer said, or that there was no way to any."""
    call = turn.call
    if response.local_cause in _NOBODY_REACHED and call.HasField("failure"):
        failure = call.failure
        call.release_source = record.RELEASE_SOURCE_CALLEE
        fail_call(turn, failure.status, failure.reason, list(failure.headers))
    elif response.local_cause == edge.LOCAL_CAUSE_UNRESOLVED:
        call.release_source = record.RELEASE_SOURCE_INTERNAL
        fail_call(turn, 500, "Internal Server Error (2)")
    else:
        _tell(turn, leg, response, [])


def _tell(turn: Turn, leg: record.Leg, response: edge.ResponseEvent, contacts: list[sip_pb2.Header]) -> None:
    call = turn.call
    call.release_source = record.RELEASE_SOURCE_INTERNAL if response.local else record.RELEASE_SOURCE_CALLEE
    headers = [*contacts, *_crossing_headers(turn, leg, response)]
    fail_call(turn, response.status, response.reason, headers)


def pay_invite(turn: Turn, leg: record.Leg) -> None:
    """Any answer of the callee proves that its INVITE arrived."""
    position = turn.debt_of_branch(leg.invite_branch)
    if position is not None:
        turn.pay((position,))


def fail_call(turn: Turn, status: int, reason: str, headers: Sequence[sip_pb2.Header] = ()) -> None:
    """End an unanswered call with a final response to the caller; or a transfer, whose call goes on."""
    if turn.call.HasField("transfer"):
        turn.call.release_source = record.RELEASE_SOURCE_UNSPECIFIED
        transfer_end.failed(turn, status, reason)
        return
    transaction = turn.invite_transaction
    if transaction is not None:
        turn.answer(transaction, status, reason, headers=headers)
    end_call(turn, status)
