"""Which of our addresses a peer sees, and what a URI says about where to send."""

from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from sip_edge.domain import Endpoint, HostPort, Listener, PeerNetwork, Query
from sip_edge.domain.addressing import Addressing, Aims, shown
from support.edge_world import TCP, UDP, UDP6, FakeOutlet

CARRIER = Listener(
    name="carrier",
    transport="udp",
    host="0.0.0.0",
    port=5080,
    advertise=HostPort("edge-0.example.com", 5080),
    contact=HostPort("sip.example.com", 5060),
    networks=(
        PeerNetwork(network=IPv4Network("10.0.0.0/8"), advertise=HostPort("10.1.1.1", 5080)),
        PeerNetwork(network=IPv4Network("172.16.0.0/12"), contact=HostPort("172.16.0.1", 5060)),
    ),
)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (HostPort("192.0.2.1", 5060), "192.0.2.1"),
        (HostPort("sip.example.com", 5080), "sip.example.com:5080"),
        (HostPort("2001:db8::1", 5060), "[2001:db8::1]"),
        (HostPort("2001:db8::1", 5080), "[2001:db8::1]:5080"),
    ],
)
def test_shown(address: HostPort, text: str) -> None:
    assert shown(address) == text


@pytest.mark.parametrize(
    ("listener", "peer", "sent_by", "contact"),
    [
        (UDP, "192.0.2.1", "198.51.100.1", "<sip:a@198.51.100.1>"),
        (TCP, "192.0.2.1", "198.51.100.1", "<sip:a@198.51.100.1;transport=tcp>"),
        (UDP6, "2001:db8::2", "[2001:db8::1]", "<sip:a@[2001:db8::1]>"),
        (CARRIER, "192.0.2.1", "edge-0.example.com:5080", "<sip:a@sip.example.com>"),
        (CARRIER, "10.2.2.2", "10.1.1.1:5080", "<sip:a@10.1.1.1:5080>"),
        (CARRIER, "172.16.9.9", "edge-0.example.com:5080", "<sip:a@172.16.0.1>"),
    ],
)
def test_local(listener: Listener, peer: str, sent_by: str, contact: str) -> None:
    local = Addressing((listener,), FakeOutlet()).local(listener, peer)
    assert local.sent_by == sent_by
    assert local.via == f"SIP/2.0/{listener.transport.upper()} {sent_by};rport;branch="
    assert local.contact("a") == contact
    assert local.contact("") == contact.replace("a@", "", 1)


@pytest.mark.parametrize(
    ("listeners", "expected"),
    [
        ((TCP, UDP), [Endpoint("198.51.100.1", 5060, "udp")]),
        ((TCP,), [Endpoint("198.51.100.1", 5060, "tcp")]),
        ((CARRIER,), [Endpoint("127.0.0.1", 5080, "udp")]),
        ((replace(UDP6, host="::"),), [Endpoint("::1", 5060, "udp")]),
        ((), []),
    ],
)
def test_ourselves(listeners: tuple[Listener, ...], expected: list[Endpoint]) -> None:
    assert Addressing(listeners, FakeOutlet()).ourselves() == expected


def test_wildcard_shows_each_peer_the_address_used_towards_it() -> None:
    outlet = FakeOutlet()
    listener = Listener(name="any", transport="udp", host="0.0.0.0", port=5060)
    addressing = Addressing((listener,), outlet)
    outlet.source = "192.0.2.100"
    assert addressing.local(listener, "192.0.2.1").sent_by == "192.0.2.100"
    outlet.source = ""
    assert addressing.local(listener, "192.0.2.2").sent_by == "0.0.0.0"
    assert addressing.local(listener, "192.0.2.1").sent_by == "192.0.2.100"


@pytest.mark.parametrize(
    ("transport", "ip", "preferred", "chosen"),
    [
        ("udp", "192.0.2.1", "", "udp"),
        ("udp", "192.0.2.1", "carrier", "carrier"),
        ("udp", "10.2.2.2", "", "carrier"),
        ("udp", "10.2.2.2", "tcp", "carrier"),
        ("tcp", "10.2.2.2", "", "tcp"),
        ("udp", "2001:db8::2", "", "udp6"),
        ("tcp", "2001:db8::2", "", None),
        ("sctp", "192.0.2.1", "", None),
        ("udp", "nowhere", "", None),
    ],
)
def test_choose(transport: str, ip: str, preferred: str, chosen: str | None) -> None:
    addressing = Addressing((UDP, CARRIER, TCP, UDP6), FakeOutlet())
    for _ in range(2):
        listener = addressing.choose(transport, ip, preferred)
        assert (listener.name if listener is not None else None) == chosen


@pytest.mark.parametrize(
    ("uri", "aim"),
    [
        ("sip:bob@192.0.2.2", Endpoint("192.0.2.2", 5060, "udp")),
        ("sip:bob@192.0.2.2:5070;transport=tcp", Endpoint("192.0.2.2", 5070, "tcp")),
        ("SIP:[2001:DB8::2]", Endpoint("2001:db8::2", 5060, "udp")),
        ("sip:bob@a.example;maddr=192.0.2.9", Endpoint("192.0.2.9", 5060, "udp")),
        ("sip:a%40b@a.example:5070", Query("sip", "a.example", 5070, None)),
        ("sip:a.example;transport=UDP;lr", Query("sip", "a.example", None, "udp")),
        ("sips:a.example", Query("sips", "a.example", None, None)),
        ("sips:192.0.2.2", None),
        ("sip:192.0.2.2;transport=ws", None),
        ("tel:+4930123", None),
        ("http://a.example", None),
        ("sip:", None),
        ("", None),
    ],
)
def test_aims(uri: str, aim: Endpoint | Query | None) -> None:
    aims = Aims()
    assert aims.of(uri) == aim
    assert aims.of(uri) == aim


def test_caches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sip_edge.domain.addressing.MAX_CACHED", 2)
    addressing, aims = Addressing((UDP,), FakeOutlet()), Aims()
    for number in range(5):
        ip = f"192.0.2.{number}"
        assert addressing.choose("udp", ip) is UDP
        assert addressing.local(UDP, ip).host == "198.51.100.1"
        assert aims.of(f"sip:{ip}") == Endpoint(ip, 5060, "udp")
