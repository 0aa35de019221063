"""The client side of the edge: requests that call-control asks for, and the responses to them."""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain.acks import Acks
from sip_edge.domain.client_table import Attempt, ClientTable, Hop, Trial
from sip_edge.domain.config import EdgeConfig
from sip_edge.domain.deadlines import Deadlines
from sip_edge.domain.drop_reasons import Counters, DropReason
from sip_edge.domain.events import Events
from sip_edge.domain.nat import Nat, correct_response
from sip_edge.domain.ports import Address, Endpoint, Query
from sip_edge.domain.roads import Road, Roads
from sip_edge.domain.wires import Wires
from sip_edge.domain.writing import Fields, companion_bytes, invite_to, request_bytes, via_start
from sipcore.errors import LocalProtocolError
from sipcore.message import Response
from sipcore.parser import validate_response
from sipcore.transaction import Action, ClientTransaction
from svckit.identity import Identity

# In Python 3.11 an attribute of an enumeration costs as much as a call: names for what each message needs.
_PASS_RESPONSE: Final = Action.PASS_RESPONSE
_SEND_REQUEST: Final = Action.SEND_REQUEST
_SEND_ACK: Final = Action.SEND_ACK
_TIMEOUT: Final = Action.TIMEOUT
_TRANSPORT_FAILED: Final = Action.TRANSPORT_FAILED


class LocalEnd(NamedTuple):
    """How a request ends that no peer has answered."""

    status: int
    reason: str
    cause: edge_pb2.LocalCause


_TIMED_OUT: Final = LocalEnd(408, "Request Timeout", edge_pb2.LOCAL_CAUSE_TIMEOUT)
_UNRESOLVED: Final = LocalEnd(503, "Service Unavailable", edge_pb2.LOCAL_CAUSE_UNRESOLVED)
_UNREACHABLE: Final = LocalEnd(503, "Service Unavailable", edge_pb2.LOCAL_CAUSE_UNREACHABLE)
_UNSENDABLE: Final = LocalEnd(503, "Service Unavailable", edge_pb2.LOCAL_CAUSE_NOT_SENT)
_CANCELLED: Final = LocalEnd(487, "Request Terminated", edge_pb2.LOCAL_CAUSE_NOT_SENT)
_FLOW_FAILED: Final = LocalEnd(430, "Flow Failed", edge_pb2.LOCAL_CAUSE_FLOW_LOST)  # RFC 5626 5.3


class Uac:
    """Client transactions, the choice of address (RFC 3263), and what call-control hears of them."""

    def __init__(
        self,
        config: EdgeConfig,
        *,
        identity: Identity,
        table: ClientTable,
        roads: Roads,
        acks: Acks,
        wires: Wires,
        events: Events,
        deadlines: Deadlines,
        counters: Counters,
        nat: Nat,
    ) -> None:
        self._timers: Final = config.timers
        self._mtu: Final = config.mtu
        self._identity: Final = identity
        self._table: Final = table
        self._roads: Final = roads
        self._acks: Final = acks
        self._wires: Final = wires
        self._events: Final = events
        self._deadlines: Final = deadlines
        self._counters: Final = counters
        self._nat: Final = nat

    # Commands

    def send(self, attempt: Attempt, now: float) -> None:
        """Send a request in a client transaction of its own."""
        request = attempt.request
        self._table.attempts[request.branch] = attempt
        targets = self._roads.find(request.target)
        if isinstance(targets, Query):
            self._roads.ask(targets, partial(self._found, attempt))
        else:
            self._found(attempt, targets, now)

    def acknowledge(self, request: edge_pb2.SendRequest, done: Callable[[], None], now: float) -> None:
        """Send an ACK, then call `done`."""
        invite = self._attempt(request.invite_branch) if request.invite_branch else None
        # Repetitions of the 2xx are recognised by the branch that call-control gave, whatever the try.
        branch = invite.request.branch if invite is not None else request.invite_branch
        self._acks.send(request, branch, done, now)

    def again(self, attempt: Attempt) -> None:
        """The command was given before: say once more what became of it."""
        if attempt.current is not None and attempt.current.sent is not None:
            self._events.sent(attempt.call_key, attempt.current.sent)
        if attempt.final is not None:
            self._events.again(attempt.call_key, attempt.final)

    def cancel(self, command: edge_pb2.Command, now: float) -> bool:
        """Cancel an INVITE. False: it is not ours and may not be cancelled from here."""
        cancel = command.cancel
        headers: Fields = [(header.name, header.value) for header in cancel.headers]
        attempt = self._attempt(cancel.branch)
        if attempt is None:
            return self._cancel_for_another(cancel, headers, now)
        over = attempt.final is not None or attempt.cancel is not None
        if over or attempt.request.method != "INVITE":
            self._counters.drop(DropReason.NOTHING_TO_CANCEL)
            return True
        attempt.cancel = headers
        trial = attempt.current
        if trial is None:
            self._tell(attempt, _CANCELLED)
        elif trial.provisional:
            self._send_cancel(trial, headers, now)
        return True

    def stop(self, branch: str) -> bool:
        """The final response arrived elsewhere. False: there is no such transaction."""
        trial = self._table.get(branch)
        if trial is None:
            return False
        self._forget(trial)
        return True

    # The outside

    def receive(self, response: Response, source: Address, now: float) -> None:
        """Take a response. Raises `PeerProtocolError` when it is malformed."""
        _, branch = response.via_form
        trial = self._table.answered_by(branch, response.cseq.method)
        if self._nat.anywhere:
            listener = trial.road.local.listener if trial is not None else None
            if self._nat.applies(listener, source[0]):
                correct_response(response, source)
        if trial is None:
            self._stray(response, branch)
            return
        # Whether the rest of a response is well formed matters only as far as it is used: no full validation.
        status = response.status
        self._counters.responses[status] += 1
        if not _has_one_via(response):
            self._counters.drop(DropReason.RESPONSE_MISROUTED)
            return
        if status != 100:
            _ = response.to_tag, response.contact, response.record_routes
        actions = trial.machine.on_response(status, now)
        if _PASS_RESPONSE not in actions:
            self._counters.drop(DropReason.RESPONSE_REPEATED)
        self._perform(trial, actions, now, response)

    def hop_lost(self, hop: Hop, now: float) -> None:
        """A connection is gone, or an address refuses UDP."""
        for trial in self._table.unheard(hop):
            self._perform(trial, trial.machine.on_transport_error(now), now)

    # Addresses

    def _found(self, attempt: Attempt, targets: list[Endpoint], now: float) -> None:
        if attempt.final is not None:
            self._counters.drop(DropReason.RESOLUTION_UNKNOWN)
            return
        attempt.targets = targets
        if not self._try_next(attempt, now):
            self._tell(attempt, _FLOW_FAILED if attempt.request.target.flow else _UNRESOLVED)

    def _try_next(self, attempt: Attempt, now: float) -> bool:
        """Send to the next address that can be sent to; a request that cannot be written ends here.

        False: no address is left.
        """
        while attempt.targets and attempt.cancel is None:
            endpoint = attempt.targets.pop(0)
            try:
                trial = self._prepare(attempt, endpoint, now)
            except (LocalProtocolError, ValueError):
                self._counters.drop(DropReason.UNSENDABLE)
                self._tell(attempt, _UNSENDABLE)
                return True
            if trial is not None:
                self._launch(attempt, trial, now)
                return True
        return False

    def _prepare(self, attempt: Attempt, endpoint: Endpoint, now: float) -> Trial | None:
        """The request as it leaves for this address; `None`: there is no way to it.

        Raises `LocalProtocolError` and `ValueError` when call-control asked for what cannot be written.
        """
        request = attempt.request
        branch = request.branch
        if attempt.tries:
            branch = self._identity.retry_branch(branch, attempt.tries)
        road = self._roads.to(endpoint, request.target)
        if road is None:
            return None
        data = request_bytes(request, branch, road.local)
        fallback = None
        if len(data) > self._mtu and not road.flow:
            larger = self._roads.by_tcp(endpoint)
            if larger is not None:
                road, fallback = larger, endpoint
                data = request_bytes(request, branch, road.local)
        expiry = request.invite_timeout_ms / 1000 if request.invite_timeout_ms else None
        machine = ClientTransaction(
            branch=branch,
            method=request.method,
            reliable=bool(road.flow),
            timers=self._timers,
            expiry=expiry,
        )
        trial = Trial(attempt, machine, data, road, self._expire)
        trial.fallback = fallback
        return trial

    # Transactions

    def _launch(self, attempt: Attempt, trial: Trial, now: float) -> None:
        attempt.tries += 1
        attempt.current = trial
        trial.since = now
        if trial.machine.method == "INVITE":
            trial.sent = self._sent(trial, attempt.request)
        self._table.add(trial)
        self._perform(trial, trial.machine.start(now), now)
        if trial.sent is not None and attempt.current is trial:
            self._events.sent(attempt.call_key, trial.sent)

    def _sent(self, trial: Trial, request: edge_pb2.SendRequest) -> edge_pb2.Sent:
        local, flow, endpoint, _ = trial.road
        sent = edge_pb2.Sent()
        sent.branch = trial.branch
        sent.sent_by = local.sent_by
        address = sent.address
        address.ip, address.port, address.transport = endpoint
        if flow:
            sent.flow = flow
        sent.local_host = local.host
        sent.listener = local.listener.name
        sent.edge.CopyFrom(self._events.edge)
        if request.contact:
            sent.contact = local.contact(request.contact_user)
        return sent

    def _expire(self, trial: Trial, now: float) -> None:
        self._perform(trial, trial.machine.on_timer(now), now)

    def _perform(
        self,
        trial: Trial,
        actions: tuple[Action, ...],
        now: float,
        response: Response | None = None,
    ) -> None:
        for action in actions:
            if action is _SEND_REQUEST:
                if not self._put(trial, trial.data, trial.machine.method):
                    self._perform(trial, trial.machine.on_transport_error(now), now)
            elif action is _PASS_RESPONSE:
                if response is not None:
                    self._pass(trial, response, now)
            elif action is _SEND_ACK:
                if response is not None:
                    self._acknowledge_refusal(trial, response)
            elif action is _TIMEOUT:
                self._timed_out(trial, now)
            elif action is _TRANSPORT_FAILED:
                self._transport_failed(trial, now)
            else:
                self._forget(trial)
        if trial.machine.deadline < trial.look_at:
            self._deadlines.arm(trial, now)

    def _put(self, trial: Trial, data: bytes, method: str) -> bool:
        sent = self._counters.sent_requests
        sent[method if method in sent else "OTHER"] += 1
        return self._wires.request(trial.road, data)

    def _forget(self, trial: Trial) -> None:
        self._table.remove(trial)
        attempt = trial.attempt
        if attempt is not None and attempt.current is trial:
            self._table.attempts.pop(attempt.request.branch, None)

    def _pass(self, trial: Trial, response: Response, now: float) -> None:
        attempt, status = trial.attempt, response.status
        if attempt is None:
            self._table.heard(trial)
            self._counters.drop(DropReason.CANCEL_RESPONSE)
            return
        # A request bound to one connection fails with it until it has its final response.
        if status >= 200 or not attempt.request.target.flow:
            self._table.heard(trial)
        if status < 200:
            first = not trial.provisional
            if first:
                self._first_provisional(trial, attempt, now)
            if status == 100 and not (first and attempt.request.report_trying):
                self._counters.drop(DropReason.TRYING_ABSORBED)
                return
        elif self._settled_here(attempt, response, now):
            return
        event = self._events.response(
            response, call_key=attempt.call_key, branch=trial.branch, sent=trial.sent
        )
        if status >= 200:
            trial.data = b""
            if attempt.current is trial:
                attempt.settle(event)

    def _first_provisional(self, trial: Trial, attempt: Attempt, now: float) -> None:
        trial.provisional = True
        if attempt.cancel is not None:
            self._send_cancel(trial, attempt.cancel, now)

    def _settled_here(self, attempt: Attempt, response: Response, now: float) -> bool:
        """Whether call-control need not hear of a final response: it has it, or there is another address."""
        if response.status == 503:
            return self._try_next(attempt, now)
        return response.status < 300 and self._acks.repeat(attempt.request.branch, response.to_tag)

    def _timed_out(self, trial: Trial, now: float) -> None:
        attempt = trial.attempt
        if attempt is None:
            return
        if trial.machine.terminated:
            self._failed(trial, _TIMED_OUT, now)
            return
        # It rings and nobody answers: call-control is done with it, the callee is to be told.
        self._tell(attempt, _TIMED_OUT)
        if attempt.cancel is None:
            attempt.cancel = []
            self._send_cancel(trial, [], now)

    def _transport_failed(self, trial: Trial, now: float) -> None:
        attempt = trial.attempt
        if attempt is None:
            return
        if trial.fallback is not None:
            self._roads.no_tcp(trial.fallback, now)
            attempt.targets.insert(0, trial.fallback)
        self._failed(trial, _FLOW_FAILED if attempt.request.target.flow else _UNREACHABLE, now)

    def _failed(self, trial: Trial, end: LocalEnd, now: float) -> None:
        attempt = trial.attempt
        if attempt is None or attempt.current is not trial or attempt.final is not None:
            return
        if not self._try_next(attempt, now):
            self._tell(attempt, end)

    def _tell(self, attempt: Attempt, end: LocalEnd) -> None:
        """The end of a request, as we see it."""
        request, trial = attempt.request, attempt.current
        if trial is None:
            self._table.attempts.pop(request.branch, None)
        attempt.final = self._events.local(
            end.status,
            end.reason,
            call_key=attempt.call_key,
            branch=trial.branch if trial is not None else request.branch,
            cseq=request.cseq,
            method=request.method,
            sent=trial.sent if trial is not None else None,
            cause=end.cause,
        )

    def _stray(self, response: Response, branch: str) -> None:
        """A response to a request that another edge sent, or this one before a restart."""
        read = self._identity.read_branch(branch)
        if read is None:
            self._counters.drop(DropReason.RESPONSE_FOREIGN)
            return
        self._counters.responses[response.status] += 1
        validate_response(response)
        if not _has_one_via(response):
            self._counters.drop(DropReason.RESPONSE_MISROUTED)
        elif response.cseq.method == "CANCEL":
            self._counters.drop(DropReason.CANCEL_RESPONSE)
        elif response.status == 100:
            self._counters.drop(DropReason.STRAY_TRYING)
        elif not (200 <= response.status < 300 and self._acks.repeat(branch, response.to_tag)):
            self._events.response(response, call_key=read.key, branch=branch, sent=None, stray=True)

    # ACK and CANCEL

    def _acknowledge_refusal(self, trial: Trial, response: Response) -> None:
        """ACK for a non-2xx, again for each repetition (RFC 3261 17.1.1.3)."""
        if not trial.ack and trial.attempt is not None:
            to_value = response.headers.get("to") or ""
            trial.ack = self._companion("ACK", trial, trial.attempt, to_value, [])
        self._put(trial, trial.ack, "ACK")

    def _send_cancel(self, trial: Trial, headers: Fields, now: float) -> None:
        attempt = trial.attempt
        if attempt is None:
            return
        try:
            data = self._companion("CANCEL", trial, attempt, invite_to(attempt.request), headers)
        except LocalProtocolError:
            self._counters.drop(DropReason.UNSENDABLE)
            data = self._companion("CANCEL", trial, attempt, invite_to(attempt.request), [])
        self._launch_cancel(trial.branch, data, trial.road, now)
        trial.machine.expect_end(now)
        self._deadlines.arm(trial, now)

    def _companion(
        self, method: str, trial: Trial, attempt: Attempt, to_value: str, headers: Fields
    ) -> bytes:
        local = trial.road.local
        via = f"{local.via}{trial.branch}"
        return companion_bytes(method, attempt.request, via, local.host, to_value, headers)

    def _cancel_for_another(self, cancel: edge_pb2.Cancel, headers: Fields, now: float) -> bool:
        """In the name of the edge that sent the INVITE, with its Via."""
        sent = cancel.sent
        known = cancel.provisional_seen and cancel.HasField("sent") and cancel.HasField("invite")
        if not known or not sent.HasField("address"):
            self._counters.drop(DropReason.CANCEL_NOT_OURS)
            return False
        address = sent.address
        road = self._roads.along(
            Endpoint(address.ip, address.port, address.transport or "udp"), sent.listener
        )
        if road is None:
            self._counters.drop(DropReason.UNREACHABLE)
            return False
        via = f"{via_start(road.local, sent.sent_by)}{sent.branch}"
        try:
            data = companion_bytes(
                "CANCEL", cancel.invite, via, sent.local_host, invite_to(cancel.invite), headers
            )
        except LocalProtocolError:
            self._counters.drop(DropReason.UNSENDABLE)
            return False
        self._launch_cancel(sent.branch, data, road, now)
        return True

    def _launch_cancel(self, branch: str, data: bytes, road: Road, now: float) -> None:
        machine = ClientTransaction(
            branch=branch, method="CANCEL", reliable=bool(road.flow), timers=self._timers
        )
        trial = Trial(None, machine, data, road, self._expire)
        trial.since = now
        self._table.add(trial, cancel=True)
        self._perform(trial, machine.start(now), now)

    def _attempt(self, branch: str) -> Attempt | None:
        """The attempt that this branch belongs to, be it of a try that was given up meanwhile."""
        trial = self._table.get(branch)
        if trial is not None:
            return trial.attempt
        attempt = self._table.attempts.get(branch)
        if attempt is None and self._identity.read_branch(branch) is not None:
            attempt = self._table.attempts.get(self._identity.retry_branch(branch, 0))
        return attempt


def _has_one_via(response: Response) -> bool:
    values = response.headers.index["via"]
    return len(values) == 1 and ("," not in values[0] or len(response.vias) == 1)
