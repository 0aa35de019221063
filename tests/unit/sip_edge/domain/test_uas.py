"""Requests that come in, and the answers of call-control to them."""

from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain import DropReason, Lifecycle
from sip_edge.domain.refusals import ALLOW, OUTSIDE
from sipcore.message import Response
from sipcore.testing.builders import ack_to, cancel_of, invite, request, sdp
from support.edge_world import CALLER, IDENTITY, TCP, UDP, World, in_dialog


def _response(world: World) -> Response:
    message = world.sent()
    assert isinstance(message, Response)
    return message


def _answered(world: World, status: int = 200) -> edge_pb2.Event:
    """A call whose INVITE has its final answer."""
    event = world.open_call()
    world.respond(event, status, contact=status < 300)
    world.packets()
    world.done()
    return event


def _ack(event: edge_pb2.Event, **fields: object) -> bytes:
    return in_dialog("ACK", event, **{"cseq": 1, **fields})


class TestInvite:
    def test_is_answered_100_and_becomes_an_event_with_the_call_key(self) -> None:
        world = World()
        data = invite(headers=[("Subject", "hello"), ("X-Other", "1"), ("k", "timer")])
        world.receive(data)
        assert _response(world).status == 100
        event = world.event()
        asked = event.request
        assert event.opens_call
        assert event.id == 1
        assert event.edge == edge_pb2.EdgeRef(edge_id="edge-0", boot=7)
        assert event.call_key == IDENTITY.call_key(
            "call-1@192.0.2.1", "alice-1", 1, "192.0.2.1:5060", "z9hG4bK-1"
        )
        assert asked.merge_key == IDENTITY.merge_key("call-1@192.0.2.1", "alice-1", 1, "sip:bob@192.0.2.2")
        assert asked.transaction == "z9hG4bK-1 192.0.2.1:5060 INVITE"
        assert (asked.from_tag, asked.to_tag) == ("alice-1", "")
        assert asked.contact_uri == "sip:alice@192.0.2.1:5060"
        assert (asked.max_forwards, asked.expires) == (70, -1)
        assert [(header.name, header.value) for header in asked.headers] == [
            ("Subject", "hello"),
            ("k", "timer"),
        ]
        assert asked.body.data == sdp()
        assert asked.body.content_type == "application/sdp"
        origin = asked.origin
        assert list(origin.via) == [
            "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1;rport=5060;received=192.0.2.1"
        ]
        assert (origin.source.ip, origin.source.port, origin.source.transport) == (*CALLER, "udp")
        assert (origin.listener, origin.flow, origin.method, origin.cseq) == ("udp", "", "INVITE", 1)

    def test_repetition_gets_the_last_answer_and_no_event(self) -> None:
        world = World()
        event = world.open_call()
        world.receive(invite())
        assert world.lines() == ["100"]
        world.respond(event, 180)
        world.packets()
        world.receive(invite())
        assert world.lines() == ["180"]
        assert not world.events()
        assert world.drops() == {DropReason.REPEATED_REQUEST: 2}

    def test_same_branch_of_another_sent_by_is_another_request(self) -> None:
        world = World()
        world.open_call()
        world.receive(invite(via="SIP/2.0/UDP 192.0.2.9:5060"))
        assert world.event().opens_call

    def test_timestamp_is_repeated_in_the_100(self) -> None:
        world = World()
        world.receive(invite(headers=[("Timestamp", "54")]))
        assert _response(world).headers.get("timestamp") == "54"

    def test_of_rfc_2543_is_recognised_by_its_fields(self) -> None:
        world = World()
        data = invite(branch="1")
        event = world.open_call(data)
        world.receive(data)
        assert not world.events()
        world.respond(event, 486)
        refusal = world.packets()[-1].message
        assert isinstance(refusal, Response)
        world.receive(ack_to(data, refusal))
        assert world.drops()[DropReason.ACK_ABSORBED] == 1
        world.receive(invite(branch="1", cseq=2))
        assert len(world.events()) == 1

    def test_that_is_never_answered_gets_500(self) -> None:
        world = World()
        world.open_call()
        world.pass_time(599)
        assert not world.packets()
        world.pass_time(2)
        assert world.lines()[0] == "500"
        assert world.drops() == {DropReason.UNANSWERED: 1}

    def test_that_is_not_utf8_is_refused(self) -> None:
        world = World()
        world.receive(invite().replace(b"Via:", b"Subject: \xff\r\nVia:", 1))
        assert world.lines() == ["100", "400"]
        assert not world.events()

    def test_source_is_where_the_packet_came_from_whatever_its_vias_say(self) -> None:
        world = World()
        data = invite(headers=[("Via", "SIP/2.0/UDP 192.0.2.77;branch=z9hG4bK-x;received=192.0.2.78")])
        world.receive(data.replace(b";rport", b";rport;received=192.0.2.79"), ("203.0.113.9", 5060))
        origin = world.event().request.origin
        assert (origin.source.ip, origin.source.port) == ("203.0.113.9", 5060)
        assert "192.0.2.79" not in origin.via[0]


class TestAnswers:
    def test_2xx_has_our_tag_contact_and_record_route(self) -> None:
        world = World()
        event = world.open_call(invite(headers=[("Record-Route", "<sip:p1;lr>, <sip:p2;lr>")]))
        assert list(event.request.origin.record_route) == ["<sip:p1;lr>", "<sip:p2;lr>"]
        command = world.respond(
            event,
            200,
            reason="OK",
            contact=True,
            headers=[{"name": "Server", "value": "b2bua"}],
            body={"data": b"v=0", "content_type": "application/sdp"},
        )
        answer = _response(world)
        assert answer.to_tag == IDENTITY.tag(event.call_key, 0)
        assert answer.headers.get("contact") == "<sip:198.51.100.1>"
        assert answer.record_routes == ("<sip:p1;lr>", "<sip:p2;lr>")
        assert answer.headers.get("server") == "b2bua"
        assert answer.headers.get("content-type") == "application/sdp"
        assert answer.body == b"v=0"
        assert world.done() == [(event.call_key, command.id)]

    def test_100_and_refusals_bring_no_record_route(self) -> None:
        world = World()
        world.receive(invite(headers=[("Record-Route", "<sip:p1;lr>")]))
        assert not _response(world).record_routes
        world.respond(world.event(), 486)
        assert not _response(world).record_routes

    @pytest.mark.parametrize(
        ("via", "rport", "destination"),
        [
            ("SIP/2.0/UDP 192.0.2.1:5060", True, ("203.0.113.9", 40000)),
            ("SIP/2.0/UDP 192.0.2.1:5070", False, ("203.0.113.9", 5070)),
            ("SIP/2.0/UDP phone.example", False, ("203.0.113.9", 5060)),
        ],
    )
    def test_go_where_rfc_3581_says(self, via: str, rport: bool, destination: tuple[str, int]) -> None:
        world = World()
        data = request("INVITE", via=via, rport=rport, contact="sip:a@192.0.2.1")
        world.receive(data, ("203.0.113.9", 40000))
        assert [packet.address for packet in world.packets()] == [destination]

    def test_2xx_is_repeated_until_the_ack_comes(self) -> None:
        world = World()
        event = _answered(world)
        world.pass_time(1.5)
        assert world.lines() == ["200", "200"]
        world.receive(_ack(event))
        ack = world.event().request
        assert ack.origin.method == "ACK"
        assert ack.transaction == event.request.transaction
        world.pass_time(40)
        assert not world.packets()
        assert world.quiet()

    def test_2xx_that_nobody_acknowledges_is_told(self) -> None:
        world = World()
        event = _answered(world)
        world.pass_time(31.9)
        assert not world.events()
        world.pass_time(0.2)
        missing = world.event()
        assert missing.ack_missing.transaction == event.request.transaction
        assert missing.call_key == event.call_key
        assert len(world.packets()) == 10

    def test_refusal_is_repeated_until_the_ack_comes(self) -> None:
        world = World()
        event = world.open_call()
        world.respond(event, 486)
        refusal = _response(world)
        world.pass_time(0.5)
        assert world.lines() == ["486"]
        world.receive(ack_to(invite(), refusal))
        world.pass_time(40)
        assert not world.events()
        assert world.drops() == {DropReason.ACK_ABSORBED: 1}
        assert world.done()
        assert world.quiet()

    def test_refusal_that_nobody_acknowledges_is_given_up(self) -> None:
        world = World()
        world.respond(world.open_call(), 486)
        world.pass_time(33)
        assert world.drops() == {DropReason.UNACKNOWLEDGED: 1}
        assert not world.events()

    def test_second_final_answer_is_discarded_but_confirmed(self) -> None:
        world = World()
        event = _answered(world)
        world.respond(event, 486)
        assert not world.packets()
        assert len(world.done()) == 1
        assert world.drops() == {DropReason.LATE_ANSWER: 1}

    def test_without_a_tag_gets_the_one_that_the_caller_would_have_got(self) -> None:
        world = World()
        event = world.open_call()
        world.respond(event, 503, to_tag="")
        assert _response(world).to_tag == IDENTITY.tag(event.call_key, 0)

    def test_that_cannot_be_written_is_not_sent(self) -> None:
        world = World()
        world.respond(world.open_call(), 486, reason="Busy\r\nX: y")
        assert not world.packets()
        assert world.drops() == {DropReason.UNSENDABLE: 1}

    def test_stop_ends_the_repeats(self) -> None:
        world = World()
        event = _answered(world)
        command = world.command(event.call_key, stop={"transaction": event.request.transaction})
        world.pass_time(40)
        assert not world.packets()
        assert not world.events()
        assert world.done() == [(event.call_key, command.id)]


class TestAnswersWithoutTransaction:
    def test_2xx_is_repeated_until_the_ack_that_then_carries_its_transaction(self) -> None:
        event = World().open_call()
        world = World()
        world.respond(event, 200, contact=True)
        assert _response(world).headers.get("contact") == "<sip:198.51.100.1>"
        world.pass_time(0.5)
        assert world.lines() == ["200"]
        world.receive(_ack(event))
        assert world.event().request.transaction == event.request.transaction
        world.pass_time(40)
        assert not world.packets()

    def test_goes_where_the_request_came_from(self) -> None:
        other = World()
        other.receive(invite(via="SIP/2.0/UDP phone.example"), ("203.0.113.9", 40000))
        world = World()
        world.respond(other.event(), 180)
        assert [packet.address for packet in world.packets()] == [("203.0.113.9", 40000)]

    def test_absorbs_repetitions_from_a_final_one_on(self) -> None:
        event = World().open_call()
        world = World()
        world.respond(event, 486)
        world.packets()
        world.receive(invite())
        assert world.lines() == ["486"]
        assert not world.events()

    def test_provisional_leaves_no_transaction(self) -> None:
        """The final one may leave by the edge of the request again: nobody would end it here."""
        event = World().open_call()
        world = World()
        world.respond(event, 180)
        assert world.lines() == ["180"]
        assert world.core.open_transactions == 0
        world.receive(invite())
        assert world.event().request.transaction == event.request.transaction

    @pytest.mark.parametrize("fields", [{"origin": None}, {"transaction": ""}])
    def test_without_enough_to_go_by_is_discarded(self, fields: dict[str, object]) -> None:
        event = World().open_call()
        world = World()
        world.respond(event, 180, **fields)
        assert not world.packets()
        assert world.drops() == {DropReason.ANSWER_WITHOUT_TRANSACTION: 1}

    def test_leaves_by_a_listener_of_this_edge(self) -> None:
        event = World(replace(UDP, name="there")).open_call(listener="there")
        world = World(replace(UDP, name="here"))
        world.respond(event, 200, contact=True)
        (packet,) = world.packets()
        assert packet.via == "here"
        assert packet.message.headers.get("contact") == "<sip:198.51.100.1>"

    def test_without_a_listener_of_its_kind_is_discarded(self) -> None:
        world = World(TCP)
        world.respond(World().open_call(), 200)
        assert world.drops() == {DropReason.UNREACHABLE: 1}

    def test_with_a_via_that_cannot_be_read_is_discarded(self) -> None:
        world = World()
        world.respond(World().open_call(), 180, origin={"via": ["nonsense"], "method": "INVITE"})
        assert world.drops() == {DropReason.UNSENDABLE: 1}


class TestAck:
    def test_is_told_once(self) -> None:
        world = World()
        event = _answered(world)
        world.receive(_ack(event))
        world.receive(_ack(event))
        assert len(world.events()) == 1
        assert world.drops() == {DropReason.ACK_REPEATED: 1}

    @pytest.mark.parametrize("fields", [{"cseq": 2}, {"from_tag": "mallory"}, {"call_id": "other"}])
    def test_of_another_dialog_or_request_does_not_stop_the_2xx(self, fields: dict[str, object]) -> None:
        world = World()
        event = _answered(world)
        world.receive(_ack(event, **fields))
        assert world.event().request.transaction == ""
        world.pass_time(0.5)
        assert world.lines() == ["200"]

    def test_without_transaction_is_told_when_the_tag_is_ours(self) -> None:
        event = World().open_call()
        world = World()
        world.receive(_ack(event, body=b"v=0"))
        told = world.event()
        assert told.call_key == event.call_key
        assert told.request.origin.method == "ACK"
        assert told.request.body.data == b"v=0"

    def test_for_a_refusal_without_state_is_known_for_what_it_is(self) -> None:
        world = World()
        world.link.credit = False
        world.receive(invite())
        world.receive(ack_to(invite(), _response(world)))
        assert world.drops() == {DropReason.ACK_FOR_REFUSAL: 1}

    def test_with_a_foreign_tag_is_discarded(self) -> None:
        world = World()
        world.receive(request("ACK", to_tag="foreign"))
        assert world.drops() == {DropReason.ACK_FOREIGN: 1}
        assert not world.packets()


class TestInDialog:
    def test_request_goes_to_the_call_of_its_tag(self) -> None:
        world = World()
        event = World().open_call()
        world.receive(in_dialog("BYE", event))
        told = world.event()
        assert told.call_key == event.call_key
        assert not told.opens_call
        assert not world.packets()
        world.respond(told, 200, to_tag="")
        assert _response(world).to_tag == IDENTITY.tag(event.call_key, 0)

    def test_re_invite_gets_100_and_its_2xx_an_ack(self) -> None:
        world = World()
        event = World().open_call()
        world.receive(in_dialog("INVITE", event, contact="sip:a@192.0.2.1"))
        assert world.lines() == ["100"]
        told = world.event()
        assert not told.opens_call
        world.respond(told, 200)
        world.receive(in_dialog("ACK", event))
        assert world.event().request.transaction == told.request.transaction

    def test_foreign_tag_is_481(self) -> None:
        world = World()
        world.receive(request("BYE", to_tag="foreign"))
        assert _response(world).status == 481
        assert not world.events()

    def test_tag_with_one_character_changed_is_481(self) -> None:
        world = World()
        tag = IDENTITY.tag(World().open_call().call_key, 0)
        world.receive(request("BYE", to_tag=tag[:-1] + ("0" if tag[-1] != "0" else "1")))
        assert _response(world).status == 481

    def test_too_many_at_once_are_500_until_one_is_answered(self) -> None:
        world = World(dialog_transactions=2)
        event = World().open_call()
        for cseq in (2, 3, 4):
            world.receive(in_dialog("INFO", event, cseq=cseq))
        refusal = _response(world)
        assert (refusal.status, refusal.headers.get("retry-after")) == (500, "5")
        first, _ = world.events()
        world.respond(first, 200)
        world.packets()
        world.receive(in_dialog("INFO", event, cseq=5))
        assert len(world.events()) == 1

    def test_request_that_call_control_never_answers_is_forgotten(self) -> None:
        world = World()
        world.receive(in_dialog("BYE", World().open_call()))
        world.pass_time(33)
        assert world.drops() == {DropReason.UNANSWERED: 1}
        assert not world.packets()
        assert world.core.open_transactions == 0

    def test_comes_in_from_addresses_that_may_not_open_calls(self) -> None:
        strict = World(allow=(IPv4Network("203.0.113.0/24"),))
        strict.receive(in_dialog("BYE", World().open_call()))
        assert strict.event().request.origin.method == "BYE"


class TestReplaces:
    """INVITEs that are to take the place of a dialog (RFC 3891)."""

    def test_goes_to_the_call_of_the_tag_that_it_names(self) -> None:
        world = World()
        event = World().open_call()
        tag = IDENTITY.tag(event.call_key, 0)
        world.receive(_replacing(f"call-1@192.0.2.1;from-tag=alice-1;to-tag={tag}"))
        assert world.lines() == ["100"]
        told = world.event()
        assert (told.call_key, told.opens_call, told.request.merge_key) == (event.call_key, False, "")
        world.respond(told, 200, to_tag=IDENTITY.tag(event.call_key, 2))
        assert _response(world).to_tag == IDENTITY.tag(event.call_key, 2)

    def test_its_cancel_goes_there_too(self) -> None:
        world = World()
        key = World().open_call().call_key
        data = _replacing(f"call-1;from-tag=alice-1;to-tag={IDENTITY.tag(key, 0)}")
        world.receive(data)
        world.event()
        world.receive(cancel_of(data))
        assert world.event().call_key == key

    def test_of_a_foreign_dialog_is_481(self) -> None:
        world = World()
        world.receive(_replacing("call-1;from-tag=alice-1;to-tag=foreign"))
        assert _response(world).status == 481
        assert not world.events()

    @pytest.mark.parametrize("value", ["call-1", "call-1;to-tag=1", ";to-tag=1;from-tag=2"])
    def test_malformed_is_400(self, value: str) -> None:
        world = World()
        world.receive(_replacing(value))
        assert _response(world).status == 400

    def test_twice_is_400(self) -> None:
        world = World()
        value = ("Replaces", "call-1;to-tag=1;from-tag=2")
        world.receive(invite(headers=[value, value]))
        assert _response(world).status == 400

    def test_too_many_at_once_are_500(self) -> None:
        world = World(dialog_transactions=1)
        tag = IDENTITY.tag(World().open_call().call_key, 0)
        for number in (1, 2):
            headers = [("Replaces", f"call-1;from-tag=alice-1;to-tag={tag}")]
            world.receive(invite(branch=f"z9hG4bK-new-{number}", headers=headers))
        assert world.lines()[-1] == "500"

    def test_comes_in_from_addresses_that_may_not_open_calls(self) -> None:
        strict = World(allow=(IPv4Network("203.0.113.0/24"),))
        tag = IDENTITY.tag(World().open_call().call_key, 0)
        strict.receive(_replacing(f"call-1;from-tag=alice-1;to-tag={tag}"))
        assert strict.event().request.origin.method == "INVITE"

    def test_overload_refuses_it_like_any_new_call(self) -> None:
        world = World()
        world.core.admission.state = Lifecycle.DRAINING
        world.receive(_replacing(f"call-1;from-tag=1;to-tag={IDENTITY.tag(World().open_call().call_key, 0)}"))
        assert _response(world).status == 503


def _replacing(replaces: str) -> bytes:
    return invite(branch="z9hG4bK-new", headers=[("Replaces", replaces)])


class TestRefusals:
    @pytest.mark.parametrize(
        ("method", "status", "reason"),
        [
            ("BYE", 501, "Not Implemented"),
            ("INFO", 501, "Not Implemented"),
            ("UPDATE", 501, "Not Implemented"),
            ("PRACK", 501, "Not Implemented"),
            ("NOTIFY", 200, "OK"),
            ("PING", 200, "OK"),
            ("OPTIONS", 200, "OK"),
            ("REGISTER", 501, "Not Implemented"),
            ("SUBSCRIBE", 501, "Not Implemented"),
            ("PUBLISH", 501, "Not Implemented"),
            ("REFER", 501, "Not Implemented"),
            ("MESSAGE", 501, "Not Implemented"),
            ("FROBNICATE", 501, "Not Implemented"),
        ],
    )
    def test_outside_of_dialogs(self, method: str, status: int, reason: str) -> None:
        world = World()
        world.receive(request(method))
        answer = _response(world)
        assert (answer.status, answer.reason) == (status, reason)
        assert answer.headers.get("allow") == (ALLOW if status == 501 or method == "OPTIONS" else None)
        assert answer.to_tag
        assert IDENTITY.read_tag(answer.to_tag) is None
        assert not world.events()
        assert world.core.open_transactions == 0

    @pytest.mark.parametrize("method", sorted({*OUTSIDE, "OPTIONS", "INVITE"}))
    def test_with_a_tag_that_is_not_ours_are_481(self, method: str) -> None:
        world = World()
        world.receive(request(method, to_tag="foreign", contact="sip:a@192.0.2.1"))
        answer = _response(world)
        assert (answer.status, answer.reason) == (481, "Call Leg/Transaction Does Not Exist")
        assert answer.to_tag == "foreign"
        assert not world.events()

    def test_of_a_notify_that_nobody_reads_when_told_so(self) -> None:
        world = World(accept_notify=False)
        world.receive(request("NOTIFY", headers=[("Event", "message-summary")]))
        answer = _response(world)
        assert (answer.status, answer.reason) == (489, "Bad Event")
        assert answer.headers.get("allow-events") == "refer"
        world.receive(request("PING", branch="z9hG4bK-2"))
        assert world.lines() == ["200"]
        world.receive(in_dialog("NOTIFY", World().open_call()))
        assert world.event().request.origin.method == "NOTIFY"

    def test_options_says_what_is_taken(self) -> None:
        world = World(extensions=["timer", "100rel"])
        world.receive(request("OPTIONS"))
        answer = _response(world)
        assert answer.allow == tuple(ALLOW.split(", "))
        assert answer.headers.get("accept") == "application/sdp"
        assert answer.headers.get("supported") == "100rel, timer"

    def test_every_known_method_is_decided(self) -> None:
        world = World()
        asked = [method for method in world.core.counters.requests if method != "OTHER"]
        assert set(asked) == {*OUTSIDE, "INVITE", "ACK", "CANCEL", "OPTIONS"}

    def test_have_the_same_tag_for_a_repetition(self) -> None:
        world = World()
        world.receive(request("BYE"))
        world.receive(request("BYE"))
        first, second = world.packets()
        assert first.data == second.data

    def test_of_an_unknown_extension_names_it(self) -> None:
        world = World(extensions=["timer"])
        world.receive(request("OPTIONS", headers=[("Require", "timer, 100rel"), ("Require", "foo")]))
        answer = _response(world)
        assert (answer.status, answer.headers.get("unsupported")) == (420, "100rel, foo")

    def test_of_an_extension_until_call_control_takes_it(self) -> None:
        world = World()
        data = invite(headers=[("Require", "100rel")])
        world.receive(data)
        assert world.lines() == ["420"]
        world.core.greeted(IDENTITY, [], ["100rel"])
        world.receive(data)
        assert world.lines() == ["100"]

    def test_extension_in_cancel_is_not_looked_at(self) -> None:
        world = World()
        world.open_call()
        data = cancel_of(invite()).replace(b"\r\n", b"\r\nRequire: foo\r\n", 1)
        world.receive(data)
        assert _response(world).status == 200

    def test_of_addresses_outside_the_access_list(self) -> None:
        world = World(allow=(IPv4Network("203.0.113.0/24"),))
        world.receive(invite())
        assert _response(world).status == 403
        world.receive(invite(), ("203.0.113.7", 5060))
        assert world.lines() == ["100"]

    def test_of_an_invite_without_contact(self) -> None:
        world = World()
        world.receive(request("INVITE"))
        answer = _response(world)
        assert (answer.status, answer.reason) == (400, "Bad Request - Missing Contact")
        world.receive(in_dialog("INVITE", World().open_call()))
        assert _response(world).status == 400
        assert not world.events()

    @pytest.mark.parametrize(
        ("state", "call", "probe"),
        [
            (Lifecycle.STARTING, "503", "503"),
            (Lifecycle.SERVING, "100", "200"),
            (Lifecycle.OVERLOADED, "503", "503"),
            (Lifecycle.SHIFTING, "100", "503"),
            (Lifecycle.DRAINING, "503", "503"),
        ],
    )
    def test_by_lifecycle(self, state: Lifecycle, call: str, probe: str) -> None:
        world = World()
        world.core.admission.state = state
        world.receive(invite())
        world.receive(request("OPTIONS", branch="z9hG4bK-2"))
        assert world.lines() == [call, probe]
        world.receive(in_dialog("BYE", World().open_call()))
        assert world.events()[-1].request.origin.method == "BYE"

    def test_without_credit_keep_no_state_and_say_when_to_come_back(self) -> None:
        world = World(retry_after=7)
        world.link.credit = False
        world.receive(invite())
        answer = _response(world)
        assert (answer.status, answer.headers.get("retry-after")) == (503, "7")
        assert world.core.open_transactions == 0
        world.receive(in_dialog("INVITE", World().open_call(), contact="sip:a@192.0.2.1"))
        assert _response(world).status == 100

    def test_repetition_of_an_accepted_invite_needs_no_credit(self) -> None:
        world = World()
        world.open_call()
        world.link.credit = False
        world.receive(invite())
        assert world.lines() == ["100"]

    def test_when_the_table_is_full(self) -> None:
        world = World(max_transactions=4)
        event = world.open_call()
        for cseq in (2, 3, 4):
            world.receive(in_dialog("INFO", event, cseq=cseq))
        world.receive(invite(call_id="next", branch="z9hG4bK-n"))
        assert world.lines() == ["503"]
        world.receive(in_dialog("INFO", event, cseq=5))
        assert not world.packets()
        world.receive(in_dialog("INFO", event, cseq=6))
        assert world.lines() == ["500"]

    def test_carry_the_server_header_if_there_is_one(self) -> None:
        world = World(server="edge/1")
        world.receive(request("BYE"))
        assert _response(world).headers.get("server") == "edge/1"


class TestCancel:
    def test_of_an_open_invite_is_answered_at_once(self) -> None:
        world = World()
        event = world.open_call()
        world.receive(cancel_of(invite()))
        answer = _response(world)
        assert (answer.status, answer.to_tag) == (200, IDENTITY.tag(event.call_key, 0))
        told = world.event()
        assert told.call_key == event.call_key
        assert told.request.cancel_answered
        assert told.request.transaction == "z9hG4bK-1 192.0.2.1:5060 CANCEL"
        world.receive(cancel_of(invite()))
        assert world.lines() == ["200"]
        assert not world.events()

    def test_decided_in_time_by_call_control(self) -> None:
        world = World()
        event = world.open_call()
        world.receive(cancel_of(invite()))
        world.respond(event, 487)
        assert world.lines() == ["200", "487"]
        world.events()
        world.pass_time(5)
        assert not world.events()
        assert set(world.lines()) == {"487"}

    @pytest.mark.parametrize("status", [200, 486])
    def test_after_the_final_answer_is_481(self, status: int) -> None:
        world = World()
        _answered(world, status)
        world.receive(cancel_of(invite()))
        assert _response(world).status == 481
        assert not world.events()

    def test_without_the_invite_is_asked_under_the_key_of_the_invite(self) -> None:
        event = World().open_call()
        world = World()
        world.receive(cancel_of(invite()))
        assert not world.packets()
        told = world.event()
        assert told.call_key == event.call_key
        assert not told.request.cancel_answered
        world.respond(told, 481)
        assert _response(world).status == 481

    def test_of_a_re_invite_without_transaction_goes_by_the_tag(self) -> None:
        event = World().open_call()
        world = World()
        world.receive(in_dialog("CANCEL", event))
        assert world.event().call_key == event.call_key

    @pytest.mark.parametrize(
        "data", [request("CANCEL", to_tag="foreign"), request("CANCEL", branch="1")], ids=["tag", "branch"]
    )
    def test_that_leads_nowhere_is_481(self, data: bytes) -> None:
        world = World()
        world.receive(data)
        assert _response(world).status == 481
        assert not world.events()

    def test_undecided_for_four_seconds_ends_the_invite(self) -> None:
        world = World()
        event = world.open_call()
        world.receive(cancel_of(invite()))
        world.events()
        world.packets()
        world.pass_time(3.9)
        assert not world.packets()
        world.pass_time(0.2)
        answer = _response(world)
        assert (answer.status, answer.to_tag) == (487, IDENTITY.tag(event.call_key, 0))
        assert world.event().self_cancelled.transaction == event.request.transaction
        assert world.drops() == {}

    def test_487_of_the_edge_has_the_tag_of_the_18x(self) -> None:
        world = World()
        event = world.open_call()
        world.respond(event, 183, contact=True)
        ringing = _response(world)
        world.receive(cancel_of(invite()))
        cancelled = _response(world)
        world.pass_time(4.1)
        ended = _response(world)
        assert (cancelled.status, ended.status) == (200, 487)
        assert ringing.to_tag == cancelled.to_tag == ended.to_tag

    def test_2xx_after_that_is_refused(self) -> None:
        world = World()
        event = world.open_call()
        world.receive(cancel_of(invite()))
        world.pass_time(4.1)
        world.packets()
        world.events()
        command = world.respond(event, 200)
        assert not world.packets()
        assert world.event().self_cancelled.transaction == event.request.transaction
        assert world.done() == [(event.call_key, command.id)]
        world.respond(event, 487)
        assert not world.events()
        assert world.drops() == {DropReason.LATE_ANSWER: 2}
