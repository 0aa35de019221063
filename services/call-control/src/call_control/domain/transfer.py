"""REFER and BYE with `Also`: passed on, so that the other side places the new call.

The one who transfers is released at once; the other side gets a REFER and, after its first answer, a BYE.
"""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import leaving, own_requests, party, refer, release, transfer_begin
from call_control.domain.release import abandon_relays, end_call, release_leg
from call_control.domain.turn import Turn


def referred(turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """A REFER inside the dialog (RFC 3515 2.4.2)."""
    if turn.policy.transfer == "perform":
        transfer_begin.referred(turn, leg, request, reporter)
        return
    transaction = turn.open_transaction(leg, request, reporter)
    targets = refer.targets(request.headers)
    if len(targets) != 1:
        turn.answer(transaction, 400, "Bad Request")
        return
    turn.answer(transaction, 202, "Accepted")
    abandon_relays(turn)
    pass_on(turn, leg, targets[0])
    release_leg(turn, leg)


def hung_up(turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """A BYE, which may name in `Also` whom the other side shall call (the practice before REFER)."""
    target = _also(request) if request.headers else None
    if target is None or leaving.part_of(turn.call, leg) is not leaving.Part.SIDE:
        leaving.hung_up(turn, leg, request, reporter)
        return
    if turn.policy.transfer == "perform":
        transfer_begin.hung_up(turn, leg, request, reporter, target)
        return
    turn.answer(turn.open_transaction(leg, request, reporter), 200, "OK")
    release.leave(turn, leg, request)
    pass_on(turn, leg, target)


def _also(request: edge.RequestEvent) -> str | None:
    return next((header.value for header in request.headers if header.name.lower() == "also"), None)


def pass_on(turn: Turn, leg: record.Leg, target: str) -> None:
    """Ask the other side to call `target`, a Refer-To value, and end the call."""
    call = turn.call
    call.release_source = record.RELEASE_SOURCE_CALLEE if leg.index else record.RELEASE_SOURCE_CALLER
    peer = turn.peer(leg)
    end_call(turn, 200)
    for other in call.legs[:]:
        if other.index != leg.index and (peer is None or other.index != peer.index):
            release_leg(turn, other)
    if peer is None:
        return
    headers = (
        sip_pb2.Header(name="Refer-To", value=target),
        sip_pb2.Header(name="Referred-By", value=f"<{party.addr_spec(peer.local_uri)}>"),
    )
    own_requests.send(turn, peer, "REFER", record.OWN_PURPOSE_REFER, headers=headers)


def passed_on(turn: Turn, leg: record.Leg, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """The other side has answered the REFER, with whatever: we are done with it."""
    release_leg(turn, leg)
