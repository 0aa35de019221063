"""What the answers to one request are made of, and where they go (RFC 3261 8.2.6.2, 18.2.2)."""

from collections.abc import Sequence
from typing import Any, Final

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain.addressing import DEFAULT_PORT, is_private
from sip_edge.domain.config import Listener
from sip_edge.domain.ports import Address
from sipcore.headers import Via, parse_name_addr, parse_via
from sipcore.message import Request
from sipcore.serializer import serialize_response

COOKIE: Final = "z9hG4bK"
"""Branches without it come from peers of RFC 2543 and identify nothing."""


class Arrival:
    """How a message came in."""

    __slots__ = ("flow", "listener", "source")

    def __init__(self, listener: Listener, source: Address, flow: str = "") -> None:
        self.listener: Final = listener
        self.source: Final = source
        self.flow: Final = flow


class Origin:
    """The fields of a request that its answers repeat, and the way back to its sender."""

    __slots__ = (
        "call_id",
        "cseq",
        "flow",
        "from_tag",
        "from_value",
        "listener",
        "method",
        "record_route",
        "reply_to",
        "source",
        "to_tag",
        "to_value",
        "via",
        "via_address",
    )

    via: list[str]
    """All Via values, `received` and `rport` of the topmost filled in."""
    from_value: str
    from_tag: str
    to_value: str
    to_tag: str
    """Empty outside of dialogs: the answer then brings our tag."""
    call_id: str
    cseq: int
    method: str
    record_route: Sequence[str]
    source: Address
    """Where the request came from."""
    reply_to: Address
    """Where answers go by UDP."""
    via_address: Address
    """Where the sender accepts connections."""
    flow: str
    listener: str

    @classmethod
    def of_request(cls, request: Request, arrival: Arrival, *, nat_traversal: bool) -> "Origin":
        """Read from a message whose Via, From, To, Call-ID and CSeq can be parsed."""
        self = cls.__new__(cls)
        headers = request.headers
        host, port = arrival.source
        top = request.via.with_source(host, port)
        self.via = headers.index["via"].copy()
        rest = self.via[0].partition(",")[2].strip() if "," in self.via[0] else ""
        self.via[0] = f"{top}, {rest}" if rest else str(top)
        self.from_tag = request.from_tag
        self.to_tag = request.to_tag
        self.from_value = headers.index["from"][0]
        self.to_value = headers.index["to"][0]
        self.call_id = request.call_id
        self.cseq = request.cseq.number
        self.method = request.method
        self.record_route = request.record_routes
        self.source = arrival.source
        self.via_address = (host, top.port or DEFAULT_PORT)
        natted = nat_traversal and is_private(top.host) and port != self.via_address[1]
        self.reply_to = arrival.source if natted else _reply_address(top, arrival.source)
        self.flow = arrival.flow
        self.listener = arrival.listener.name
        return self

    @classmethod
    def of_proto(cls, proto: edge_pb2.Origin) -> "Origin":
        """Read from a command: another edge, or this one before a restart, received the request.

        Raises `PeerProtocolError` when Via, From or To cannot be read, which no edge lets through.
        """
        self = cls.__new__(cls)
        self.via = list(proto.via)
        self.from_value = proto.from_value
        self.to_value = proto.to_value
        self.from_tag = parse_name_addr(proto.from_value).tag
        self.to_tag = parse_name_addr(proto.to_value).tag
        self.call_id = proto.call_id
        self.cseq = proto.cseq
        self.method = proto.method
        self.record_route = list(proto.record_route)
        self.source = (proto.source.ip, proto.source.port)
        top = parse_via(_first(self.via))
        self.via_address = (proto.source.ip, top.port or DEFAULT_PORT)
        self.reply_to = _reply_address(top, self.source)
        self.flow = proto.flow
        self.listener = proto.listener
        return self

    def fields(self, *, transport: str) -> dict[str, Any]:
        """As the fields of the message that call-control gets."""
        ip, port = self.source
        return {
            "via": self.via,
            "from_value": self.from_value,
            "to_value": self.to_value,
            "call_id": self.call_id,
            "cseq": self.cseq,
            "method": self.method,
            "record_route": self.record_route,
            "source": {"ip": ip, "port": port, "transport": transport},
            "flow": self.flow,
            "listener": self.listener,
        }

    def answer(
        self, status: int, reason: str, to_tag: str, headers: list[tuple[str, str]], body: bytes = b""
    ) -> bytes:
        """The bytes of an answer; `to_tag` counts only if the request had none.

        Raises `LocalProtocolError` when a value cannot be written down.
        """
        to_value = self.to_value if self.to_tag or not to_tag else f"{self.to_value};tag={to_tag}"
        lines = [("Via", value) for value in self.via]
        # RFC 3261 12.1.1; a 100 opens no dialog.
        if self.record_route and 100 < status < 300:
            lines += [("Record-Route", value) for value in self.record_route]
        lines += (
            ("From", self.from_value),
            ("To", to_value),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.cseq} {self.method}"),
        )
        lines += headers
        return serialize_response(status, reason, lines, body)


def reference(request: Request, via: Via) -> str:
    """What a request, its repetitions, its CANCEL and the ACK for its refusal share (RFC 3261 17.2.3)."""
    branch = via.branch
    if branch.startswith(COOKIE):
        return f"{branch} {via.sent_by}"
    return f"{request.call_id} {request.from_tag} {request.cseq.number} {request.uri} {branch} {via.sent_by}"


def _reply_address(via: Via, source: Address) -> Address:
    # `received` is the source or absent because sent-by says the same: the host is the source's in any case.
    return source[0], via.reply_port


def _first(values: list[str]) -> str:
    return values[0].partition(",")[0] if values else ""
