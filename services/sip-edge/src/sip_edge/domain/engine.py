"""The core of an edge: bytes, commands and time in; bytes to an `Outlet`, events to a `ControlLink` out."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain.acks import Acks
from sip_edge.domain.addressing import Addressing
from sip_edge.domain.admission import AccessList, Admission
from sip_edge.domain.client_table import Attempt, ClientTable, Hop, Trial
from sip_edge.domain.config import EdgeConfig
from sip_edge.domain.deadlines import Deadlines
from sip_edge.domain.drop_reasons import Counters, DropReason
from sip_edge.domain.events import Events
from sip_edge.domain.flows import Flow, Flows
from sip_edge.domain.helper_proxy import HelperProxy
from sip_edge.domain.nat import Nat
from sip_edge.domain.origin import Arrival, Origin, reference
from sip_edge.domain.ports import Address, ControlLink, Endpoint, Outlet
from sip_edge.domain.refusals import UNAVAILABLE, refusal_tag
from sip_edge.domain.remembered import Remembered
from sip_edge.domain.roads import Roads
from sip_edge.domain.server_table import ServerEntry, ServerTable
from sip_edge.domain.uac import Uac
from sip_edge.domain.uas import Uas
from sip_edge.domain.wires import Wires
from sipcore.errors import DropReason as Unreadable
from sipcore.errors import PeerProtocolError
from sipcore.message import Request, Response
from sipcore.parser import Ping, parse_datagram
from svckit.identity import Identity

_Ref = tuple[str, int, str]
"""A command: key of its call, its id, and what it asks for."""


class EdgeCore:
    """One edge without sockets and clocks. `now` is monotonic seconds; all calls come from one thread."""

    def __init__(
        self, config: EdgeConfig, outlet: Outlet, link: ControlLink, counters: Counters | None = None
    ) -> None:
        """Raises `ValueError` for a configuration that contradicts itself."""
        self.counters: Final = counters if counters is not None else Counters()
        self._config: Final = config
        self._limits: Final = config.limits
        self._outlet: Final = outlet
        self._servers: Final = ServerTable()
        self._clients: Final = ClientTable()
        self.admission: Final = Admission(link, limit=config.max_transactions, count=self._count)
        self._access: Final = AccessList(config.allow)
        self._addressing: Final = Addressing(config.listeners, outlet)
        self._flows: Final = Flows(
            boot=config.boot,
            limits=config.limits,
            max_flows=config.max_flows,
            outlet=outlet,
            counters=self.counters,
        )
        self._wires: Final = Wires(outlet, self._addressing, self._flows, self.counters)
        self._roads: Final = Roads(self._addressing, self._flows, outlet, self.counters)
        self._events: Final = Events(link, edge_id=config.edge_id, boot=config.boot)
        self._deadlines: Final = Deadlines(horizon=64 * config.timers.t1)
        self.next_deadline: Final = self._deadlines.next
        """When `on_timer` wants to be called; infinity for never. May change with any other call."""
        self._executed: Final[Remembered[_Ref, Attempt | bool]] = Remembered(64 * config.timers.t1)
        self._proxy: HelperProxy | None = None
        self._uas: Uas | None = None
        self._uac: Uac | None = None

    @property
    def open_transactions(self) -> int:
        """Transactions in memory, those that only absorb repetitions included."""
        return self._count()

    def server_transactions(self) -> Iterator[ServerEntry]:
        """Requests of peers, to be looked at only."""
        return iter(self._servers)

    def client_transactions(self) -> Iterator[Trial]:
        """Requests of ours, to be looked at only."""
        return iter(self._clients)

    @property
    def open_flows(self) -> int:
        """Connections, both ways."""
        return len(self._flows)

    @property
    def idle(self) -> bool:
        """Whether nobody waits for anything from this edge. Looks at every transaction: for the drain."""
        forwarding = self._proxy is not None and self._proxy.unfinished()
        return not forwarding and not self._servers.unfinished() and not self._clients.unfinished()

    def greeted(
        self, identity: Identity, wanted_headers: Iterable[str], extensions: Iterable[str] = ()
    ) -> None:
        """What the first pod said: how keys are made, which header fields events carry, and which option
        tags may be required.
        """
        self._events.want(wanted_headers)
        if self._uas is not None:
            self._uas.extensions = frozenset(extensions)
            return
        config, counters = self._config, self.counters
        nat = Nat(config.nat_traversal, config.listeners)
        if config.helper_proxy is not None:
            self._proxy = HelperProxy(
                config,
                config.helper_proxy,
                identity=identity,
                admission=self.admission,
                roads=self._roads,
                wires=self._wires,
                deadlines=self._deadlines,
                counters=counters,
            )
        self._uas = Uas(
            config,
            identity=identity,
            table=self._servers,
            admission=self.admission,
            access=self._access,
            addressing=self._addressing,
            wires=self._wires,
            events=self._events,
            deadlines=self._deadlines,
            counters=counters,
            nat=nat,
            proxy=self._proxy,
        )
        self._uas.extensions = frozenset(extensions)
        acks = Acks(
            span=64 * config.timers.t1,
            roads=self._roads,
            wires=self._wires,
            counters=counters,
        )
        self._uac = Uac(
            config,
            identity=identity,
            table=self._clients,
            roads=self._roads,
            acks=acks,
            wires=self._wires,
            events=self._events,
            deadlines=self._deadlines,
            counters=counters,
            nat=nat,
        )

    # The network

    def receive_datagram(self, listener: str, data: bytes, source: Address, now: float) -> None:
        """A datagram came in on a listener."""
        try:
            message = parse_datagram(data, self._limits)
        except PeerProtocolError as error:
            self._unreadable(error, Arrival(self._addressing.by_name[listener], source))
            return
        if isinstance(message, Request):
            self._receive_request(message, Arrival(self._addressing.by_name[listener], source), now)
        else:
            self._receive_response(message, source, now)

    def flow_opened(self, listener: str, peer: Address, now: float) -> str | None:
        """A peer has connected. Its flow from now on, or `None`: close the connection, there are too many."""
        flow = self._flows.accept(self._addressing.by_name[listener], peer)
        return flow.id if flow is not None else None

    def receive_stream(self, flow: str, data: bytes, now: float) -> None:
        """Octets came in on a connection, in pieces of any size."""
        open_flow = self._flows.get(flow)
        if open_flow is None:
            self.counters.drop(DropReason.FLOW_UNKNOWN)
            return
        arrival = Arrival(open_flow.listener, open_flow.peer, flow)
        for outcome in open_flow.receive(data, now):
            if isinstance(outcome, Ping):
                self.counters.drop(DropReason.KEEP_ALIVE)
                self._outlet.send_stream(flow, b"\r\n")
            elif isinstance(outcome, PeerProtocolError):
                self._unreadable(outcome, arrival)
            elif isinstance(outcome, Request):
                self._receive_request(outcome, arrival, now)
            else:
                self._receive_response(outcome, arrival.source, now)
        if open_flow.parser.closed:
            self._give_up(open_flow, now)

    def incomplete_since(self, flow: str) -> float:
        """When the message began on the connection that has not ended yet; infinity if there is none."""
        open_flow = self._flows.get(flow)
        return math.inf if open_flow is None else open_flow.incomplete_since

    def flow_closed(self, flow: str, now: float) -> None:
        """A connection ended, or could not be made."""
        if self._flows.forget(flow) is not None:
            self._hop_lost(flow, now)

    def transport_failed(self, address: Address, now: float) -> None:
        """Nobody listens for UDP at this address."""
        self._hop_lost(address, now)

    def resolved(self, token: int, targets: Sequence[Endpoint], now: float) -> None:
        """Answer to `Outlet.resolve`, best address first; empty if there is none."""
        self._roads.resolved(token, targets, now)

    # Call-control

    def execute(self, command: edge_pb2.Command, now: float) -> None:
        """Carry out a command, once per id; a repetition is told again what became of it.

        Commands with id 0 are nobody's debt: each of them is another one. So is one with the id of another
        that asks for something else: a record that a store has lost was continued from an older version.
        """
        uas, uac = self._uas, self._uac
        if uas is None or uac is None:
            self.counters.drop(DropReason.NOT_GREETED)
            return
        kind = command.WhichOneof("kind")
        ref = (command.call_key, command.id, _what(command, kind))
        before = self._executed.get(ref) if command.id else None
        if before is not None:
            self._repeat(ref, before, uac)
            return
        if kind == "respond":
            self._remember(ref, True, now)
            uas.respond(command.call_key, command.respond, now)
            self._events.done(ref[0], ref[1])
        elif kind == "send_request":
            request = command.send_request
            if request.method == "ACK":
                uac.acknowledge(request, lambda: self._done(ref, now), now)
            else:
                attempt = Attempt(command.call_key, request)
                self._remember(ref, attempt, now)
                uac.send(attempt, now)
        elif kind == "cancel":
            # Not remembered until accepted: the same command may come again once a provisional was seen.
            if uac.cancel(command, now):
                self._done(ref, now)
        elif kind == "stop":
            stop = command.stop
            if not _stop(stop, uas, uac, now):
                self.counters.drop(DropReason.STOP_UNKNOWN)
            self._done(ref, now)
        else:
            self.counters.drop(DropReason.COMMAND_EMPTY)

    def _done(self, ref: _Ref, now: float) -> None:
        self._remember(ref, True, now)
        self._events.done(ref[0], ref[1])

    def _remember(self, ref: _Ref, outcome: Attempt | bool, now: float) -> None:
        if ref[1]:
            self._executed.put(ref, outcome, now)

    def _repeat(self, ref: _Ref, before: Attempt | bool, uac: Uac) -> None:
        self.counters.drop(DropReason.COMMAND_REPEATED)
        if isinstance(before, Attempt):
            uac.again(before)
        else:
            self._events.done(ref[0], ref[1])

    # Time

    def on_timer(self, now: float) -> None:
        """Do what is due."""
        self._deadlines.run(now)

    # Inside

    def _count(self) -> int:
        count = len(self._servers) + len(self._clients)
        return count if self._proxy is None else count + len(self._proxy)

    def _hop_lost(self, hop: Hop, now: float) -> None:
        if self._uac is not None:
            self._uac.hop_lost(hop, now)
        if self._proxy is not None:
            self._proxy.hop_lost(hop, now)

    def _receive_request(self, request: Request, arrival: Arrival, now: float) -> None:
        try:
            if self._uas is None:
                self._decline(request, arrival)
            else:
                self._uas.receive(request, arrival, now)
        except PeerProtocolError as error:
            self._refuse(request, error, arrival)

    def _decline(self, request: Request, arrival: Arrival) -> None:
        """No pod has greeted us: whoever begins something hears so, the others shall ask again."""
        self.counters.drop(DropReason.NOT_GREETED)
        if request.method == "ACK" or request.to_tag:
            return
        origin = Origin.of_request(request, arrival)
        retry_after = ("Retry-After", str(self._config.retry_after))
        tag = refusal_tag(reference(request))
        data = origin.answer(UNAVAILABLE.status, UNAVAILABLE.reason, tag, [retry_after])
        self._wires.answer(origin, UNAVAILABLE.status, data)

    def _receive_response(self, response: Response, source: Address, now: float) -> None:
        if self._uac is None:
            self.counters.drop(DropReason.NOT_GREETED)
            return
        proxy = self._proxy
        try:
            if proxy is None or not proxy.receive_response(response, now):
                self._uac.receive(response, source, now)
        except PeerProtocolError:
            self.counters.drop(DropReason.MALFORMED_RESPONSE)

    def _refuse(self, request: Request, error: PeerProtocolError, arrival: Arrival) -> None:
        if error.drop or request.method == "ACK" or self._uas is None:
            self.counters.drop(DropReason.MALFORMED)
        else:
            self._uas.answer_error(request, error, arrival)

    def _unreadable(self, error: PeerProtocolError, arrival: Arrival) -> None:
        if error.message is not None:
            self._refuse(error.message, error, arrival)
        else:
            reason = error.drop_reason
            self.counters.drop(
                _UNREADABLE.get(reason, DropReason.MALFORMED) if reason else DropReason.MALFORMED
            )

    def _give_up(self, flow: Flow, now: float) -> None:
        """No message boundary can be found on the connection any more."""
        self.counters.drop(DropReason.FLOW_FRAMING_LOST)
        self._outlet.close_stream(flow.id)
        self.flow_closed(flow.id, now)


def _what(command: edge_pb2.Command, kind: str | None) -> str:
    """What a command asks for, as far as two with one id may differ."""
    if kind == "respond":
        respond = command.respond
        return f"{respond.status} {respond.transaction}"
    if kind == "send_request":
        return command.send_request.branch
    return command.cancel.branch if kind == "cancel" else ""


def _stop(stop: edge_pb2.Stop, uas: Uas, uac: Uac, now: float) -> bool:
    """End what repeats itself, or waits for nothing. False: there is no such transaction."""
    if stop.branch:
        return uac.stop(stop.branch)
    return uas.forget(stop.transaction, now) if stop.forget else uas.stop(stop.transaction, now)


_UNREADABLE: Final = {
    Unreadable.KEEPALIVE: DropReason.KEEP_ALIVE,
    Unreadable.BAD_RESPONSE: DropReason.MALFORMED_RESPONSE,
}
