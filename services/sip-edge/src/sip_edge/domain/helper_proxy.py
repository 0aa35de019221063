"""The helper proxy: requests that belong to no call, passed on to one destination (RFC 3261 16).

Each is a server and a client transaction, tied together and kept at this edge alone: there is no call that
could outlive it, and whoever sent the request sends it again.
"""

import math
from functools import partial
from typing import Final

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain.admission import Admission, Work
from sip_edge.domain.client_table import Hop
from sip_edge.domain.config import EdgeConfig, HelperProxyConfig
from sip_edge.domain.deadlines import Deadlines
from sip_edge.domain.drop_reasons import Counters, DropReason
from sip_edge.domain.forwarding import request_bytes, response_bytes
from sip_edge.domain.origin import Origin
from sip_edge.domain.ports import Endpoint, Query
from sip_edge.domain.refusals import (
    LOOP_DETECTED,
    REQUEST_TIMEOUT,
    TOO_MANY_HOPS,
    UNAVAILABLE,
    Verdict,
    bad_extension,
    refusal_tag,
    unsupported,
)
from sip_edge.domain.roads import Road, Roads
from sip_edge.domain.wires import Wires
from sipcore.errors import LocalProtocolError
from sipcore.message import Request, Response
from sipcore.parser import validate_response
from sipcore.transaction import Action, ClientTransaction, ServerTransaction
from svckit.identity import Identity


class Relay:
    """One request on its way, and the way back."""

    __slots__ = (
        "_owner",
        "answer",
        "base",
        "branch",
        "client",
        "data",
        "fallback",
        "key",
        "look_at",
        "origin",
        "path",
        "request",
        "road",
        "server",
        "status",
        "targets",
        "tries",
    )

    def __init__(
        self, request: Request, base: str, origin: Origin, server: ServerTransaction, owner: "HelperProxy"
    ) -> None:
        self.request: Final = request
        self.base: Final = base
        self.key: Final = f"{base} {request.method}"
        self.origin: Final = origin
        self.server: Final = server
        self.path: Final = request.method == "REGISTER" and "path" in request.supported
        """Whether the sender wants to be reached through us (RFC 3327 5.1)."""
        self.targets: list[Endpoint] = []
        """Addresses not tried yet, best first."""
        self.tries = 0
        self.client: ClientTransaction | None = None
        """The try that counts; `None` before the first address is known."""
        self.branch = ""
        self.road: Road | None = None
        self.data = b""
        self.fallback: Endpoint | None = None
        """Set while TCP is tried for size only: where to go by UDP if it is refused (RFC 3261 18.1.1)."""
        self.status = 0
        self.answer = b""
        """Last answer, and its status."""
        self.look_at = math.inf
        self._owner: Final = owner

    @property
    def deadline(self) -> float:
        """When something happens by itself."""
        deadline = self.server.deadline
        return deadline if self.client is None else min(deadline, self.client.deadline)

    def expire(self, now: float) -> None:
        """See `Timed`."""
        self._owner.expire(self, now)


class HelperProxy:
    """Passes requests on, and their responses back."""

    def __init__(
        self,
        config: EdgeConfig,
        settings: HelperProxyConfig,
        *,
        identity: Identity,
        admission: Admission,
        roads: Roads,
        wires: Wires,
        deadlines: Deadlines,
        counters: Counters,
    ) -> None:
        self.methods: Final = settings.methods
        """What it is for, outside of dialogs."""
        self._target: Final = edge_pb2.Target(uri=settings.uri)
        self._timers: Final = config.timers
        self._mtu: Final = config.mtu
        self._retry_after: Final = str(config.retry_after)
        self._identity: Final = identity
        self._admission: Final = admission
        self._roads: Final = roads
        self._wires: Final = wires
        self._deadlines: Final = deadlines
        self._counters: Final = counters
        self._by_key: dict[str, Relay] = {}
        self._by_branch: dict[str, Relay] = {}
        self._by_hop: dict[Hop, dict[Relay, None]] = {}

    def __len__(self) -> int:
        """Transactions, of both kinds."""
        return len(self._by_key) + len(self._by_branch)

    def unfinished(self) -> int:
        """How many requests wait for their final answer."""
        return sum(relay.status < 200 for relay in self._by_key.values())

    # From the wire

    def receive(self, request: Request, origin: Origin, base: str, now: float) -> Verdict | None:
        """Pass a valid request on, or say how it is refused.

        Raises `PeerProtocolError` when Supported cannot be read, which validation does not look at.
        """
        relay = self._by_key.get(f"{base} {request.method}")
        if relay is not None:
            self._counters.drop(DropReason.REPEATED_REQUEST)
            self._answer_side(relay, relay.server.on_request(now))
            return None
        verdict = self._refusal(request)
        if verdict is not None:
            return verdict
        server = ServerTransaction(request.method, bool(origin.flow), self._timers)
        relay = Relay(request, base, origin, server, self)
        self._by_key[relay.key] = relay
        targets = self._roads.find(self._target)
        if isinstance(targets, Query):
            self._roads.ask(targets, partial(self._found, relay))
        else:
            self._found(relay, targets, now)
        return None

    def receive_response(self, response: Response, now: float) -> bool:
        """Take a response. False: it is not for us. Raises `PeerProtocolError` when it is malformed."""
        _, branch = response.via_form
        relay = self._by_branch.get(branch)
        if relay is None or relay.client is None:
            if not self._identity.is_proxy_branch(branch):
                return False
            self._counters.drop(DropReason.PROXY_RESPONSE_LATE)
            return True
        self._counters.responses[response.status] += 1
        validate_response(response)
        if len(response.vias) < 2 or response.cseq.method != relay.request.method:
            self._counters.drop(DropReason.RESPONSE_MISROUTED)
            return True
        actions = relay.client.on_response(response.status, now)
        if Action.PASS_RESPONSE not in actions:
            self._counters.drop(DropReason.RESPONSE_REPEATED)
        self._request_side(relay, relay.client, actions, now, response)
        return True

    def hop_lost(self, hop: Hop, now: float) -> None:
        """A connection is gone, or an address refuses UDP."""
        for relay in list(self._by_hop.get(hop, ())):
            if relay.client is not None:
                self._request_side(relay, relay.client, relay.client.on_transport_error(now), now)

    def expire(self, relay: Relay, now: float) -> None:
        """Its deadline has passed."""
        client = relay.client
        if client is not None:
            self._request_side(relay, client, client.on_timer(now), now)
        self._answer_side(relay, relay.server.on_timer(now))

    # Towards the destination

    def _refusal(self, request: Request) -> Verdict | None:
        if not self._admission.admits(Work.OUT_OF_DIALOG):
            return UNAVAILABLE
        if any(self._identity.is_proxy_branch(via.branch) for via in request.vias):
            return LOOP_DETECTED
        if request.max_forwards == 0:
            return TOO_MANY_HOPS
        missing = unsupported(request.proxy_require, frozenset())
        return bad_extension(missing) if missing else None

    def _found(self, relay: Relay, targets: list[Endpoint], now: float) -> None:
        relay.targets = targets
        if not self._try_next(relay, now):
            self._conclude(relay, UNAVAILABLE, now)

    def _try_next(self, relay: Relay, now: float) -> bool:
        """Send to the next address that can be sent to. False: there is none, or it cannot be written."""
        while relay.targets:
            endpoint = relay.targets.pop(0)
            road = self._roads.along(endpoint)
            if road is None:
                continue
            branch = self._identity.proxy_branch(relay.key, str(relay.tries))
            try:
                road, data = self._prepare(relay, branch, endpoint, road)
            except LocalProtocolError:
                self._counters.drop(DropReason.UNSENDABLE)
                return False
            self._launch(relay, branch, road, data, now)
            return True
        return False

    def _prepare(self, relay: Relay, branch: str, endpoint: Endpoint, road: Road) -> tuple[Road, bytes]:
        data = self._write(relay, branch, road)
        relay.fallback = None
        if len(data) <= self._mtu or road.flow:
            return road, data
        larger = self._roads.by_tcp(endpoint)
        if larger is None:
            return road, data
        relay.fallback = endpoint
        return larger, self._write(relay, branch, larger)

    def _write(self, relay: Relay, branch: str, road: Road) -> bytes:
        local = road.local
        path = local.path if relay.path else ""
        return request_bytes(relay.request, f"{local.via}{branch}", relay.origin.via, path)

    def _launch(self, relay: Relay, branch: str, road: Road, data: bytes, now: float) -> None:
        self._forget_try(relay)
        client = ClientTransaction(
            branch=branch, method=relay.request.method, reliable=bool(road.flow), timers=self._timers
        )
        relay.tries += 1
        relay.client, relay.branch, relay.road, relay.data = client, branch, road, data
        self._by_branch[branch] = relay
        self._by_hop.setdefault(_hop(road), {})[relay] = None
        self._request_side(relay, client, client.start(now), now)
        self._deadlines.arm(relay, now)

    def _request_side(
        self,
        relay: Relay,
        client: ClientTransaction,
        actions: tuple[Action, ...],
        now: float,
        response: Response | None = None,
    ) -> None:
        for action in actions:
            if action is Action.SEND_REQUEST:
                self._put(relay, client, now)
            elif action is Action.PASS_RESPONSE:
                if response is not None:
                    self._pass(relay, response, now)
            elif action is Action.TIMEOUT:
                self._conclude(relay, REQUEST_TIMEOUT, now)
            elif action is Action.TRANSPORT_FAILED:
                self._failed(relay, now)
            elif action is Action.TERMINATE and relay.client is client:
                self._forget_try(relay)
        self._deadlines.arm(relay, now)

    def _put(self, relay: Relay, client: ClientTransaction, now: float) -> None:
        self._counters.sent_requests[relay.request.method] += 1
        if relay.road is None or not self._wires.request(relay.road, relay.data):
            self._request_side(relay, client, client.on_transport_error(now), now)

    def _failed(self, relay: Relay, now: float) -> None:
        fallback, relay.fallback = relay.fallback, None
        if fallback is not None:
            self._roads.no_tcp(fallback, now)
            relay.targets.insert(0, fallback)
        if not self._try_next(relay, now):
            self._conclude(relay, UNAVAILABLE, now)

    def _forget_try(self, relay: Relay) -> None:
        self._by_branch.pop(relay.branch, None)
        self._heard(relay)

    def _heard(self, relay: Relay) -> None:
        """What becomes of the hop is no longer this request's concern."""
        if relay.road is None:
            return
        hop = _hop(relay.road)
        waiting = self._by_hop.get(hop)
        if waiting is not None:
            waiting.pop(relay, None)
            if not waiting:
                del self._by_hop[hop]

    # Back to the sender

    def _pass(self, relay: Relay, response: Response, now: float) -> None:
        status = response.status
        if status >= 200 or (relay.road is not None and not relay.road.flow):
            self._heard(relay)
        if status == 100:
            self._counters.drop(DropReason.TRYING_ABSORBED)
        elif status != 503 or not self._try_next(relay, now):
            try:
                data = response_bytes(response)
            except LocalProtocolError:
                self._counters.drop(DropReason.UNSENDABLE)
                return
            self._give(relay, status, data, now)

    def _conclude(self, relay: Relay, verdict: Verdict, now: float) -> None:
        """A final answer of our own."""
        headers = [("Retry-After", self._retry_after)] if verdict is UNAVAILABLE else []
        to_tag = refusal_tag(relay.base)
        data = relay.origin.answer(verdict.status, verdict.reason, to_tag, headers)
        self._give(relay, verdict.status, data, now)

    def _give(self, relay: Relay, status: int, data: bytes, now: float) -> None:
        actions = relay.server.on_send(status, now)
        if actions:
            relay.status, relay.answer = status, data
        else:
            self._counters.drop(DropReason.LATE_ANSWER)
        self._answer_side(relay, actions)
        self._deadlines.arm(relay, now)

    def _answer_side(self, relay: Relay, actions: tuple[Action, ...]) -> None:
        for action in actions:
            if action is Action.SEND_RESPONSE:
                self._wires.answer(relay.origin, relay.status, relay.answer)
            elif action is Action.TERMINATE:
                self._by_key.pop(relay.key, None)


def _hop(road: Road) -> Hop:
    return road.flow or road.address
