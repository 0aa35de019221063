"""Scripted agents back to back, and one agent against a hand-made peer."""

import random

import pytest

from sipcore.errors import LocalProtocolError, PeerProtocolError
from sipcore.message import Request, Response
from sipcore.parser import parse_datagram
from sipcore.testing import (
    Address,
    Call,
    CallState,
    Clock,
    Ending,
    Faults,
    Kind,
    Script,
    ScriptedAgent,
    Wire,
    builders,
)
from sipcore.testing.agent import resolve_literally
from sipcore.testing.builders import sdp
from sipcore.timers import Timers

ALICE: Address = ("192.0.2.1", 5060)
BOB: Address = ("192.0.2.2", 5060)


class Stage:
    """Alice and Bob on one wire."""

    def __init__(self, bob: Script | None = None, *, timers: Timers | None = None) -> None:
        self.clock = Clock()
        self.wire = Wire(self.clock, random.Random(1).random, Faults(delay=0.01))
        self.alice = ScriptedAgent.on_wire("alice", ALICE, self.wire, self.clock, timers=timers or Timers())
        self.bob = ScriptedAgent.on_wire("bob", BOB, self.wire, self.clock, script=bob)

    def call(self, script: Script | None = None) -> Call:
        return self.alice.call("sip:bob@192.0.2.2", script=script)

    def play(self, script: Script | None = None) -> tuple[Call, Call]:
        """Alice calls Bob; both sides of the call when all is quiet."""
        ours = self.call(script)
        self.clock.run_until_idle()
        assert not self.alice.busy
        assert not self.bob.busy
        return ours, self.bob.calls[0]

    def lose(self, start: bytes, times: int) -> None:
        """The first so many datagrams that start like this get lost."""
        left = [times]

        def cut(data: bytes, source: Address, destination: Address) -> bool:
            hit = data.startswith(start) and left[0] > 0
            left[0] -= hit
            return hit

        self.wire.cut = cut


def outline(call: Call) -> tuple[CallState, Ending | None, int]:
    return call.state, call.ending, call.status


def messages(agent: ScriptedAgent, kind: Kind, method: str = "", status: int | None = None) -> list[str]:
    return [f"{r.method} {r.status or ''}".strip() for r in agent.happened(kind, method, status)]


def test_a_call_is_placed_answered_and_ended() -> None:
    stage = Stage()
    ours, theirs = stage.play(Script(hangup_after=2.0))
    assert outline(ours) == (CallState.ENDED, Ending.HUNG_UP, 200)
    assert outline(theirs) == (CallState.ENDED, Ending.PEER_HUNG_UP, 200)
    assert messages(stage.alice, Kind.RESPONSE_RECEIVED) == [
        "INVITE 100",
        "INVITE 180",
        "INVITE 200",
        "BYE 200",
    ]
    assert messages(stage.bob, Kind.REQUEST_RECEIVED) == ["INVITE", "BYE"]
    times = [round(record.time, 3) for record in stage.alice.happened(Kind.RESPONSE_RECEIVED)]
    assert times == [0.02, 0.12, 0.52, 2.54]
    assert ours.remote_bodies == [Script().answer]
    assert theirs.remote_bodies == [Script().offer]


def test_the_callee_hangs_up() -> None:
    ours, theirs = Stage(Script(hangup_after=1.0)).play()
    assert outline(ours) == (CallState.ENDED, Ending.PEER_HUNG_UP, 200)
    assert outline(theirs) == (CallState.ENDED, Ending.HUNG_UP, 200)


def test_a_refusal() -> None:
    stage = Stage(Script(status=486, headers=(("Retry-After", "9"),)))
    ours, theirs = stage.play()
    assert outline(ours) == outline(theirs) == (CallState.ENDED, Ending.REFUSED, 486)
    assert b"Retry-After: 9\r\n" in stage.alice.happened(Kind.RESPONSE_RECEIVED, status=486)[0].data


def test_the_script_may_depend_on_the_invite() -> None:
    stage = Stage()
    stage.bob = ScriptedAgent.on_wire(
        "bob",
        BOB,
        stage.wire,
        stage.clock,
        script=lambda invite: Script(status=404 if "nobody" in invite.uri else 200),
    )
    call = stage.alice.call("sip:nobody@192.0.2.2")
    stage.clock.run_until_idle()
    assert call.status == 404


def test_a_cancelled_call() -> None:
    stage = Stage(Script(answer_after=10.0))
    ours, theirs = stage.play(Script(cancel_after=1.0))
    assert outline(ours) == outline(theirs) == (CallState.ENDED, Ending.CANCELLED, 487)
    assert messages(stage.alice, Kind.RESPONSE_RECEIVED, "CANCEL") == ["CANCEL 200"]
    tags = {
        parsed.to_tag
        for record in stage.alice.happened(Kind.RESPONSE_RECEIVED)
        if isinstance(parsed := parse_datagram(record.data), Response) and parsed.status > 100
    }
    assert len(tags) == 1


def test_a_cancel_waits_for_the_first_provisional_response() -> None:
    stage = Stage(Script(answer_after=10.0))
    stage.lose(b"SIP/2.0 1", 2)
    stage.play(Script(cancel_after=0.05))
    (cancel,) = stage.alice.happened(Kind.REQUEST_SENT, "CANCEL")
    (first,) = stage.alice.happened(Kind.RESPONSE_RECEIVED, "INVITE", 180)
    assert cancel.time == first.time > 0.5


def test_a_2xx_that_crosses_the_cancel_is_acknowledged_and_hung_up_on() -> None:
    stage = Stage(Script(answer_after=0.5))
    ours, theirs = stage.play(Script(cancel_after=0.505))
    assert outline(ours) == (CallState.ENDED, Ending.CANCELLED, 200)
    assert outline(theirs) == (CallState.ENDED, Ending.PEER_HUNG_UP, 200)
    assert len(stage.alice.happened(Kind.ACK_SENT)) == 1


def test_every_repeated_2xx_is_acknowledged_with_the_same_ack() -> None:
    stage = Stage()
    stage.lose(b"ACK", 3)
    stage.play(Script(hangup_after=20.0))
    acks = stage.alice.happened(Kind.ACK_SENT)
    assert [round(ack.time, 2) for ack in acks] == [0.52, 1.02, 2.02, 4.02]
    assert len({ack.data for ack in acks}) == 1
    assert len(stage.bob.happened(Kind.ACK_RECEIVED)) == 1


def test_a_repeated_ack_is_no_stranger() -> None:
    stage = Stage()
    stage.wire.faults = Faults(duplication=1.0)
    stage.play(Script(hangup_after=1.0))
    assert stage.bob.happened(Kind.UNMATCHED) == []


def test_without_any_ack_the_callee_ends_the_call() -> None:
    stage = Stage()
    stage.lose(b"ACK", 99)
    ours, theirs = stage.play()
    assert outline(ours) == (CallState.ENDED, Ending.PEER_HUNG_UP, 200)
    assert outline(theirs) == (CallState.ENDED, Ending.UNACKNOWLEDGED, 200)
    (missing,) = stage.bob.happened(Kind.ACK_MISSING)
    assert round(missing.time, 2) == 32.51


def test_no_bye_before_the_ack() -> None:
    stage = Stage(Script(answer_after=0.5))
    stage.lose(b"ACK", 1)
    stage.call()
    stage.clock.run_until(0.6)
    (theirs,) = stage.bob.calls
    theirs.hang_up()
    stage.clock.run_until_idle()
    assert (
        stage.bob.happened(Kind.REQUEST_SENT, "BYE")[0].time == stage.bob.happened(Kind.ACK_RECEIVED)[0].time
    )
    assert theirs.ending is Ending.HUNG_UP


def test_nobody_answers_at_all() -> None:
    stage = Stage()
    stage.lose(b"INVITE", 99)
    ours = stage.call()
    stage.clock.run_until_idle()
    assert outline(ours) == (CallState.ENDED, Ending.REFUSED, 408)
    assert stage.alice.happened(Kind.TIMED_OUT)[0].time == 32.0
    assert stage.alice.happened(Kind.REQUEST_SENT, "CANCEL") == []


def test_ringing_for_too_long_is_cancelled() -> None:
    stage = Stage(Script(answer_after=None), timers=Timers(invite_expiry=10.0))
    ours, theirs = stage.play()
    assert outline(ours) == (CallState.ENDED, Ending.REFUSED, 408)
    assert outline(theirs) == (CallState.ENDED, Ending.CANCELLED, 487)


def test_a_2xx_after_the_caller_gave_up_is_acknowledged_and_ended() -> None:
    stage = Stage(Script(answer_after=10.115), timers=Timers(invite_expiry=10.0))
    ours, theirs = stage.play()
    assert outline(ours) == (CallState.ENDED, Ending.REFUSED, 408)
    assert outline(theirs) == (CallState.ENDED, Ending.PEER_HUNG_UP, 200)


def test_hanging_up_fits_the_state() -> None:
    stage = Stage(Script(answer_after=None))
    ours = stage.call()
    stage.clock.run_until(1.0)
    stage.bob.calls[0].hang_up()
    stage.clock.run_until_idle()
    assert outline(ours) == (CallState.ENDED, Ending.REFUSED, 603)
    early = stage.call()
    stage.clock.run_for(1.0)
    early.hang_up()
    stage.clock.run_until_idle()
    assert outline(early) == (CallState.ENDED, Ending.CANCELLED, 487)


def test_requests_inside_the_dialog() -> None:
    stage = Stage()
    _, theirs = stage.play(Script(info_after=1.0, reinvite_after=2.0, hangup_after=3.0))
    assert messages(stage.alice, Kind.RESPONSE_RECEIVED, "INFO") == ["INFO 200"]
    assert messages(stage.alice, Kind.RESPONSE_RECEIVED, "INVITE", 200) == ["INVITE 200"] * 2
    assert len(stage.bob.happened(Kind.ACK_RECEIVED)) == 2
    assert len(theirs.remote_bodies) == 2
    numbers = [parse_datagram(r.data).cseq.number for r in stage.bob.happened(Kind.REQUEST_RECEIVED)]
    assert numbers == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("method", "status"),
    [("OPTIONS", 200), ("UPDATE", 200), ("NOTIFY", 200), ("REFER", 202), ("PUBLISH", 405)],
)
def test_other_requests_inside_the_dialog(method: str, status: int) -> None:
    stage = Stage()
    ours = stage.call()
    stage.clock.run_until(1.0)
    ours.request(method)
    stage.clock.run_until(2.0)
    assert messages(stage.alice, Kind.RESPONSE_RECEIVED, method) == [f"{method} {status}"]


def test_a_transfer_is_asked_for() -> None:
    stage = Stage()
    ours = stage.call()
    stage.clock.run_until(1.0)
    ours.refer("sip:carol@192.0.2.9")
    stage.clock.run_until(2.0)
    refer = parse_datagram(stage.bob.happened(Kind.REQUEST_RECEIVED, "REFER")[0].data)
    assert isinstance(refer, Request)
    assert refer.headers.get("Refer-To") == "<sip:carol@192.0.2.9>"
    assert refer.contact is not None
    assert ours.state is CallState.ESTABLISHED


def test_an_update_is_answered_with_a_session() -> None:
    stage = Stage()
    ours = stage.call()
    stage.clock.run_until(1.0)
    ours.update(sdp(version=2))
    assert ours.offering
    with pytest.raises(LocalProtocolError, match="an offer"):
        ours.update(sdp(version=3))
    with pytest.raises(LocalProtocolError, match="or an offer"):
        ours.reinvite()
    stage.clock.run_until(2.0)
    assert not ours.offering
    assert ours.remote_bodies[-1] == Script().answer


def test_updates_that_cross_are_refused() -> None:
    stage = Stage()
    ours = stage.call()
    stage.clock.run_until(1.0)
    ours.update(sdp(version=2))
    stage.bob.calls[0].update(sdp(version=3))
    stage.clock.run_until(2.0)
    assert messages(stage.alice, Kind.RESPONSE_RECEIVED, "UPDATE") == ["UPDATE 491"]
    assert messages(stage.bob, Kind.RESPONSE_RECEIVED, "UPDATE") == ["UPDATE 491"]


def test_a_refused_reinvite_leaves_the_call_alone() -> None:
    stage = Stage(Script(reinvite_status=488))
    ours, _ = stage.play(Script(reinvite_after=1.0, hangup_after=2.0))
    assert messages(stage.alice, Kind.RESPONSE_RECEIVED, status=488) == ["INVITE 488"]
    assert ours.ending is Ending.HUNG_UP


@pytest.mark.parametrize("method", ["INVITE", "INFO"])
def test_a_dialog_that_the_peer_forgot_is_ended(method: str) -> None:
    stage = Stage(Script(reinvite_status=481))
    ours = stage.call()
    stage.clock.run_until(1.0)
    if method == "INFO":
        stage.bob._calls.clear()
        ours.info()
    else:
        ours.reinvite()
    stage.clock.run_until(2.0)
    assert ours.ending is Ending.HUNG_UP
    assert ours.state is CallState.ENDED


def test_a_repeated_2xx_to_a_reinvite_is_acknowledged_again() -> None:
    stage = Stage()
    ours = stage.call()
    stage.clock.run_until(1.0)
    stage.lose(b"ACK", 2)
    ours.reinvite()
    stage.clock.run_until(5.0)
    assert len(stage.alice.happened(Kind.ACK_SENT)) == 4
    assert len(ours.remote_bodies) == 2
    ours.hang_up()
    stage.clock.run_until_idle()
    assert ours.ending is Ending.HUNG_UP


def test_crossing_byes_end_the_call_once_on_each_side() -> None:
    stage = Stage()
    ours = stage.call()
    stage.clock.run_until(1.0)
    theirs = stage.bob.calls[0]
    ours.hang_up()
    theirs.hang_up()
    stage.clock.run_until_idle()
    for agent, call in ((stage.alice, ours), (stage.bob, theirs)):
        assert outline(call) == (CallState.ENDED, Ending.HUNG_UP, 200)
        assert len(agent.happened(Kind.ENDED)) == 1


def test_giving_up_twice_sends_one_cancel() -> None:
    stage = Stage(Script(answer_after=None))
    ours = stage.call()
    stage.clock.run_until(1.0)
    ours.cancel()
    ours.cancel()
    stage.clock.run_until_idle()
    assert len(stage.alice.happened(Kind.REQUEST_SENT, "CANCEL")) == 1


def test_what_comes_after_the_final_response_is_not_sent() -> None:
    stage = Stage(Script(status=486))
    _, theirs = stage.play()
    theirs.ring()
    assert messages(stage.bob, Kind.RESPONSE_SENT) == ["INVITE 100", "INVITE 180", "INVITE 486"]


def test_a_peer_that_cannot_be_reached_is_a_503() -> None:
    stage = Stage()
    ours = stage.call()
    stage.alice.lose(("192.0.2.99", 5060))
    assert ours.state is CallState.CALLING
    stage.alice.lose(BOB)
    assert outline(ours) == (CallState.ENDED, Ending.REFUSED, 503)


def test_crossing_reinvites_are_both_refused() -> None:
    stage = Stage()
    ours = stage.call()
    stage.clock.run_until(1.0)
    ours.reinvite()
    stage.bob.calls[0].reinvite()
    stage.clock.run_until(2.0)
    for agent in (stage.alice, stage.bob):
        assert messages(agent, Kind.RESPONSE_RECEIVED, status=491) == ["INVITE 491"]
    assert ours.state is CallState.ESTABLISHED


def test_one_invite_at_a_time() -> None:
    stage = Stage()
    ours = stage.call()
    with pytest.raises(LocalProtocolError, match="not established but calling"):
        ours.info()
    stage.clock.run_until(1.0)
    ours.reinvite()
    with pytest.raises(LocalProtocolError, match="an INVITE is open"):
        ours.reinvite()


def test_a_late_offer_is_answered_in_the_ack() -> None:
    ours, theirs = Stage().play(Script(offer=b"", hangup_after=1.0))
    assert ours.remote_bodies == [Script().offer]
    assert theirs.remote_bodies == [Script().answer]


class Peer:
    """One agent with an open wire end beside it, to hand it any message."""

    def __init__(self, script: Script | None = None) -> None:
        self.clock = Clock()
        self.wire = Wire(self.clock, random.Random(1).random)
        self.agent = ScriptedAgent.on_wire("bob", BOB, self.wire, self.clock, script=script)
        self.got: list[Request | Response] = []
        self._send = self.wire.attach(ALICE, lambda data, source: self.got.append(parse_datagram(data)))

    def send(self, data: bytes) -> list[Request | Response]:
        """Hands over a message; what came back within 50 ms."""
        seen = len(self.got)
        self._send(data, BOB)
        self.clock.run_for(0.05)
        return self.got[seen:]

    def status(self, data: bytes) -> list[int]:
        return [message.status for message in self.send(data) if isinstance(message, Response)]

    def called(self) -> tuple[Call, Request]:
        """Bob calls; his call, and the INVITE that came."""
        call = self.agent.call("sip:alice@192.0.2.1")
        self.clock.run_for(0.05)
        sent = self.got[-1]
        assert isinstance(sent, Request)
        return call, sent

    def establish(self) -> str:
        """Calls Bob; his tag."""
        self.send(builders.invite())
        self.clock.run_for(1.0)
        tag = self.got[-1].to_tag
        self.send(builders.request("ACK", to_tag=tag, branch="z9hG4bK-a"))
        return tag


def test_repeated_requests_are_absorbed() -> None:
    peer = Peer(Script(ring_after=0.2))
    assert peer.status(builders.invite()) == [100]
    assert peer.status(builders.invite()) == [100]
    assert len(peer.agent.calls) == 1


def test_cseq_must_grow() -> None:
    peer = Peer()
    tag = peer.establish()
    assert peer.status(builders.request("INFO", to_tag=tag, cseq=5, branch="z9hG4bK-b")) == [200]
    assert peer.status(builders.request("INFO", to_tag=tag, cseq=5, branch="z9hG4bK-c")) == [500]
    assert peer.status(builders.request("INFO", to_tag=tag, cseq=4, branch="z9hG4bK-d")) == [500]
    assert peer.status(builders.request("BYE", to_tag=tag, cseq=9, branch="z9hG4bK-e")) == [200]
    assert peer.status(builders.request("INFO", to_tag=tag, cseq=10, branch="z9hG4bK-f")) == [481]


def test_an_ack_with_a_number_of_no_invite_is_discarded() -> None:
    peer = Peer()
    tag = peer.establish()
    peer.send(builders.request("ACK", to_tag=tag, cseq=7, branch="z9hG4bK-b"))
    assert len(peer.agent.happened(Kind.UNMATCHED, "ACK")) == 1


def test_an_early_bye_ends_the_invite_too() -> None:
    peer = Peer(Script(answer_after=None))
    peer.send(builders.invite())
    peer.clock.run_for(0.2)
    tag = peer.got[-1].to_tag
    assert peer.status(builders.request("BYE", to_tag=tag, cseq=2, branch="z9hG4bK-b")) == [200, 487]
    assert outline(peer.agent.calls[0]) == (CallState.ENDED, Ending.PEER_HUNG_UP, 487)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (builders.request("OPTIONS"), 200),
        (builders.request("BYE"), 481),
        (builders.request("CANCEL"), 481),
        (builders.request("PUBLISH"), 405),
        (builders.request("BYE", to_tag="unknown"), 481),
        (builders.invite(to_tag="unknown"), 481),
    ],
    ids=["options", "bye", "cancel", "publish", "unknown dialog", "unknown dialog invite"],
)
def test_requests_outside_of_a_call(data: bytes, status: int) -> None:
    assert Peer().status(data) == [status]


def test_a_stranger_in_the_dialog_is_refused() -> None:
    peer = Peer()
    tag = peer.establish()
    assert peer.status(builders.request("BYE", to_tag=tag, from_tag="other", cseq=2, branch="z9hG4bK-b")) == [
        481
    ]


def test_a_merged_request_is_refused() -> None:
    peer = Peer()
    peer.send(builders.invite())
    assert peer.status(builders.invite(branch="z9hG4bK-other")) == [482]
    assert len(peer.agent.calls) == 1


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"nonsense", Kind.UNREADABLE),
        (builders.request("ACK", to_tag="unknown"), Kind.UNMATCHED),
        (builders.response_to(builders.invite(), 200, to_tag="x"), Kind.UNMATCHED),
        (builders.invite().replace(b"1 INVITE", b"1 BYE"), Kind.UNREADABLE),
    ],
    ids=["nonsense", "ack", "response", "cseq method"],
)
def test_what_is_discarded_is_on_the_record(data: bytes, kind: Kind) -> None:
    peer = Peer()
    assert peer.send(data) == []
    assert [record.kind for record in peer.agent.records] == [kind]


def test_routes_of_the_peer_are_followed_and_responses_follow_rport() -> None:
    peer = Peer(Script(hangup_after=0.1))
    routes = (("Record-Route", "<sip:192.0.2.1:5060;lr>, <sip:p2.example.com;lr>"),)
    data = builders.invite(headers=routes, contact="sip:alice@203.0.113.9", via="SIP/2.0/UDP 10.0.0.1:9")
    peer.send(data)
    peer.clock.run_for(1.0)
    answer = peer.got[-1]
    assert (answer.via.received, answer.via.rport) == ALICE
    peer.send(builders.request("ACK", to_tag=answer.to_tag, branch="z9hG4bK-a"))
    peer.clock.run_for(0.2)
    bye = peer.got[-1]
    assert isinstance(bye, Request)
    assert (bye.method, bye.uri) == ("BYE", "sip:alice@203.0.113.9")
    assert bye.routes == ("<sip:192.0.2.1:5060;lr>", "<sip:p2.example.com;lr>")


def test_a_reinvite_refreshes_the_remote_target() -> None:
    peer = Peer()
    tag = peer.establish()
    data = builders.invite(to_tag=tag, cseq=2, branch="z9hG4bK-b", contact="sip:alice@192.0.2.1:5060;moved")
    assert peer.status(data) == [200]
    peer.send(builders.request("ACK", to_tag=tag, cseq=2, branch="z9hG4bK-c"))
    peer.agent.calls[0].hang_up()
    peer.clock.run_for(0.1)
    bye = peer.got[-1]
    assert isinstance(bye, Request)
    assert bye.uri == "sip:alice@192.0.2.1:5060;moved"


def test_a_second_fork_is_acknowledged_and_hung_up_on() -> None:
    peer = Peer()
    call, sent = peer.called()
    contact = "sip:alice@192.0.2.1"
    (first,) = peer.send(builders.response_to(sent, 200, to_tag="one", contact=contact))
    second = peer.send(builders.response_to(sent, 200, to_tag="two", contact=contact))
    assert isinstance(first, Request)
    assert (first.method, first.to_tag) == ("ACK", "one")
    assert [(m.method, m.to_tag) for m in second if isinstance(m, Request)] == [
        ("ACK", "two"),
        ("BYE", "two"),
    ]
    assert call.state is CallState.ESTABLISHED


def test_a_bye_before_the_2xx_ends_the_call_and_the_2xx_is_still_acknowledged() -> None:
    peer = Peer()
    call, sent = peer.called()
    assert peer.status(bye_to(sent)) == [200]
    answers = peer.send(builders.response_to(sent, 200, to_tag="one", contact="sip:alice@192.0.2.1"))
    assert [m.method for m in answers if isinstance(m, Request)] == ["ACK"]
    assert outline(call) == (CallState.ENDED, Ending.PEER_HUNG_UP, 0)


def test_a_refusal_after_an_early_bye_is_no_second_end() -> None:
    peer = Peer()
    call, sent = peer.called()
    peer.send(bye_to(sent))
    peer.send(builders.response_to(sent, 487, to_tag="one"))
    assert outline(call) == (CallState.ENDED, Ending.PEER_HUNG_UP, 487)
    assert len(peer.agent.happened(Kind.ENDED)) == 1


def test_a_reinvite_may_ring_too() -> None:
    peer = Peer()
    call, sent = peer.called()
    peer.send(builders.response_to(sent, 200, to_tag="one", contact="sip:alice@192.0.2.1"))
    call.reinvite()
    peer.clock.run_for(0.05)
    again = peer.got[-1]
    assert isinstance(again, Request)
    assert peer.send(builders.response_to(again, 180)) == []
    (ack,) = peer.send(builders.response_to(again, 200))
    assert str(ack.cseq) == "2 ACK"


def bye_to(sent: Request) -> bytes:
    """A BYE from the called side of this INVITE."""
    return builders.request(
        "BYE", call_id=sent.call_id, from_tag="one", to_tag=sent.from_tag, branch="z9hG4bK-bye"
    )


def test_over_tcp_nothing_but_the_2xx_is_repeated() -> None:
    clock = Clock()
    sent: list[bytes] = []
    agent = ScriptedAgent(
        "carol", ("2001:db8::1", 5060), lambda data, _: sent.append(data), clock, transport="TCP"
    )
    agent.call("sip:bob@192.0.2.2")
    clock.run_until(31.0)
    assert len(sent) == 1
    request = builders.as_request(sent[0])
    assert str(request.via).startswith("SIP/2.0/TCP [2001:db8::1]:5060;branch=")
    assert request.contact is not None
    assert request.contact.uri == "sip:carol@[2001:db8::1]:5060;transport=tcp"
    agent.receive(builders.invite(via="SIP/2.0/TCP 192.0.2.1:5060"), ("192.0.2.1", 33333))
    clock.run_for(2.2)
    assert [data[:11] for data in sent[1:]] == [b"SIP/2.0 100", b"SIP/2.0 180", b"SIP/2.0 200"] + [
        b"SIP/2.0 200"
    ] * 2


def test_addresses_are_taken_literally() -> None:
    assert resolve_literally("sip:a@[2001:db8::1]:5070") == ("2001:db8::1", 5070)
    assert resolve_literally("sip:example.com") == ("example.com", 5060)
    with pytest.raises(PeerProtocolError):
        resolve_literally("tel:+123")
