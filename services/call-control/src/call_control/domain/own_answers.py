"""What comes of the requests that we send by ourselves inside a dialog."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import (
    authentication,
    keepalive,
    party,
    refer_progress,
    relays,
    requests,
    restoring,
    session,
    timers,
    transfer,
    transfer_connect,
)
from call_control.domain.turn import Turn

#: Both sides sent an offer at the same time (RFC 3261 14.1).
_GLARE = 491
#: The owner of the Call-ID waits 2.1 to 4 s, the other side 0 to 2 s, in units of 10 ms.
_OWNERS_WAIT_MS = range(2_100, 4_001, 10)
_OTHERS_WAIT_MS = range(0, 2_001, 10)

_Handler = Callable[[Turn, record.Leg, record.Relay, edge.ResponseEvent], None]


class _Outcome(NamedTuple):
    accepted: _Handler
    refused: _Handler


def _nothing(turn: Turn, leg: record.Leg, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """No more than that it is over."""


_OUTCOMES: Mapping[record.OwnPurpose, _Outcome] = {
    record.OWN_PURPOSE_KEEPALIVE: _Outcome(keepalive.answered, keepalive.refused),
    record.OWN_PURPOSE_SESSION: _Outcome(session.refreshed, session.not_refreshed),
    record.OWN_PURPOSE_PRACK: _Outcome(_nothing, _nothing),
    record.OWN_PURPOSE_REFER: _Outcome(transfer.passed_on, transfer.passed_on),
    record.OWN_PURPOSE_TRANSFER: _Outcome(transfer_connect.accepted, transfer_connect.refused),
    record.OWN_PURPOSE_NOTIFY: _Outcome(refer_progress.notified, refer_progress.notified),
    record.OWN_PURPOSE_RESTORE: _Outcome(restoring.restored, _nothing),
    record.OWN_PURPOSE_RESTORE_PEER: _Outcome(_nothing, _nothing),
}


def provisional(turn: Turn, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """A 1xx: a CANCEL may leave from any edge now."""
    if not relay.provisional_seen:
        relay.provisional_seen = True
        turn.changed = True


def accepted(turn: Turn, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """A 2xx to a request of our own."""
    leg = turn.call.legs[relay.to_leg]
    relays.pay(turn, relay)
    if relay.method == "INVITE":
        ack = requests.acknowledgement(turn, leg, relay.cseq, relay.branch)
        turn.request(ack, record.PROOF_DONE, leg)
        if response.contact_uri:
            leg.remote_target = response.contact_uri
    _finish(turn, relay, response, _OUTCOMES[relay.purpose].accepted)


def refused(turn: Turn, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """A final failure of a request of our own; a challenge is answered first."""
    leg = turn.call.legs[relay.to_leg]
    again = authentication.retry(turn, leg, relay.branch, response)
    if again is not None:
        relays.moved(relay, again)
        return
    cancelled = relay.state == record.RELAY_STATE_CANCELLING
    if response.status == _GLARE and relay.purpose in _AGAIN and relay.method == "INVITE" and not cancelled:
        _back_off(turn, leg, relay)
        return
    relays.pay(turn, relay)
    _finish(turn, relay, response, _OUTCOMES[relay.purpose].refused)


def _back_off(turn: Turn, leg: record.Leg, relay: record.Relay) -> None:
    """Our re-INVITE met one of the peer's: send it once more, after a while that differs on both sides.

    Where we opened the dialog the Call-ID is ours. The draw comes from the call's key and the CSeq number.
    """
    waits = _OWNERS_WAIT_MS if party.has_route(leg) else _OTHERS_WAIT_MS
    wait = waits[party.spread(f"{turn.call.key} {relay.cseq}", len(waits))]
    kind = _AGAIN[relay.purpose]
    relays.pay(turn, relay)
    turn.call.relays.remove(relay)
    timers.arm(turn.call, kind, turn.now + wait, leg.index)
    turn.changed = True


#: The timer that sends a request of each purpose again.
_AGAIN = {
    record.OWN_PURPOSE_KEEPALIVE: record.TIMER_KIND_KEEPALIVE,
    record.OWN_PURPOSE_SESSION: record.TIMER_KIND_SESSION_REFRESH,
    record.OWN_PURPOSE_TRANSFER: record.TIMER_KIND_TRANSFER_OFFER,
}


def _finish(turn: Turn, relay: record.Relay, response: edge.ResponseEvent, handler: _Handler) -> None:
    call = turn.call
    if relay.state == record.RELAY_STATE_CANCELLING:
        turn.settle_cancel(relay.branch)
    finished = record.Relay.FromString(relay.SerializeToString())
    call.relays.remove(relay)
    turn.changed = True
    handler(turn, call.legs[finished.to_leg], finished, response)
