"""An edge core between a fake network and a fake call-control, on a clock that tests move."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain import (
    Address,
    DropReason,
    EdgeConfig,
    EdgeCore,
    Endpoint,
    HostPort,
    Lifecycle,
    Listener,
    Query,
)
from sipcore.message import Message, Request, Response
from sipcore.parser import parse_datagram
from sipcore.testing.builders import invite, request, response_to
from svckit.identity import Identity

CALLER: Address = ("192.0.2.1", 5060)
CALLEE: Address = ("192.0.2.2", 5060)
IDENTITY = Identity(b"identity key", salt=b"salt", shards=64)
UDP = Listener(name="udp", transport="udp", host="198.51.100.1", port=5060)
TCP = Listener(name="tcp", transport="tcp", host="198.51.100.1", port=5060)
UDP6 = Listener(name="udp6", transport="udp", host="2001:db8::1", port=5060)


@dataclass(frozen=True)
class Packet:
    """One message that left: where from (listener or flow), what, and where to."""

    via: str
    data: bytes
    address: Address | None

    @property
    def message(self) -> Message:
        return parse_datagram(self.data)


class FakeOutlet:
    """Records what leaves."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.connects: list[tuple[str, str, Address]] = []
        self.closed: list[str] = []
        self.queries: list[tuple[int, Query]] = []
        self.source = "198.51.100.1"

    def send_datagram(self, listener: str, data: bytes, address: Address) -> None:
        self.packets.append(Packet(listener, data, address))

    def connect(self, flow: str, listener: str, address: Address) -> None:
        self.connects.append((flow, listener, address))

    def send_stream(self, flow: str, data: bytes) -> None:
        self.packets.append(Packet(flow, data, None))

    def close_stream(self, flow: str) -> None:
        self.closed.append(flow)

    def resolve(self, token: int, query: Query) -> None:
        self.queries.append((token, query))

    def source_ip(self, towards: str) -> str:
        return self.source


class FakeLink:
    """Records what call-control would hear."""

    def __init__(self) -> None:
        self.events: list[edge_pb2.Event] = []
        self.refs: list[tuple[str, int]] = []
        self.credit = True

    def submit(self, event: edge_pb2.Event) -> None:
        self.events.append(event)

    def done(self, refs: Sequence[edge_pb2.CommandRef]) -> None:
        self.refs += [(ref.call_key, ref.id) for ref in refs]

    def may_open_call(self) -> bool:
        return self.credit


class World:
    """The edge, what it said, and the time."""

    def __init__(
        self,
        *listeners: Listener,
        greeted: bool = True,
        extensions: Sequence[str] = (),
        **settings: Any,
    ) -> None:
        self.outlet = FakeOutlet()
        self.link = FakeLink()
        self.now = 1000.0
        config = EdgeConfig(edge_id="edge-0", boot=7, listeners=listeners or (UDP, TCP), **settings)
        self.core = EdgeCore(config, self.outlet, self.link)
        if greeted:
            self.core.greeted(IDENTITY, ["subject", "supported"], extensions)
        self.core.admission.state = Lifecycle.SERVING
        self._commands = 0

    def receive(self, data: bytes, source: Address = CALLER, listener: str = "udp") -> None:
        """A datagram arrives."""
        self.core.receive_datagram(listener, data, source, self.now)

    def command(self, call_key: str, number: int = 0, **kind: Any) -> edge_pb2.Command:
        """A command of call-control arrives; without a number it is a new one."""
        self._commands += 1
        command = edge_pb2.Command(id=number or self._commands, call_key=call_key, **kind)
        self.core.execute(command, self.now)
        return command

    def pass_time(self, seconds: float) -> None:
        """Let time pass; everything that falls due on the way happens at its own time."""
        end = self.now + seconds
        while (deadline := self.core.next_deadline()) <= end:
            self.now = max(self.now, deadline)
            self.core.on_timer(self.now)
        self.now = end

    def packets(self) -> list[Packet]:
        """What left since the last look."""
        packets, self.outlet.packets = self.outlet.packets, []
        return packets

    def lines(self) -> list[str]:
        """What left since the last look: status or method."""
        return [_line(packet.message) for packet in self.packets()]

    def sent(self) -> Message:
        """The one message that left since the last look."""
        (packet,) = self.packets()
        return packet.message

    def events(self) -> list[edge_pb2.Event]:
        """What call-control heard since the last look."""
        events, self.link.events = self.link.events, []
        return events

    def event(self) -> edge_pb2.Event:
        """The one thing that call-control heard since the last look."""
        (event,) = self.events()
        return event

    def done(self) -> list[tuple[str, int]]:
        """Commands confirmed since the last look."""
        refs, self.link.refs = self.link.refs, []
        return refs

    def drops(self) -> dict[DropReason, int]:
        """What was discarded since the last look."""
        counts = self.core.counters.drops
        found = {reason: counts[reason] for reason in DropReason if counts[reason]}
        counts[:] = [0] * len(counts)
        return found

    def quiet(self) -> bool:
        """Whether nothing was sent or told since the last look, and nothing is left to happen."""
        nothing = not self.outlet.packets and not self.link.events and not self.link.refs
        return nothing and self.core.next_deadline() == math.inf

    # Pieces of calls

    def open_call(self, data: bytes | None = None, listener: str = "udp") -> edge_pb2.Event:
        """An INVITE arrives; its event. Nothing is left to look at."""
        self.receive(invite() if data is None else data, listener=listener)
        event = self.event()
        self.packets()
        return event

    def respond(self, event: edge_pb2.Event, status: int, **fields: Any) -> edge_pb2.Command:
        """Call-control answers the request of an event."""
        fields.setdefault("reason", "")
        fields.setdefault("to_tag", IDENTITY.tag(event.call_key, 0))
        fields.setdefault("transaction", event.request.transaction)
        fields.setdefault("origin", event.request.origin)
        return self.command(event.call_key, respond={"status": status, **fields})

    def place(self, key: str = "", **fields: Any) -> tuple[edge_pb2.Command, Request | None]:
        """Call-control sends a request; the command, and the request as it left, if it did."""
        key = key or call_key()
        asked = outgoing(key, **fields)
        command = self.command(key, send_request=asked)
        packets = self.packets()
        if not packets:
            return command, None
        message = packets[-1].message
        assert isinstance(message, Request)
        return command, message

    def answer(self, asked: Request, status: int, source: Address = CALLEE, **fields: Any) -> None:
        """The callee answers."""
        fields.setdefault("to_tag", "bob-1")
        self.receive(response_to(asked, status, **fields), source)


def call_key(number: int = 1) -> str:
    """Key of a call; another one for each number."""
    return IDENTITY.call_key(f"call-{number}", "alice-1", 1, "192.0.2.1:5060", "z9hG4bK-1")


def outgoing(key: str, *, counter: int = 1, **fields: Any) -> dict[str, Any]:
    """The fields of a SendRequest on leg 1: an INVITE to the callee unless told otherwise."""
    asked: dict[str, Any] = {
        "method": "INVITE",
        "request_uri": "sip:bob@192.0.2.2",
        "branch": IDENTITY.branch(key, 1, counter),
        "call_id": "call-1-b2b_1",
        "from_value": '"Alice" <sip:alice@@local>',
        "from_tag": IDENTITY.tag(key, 1),
        "to_value": "<sip:bob@192.0.2.2>",
        "cseq": 1,
        "max_forwards": 69,
        "contact": True,
        "contact_user": "alice",
        "target": {"uri": "sip:bob@192.0.2.2"},
    }
    asked.update(fields)
    return asked


def in_dialog(method: str, event: edge_pb2.Event, **fields: Any) -> bytes:
    """A request of the caller inside the dialog that call-control accepted."""
    fields.setdefault("to_tag", IDENTITY.tag(event.call_key, 0))
    fields.setdefault("cseq", 2)
    fields.setdefault("branch", f"z9hG4bK-{method}-{fields['cseq']}")
    return request(method, **fields)


def endpoint(ip: str, port: int = 5060, transport: str = "udp") -> Endpoint:
    """An address as the DNS gives it."""
    return Endpoint(ip, port, transport)


def wildcard(**fields: Any) -> Listener:
    """A listener on all addresses."""
    fields.setdefault("advertise", None)
    return Listener(name="udp", transport="udp", host="0.0.0.0", port=5060, **fields)


def host_port(host: str, port: int = 5060) -> HostPort:
    """What a peer is shown."""
    return HostPort(host, port)


def _line(message: Message) -> str:
    return str(message.status) if isinstance(message, Response) else message.method
