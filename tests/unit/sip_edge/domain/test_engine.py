"""The core as its shell sees it: what cannot be read, connections, commands, greeting, drain."""

import math

import pytest

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain import DropReason, EdgeConfig, EdgeCore, Lifecycle
from sipcore.message import Response
from sipcore.testing.builders import ack_to, cancel_of, invite, request, response_to
from support.edge_world import IDENTITY, TCP, UDP, FakeLink, FakeOutlet, World, call_key, outgoing

KEY = call_key()
PEER = ("192.0.2.1", 33000)


class TestUnreadable:
    @pytest.mark.parametrize(
        ("data", "status"),
        [
            (invite().replace(b"CSeq: 1 INVITE", b"CSeq: 1 BYE"), 400),
            (invite().replace(b"Max-Forwards: 70", b"Max-Forwards: x"), 400),
            (invite().replace(b"sip:bob@192.0.2.2 SIP/2.0", b"http:bob SIP/2.0"), 416),
            (invite().replace(b"SIP/2.0\r\n", b"SIP/3.0\r\n", 1), 505),
            (invite().replace(b"Content-Length: ", b"Content-Length: 9"), 400),
            (invite(body=b"x" * 65536), 413),
        ],
    )
    def test_request_is_answered_when_it_can_be(self, data: bytes, status: int) -> None:
        world = World()
        world.receive(data)
        answer = world.sent()
        assert isinstance(answer, Response)
        assert answer.status == status
        assert not world.events()
        assert world.core.open_transactions == 0

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"\r\n\r\n", DropReason.KEEP_ALIVE),
            (b"\x00\x00", DropReason.KEEP_ALIVE),
            (b"hello", DropReason.MALFORMED),
            (b"", DropReason.KEEP_ALIVE),
            (invite().replace(b"Via", b"X-Via"), DropReason.MALFORMED),
            (invite().replace(b"Call-ID", b"X-Call-ID"), DropReason.MALFORMED),
            (request("ACK", max_forwards=999), DropReason.MALFORMED),
            (request("ACK").replace(b"Call-ID", b"X-Call-ID"), DropReason.MALFORMED),
            (b"SIP/2.0 999 What\r\n\r\n", DropReason.MALFORMED_RESPONSE),
            (b"SIP/2.0 200 OK\r\nContent-Length: 5\r\n\r\n", DropReason.MALFORMED_RESPONSE),
            (b"SIP/2.0 200 OK\r\n\r\n", DropReason.MALFORMED_RESPONSE),
        ],
    )
    def test_rest_is_counted_and_dropped(self, data: bytes, reason: DropReason) -> None:
        world = World()
        world.receive(data)
        assert not world.packets()
        assert world.drops() == {reason: 1}

    def test_ack_that_is_not_utf8_is_dropped(self) -> None:
        world = World()
        tag = IDENTITY.tag(KEY, 0)
        world.receive(request("ACK", to_tag=tag).replace(b"Via:", b"Subject: \xff\r\nVia:", 1))
        assert world.drops() == {DropReason.MALFORMED: 1}


class TestGreeting:
    def test_nothing_is_done_before_it(self) -> None:
        world = World(greeted=False)
        world.receive(request("BYE", to_tag="a"))
        world.receive(response_to(invite(), 200))
        world.command(KEY, send_request=outgoing(KEY))
        world.core.transport_failed(PEER, world.now)
        assert world.quiet()
        assert world.drops() == {DropReason.NOT_GREETED: 3}

    def test_whoever_begins_something_before_it_hears_so(self) -> None:
        world = World(greeted=False)
        for begins in (invite(), request("OPTIONS")):
            world.receive(begins)
            answer = world.sent()
            assert isinstance(answer, Response)
            assert (answer.status, bool(answer.to_tag)) == (503, True)
            assert answer.headers.get("retry-after")
        assert world.drops() == {DropReason.NOT_GREETED: 2}

    def test_second_one_changes_the_wanted_headers_only(self) -> None:
        world = World()
        event = world.open_call(invite(headers=[("X-A", "1"), ("Subject", "s")]))
        assert [header.name for header in event.request.headers] == ["Subject"]
        world.core.greeted(IDENTITY, ["x-a"])
        world.receive(invite(branch="z9hG4bK-2", headers=[("X-A", "1"), ("Subject", "s")]))
        assert [header.name for header in world.event().request.headers] == ["X-A"]
        world.respond(event, 486)
        assert "486" in world.lines()


class TestFlows:
    def _open(self, world: World) -> str:
        flow = world.core.flow_opened("tcp", PEER, world.now)
        assert flow is not None
        return flow

    def test_request_in_pieces_is_answered_on_its_connection(self) -> None:
        world = World()
        flow = self._open(world)
        data = invite(via="SIP/2.0/TCP 192.0.2.1:5060")
        for at in range(0, len(data), 100):
            world.core.receive_stream(flow, data[at : at + 100], world.now)
        (packet,) = world.packets()
        assert packet.via == flow
        origin = world.event().request.origin
        assert (origin.flow, origin.listener, origin.source.transport) == (flow, "tcp", "tcp")

    def test_contact_names_the_transport(self) -> None:
        world = World()
        flow = self._open(world)
        world.core.receive_stream(flow, invite(via="SIP/2.0/TCP 192.0.2.1:5060"), world.now)
        world.packets()
        world.respond(world.event(), 200, contact=True)
        assert world.sent().headers.get("contact") == "<sip:198.51.100.1;transport=tcp>"

    def test_keep_alive_is_answered(self) -> None:
        world = World()
        flow = self._open(world)
        world.core.receive_stream(flow, b"\r\n\r\n", world.now)
        assert [packet.data for packet in world.packets()] == [b"\r\n"]
        assert world.drops() == {DropReason.KEEP_ALIVE: 1}

    def test_malformed_request_is_answered_and_the_stream_goes_on(self) -> None:
        world = World()
        flow = self._open(world)
        broken = invite(branch="z9hG4bK-2").replace(b"Max-Forwards: 70", b"Max-Forwards: x")
        world.core.receive_stream(flow, broken + invite(), world.now)
        assert world.lines() == ["400", "100"]

    def test_tells_since_when_a_message_is_incomplete(self) -> None:
        world = World()
        flow = self._open(world)
        data = invite(via="SIP/2.0/TCP 192.0.2.1:5060")
        world.core.receive_stream(flow, b"\r\n" + data[:100], 1.0)
        world.core.receive_stream(flow, data[100:-1], 2.0)
        assert world.core.incomplete_since(flow) == 1.0
        world.core.receive_stream(flow, data[-1:] + data[:1], 3.0)
        assert world.core.incomplete_since(flow) == 3.0
        world.core.receive_stream(flow, data[1:] + b"\r\n", 4.0)
        assert world.core.incomplete_since(flow) == math.inf
        assert world.core.incomplete_since("gone") == math.inf

    def test_lost_framing_closes_it(self) -> None:
        world = World()
        flow = self._open(world)
        world.core.receive_stream(flow, b"hello\r\n\r\n", world.now)
        assert world.outlet.closed == [flow]
        assert world.drops()[DropReason.FLOW_FRAMING_LOST] == 1
        world.core.receive_stream(flow, b"more", world.now)
        assert world.drops() == {DropReason.FLOW_UNKNOWN: 1}
        assert world.core.open_flows == 0

    def test_there_is_a_limit(self) -> None:
        world = World(max_flows=1)
        self._open(world)
        assert world.core.flow_opened("tcp", PEER, world.now) is None
        assert world.drops() == {DropReason.FLOW_REFUSED: 1}

    def test_answer_after_its_loss_opens_a_connection_to_the_via(self) -> None:
        world = World()
        flow = self._open(world)
        world.core.receive_stream(flow, invite(via="SIP/2.0/TCP 192.0.2.1:5066"), world.now)
        world.core.flow_closed(flow, world.now)
        world.core.flow_closed(flow, world.now)
        world.packets()
        world.respond(world.event(), 486)
        ((new, listener, address),) = world.outlet.connects
        assert (listener, address) == ("tcp", ("192.0.2.1", 5066))
        assert [packet.via for packet in world.packets()] == [new]

    def test_answer_with_no_way_left_is_counted(self) -> None:
        world = World(max_flows=1)
        flow = self._open(world)
        world.core.receive_stream(flow, invite(via="SIP/2.0/TCP 192.0.2.1:5066"), world.now)
        world.core.flow_closed(flow, world.now)
        self._open(world)
        world.packets()
        world.drops()
        world.respond(world.event(), 486)
        assert world.drops() == {DropReason.FLOW_REFUSED: 1, DropReason.FLOW_LOST: 1}

    def test_names_differ_from_those_of_an_earlier_run(self) -> None:
        first = self._open(World())
        config = EdgeConfig(edge_id="edge-0", boot=8, listeners=(TCP,))
        again = EdgeCore(config, FakeOutlet(), FakeLink())
        assert again.flow_opened("tcp", PEER, 0.0) != first


class TestCommandsTwice:
    def test_answer_is_sent_once_and_confirmed_twice(self) -> None:
        world = World()
        event = world.open_call()
        command = world.respond(event, 180)
        world.core.execute(command, world.now)
        assert world.lines() == ["180"]
        assert world.done() == [(event.call_key, command.id)] * 2
        assert world.drops() == {DropReason.COMMAND_REPEATED: 1}

    def test_request_is_sent_once_and_told_twice(self) -> None:
        world = World()
        command, asked = world.place(KEY)
        assert asked is not None
        world.core.execute(command, world.now)
        assert not world.packets()
        assert [event.WhichOneof("kind") for event in world.events()] == ["sent", "sent"]
        world.answer(asked, 486)
        world.events()
        world.core.execute(command, world.now)
        sent, final = world.events()
        assert sent.sent.sent.branch == asked.via.branch
        assert final.response.status == 486

    def test_failed_request_is_told_twice(self) -> None:
        world = World()
        command, _ = world.place(KEY, target={"uri": ""})
        world.core.execute(command, world.now)
        assert [event.response.status for event in world.events()] == [503, 503]

    def test_request_without_a_final_is_not_told_again(self) -> None:
        world = World()
        command, _ = world.place(KEY, method="BYE")
        world.core.execute(command, world.now)
        assert not world.events()
        assert not world.done()

    @pytest.mark.parametrize("kind", ["ack", "cancel", "stop"])
    def test_others_are_confirmed_twice(self, kind: str) -> None:
        world = World()
        _, asked = world.place(KEY)
        assert asked is not None
        branch = asked.via.branch
        kinds = {
            "ack": {"send_request": outgoing(KEY, method="ACK", invite_branch=branch)},
            "cancel": {"cancel": {"branch": branch}},
            "stop": {"stop": {"branch": branch}},
        }
        command = world.command(KEY, 77, **kinds[kind])
        world.packets()
        world.core.execute(command, world.now)
        assert not world.packets()
        assert world.done() == [(KEY, 77)] * 2

    def test_what_nobody_owes_is_done_each_time_and_not_confirmed(self) -> None:
        world = World()
        for counter in (1, 2):
            ack = outgoing(KEY, method="ACK", counter=counter)
            world.core.execute(edge_pb2.Command(id=0, call_key=KEY, send_request=ack), world.now)
        assert world.lines() == ["ACK", "ACK"]
        assert not any(number for _, number in world.done())

    def test_same_number_for_something_else_is_another_command(self) -> None:
        """The record of the call was lost, and continued from an older version."""
        world = World()
        event = world.open_call()
        world.command(event.call_key, 7, respond={"transaction": event.request.transaction, "status": 180})
        world.command(event.call_key, 7, respond={"transaction": event.request.transaction, "status": 486})
        assert world.lines() == ["180", "486"]

    def test_same_number_of_another_call_is_another_command(self) -> None:
        world = World()
        world.command(KEY, 5, send_request=outgoing(KEY))
        other = call_key(2)
        world.command(other, 5, send_request=outgoing(other))
        assert world.lines() == ["INVITE", "INVITE"]

    def test_number_is_free_again_later(self) -> None:
        world = World()
        world.command(KEY, 5, send_request=outgoing(KEY, method="BYE"))
        world.pass_time(100)
        world.command(KEY, 6, send_request=outgoing(KEY, method="INFO", branch=IDENTITY.branch(KEY, 1, 2)))
        world.pass_time(100)
        world.command(KEY, 7, send_request=outgoing(KEY, method="INFO", branch=IDENTITY.branch(KEY, 1, 3)))
        world.packets()
        world.command(KEY, 5, send_request=outgoing(KEY, method="BYE"))
        assert world.lines() == ["BYE"]

    def test_late_copy_of_a_request_is_forgotten(self) -> None:
        world = World()
        event = world.open_call()
        world.command(event.call_key, stop={"transaction": event.request.transaction, "forget": True})
        assert world.core.open_transactions == 0
        world.pass_time(700.0)
        assert not world.packets()

    def test_unknown_kind_and_unknown_target_of_a_stop(self) -> None:
        world = World()
        world.command(KEY)
        world.command(KEY, 9, stop={"branch": "z9hG4bK-x"})
        world.command(KEY, 10, stop={"transaction": "x"})
        assert world.drops() == {DropReason.COMMAND_EMPTY: 1, DropReason.STOP_UNKNOWN: 2}
        assert world.done() == [(KEY, 9), (KEY, 10)]


class TestDrain:
    def test_idle_when_nobody_waits_for_anything(self) -> None:
        world = World()
        assert world.core.idle
        event = world.open_call()
        assert not world.core.idle
        world.respond(event, 486)
        assert not world.core.idle
        refusal = world.sent()
        assert isinstance(refusal, Response)
        world.receive(ack_to(invite(), refusal))
        assert world.core.idle
        assert world.core.open_transactions == 1

    def test_not_idle_while_a_request_of_ours_is_open(self) -> None:
        world = World()
        _, asked = world.place(KEY)
        assert asked is not None
        assert not world.core.idle
        world.answer(asked, 180)
        assert not world.core.idle
        world.answer(asked, 486)
        assert world.core.idle

    def test_readiness_follows_the_lifecycle(self) -> None:
        admission = World().core.admission
        ready = {}
        for state in Lifecycle:
            admission.state = state
            assert admission.state is state
            ready[state] = admission.ready
        assert [state for state, value in ready.items() if value] == [
            Lifecycle.SERVING,
            Lifecycle.OVERLOADED,
        ]


class TestWholeCall:
    def test_leaves_nothing_behind(self) -> None:
        world = World()
        event = world.open_call()
        _, asked = world.place(event.call_key)
        assert asked is not None
        world.answer(asked, 180)
        world.receive(cancel_of(invite()))
        world.respond(event, 487)
        world.command(event.call_key, cancel={"branch": asked.via.branch})
        world.answer(asked, 487)
        world.pass_time(200)
        assert world.core.open_transactions == 0
        assert world.core.next_deadline() == math.inf

    def test_call_control_may_answer_from_inside_submit(self) -> None:
        world = World(UDP)

        class Eager(FakeLink):
            def submit(self, event: edge_pb2.Event) -> None:
                super().submit(event)
                if event.WhichOneof("kind") == "request":
                    world.respond(event, 486)

        eager = Eager()
        world.link = eager
        world.core = EdgeCore(EdgeConfig(edge_id="edge-0", boot=7, listeners=(UDP,)), world.outlet, eager)
        world.core.greeted(IDENTITY, [])
        world.core.admission.state = Lifecycle.SERVING
        world.receive(invite())
        assert world.lines() == ["100", "486"]


def test_two_listeners_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        World(UDP, UDP)
