"""The end of a transfer that we carry out: nobody could be connected, and the call goes on as it was."""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record
from call_control.domain import party, refer_progress, relays, timers
from call_control.domain.release import dismiss, release_all
from call_control.domain.turn import Turn

_LIVE = party.AWAITING_FINAL | {record.LEG_STATE_CONFIRMED}


def transferor_is_gone(call: record.Call) -> bool:
    """Tell whether the sender of the REFER has hung up: a failure leaves the transferee with nobody then."""
    return call.legs[call.transfer.transferor].state != record.LEG_STATE_CONFIRMED


def failed(turn: Turn, status: int, reason: str) -> None:
    """The target cannot be had: the transferor hears why, and has the transferee as before."""
    call = turn.call
    for relay in call.relays[:]:
        offers = relay.purpose == record.OWN_PURPOSE_TRANSFER
        if offers and relay.state == record.RELAY_STATE_PENDING:
            relays.cancel(turn, relay)
    for leg in call.legs[call.transfer.first_leg :]:
        if leg.state in _LIVE:
            dismiss(turn, leg)
    alone = transferor_is_gone(call)
    close(turn)
    refer_progress.tell(turn, status, reason)
    if alone:
        release_all(turn, status, record.RELEASE_SOURCE_INTERNAL)


def close(turn: Turn) -> None:
    """Forget a transfer that has succeeded or failed."""
    call, transfer = turn.call, turn.call.transfer
    forget_hunt(turn)
    timers.disarm(
        call,
        record.TIMER_KIND_TRANSFER_LIMIT,
        record.TIMER_KIND_TRANSFER_OFFER,
        leg=transfer.transferee,
    )
    call.ClearField("transfer")
    turn.changed = True


def forget_hunt(turn: Turn) -> None:
    """Drop what only further attempts to reach the target would need."""
    call = turn.call
    call.watch_at_ms = 0
    del call.routes[call.next_route :]
    call.ClearField("failure")
    for leg in call.legs[call.transfer.first_leg :]:
        timers.disarm(call, *timers.OF_AN_ATTEMPT, leg=leg.index)
