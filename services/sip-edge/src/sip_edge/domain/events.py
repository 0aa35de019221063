"""What the edge tells call-control: SIP messages and timers as events."""

from collections.abc import Iterable
from typing import Final

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain.origin import Origin
from sip_edge.domain.ports import ControlLink
from sip_edge.domain.wanted import Wanted
from sipcore.errors import PeerProtocolError
from sipcore.message import Headers, Request, Response

_BODY_FIELDS: Final = frozenset(
    {"content-disposition", "content-encoding", "content-language", "mime-version"}
)


class Events:
    """Builds events and hands them to the link, numbered."""

    __slots__ = ("_blank", "_count", "_edge", "_link", "_wanted")

    def __init__(self, link: ControlLink, *, edge_id: str, boot: int) -> None:
        self._link = link
        self._edge = edge_pb2.EdgeRef(edge_id=edge_id, boot=boot)
        self._blank = edge_pb2.Event(edge=self._edge)
        self._count = 0
        self._wanted = Wanted()

    @property
    def edge(self) -> edge_pb2.EdgeRef:
        """Who this edge is."""
        return self._edge

    def want(self, names: Iterable[str]) -> None:
        """Header fields that events carry, see `Wanted`."""
        self._wanted = Wanted(names)

    def request(
        self,
        request: Request,
        origin: Origin,
        call_key: str,
        transaction: str,
        transport: str,
        *,
        opens_call: bool = False,
        cancel_answered: bool = False,
        merge_key: str = "",
    ) -> None:
        """A request came in. Raises `UnicodeEncodeError` when a field of it is not UTF-8."""
        max_forwards, expires = request.max_forwards, request.expires
        event = self._event(call_key)
        if opens_call:
            event.opens_call = True
        told = event.request
        origin.fill(told.origin, transport=transport)
        told.transaction = transaction
        told.request_uri = request.uri
        told.from_tag = origin.from_tag
        if origin.to_tag:
            told.to_tag = origin.to_tag
        told.contact_uri = _contact(request)
        told.max_forwards = -1 if max_forwards is None else max_forwards
        told.expires = -1 if expires is None else expires
        if merge_key:
            told.merge_key = merge_key
        if cancel_answered:
            told.cancel_answered = True
        self._copy(request, told)
        self._link.submit(event)

    def response(
        self,
        response: Response,
        *,
        call_key: str,
        branch: str,
        sent: edge_pb2.Sent | None,
        stray: bool = False,
    ) -> edge_pb2.ResponseEvent:
        """A response came in. Returns what was told; raises `PeerProtocolError` for a malformed Contact."""
        try:
            event = self._response(response, call_key, branch, sent, stray)
        except UnicodeEncodeError:
            event = self._response(_readable(response), call_key, branch, sent, stray)
        self._link.submit(event)
        return event.response

    def _response(
        self,
        response: Response,
        call_key: str,
        branch: str,
        sent: edge_pb2.Sent | None,
        stray: bool,
    ) -> edge_pb2.Event:
        cseq = response.cseq
        event = self._event(call_key)
        told = event.response
        told.branch = branch
        told.status = response.status
        told.reason = response.reason
        told.to_tag = response.to_tag
        told.cseq = cseq.number
        told.method = cseq.method
        told.contact_uri = _contact(response)
        routes = response.record_routes
        if routes:
            told.record_route.extend(routes)
        if sent is not None:
            told.sent.CopyFrom(sent)
        if 300 <= response.status < 400:
            told.contacts.extend(_contacts(response))
        if stray:
            told.stray = True
            told.from_value = response.headers.get("from") or ""
            told.to_value = response.headers.get("to") or ""
            told.call_id = response.call_id
        self._copy(response, told)
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
        cause: edge_pb2.LocalCause,
    ) -> edge_pb2.ResponseEvent:
        """No peer said this: timeout, transport failure, lost connection."""
        told = edge_pb2.ResponseEvent(
            branch=branch,
            status=status,
            reason=reason,
            cseq=cseq,
            method=method,
            local=True,
            sent=sent,
            local_cause=cause,
        )
        self.again(call_key, told)
        return told

    def again(self, call_key: str, told: edge_pb2.ResponseEvent) -> None:
        """The final response of a request that call-control asks for a second time."""
        event = self._event(call_key)
        event.response.CopyFrom(told)
        self._link.submit(event)

    def sent(self, call_key: str, sent: edge_pb2.Sent) -> None:
        """An INVITE of ours left."""
        event = self._event(call_key)
        event.sent.sent.CopyFrom(sent)
        self._link.submit(event)

    def ack_missing(self, call_key: str, transaction: str) -> None:
        """Nobody acknowledged a 2xx of ours."""
        event = self._event(call_key)
        event.ack_missing.transaction = transaction
        self._link.submit(event)

    def provisional_unacknowledged(self, call_key: str, transaction: str, rseq: int) -> None:
        """Nobody acknowledged a reliable provisional of ours."""
        event = self._event(call_key)
        event.provisional_unacknowledged.transaction = transaction
        event.provisional_unacknowledged.rseq = rseq
        self._link.submit(event)

    def self_cancelled(self, call_key: str, transaction: str) -> None:
        """The edge ended an INVITE that was cancelled and not decided upon."""
        event = self._event(call_key)
        event.self_cancelled.transaction = transaction
        self._link.submit(event)

    def done(self, call_key: str, number: int) -> None:
        """A command was carried out."""
        ref = edge_pb2.CommandRef()
        ref.call_key = call_key
        ref.id = number
        self._link.done((ref,))

    def _event(self, call_key: str) -> edge_pb2.Event:
        """The next event, to be filled field by field, which costs half of what keyword arguments do."""
        self._count += 1
        event = edge_pb2.Event()
        event.CopyFrom(self._blank)
        event.id = self._count
        event.call_key = call_key
        return event

    def _copy(
        self, message: Request | Response, told: edge_pb2.RequestEvent | edge_pb2.ResponseEvent
    ) -> None:
        """The header fields that call-control wants, and the body."""
        headers = message.headers
        for name, value in self._wanted.select(headers):
            field = told.headers.add()
            field.name, field.value = name, value
        if message.body:
            body = told.body
            body.data = message.body
            body.content_type = headers.get("content-type") or ""
            if not _BODY_FIELDS.isdisjoint(headers.index):
                for name, values in headers.index.items():
                    if name in _BODY_FIELDS:
                        body.headers.add(name=name, value=values[0])


def _contact(message: Request | Response) -> str:
    """URI of the first Contact."""
    contact = message.contact
    return "" if contact is None else contact.uri


def _contacts(response: Response) -> list[str]:
    """Every Contact element as on the wire; none when the list cannot be taken apart."""
    try:
        return response.headers.values("contact")
    except PeerProtocolError:
        return []


def _readable(response: Response) -> Response:
    """`response` with octets that are not UTF-8 replaced: what call-control and books cannot hold."""
    fields = [(name, _valid(value)) for name, value in response.headers.items()]
    return Response(response.status, _valid(response.reason), Headers(fields), response.body)


def _valid(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
