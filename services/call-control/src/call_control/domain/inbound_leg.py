"""A dialog that a peer opens with an INVITE (RFC 3261 12.1.1)."""

from __future__ import annotations

from zlib import crc32

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import party
from call_control.domain.turn import Turn
from sipcore.dialog import route_set_uas


def first_cseq(key: str, leg: int) -> int:
    """Return a CSeq number in 1..2^30 that differs from call to call and needs no randomness."""
    return (crc32(f"{key}{leg}".encode()) >> 2) + 1


def add(turn: Turn, request: edge.RequestEvent, reporter: edge.EdgeRef) -> record.Leg:
    """Add the leg of an INVITE without To tag to the call."""
    call, origin = turn.call, request.origin
    index = len(call.legs)
    leg = call.legs.add()
    leg.index = index
    leg.state = record.LEG_STATE_INVITING
    leg.call_id = origin.call_id
    leg.local_tag = turn.minter.tag(call.key, index)
    leg.remote_tag = request.from_tag
    leg.local_uri = party.without_tag(origin.to_value)
    leg.remote_uri = party.without_tag(origin.from_value)
    leg.local_cseq = first_cseq(call.key, index)
    leg.remote_cseq = leg.invite_cseq = origin.cseq
    if origin.record_route:
        leg.route_set.extend(route_set_uas(origin.record_route))
    leg.remote_target = request.contact_uri
    leg.edge.CopyFrom(reporter)
    leg.flow = origin.flow
    leg.listener = origin.listener
    leg.received_body_digest = party.body_digest(request.body)
    leg.setup_time_ms = turn.now
    if request.headers:
        leg.takes_update = party.allows(request.headers, "UPDATE")
    return leg
