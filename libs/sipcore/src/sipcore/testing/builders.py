"""Messages for tests: complete and legal unless told otherwise, as bytes."""

from collections.abc import Iterable

from sipcore.message import Request, Response
from sipcore.parser import parse_datagram
from sipcore.serializer import serialize_request, serialize_response

__all__ = ["REASONS", "ack_to", "as_request", "cancel_of", "invite", "request", "response_to", "sdp"]

Fields = Iterable[tuple[str, str]]

REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    302: "Moved Temporarily",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    503: "Service Unavailable",
    603: "Decline",
}
"""Reason phrases (RFC 3261 21) of the responses that tests send most."""


def sdp(
    host: str = "192.0.2.1", port: int = 40000, *, version: int = 1, direction: str = "sendrecv"
) -> bytes:
    """A session description with one audio stream (PCMU, PCMA, telephone-event)."""
    family = "IP6" if ":" in host else "IP4"
    lines = (
        "v=0",
        f"o=- 1000 {version} IN {family} {host}",
        "s=-",
        f"c=IN {family} {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP 0 8 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        f"a={direction}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def request(
    method: str,
    uri: str = "sip:bob@192.0.2.2",
    *,
    call_id: str = "call-1@192.0.2.1",
    from_: str = "<sip:alice@192.0.2.1>",
    from_tag: str = "alice-1",
    to: str = "<sip:bob@192.0.2.2>",
    to_tag: str = "",
    cseq: int = 1,
    branch: str = "z9hG4bK-1",
    via: str = "SIP/2.0/UDP 192.0.2.1:5060",
    rport: bool = True,
    contact: str = "",
    routes: Iterable[str] = (),
    max_forwards: int = 70,
    headers: Fields = (),
    body: bytes = b"",
    content_type: str = "application/sdp",
) -> bytes:
    """A request. `contact` is a URI, `headers` are added as they are, an empty `to_tag` is left out."""
    fields = [("Via", f"{via};branch={branch}{';rport' if rport else ''}")]
    fields += [("Route", route) for route in routes]
    fields += [
        ("Max-Forwards", str(max_forwards)),
        ("From", f"{from_};tag={from_tag}"),
        ("To", f"{to};tag={to_tag}" if to_tag else to),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} {method}"),
    ]
    if contact:
        fields.append(("Contact", f"<{contact}>"))
    fields += headers
    if body:
        fields.append(("Content-Type", content_type))
    return serialize_request(method, uri, fields, body)


def invite(
    uri: str = "sip:bob@192.0.2.2",
    *,
    call_id: str = "call-1@192.0.2.1",
    from_tag: str = "alice-1",
    to_tag: str = "",
    cseq: int = 1,
    branch: str = "z9hG4bK-1",
    via: str = "SIP/2.0/UDP 192.0.2.1:5060",
    contact: str = "sip:alice@192.0.2.1:5060",
    headers: Fields = (),
    body: bytes | None = None,
) -> bytes:
    """An INVITE with a Contact and an offer; `body=b""` makes one without an offer."""
    return request(
        "INVITE",
        uri,
        call_id=call_id,
        from_tag=from_tag,
        to_tag=to_tag,
        cseq=cseq,
        branch=branch,
        via=via,
        contact=contact,
        headers=headers,
        body=sdp() if body is None else body,
    )


def response_to(
    received: Request | bytes,
    status: int,
    reason: str | None = None,
    *,
    to_tag: str = "",
    via: str | None = None,
    contact: str = "",
    headers: Fields = (),
    body: bytes = b"",
    content_type: str = "application/sdp",
) -> bytes:
    """A response built as RFC 3261 8.2.6 says.

    `to_tag` is added unless the request has one. `via` replaces the topmost Via (with received and rport).
    Record-Route is copied into provisional responses other than 100 and into 2xx (RFC 3261 12.1.1).
    """
    asked = as_request(received)
    vias = asked.headers.values("via")
    fields = [("Via", value) for value in ([via, *vias[1:]] if via is not None else vias)]
    if 100 < status < 300:
        fields += [("Record-Route", route) for route in asked.record_routes]
    to = asked.headers.get("to") or ""
    fields += [
        ("From", asked.headers.get("from") or ""),
        ("To", f"{to};tag={to_tag}" if to_tag and not asked.to_tag else to),
        ("Call-ID", asked.call_id),
        ("CSeq", str(asked.cseq)),
    ]
    if contact:
        fields.append(("Contact", f"<{contact}>"))
    fields += headers
    if body:
        fields.append(("Content-Type", content_type))
    return serialize_response(status, REASONS.get(status, "") if reason is None else reason, fields, body)


def ack_to(sent: Request | bytes, response: Response) -> bytes:
    """The ACK for a non-2xx final response to this INVITE: same Via, same routes (RFC 3261 17.1.1.3)."""
    return _like("ACK", as_request(sent), response.headers.get("to") or "")


def cancel_of(sent: Request | bytes) -> bytes:
    """The CANCEL of this INVITE: same Via, same routes, same To (RFC 3261 9.1)."""
    asked = as_request(sent)
    return _like("CANCEL", asked, asked.headers.get("to") or "")


def as_request(message: Request | bytes) -> Request:
    """The request itself, parsed if it comes as bytes. Raises TypeError for a response."""
    if isinstance(message, bytes):
        parsed = parse_datagram(message)
        if not isinstance(parsed, Request):
            raise TypeError("a request is needed here")
        return parsed
    return message


def _like(method: str, sent: Request, to: str) -> bytes:
    fields = [("Via", str(sent.via)), *(("Route", route) for route in sent.routes)]
    fields += [
        ("Max-Forwards", "70"),
        ("From", sent.headers.get("from") or ""),
        ("To", to),
        ("Call-ID", sent.call_id),
        ("CSeq", f"{sent.cseq.number} {method}"),
    ]
    return serialize_request(method, sent.uri, fields)
