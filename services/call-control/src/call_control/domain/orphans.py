"""Events whose call is over or unknown: what a peer is told that still speaks of it."""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import party
from call_control.domain.policy import Policy
from call_control.domain.turn import Emission, Minter
from sipcore.dialog import aim, route_set_uac

_NO_CALL = (481, "Call Leg/Transaction Does Not Exist")
_HUNG_UP = (200, "OK")
_OVER = (500, "Disconnected")


def unknown(event: edge.Event, policy: Policy, minter: Minter, leg: int) -> list[Emission]:
    """Return the effects of an event of a call that nobody knows. Nothing is committed for it."""
    match event.WhichOneof("kind"):
        case "request":
            return answer(event, *_NO_CALL)
        case "response":
            return _hang_up_stray(event, policy, minter, leg)
    return []


def remembered(
    event: edge.Event, stone: record.Tombstone, policy: Policy, minter: Minter, leg: int
) -> list[Emission]:
    """Return the effects of an event of an ended call: the answer that it got before."""
    if event.WhichOneof("kind") != "request":
        return unknown(event, policy, minter, leg)
    reference = event.request.transaction
    for past in stone.answers:
        if past.transaction == reference:
            return answer(event, past.status, past.reason, past.to_tag)
    if event.opens_call:
        # A late copy of the INVITE, which got a 2xx and its ACK.
        stop = edge.Stop(transaction=reference, forget=True)
        return [(edge.Command(call_key=event.call_key, edge=event.edge, stop=stop), None)]
    if event.request.origin.method == "INVITE" and not (event.request.to_tag or event.opens_call):
        # RFC 3891 3: the dialog to be replaced is over.
        return answer(event, 603, "Decline")
    if not event.request.to_tag or event.request.origin.method == "CANCEL":
        return answer(event, *_NO_CALL)
    return answer(event, *(_OVER if event.request.origin.method != "BYE" else _HUNG_UP))


def answer(event: edge.Event, status: int, reason: str, to_tag: str = "") -> list[Emission]:
    """Answer the request of an event that has no call; nothing for what cannot be answered."""
    request = event.request
    if request.origin.method == "ACK" or (request.origin.method == "CANCEL" and request.cancel_answered):
        return []
    respond = edge.Respond(transaction=request.transaction, status=status, reason=reason, to_tag=to_tag)
    command = edge.Command(call_key=event.call_key, edge=event.edge, respond=respond)
    return [(command, request.origin)]


def _hang_up_stray(event: edge.Event, policy: Policy, minter: Minter, leg: int) -> list[Emission]:
    """A 2xx to an INVITE of a forgotten call leaves its callee connected: acknowledge and hang up."""
    response = event.response
    stray_answer = response.stray and response.method == "INVITE" and 200 <= response.status < 300
    if not stray_answer or not response.contact_uri or not response.to_tag:
        return []
    target = aim(route_set_uac(response.record_route), response.contact_uri)
    emissions: list[Emission] = []
    for counter, (method, cseq) in enumerate((("ACK", response.cseq), ("BYE", response.cseq + 1))):
        request = edge.SendRequest(
            method=method,
            request_uri=target.request_uri,
            # Counters of a live call start at 1 and never come near these.
            branch=minter.branch(event.call_key, max(leg, 0), _STRAY_COUNTER + counter),
            call_id=response.call_id,
            from_value=party.without_tag(response.from_value),
            from_tag=_tag_of(response.from_value),
            to_value=party.without_tag(response.to_value),
            to_tag=response.to_tag,
            cseq=cseq,
            route=target.route,
            max_forwards=policy.max_forwards,
            invite_branch=response.branch if method == "ACK" else "",
            target=edge.Target(uri=target.next_hop),
        )
        command = edge.Command(call_key=event.call_key, edge=event.edge, send_request=request)
        emissions.append((command, None))
    return emissions


#: Two of the last values of a branch's counter (three characters of base 32).
_STRAY_COUNTER = 32**3 - 2


def _tag_of(value: str) -> str:
    lowered = value.lower()
    position = lowered.rfind(";tag=")
    return value[position + 5 :].partition(";")[0].strip() if position >= 0 else ""
