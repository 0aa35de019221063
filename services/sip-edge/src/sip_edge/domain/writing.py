"""Commands as SIP: the header fields of requests that leave, in their order."""

from typing import Final

from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2
from sip_edge.domain.addressing import Local
from sipcore.serializer import compose, request_line, serialize_request

Fields = list[tuple[str, str]]

_LOCAL: Final = "@local"
_HOST_BEGINS: Final = frozenset("@:")
_HOST_ENDS: Final = frozenset(">;:?, \t")


def with_local_host(value: str, host: str) -> str:
    """`value` with the host "@local" replaced: `<sip:alice@@local>`, `<sip:@local>`.

    A host `local`, one that only begins with these letters, and a display name are left alone.
    """
    at = value.rfind(_LOCAL)
    if at < 1 or value[at - 1] not in _HOST_BEGINS:
        return value
    end = at + len(_LOCAL)
    if end < len(value) and value[end] not in _HOST_ENDS:
        return value
    return f"{value[:at]}{host}{value[end:]}"


def via_start(local: Local, sent_by: str) -> str:
    """Via up to the branch, in the name of another edge."""
    return f"SIP/2.0/{local.listener.transport.upper()} {sent_by};rport;branch="


def body_fields(body: sip_pb2.Body) -> Fields:
    """The header fields that describe a body."""
    content_type = body.content_type
    if not content_type:
        return []
    fields = [("Content-Type", content_type)]
    if body.headers:
        fields += [(header.name, header.value) for header in body.headers]
    return fields


def request_bytes(request: edge_pb2.SendRequest, branch: str, local: Local) -> bytes:
    """A request, or the ACK for a 2xx, as it leaves from `local`.

    Raises `LocalProtocolError` when a value cannot be written down.
    """
    method = request.method
    start = via_start(local, request.sent_by) if request.sent_by else local.via
    to_tag = request.to_tag
    lines = [request_line(method, request.request_uri), f"Via: {start}{branch}"]
    if request.route:
        lines += [f"Route: {value}" for value in request.route]
    lines += (
        f"Max-Forwards: {request.max_forwards}",
        f"From: {with_local_host(request.from_value, local.host)};tag={request.from_tag}",
        f"To: {request.to_value};tag={to_tag}" if to_tag else f"To: {request.to_value}",
        f"Call-ID: {request.call_id}",
        f"CSeq: {request.cseq} {method}",
    )
    if request.contact:
        lines.append(f"Contact: {local.contact(request.contact_user)}")
    fields = [(header.name, header.value) for header in request.headers]
    if not request.HasField("body"):
        return compose(lines, fields, b"")
    body = request.body
    fields += body_fields(body)
    return compose(lines, fields, body.data)


def companion_bytes(
    method: str, invite: edge_pb2.SendRequest, via: str, local_host: str, to_value: str, headers: Fields
) -> bytes:
    """The CANCEL of an INVITE (RFC 3261 9.1), or the ACK for its refusal (17.1.1.3).

    Both repeat the Via, the Request-URI and the Route of the INVITE as it left. Raises `LocalProtocolError`
    when a value cannot be written down.
    """
    from_value = with_local_host(invite.from_value, local_host)
    fields: Fields = [("Via", via)]
    if invite.route:
        fields += [("Route", value) for value in invite.route]
    fields += (
        ("Max-Forwards", "70"),
        ("From", f"{from_value};tag={invite.from_tag}"),
        ("To", to_value),
        ("Call-ID", invite.call_id),
        ("CSeq", f"{invite.cseq} {method}"),
    )
    fields += headers
    return serialize_request(method, invite.request_uri, fields)


def invite_to(invite: edge_pb2.SendRequest) -> str:
    """To of the INVITE as it left."""
    return f"{invite.to_value};tag={invite.to_tag}" if invite.to_tag else invite.to_value
