"""Peers behind a NAT: whom it concerns, and which address stands for which."""

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network

import pytest

from sip_edge.domain import Address, HelperProxyConfig, Listener, PeerNetwork
from sip_edge.domain.nat import Nat, is_private, reachable
from sipcore.message import Request
from sipcore.testing.builders import cancel_of, invite, request
from support.edge_world import TCP, UDP, World, in_dialog

OUTSIDE: Address = ("203.0.113.9", 40000)
HERE = "sip:alice@203.0.113.9:40000"


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("10.1.2.3", True),
        ("11.0.0.1", False),
        ("172.16.0.1", True),
        ("172.31.255.255", True),
        ("172.15.0.1", False),
        ("172.32.0.1", False),
        ("192.168.0.1", True),
        ("192.169.0.1", False),
        ("100.63.255.255", False),
        ("100.64.0.1", True),
        ("100.127.255.255", True),
        ("100.128.0.1", False),
        ("169.254.1.1", True),
        ("169.253.1.1", False),
        ("192.0.2.1", False),
        ("127.0.0.1", False),
        ("fe80::1", True),
        ("febf::1", True),
        ("fec0::1", False),
        ("fd00::1", True),
        ("fc00::1", True),
        ("fe00::1", False),
        ("2001:db8::1", False),
        ("::ffff:10.0.0.1", True),
        ("::ffff:192.0.2.1", False),
        ("abc.invalid", True),
        ("ABC.Invalid", True),
        ("invalid.example", False),
        ("example.com", False),
        ("10.0.0.1.example.com", False),
        ("", False),
    ],
)
def test_is_private(host: str, private: bool) -> None:
    assert is_private(host) is private


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("sip:alice@10.0.0.5", HERE),
        ("sip:alice@10.0.0.5:5062;transport=UDP;ob", f"{HERE};transport=UDP;ob"),
        ("SIPS:alice@100.64.0.1", "SIPS:alice@203.0.113.9:40000"),
        ("sip:alice:secret@[fe80::1]:5062?X=1", "sip:alice:secret@203.0.113.9:40000?X=1"),
        ("sip:[fd00::1]", "sip:203.0.113.9:40000"),
        ("sip:alice@a1b2.invalid;transport=ws", f"{HERE};transport=ws"),
        ("sip:alice@192.0.2.5:0", HERE),
        ("sip:alice@192.0.2.5:000;lr", f"{HERE};lr"),
        ("sip:alice@255.255.255.255", HERE),
        ("sip:alice@192.0.2.5", None),
        ("sip:alice@192.0.2.5:5060", None),
        ("sip:alice@phone.example", None),
        ("sip:10@phone.example", None),
        ("sip:alice@192.0.2.5;x=10.0.0.5", None),
        ("tel:+4930", None),
        ("sip:@", None),
        ("*", None),
        ("", None),
    ],
)
def test_reachable(uri: str, told: str | None) -> None:
    assert reachable(uri, OUTSIDE) == told


def test_reachable_over_ipv6() -> None:
    assert reachable("sip:a@10.0.0.5", ("2001:db8::9", 5060)) == "sip:a@[2001:db8::9]:5060"


BRANCH_OFFICES = replace(
    UDP,
    networks=(
        PeerNetwork(network=IPv4Network("203.0.113.0/25"), nat=True),
        PeerNetwork(network=IPv4Network("203.0.113.128/25"), nat=False),
        PeerNetwork(network=IPv6Network("2001:db8::/32")),
    ),
)


@pytest.mark.parametrize(
    ("default", "listener", "ip", "applies"),
    [
        (False, UDP, "203.0.113.9", False),
        (True, UDP, "203.0.113.9", True),
        (True, replace(UDP, nat=False), "203.0.113.9", False),
        (False, replace(UDP, nat=True), "203.0.113.9", True),
        (False, BRANCH_OFFICES, "203.0.113.9", True),
        (True, BRANCH_OFFICES, "203.0.113.200", False),
        (True, BRANCH_OFFICES, "192.0.2.1", True),
        (True, BRANCH_OFFICES, "2001:db8::1", True),
        (False, replace(BRANCH_OFFICES, nat=True), "2001:db8::1", True),
        (True, None, "203.0.113.9", True),
        (False, None, "203.0.113.9", False),
    ],
)
def test_applies(default: bool, listener: Listener | None, ip: str, applies: bool) -> None:
    listeners = [UDP if listener is None else listener]
    nat = Nat(default, listeners)
    assert nat.applies(listener, ip) is applies
    assert nat.anywhere or not applies


def test_anywhere() -> None:
    assert not Nat(False, [UDP, TCP]).anywhere
    assert Nat(True, [UDP]).anywhere
    assert Nat(False, [UDP, replace(TCP, nat=True)]).anywhere
    assert Nat(False, [BRANCH_OFFICES]).anywhere


VIA, PUBLIC_VIA = "SIP/2.0/UDP 10.0.0.5:5062", "SIP/2.0/UDP 203.0.113.9:5062"


class TestRequests:
    @pytest.mark.parametrize(
        ("via", "contact", "rport", "reply", "told"),
        [
            (VIA, "sip:alice@10.0.0.5:5062", False, OUTSIDE, HERE),
            (VIA, "sip:alice@10.0.0.5:5062", True, OUTSIDE, HERE),
            (VIA, "sip:alice@192.0.2.5", False, OUTSIDE, "sip:alice@192.0.2.5"),
            (PUBLIC_VIA, "sip:alice@100.64.0.7", False, OUTSIDE, HERE),
            (PUBLIC_VIA, "sip:alice@192.0.2.5:0", False, OUTSIDE, HERE),
            (PUBLIC_VIA, "sip:alice@192.0.2.5", False, ("203.0.113.9", 5062), "sip:alice@192.0.2.5"),
            ("SIP/2.0/UDP a.invalid", "sip:alice@a.invalid", False, OUTSIDE, HERE),
        ],
    )
    def test_answer_and_contact(self, via: str, contact: str, rport: bool, reply: Address, told: str) -> None:
        world = World(UDP, nat_traversal=True)
        world.receive(request("INVITE", via=via, contact=contact, rport=rport), OUTSIDE)
        (packet,) = world.packets()
        assert packet.address == reply
        assert world.event().request.contact_uri == told

    def test_answer_of_another_edge_goes_there_too(self) -> None:
        world = World(UDP, nat_traversal=True)
        event = world.open_call(request("INVITE", via=VIA, contact="sip:a@10.0.0.5", rport=False))
        (via,) = event.request.origin.via
        assert via == f"{VIA};branch=z9hG4bK-1;received=192.0.2.1;rport=5060"
        other = World(UDP)
        other.respond(event, 486)
        assert [packet.address for packet in other.packets()] == [("192.0.2.1", 5060)]

    def test_refusal_goes_there_too(self) -> None:
        world = World(UDP, nat_traversal=True)
        world.link.credit = False
        world.receive(request("INVITE", via=VIA, contact="sip:a@10.0.0.5", rport=False), OUTSIDE)
        assert [packet.address for packet in world.packets()] == [OUTSIDE]

    @pytest.mark.parametrize("apart", ["\r\nVia: ", ", "])
    def test_contact_of_whoever_is_behind_a_proxy_is_left_alone(self, apart: str) -> None:
        world = World(UDP, nat_traversal=True)
        data = invite(contact="sip:a@10.0.0.5")
        behind = data.replace(b";rport", f"{apart}SIP/2.0/UDP 10.0.0.5;branch=x".encode(), 1)
        world.receive(behind, OUTSIDE)
        assert world.event().request.contact_uri == "sip:a@10.0.0.5"
        assert [packet.address for packet in world.packets()] == [("203.0.113.9", 5060)]

    def test_each_leg_and_each_request_keeps_its_own_source(self) -> None:
        world = World(UDP, nat_traversal=True)
        event = World().open_call()
        for port in (40000, 40001):
            data = in_dialog("INVITE", event, cseq=port, contact="sip:alice@10.0.0.5")
            world.receive(data, ("203.0.113.9", port))
            assert world.event().request.contact_uri == f"sip:alice@203.0.113.9:{port}"

    def test_only_for_peers_for_whom_it_is_on(self) -> None:
        world = World(BRANCH_OFFICES)
        for number, (ip, told) in enumerate(
            [("203.0.113.9", "sip:a@203.0.113.9:40000"), ("203.0.113.200", "sip:a@10.0.0.5")]
        ):
            data = invite(contact="sip:a@10.0.0.5", branch=f"z9hG4bK-{number}", call_id=str(number))
            world.receive(data, (ip, 40000))
            assert world.event().request.contact_uri == told

    def test_port_0_is_refused_where_it_is_off(self) -> None:
        world = World(UDP)
        world.receive(invite(contact="sip:alice@192.0.2.5:0"))
        assert world.lines() == ["400"]

    def test_contact_that_cannot_be_read_is_refused_as_ever(self) -> None:
        world = World(UDP, nat_traversal=True)
        world.receive(invite().replace(b"Contact: <", b"Contact: <<"), OUTSIDE)
        assert world.lines() == ["400"]

    def test_what_is_passed_on_keeps_its_contact_but_is_answered_at_the_source(self) -> None:
        world = World(UDP, nat_traversal=True, helper_proxy=HelperProxyConfig(uri="sip:192.0.2.50"))
        world.receive(request("REGISTER", via=VIA, contact="sip:alice@10.0.0.5", rport=False), OUTSIDE)
        (packet,) = world.packets()
        assert packet.message.headers.get("contact") == "<sip:alice@10.0.0.5>"
        world.core.transport_failed(("192.0.2.50", 5060), world.now)
        assert [packet.address for packet in world.packets()] == [OUTSIDE]

    def test_cancel_and_display_name(self) -> None:
        world = World(UDP, nat_traversal=True)
        data = invite(via=VIA).replace(
            b"<sip:alice@192.0.2.1:5060>", b'"Alice, x" <sip:alice@10.0.0.5>;+sip.instance="<urn:1,2>"'
        )
        world.receive(data, OUTSIDE)
        assert world.event().request.contact_uri == HERE
        world.receive(cancel_of(data), OUTSIDE)
        assert {packet.address for packet in world.packets()} == {OUTSIDE}

    def test_over_tcp_the_source_stands_for_the_contact(self) -> None:
        world = World(TCP, nat_traversal=True)
        flow = world.core.flow_opened("tcp", OUTSIDE, world.now)
        assert flow is not None
        data = invite(via="SIP/2.0/TCP 10.0.0.5", contact="sip:alice@10.0.0.5;transport=tcp")
        world.core.receive_stream(flow, data, world.now)
        assert [packet.via for packet in world.packets()] == [flow]
        assert world.event().request.contact_uri == f"{HERE};transport=tcp"


class TestResponses:
    @pytest.mark.parametrize(
        ("status", "source", "contact", "told"),
        [
            (200, OUTSIDE, "sip:b@10.0.0.5", "sip:b@203.0.113.9:40000"),
            (180, OUTSIDE, "sip:b@[fe80::5]:5062", "sip:b@203.0.113.9:40000"),
            (200, OUTSIDE, "sip:b@192.0.2.5:0", "sip:b@203.0.113.9:40000"),
            (200, OUTSIDE, "sip:b@192.0.2.5", "sip:b@192.0.2.5"),
            (302, OUTSIDE, "sip:b@10.0.0.5", "sip:b@10.0.0.5"),
            (200, ("10.0.0.1", 5060), "sip:b@10.0.0.5", "sip:b@10.0.0.5"),
            (200, ("100.64.0.1", 5060), "sip:b@10.0.0.5", "sip:b@10.0.0.5"),
            (200, OUTSIDE, "tel:+4930", "tel:+4930"),
            (200, OUTSIDE, "sip:@", "sip:@"),
        ],
    )
    def test_contact(self, status: int, source: Address, contact: str, told: str) -> None:
        world = World(UDP, nat_traversal=True)
        _, asked = world.place(target={"uri": f"sip:{source[0]}"})
        assert isinstance(asked, Request)
        world.events()
        world.answer(asked, status, source, contact=contact)
        assert world.event().response.contact_uri == told

    def test_contact_of_whoever_is_behind_a_proxy_is_left_alone(self) -> None:
        world = World(UDP, nat_traversal=True)
        _, asked = world.place()
        assert asked is not None
        world.events()
        headers = [("Record-Route", "<sip:203.0.113.9;lr>")]
        world.answer(asked, 200, OUTSIDE, contact="sip:b@10.0.0.5", headers=headers)
        assert world.event().response.contact_uri == "sip:b@10.0.0.5"

    def test_contact_of_a_stray_one(self) -> None:
        _, asked = World(UDP).place()
        assert asked is not None
        for default, told in ((True, "sip:b@203.0.113.9:40000"), (False, "sip:b@10.0.0.5")):
            world = World(UDP, nat_traversal=default)
            world.answer(asked, 200, OUTSIDE, contact="sip:b@10.0.0.5")
            response = world.event().response
            assert (response.stray, response.contact_uri) == (True, told)

    def test_contact_of_another_peer(self) -> None:
        world = World(BRANCH_OFFICES)
        _, asked = world.place()
        assert asked is not None
        world.events()
        world.answer(asked, 180, ("203.0.113.200", 5060), contact="sip:b@10.0.0.5")
        world.answer(asked, 200, OUTSIDE, contact="sip:b@10.0.0.5")
        assert [event.response.contact_uri for event in world.events()] == [
            "sip:b@10.0.0.5",
            "sip:b@203.0.113.9:40000",
        ]


def test_nothing_is_changed_when_not_asked_for() -> None:
    world = World(UDP)
    world.receive(invite(contact="sip:a@10.0.0.5"))
    assert world.event().request.contact_uri == "sip:a@10.0.0.5"
