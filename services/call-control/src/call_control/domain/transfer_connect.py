"""The target of a transfer answers: transferee and target get each other's session descriptions.

The 2xx of the target brings an offer. It goes to the transferee in a re-INVITE; what the transferee answers
goes back in the ACK (RFC 3725 4.1).
"""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import (
    answering,
    hunting,
    keepalive,
    own_requests,
    party,
    refer_progress,
    relays,
    restoring,
    session,
    timers,
    transfer_end,
)
from call_control.domain.release import release_all
from call_control.domain.turn import Turn

#: The transferee is in the middle of another exchange: its turn comes after this.
_BUSY_MS = 500
#: The transferee has lost its dialog (RFC 5057 5.1).
_LOST = frozenset({408, 481})

# -- answers of the target -----------------------------------------------------------------------


def provisional(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """A 1xx of the target: the transferor hears of it."""
    hunting.heard(turn, leg, response.status)
    if leg.state == record.LEG_STATE_INVITING:
        leg.state = record.LEG_STATE_PROCEEDING
        turn.changed = True
    if response.status == 100:
        leg.trying_time_ms = leg.trying_time_ms or turn.now
        return
    if not leg.alerting_time_ms:
        leg.alerting_time_ms = turn.now
        turn.changed = True
    refer_progress.tell(turn, response.status, response.reason)


def answered(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """A 2xx of the target: its offer goes to the transferee, its ACK waits for the answer."""
    call, transfer = turn.call, turn.call.transfer
    if not response.to_tag:
        answering.refuse_tagless(turn, leg, response)
        return
    if not response.body.data:
        answering.turn_down(turn, leg, response)
        hunting.go_on(turn, 488, "Not Acceptable Here", (), after=leg)
        return
    answering.confirm(turn, leg, response)
    leg.ack_withheld = True
    session.agreed(turn, leg, response)
    transfer_end.forget_hunt(turn)
    transfer.state = record.TRANSFER_STATE_CONNECTING
    transfer.target = leg.index
    transfer.offer.CopyFrom(response.body)
    limit = turn.now + turn.policy.ack_timeout_ms
    timers.arm(call, record.TIMER_KIND_TRANSFER_LIMIT, limit, transfer.transferee)
    _offer(turn)


# -- the transferee ------------------------------------------------------------------------------


def _offer(turn: Turn) -> None:
    call = turn.call
    transferee = call.legs[call.transfer.transferee]
    if relays.exchange(call) is not None:
        timers.arm(call, record.TIMER_KIND_TRANSFER_OFFER, turn.now + _BUSY_MS, transferee.index)
        return
    own_requests.send(
        turn,
        transferee,
        "INVITE",
        record.OWN_PURPOSE_TRANSFER,
        headers=session.request_headers(turn, transferee),
        body=call.transfer.offer,
    )


def offer_due(turn: Turn, leg: record.Leg, due_ms: int) -> None:
    """The transferee may be free now."""
    if turn.call.transfer.state == record.TRANSFER_STATE_CONNECTING:
        _offer(turn)


def accepted(turn: Turn, leg: record.Leg, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """The transferee takes the target's offer: they are connected, and the transferor may go."""
    if relay.state == record.RELAY_STATE_CANCELLING:
        restoring.restore(turn, leg)
        return
    if not response.body.data:
        transfer_end.failed(turn, 488, "Not Acceptable Here")
        restoring.restore(turn, leg)
        return
    call = turn.call
    target, transferor = call.legs[call.transfer.target], call.legs[call.transfer.transferor]
    leg.sent_body.CopyFrom(call.transfer.offer)
    leg.received_body_digest = party.body_digest(response.body)
    session.agreed(turn, leg, response)
    target.ack_withheld = False
    target.sent_body.CopyFrom(response.body)
    answering.acknowledge(turn, target, response.body)
    answering.start_credit(turn, target)
    call.connected[:] = [leg.index, target.index]
    gone = transfer_end.transferor_is_gone(call)
    transfer_end.close(turn)
    for side in (leg, target):
        keepalive.start(turn, side)
    refer_progress.tell(turn, 200, "OK")
    if not gone:
        refer_progress.hang_up(turn, transferor)


def refused(turn: Turn, leg: record.Leg, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """The transferee does not take the target's offer: it keeps the session that it has."""
    if relay.state == record.RELAY_STATE_CANCELLING:
        return
    if response.status in _LOST:
        release_all(turn, response.status, record.RELEASE_SOURCE_INTERNAL)
    else:
        transfer_end.failed(turn, response.status, response.reason)


# -- time ----------------------------------------------------------------------------------------


def limit_reached(turn: Turn, leg: record.Leg, due_ms: int) -> None:
    """The target rings, or the transferee is busy, for too long."""
    if turn.call.HasField("transfer") and turn.call.state != record.CALL_STATE_ENDED:
        transfer_end.failed(turn, 408, "Request Timeout")
