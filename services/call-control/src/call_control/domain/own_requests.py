"""Requests inside a dialog that nobody asked for but we: keep-alives, refreshes, PRACK, REFER."""

from __future__ import annotations

from collections.abc import Iterable

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from call_control.domain.requests import in_dialog
from call_control.domain.turn import Turn


def send(
    turn: Turn,
    leg: record.Leg,
    method: str,
    purpose: record.OwnPurpose,
    *,
    headers: Iterable[sip_pb2.Header] = (),
    body: sip_pb2.Body | None = None,
) -> None:
    """Send a request on a leg and note why; what comes of it is decided in `own_answers`."""
    command = in_dialog(turn, leg, method, headers=headers, body=body)
    relay = turn.call.relays.add(
        method=method,
        from_leg=leg.index,
        to_leg=leg.index,
        branch=command.branch,
        cseq=command.cseq,
        state=record.RELAY_STATE_PENDING,
        purpose=purpose,
    )
    if method == "INVITE":
        relay.request.CopyFrom(command)
        relay.request.ClearField("body")
    turn.request(command, record.PROOF_FINAL, leg)
