"""Peers of one call that do anything, in any order, with any header field; and an edge that forgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from b2bua.aaa.v1 import aaa_pb2 as aaa
from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from support.call_driver import ANSWER, OFFER, CallDriver, Headers, size_without_bodies
from support.call_watch import OPENING, CallWatch

_T = TypeVar("_T")

DIGEST = 'Digest realm="r",nonce="n{}",algorithm={},qop="auth"'
#: Values of header fields that call-control reads: good, odd and hostile ones.
VALUES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Session-Expires",
        ("90;refresher=uac", "600;refresher=uas", "1800", "0", "-1", "9" * 20, "90;refresher=x", ";", ""),
    ),
    ("Min-SE", ("90", "700", "0", "4294967295", "x", "")),
    ("Supported", ("timer", "100rel", "100rel, timer", ",,")),
    ("Require", ("timer", "100rel", "100rel, timer", "x")),
    ("RSeq", ("1", "2", "3", "7", "0", "4294967296", "x")),
    ("RAck", ("1 1 INVITE", "0 0 INVITE", "x", "", "1 1 BYE")),
    ("Allow", ("INVITE, UPDATE", "UPDATE", "INVITE", ",")),
    (
        "Refer-To",
        (
            "<sip:3003@192.0.2.3>",
            "sip:3003@192.0.2.3",
            "<>",
            "",
            '"',
            "<sip:a@b;method=BYE>",
            "<sip:a@b?Replaces=x>",
        ),
    ),
    ("Also", ("<sip:3003@192.0.2.3>", "", "<<")),
    ("Reason", ('SIP;cause=480;text="x"', "SIP;cause=x", '"', "Q.850;cause=16, SIP;cause=487")),
    (
        "WWW-Authenticate",
        (
            DIGEST.format(1, "MD5"),
            DIGEST.format(2, "SHA-256") + ",stale=true",
            "Digest",
            'Basic realm="x"',
            "",
        ),
    ),
    (
        "Proxy-Authenticate",
        (DIGEST.format(3, "MD5-sess"), DIGEST.format(4, "MD5") + ",stale=true", "Digest realm=", '"'),
    ),
    ("Refer-Sub", ("false", "true", "x")),
    ("Event", ("refer", "presence")),
    ("Retry-After", ("3", "x")),
)
CONTACTS = (
    "<sip:4004@192.0.2.40>;q=0.9",
    "<sip:5005@192.0.2.50;transport=tcp>",
    "<tel:1>",
    "<>",
    "*",
    '"',
    "<sip:@:99999>;q=x",
)
BODIES = (OFFER, ANSWER, None, sip_pb2.Body(data=b"v=0 1", content_type="application/sdp"), sip_pb2.Body())
TAGS = ("one", "one", "one", "two", "")
FAILURES = (302, 401, 407, 408, 422, 481, 486, 491, 488, 503, 603)


class Draw:
    """Choices out of one number, so that one number describes an action."""

    def __init__(self, number: int) -> None:
        self._number = number

    def of(self, options: Sequence[_T]) -> _T:
        """Choose one."""
        self._number, index = divmod(self._number, len(options))
        return options[index]

    def headers(self) -> list[tuple[str, str]]:
        """Choose up to two header fields."""
        chosen = []
        for _ in range(self.of((0, 1, 2))):
            name, values = self.of(VALUES)
            chosen.append((name, self.of(values)))
        return chosen


class WildPeers:
    """A call, its peers and its edges. Each action takes a number that chooses among what there is."""

    def __init__(self, driver: CallDriver, draw: Draw) -> None:
        self.driver = driver
        self.watch = CallWatch()
        self.told: list[tuple[int, edge.Event]] = []
        self.cseq: dict[int, int] = {0: 1}
        self.reinvites: list[edge.RequestEvent] = []
        self.newcomers = 0
        self.confirms = True
        self.largest = 0
        headers = [*draw.headers(), *draw.headers()]
        self.commits = 0
        self._remember(driver.invite(body=draw.of((OFFER, OFFER, None)), headers=headers))

    def _remember(self, event: edge.Event) -> None:
        """Note an event that was told, and what it caused.

        One that meant nothing when it came is not kept: its repetition may come when it means something.
        """
        if event.HasField("request"):
            self.watch.hear_request(event.request)
        commits = self.driver.pod.counters.commits
        if commits != self.commits:
            self.commits = commits
            self.told.append((self.driver.time[0], event))
        self.collect()

    def collect(self) -> None:
        """Look at what the edge was told, and confirm what an edge confirms."""
        refs = []
        for command in self.driver.commands():
            self.watch.see(command, self.driver.time[0])
            if command.id and (
                command.WhichOneof("kind") != "send_request" or command.send_request.method == "ACK"
            ):
                refs.append(edge.CommandRef(call_key=command.call_key, id=command.id))
        if self.confirms:
            self.driver.pod.on_done(self.driver.port, refs)
        assert self.driver.pod.counters.failed == 0
        call = self.driver.call
        if call is not None:
            self.largest = max(self.largest, size_without_bodies(call))
        if call is not None and call.state != record.CALL_STATE_ENDED:
            # Whoever is connected is there; one alone waits for the target of a transfer.
            assert all(call.legs[index].state == record.LEG_STATE_CONFIRMED for index in call.connected)
            assert len(call.connected) in ((1, 2) if call.HasField("transfer") else (0, 2))
            if call.HasField("subscription"):
                assert call.legs[call.subscription.leg].state == record.LEG_STATE_CONFIRMED

    def come_far(self, stage: int) -> None:
        """Go on as calls do: 1 rings, 2 is answered, 3 acknowledged. A route may not let it."""
        if self.driver.authorizer.asked and stage:
            self.authorize(0)
        steps = ((180, {"RSeq": "1", "Require": "100rel"} if stage > 3 else {}), (200, {}))
        for status, fields in steps[: min(stage, 2)]:
            if self.watch.invites and self.driver.call is not None and self.driver.call.state < 3:
                invite = self.watch.invites[-1]
                self._remember(self.driver.sent(invite.branch))
                body = OFFER if status == 200 and not invite.HasField("body") else ANSWER
                event = self.driver.event(
                    response=edge.ResponseEvent(
                        branch=invite.branch,
                        status=status,
                        reason="OK",
                        to_tag="one",
                        cseq=invite.cseq,
                        method="INVITE",
                        contact_uri="sip:2002@192.0.2.1:5060",
                        headers=[sip_pb2.Header(name=name, value=value) for name, value in fields.items()],
                        body=body if status == 200 else None,
                    )
                )
                self.watch.hear_response(event.response, invite, True)
                self._remember(self.driver.tell(event))
        if stage == 3 and self.watch.connected_ms:
            self._remember(self.driver.in_dialog("ACK", 1, body=ANSWER))

    # -- the callees ---------------------------------------------------------------------------

    def sent(self, number: int) -> None:
        """The edge reports how an INVITE left."""
        if self.watch.invites:
            self._remember(self.driver.sent(Draw(number).of(self.watch.invites).branch))

    def provisional(self, number: int) -> None:
        """A 1xx to an INVITE, reliable or not, in order or not."""
        draw = Draw(number)
        reliable = draw.of((False, True))
        rseq = draw.of(("1", "2", "3", "9"))
        headers = [("Require", "100rel"), ("RSeq", rseq)] if reliable else draw.headers()
        self._answer(draw, self.watch.invites, (180, 183, 100, 199), headers)

    def success(self, number: int) -> None:
        """A 2xx to an INVITE."""
        draw = Draw(number)
        self._answer(draw, self.watch.invites, (200,), draw.headers())

    def failure(self, number: int) -> None:
        """A final failure of an INVITE."""
        draw = Draw(number)
        self._answer(draw, self.watch.invites, FAILURES, draw.headers())

    def final(self, number: int) -> None:
        """A final answer to any request."""
        draw = Draw(number)
        status = draw.of((200, 200, 200, *FAILURES))
        self._answer(draw, self.watch.requests, (status,), draw.headers())

    def challenge(self, number: int) -> None:
        """A request meets a challenge."""
        draw = Draw(number)
        status = draw.of((401, 407))
        name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
        stale = draw.of(("", ",stale=true"))
        headers = [(name, DIGEST.format(draw.of(range(9)), "MD5") + stale)]
        self._answer(draw, self.watch.requests, (status,), headers)

    def _answer(
        self, draw: Draw, requests: list[edge.SendRequest], statuses: Sequence[int], headers: Headers
    ) -> None:
        if not requests:
            return
        request = draw.of(requests[-4:])
        status, tag = draw.of(statuses), draw.of(TAGS)
        if request.to_tag or (status >= 300 and draw.of((False, True))):
            tag = request.to_tag
        known = self.driver.call is not None
        if request.method == "INVITE" and not request.to_tag and 200 <= status < 300:
            # A 2xx after a challenge or 422: the INVITE has left anew, and nobody waits for this one.
            known = known and any(one.invite_branch == request.branch for one in self.driver.call.legs)  # type: ignore[union-attr]
        event = self.driver.event(
            response=edge.ResponseEvent(
                branch=request.branch,
                status=status,
                reason="Whatever",
                to_tag=tag,
                cseq=request.cseq,
                method=request.method,
                contact_uri=draw.of(("sip:2002@192.0.2.1:5060", "", "sip:9@192.0.2.99")),
                record_route=draw.of(((), ("<sip:p1;lr>", "<sip:p2;lr>"), ("<sip:strict>",), ('"',))),
                headers=[sip_pb2.Header(name=name, value=value) for name, value in headers],
                contacts=[draw.of(CONTACTS) for _ in range(draw.of((0, 1, 3)))] if status == 302 else (),
                body=draw.of(BODIES),
            )
        )
        self.watch.hear_response(event.response, request, known)
        self._remember(self.driver.tell(event))

    # -- requests of either side -----------------------------------------------------------------

    def ask(self, number: int) -> None:
        """A request of any side, in order."""
        draw = Draw(number)
        leg = draw.of((0, 0, 1, 1, 2, 3, 4))
        method = draw.of(
            ("INVITE", "UPDATE", "BYE", "REFER", "INFO", "OPTIONS", "NOTIFY", "PRACK", "PUBLISH")
        )
        self.cseq[leg] = self.cseq.get(leg, 0) + 1
        self._request(draw, method, self.cseq[leg], leg)

    def reinvite(self, number: int) -> None:
        """A re-INVITE or UPDATE of either side."""
        draw = Draw(number)
        leg = draw.of((0, 1))
        self.cseq[leg] = self.cseq.get(leg, 0) + 1
        self._request(draw, draw.of(("INVITE", "UPDATE")), self.cseq[leg], leg)

    def stale(self, number: int) -> None:
        """A request whose number is not higher than the last one's, over another path."""
        draw = Draw(number)
        leg = draw.of((0, 1))
        method = draw.of(("INFO", "BYE", "UPDATE"))
        self._request(
            draw,
            method,
            max(1, self.cseq.get(leg, 0) - draw.of((0, 1))),
            leg,
            branch=f"z9hG4bKs{self.driver.events}",
        )

    def _request(self, draw: Draw, method: str, cseq: int, leg: int, branch: str = "") -> None:
        request = self.driver.request(
            method, cseq, leg=leg, body=draw.of(BODIES), branch=branch, headers=draw.headers()
        )
        request.max_forwards = draw.of((70, 70, 70, 1, -1))
        request.contact_uri = draw.of((request.contact_uri, ""))
        if leg:
            request.from_tag = draw.of((request.from_tag, request.from_tag, "one", "two", "nobody"))
        if method == "INVITE":
            self.reinvites.append(request)
        self._remember(self.driver.tell(self.driver.event(request=request)))

    def prack(self, number: int) -> None:
        """The caller acknowledges a reliable provisional."""
        draw = Draw(number)
        if self.watch.rings:
            ring = draw.of(self.watch.rings[-2:])
            self.cseq[0] += 1
            body = draw.of((None, ANSWER))
            headers = (("RAck", f"{ring.rseq} 1 INVITE"),)
            self._remember(self.driver.in_dialog("PRACK", self.cseq[0], body=body, headers=headers))

    def acknowledge(self, number: int) -> None:
        """An ACK for the INVITE, for a re-INVITE, or for nothing."""
        draw = Draw(number)
        leg = draw.of((0, 0, 1))
        cseq = draw.of((1, max(1, self.cseq.get(leg, 0))))
        if leg == 0 and cseq == 1 and not self.watch.connected_ms:
            # Nobody acknowledges what was not sent; what it means is tested elsewhere.
            return
        self._remember(self.driver.in_dialog("ACK", cseq, leg=leg, body=draw.of(BODIES)))

    def cancel(self, number: int) -> None:
        """The caller gives up."""
        self._remember(self.driver.cancel())

    def cancel_reinvite(self, number: int) -> None:
        """A re-INVITE is taken back."""
        draw = Draw(number)
        if not self.reinvites:
            return
        request = edge.RequestEvent()
        request.CopyFrom(self.reinvites.pop(draw.of((-1, 0))))
        request.origin.method = "CANCEL"
        request.transaction = request.transaction.replace(" INVITE", " CANCEL")
        request.ClearField("body")
        request.cancel_answered = draw.of((True, False))
        self._remember(self.driver.tell(self.driver.event(request=request)))

    def replace(self, number: int) -> None:
        """Somebody else wants the place of one who has part in the call (RFC 3891)."""
        draw = Draw(number)
        call = self.driver.call
        if call is not None:
            self.newcomers += 1
            dialog = self.driver.dialog(draw.of(range(len(call.legs))))
            self._remember(self.driver.newcomer(dialog, body=draw.of(BODIES), number=self.newcomers))

    # -- edges, pods, operators, time --------------------------------------------------------------

    def missing(self, number: int) -> None:
        """An edge repeated an answer in vain, or ended the INVITE by itself."""
        draw = Draw(number)
        transaction = OPENING
        if draw.of((False, False, True)) and self.watch.finals.get(transaction) is None:
            self.watch.edge_ended = True
            event = self.driver.event(self_cancelled=edge.SelfCancelledEvent(transaction=transaction))
        elif self.watch.rings and draw.of((False, True)):
            ring = self.watch.rings[-1]
            missing = edge.ProvisionalUnacknowledgedEvent(transaction=transaction, rseq=ring.rseq)
            event = self.driver.event(provisional_unacknowledged=missing)
        else:
            references = [transaction, *(one.transaction for one in self.reinvites)]
            missed = edge.AckMissingEvent(transaction=draw.of(references))
            event = self.driver.event(ack_missing=missed)
        self._remember(self.driver.tell(event))

    def again(self, number: int) -> None:
        """A repeated event changes no more than what was proved meanwhile."""
        told_at, event = Draw(number).of(self.told)
        if self.driver.time[0] - told_at >= self.driver.policy.tombstone_ms:
            return
        recent = event.id > self.driver.events - 10
        if event.HasField("request") and not recent:
            # The record remembers the last 16 events; its edge knows its own requests.
            return
        before = self.driver.call
        self._remember(self.driver.tell(event))
        after = self.driver.call
        if recent and before is not None and after is not None:
            assert after.state == before.state
            assert [leg.state for leg in after.legs] == [leg.state for leg in before.legs]

    def elsewhere(self, number: int) -> None:
        """A request that waits for its answer comes in at another edge, too."""
        _, event = Draw(number).of(self.told)
        call = self.driver.call
        transactions = call.transactions if call is not None else ()
        references = [one.transaction for one in transactions if one.answer.status < 200]
        if event.request.transaction in references:
            self.driver.events += 1
            copy = edge.Event()
            copy.CopyFrom(event)
            copy.id, copy.redelivered = self.driver.events, True
            copy.edge.edge_id = "edge-b"
            self._remember(self.driver.tell(copy))

    def authorize(self, number: int) -> None:
        """The authorisation replies, once or again, or to something else."""
        draw = Draw(number)
        if self.driver.authorizer.asked:
            reply = aaa.AuthorizeResponse(
                request_id=draw.of((self.driver.authorizer.asked[-1].request_id, "x")),
                decision=draw.of((aaa.DECISION_ACCEPT, aaa.DECISION_ACCEPT, aaa.DECISION_REJECT)),
                challenges=draw.of(((), (DIGEST.format(1, "MD5"),))),
            )
            self.driver.pod.on_authorized(reply, self.driver.key)
            self.collect()

    def another_pod(self, number: int) -> None:
        """Another pod takes the call over."""
        self.driver.pod = self.driver.new_pod()
        self.commits = 0

    def forgetful(self, number: int) -> None:
        """The edge confirms nothing for a while, or does again."""
        self.confirms = not self.confirms

    def disconnect(self, number: int) -> None:
        """An operator ends the call."""
        if number % 4 == 0:
            self.driver.pod.disconnect(self.driver.key)
            self.collect()

    def wait(self, number: int) -> None:
        """Time passes."""
        self.driver.pass_time(Draw(number).of((0.5, 2.0, 8.0, 40.0, 330.0)), after=self.collect)

    def end(self, seconds: float) -> None:
        """Everybody falls silent, the operator ends what is left, and time passes."""
        self.confirms = True
        self.driver.pass_time(seconds / 2, after=self.collect)
        if self.driver.call is not None:
            self.driver.pod.disconnect(self.driver.key)
        self.driver.pass_time(seconds / 2, after=self.collect)


Action = Callable[[WildPeers, int], None]
ACTIONS: tuple[Action, ...] = (
    WildPeers.sent,
    WildPeers.provisional,
    WildPeers.success,
    WildPeers.failure,
    WildPeers.final,
    WildPeers.final,
    WildPeers.challenge,
    WildPeers.ask,
    WildPeers.ask,
    WildPeers.reinvite,
    WildPeers.stale,
    WildPeers.prack,
    WildPeers.acknowledge,
    WildPeers.replace,
    WildPeers.cancel,
    WildPeers.cancel_reinvite,
    WildPeers.missing,
    WildPeers.again,
    WildPeers.elsewhere,
    WildPeers.authorize,
    WildPeers.another_pod,
    WildPeers.forgetful,
    WildPeers.disconnect,
    WildPeers.wait,
)
