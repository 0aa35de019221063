"""An INVITE that takes the place of a dialog of the call (Replaces, RFC 3891), as after an attended transfer.

The newcomer's offer goes to the side that stays as a re-INVITE would; once it is accepted the two are
connected, and the one replaced is hung up. Who knows Call-ID and both tags may do that: ours holds a MAC.
"""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import inbound_leg, leaving, midcall, relays, timers
from call_control.domain.release import dismiss
from call_control.domain.turn import Turn
from sipcore.errors import PeerProtocolError
from sipcore.transfer import Replaces, parse_replaces

#: A call that has had so many legs takes no further ones: each stays in its record.
_MAX_LEGS = 64
NO_DIALOG = (481, "Call Leg/Transaction Does Not Exist")
BUSY = (486, "Busy Here")
DECLINED = (603, "Decline")
PENDING = (491, "Request Pending")


def refuse(turn: Turn, request: edge.RequestEvent, reporter: edge.EdgeRef, status: int, reason: str) -> None:
    """Answer an INVITE that replaces nobody.

    It has no leg. Its transaction counts to the last one: that of the caller is known by its leg.
    """
    turn.answer(turn.open_transaction(turn.call.legs[-1], request, reporter), status, reason)


def invited(turn: Turn, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """Take an INVITE that names a dialog of a call that is up."""
    replaces = _replaces(request)
    replaced = None if replaces is None else _named(turn.call, replaces)
    if replaces is None or replaced is None:
        refuse(turn, request, reporter, *NO_DIALOG)
        return
    if replaces.early_only:
        refuse(turn, request, reporter, *BUSY)
        return
    peer = turn.peer(replaced)
    is_side = leaving.part_of(turn.call, replaced) is leaving.Part.SIDE
    if len(turn.call.legs) > _MAX_LEGS:
        refuse(turn, request, reporter, *BUSY)
        return
    if peer is None or not is_side or turn.call.HasField("transfer") or relays.exchange(turn.call):
        refuse(turn, request, reporter, *PENDING)
        return
    leg = inbound_leg.add(turn, request, reporter)
    leg.replacement = True
    transaction = turn.open_transaction(leg, request, reporter)
    if midcall.grant(turn, leg, request, transaction) is None:
        refused(turn, leg, transaction.answer.status)
        return
    turn.call.connected[:] = [replaced.index, peer.index]
    relay = midcall.cross(turn, leg, peer, request, transaction)
    relay.replaced = replaced.index


def _replaces(request: edge.RequestEvent) -> Replaces | None:
    values = [header.value for header in request.headers if header.name.lower() == "replaces"]
    try:
        return parse_replaces(values[0]) if len(values) == 1 else None
    except PeerProtocolError:
        return None


def _named(call: record.Call, replaces: Replaces) -> record.Leg | None:
    for leg in call.legs:
        live = leg.state == record.LEG_STATE_CONFIRMED
        if live and replaces.names(leg.call_id, leg.local_tag, leg.remote_tag):
            return leg
    return None


def accepted(turn: Turn, leg: record.Leg, relay: record.Relay, status: int) -> None:
    """The side that stays takes the newcomer: the one replaced may go."""
    call = turn.call
    leg.state = record.LEG_STATE_CONFIRMED
    leg.connect_time_ms = turn.now
    leg.final_status = status
    call.connected[:] = [leg.index, relay.to_leg]
    dismiss(turn, call.legs[relay.replaced])


def refused(turn: Turn, leg: record.Leg, status: int) -> None:
    """The newcomer is refused, or has given up: the call goes on as it was."""
    leg.state = record.LEG_STATE_ENDED
    leg.end_time_ms = turn.now
    leg.final_status = status
    timers.disarm(
        turn.call,
        record.TIMER_KIND_SESSION_REFRESH,
        record.TIMER_KIND_SESSION_EXPIRED,
        leg=leg.index,
    )
