"""Watches what call-control tells the edges of one call, and objects to what may never happen."""

from __future__ import annotations

from dataclasses import dataclass, field

from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain.turn import BRANCH_STEM, same_request
from support.call_driver import CALLER_TAG

#: 64*T1: the caller gets no BYE before its ACK, or before this has passed since its 2xx.
_ACK_TIMEOUT_MS = 32_000
#: The server transaction of the INVITE that opened the call.
OPENING = "z9hG4bKcaller 192.0.2.9 INVITE"
_OFFERING = ("INVITE", "UPDATE")

Dialog = tuple[str, str]
"""Our tag and the peer's."""


@dataclass
class Offer:
    """An INVITE or UPDATE of ours with a session description, until it is answered."""

    request: edge.SendRequest
    sent_ms: int


@dataclass
class CallWatch:
    """What was told to the edges, and what the peers said."""

    finals: dict[str, list[int]] = field(default_factory=dict)
    """By server transaction: the statuses of its final answers, each once."""
    asked: set[str] = field(default_factory=set)
    """Server transactions that are owed a final answer."""
    edge_ended: bool = False
    """An edge ended the INVITE by itself: nobody owes it an answer any more."""
    branches: dict[tuple[Dialog, int, str], str] = field(default_factory=dict)
    used: dict[str, tuple[Dialog, int, str]] = field(default_factory=dict)
    """By branch, without the part that is different for each address: what left under it."""
    numbers: dict[Dialog, int] = field(default_factory=dict)
    invite_numbers: dict[str, int] = field(default_factory=dict)
    invites: list[edge.SendRequest] = field(default_factory=list)
    requests: list[edge.SendRequest] = field(default_factory=list)
    cancels: list[edge.Cancel] = field(default_factory=list)
    successes: set[tuple[Dialog, int]] = field(default_factory=set)
    """2xx to INVITEs of ours, by the CSeq number."""
    acknowledged: set[tuple[Dialog, int]] = field(default_factory=set)
    over: list[str] = field(default_factory=list)
    """Branches of requests of ours that have their final answer."""
    offers: list[Offer] = field(default_factory=list)
    connected_ms: int = 0
    """When the caller got its 2xx."""
    caller_acknowledged: bool = False
    rings: list[edge.Respond] = field(default_factory=list)
    """Reliable provisionals."""
    pracked: set[int] = field(default_factory=set)
    """RSeq numbers of those that the caller has acknowledged."""

    # -- what the peers say ------------------------------------------------------------------

    def hear_request(self, request: edge.RequestEvent) -> None:
        """A peer sends a request."""
        method = request.origin.method
        if method == "ACK":
            self.caller_acknowledged |= request.from_tag == CALLER_TAG and request.origin.cseq == 1
        elif method == "PRACK":
            self.asked.add(request.transaction)
            self.pracked |= {
                int(one.value.split(" ")[0]) for one in request.headers if one.value.endswith(" 1 INVITE")
            }
        elif not request.cancel_answered:
            self.asked.add(request.transaction)

    def hear_response(self, response: edge.ResponseEvent, request: edge.SendRequest, known: bool) -> None:
        """A peer answers a request of ours. `known`: call-control still has the call."""
        if response.status < 200:
            reliable = any(header.name == "RSeq" for header in response.headers)
            if response.body.data and reliable:
                self._resolve(response.branch)
            return
        self._resolve(response.branch)
        self.over.append(response.branch)
        if request.method == "INVITE" and response.status < 300 and known:
            tag = request.to_tag or response.to_tag
            self.successes.add(((request.from_tag, tag), request.cseq))

    def _resolve(self, branch: str) -> None:
        self.offers = [one for one in self.offers if not same_request(one.request.branch, branch)]

    # -- what the edges are told ---------------------------------------------------------------

    def see(self, command: edge.Command, now: int) -> None:
        """Call-control tells an edge something."""
        match command.WhichOneof("kind"):
            case "respond":
                self._see_answer(command.respond, now, owed=command.id > 0)
            case "send_request" if command.send_request.method == "ACK":
                ack = command.send_request
                self._see_branch(ack)
                self.acknowledged.add(((ack.from_tag, ack.to_tag), ack.cseq))
            case "send_request":
                self._see_request(command.send_request, now)
            case "cancel":
                self._see_cancel(command.cancel)

    def _see_answer(self, respond: edge.Respond, now: int, *, owed: bool) -> None:
        if respond.status < 200:
            if respond.rseq and respond not in self.rings:
                self.rings.append(respond)
            assert respond.transaction not in self.finals, "a provisional after the final answer"
            return
        given = self.finals.setdefault(respond.transaction, [])
        if given and not owed:
            # The call is forgotten, but its edge knows what it has answered, and keeps to that.
            return
        if respond.status not in given:
            given.append(respond.status)
        if respond.transaction == OPENING and respond.status < 300:
            self.connected_ms = self.connected_ms or now
            assert {one.rseq for one in self.rings} <= self.pracked, "2xx before the PRACK"

    def _see_request(self, request: edge.SendRequest, now: int) -> None:
        self._see_branch(request)
        dialog = (request.from_tag, request.to_tag)
        known = self.branches.setdefault((dialog, request.cseq, request.method), request.branch)
        assert same_request(known, request.branch), f"{request.method} {request.cseq} left under two branches"
        if request in self.requests:
            return
        self.requests.append(request)
        last = self.numbers.get(dialog, self.invite_numbers.get(request.from_tag, 0))
        assert request.cseq > last, f"{request.method} {request.cseq} after {last}"
        self.numbers[dialog] = request.cseq
        if request.method == "INVITE":
            self.invites.append(request)
            if not request.to_tag:
                self.invite_numbers[request.from_tag] = request.cseq
        if request.method == "BYE":
            self._see_bye(dialog, now)
        if request.method in _OFFERING and request.body.data:
            self._see_offer(request, now)

    def _see_branch(self, request: edge.SendRequest) -> None:
        this = ((request.from_tag, request.to_tag), request.cseq, request.method)
        assert self.used.setdefault(request.branch[:BRANCH_STEM], this) == this, "a branch used twice"

    def _see_bye(self, dialog: Dialog, now: int) -> None:
        for where, cseq in self.successes:
            assert where != dialog or (where, cseq) in self.acknowledged, "BYE before the ACK"
        if dialog[1] == CALLER_TAG:
            waited = now - self.connected_ms >= _ACK_TIMEOUT_MS
            assert self.connected_ms, "BYE to a caller that was not answered"
            assert self.caller_acknowledged or waited, "BYE before the caller's ACK"

    def _see_offer(self, request: edge.SendRequest, now: int) -> None:
        for other in self.offers:
            same = other.request.from_tag == request.from_tag
            alive = now - other.sent_ms <= _ACK_TIMEOUT_MS
            forked = not other.request.to_tag and request.method == "INVITE"
            assert not (same and alive and not forked), "two offers wait on one leg"
        self.offers.append(Offer(request, now))

    def _see_cancel(self, cancel: edge.Cancel) -> None:
        sent = [one for one in self.invites if same_request(one.branch, cancel.branch)]
        assert sent, "CANCEL of something that is no INVITE"
        assert not any(same_request(branch, cancel.branch) for branch in self.over), "CANCEL after the final"
        assert cancel.invite.cseq == sent[0].cseq
        assert cancel.invite.request_uri == sent[0].request_uri
        self.cancels.append(cancel)

    # -- the end -------------------------------------------------------------------------------

    def check_end(self) -> None:
        """Everybody was told, once."""
        for transaction, statuses in self.finals.items():
            assert len(statuses) == 1, f"{transaction} got {statuses}"
        unanswered = self.asked - self.finals.keys()
        if self.edge_ended:
            unanswered.discard(OPENING)
        assert not unanswered
        assert self.successes <= self.acknowledged, "a 2xx without ACK"
