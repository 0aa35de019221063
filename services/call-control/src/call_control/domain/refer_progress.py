"""The sender of a REFER is told of the progress: one NOTIFY at a time, each with the latest status."""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import own_requests
from call_control.domain.release import dismiss
from call_control.domain.routing.identity import printable
from call_control.domain.turn import Turn
from sipcore.transfer import (
    SIPFRAG_TYPE,
    SubscriptionReason,
    active_state,
    sipfrag,
    terminated_state,
)


def subscribe(turn: Turn, leg: record.Leg, cseq: int) -> None:
    """Begin to tell the peer of a leg: an accepted REFER is a subscription (RFC 3515 2.4.4).

    `cseq` is the CSeq number of the REFER, which tells a second one of a dialog from the first (2.4.6).
    """
    subscription = turn.call.subscription
    subscription.Clear()
    subscription.leg = leg.index
    subscription.event = f"refer;id={cseq}" if leg.has_referred else "refer"
    subscription.expires_at_ms = turn.now + turn.policy.answer_timeout_ms
    tell(turn, 100, "Trying")


def tell(turn: Turn, status: int, reason: str) -> None:
    """The progress is a new status: the subscriber hears of it, as soon as it has heard of the last one."""
    call = turn.call
    if not call.HasField("subscription") or call.subscription.status == status:
        return
    call.subscription.status = status
    call.subscription.reason = printable(reason)
    turn.changed = True
    if not any(relay.purpose == record.OWN_PURPOSE_NOTIFY for relay in call.relays[:]):
        _notify(turn)


def hang_up(turn: Turn, leg: record.Leg) -> None:
    """Hang up on a leg when its peer has been told everything; at once if it wants to know nothing."""
    if turn.call.HasField("subscription"):
        turn.call.subscription.hang_up = True
    else:
        dismiss(turn, leg)


def _notify(turn: Turn) -> None:
    subscription = turn.call.subscription
    subscription.told = subscription.status
    if subscription.status >= 200:
        state = terminated_state(SubscriptionReason.NO_RESOURCE)
    else:
        state = active_state(max(1, (subscription.expires_at_ms - turn.now) // 1_000))
    own_requests.send(
        turn,
        turn.call.legs[subscription.leg],
        "NOTIFY",
        record.OWN_PURPOSE_NOTIFY,
        headers=(
            sip_pb2.Header(name="Event", value=subscription.event),
            sip_pb2.Header(name="Subscription-State", value=state),
        ),
        body=sip_pb2.Body(data=sipfrag(subscription.status, subscription.reason), content_type=SIPFRAG_TYPE),
    )


def notified(turn: Turn, leg: record.Leg, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """The subscriber has answered a NOTIFY, or never will: the next one, or the end."""
    call = turn.call
    if not call.HasField("subscription") or call.subscription.leg != leg.index:
        return
    if call.subscription.told != call.subscription.status and response.status != 481:
        _notify(turn)
        return
    if call.subscription.status < 200 and response.status != 481:
        return
    over = call.subscription.hang_up
    call.ClearField("subscription")
    if over:
        dismiss(turn, leg)
