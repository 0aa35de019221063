"""What the answers to one request are made of, and where they go (RFC 3261 8.2.6.2, 18.2.2)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain.addressing import DEFAULT_PORT
from sip_edge.domain.config import Listener
from sip_edge.domain.ports import Address
from sipcore.headers import Via, ViaForm, parse_name_addr, parse_via
from sipcore.message import Request
from sipcore.serializer import compose, status_line

COOKIE: Final = "z9hG4bK"
"""Branches without it come from peers of RFC 2543 and identify nothing."""

_BRANCH: Final = ";branch="
_REMEMBERED: Final = 4096
"""Peers whose Via is remembered as it goes back to them."""


class Arrival:
    """How a message came in."""

    __slots__ = ("flow", "listener", "natted", "source")

    def __init__(self, listener: Listener, source: Address, flow: str = "") -> None:
        self.listener: Final = listener
        self.source: Final = source
        self.flow: Final = flow
        self.natted = False
        """The sender is behind a NAT, and is to be answered where it sent from."""


class _Return(NamedTuple):
    """The topmost Via of a peer as it goes back to it, and where it leads: the same for all its requests."""

    before: str
    """What stands before the branch, `received` and `rport` filled in like in the rest."""
    after: str
    port: int
    """Where the peer accepts connections."""
    reply_port: int
    """Where answers go by UDP."""


_Lines = tuple[list[str], str, tuple[str, str]]
"""Via, From, and what stands behind To."""


class Origin:
    """The fields of a request that its answers repeat, and the way back to its sender."""

    __slots__ = (
        "_lines",
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
    _lines: _Lines | None
    """What all answers have in common, kept after a provisional one for the next."""

    @classmethod
    def of_request(cls, request: Request, arrival: Arrival) -> "Origin":
        """Read from a message whose Via, From, To, Call-ID and CSeq can be parsed."""
        self = cls.__new__(cls)
        index = request.headers.index
        form, branch, self.from_tag, self.to_tag, self.call_id, self.cseq, _ = request.essentials
        source = arrival.source
        back = _return(form, source)
        top = f"{back.before}{branch}{back.after}" if form.shared else back.before
        reply_port = back.reply_port
        if arrival.natted and reply_port != source[1]:
            # As if it had asked for it (RFC 3581), so that any edge can answer.
            top, reply_port = f"{top};rport={source[1]}", source[1]
        first, *others = index["via"]
        rest = first.partition(",")[2].strip() if "," in first else ""
        self.via = [f"{top}, {rest}" if rest else top, *others]
        self.from_value = index["from"][0]
        self.to_value = index["to"][0]
        self.method = request.method
        self.record_route = request.record_routes
        self.source = source
        self.via_address = (source[0], back.port)
        self.reply_to = (source[0], reply_port)
        self.flow = arrival.flow
        self.listener = arrival.listener.name
        self._lines = None
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
        self._lines = None
        return self

    def fill(self, proto: edge_pb2.Origin, *, transport: str) -> None:
        """Tell call-control. Raises `UnicodeEncodeError` when a field is not UTF-8."""
        proto.via.extend(self.via)
        proto.from_value = self.from_value
        proto.to_value = self.to_value
        proto.call_id = self.call_id
        proto.cseq = self.cseq
        proto.method = self.method
        if self.record_route:
            proto.record_route.extend(self.record_route)
        source = proto.source
        source.ip, source.port = self.source
        source.transport = transport
        if self.flow:
            proto.flow = self.flow
        proto.listener = self.listener

    def answer(
        self, status: int, reason: str, to_tag: str, headers: list[tuple[str, str]], body: bytes = b""
    ) -> bytes:
        """The bytes of an answer; `to_tag` counts only if the request had none.

        Raises `LocalProtocolError` when a value cannot be written down.
        """
        common = self._lines or self._common_lines()
        self._lines = common if status < 200 else None
        vias, from_line, others = common
        to_value = self.to_value if self.to_tag or not to_tag else f"{self.to_value};tag={to_tag}"
        lines = [status_line(status, reason), *vias]
        # RFC 3261 12.1.1; a 100 opens no dialog.
        if self.record_route and 100 < status < 300:
            lines += [f"Record-Route: {value}" for value in self.record_route]
        lines += (from_line, f"To: {to_value}", *others)
        return compose(lines, headers, body)

    def _common_lines(self) -> _Lines:
        return (
            [f"Via: {value}" for value in self.via],
            f"From: {self.from_value}",
            (f"Call-ID: {self.call_id}", f"CSeq: {self.cseq} {self.method}"),
        )


def reference(request: Request) -> str:
    """What a request, its repetitions, its CANCEL and the ACK for its refusal share (RFC 3261 17.2.3).

    Raises `PeerProtocolError` when the Via cannot be read.
    """
    form, branch = request.via_form
    if branch.startswith(COOKIE):
        return f"{branch} {form.sent_by}"
    read = request.essentials
    return f"{read.call_id} {read.from_tag} {read.cseq} {request.uri} {branch} {form.sent_by}"


def _return(form: ViaForm, source: Address) -> _Return:
    return _remembered_return(form, *source) if form.shared else _read_return(form, *source)


def _read_return(form: ViaForm, ip: str, port: int) -> _Return:
    via = form.via.with_source(ip, port)
    before, mark, after = str(via), "", ""
    if form.shared:
        before, mark, after = before.partition(_BRANCH)
    return _Return(
        before=before + mark,
        after=after[1:],
        port=via.port or DEFAULT_PORT,
        reply_port=via.reply_port,
    )


_remembered_return: Final = lru_cache(_REMEMBERED)(_read_return)


def _reply_address(via: Via, source: Address) -> Address:
    # `received` is the source or absent because sent-by says the same: the host is the source's in any case.
    return source[0], via.reply_port


def _first(values: list[str]) -> str:
    return values[0].partition(",")[0] if values else ""
