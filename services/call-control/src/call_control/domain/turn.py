"""One turn of a call: the record being changed and the effects it will cause once committed.

Handlers see nothing else. What they owe is written into the record as a debt in the same step,
so an effect that is emitted and an effect that must survive cannot differ.

Repeated fields are walked through as slices, here and in the handlers: a container has no iterator of its
own, and tells its end by an IndexError, which costs as much as the walk. What is added on the way is not met.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from b2bua.aaa.v1 import aaa_pb2 as aaa
from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain.policy import Policy

#: Our own part of a branch is the same for every address that the edge tries: prefix, key, leg
#: and counter; the try number and the MAC follow (svckit.identity).
BRANCH_STEM = 7 + 22 + 2 + 3


class Minter(Protocol):
    """Mints the tags and branches that lead back to the call."""

    def tag(self, key: str, leg: int) -> str:
        """Return our tag on a leg."""

    def branch(self, key: str, leg: int, counter: int, retry: int = 0) -> str:
        """Return a branch for the first address tried."""

    def read_tag(self, tag: str) -> tuple[str, int] | None:
        """Return the key of the call and the leg of a tag that we minted; None for any other."""

    def cnonce(self, key: str, leg: int, nonce: str) -> str:
        """Return what stands for a client's nonce beside one of the server's (RFC 7616 3.4)."""


def same_request(branch: str, other: str) -> bool:
    """Tell whether two of our branches belong to one request, whatever address it went to."""
    return branch == other or branch[:BRANCH_STEM] == other[:BRANCH_STEM]


def lifetime_of_answer(policy: Policy) -> int:
    """How long a peer may wait for an answer of ours, in milliseconds."""
    return policy.ack_timeout_ms + policy.debt_retry_ms


def lifetime_of_request(policy: Policy, method: str, proof: record.Proof) -> int:
    """How long a request of ours is owed, in milliseconds.

    One inside a dialog until its edge tells the end. A re-INVITE may ring; longer than this it only does when
    its edge is gone for good.
    """
    rings = method == "INVITE" and proof == record.PROOF_FINAL
    return lifetime_of_answer(policy) + (policy.answer_timeout_ms if rings else 0)


Emission = tuple[edge.Command, edge.Origin | None]
"""A command to carry out after the commit, with what an edge needs that lacks the transaction.

The command is a part of the record of the turn: whoever keeps it keeps all of that, or a copy.
"""


class Turn:
    """A call, the time, and what is going to happen. Times are milliseconds in the store's clock."""

    __slots__ = ("call", "changed", "emissions", "inquiries", "invites", "minter", "notes", "now", "policy")

    def __init__(self, call: record.Call, now: int, policy: Policy, minter: Minter) -> None:
        self.call = call
        self.now = now
        self.policy = policy
        self.minter = minter
        self.changed = False
        self.emissions: list[Emission] = []
        self.inquiries: list[aaa.AuthorizeRequest] = []
        """What authorisation is asked once the turn is committed."""
        self.notes: list[str] = []
        """What an operator should read in the log once it is committed."""
        self.invites: tuple[edge.Command, ...] = ()
        """Those that are owed and were not before."""

    # -- finding ---------------------------------------------------------------------------

    @property
    def ingress(self) -> record.Leg:
        """The caller's leg."""
        return self.call.legs[0]

    def leg(self, index: int) -> record.Leg | None:
        """Return the leg of an index, if there is one."""
        legs = self.call.legs
        return legs[index] if 0 <= index < len(legs) else None

    def peer(self, leg: record.Leg) -> record.Leg | None:
        """Return the confirmed leg on the other side of the call, if there is one."""
        connected = self.call.connected
        if connected:
            if leg.index not in connected:
                return None
            return next((self.call.legs[index] for index in connected if index != leg.index), None)
        if leg.index:
            return self.ingress if self.ingress.state == record.LEG_STATE_CONFIRMED else None
        return next((one for one in self.call.legs[1:] if one.state == record.LEG_STATE_CONFIRMED), None)

    def early_peer(self, leg: record.Leg) -> record.Leg | None:
        """Return the leg on the other side of an unanswered call, if a request can reach its peer already.

        That takes a dialog, and so a reliable provisional on both sides (RFC 3262, RFC 3311 4), and an answer
        to the offer of the INVITE (5.1).
        """
        invite = self.invite_transaction
        callee = next((one for one in self.call.legs[1:] if one.early.agreed), None)
        if callee is None or invite is None or not invite.rseq or invite.prack_awaited:
            return None
        return self.ingress if leg.index else callee

    def transaction(self, reference: str) -> record.ServerTransaction | None:
        """Return the open server transaction of a reference."""
        for one in self.call.transactions[:]:
            if one.transaction == reference:
                return one
        return None

    @property
    def invite_transaction(self) -> record.ServerTransaction | None:
        """The transaction of the INVITE that opened the call, until it is over."""
        transactions = self.call.transactions
        if not transactions:
            return None
        first = transactions[0]
        return None if first.leg or first.origin_in_dialog else first

    @property
    def awaits_ack(self) -> bool:
        """Whether the caller has a 2xx of ours that it has not acknowledged."""
        transaction = self.invite_transaction
        return transaction is not None and 200 <= transaction.answer.status < 300

    # -- server transactions ---------------------------------------------------------------

    def open_transaction(
        self, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef
    ) -> record.ServerTransaction:
        """Note a request that will be answered."""
        transaction = self.call.transactions.add()
        transaction.leg = leg.index
        transaction.transaction = request.transaction
        transaction.origin.CopyFrom(request.origin)
        transaction.origin_in_dialog = bool(request.to_tag)
        transaction.edges.append(reporter)
        self.changed = True
        return transaction

    def answer(
        self,
        transaction: record.ServerTransaction,
        status: int,
        reason: str,
        *,
        contact: bool = False,
        headers: Iterable[sip_pb2.Header] = (),
        body: sip_pb2.Body | None = None,
        rseq: int = 0,
    ) -> None:
        """Answer a request; owed until the edge confirms, a 2xx to INVITE until its ACK.

        With `rseq` the edge repeats a provisional until its PRACK (RFC 3262 3).
        """
        reference = transaction.transaction
        if transaction.HasField("answer"):
            self.settle_answers(reference)
        leg = self.call.legs[transaction.leg]
        invite = 200 <= status < 300 and transaction.origin.method == "INVITE"
        command = self._owe(record.PROOF_ACK if invite else record.PROOF_DONE, transaction.edges[0])
        respond = command.respond
        respond.transaction = reference
        respond.status = status
        respond.reason = reason
        if not transaction.origin_in_dialog:
            respond.to_tag = leg.local_tag
        if contact:
            respond.contact = True
        if self.policy.server:
            respond.headers.add(name="Server", value=self.policy.server)
        if headers:
            respond.headers.extend(headers)
        respond.peer_tag = leg.remote_tag
        if rseq:
            respond.rseq = rseq
        transaction.answer.CopyFrom(respond)
        if body is not None:
            respond.body.CopyFrom(body)
        self._emit(command, transaction)

    def settle_answers(self, reference: str) -> None:
        """Forget earlier answers of a transaction: a later one takes their place."""
        debts = self.call.debts
        answers = [
            position
            for position, debt in enumerate(debts[:])
            if debt.command.respond.transaction == reference
        ]
        for position in reversed(answers):
            del debts[position]

    def close_transaction(self, reference: str) -> None:
        """Forget a server transaction and what is owed to it."""
        self.settle_answers(reference)
        transactions = self.call.transactions
        for position, one in enumerate(transactions[:]):
            if one.transaction == reference:
                del transactions[position]
                self.changed = True
                return

    # -- requests --------------------------------------------------------------------------

    def next_branch(self, leg: record.Leg) -> str:
        """Mint a branch for a request on a leg."""
        call = self.call
        call.last_branch = number = call.last_branch + 1
        self.changed = True
        return self.minter.branch(call.key, leg.index, number)

    def request(
        self,
        command: edge.SendRequest,
        proof: record.Proof,
        leg: record.Leg,
        *,
        offer: sip_pb2.Body | None = None,
    ) -> None:
        """Send a request of ours on a leg and owe it until it is proved.

        `offer`, if given, is the caller's, for the body: the record holds it once, not in the debt.
        """
        method = command.method
        lasts = lifetime_of_request(self.policy, method, proof)
        owed = self._owe(proof, leg.edge, lasts, body_is_offer=offer is not None)
        owed.send_request.CopyFrom(command)
        if method == "INVITE":
            self.invites += (owed,)
        self.emissions.append((owed if offer is None else _with_body(owed, offer), None))

    def cancel(self, cancel: edge.Cancel, leg: record.Leg) -> None:
        """Cancel an INVITE of ours; owed until the INVITE's final answer."""
        command = self._owe(record.PROOF_INVITE_FINAL, leg.edge)
        command.cancel.CopyFrom(cancel)
        self.emissions.append((command, None))

    def repeat(self, command: edge.Command, origin: edge.Origin | None = None) -> None:
        """Send what needs no commit and what nobody owes, since its cause comes again if it is lost.

        The id is 0: an edge carries such a command out each time, and does not confirm it.
        """
        command.call_key = self.call.key
        self.emissions.append((command, origin))

    def stop_others(
        self, transaction: record.ServerTransaction, acknowledger: edge.EdgeRef, *, over: bool = True
    ) -> None:
        """Let the edges that did not see an ACK (or PRACK) stop repeating their answer.

        If the request is `over`, one that has no answer yet shall wait for none.
        """
        for joined in transaction.edges[:]:
            if joined != acknowledger:
                stop = edge.Stop(transaction=transaction.transaction, forget=over)
                self.repeat(edge.Command(stop=stop, edge=joined))

    def owe_inquiry(self, request_id: str) -> None:
        """Owe an authorisation until its reply; the request is made of the record each time."""
        debt = self._add_debt(record.PROOF_REPLY)
        debt.authorize_request_id = request_id

    def drop_inquiries(self) -> None:
        """No reply is awaited any more."""
        debts = self.call.debts
        self.pay([position for position, debt in enumerate(debts) if debt.authorize_request_id])

    # -- debts -----------------------------------------------------------------------------

    def _owe(
        self, proof: record.Proof, target: edge.EdgeRef, lasts_ms: int = 0, *, body_is_offer: bool = False
    ) -> edge.Command:
        """Add a debt to an edge and return its command; what it shall do is for the caller to fill in."""
        debt = self._add_debt(proof, lasts_ms)
        if body_is_offer:
            debt.body_is_offer = True
        command, call = debt.command, self.call
        command.id = call.last_debt
        command.call_key = call.key
        command.edge.CopyFrom(target)
        return command

    def _add_debt(self, proof: record.Proof, lasts_ms: int = 0) -> record.Debt:
        call, policy, now = self.call, self.policy, self.now
        call.last_debt = number = call.last_debt + 1
        self.changed = True
        debt = call.debts.add()
        debt.id = number
        debt.proof = proof
        debt.deadline_ms = now + policy.debt_retry_ms
        debt.expires_ms = now + (lasts_ms or lifetime_of_answer(policy))
        return debt

    def renumber_debts(self, above: int, by: int) -> None:
        """Give the debts of this turn, those above a number, numbers that are higher by some."""
        mine = range(above + 1, self.call.last_debt + 1)
        for debt in self.call.debts[:]:
            if debt.id in mine:
                debt.id += by
                debt.command.id += by
        for command, _ in self.emissions:
            if command.id in mine:
                command.id += by
        self.call.last_debt += by

    def issue(self, debt: record.Debt) -> None:
        """Emit the command of a debt once more."""
        command = debt.command
        if debt.body_is_offer:
            command = _with_body(command, self.call.invite.body)
        self._emit(
            command, self.transaction(command.respond.transaction) if command.HasField("respond") else None
        )

    def _emit(self, command: edge.Command, transaction: record.ServerTransaction | None) -> None:
        """Emit a command: an answer goes to each edge that has a part in the transaction."""
        if transaction is None:
            self.emissions.append((command, None))
            return
        origin = transaction.origin
        self.emissions.append((command, origin))
        if len(transaction.edges) == 1:
            return
        for joined in transaction.edges[1:]:
            copy = edge.Command()
            copy.CopyFrom(command)
            copy.edge.CopyFrom(joined)
            self.emissions.append((copy, origin))

    def pay(self, positions: Sequence[int]) -> None:
        """Remove proved debts by their positions, which must be in ascending order."""
        if not positions:
            return
        debts = self.call.debts
        for position in reversed(positions):
            del debts[position]
        self.changed = True

    def debt_of_branch(self, branch: str) -> int | None:
        """Return the position of the debt whose request left under a branch."""
        if branch:
            stem = branch[:BRANCH_STEM]
            for position, debt in enumerate(self.call.debts[:]):
                if debt.command.send_request.branch[:BRANCH_STEM] == stem:
                    return position
        return None

    def settle_cancel(self, branch: str) -> None:
        """Pay the CANCEL of an INVITE of ours that got its final answer."""
        self.pay(
            [
                position
                for position, debt in enumerate(self.call.debts[:])
                if debt.proof == record.PROOF_INVITE_FINAL
                and same_request(debt.command.cancel.branch, branch)
            ]
        )


def _with_body(command: edge.Command, offer: sip_pb2.Body) -> edge.Command:
    """Return a copy of a command whose request carries a body that the record holds elsewhere."""
    complete = edge.Command()
    complete.CopyFrom(command)
    complete.send_request.body.CopyFrom(offer)
    return complete
