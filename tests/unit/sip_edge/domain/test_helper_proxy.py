"""Requests that belong to no call, and their way to a registrar and back."""

from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pytest

from sip_edge.domain import DropReason, HelperProxyConfig, HostPort, Lifecycle, Listener
from sip_edge.domain.ports import Query
from sip_edge.domain.refusals import ALLOW
from sipcore.message import Request, Response
from sipcore.testing.builders import invite, request, response_to
from support.edge_world import CALLER, IDENTITY, TCP, UDP, UDP6, World, endpoint, in_dialog

REGISTRAR = ("192.0.2.50", 5070)


def _world(*listeners: Listener, uri: str = "sip:192.0.2.50:5070", **settings: Any) -> World:
    methods = settings.pop("methods", ["REGISTER"])
    proxy = HelperProxyConfig(uri=uri, methods=frozenset(methods))
    return World(*listeners, helper_proxy=proxy, **settings)


def _register(**fields: Any) -> bytes:
    fields.setdefault("contact", "sip:alice@10.0.0.5:5062")
    return request("REGISTER", "sip:registrar.example", **fields)


def _forwarded(world: World, data: bytes | None = None, **arrival: Any) -> Request:
    """A REGISTER has come in and gone on."""
    world.receive(_register() if data is None else data, **arrival)
    message = world.sent()
    assert isinstance(message, Request)
    return message


def _answer(world: World, asked: Request, status: int, **fields: Any) -> None:
    """The registrar answers."""
    world.receive(response_to(asked, status, **fields), REGISTRAR)


class TestForward:
    def test_request_goes_on_with_our_via_on_top(self) -> None:
        world = _world()
        world.receive(_register(headers=[("X-y", "z"), ("Route", "<sip:198.51.100.1;lr>")]))
        (packet,) = world.packets()
        assert (packet.via, packet.address) == ("udp", REGISTRAR)
        asked = packet.message
        assert isinstance(asked, Request)
        assert (asked.method, asked.uri) == ("REGISTER", "sip:registrar.example")
        ours, theirs = asked.headers.get_all("via")
        assert ours.startswith("SIP/2.0/UDP 198.51.100.1;rport;branch=z9hG4bK-p-")
        assert theirs == "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1;rport=5060;received=192.0.2.1"
        assert asked.max_forwards == 69
        assert asked.headers.get("contact") == "<sip:alice@10.0.0.5:5062>"
        assert asked.headers.get("x-y") == "z"
        assert asked.routes == ("<sip:198.51.100.1;lr>",)
        assert not asked.headers.get("path")
        assert not world.events()

    def test_response_comes_back_without_our_via(self) -> None:
        world = _world()
        asked = _forwarded(world)
        _answer(world, asked, 401, headers=[("WWW-Authenticate", 'Digest realm="r"')], to_tag="reg")
        (packet,) = world.packets()
        assert packet.address == CALLER
        answer = packet.message
        assert isinstance(answer, Response)
        assert answer.status == 401
        assert answer.headers.get_all("via") == asked.headers.get_all("via")[1:]
        assert answer.headers.get("www-authenticate") == 'Digest realm="r"'
        assert answer.to_tag == "reg"
        world.pass_time(40)
        assert world.quiet()
        assert world.core.open_transactions == 0

    def test_provisionals_come_back_except_100(self) -> None:
        world = _world()
        asked = _forwarded(world)
        _answer(world, asked, 100)
        assert not world.packets()
        _answer(world, asked, 182)
        assert world.lines() == ["182"]
        _answer(world, asked, 200)
        assert world.lines() == ["200"]
        assert world.drops() == {DropReason.TRYING_ABSORBED: 1}

    def test_repetitions_are_absorbed_until_there_is_an_answer(self) -> None:
        world = _world()
        asked = _forwarded(world)
        world.receive(_register())
        assert not world.packets()
        world.pass_time(0.5)
        assert world.lines() == ["REGISTER"]
        _answer(world, asked, 200)
        _answer(world, asked, 200)
        world.receive(_register())
        assert world.lines() == ["200", "200"]
        assert world.drops() == {DropReason.REPEATED_REQUEST: 2, DropReason.RESPONSE_REPEATED: 1}

    def test_silence_is_408_after_64_t1(self) -> None:
        world = _world()
        _forwarded(world)
        world.pass_time(31.9)
        assert set(world.lines()) == {"REGISTER"}
        world.pass_time(0.2)
        (packet,) = world.packets()
        assert isinstance(packet.message, Response)
        assert (packet.message.status, packet.message.reason) == (408, "Request Timeout")
        assert packet.message.to_tag
        world.pass_time(40)
        assert world.core.open_transactions == 0
        assert world.core.idle

    @pytest.mark.parametrize(
        ("headers", "path"),
        [
            ([("Supported", "gruu, Path")], ["<sip:sip.example.com;lr>"]),
            ([("k", "path"), ("Path", "<sip:p1;lr>")], ["<sip:sip.example.com;lr>", "<sip:p1;lr>"]),
            ([("Path", "<sip:p1;lr>")], ["<sip:p1;lr>"]),
        ],
    )
    def test_path_leads_to_any_edge(self, headers: list[tuple[str, str]], path: list[str]) -> None:
        world = _world(replace(UDP, contact=HostPort("sip.example.com", 5060)))
        assert _forwarded(world, _register(headers=headers)).headers.get_all("path") == path

    def test_path_is_for_registrations_only(self) -> None:
        world = _world(methods=["SUBSCRIBE"])
        asked = _forwarded(world, request("SUBSCRIBE", headers=[("Supported", "path")]))
        assert not asked.headers.get("path")

    def test_branch_is_that_of_no_call_and_the_same_at_every_edge(self) -> None:
        branches = {_forwarded(_world()).via.branch for _ in range(2)}
        (branch,) = branches
        assert IDENTITY.read_branch(branch) is None
        assert _forwarded(_world(), _register(branch="z9hG4bK-2")).via.branch != branch

    def test_name_is_asked_for(self) -> None:
        world = _world(uri="sip:registrar.example;transport=tcp")
        world.receive(_register())
        assert world.outlet.queries == [(1, Query("sip", "registrar.example", None, "tcp"))]
        world.core.resolved(1, [endpoint(*REGISTRAR, "tcp")], world.now)
        ((flow, _, address),) = world.outlet.connects
        assert address == REGISTRAR
        (packet,) = world.packets()
        assert packet.via == flow

    def test_over_ipv6(self) -> None:
        world = _world(UDP, UDP6, uri="sip:[2001:db8::50]")
        asked = _forwarded(world, _register(headers=[("Supported", "path")]))
        assert asked.via.sent_by == "[2001:db8::1]"
        assert asked.headers.get("path") == "<sip:[2001:db8::1];lr>"

    def test_answer_goes_back_over_the_connection(self) -> None:
        world = _world()
        flow = world.core.flow_opened("tcp", ("192.0.2.1", 33000), world.now)
        assert flow is not None
        world.core.receive_stream(flow, _register(via="SIP/2.0/TCP 10.0.0.5:5060"), world.now)
        asked = world.sent()
        assert isinstance(asked, Request)
        _answer(world, asked, 200)
        (packet,) = world.packets()
        assert packet.via == flow

    def test_large_one_goes_by_tcp_or_by_udp_where_that_is_refused(self) -> None:
        world = _world(UDP, TCP)
        world.receive(_register(body=b"x" * 1300))
        ((flow, _, address),) = world.outlet.connects
        assert address == REGISTRAR
        assert world.packets()[0].message.via.transport == "TCP"
        world.core.flow_closed(flow, world.now)
        (packet,) = world.packets()
        assert packet.address == REGISTRAR
        assert packet.message.via.transport == "UDP"
        world.receive(_register(branch="z9hG4bK-2", body=b"x" * 1300))
        assert len(world.outlet.connects) == 1


class TestNextAddress:
    def _by_name(self, *targets: tuple[str, int]) -> tuple[World, Request]:
        world = _world(uri="sip:registrar.example")
        world.receive(_register())
        world.core.resolved(1, [endpoint(*target) for target in targets], world.now)
        asked = world.sent()
        assert isinstance(asked, Request)
        return world, asked

    def test_on_503(self) -> None:
        world, asked = self._by_name(REGISTRAR, ("192.0.2.51", 5060))
        _answer(world, asked, 503)
        (packet,) = world.packets()
        assert packet.address == ("192.0.2.51", 5060)
        again = packet.message
        assert isinstance(again, Request)
        assert again.via.branch != asked.via.branch
        _answer(world, asked, 200)
        assert world.drops() == {DropReason.PROXY_RESPONSE_LATE: 1}
        _answer(world, again, 503)
        assert world.lines() == ["503"]

    def test_when_nobody_listens(self) -> None:
        world, _ = self._by_name(REGISTRAR, ("192.0.2.51", 5060))
        world.core.transport_failed(REGISTRAR, world.now)
        assert [packet.address for packet in world.packets()] == [("192.0.2.51", 5060)]
        world.core.transport_failed(REGISTRAR, world.now)
        assert not world.packets()
        world.core.transport_failed(("192.0.2.51", 5060), world.now)
        answer = world.sent()
        assert isinstance(answer, Response)
        assert (answer.status, answer.headers.get("retry-after")) == (503, "5")

    def test_not_after_a_provisional(self) -> None:
        world, asked = self._by_name(REGISTRAR, ("192.0.2.51", 5060))
        _answer(world, asked, 100)
        world.core.transport_failed(REGISTRAR, world.now)
        assert not world.packets()

    def test_name_without_address_is_503(self) -> None:
        world = _world(uri="sip:registrar.example")
        world.receive(_register())
        world.core.resolved(1, [], world.now)
        assert world.lines() == ["503"]

    def test_address_without_listener_is_503(self) -> None:
        world = _world(UDP, uri="sip:[2001:db8::50]")
        world.receive(_register())
        assert world.lines() == ["503"]


class TestRefusals:
    def _refusal(self, world: World, data: bytes) -> Response:
        world.receive(data)
        answer = world.sent()
        assert isinstance(answer, Response)
        assert not world.events()
        assert world.core.open_transactions == 0
        return answer

    def test_without_hops_left(self) -> None:
        answer = self._refusal(_world(), _register(max_forwards=0))
        assert (answer.status, answer.reason) == (483, "Too Many Hops")

    def test_of_our_own_request_come_back(self) -> None:
        asked = _forwarded(_world())
        data = _register(branch="z9hG4bK-registrar", headers=[("Via", asked.headers.get("via") or "")])
        answer = self._refusal(_world(), data)
        assert (answer.status, answer.reason) == (482, "Loop Detected")

    def test_not_for_a_via_that_only_looks_like_ours(self) -> None:
        asked = _forwarded(_world())
        via = (asked.headers.get("via") or "")[:-1] + "w"
        _forwarded(_world(), _register(headers=[("Via", via)]))

    def test_of_what_a_proxy_must_understand(self) -> None:
        answer = self._refusal(_world(), _register(headers=[("Proxy-Require", "foo, bar")]))
        assert (answer.status, answer.headers.get("unsupported")) == (420, "foo, bar")
        _forwarded(_world(), _register(headers=[("Require", "foo")]))

    @pytest.mark.parametrize(
        ("state", "passes"),
        [
            (Lifecycle.STARTING, False),
            (Lifecycle.SERVING, True),
            (Lifecycle.OVERLOADED, False),
            (Lifecycle.SHIFTING, True),
            (Lifecycle.DRAINING, False),
        ],
    )
    def test_by_lifecycle(self, state: Lifecycle, passes: bool) -> None:
        world = _world()
        world.core.admission.state = state
        world.receive(_register())
        assert world.lines() == ["REGISTER" if passes else "503"]

    def test_when_the_table_is_full(self) -> None:
        world = _world(max_transactions=2)
        _forwarded(world)
        world.receive(_register(branch="z9hG4bK-2"))
        answer = world.sent()
        assert isinstance(answer, Response)
        assert (answer.status, answer.headers.get("retry-after")) == (503, "5")

    def test_of_addresses_outside_the_access_list(self) -> None:
        world = _world(allow=(IPv4Network("203.0.113.0/24"),))
        assert self._refusal(world, _register()).status == 403

    def test_of_a_supported_header_that_cannot_be_read(self) -> None:
        assert self._refusal(_world(), _register(headers=[("Supported", 'a,"')])).status == 400


class TestWhatIsForwarded:
    def test_only_what_is_asked_for(self) -> None:
        world = _world()
        world.receive(request("SUBSCRIBE"))
        assert world.lines() == ["501"]
        world = _world(methods=["SUBSCRIBE", "REGISTER"])
        world.receive(request("SUBSCRIBE"))
        assert world.lines() == ["SUBSCRIBE"]

    def test_not_inside_dialogs(self) -> None:
        world = _world(methods=["SUBSCRIBE"])
        world.receive(request("SUBSCRIBE", to_tag="foreign"))
        assert world.lines() == ["481"]
        world.receive(in_dialog("SUBSCRIBE", World().open_call()))
        assert world.event().request.origin.method == "SUBSCRIBE"
        assert not world.packets()

    def test_options_tells_so(self) -> None:
        world = _world()
        world.receive(request("OPTIONS"))
        assert world.sent().headers.get("allow") == f"{ALLOW}, REGISTER"

    def test_calls_are_not(self) -> None:
        world = _world()
        world.receive(invite())
        assert world.lines() == ["100"]


class TestResponses:
    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            (b"1 REGISTER", b"1 INVITE", DropReason.RESPONSE_MISROUTED),
            (b"Call-ID", b"X-Call-ID", DropReason.MALFORMED_RESPONSE),
            (b"z9hG4bK-p-", b"z9hG4bK-q-", DropReason.RESPONSE_FOREIGN),
        ],
    )
    def test_forged_and_broken_ones_reach_nobody(self, old: bytes, new: bytes, reason: DropReason) -> None:
        world = _world()
        asked = _forwarded(world)
        world.receive(response_to(asked, 200).replace(old, new), REGISTRAR)
        assert not world.packets()
        assert world.drops() == {reason: 1}

    def test_without_the_senders_via_are_misrouted(self) -> None:
        world = _world()
        asked = _forwarded(world)
        _, below = asked.headers.get_all("via")
        world.receive(response_to(asked, 200).replace(f"Via: {below}\r\n".encode(), b""), REGISTRAR)
        assert world.drops() == {DropReason.RESPONSE_MISROUTED: 1}

    def test_after_a_restart_are_late(self) -> None:
        asked = _forwarded(_world())
        world = _world()
        _answer(world, asked, 200)
        assert world.drops() == {DropReason.PROXY_RESPONSE_LATE: 1}

    def test_to_calls_are_not_touched(self) -> None:
        world = _world()
        _, asked = world.place()
        assert asked is not None
        world.events()
        world.answer(asked, 180)
        assert world.event().response.status == 180


def test_edge_is_not_idle_before_the_answer() -> None:
    world = _world()
    asked = _forwarded(world)
    assert not world.core.idle
    _answer(world, asked, 200)
    assert world.core.idle
