"""Requests under way inside the dialogs of a call: finding them, and whether another may begin."""

from __future__ import annotations

from collections.abc import Iterable

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain.turn import Turn, same_request

#: Methods whose body is an offer (RFC 3261 13, RFC 3311): one exchange at a time crosses.
_EXCHANGES = frozenset({"INVITE", "UPDATE"})


def of_branch(call: record.Call, branch: str) -> record.Relay | None:
    """Return the request of ours that left under a branch."""
    for relay in call.relays[:]:
        if same_request(relay.branch, branch):
            return relay
    return None


def of_transaction(call: record.Call, reference: str) -> record.Relay | None:
    """Return the crossing request of a requester's server transaction."""
    for relay in call.relays[:]:
        if relay.transaction == reference:
            return relay
    return None


def of_ack(call: record.Call, leg: int, cseq: int) -> record.Relay | None:
    """Return the answered re-INVITE that an ACK of a leg is for."""
    return next(
        (
            relay
            for relay in call.relays[:]
            if relay.from_leg == leg
            and relay.origin_cseq == cseq
            and relay.state == record.RELAY_STATE_ANSWERED
        ),
        None,
    )


def exchange(call: record.Call) -> record.Relay | None:
    """Return the offer that is under way, if one is: a re-INVITE, or an UPDATE."""
    return next((relay for relay in call.relays[:] if relay.method in _EXCHANGES), None)


def pay(turn: Turn, relay: record.Relay) -> None:
    """Our request has its final answer: it is owed no longer."""
    position = turn.debt_of_branch(relay.branch)
    if position is not None:
        turn.pay((position,))


def cancel(turn: Turn, relay: record.Relay, headers: Iterable[sip_pb2.Header] = ()) -> None:
    """Take back an INVITE of ours that has no final answer; the relay stays until that has come."""
    relay.state = record.RELAY_STATE_CANCELLING
    pay(turn, relay)
    command = edge.Cancel(
        branch=relay.branch,
        headers=headers,
        sent=relay.sent if relay.HasField("sent") else None,
        invite=relay.request,
        provisional_seen=relay.provisional_seen,
    )
    turn.cancel(command, turn.call.legs[relay.to_leg])


def moved(relay: record.Relay, request: edge.SendRequest) -> None:
    """Our request left once more, under another branch."""
    relay.branch, relay.cseq = request.branch, request.cseq
    if relay.method == "INVITE":
        relay.request.CopyFrom(request)
        relay.request.ClearField("body")
