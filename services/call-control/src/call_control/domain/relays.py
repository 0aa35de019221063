"""Requests under way inside the dialogs of a call: finding them, and whether another may begin."""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain.turn import Turn, same_request

#: Methods whose body is an offer (RFC 3261 13, RFC 3311): one exchange at a time crosses.
_EXCHANGES = frozenset({"INVITE", "UPDATE"})


def of_branch(call: record.Call, branch: str) -> record.Relay | None:
    """Return the request of ours that left under a branch."""
    return next((relay for relay in call.relays if same_request(relay.branch, branch)), None)


def of_transaction(call: record.Call, reference: str) -> record.Relay | None:
    """Return the crossing request of a requester's server transaction."""
    return next((relay for relay in call.relays if relay.transaction == reference), None)


def of_ack(call: record.Call, leg: int, cseq: int) -> record.Relay | None:
    """Return the answered re-INVITE that an ACK of a leg is for."""
    return next(
        (
            relay
            for relay in call.relays
            if relay.from_leg == leg
            and relay.origin_cseq == cseq
            and relay.state == record.RELAY_STATE_ANSWERED
        ),
        None,
    )


def exchange(call: record.Call) -> record.Relay | None:
    """Return the offer that is under way, if one is: a re-INVITE, or an UPDATE."""
    return next((relay for relay in call.relays if relay.method in _EXCHANGES), None)


def pay(turn: Turn, relay: record.Relay) -> None:
    """Our request has its final answer: it is owed no longer."""
    position = turn.debt_of_branch(relay.branch)
    if position is not None:
        turn.pay((position,))


def moved(relay: record.Relay, request: edge.SendRequest) -> None:
    """Our request left once more, under another branch."""
    relay.branch, relay.cseq = request.branch, request.cseq
    if relay.method == "INVITE":
        relay.request.CopyFrom(request)
        relay.request.ClearField("body")
