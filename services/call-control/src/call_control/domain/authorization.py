"""The state between an INVITE and its routes: an authorisation is owed until its reply.

Whoever finds the debt overdue asks again under the same id, and gets the same reply.
"""

from __future__ import annotations

from b2bua.aaa.v1 import aaa_pb2 as aaa
from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from call_control.domain import finding, hunting, party
from call_control.domain.routing.identity import number_of
from call_control.domain.turn import Turn

#: What the caller hears when the reply says no more than that there is none.
_DEFAULTS = {
    aaa.DECISION_REJECT: (403, "Auth Failed"),
    aaa.DECISION_CHALLENGE: (401, "Unauthorized"),
    aaa.DECISION_UNAVAILABLE: (503, "Service Unavailable"),
}
#: Seconds after which a caller may try again when nobody could decide.
_RETRY_AFTER = 5


def ask(turn: Turn) -> None:
    """Ask whether the call may be placed, and where to; the call waits for the reply."""
    turn.call.state = record.CALL_STATE_ROUTING
    turn.owe_inquiry(f"{turn.call.key}-{turn.call.last_debt + 1}")
    ask_again(turn)


def ask_again(turn: Turn) -> None:
    """Ask for every reply that is owed, from what the record says."""
    for debt in turn.call.debts[:]:
        if debt.authorize_request_id:
            turn.inquiries.append(_request(turn, debt.authorize_request_id))


def _request(turn: Turn, request_id: str) -> aaa.AuthorizeRequest:
    call, transaction = turn.call, turn.invite_transaction
    request = aaa.AuthorizeRequest(
        request_id=request_id,
        call_key=call.key,
        call_id=turn.ingress.call_id,
        calling_number=number_of(party.addr_spec(turn.ingress.remote_uri)),
        called_number=finding.called_number(turn),
        method="INVITE",
        request_uri=call.invite.request_uri,
    )
    if transaction is not None:
        request.remote_ip = transaction.origin.source.ip
    for header in call.invite.headers:
        if header.name.lower() == "authorization":
            request.authorization = header.value
    return request


def answered(turn: Turn, reply: aaa.AuthorizeResponse) -> None:
    """The reply: the call goes where it says, or the caller hears why not."""
    call = turn.call
    for position, debt in enumerate(call.debts[:]):
        if debt.authorize_request_id and debt.authorize_request_id == reply.request_id:
            turn.pay((position,))
            break
    else:
        return
    if reply.decision != aaa.DECISION_ACCEPT:
        refused(turn, reply)
        return
    call.aaa_state = reply.state
    finding.find_routes(turn, reply)


def refused(turn: Turn, reply: aaa.AuthorizeResponse) -> None:
    """The call may not be placed: the caller hears why."""
    status, reason = _DEFAULTS.get(reply.decision, _DEFAULTS[aaa.DECISION_REJECT])
    headers = [sip_pb2.Header(name="WWW-Authenticate", value=value) for value in reply.challenges]
    wait = reply.retry_after_seconds or (_RETRY_AFTER if reply.decision == aaa.DECISION_UNAVAILABLE else 0)
    if wait:
        headers.append(sip_pb2.Header(name="Retry-After", value=str(wait)))
    turn.call.release_source = record.RELEASE_SOURCE_INTERNAL
    hunting.fail_call(turn, reply.status or status, reply.reason or reason, headers)


def expired(turn: Turn) -> None:
    """Nobody has replied for as long as a debt lives."""
    if turn.call.state == record.CALL_STATE_ROUTING:
        refused(turn, aaa.AuthorizeResponse(decision=aaa.DECISION_UNAVAILABLE))
