"""The routes of a call: planned from what the operator and the authorisation say, then the hunt begins."""

from __future__ import annotations

from b2bua.aaa.v1 import aaa_pb2 as aaa
from b2bua.callcontrol.v1 import call_pb2 as record
from call_control.domain import hunting, media
from call_control.domain.routing.entry import read_routes
from call_control.domain.routing.plan import Caller, plan
from call_control.domain.turn import Turn

_NO_VERDICT = aaa.AuthorizeResponse()


def find_routes(turn: Turn, verdict: aaa.AuthorizeResponse = _NO_VERDICT) -> None:
    """Plan the routes and try the first; without any the caller gets its 500.

    Routes of the operator hold for every call; those of the authorisation are for an operator without.
    """
    call, policy = turn.call, turn.policy
    call.state = record.CALL_STATE_TRYING
    entries = policy.routes or read_routes(verdict.routes)
    planned = plan(entries, caller_of(turn, verdict), policy)
    if planned.skipped:
        turn.notes += [f"route {number} skipped: {reason}" for number, reason in planned.skipped]
    call.routes.extend(planned.routes)
    if planned.nated:
        media.mark_nated(call.invite.body)
    if 0 <= call.invite.max_forwards <= 1:
        hunting.fail_call(turn, 483, "Too Many Hops")
    elif not hunting.hunt(turn):
        hunting.fail_call(turn, 500, f"Internal Server Error ({3 if entries else 2})")


def called_number(turn: Turn) -> str:
    """Return the number that was dialled as routes and authorisation see it: without `nat-`, translated."""
    return plan((), caller_of(turn, _NO_VERDICT), turn.policy).called


def caller_of(turn: Turn, verdict: aaa.AuthorizeResponse) -> Caller:
    """Return what the plan of a call has to know about its caller."""
    call = turn.call
    origin = call.transactions[0].origin
    return Caller(
        key=call.key,
        request_uri=call.invite.request_uri,
        from_value=origin.from_value,
        to_value=origin.to_value,
        source=origin.source,
        via=origin.via,
        has_body=call.invite.HasField("body"),
        credit_ms=verdict.credit_seconds * 1_000 if verdict.HasField("credit_seconds") else None,
        calling=verdict.calling_number if verdict.HasField("calling_number") else None,
        name=verdict.display_name if verdict.HasField("display_name") else None,
    )
