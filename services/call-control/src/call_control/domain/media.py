"""Session descriptions, where a policy or a route asks for a look at them; all others cross untouched."""

from __future__ import annotations

from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from sipcore.codec_filter import AllowedCodecs, filter_codecs
from sipcore.multipart import map_sdp
from sipcore.sdp import NotAcceptable, parse_session
from sipcore.sdp_changes import with_attribute

#: Methods whose bodies, and those of their answers, are offers and answers.
_EXCHANGING = frozenset({"INVITE", "UPDATE", "PRACK", "ACK"})
_NATED = "nated:yes"


def screened(body: sip_pb2.Body, allowed: AllowedCodecs) -> bytes:
    """Return a body with the codecs that are allowed; one without session description as it is.

    Raises NotAcceptable when it cannot be read, or nothing would be left.
    """
    return map_sdp(body.content_type, body.data, lambda sdp: filter_codecs(sdp, allowed))


def screened_event(event: edge.Event, allowed: AllowedCodecs) -> edge.Event:
    """Return an event whose body keeps to the codecs that are allowed. Raises NotAcceptable.

    The event given is left alone: its edge may tell it again.
    """
    kind = event.WhichOneof("kind")
    if kind == "request":
        body, method = event.request.body, event.request.origin.method
    elif kind == "response":
        body, method = event.response.body, event.response.method
        if event.response.status >= 300:
            return event
    else:
        return event
    if not body.data or method not in _EXCHANGING:
        return event
    data = screened(body, allowed)
    if data is body.data or data == body.data:
        return event
    copy = edge.Event()
    copy.CopyFrom(event)
    (copy.request if kind == "request" else copy.response).body.data = data
    return copy


def mark_nated(body: sip_pb2.Body) -> None:
    """Tell the next hop that the caller is behind a NAT (`nat-`), if the body can be read."""
    try:
        body.data = map_sdp(
            body.content_type, body.data, lambda sdp: with_attribute(parse_session(sdp), _NATED).to_bytes()
        )
    except NotAcceptable:
        return


def answer_to(refusal: NotAcceptable) -> tuple[int, str, list[sip_pb2.Header]]:
    """Return status, reason phrase and header fields of the refusal."""
    return 488, "Not Acceptable Here", [sip_pb2.Header(name="Reason", value=str(refusal.header))]
