"""What the edge tells call-control: SIP messages and timers as events."""

from collections.abc import Iterable
from typing import Any, Final

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain.addressing import is_private
from sip_edge.domain.origin import Origin
from sip_edge.domain.ports import Address, ControlLink
from sipcore.errors import PeerProtocolError
from sipcore.message import Headers, Request, Response
from sipcore.names import CANONICAL
from sipcore.uri import Uri, parse_uri

_BODY_FIELDS: Final = frozenset(
    {"content-disposition", "content-encoding", "content-language", "mime-version"}
)


class Events:
    """Builds events and hands them to the link, numbered."""

    __slots__ = ("_count", "_edge", "_link", "_nat_traversal", "_wanted")

    def __init__(self, link: ControlLink, *, edge_id: str, boot: int, nat_traversal: bool) -> None:
        self._link = link
        self._edge = edge_pb2.EdgeRef(edge_id=edge_id, boot=boot)
        self._nat_traversal = nat_traversal
        self._count = 0
        self._wanted: frozenset[str] = frozenset()

    @property
    def edge(self) -> edge_pb2.EdgeRef:
        """Who this edge is."""
        return self._edge

    def want(self, names: Iterable[str]) -> None:
        """Header fields that events carry, as canonical names: lower case, long form."""
        self._wanted = frozenset(names)

    def request(
        self,
        request: Request,
        origin: Origin,
        *,
        call_key: str,
        transaction: str,
        transport: str,
        opens_call: bool = False,
        cancel_answered: bool = False,
        merge_key: str = "",
    ) -> None:
        """A request came in. Raises `UnicodeEncodeError` when a field of it is not UTF-8."""
        max_forwards, expires = request.max_forwards, request.expires
        # Behind a proxy the source is the proxy's, and the Contact is not ours to change.
        natted = self._nat_traversal and len(origin.via) == 1
        fields: dict[str, Any] = {
            "origin": origin.fields(transport=transport),
            "transaction": transaction,
            "request_uri": request.uri,
            "from_tag": origin.from_tag,
            "to_tag": origin.to_tag,
            "contact_uri": _contact(request, origin.source if natted else None),
            "max_forwards": -1 if max_forwards is None else max_forwards,
            "expires": -1 if expires is None else expires,
            "headers": self._selected(request.headers),
            "cancel_answered": cancel_answered,
            "merge_key": merge_key,
        }
        if request.body:
            fields["body"] = _body(request)
        self._submit(call_key, opens_call=opens_call, request=fields)

    def response(
        self,
        response: Response,
        source: Address,
        *,
        call_key: str,
        branch: str,
        sent: edge_pb2.Sent | None,
        stray: bool = False,
    ) -> edge_pb2.ResponseEvent:
        """A response came in. Returns what was told; raises `PeerProtocolError` for a malformed Contact."""
        cseq = response.cseq
        # The Contacts of a redirection lead elsewhere, wherever it came from.
        natted = self._nat_traversal and response.status < 300 and not is_private(source[0])
        fields: dict[str, Any] = {
            "branch": branch,
            "status": response.status,
            "reason": response.reason,
            "to_tag": response.to_tag,
            "cseq": cseq.number,
            "method": cseq.method,
            "contact_uri": _contact(response, source if natted else None),
            "record_route": response.record_routes,
            "headers": self._selected(response.headers),
            "sent": sent,
            "stray": stray,
        }
        if stray:
            fields["from_value"] = response.headers.get("from")
            fields["to_value"] = response.headers.get("to")
            fields["call_id"] = response.call_id
        if response.body:
            fields["body"] = _body(response)
        try:
            event = edge_pb2.ResponseEvent(**fields)
        except UnicodeEncodeError:
            event = edge_pb2.ResponseEvent(**_readable(fields))
        self._submit(call_key, response=event)
        return event

    def local(
        self,
        status: int,
        reason: str,
        *,
        call_key: str,
        branch: str,
        cseq: int,
        method: str,
        sent: edge_pb2.Sent | None,
    ) -> edge_pb2.ResponseEvent:
        """No peer said this: timeout, transport failure, lost connection."""
        event = edge_pb2.ResponseEvent(
            branch=branch, status=status, reason=reason, cseq=cseq, method=method, local=True, sent=sent
        )
        self._submit(call_key, response=event)
        return event

    def again(self, call_key: str, event: edge_pb2.ResponseEvent) -> None:
        """The final response of a request that call-control asks for a second time."""
        self._submit(call_key, response=event)

    def sent(self, call_key: str, sent: edge_pb2.Sent) -> None:
        """An INVITE of ours left."""
        self._submit(call_key, sent={"sent": sent})

    def ack_missing(self, call_key: str, transaction: str) -> None:
        """Nobody acknowledged a 2xx of ours."""
        self._submit(call_key, ack_missing={"transaction": transaction})

    def self_cancelled(self, call_key: str, transaction: str) -> None:
        """The edge ended an INVITE that was cancelled and not decided upon."""
        self._submit(call_key, self_cancelled={"transaction": transaction})

    def done(self, command: edge_pb2.Command) -> None:
        """A command was carried out."""
        self._link.done((edge_pb2.CommandRef(call_key=command.call_key, id=command.id),))

    def _submit(self, call_key: str, **kind: Any) -> None:
        self._count += 1
        self._link.submit(edge_pb2.Event(id=self._count, call_key=call_key, edge=self._edge, **kind))

    def _selected(self, headers: Headers) -> list[dict[str, str]]:
        wanted = self._wanted
        if wanted.isdisjoint(headers.index):
            return []
        return [
            {"name": name, "value": value}
            for name, value in headers.items()
            if (CANONICAL.get(name) or name.lower()) in wanted
        ]


def _contact(message: Request | Response, source: Address | None) -> str:
    """URI of the first Contact; with `source`, as it can be reached from here."""
    contact = message.contact
    if contact is None:
        return ""
    return contact.uri if source is None else _reachable(contact.uri, source)


def _body(message: Request | Response) -> dict[str, Any]:
    headers = message.headers
    body: dict[str, Any] = {"data": message.body, "content_type": headers.get("content-type") or ""}
    if not _BODY_FIELDS.isdisjoint(headers.index):
        body["headers"] = [
            {"name": name, "value": values[0]}
            for name, values in headers.index.items()
            if name in _BODY_FIELDS
        ]
    return body


def _readable(value: Any) -> Any:
    """`value` with octets that are not UTF-8 replaced: what call-control and books cannot hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if isinstance(value, list | tuple):
        return [_readable(element) for element in value]
    if isinstance(value, dict):
        return {name: _readable(element) for name, element in value.items()}
    return value


def _reachable(uri: str, source: Address) -> str:
    """The Contact, with the source of the packet instead of a host that only the peer's network knows."""
    try:
        parsed = parse_uri(uri)
    except PeerProtocolError:
        return uri
    if not isinstance(parsed, Uri):
        return uri
    if not is_private(parsed.host) and parsed.host != "255.255.255.255":
        return uri
    return str(parsed._replace(host=source[0], port=source[1]))
