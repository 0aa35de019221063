"""Keep-alives: each leg of an answered call is asked now and then whether it still lives."""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import leaving, own_requests, party, session, timers
from call_control.domain.relays import exchange
from call_control.domain.turn import Turn

_KEEPALIVE = record.TIMER_KIND_KEEPALIVE
#: Answers of a peer that has no such call any more, or does not know re-INVITEs (behaviour: keep-alive).
_LOST = {"INVITE": frozenset({408, 481, 486}), "OPTIONS": frozenset({408, 481})}


def start(turn: Turn, leg: record.Leg) -> None:
    """Begin, or begin again after any re-INVITE went through; nothing if this side gets none."""
    policy = turn.policy
    period = policy.egress_keepalive_ms if party.has_route(leg) else policy.ingress_keepalive_ms
    if period and not timers.runs(turn.call, record.TIMER_KIND_KEEPALIVE_GRACE, leg.index):
        timers.arm(turn.call, _KEEPALIVE, turn.now + period, leg.index)


def due(turn: Turn, leg: record.Leg, due_ms: int) -> None:
    """Ask the peer: with a re-INVITE of the current session, or with OPTIONS."""
    if leg.state != record.LEG_STATE_CONFIRMED:
        return
    if exchange(turn.call) is not None:
        start(turn, leg)
        return
    body = leg.sent_body if leg.HasField("sent_body") else None
    # A re-INVITE without an offer would bring one, which nobody is there to answer.
    method = turn.policy.keepalive_method if body is not None else "OPTIONS"
    # A re-INVITE that does not speak of the session timer would end it (RFC 4028 7.4).
    headers = session.request_headers(turn, leg) if method == "INVITE" else []
    own_requests.send(
        turn,
        leg,
        method,
        record.OWN_PURPOSE_KEEPALIVE,
        headers=headers,
        body=body if method == "INVITE" else None,
    )


def answered(turn: Turn, leg: record.Leg, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """The peer lives. What its answer says of the session is not asked for."""
    leg.keepalives_answered += 1
    if relay.method == "INVITE":
        session.agreed(turn, leg, response)
    start(turn, leg)


def refused(turn: Turn, leg: record.Leg, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """A peer that has answered before is gone; one that never did may not know how, and gets more time."""
    if response.status not in _LOST[relay.method]:
        start(turn, leg)
    elif leg.keepalives_answered or relay.method == "OPTIONS":
        leaving.lost(turn, leg, response.status)
    else:
        timers.arm(
            turn.call,
            record.TIMER_KIND_KEEPALIVE_GRACE,
            turn.now + turn.policy.keepalive_grace_ms,
            leg.index,
        )


def grace_over(turn: Turn, leg: record.Leg, due_ms: int) -> None:
    """The time of a peer that does not answer keep-alives is over."""
    if leg.state == record.LEG_STATE_CONFIRMED:
        leaving.lost(turn, leg, 408)
