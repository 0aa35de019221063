"""The caller's INVITE: a call is made of it, its routes are found, the hunt begins."""

from __future__ import annotations

from collections.abc import Sequence

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import authorization, finding, hunting, inbound_leg, media, party, reliable, session
from call_control.domain.turn import Turn
from sipcore.sdp import NotAcceptable

SCHEMA = 1

#: A peer's Expires is believed up to one hour.
_LONGEST_EXPIRES_S = 3_600
_KEPT = frozenset({"reason", "authorization", "proxy-authorization"})


def open_call(turn: Turn, event: edge.Event) -> None:
    """Make a call of the caller's INVITE and place the first attempt, or ask whether it may be placed."""
    call, request, policy = turn.call, event.request, turn.policy
    call.schema = SCHEMA
    call.key = event.call_key
    call.state = record.CALL_STATE_TRYING
    call.merge_key = request.merge_key
    call.reap_by_ms = turn.now + policy.max_call_ms
    call.watch_at_ms = turn.now + policy.edge_absence_ms
    call.answer_by_ms = turn.now + (
        min(request.expires, _LONGEST_EXPIRES_S) * 1_000 if request.expires > 0 else policy.answer_timeout_ms
    )
    leg = inbound_leg.add(turn, request, event.edge)
    transaction = turn.open_transaction(leg, request, event.edge)
    invite = call.invite
    invite.CopyFrom(request)
    invite.ClearField("origin")
    headers = request.headers
    if headers:
        transaction.reliability = reliable.reliability_of(headers)
        del invite.headers[:]
        invite.headers.extend(_kept(headers))
        call.passed_headers.extend(policy.pass_headers.select(headers))
    try:
        grant = session.granted(turn, leg, request)
    except session.Refusal as refusal:
        hunting.fail_call(turn, refusal.status, refusal.reason, refusal.headers)
        return
    session.keep_grant(transaction, grant)
    if policy.wants_called_number and not party.user_of(request.request_uri):
        hunting.fail_call(turn, 500, "Internal Server Error (1)")
        return
    try:
        _screen_offer(turn)
    except NotAcceptable as refusal:
        hunting.fail_call(turn, *media.answer_to(refusal))
        return
    if policy.authorize:
        authorization.ask(turn)
    else:
        finding.find_routes(turn)


def _kept(headers: Sequence[sip_pb2.Header]) -> list[sip_pb2.Header]:
    """Return what an attempt may need of the caller's header fields; passed ones are kept apart."""
    return [header for header in headers[:] if header.name.lower() in _KEPT]


def _screen_offer(turn: Turn) -> None:
    """Keep to the codecs that are allowed. Raises NotAcceptable."""
    body = turn.call.invite.body
    if turn.policy.allowed_codecs is not None and body.data:
        body.data = media.screened(body, turn.policy.allowed_codecs)
