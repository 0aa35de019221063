"""Whatever happens to a call, in whatever order: it ends, everybody is told once, nothing remains."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from support.call_driver import ANSWER, OFFER, CallDriver

#: Longer than the longest timer of an unanswered call, and all that follows.
_LONG = 420.0
#: As many legs are heard of.
_LEGS = 6


class Peers:
    """The two peers of a call, acting without plan but within what UDP can do to them."""

    def __init__(self, routes: int, late_offer: bool, transfer: str) -> None:
        addresses = [f"192.0.2.{number}" for number in range(1, routes + 1)]
        self.driver = CallDriver(*addresses, transfer=transfer)
        self.finals: dict[str, set[int]] = {}
        self.newcomers = 0
        self.told: list[tuple[int, edge.Event]] = []
        self.invites: list[edge.SendRequest] = []
        self.requests: list[edge.SendRequest] = []
        self.cseq = {0: 1, **dict.fromkeys(range(1, _LEGS), 0)}
        self.commits = 0
        self.remember(self.driver.invite(body=None if late_offer else OFFER))

    def remember(self, event: edge.Event) -> None:
        """Note an event that was told, and what it caused.

        One that meant nothing when it came is not kept: its repetition may come when it means something.
        """
        commits = self.driver.pod.counters.commits
        if commits != self.commits:
            self.commits = commits
            self.told.append((self.driver.time[0], event))
        self.collect()

    def collect(self) -> None:
        """Carry out what the edge was told: note it, and confirm what an edge confirms."""
        refs = []
        for command in self.driver.commands():
            if command.WhichOneof("kind") == "respond":
                # Only INVITEs that open a dialog have no tag of ours in their To.
                opening = command.respond.transaction.endswith(" INVITE") and command.respond.to_tag
                if opening and command.respond.status >= 200 and command.id:
                    self.finals.setdefault(command.respond.transaction, set()).add(command.id)
            request = command.send_request
            if request.method == "INVITE":
                self.invites.append(request)
            elif request.method not in ("", "ACK"):
                self.requests.append(request)
            if command.id and (command.WhichOneof("kind") != "send_request" or request.method == "ACK"):
                refs.append(edge.CommandRef(call_key=command.call_key, id=command.id))
        self.driver.pod.on_done(self.driver.port, refs)
        self.look()

    def look(self) -> None:
        """Whoever is connected is there; one alone waits for the target of a transfer."""
        call = self.driver.call
        if call is None or call.state == record.CALL_STATE_ENDED:
            return
        assert all(call.legs[index].state == record.LEG_STATE_CONFIRMED for index in call.connected)
        assert len(call.connected) in ((1, 2) if call.HasField("transfer") else (0, 2))
        if call.HasField("subscription"):
            assert call.legs[call.subscription.leg].state == record.LEG_STATE_CONFIRMED

    # Each action takes a number that chooses among what there is.

    def sent(self, choice: int) -> None:
        if self.invites:
            self.remember(self.driver.sent(self.invites[choice % len(self.invites)].branch))

    def provisional(self, choice: int) -> None:
        self._answer_invite(choice, (100, 180, 183)[choice % 3])

    def success(self, choice: int) -> None:
        self._answer_invite(choice, 200, tag=("one", "one", "one", "other", "")[choice % 5])

    def failure(self, choice: int) -> None:
        self._answer_invite(choice, (302, 404, 408, 481, 486, 491, 503, 603)[choice % 8])

    def _answer_invite(self, choice: int, status: int, tag: str = "one") -> None:
        if self.invites:
            invite = self.invites[choice % len(self.invites)]
            event = self.driver.response(status, invite.branch, cseq=invite.cseq, to_tag=tag, body=ANSWER)
            self.remember(event)

    def final(self, choice: int) -> None:
        if self.requests:
            request = self.requests[choice % len(self.requests)]
            status = (200, 481, 408)[choice % 3]
            event = self.driver.response(status, request.branch, method=request.method, cseq=request.cseq)
            self.remember(event)

    def replace(self, choice: int) -> None:
        """Somebody else wants the place of one who has part in the call."""
        call = self.driver.call
        if call is not None:
            dialog = self.driver.dialog(choice % len(call.legs))
            self.newcomers += 1
            body = OFFER if choice % 3 else None
            self.remember(self.driver.newcomer(dialog, body=body, number=self.newcomers))

    def cancel(self, choice: int) -> None:
        self.remember(self.driver.cancel())

    def acknowledge(self, choice: int) -> None:
        leg = choice % _LEGS
        self.remember(self.driver.in_dialog("ACK", max(1, self.cseq[leg]), leg=leg))

    def ask(self, choice: int) -> None:
        leg = choice % _LEGS
        method = ("INVITE", "BYE", "INFO", "OPTIONS", "REFER", "UPDATE")[choice // _LEGS % 6]
        self._ask(leg, method, choice)

    def refer(self, choice: int) -> None:
        """One of the first three asks for a transfer."""
        self._ask(choice % 3, "REFER", choice)

    def _ask(self, leg: int, method: str, choice: int) -> None:
        self.cseq[leg] += 1
        body = sip_pb2.Body(data=b"%d" % (choice % 7), content_type="application/sdp") if choice % 4 else None
        headers = (("Refer-To", "sip:3003@example.org"),) if method == "REFER" and choice % 5 else ()
        if method == "BYE" and choice % 3 == 0:
            headers = (("Also", "sip:3003@example.org"),)
        if choice % 11 == 0:
            headers += (("Refer-Sub", "false"),)
        self.remember(self.driver.in_dialog(method, self.cseq[leg], leg=leg, body=body, headers=headers))

    def establish(self, choice: int) -> None:
        """Somebody who is called answers, as far as possible with a session."""
        self.sent(-1)
        self._answer_invite(-1, 200, tag=f"tag{choice % 3}")
        self.remember(self.driver.in_dialog("ACK", 1, leg=0))

    def again(self, choice: int) -> None:
        """A repeated event changes no more than what was proved meanwhile."""
        told_at, event = self.told[choice % len(self.told)]
        if self.driver.time[0] - told_at >= self.driver.policy.tombstone_ms:
            return
        recent = event.id > self.driver.events - 10
        before = self.driver.call
        self.remember(self.driver.tell(event))
        after = self.driver.call
        if recent and before is not None and after is not None:
            assert after.state == before.state
            assert [leg.state for leg in after.legs] == [leg.state for leg in before.legs]

    def another_pod(self, choice: int) -> None:
        self.driver.pod = self.driver.new_pod()
        self.commits = 0

    def wait(self, choice: int) -> None:
        self.driver.pass_time((0.5, 2.0, 40.0)[choice % 3])
        self.collect()


_ACTIONS: tuple[Callable[[Peers, int], None], ...] = (
    Peers.sent,
    Peers.provisional,
    Peers.success,
    Peers.establish,
    Peers.establish,
    Peers.refer,
    Peers.replace,
    Peers.failure,
    Peers.final,
    Peers.cancel,
    Peers.acknowledge,
    Peers.ask,
    Peers.again,
    Peers.another_pod,
    Peers.wait,
)


@given(
    routes=st.integers(1, 3),
    late_offer=st.booleans(),
    up=st.booleans(),
    transfer=st.sampled_from(("pass", "perform")),
    steps=st.lists(st.tuples(st.sampled_from(_ACTIONS), st.integers(0, 200)), max_size=25),
)
def test_every_call_ends_and_leaves_nothing(
    routes: int,
    late_offer: bool,
    up: bool,
    transfer: str,
    steps: list[tuple[Callable[[Peers, int], None], int]],
) -> None:
    peers = Peers(routes, late_offer, transfer)
    if up:
        peers.establish(0)
    for action, choice in steps:
        action(peers, choice)
    driver = peers.driver
    for leg in range(_LEGS if driver.call is not None and driver.call.ack_by_ms == 0 else 0):
        driver.in_dialog("BYE", 1_000, leg=leg)
    driver.pass_time(_LONG)
    peers.collect()
    assert driver.call is None
    assert driver.pod.cached_calls == 0
    assert driver.store.active == set()
    due: list[str] = []
    driver.time[0] += driver.policy.max_call_ms * 3
    driver.store.claim_due_many(range(driver.store.shards), 100, due.extend)
    assert due == []
    assert [len(ids) for ids in peers.finals.values()] == [1] * (1 + peers.newcomers)
