"""A user agent that plays scripts, with the real transactions and dialogs of this library."""

from collections.abc import Callable
from functools import partial

from sipcore.dialog import TARGET_REFRESH
from sipcore.errors import PeerProtocolError
from sipcore.message import Request, Response
from sipcore.parser import parse_datagram, validate_request, validate_response
from sipcore.testing.builders import cancel_of, response_to
from sipcore.testing.call import ALLOW, Call
from sipcore.testing.clock import Scheduler
from sipcore.testing.exchange import ClientExchange, ServerExchange, Surroundings
from sipcore.testing.script import Kind, Record, Script
from sipcore.testing.wire import Address, Send, Wire
from sipcore.timers import DEFAULT_TIMERS, Timers
from sipcore.transaction import ClientTransaction, ServerState, ServerTransaction
from sipcore.uri import Uri, parse_uri

__all__ = ["ScriptedAgent", "resolve_literally"]


def resolve_literally(uri: str) -> Address:
    """Host and port of a SIP URI as they stand there; the port is 5060 if there is none."""
    parsed = parse_uri(uri)
    if not isinstance(parsed, Uri):
        raise PeerProtocolError(416, "Unsupported URI Scheme")
    return parsed.host, parsed.port or 5060


class ScriptedAgent:
    """Plays the caller in calls it is told to place, and the callee in calls that arrive.

    It does no I/O: give it a `send`, feed it with `receive`, and lend it a clock (`Clock`, or an asyncio
    event loop). `ScriptedAgent.on_wire` does all that for a simulated wire. Tags, branches and Call-IDs are
    counted, not random, so that a run can be repeated; agents that share a peer need different names.
    """

    def __init__(
        self,
        name: str,
        address: Address,
        send: Send,
        clock: Scheduler,
        *,
        script: Script | Callable[[Request], Script] | None = None,
        timers: Timers = DEFAULT_TIMERS,
        transport: str = "UDP",
        resolve: Callable[[str], Address] = resolve_literally,
    ) -> None:
        """`script` is for incoming calls, one for all or chosen by the INVITE; `transport` goes into Via."""
        self.name = name
        self.address = address
        self.clock = clock
        self.resolve = resolve
        self.calls: list[Call] = []
        self.records: list[Record] = []
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        self.via = f"SIP/2.0/{transport} {host}:{address[1]}"
        suffix = "" if transport == "UDP" else f";transport={transport.lower()}"
        self.identity = f"<sip:{name}@{host}>"
        self.contact = f"sip:{name}@{host}:{address[1]}{suffix}"
        self._script = script or Script()
        self._reliable = transport != "UDP"
        self._timers = timers
        self._surroundings = Surroundings(send, clock)
        self._count = 0
        self._clients: dict[tuple[str, str], ClientExchange] = {}
        self._servers: dict[tuple[str, str, str], ServerExchange] = {}
        self._calls: dict[tuple[str, str], Call] = {}
        self._deaf: set[str] = set()

    @classmethod
    def on_wire(
        cls,
        name: str,
        address: Address,
        wire: Wire,
        clock: Scheduler,
        *,
        script: Script | Callable[[Request], Script] | None = None,
        timers: Timers = DEFAULT_TIMERS,
    ) -> "ScriptedAgent":
        """An agent that is attached to a simulated wire."""
        agent: ScriptedAgent

        def receive(data: bytes, source: Address) -> None:
            agent.receive(data, source)

        agent = cls(name, address, wire.attach(address, receive), clock, script=script, timers=timers)
        return agent

    @property
    def busy(self) -> bool:
        """Whether a transaction is still alive."""
        return bool(self._clients or self._servers)

    def is_busy_with(self, call_id: str) -> bool:
        """Whether a transaction of this Call-ID is still alive."""
        clients = any(client.call_id == call_id for client in self._clients.values())
        return clients or any(server.request.call_id == call_id for server in self._servers.values())

    def call(self, uri: str, *, script: Script | None = None, destination: Address | None = None) -> Call:
        """Places a call. `destination` is where the INVITE goes when that is not what the URI says."""
        call = self._new_call(script or Script(), self._new_name("call"), is_caller=True)
        call.local = self.identity
        call.start(uri, destination or self.resolve(uri))
        return call

    def receive(self, data: bytes, source: Address) -> None:
        """Takes a datagram, or a message of a stream."""
        try:
            message = parse_datagram(data)
            if isinstance(message, Request):
                validate_request(message)
            else:
                validate_response(message)
        except PeerProtocolError:
            self.note(Kind.UNREADABLE, data=data)
            return
        if message.call_id in self._deaf:
            return
        if isinstance(message, Response):
            self._receive_response(message, data)
        else:
            self._receive_request(message, source, data)

    def lose(self, destination: Address) -> None:
        """This address cannot be reached any more: every request that waits for it fails."""
        for exchange in [client for client in self._clients.values() if client.destination == destination]:
            exchange.fail()

    def forget(self, call_id: str) -> None:
        """Ends every transaction of this Call-ID, and discards what comes with it from now on."""
        self._deaf.add(call_id)
        for client in [one for one in self._clients.values() if one.call_id == call_id]:
            client.stop()
        for server in [one for one in self._servers.values() if one.request.call_id == call_id]:
            server.stop()

    def happened(self, kind: Kind, method: str = "", status: int | None = None) -> list[Record]:
        """The records of this kind, of one method and status if given."""
        return [
            record
            for record in self.records
            if record.kind is kind and method in ("", record.method) and status in (None, record.status)
        ]

    # What calls use

    def note(
        self, kind: Kind, call_id: str = "", method: str = "", status: int = 0, data: bytes = b""
    ) -> None:
        """Keeps a record."""
        self.records.append(Record(self.clock.time(), kind, call_id, method, status, data))

    def new_branch(self) -> str:
        """A branch that was never used."""
        return "z9hG4bK-" + self._new_name("b")

    def send_request(
        self,
        method: str,
        branch: str,
        data: bytes,
        destination: Address,
        outcome: Callable[[int, Response | None], None],
        call_id: str,
    ) -> ClientExchange:
        """Starts a client transaction; `outcome` as in `ClientExchange`."""

        def tell(status: int, response: Response | None) -> None:
            if response is None:
                self.note(Kind.TIMED_OUT, call_id, method, status)
            outcome(status, response)

        key = branch, method
        exchange = ClientExchange(
            ClientTransaction(branch=branch, method=method, reliable=self._reliable, timers=self._timers),
            self._surroundings,
            partial(self._clients.pop, key, None),
            data,
            destination,
            tell,
            call_id,
        )
        self._clients[key] = exchange
        self.note(Kind.REQUEST_SENT, call_id, method, data=data)
        exchange.start()
        return exchange

    def send_cancel(self, exchange: ClientExchange, call_id: str) -> None:
        """Cancels the INVITE of `exchange`."""
        data = cancel_of(exchange.request)
        branch = exchange.transaction.branch
        exchange.expect_end()
        self.send_request("CANCEL", branch, data, exchange.destination, lambda *_: None, call_id)

    def send_ack(self, data: bytes, destination: Address, call_id: str) -> None:
        """Sends the ACK for a 2xx."""
        self.note(Kind.ACK_SENT, call_id, "ACK", data=data)
        self._surroundings.send(data, destination)

    def respond(
        self,
        exchange: ServerExchange,
        status: int,
        call: Call | None = None,
        *,
        body: bytes = b"",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Answers a request, for a call or outside of one; what comes after a final response is discarded."""
        request = exchange.request
        data = response_to(
            request,
            status,
            to_tag=call.local_tag if call is not None and status > 100 else "",
            via=str(exchange.via),
            contact=self.contact if request.method in TARGET_REFRESH and 100 < status < 300 else "",
            body=body,
            headers=headers,
        )
        if exchange.respond(status, data):
            self.note(Kind.RESPONSE_SENT, request.call_id, request.method, status, data)

    # What arrives

    def _receive_response(self, response: Response, data: bytes) -> None:
        method = response.cseq.method
        exchange = self._clients.get((response.via.branch, method))
        kind = Kind.UNMATCHED if exchange is None else Kind.RESPONSE_RECEIVED
        self.note(kind, response.call_id, method, response.status, data)
        if exchange is not None:
            exchange.receive(response)

    def _receive_request(self, request: Request, source: Address, data: bytes) -> None:
        method = request.method
        via = request.via
        if method == "ACK":
            self._receive_ack(request, self._servers.get((via.branch, via.sent_by, "INVITE")), data)
            return
        key = via.branch, via.sent_by, method
        exchange = self._servers.get(key)
        if exchange is not None:
            exchange.repeat()
            return
        exchange = ServerExchange(
            ServerTransaction(method, self._reliable, self._timers),
            self._surroundings,
            partial(self._servers.pop, key, None),
            request,
            source,
        )
        merged = not request.to_tag and self._is_merged(request)
        self._servers[key] = exchange
        self.note(Kind.REQUEST_RECEIVED, request.call_id, method, data=data)
        if merged:
            self.respond(exchange, 482)
        elif method == "CANCEL":
            self._receive_cancel(exchange)
        else:
            self._dispatch(exchange)

    def _receive_ack(self, request: Request, exchange: ServerExchange | None, data: bytes) -> None:
        """An ACK belongs to a refusal by its branch, to a 2xx by its dialog (RFC 3261 17.1.1.3, 13.2.2.4)."""
        if exchange is not None and exchange.transaction.state in (
            ServerState.COMPLETED,
            ServerState.CONFIRMED,
        ):
            exchange.acknowledge()
            return
        call = self._calls.get((request.call_id, request.to_tag))
        if call is None or not call.receive_ack(request):
            self.note(Kind.UNMATCHED, request.call_id, "ACK", data=data)

    def _receive_cancel(self, exchange: ServerExchange) -> None:
        via = exchange.request.via
        invite = self._servers.get((via.branch, via.sent_by, "INVITE"))
        if invite is None:
            self.respond(exchange, 481)
            return
        call = next((call for call in self.calls if call.answers(invite)), None)
        self.respond(exchange, 200, call)
        if call is not None:
            call.receive_cancel(invite)

    def _dispatch(self, exchange: ServerExchange) -> None:
        request = exchange.request
        if request.to_tag:
            call = self._calls.get((request.call_id, request.to_tag))
            if call is None or not call.is_with(request.from_tag):
                self.respond(exchange, 481)
            else:
                call.receive(exchange)
        elif request.method == "INVITE":
            script = self._script if isinstance(self._script, Script) else self._script(request)
            self._new_call(script, request.call_id, is_caller=False).receive_invite(exchange)
        elif request.method == "OPTIONS":
            self.respond(exchange, 200, headers=(("Allow", ALLOW),))
        else:
            self.respond(exchange, 481 if request.method == "BYE" else 405, headers=(("Allow", ALLOW),))

    def _is_merged(self, request: Request) -> bool:
        """The same request over another path (RFC 3261 8.2.2.2)."""
        identity = request.call_id, request.from_tag, request.cseq
        others = (exchange.request for exchange in self._servers.values())
        return any(identity == (other.call_id, other.from_tag, other.cseq) for other in others)

    def _new_call(self, script: Script, call_id: str, *, is_caller: bool) -> Call:
        call = Call(self, script, call_id=call_id, local_tag=self._new_name("t"), is_caller=is_caller)
        self.calls.append(call)
        self._calls[call_id, call.local_tag] = call
        return call

    def _new_name(self, what: str) -> str:
        self._count += 1
        return f"{self.name}-{what}{self._count}"
