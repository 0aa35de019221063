"""A REFER that we carry out (RFC 3515, RFC 5589): accepted or refused, and the target is called.

The target is called without an offer: it makes one when it answers, and only then does the transferee hear of
it, with a re-INVITE (RFC 3725 4.1, the target being the side that takes its time). Until then the transferee
stays on its session with the transferor, on hold or not.
"""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import hunting, leaving, party, refer, refer_progress, timers, transfer_end
from call_control.domain.refer import Refer, Refusal
from call_control.domain.transfer_routes import target_routes
from call_control.domain.turn import Turn


def referred(turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """Take a REFER of either side."""
    transaction = turn.open_transaction(leg, request, reporter)
    try:
        wanted = refer.read(request.headers)
        transferee = _transferee(turn, leg)
        routes = target_routes(turn, wanted, leg, transferee, request)
    except Refusal as refusal:
        turn.answer(transaction, refusal.status, refusal.reason)
        return
    headers = [] if wanted.subscribes else [sip_pb2.Header(name="Refer-Sub", value="false")]
    turn.answer(transaction, 202, "Accepted", contact=True, headers=headers)
    if wanted.subscribes:
        refer_progress.subscribe(turn, leg, request.origin.cseq)
        leg.has_referred = True
    _begin(turn, leg, transferee, wanted, routes)


def hung_up(
    turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef, target: str
) -> None:
    """A BYE that names in `Also` whom the other side shall have instead: nobody hears of the progress."""
    try:
        wanted = refer.read(request.headers, also=target)
        transferee = _transferee(turn, leg)
        routes = target_routes(turn, wanted, leg, transferee, request)
    except Refusal:
        leaving.hung_up(turn, leg, request, reporter)
        return
    _begin(turn, leg, transferee, wanted, routes)
    leaving.hung_up(turn, leg, request, reporter)


def _transferee(turn: Turn, leg: record.Leg) -> record.Leg:
    """Return the leg that stays. Raises Refusal 491 while the call is in no state to be transferred."""
    call = turn.call
    peer = turn.peer(leg)
    changing = (
        call.HasField("transfer")
        or call.HasField("subscription")
        or any(relay.HasField("replaced") for relay in call.relays)
    )
    if call.state != record.CALL_STATE_CONFIRMED or peer is None or changing:
        raise Refusal(491, "Request Pending")
    return peer


def _begin(
    turn: Turn, leg: record.Leg, transferee: record.Leg, wanted: Refer, routes: list[record.Route]
) -> None:
    call, policy = turn.call, turn.policy
    transfer = call.transfer
    transfer.state = record.TRANSFER_STATE_DIALLING
    transfer.transferor = leg.index
    transfer.transferee = transferee.index
    transfer.first_leg = len(call.legs)
    by = str(wanted.by) if wanted.by is not None else f"<{party.addr_spec(leg.remote_uri)}>"
    transfer.headers.add(name="Referred-By", value=by)
    if wanted.to.replaces is not None:
        transfer.headers.add(name="Replaces", value=str(wanted.to.replaces))
    call.connected[:] = [leg.index, transferee.index]
    call.routes.extend(routes)
    call.watch_at_ms = turn.now + policy.edge_absence_ms
    timers.arm(
        call,
        record.TIMER_KIND_TRANSFER_LIMIT,
        turn.now + policy.answer_timeout_ms,
        transferee.index,
    )
    if not hunting.hunt(turn):
        transfer_end.failed(turn, 500, "Internal Server Error (3)")
