"""Requests that call-control asks for, and the responses to them."""

from typing import Any

import pytest

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain import DropReason
from sip_edge.domain.ports import Query
from sipcore.message import Request
from sipcore.testing.builders import invite, response_to, sdp
from support.edge_world import (
    CALLEE,
    IDENTITY,
    UDP,
    UDP6,
    World,
    call_key,
    endpoint,
    outgoing,
)

KEY = call_key()
BIG = {"data": b"x" * 1400, "content_type": "application/sdp"}


def _invite(world: World, **fields: Any) -> Request:
    """An INVITE has left; nothing is left to look at."""
    _, asked = world.place(KEY, **fields)
    assert asked is not None
    world.events()
    return asked


def _by_name(world: World, *targets: tuple[str, int], **fields: Any) -> Request:
    """An INVITE to a name has left for the first of these addresses."""
    world.place(KEY, target={"uri": "sip:bob@example.com"}, **fields)
    token, _ = world.outlet.queries.pop()
    world.core.resolved(token, [endpoint(*target) for target in targets], world.now)
    message = world.sent()
    assert isinstance(message, Request)
    return message


def _ack(invite_branch: str, **fields: Any) -> dict[str, Any]:
    return outgoing(
        KEY,
        counter=9,
        **{
            "method": "ACK",
            "to_tag": "bob-1",
            "contact": False,
            "invite_branch": invite_branch,
            "from_value": "<sip:alice@198.51.100.1>",
            **fields,
        },
    )


class TestSend:
    def test_invite_as_it_leaves(self) -> None:
        world = World()
        command, asked = world.place(
            KEY,
            route=["<sip:p1;lr>"],
            headers=[{"name": "User-Agent", "value": "b2bua"}],
            body={
                "data": sdp(),
                "content_type": "application/sdp",
                "headers": [{"name": "Content-Disposition", "value": "session"}],
            },
        )
        assert asked is not None
        branch = IDENTITY.branch(KEY, 1, 1)
        assert asked.headers.items() == [
            ("Via", f"SIP/2.0/UDP 198.51.100.1;rport;branch={branch}"),
            ("Route", "<sip:p1;lr>"),
            ("Max-Forwards", "69"),
            ("From", f'"Alice" <sip:alice@198.51.100.1>;tag={IDENTITY.tag(KEY, 1)}'),
            ("To", "<sip:bob@192.0.2.2>"),
            ("Call-ID", "call-1-b2b_1"),
            ("CSeq", "1 INVITE"),
            ("Contact", "<sip:alice@198.51.100.1>"),
            ("User-Agent", "b2bua"),
            ("Content-Type", "application/sdp"),
            ("Content-Disposition", "session"),
            ("Content-Length", str(len(sdp()))),
        ]
        sent = world.event().sent.sent
        assert sent == edge_pb2.Sent(
            branch=branch,
            sent_by="198.51.100.1",
            address={"ip": "192.0.2.2", "port": 5060, "transport": "udp"},
            local_host="198.51.100.1",
            listener="udp",
            edge={"edge_id": "edge-0", "boot": 7},
            contact="<sip:alice@198.51.100.1>",
        )
        assert not world.done()
        assert command.id == 1

    def test_invite_is_repeated_until_something_is_heard(self) -> None:
        world = World()
        asked = _invite(world)
        world.pass_time(1.5)
        assert world.lines() == ["INVITE", "INVITE"]
        world.answer(asked, 100)
        world.pass_time(30)
        assert not world.packets()
        assert not world.events()
        assert world.drops() == {DropReason.TRYING_ABSORBED: 1}

    def test_first_100_is_told_when_asked_for(self) -> None:
        world = World()
        asked = _invite(world, report_trying=True)
        world.answer(asked, 100, to_tag="")
        world.answer(asked, 100, to_tag="")
        assert world.event().response.status == 100
        assert world.drops() == {DropReason.TRYING_ABSORBED: 1}

    def test_other_requests_are_not_reported_sent(self) -> None:
        world = World()
        _, asked = world.place(KEY, method="BYE")
        assert asked is not None
        assert not world.events()
        world.answer(asked, 200)
        event = world.event()
        assert (event.response.status, event.response.method) == (200, "BYE")
        assert not event.response.HasField("sent")
        world.pass_time(40)
        assert world.core.open_transactions == 0

    @pytest.mark.parametrize(
        ("uri", "address"),
        [
            ("sip:bob@192.0.2.7:5070", ("192.0.2.7", 5070)),
            ("sip:192.0.2.7", ("192.0.2.7", 5060)),
            ("sip:bob@[2001:db8::7]:5070", ("2001:db8::7", 5070)),
            ("sip:bob@example.com;maddr=192.0.2.8", ("192.0.2.8", 5060)),
        ],
    )
    def test_literal_addresses_need_no_dns(self, uri: str, address: tuple[str, int]) -> None:
        world = World(UDP, UDP6)
        world.command(KEY, send_request=outgoing(KEY, target={"uri": uri}))
        assert [packet.address for packet in world.packets()] == [address]
        assert not world.outlet.queries

    def test_to_an_ipv6_peer_brackets_our_address(self) -> None:
        world = World(UDP, UDP6)
        _, asked = world.place(KEY, target={"uri": "sip:[2001:db8::7]"})
        assert asked is not None
        assert asked.via.sent_by == "[2001:db8::1]"
        assert asked.from_.uri == "sip:alice@[2001:db8::1]"

    @pytest.mark.parametrize("method", ["INVITE", "BYE", "ACK"])
    def test_for_another_call_of_ours_need_no_address(self, method: str) -> None:
        world = World()
        target = {"uri": "sip:bob@nowhere.invalid", "ourselves": True}
        world.command(KEY, send_request=outgoing(KEY, method=method, target=target))
        assert [packet.address for packet in world.packets()] == [(UDP.host, UDP.port)]
        assert not world.outlet.queries

    def test_names_are_asked_for_as_the_uri_says(self) -> None:
        world = World()
        world.place(KEY, target={"uri": "sip:bob@Example.com:5070;transport=TCP"})
        assert world.outlet.queries == [(1, Query("sip", "Example.com", 5070, "tcp"))]
        assert not world.events()

    @pytest.mark.parametrize(
        "uri", ["tel:+49", "sips:192.0.2.7", "sip:192.0.2.7;transport=sctp", "", "sip:@"]
    )
    def test_where_nothing_can_be_sent_is_503(self, uri: str) -> None:
        world = World()
        world.place(KEY, target={"uri": uri})
        told = world.event().response
        assert (told.status, told.local, told.cseq, told.method) == (503, True, 1, "INVITE")
        assert told.local_cause == edge_pb2.LOCAL_CAUSE_UNRESOLVED
        assert not told.HasField("sent")
        assert world.core.idle

    @pytest.mark.parametrize("transport", ["UDP", "udp", "Udp", "TCP", "Tcp"])
    def test_transport_is_read_in_any_case(self, transport: str) -> None:
        world = World()
        world.place(KEY, method="BYE", target={"uri": f"sip:bob@192.0.2.2;transport={transport}"})
        assert bool(world.outlet.connects) is (transport.lower() == "tcp")
        world.place(KEY, method="INFO", target={"uri": f"sip:bob@b.example;transport={transport}"})
        assert world.outlet.queries[0][1].transport == transport.lower()

    @pytest.mark.parametrize("transport", ["tls", "TLS", "ws", "wss", "sctp", "quic"])
    @pytest.mark.parametrize("method", ["INVITE", "BYE"])
    def test_transport_that_we_do_not_speak_fails_cleanly(self, method: str, transport: str) -> None:
        world = World()
        world.place(KEY, method=method, target={"uri": f"sip:bob@192.0.2.2;transport={transport}"})
        told = world.event().response
        assert (told.status, told.reason, told.method) == (503, "Service Unavailable", method)
        assert told.local_cause == edge_pb2.LOCAL_CAUSE_UNRESOLVED
        assert world.core.idle

    def test_name_without_address_is_503(self) -> None:
        world = World()
        world.place(KEY, target={"uri": "sip:bob@example.com"})
        world.core.resolved(1, [], world.now)
        told = world.event().response
        assert (told.status, told.local_cause) == (503, edge_pb2.LOCAL_CAUSE_UNRESOLVED)
        world.core.resolved(1, [], world.now)
        assert world.drops() == {DropReason.RESOLUTION_UNKNOWN: 1}

    def test_family_without_listener_is_503(self) -> None:
        world = World(UDP)
        world.place(KEY, target={"uri": "sip:[2001:db8::7]"})
        assert world.event().response.status == 503

    def test_that_cannot_be_written_is_503(self) -> None:
        world = World()
        world.place(KEY, call_id="a\r\nb")
        told = world.event().response
        assert (told.status, told.local_cause) == (503, edge_pb2.LOCAL_CAUSE_NOT_SENT)
        assert world.drops() == {DropReason.UNSENDABLE: 1}

    def test_silence_is_408(self) -> None:
        world = World()
        asked = _invite(world)
        world.pass_time(32.1)
        told = world.event().response
        assert (told.status, told.reason, told.local) == (408, "Request Timeout", True)
        assert told.local_cause == edge_pb2.LOCAL_CAUSE_TIMEOUT
        assert told.branch == told.sent.branch == asked.via.branch
        assert world.core.open_transactions == 0

    def test_endless_ringing_is_408_and_cancelled(self) -> None:
        world = World()
        asked = _invite(world, invite_timeout_ms=10_000)
        world.answer(asked, 180)
        world.events()
        world.packets()
        world.pass_time(10.1)
        told = world.event().response
        assert (told.status, told.local_cause) == (408, edge_pb2.LOCAL_CAUSE_TIMEOUT)
        cancel = world.sent()
        assert isinstance(cancel, Request)
        assert cancel.method == "CANCEL"
        world.answer(cancel, 200)
        world.answer(asked, 487)
        assert world.lines() == ["ACK"]
        assert not world.events()


class TestResponses:
    def test_become_events(self) -> None:
        world = World()
        asked = _invite(world)
        world.receive(
            response_to(
                asked,
                183,
                to_tag="bob-1",
                contact="sip:bob@192.0.2.2:5062",
                headers=[("Record-Route", "<sip:p1;lr>, <sip:p2;lr>"), ("Subject", "s"), ("X", "y")],
                body=sdp(),
            ),
            CALLEE,
        )
        event = world.event()
        told = event.response
        assert event.call_key == KEY
        assert (told.branch, told.status, told.reason) == (asked.via.branch, 183, "Session Progress")
        assert (told.to_tag, told.cseq, told.method) == ("bob-1", 1, "INVITE")
        assert told.contact_uri == "sip:bob@192.0.2.2:5062"
        assert list(told.record_route) == ["<sip:p1;lr>", "<sip:p2;lr>"]
        assert [header.name for header in told.headers] == ["Subject"]
        assert told.body.data == sdp()
        assert told.sent.branch == asked.via.branch
        assert not told.local
        assert told.local_cause == edge_pb2.LOCAL_CAUSE_UNSPECIFIED
        assert not told.stray
        assert not told.contacts
        assert told.call_id == ""

    def test_redirection_brings_all_contacts_as_on_the_wire(self) -> None:
        world = World()
        asked = _invite(world)
        fields = [
            ("Contact", '"Bob, Jr." <sip:bob@a.example>;q=0.5, <sip:bob@b.example?X-A=1,2>'),
            ("m", "sip:bob@c.example;q=0.1"),
        ]
        world.answer(asked, 302, headers=fields)
        told = world.event().response
        assert told.contact_uri == "sip:bob@a.example"
        assert list(told.contacts) == [
            '"Bob, Jr." <sip:bob@a.example>;q=0.5',
            "<sip:bob@b.example?X-A=1,2>",
            "sip:bob@c.example;q=0.1",
        ]

    def test_redirection_whose_contacts_cannot_be_told_apart_is_told_without(self) -> None:
        world = World()
        asked = _invite(world)
        world.answer(asked, 302, headers=[("Contact", "<sip:b@a.example>"), ("Contact", '"x, <sip:b')])
        told = world.event().response
        assert (told.status, told.contact_uri, list(told.contacts)) == (302, "sip:b@a.example", [])

    def test_unknown_header_is_told_as_the_callee_spells_it(self) -> None:
        world = World()
        world.core.greeted(IDENTITY, ["x-*"])
        asked = _invite(world)
        world.answer(asked, 180, headers=[("X-acme-ID", "1"), ("Server", "s")])
        (header,) = world.event().response.headers
        assert (header.name, header.value) == ("X-acme-ID", "1")

    def test_repeated_provisionals_are_all_passed(self) -> None:
        world = World()
        asked = _invite(world)
        world.answer(asked, 180)
        world.answer(asked, 180)
        assert len(world.events()) == 2

    def test_refusal_is_acknowledged_each_time_and_told_once(self) -> None:
        world = World()
        asked = _invite(world, route=["<sip:p1;lr>"])
        world.answer(asked, 486)
        ack = world.sent()
        assert isinstance(ack, Request)
        assert (ack.method, ack.uri, ack.via, ack.routes) == ("ACK", asked.uri, asked.via, asked.routes)
        assert (ack.to_tag, str(ack.cseq)) == ("bob-1", "1 ACK")
        world.answer(asked, 486)
        assert world.lines() == ["ACK"]
        assert world.event().response.status == 486
        assert world.drops() == {DropReason.RESPONSE_REPEATED: 1}
        world.pass_time(33)
        assert world.core.open_transactions == 0

    def test_2xx_is_acknowledged_by_command_and_then_by_the_edge(self) -> None:
        world = World()
        asked = _invite(world)
        world.answer(asked, 200)
        world.answer(asked, 200)
        assert [event.response.status for event in world.events()] == [200, 200]
        assert not world.packets()
        command = world.command(KEY, send_request=_ack(asked.via.branch))
        ack = world.sent()
        assert isinstance(ack, Request)
        assert (ack.method, ack.to_tag) == ("ACK", "bob-1")
        assert ack.via.branch != asked.via.branch
        assert world.done() == [(KEY, command.id)]
        world.answer(asked, 200)
        assert world.lines() == ["ACK"]
        assert not world.events()
        assert world.drops() == {DropReason.RESPONSE_REPEATED: 1}

    def test_2xx_of_another_fork_is_told(self) -> None:
        world = World()
        asked = _invite(world)
        world.answer(asked, 200)
        world.command(KEY, send_request=_ack(asked.via.branch))
        world.events()
        world.answer(asked, 200, to_tag="bob-2")
        assert world.event().response.to_tag == "bob-2"

    def test_reason_that_is_not_utf8_is_made_readable(self) -> None:
        world = World()
        asked = _invite(world)
        world.receive(
            response_to(asked, 404, "Unbekannt", to_tag="b").replace(b"bekannt", b"g\xfcltig"), CALLEE
        )
        assert world.event().response.reason == "Ung\N{REPLACEMENT CHARACTER}ltig"

    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            (b"z9hG4bK", b"z9hG4bX", DropReason.RESPONSE_FOREIGN),
            (b"z9hG4bK", b"z9hG4bKx", DropReason.RESPONSE_FOREIGN),
            (b"From:", b"Via: SIP/2.0/UDP a.example\r\nFrom:", DropReason.RESPONSE_MISROUTED),
            (b"\r\nFrom:", b", SIP/2.0/UDP a.example\r\nFrom:", DropReason.RESPONSE_MISROUTED),
            (b"CSeq: 1", b"CSeq: x", DropReason.MALFORMED_RESPONSE),
            (b"To: <", b"To: ><", DropReason.MALFORMED_RESPONSE),
        ],
    )
    def test_forged_and_broken_ones_reach_nobody(self, old: bytes, new: bytes, reason: DropReason) -> None:
        world = World()
        asked = _invite(world)
        world.receive(response_to(asked, 180, to_tag="b").replace(old, new, 1), CALLEE)
        assert not world.events()
        assert world.drops() == {reason: 1}

    def test_to_a_method_that_was_not_sent_is_stray(self) -> None:
        world = World()
        asked = _invite(world)
        world.receive(response_to(asked, 200, to_tag="b").replace(b" INVITE", b" BYE"), CALLEE)
        assert world.event().response.stray

    @pytest.mark.parametrize("status", [0, 180])
    def test_late_2xx_after_we_gave_up_is_told(self, status: int) -> None:
        """Nobody answered in time, then somebody does: call-control has to acknowledge it and hang up."""
        world = World()
        asked = _invite(world, invite_timeout_ms=10_000)
        if status:
            world.answer(asked, status)
        world.events()
        world.pass_time(33)
        assert world.event().response.status == 408
        world.answer(asked, 200)
        late = world.event()
        assert (late.call_key, late.response.status, late.response.to_tag) == (KEY, 200, "bob-1")
        assert late.response.branch == asked.via.branch

    def test_late_2xx_after_our_cancel_went_unanswered_is_told(self) -> None:
        world = World()
        asked = _invite(world)
        world.answer(asked, 180)
        world.command(KEY, cancel={"branch": asked.via.branch})
        world.pass_time(33)
        world.events()
        world.answer(asked, 200)
        assert world.event().response.status == 200

    def test_2xx_with_the_same_tag_that_differs_in_its_bytes_is_a_repetition(self) -> None:
        world = World()
        asked = _invite(world)
        world.answer(asked, 200)
        world.command(KEY, send_request=_ack(asked.via.branch))
        world.packets()
        world.events()
        world.answer(asked, 200, headers=[("Date", "now")])
        assert world.lines() == ["ACK"]
        assert not world.events()

    def test_late_2xx_after_a_refusal_is_told(self) -> None:
        world = World()
        asked = _invite(world)
        world.answer(asked, 486)
        world.answer(asked, 200, to_tag="bob-2")
        assert [event.response.status for event in world.events()] == [486, 200]


class TestStray:
    def _response(self, status: int, method: str = "INVITE", **fields: Any) -> bytes:
        _, asked = World().place(KEY, method=method)
        assert asked is not None
        return response_to(asked, status, to_tag="bob-1", **fields)

    @pytest.mark.parametrize(
        ("status", "method"), [(180, "INVITE"), (200, "INVITE"), (486, "INVITE"), (200, "BYE")]
    )
    def test_goes_up_with_what_it_takes_to_acknowledge_it(self, status: int, method: str) -> None:
        world = World()
        world.receive(self._response(status, method), CALLEE)
        event = world.event()
        told = event.response
        assert event.call_key == KEY
        assert told.stray
        assert told.branch == IDENTITY.branch(KEY, 1, 1)
        assert told.from_value.endswith(f";tag={IDENTITY.tag(KEY, 1)}")
        assert told.to_value == "<sip:bob@192.0.2.2>;tag=bob-1"
        assert told.call_id == "call-1-b2b_1"
        assert not told.HasField("sent")
        assert not world.packets()

    @pytest.mark.parametrize(
        ("status", "method", "reason"),
        [(100, b"INVITE", DropReason.STRAY_TRYING), (200, b"CANCEL", DropReason.CANCEL_RESPONSE)],
    )
    def test_of_no_consequence_is_discarded(self, status: int, method: bytes, reason: DropReason) -> None:
        world = World()
        world.receive(self._response(status).replace(b"1 INVITE", b"1 " + method), CALLEE)
        assert not world.events()
        assert world.drops() == {reason: 1}

    def test_with_more_than_our_via_is_discarded(self) -> None:
        world = World()
        world.receive(self._response(200).replace(b"From:", b"Via: SIP/2.0/UDP a\r\nFrom:"), CALLEE)
        assert world.drops() == {DropReason.RESPONSE_MISROUTED: 1}

    def test_malformed_is_discarded(self) -> None:
        world = World()
        world.receive(self._response(200).replace(b"Call-ID", b"X-Call-ID"), CALLEE)
        assert world.drops() == {DropReason.MALFORMED_RESPONSE: 1}

    def test_2xx_is_acknowledged_from_the_second_time_on(self) -> None:
        world = World()
        branch = IDENTITY.branch(KEY, 1, 1)
        world.command(KEY, send_request=_ack(branch))
        world.packets()
        world.receive(self._response(200), CALLEE)
        assert world.lines() == ["ACK"]
        assert not world.events()

    def test_refusal_is_acknowledged_in_the_name_of_the_other_edge(self) -> None:
        world = World()
        branch = IDENTITY.branch(KEY, 1, 1)
        address = {"ip": "192.0.2.2", "port": 5066, "transport": "udp"}
        target = {"address": address}
        command = world.command(
            KEY,
            send_request=_ack("", branch=branch, sent_by="198.51.100.2:5062", target=target),
        )
        (packet,) = world.packets()
        message = packet.message
        assert str(message.via) == f"SIP/2.0/UDP 198.51.100.2:5062;rport;branch={branch}"
        assert packet.address == ("192.0.2.2", 5066)
        assert world.done() == [(KEY, command.id)]


class TestNextAddress:
    FIRST, SECOND = ("192.0.2.11", 5060), ("192.0.2.12", 5070)

    def test_on_503(self) -> None:
        world = World()
        asked = _by_name(world, self.FIRST, self.SECOND)
        world.answer(asked, 503)
        ack, again = world.packets()
        assert (ack.message.cseq.method, ack.address) == ("ACK", self.FIRST)
        assert again.address == self.SECOND
        assert again.message.via.branch == IDENTITY.retry_branch(asked.via.branch, 1)
        first, second = world.events()
        assert first.sent.sent.branch == asked.via.branch
        assert second.sent.sent.branch == again.message.via.branch
        assert second.sent.sent.address.ip == "192.0.2.12"
        assert isinstance(again.message, Request)
        world.answer(again.message, 503)
        assert world.event().response.status == 503

    def test_on_silence(self) -> None:
        world = World()
        asked = _by_name(world, self.FIRST, self.SECOND)
        world.events()
        world.pass_time(32.1)
        assert world.packets()[-1].address == self.SECOND
        assert world.event().WhichOneof("kind") == "sent"
        world.answer(asked, 200)
        late = world.event().response
        assert late.stray
        assert late.branch == asked.via.branch

    def test_on_transport_failure(self) -> None:
        world = World()
        _by_name(world, self.FIRST, self.SECOND)
        world.core.transport_failed(self.FIRST, world.now)
        assert [packet.address for packet in world.packets()] == [self.SECOND]
        world.core.transport_failed(self.FIRST, world.now)
        assert not world.packets()
        world.events()
        world.core.transport_failed(self.SECOND, world.now)
        told = world.event().response
        assert (told.status, told.local_cause) == (503, edge_pb2.LOCAL_CAUSE_UNREACHABLE)

    def test_not_after_a_provisional(self) -> None:
        world = World()
        asked = _by_name(world, self.FIRST, self.SECOND)
        world.answer(asked, 180)
        world.core.transport_failed(self.FIRST, world.now)
        assert not world.packets()

    def test_not_on_another_refusal(self) -> None:
        world = World()
        asked = _by_name(world, self.FIRST, self.SECOND)
        world.answer(asked, 500)
        assert world.lines() == ["ACK"]

    def test_not_after_a_cancel(self) -> None:
        world = World()
        asked = _by_name(world, self.FIRST, self.SECOND)
        world.command(KEY, cancel={"branch": asked.via.branch})
        world.events()
        world.answer(asked, 503)
        assert "INVITE" not in world.lines()
        assert world.event().response.status == 503

    def test_skips_addresses_that_nothing_here_can_reach(self) -> None:
        world = World(UDP)
        asked = _by_name(world, ("2001:db8::9", 5060), self.SECOND)
        assert asked.via.branch == IDENTITY.branch(KEY, 1, 1)


class TestLargeRequests:
    def test_go_by_tcp(self) -> None:
        world = World()
        world.place(KEY, body=BIG)
        ((flow, listener, address),) = world.outlet.connects
        assert (listener, address) == ("tcp", CALLEE)
        sent = world.event().sent.sent
        assert (sent.address.transport, sent.flow, sent.listener) == ("tcp", flow, "tcp")
        assert sent.contact == "<sip:alice@198.51.100.1;transport=tcp>"
        assert sent.branch == IDENTITY.branch(KEY, 1, 1)
        world.pass_time(5)
        assert not world.packets()

    def test_go_by_udp_where_tcp_is_refused_from_then_on(self) -> None:
        world = World()
        world.place(KEY, body=BIG)
        ((flow, _, _),) = world.outlet.connects
        world.core.flow_closed(flow, world.now)
        (packet,) = world.packets()
        assert (packet.via, packet.address) == ("udp", CALLEE)
        assert packet.message.via.branch == IDENTITY.branch(KEY, 1, 1, 1)
        assert [event.sent.sent.address.transport for event in world.events()] == ["tcp", "udp"]
        world.place(KEY, counter=2, branch=IDENTITY.branch(KEY, 1, 2), body=BIG)
        assert len(world.outlet.connects) == 1

    def test_go_by_udp_without_a_tcp_listener(self) -> None:
        world = World(UDP)
        _invite(world, body=BIG)
        assert not world.outlet.connects

    def test_share_one_connection(self) -> None:
        world = World()
        for number in (1, 2):
            world.place(KEY, branch=IDENTITY.branch(KEY, 1, number), body=BIG)
        assert len(world.outlet.connects) == 1


class TestTcp:
    def test_requests_and_responses_use_one_connection(self) -> None:
        world = World()
        _, asked = world.place(KEY, target={"uri": "sip:192.0.2.2;transport=tcp"})
        assert asked is not None
        assert str(asked.via).startswith("SIP/2.0/TCP 198.51.100.1;rport")
        ((flow, _, _),) = world.outlet.connects
        world.events()
        world.core.receive_stream(flow, response_to(asked, 486, to_tag="b"), world.now)
        assert [packet.via for packet in world.packets()] == [flow]
        assert world.event().response.sent.flow == flow

    def test_lost_connection_is_503_before_any_response_only(self) -> None:
        world = World()
        _, asked = world.place(KEY, target={"uri": "sip:192.0.2.2;transport=tcp"})
        ((flow, _, _),) = world.outlet.connects
        world.events()
        world.core.flow_closed(flow, world.now)
        assert world.event().response.status == 503
        assert asked is not None

    def test_connection_named_by_call_control(self) -> None:
        world = World()
        flow = world.core.flow_opened("tcp", ("192.0.2.2", 33000), world.now)
        _, asked = world.place(KEY, target={"flow": flow})
        assert asked is not None
        assert not world.outlet.connects
        world.events()
        world.core.receive_stream(flow or "", response_to(asked, 180, to_tag="b"), world.now)
        world.events()
        world.core.flow_closed(flow or "", world.now)
        told = world.event().response
        assert (told.status, told.local) == (430, True)
        assert told.local_cause == edge_pb2.LOCAL_CAUSE_FLOW_LOST

    def test_connection_that_is_gone_is_430(self) -> None:
        world = World()
        world.place(KEY, target={"flow": "6.1"})
        told = world.event().response
        assert (told.status, told.local_cause) == (430, edge_pb2.LOCAL_CAUSE_FLOW_LOST)

    def test_too_many_connections_are_503(self) -> None:
        world = World(max_flows=0)
        world.place(KEY, target={"uri": "sip:192.0.2.2;transport=tcp"})
        assert world.event().response.status == 503
        assert world.drops() == {DropReason.FLOW_REFUSED: 1}


class TestCancel:
    def _cancel(self, world: World, asked: Request, **fields: Any) -> edge_pb2.Command:
        reason = [{"name": "Reason", "value": "SIP;cause=487"}]
        return world.command(KEY, cancel={"branch": asked.via.branch, "headers": reason, **fields})

    def test_waits_for_the_first_provisional(self) -> None:
        world = World()
        asked = _invite(world, route=["<sip:p1;lr>"])
        command = self._cancel(world, asked)
        assert world.done() == [(KEY, command.id)]
        assert not world.packets()
        world.answer(asked, 100)
        cancel = world.sent()
        assert isinstance(cancel, Request)
        assert (cancel.method, cancel.uri, cancel.via) == ("CANCEL", asked.uri, asked.via)
        assert (cancel.routes, cancel.headers.get("reason")) == (asked.routes, "SIP;cause=487")
        assert cancel.headers.get("from") == asked.headers.get("from")
        assert cancel.headers.get("to") == asked.headers.get("to")
        world.answer(asked, 180)
        assert not world.packets()

    def test_leaves_at_once_after_a_provisional_and_is_repeated(self) -> None:
        world = World()
        asked = _invite(world)
        world.answer(asked, 180)
        world.events()
        self._cancel(world, asked)
        cancel = world.sent()
        assert isinstance(cancel, Request)
        world.pass_time(0.5)
        assert world.lines() == ["CANCEL"]
        world.answer(cancel, 200)
        world.answer(asked, 487)
        assert world.lines() == ["ACK"]
        assert world.event().response.status == 487
        assert world.drops() == {DropReason.CANCEL_RESPONSE: 1}

    def test_crossing_a_2xx_leaves_the_end_to_call_control(self) -> None:
        world = World()
        asked = _invite(world)
        world.answer(asked, 180)
        self._cancel(world, asked)
        world.events()
        world.answer(asked, 200)
        assert world.event().response.status == 200

    def test_without_any_final_response_is_408(self) -> None:
        world = World()
        asked = _invite(world)
        world.answer(asked, 180)
        self._cancel(world, asked)
        world.events()
        world.pass_time(32.1)
        assert world.event().response.status == 408
        world.pass_time(40)
        assert world.core.open_transactions == 0

    def test_after_the_final_response_has_nothing_to_do(self) -> None:
        world = World()
        asked = _invite(world)
        world.answer(asked, 486)
        world.packets()
        command = self._cancel(world, asked)
        assert not world.packets()
        assert world.done() == [(KEY, command.id)]
        assert world.drops() == {DropReason.NOTHING_TO_CANCEL: 1}

    def test_before_the_address_is_known_ends_the_invite_here(self) -> None:
        world = World()
        world.place(KEY, target={"uri": "sip:bob@example.com"})
        world.command(KEY, cancel={"branch": IDENTITY.branch(KEY, 1, 1)})
        told = world.event().response
        assert (told.status, told.local) == (487, True)
        assert told.local_cause == edge_pb2.LOCAL_CAUSE_NOT_SENT
        world.core.resolved(1, [endpoint("192.0.2.2")], world.now)
        assert not world.packets()
        assert world.drops() == {DropReason.RESOLUTION_UNKNOWN: 1}

    def test_of_anything_but_an_invite_has_nothing_to_do(self) -> None:
        world = World()
        _, asked = world.place(KEY, method="BYE")
        assert asked is not None
        world.answer(asked, 100)
        self._cancel(world, asked)
        assert not world.packets()
        assert world.drops()[DropReason.NOTHING_TO_CANCEL] == 1

    def test_names_any_try(self) -> None:
        world = World()
        asked = _by_name(world, ("192.0.2.11", 5060), ("192.0.2.12", 5060))
        world.pass_time(32.1)
        again = world.packets()[-1].message
        assert isinstance(again, Request)
        self._cancel(world, asked)
        world.answer(again, 180)
        assert world.packets()[-1].message.via.branch == again.via.branch

    def test_with_a_header_that_cannot_be_written_leaves_without_it(self) -> None:
        world = World()
        asked = _invite(world)
        self._cancel(world, asked, headers=[{"name": "Reason", "value": "a\r\nb"}])
        world.answer(asked, 100)
        assert world.sent().headers.get("reason") is None

    def test_in_the_name_of_another_edge(self) -> None:
        sender = World()
        _, asked = sender.place(KEY, target={"uri": "sip:bob@192.0.2.2:5064"})
        assert asked is not None
        sent = sender.event().sent.sent
        sent.sent_by = "198.51.100.2"
        world = World()
        command = self._cancel(world, asked, sent=sent, invite=outgoing(KEY), provisional_seen=True)
        (packet,) = world.packets()
        cancel = packet.message
        assert isinstance(cancel, Request)
        assert packet.address == ("192.0.2.2", 5064)
        assert str(cancel.via) == f"SIP/2.0/UDP 198.51.100.2;rport;branch={asked.via.branch}"
        assert cancel.headers.get("from") == asked.headers.get("from")
        assert world.done() == [(KEY, command.id)]
        world.answer(cancel, 200)
        world.answer(asked, 487)
        assert world.event().response.stray

    @pytest.mark.parametrize("fields", [{"provisional_seen": False}, {"sent": None}, {"invite": None}])
    def test_in_the_name_of_another_edge_needs_to_know_enough(self, fields: dict[str, Any]) -> None:
        world = World()
        address = {"ip": "192.0.2.2", "port": 5060, "transport": "udp"}
        known = {"sent": {"address": address}, "invite": outgoing(KEY), "provisional_seen": True}
        branch = IDENTITY.branch(KEY, 1, 1)
        world.command(KEY, 5, cancel={"branch": branch, **known, **fields})
        assert not world.packets()
        assert not world.done()
        assert world.drops() == {DropReason.CANCEL_NOT_OURS: 1}
        world.command(KEY, 5, cancel={"branch": branch, **known})
        assert world.lines() == ["CANCEL"]

    def test_in_the_name_of_another_edge_needs_a_road(self) -> None:
        world = World(UDP)
        address = {"ip": "2001:db8::2", "port": 5060, "transport": "udp"}
        cancel = {"sent": {"address": address}, "invite": outgoing(KEY), "provisional_seen": True}
        world.command(KEY, cancel={"branch": IDENTITY.branch(KEY, 1, 1), **cancel})
        assert not world.done()
        assert world.drops() == {DropReason.UNREACHABLE: 1}


class TestStopAndAck:
    def test_stop_ends_a_client_transaction(self) -> None:
        world = World()
        asked = _invite(world)
        command = world.command(KEY, stop={"branch": asked.via.branch})
        world.pass_time(40)
        assert not world.packets()
        assert not world.events()
        assert world.done() == [(KEY, command.id)]
        world.answer(asked, 200)
        assert world.event().response.stray

    def test_ack_without_address_is_not_confirmed_and_may_come_again(self) -> None:
        world = World()
        ack = _ack(IDENTITY.branch(KEY, 1, 1), target={"uri": "sip:bob@example.com"})
        world.command(KEY, 3, send_request=ack)
        world.core.resolved(1, [], world.now)
        assert not world.done()
        assert world.drops() == {DropReason.UNREACHABLE: 1}
        world.command(KEY, 3, send_request=ack)
        world.core.resolved(2, [endpoint("192.0.2.2")], world.now)
        assert world.lines() == ["ACK"]
        assert world.done() == [(KEY, 3)]

    def test_ack_that_cannot_be_written_is_discarded(self) -> None:
        world = World()
        world.command(KEY, send_request=_ack("", call_id="a\r\nb"))
        assert world.drops() == {DropReason.UNSENDABLE: 1, DropReason.UNREACHABLE: 1}

    def test_ack_on_a_lost_connection_is_discarded(self) -> None:
        world = World()
        world.command(KEY, send_request=_ack("", target={"flow": "6.1"}))
        assert world.drops() == {DropReason.UNREACHABLE: 1}

    def test_ack_is_sent_again_after_the_transaction_was_tried_elsewhere(self) -> None:
        world = World()
        _by_name(world, ("192.0.2.11", 5060), ("192.0.2.12", 5060))
        world.pass_time(32.1)
        again = world.packets()[-1].message
        assert isinstance(again, Request)
        world.answer(again, 200)
        world.command(KEY, send_request=_ack(again.via.branch))
        world.packets()
        world.events()
        world.answer(again, 200)
        assert world.lines() == ["ACK"]
        assert not world.events()


def test_messages_are_counted() -> None:
    world = World()
    world.place(method="FROBNICATE")
    assert world.core.counters.sent_requests["OTHER"] == 1
    world.answer(_invite(world), 180)
    counters = world.core.counters
    assert counters.responses[180] == 1
    assert counters.sent_requests["INVITE"] == 1
    world.receive(invite())
    assert counters.requests["INVITE"] == 1
    assert counters.sent_responses[100] == 1


class TestMemory:
    def test_a_settled_request_keeps_only_what_names_it(self) -> None:
        """It is remembered for 64*T1, by the thousand."""
        world = World()
        world.command(KEY, send_request=outgoing(KEY))
        sent = world.sent()
        assert isinstance(sent, Request)
        (transaction,) = world.core.client_transactions()
        attempt = transaction.attempt
        assert attempt is not None
        before = attempt.request
        world.receive(response_to(sent, 200, to_tag="b"), CALLEE)
        assert attempt.request == edge_pb2.SendRequest(
            method=before.method, branch=before.branch, call_id=before.call_id, cseq=before.cseq
        )
        assert transaction.data == b""
