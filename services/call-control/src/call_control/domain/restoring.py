"""A side took an offer whose sender was gone by then, or had taken it back: both sides go on as before."""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import own_requests, party, session
from call_control.domain.turn import Turn


def restore(turn: Turn, leg: record.Leg) -> None:
    """Offer a side once more the session that it had with the one it is connected to."""
    if turn.call.state == record.CALL_STATE_ENDED or turn.peer(leg) is None or not leg.HasField("sent_body"):
        return
    own_requests.send(
        turn,
        leg,
        "INVITE",
        record.OWN_PURPOSE_RESTORE,
        headers=session.request_headers(turn, leg),
        body=leg.sent_body,
    )


def restored(turn: Turn, leg: record.Leg, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """It is back; if its session description has changed, the other side must know."""
    peer = turn.peer(leg)
    if peer is None or not response.body.data:
        return
    leg.received_body_digest = party.body_digest(response.body)
    session.agreed(turn, leg, response)
    if response.body.data == peer.sent_body.data:
        return
    peer.sent_body.CopyFrom(response.body)
    own_requests.send(
        turn,
        peer,
        "INVITE",
        record.OWN_PURPOSE_RESTORE_PEER,
        headers=session.request_headers(turn, peer),
        body=response.body,
    )
