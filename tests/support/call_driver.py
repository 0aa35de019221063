"""Drives call control without SIP: a pod on a memory store, a recording edge, events by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from b2bua.aaa.v1 import aaa_pb2 as aaa
from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.adapters.memory_store import MemoryStore
from call_control.domain import upkeep
from call_control.domain.policy import Policy
from call_control.domain.routing.entry import parse_route
from call_control.pod import Pod
from svckit.identity import Identity

OFFER = sip_pb2.Body(data=b"v=0 offer", content_type="application/sdp")
ANSWER = sip_pb2.Body(data=b"v=0 answer", content_type="application/sdp")
CALLER_TAG = "caller-tag"
CALLEE_TAG = "callee-tag"


Headers = Sequence[tuple[str, str]]


def as_headers(fields: Headers) -> list[sip_pb2.Header]:
    """Header fields as events and commands have them."""
    return [sip_pb2.Header(name=name, value=value) for name, value in fields]


def value_of(headers: Iterable[sip_pb2.Header], name: str) -> str | None:
    """The value of the first header field of a name."""
    return next((header.value for header in headers if header.name.lower() == name.lower()), None)


class RecordingAuthorizer:
    """An authorisation that keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[aaa.AuthorizeRequest] = []

    def authorize(self, request: aaa.AuthorizeRequest) -> None:
        self.asked.append(request)


def size_without_bodies(call: record.Call) -> int:
    """Octets of a record that are no session descriptions."""
    bodies = [leg.sent_body for leg in call.legs]
    bodies += [debt.command.respond.body for debt in call.debts]
    bodies += [debt.command.send_request.body for debt in call.debts]
    bodies += [one.held.body for one in call.transactions]
    bodies += [call.invite.body, call.transfer.offer]
    return call.ByteSize() - sum(len(body.data) for body in bodies)


@dataclass
class RecordingPort:
    """An edge that keeps what it is told."""

    edge_id: str = "edge-a"
    boot: int = 1
    commands: list[edge.Command] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    unsure: list[int] = field(default_factory=list)

    def send(self, commands: Sequence[edge.Command]) -> None:
        self.commands.extend(commands)

    def acknowledge(self, event_ids: Sequence[int]) -> None:
        self.acknowledged.extend(event_ids)

    def busy(self, event_ids: Sequence[int], *, unsure: bool = False) -> None:
        (self.unsure if unsure else self.refused).extend(event_ids)

    def take(self) -> list[edge.Command]:
        """Return what was told since the last time."""
        taken, self.commands = self.commands, []
        return taken


class CallDriver:
    """One call, seen from its edge. Time moves only by `pass_time`."""

    def __init__(
        self,
        *routes: str,
        store: MemoryStore | None = None,
        time: list[int] | None = None,
        **policy: object,
    ) -> None:
        """`policy` replaces fields of the policy."""
        self.time = time or [1_000_000]
        self.store = store or MemoryStore(salt=b"s" * 16, clock=lambda: self.time[0])
        self.identity = Identity(b"k" * 32, salt=self.store.salt, shards=self.store.shards)
        entries = tuple(parse_route(text) for text in (routes or ("192.0.2.1",)))
        self.policy = replace(Policy(routes=entries), **policy)  # type: ignore[arg-type]  # fields by name
        self.port = RecordingPort()
        self.authorizer = RecordingAuthorizer()
        self.pod = self.new_pod()
        self.pods = 1
        self.events = 0
        self.key = self.identity.call_key("call-1", CALLER_TAG, 1, "192.0.2.9", "z9hG4bKcaller")

    def new_pod(self, port: RecordingPort | None = None) -> Pod:
        """Return another pod on the same store, with an edge attached."""
        pod = Pod(
            pod_id=f"pod-{id(self)}-{self.time[0]}-{getattr(self, 'events', 0)}",
            store=self.store,
            identity=self.identity,
            policy=self.policy,
            authorizer=self.authorizer,
        )
        pod.attach(port or self.port)
        return pod

    # -- what is there ---------------------------------------------------------------------

    @property
    def call(self) -> record.Call | None:
        """The stored record."""
        found: list[bytes] = []
        self.store.load(self.key, lambda outcome: found.append(outcome.record or b""))
        return record.Call.FromString(found[0]) if found[0] else None

    def leg(self, index: int) -> record.Leg:
        """A leg of the stored record."""
        assert self.call is not None
        return self.call.legs[index]

    def tag_of_peer(self, leg: int) -> str:
        """The tag by which the peer of an egress leg answered."""
        call = self.call
        known = call is not None and leg < len(call.legs) and call.legs[leg].remote_tag
        return known or CALLEE_TAG

    def commands(self, kind: str = "") -> list[edge.Command]:
        """What the edge was told since the last look; with `kind` only those."""
        return [one for one in self.port.take() if not kind or one.WhichOneof("kind") == kind]

    def requests(self, method: str) -> list[edge.SendRequest]:
        """The requests of a method that were to be sent since the last look."""
        return [
            one.send_request for one in self.commands("send_request") if one.send_request.method == method
        ]

    def distinct(self, method: str) -> list[edge.SendRequest]:
        """The same, each once, however often it was owed and issued again meanwhile."""
        return list({one.branch: one for one in self.requests(method)}.values())

    # -- what happens ----------------------------------------------------------------------

    def event(self, **kind: object) -> edge.Event:
        """Return an event of this call with a new id."""
        self.events += 1
        return edge.Event(
            id=self.events,
            call_key=self.key,
            edge=edge.EdgeRef(edge_id=self.port.edge_id, boot=self.port.boot),
            **kind,  # type: ignore[arg-type]  # one field of the oneof, by name
        )

    def tell(self, event: edge.Event, pod: Pod | None = None) -> edge.Event:
        """Hand an event to the pod."""
        (pod or self.pod).on_event(self.port, event)
        return event

    def invite(
        self,
        *,
        body: sip_pb2.Body | None = OFFER,
        max_forwards: int = 70,
        expires: int = -1,
        headers: Headers = (),
    ) -> edge.Event:
        request = self.request("INVITE", 1, body=body, branch="z9hG4bKcaller", headers=headers)
        request.max_forwards = max_forwards
        request.expires = expires
        request.merge_key = "merge-1"
        event = self.event(request=request)
        event.opens_call = True
        return self.tell(event)

    def request(
        self,
        method: str,
        cseq: int,
        *,
        leg: int | None = None,
        body: sip_pb2.Body | None = None,
        branch: str = "",
        headers: Headers = (),
    ) -> edge.RequestEvent:
        """Return a request of the caller, or with `leg` of that leg's peer in its dialog."""
        branch = branch or f"z9hG4bK{method}{cseq}{leg}"
        from_tag = self.tag_of_peer(leg) if leg else CALLER_TAG
        request = edge.RequestEvent(
            origin=edge.Origin(
                via=[f"SIP/2.0/UDP 192.0.2.9;branch={branch}"],
                from_value=f'"Ann" <sip:1001@example.org>;tag={from_tag}',
                to_value="<sip:2002@example.org>",
                call_id="call-1",
                cseq=cseq,
                method=method,
            ),
            transaction=f"{branch} 192.0.2.9 {method}",
            request_uri="sip:2002@192.0.2.100",
            from_tag=from_tag,
            contact_uri="sip:1001@192.0.2.9:5060",
            max_forwards=70,
            expires=-1,
            headers=as_headers(headers),
            body=body,
        )
        if leg is not None:
            request.to_tag = self.identity.tag(self.key, leg)
        return request

    def in_dialog(
        self,
        method: str,
        cseq: int,
        leg: int = 0,
        body: sip_pb2.Body | None = None,
        headers: Headers = (),
    ) -> edge.Event:
        request = self.request(method, cseq, leg=leg, body=body, headers=headers)
        return self.tell(self.event(request=request))

    def newcomer(
        self,
        replaces: str,
        *,
        body: sip_pb2.Body | None = OFFER,
        number: int = 1,
        headers: Headers = (),
    ) -> edge.Event:
        """An INVITE of somebody else that is to take the place of a dialog (RFC 3891)."""
        branch = f"z9hG4bKnewcomer{number}"
        fields = (("Replaces", replaces), *headers)
        request = self.request("INVITE", 1, body=body, branch=branch, headers=fields)
        request.from_tag = f"newcomer-{number}"
        request.contact_uri = "sip:new@192.0.2.77"
        request.origin.from_value = f"<sip:5005@example.org>;tag=newcomer-{number}"
        request.origin.call_id = f"call-newcomer-{number}"
        return self.tell(self.event(request=request))

    def dialog(self, leg: int) -> str:
        """The dialog of a leg, as its peer names it in Replaces."""
        found = self.leg(leg)
        return f"{found.call_id};to-tag={found.local_tag};from-tag={found.remote_tag}"

    def cancel(self) -> edge.Event:
        request = self.request("CANCEL", 1, branch="z9hG4bKcaller")
        request.cancel_answered = True
        return self.tell(self.event(request=request))

    def response(
        self,
        status: int,
        branch: str,
        *,
        method: str = "INVITE",
        cseq: int = 1,
        to_tag: str = CALLEE_TAG,
        body: sip_pb2.Body | None = None,
        reason: str = "Whatever",
        headers: Headers = (),
        contacts: Sequence[str] = (),
        local_cause: edge.LocalCause = edge.LOCAL_CAUSE_UNSPECIFIED,
    ) -> edge.Event:
        response = edge.ResponseEvent(
            branch=branch,
            status=status,
            reason=reason,
            to_tag=to_tag,
            cseq=cseq,
            method=method,
            contact_uri="sip:2002@192.0.2.1:5060" if 200 <= status < 300 else "",
            headers=as_headers(headers),
            contacts=contacts,
            local=local_cause != edge.LOCAL_CAUSE_UNSPECIFIED,
            local_cause=local_cause,
            body=body,
        )
        return self.tell(self.event(response=response))

    def sent(self, branch: str) -> edge.Event:
        sent = edge.Sent(
            branch=branch,
            sent_by="192.0.2.100",
            local_host="192.0.2.100",
            listener="udp",
            edge=edge.EdgeRef(edge_id=self.port.edge_id, boot=self.port.boot),
        )
        return self.tell(self.event(sent=edge.SentEvent(sent=sent)))

    def confirm_all(self) -> None:
        """Confirm every command that an edge confirms, as it does at once."""
        refs = [
            edge.CommandRef(call_key=one.call_key, id=one.id)
            for one in self.port.commands
            if (one.id and one.WhichOneof("kind") in ("respond", "cancel"))
            or one.send_request.method == "ACK"
        ]
        self.pod.on_done(self.port, refs)

    def pass_time(
        self, seconds: float, pod: Pod | None = None, *, after: Callable[[], None] | None = None
    ) -> None:
        """Let time pass from deadline to deadline, waking the call when due; `after` looks each time."""
        end = self.time[0] + round(seconds * 1_000)
        while self.time[0] < end:
            call = self.call
            deadline = upkeep.next_deadline(call) if call is not None else None
            self.time[0] = min(end, max(deadline or end, self.time[0] + 100))
            self.store.claim_due_many(range(self.store.shards), 100, (pod or self.pod).on_due)
            if after is not None:
                after()

    # -- common beginnings -----------------------------------------------------------------

    def ringing(self) -> str:
        """Bring the call to ringing and return the branch of the egress INVITE."""
        self.invite()
        branch = self.requests("INVITE")[0].branch
        self.sent(branch)
        self.response(180, branch)
        self.confirm_all()
        return branch

    def answered(self) -> str:
        """Bring the call to answered, without the caller's ACK."""
        branch = self.ringing()
        self.response(200, branch, body=ANSWER, reason="OK")
        return branch

    def confirmed(self) -> str:
        """Bring the call up and forget what was told so far."""
        branch = self.answered()
        self.confirm_all()
        self.in_dialog("ACK", 1)
        self.port.take()
        return branch
