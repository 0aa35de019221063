"""The server side of the edge: requests that come in, and the answers of call-control to them."""

import math
from typing import Final

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain.addressing import Addressing
from sip_edge.domain.admission import AccessList, Admission, Work
from sip_edge.domain.config import EdgeConfig
from sip_edge.domain.deadlines import Deadlines
from sip_edge.domain.drop_reasons import Counters, DropReason
from sip_edge.domain.events import Events
from sip_edge.domain.helper_proxy import HelperProxy
from sip_edge.domain.nat import Nat, behind_nat
from sip_edge.domain.origin import COOKIE, Arrival, Origin, reference
from sip_edge.domain.provisionals import Provisionals
from sip_edge.domain.refusals import (
    ALLOW,
    FORBIDDEN,
    NO_TRANSACTION,
    NOT_IMPLEMENTED,
    NOT_UTF8,
    OK,
    REFUSAL_TAG,
    TERMINATED,
    TOO_MANY,
    UNAVAILABLE,
    UNDECIDED,
    Fields,
    Verdict,
    bad_extension,
    is_known,
    outside,
    refusal_tag,
    unsupported,
)
from sip_edge.domain.replacing import names_a_dialog, replaced_tag
from sip_edge.domain.server_table import ServerEntry, ServerTable
from sip_edge.domain.wires import Wires
from sip_edge.domain.writing import body_fields
from sipcore.errors import LocalProtocolError, PeerProtocolError
from sipcore.message import Request
from sipcore.parser import validate_request
from sipcore.transaction import Action, ServerTransaction
from svckit.identity import Identity

# In Python 3.11 an attribute of an enumeration costs as much as a call: names for what each message needs.
_WORK_CALL: Final = Work.CALL
_WORK_PROBE: Final = Work.PROBE
_PASS_ACK: Final = Action.PASS_ACK
_SEND_RESPONSE: Final = Action.SEND_RESPONSE
_TERMINATE: Final = Action.TERMINATE
_ACK_MISSING: Final = Action.ACK_MISSING
_TIMEOUT: Final = Action.TIMEOUT


class Uas:
    """Server transactions, and the decision what becomes of a request."""

    def __init__(
        self,
        config: EdgeConfig,
        *,
        identity: Identity,
        table: ServerTable,
        admission: Admission,
        access: AccessList,
        addressing: Addressing,
        wires: Wires,
        events: Events,
        deadlines: Deadlines,
        counters: Counters,
        nat: Nat,
        proxy: HelperProxy | None,
    ) -> None:
        self._config: Final = config
        self._timers: Final = config.timers
        self._patience: Final = 64 * config.timers.t1
        self._identity: Final = identity
        self._table: Final = table
        self._admission: Final = admission
        self._access: Final = access
        self._addressing: Final = addressing
        self._wires: Final = wires
        self._events: Final = events
        self._deadlines: Final = deadlines
        self._counters: Final = counters
        self._nat: Final = nat
        self._proxy: Final = proxy
        self._forwarded: Final = proxy.methods if proxy is not None else frozenset[str]()
        taken = ALLOW.split(", ")
        self._allow: Final = ", ".join([*taken, *sorted(self._forwarded.difference(taken))])
        self._outside: Final = outside(accept_notify=config.accept_notify)
        self.extensions: frozenset[str] = frozenset()
        """Option tags that may stand in Require."""
        self._provisionals: Final = Provisionals(
            config.timers, wires=wires, events=events, deadlines=deadlines
        )

    # Requests from the wire

    def receive(self, request: Request, arrival: Arrival, now: float) -> None:
        """Take a request. Raises `PeerProtocolError` when it is malformed."""
        method = request.method
        requests = self._counters.requests
        requests[method if method in requests else "OTHER"] += 1
        base = reference(request)
        if method == "ACK":
            validate_request(request)
            self._acknowledge(request, base, arrival, now)
            return
        key = f"{base} {method}"
        entry = self._table.get(key)
        if entry is not None:
            self._counters.drop(DropReason.REPEATED_REQUEST)
            self._perform(entry, entry.machine.on_request(now))
            return
        if self._nat.anywhere and self._nat.applies(arrival.listener, arrival.source[0]):
            arrival.natted = behind_nat(request, arrival.source, rewrite=method not in self._forwarded)
        # Overload must cost little: refuse a new call before it is looked at any closer.
        to_tag = request.essentials.to_tag
        opens_call = method == "INVITE" and not to_tag
        if opens_call and not self._admission.admits(_WORK_CALL):
            self._refuse(request, arrival, base, UNAVAILABLE, retry=True)
            return
        validate_request(request)
        if method == "CANCEL":
            self._cancel(request, base, arrival, now)
        elif not is_known(method):
            self._refuse(request, arrival, base, NOT_IMPLEMENTED)
        elif method in self._forwarded and not to_tag:
            self._forward(request, base, arrival, now)
        elif (required := request.require) and (missing := unsupported(required, self.extensions)):
            self._refuse(request, arrival, base, bad_extension(missing))
        elif to_tag:
            self._inside(request, to_tag, base, key, arrival, now)
        elif opens_call and names_a_dialog(request):
            self._replace(request, base, key, arrival, now)
        elif not self._access.allows(arrival.source[0]):
            self._refuse(request, arrival, base, FORBIDDEN)
        elif opens_call:
            self._open_call(request, base, key, arrival, now)
        elif method == "OPTIONS":
            self._options(request, base, arrival)
        else:
            self._refuse(request, arrival, base, self._outside[method])

    def answer_error(self, request: Request, error: PeerProtocolError, arrival: Arrival) -> None:
        """Answer a malformed request, if what could be read of it is enough."""
        try:
            base = reference(request)
            self._refuse(request, arrival, base, Verdict(error.status, error.reason))
        except PeerProtocolError:
            self._counters.drop(DropReason.MALFORMED)

    def _open_call(self, request: Request, base: str, key: str, arrival: Arrival, now: float) -> None:
        entry = self._enter(request, key, self._call_key(request), arrival, now)
        origin = entry.origin
        merge_key = self._identity.merge_key(origin.call_id, origin.from_tag, origin.cseq, request.uri)
        self._trying(entry, request, now)
        self._submit(entry, request, arrival, now, opens_call=True, merge_key=merge_key)

    def _inside(
        self, request: Request, to_tag: str, base: str, key: str, arrival: Arrival, now: float
    ) -> None:
        read = self._identity.read_tag(to_tag)
        if read is None:
            self._refuse(request, arrival, base, NO_TRANSACTION)
            return
        crowded = self._table.open_in(to_tag) >= self._config.dialog_transactions
        if crowded or not self._admission.admits_more_in_progress():
            self._refuse(request, arrival, base, TOO_MANY, retry=True)
            return
        entry = self._enter(request, key, read[0], arrival, now, dialog=to_tag)
        if request.method == "INVITE":
            self._trying(entry, request, now)
        elif request.method == "PRACK":
            self._provisionals.acknowledge(request, now)
        self._submit(entry, request, arrival, now)

    def _replace(self, request: Request, base: str, key: str, arrival: Arrival, now: float) -> None:
        """An INVITE that is to take the place of a dialog (RFC 3891): that of the call which it names.

        The access list is not asked, as it is not inside a dialog: the tag proves that the peer knows it.
        """
        to_tag = replaced_tag(request)
        read = self._identity.read_tag(to_tag)
        if read is None:
            self._refuse(request, arrival, base, NO_TRANSACTION)
            return
        if self._table.open_in(to_tag) >= self._config.dialog_transactions:
            self._refuse(request, arrival, base, TOO_MANY, retry=True)
            return
        entry = self._enter(request, key, read[0], arrival, now, dialog=to_tag)
        self._trying(entry, request, now)
        self._submit(entry, request, arrival, now)

    def _options(self, request: Request, base: str, arrival: Arrival) -> None:
        if not self._admission.admits(_WORK_PROBE):
            self._refuse(request, arrival, base, UNAVAILABLE, retry=True)
            return
        headers = [
            ("Allow", self._allow),
            ("Accept", "application/sdp"),
            ("Supported", ", ".join(sorted(self.extensions))),
        ]
        self._refuse(request, arrival, base, OK, headers)

    def _forward(self, request: Request, base: str, arrival: Arrival, now: float) -> None:
        """Hand a request to the helper proxy: it is not for us, whatever it requires."""
        if not self._access.allows(arrival.source[0]):
            self._refuse(request, arrival, base, FORBIDDEN)
        elif self._proxy is not None:
            origin = Origin.of_request(request, arrival)
            verdict = self._proxy.receive(request, origin, base, now)
            if verdict is not None:
                self._refuse(request, arrival, base, verdict, retry=verdict is UNAVAILABLE)

    def _cancel(self, request: Request, base: str, arrival: Arrival, now: float) -> None:
        key = f"{base} CANCEL"
        invite = self._table.get(f"{base} INVITE")
        if invite is None:
            self._cancel_elsewhere(request, base, key, arrival, now)
            return
        if invite.final:
            self._refuse(request, arrival, base, NO_TRANSACTION)
            return
        entry = self._enter(request, key, invite.call_key, arrival, now)
        invite.undecided_at = now + self._config.undecided_cancel
        self._deadlines.arm(invite, now)
        self._conclude(entry, OK, now)
        self._submit(entry, request, arrival, now, cancel_answered=True)

    def _cancel_elsewhere(self, request: Request, base: str, key: str, arrival: Arrival, now: float) -> None:
        """Another edge may have the INVITE, or this one had it before a restart: call-control knows."""
        call_key = ""
        if request.to_tag:
            read = self._identity.read_tag(request.to_tag)
            call_key = read[0] if read is not None else ""
        elif base.startswith(COOKIE) and self._access.allows(arrival.source[0]):
            call_key = self._call_key(request)
        if not call_key or not self._admission.admits_more_in_progress():
            self._refuse(request, arrival, base, NO_TRANSACTION)
            return
        entry = self._enter(request, key, call_key, arrival, now)
        self._submit(entry, request, arrival, now)

    def _acknowledge(self, request: Request, base: str, arrival: Arrival, now: float) -> None:
        key = f"{base} INVITE"
        entry = self._table.get(key)
        if entry is not None and entry.status >= 300:
            self._counters.drop(DropReason.ACK_ABSORBED)
            self._perform(entry, entry.machine.on_ack(now))
            return
        _, _, from_tag, to_tag, call_id, cseq, _ = request.essentials
        entry = self._table.by_ack((call_id, to_tag, from_tag, cseq))
        if entry is not None:
            if _PASS_ACK not in entry.machine.on_ack(now):
                self._counters.drop(DropReason.ACK_REPEATED)
                return
            entry.response = b""  # Nobody gets it again (RFC 6026 7.1).
            self._pass_ack(request, entry.key, entry.call_key, arrival)
            return
        read = self._identity.read_tag(to_tag)
        if read is not None:
            self._pass_ack(request, "", read[0], arrival)
        elif to_tag.startswith(REFUSAL_TAG):
            self._counters.drop(DropReason.ACK_FOR_REFUSAL)
        else:
            self._counters.drop(DropReason.ACK_FOREIGN)

    def _pass_ack(self, request: Request, transaction: str, call_key: str, arrival: Arrival) -> None:
        origin = Origin.of_request(request, arrival)
        try:
            self._events.request(request, origin, call_key, transaction, arrival.listener.transport)
        except UnicodeEncodeError:
            self._counters.drop(DropReason.MALFORMED)

    # Answers of call-control

    def respond(self, call_key: str, respond: edge_pb2.Respond, now: float) -> None:
        """Answer a request, with its transaction or from what the command says about it."""
        entry = self._table.get(respond.transaction)
        if entry is not None:
            self._give(entry, respond, now)
        else:
            self._answer_for_another(call_key, respond, now)

    def forget(self, transaction: str, now: float) -> bool:
        """The request is over: its ACK came elsewhere, or it is a late copy. False: it is not known."""
        entry = self._table.get(transaction)
        if entry is None:
            return False
        machine = entry.machine
        self._perform(entry, machine.on_ack(now) if entry.final else machine.on_transport_error(now))
        return True

    def stop(self, transaction: str, now: float) -> bool:
        """Another edge saw the ACK, or the PRACK. False: there is no such transaction."""
        waited = self._provisionals.overtake(transaction, now)
        entry = self._table.get(transaction)
        if entry is None:
            return waited
        self._perform(entry, entry.machine.on_ack(now))
        return True

    def _give(self, entry: ServerEntry, respond: edge_pb2.Respond, now: float) -> None:
        status = respond.status
        if entry.self_cancelled:
            self._counters.drop(DropReason.LATE_ANSWER)
            if 200 <= status < 300:
                self._events.self_cancelled(entry.call_key, entry.key)
            return
        data = self._written(entry.origin, entry.call_key, respond)
        if data is not None:
            self._send(entry, status, data, respond.to_tag, now)
            if respond.rseq and not entry.final:
                self._provisionals.sent(entry.key, entry.call_key, entry.origin, respond, data, now)

    def _written(self, origin: Origin, call_key: str, respond: edge_pb2.Respond) -> bytes | None:
        to_tag = respond.to_tag
        if not to_tag and not origin.to_tag:
            # Every answer but 100 has one (RFC 3261 8.2.6.2), and this is the one that the caller would get.
            to_tag = self._identity.tag(call_key, 0)
        headers: Fields = [("Contact", self._contact(origin))] if respond.contact else []
        headers += [(header.name, header.value) for header in respond.headers]
        body = respond.body
        headers += body_fields(body)
        try:
            return origin.answer(respond.status, respond.reason, to_tag, headers, body.data)
        except LocalProtocolError:
            self._counters.drop(DropReason.UNSENDABLE)
            return None

    def _answer_for_another(self, call_key: str, respond: edge_pb2.Respond, now: float) -> None:
        """Answer a request that another edge received, or this one before a restart.

        Only a final answer makes a transaction of it: the final one that follows a provisional may leave by
        the edge of the request again, and then nobody would end this one.
        """
        origin = self._origin_of(respond)
        if origin is None:
            return
        if respond.status >= 200:
            self._give(self._make(respond.transaction, call_key, origin, now), respond, now)
            return
        data = self._written(origin, call_key, respond)
        if data is not None:
            self._wires.answer(origin, respond.status, data)
            if respond.rseq:
                self._provisionals.sent(respond.transaction, call_key, origin, respond, data, now)

    def _origin_of(self, respond: edge_pb2.Respond) -> Origin | None:
        if not respond.transaction or not respond.HasField("origin"):
            self._counters.drop(DropReason.ANSWER_WITHOUT_TRANSACTION)
            return None
        try:
            origin = Origin.of_proto(respond.origin)
        except PeerProtocolError:
            self._counters.drop(DropReason.UNSENDABLE)
            return None
        # Listeners of another edge have names of their own.
        transport = "tcp" if origin.flow else "udp"
        listener = self._addressing.choose(transport, origin.source[0], origin.listener)
        if listener is None:
            self._counters.drop(DropReason.UNREACHABLE)
            return None
        origin.listener = listener.name
        return origin

    def _contact(self, origin: Origin) -> str:
        listener = self._addressing.by_name[origin.listener]
        return self._addressing.local(listener, origin.source[0]).contact("")

    # Transactions

    def _call_key(self, request: Request) -> str:
        form, branch, from_tag, _, call_id, cseq, _ = request.essentials
        return self._identity.call_key(call_id, from_tag, cseq, form.sent_by, branch)

    def _enter(
        self, request: Request, key: str, call_key: str, arrival: Arrival, now: float, *, dialog: str = ""
    ) -> ServerEntry:
        origin = Origin.of_request(request, arrival)
        return self._make(key, call_key, origin, now, dialog)

    def _make(self, key: str, call_key: str, origin: Origin, now: float, dialog: str = "") -> ServerEntry:
        method = origin.method
        patience = self._config.unanswered_invite if method == "INVITE" else self._patience
        machine = ServerTransaction(method, bool(origin.flow), self._timers, give_up=now + patience)
        entry = ServerEntry(key, call_key, origin, machine, self._expire)
        entry.since = now
        self._table.add(entry, dialog)
        self._deadlines.arm(entry, now)
        return entry

    def _submit(
        self,
        entry: ServerEntry,
        request: Request,
        arrival: Arrival,
        now: float,
        *,
        opens_call: bool = False,
        cancel_answered: bool = False,
        merge_key: str = "",
    ) -> None:
        try:
            self._events.request(
                request,
                entry.origin,
                entry.call_key,
                entry.key,
                arrival.listener.transport,
                opens_call=opens_call,
                cancel_answered=cancel_answered,
                merge_key=merge_key,
            )
        except UnicodeEncodeError:
            self._conclude(entry, NOT_UTF8, now)

    def _trying(self, entry: ServerEntry, request: Request, now: float) -> None:
        timestamp = request.headers.index.get("timestamp")
        headers = [("Timestamp", timestamp[0])] if timestamp and timestamp[0] else []
        self._send(entry, 100, entry.origin.answer(100, "Trying", "", headers), "", now)

    def _conclude(self, entry: ServerEntry, verdict: Verdict, now: float) -> None:
        """Give a final answer of the edge's own in a transaction."""
        to_tag = entry.origin.to_tag or self._identity.tag(entry.call_key, 0)
        data = entry.origin.answer(verdict.status, verdict.reason, to_tag, self._own_headers())
        self._send(entry, verdict.status, data, to_tag, now)

    def _send(self, entry: ServerEntry, status: int, data: bytes, to_tag: str, now: float) -> None:
        actions = entry.machine.on_send(status, now)
        if not actions:
            self._counters.drop(DropReason.LATE_ANSWER)
            return
        entry.response, entry.status = data, status
        if status >= 200:
            origin = entry.origin
            ack_key = None
            if status < 300 and origin.method == "INVITE":
                ack_key = (origin.call_id, origin.to_tag or to_tag, origin.from_tag, origin.cseq)
            self._table.answered(entry, ack_key)
            self._provisionals.overtake(entry.key, now)
        self._perform(entry, actions)
        if entry.machine.deadline < entry.look_at:
            self._deadlines.arm(entry, now)

    def _perform(self, entry: ServerEntry, actions: tuple[Action, ...]) -> None:
        for action in actions:
            if action is _SEND_RESPONSE:
                self._wires.answer(entry.origin, entry.status, entry.response)
            elif action is _TERMINATE:
                self._table.remove(entry)
            elif action is _ACK_MISSING:
                self._ack_missing(entry)

    def _ack_missing(self, entry: ServerEntry) -> None:
        if entry.ack_key is None:
            self._counters.drop(DropReason.UNACKNOWLEDGED)
        else:
            self._events.ack_missing(entry.call_key, entry.key)

    def _expire(self, entry: ServerEntry, now: float) -> None:
        if entry.undecided_at <= now:
            entry.undecided_at, entry.self_cancelled = math.inf, True
            self._conclude(entry, TERMINATED, now)
            self._events.self_cancelled(entry.call_key, entry.key)
            return
        actions = entry.machine.on_timer(now)
        self._perform(entry, actions)
        if _TIMEOUT in actions:
            self._counters.drop(DropReason.UNANSWERED)
            if not entry.machine.terminated:
                self._conclude(entry, UNDECIDED, now)

    # Answers without state

    def _refuse(
        self,
        request: Request,
        arrival: Arrival,
        base: str,
        verdict: Verdict,
        headers: Fields | None = None,
        *,
        retry: bool = False,
    ) -> None:
        origin = Origin.of_request(request, arrival)
        fields = [*verdict.fields, *(headers or ())]
        if verdict.allow:
            fields.append(("Allow", self._allow))
        if retry:
            fields.append(("Retry-After", str(self._config.retry_after)))
        fields += self._own_headers()
        data = origin.answer(verdict.status, verdict.reason, refusal_tag(base), fields)
        self._wires.answer(origin, verdict.status, data)

    def _own_headers(self) -> Fields:
        return [("Server", self._config.server)] if self._config.server else []
