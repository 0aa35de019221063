"""Listener texts: what they mean, and the one sentence for what they do not."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svckit.listen import (
    HostPort,
    ListenSpec,
    by_socket,
    parse_host_port,
    parse_listeners,
    spec_for,
)

READ = [
    ("udp:0.0.0.0:5060", ListenSpec("udp", "0.0.0.0", 5060)),
    ("tcp:[::1]:5060", ListenSpec("tcp", "::1", 5060)),
    ("UDP:127.0.0.1:0", ListenSpec("udp", "127.0.0.1", 0)),
    (
        "udp:0.0.0.0:5060;advertise=192.0.2.1;contact=sip.example.com:5080",
        ListenSpec("udp", "0.0.0.0", 5060, HostPort("192.0.2.1", 5060), HostPort("sip.example.com", 5080)),
    ),
    (
        "tcp:[::]:5062 ; advertise=[2001:db8::1] ; for=10.0.0.0/8+fd00::/8",
        ListenSpec(
            "tcp",
            "::",
            5062,
            advertise=HostPort("2001:db8::1", 5062),
            networks=(ip_network("10.0.0.0/8"), ip_network("fd00::/8")),
        ),
    ),
    ("udp:0.0.0.0:5060;nat=yes", ListenSpec("udp", "0.0.0.0", 5060, nat=True)),
    ("udp:0.0.0.0:5060;nat=no", ListenSpec("udp", "0.0.0.0", 5060, nat=False)),
]


@pytest.mark.parametrize(("text", "spec"), READ)
def test_reads_an_entry(text: str, spec: ListenSpec) -> None:
    assert parse_listeners(text) == (spec,)


@pytest.mark.parametrize("spec", [spec for _, spec in READ])
def test_reads_what_it_writes(spec: ListenSpec) -> None:
    assert parse_listeners(str(spec)) == (spec,)


def test_reads_a_list_in_its_order() -> None:
    specs = parse_listeners("udp:0.0.0.0:5060, tcp:0.0.0.0:5060,")
    assert [spec.socket for spec in specs] == [("udp", "0.0.0.0", 5060), ("tcp", "0.0.0.0", 5060)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "names no listener"),
        ("sctp:0.0.0.0:5060", "should begin with udp: or tcp:"),
        ("0.0.0.0:5060", "should begin with udp: or tcp:"),
        ("udp:0.0.0.0", "should look like host:port"),
        ("udp:0.0.0.0:", "port from 0 to 65535"),
        ("udp:0.0.0.0:65536", "port from 0 to 65535"),
        ("udp:0.0.0.0:5o60", "port from 0 to 65535"),
        ("udp:::1:5060", "needs brackets"),
        ("udp:[::1:5060", "should look like"),
        ("udp:[10.0.0.1]:5060", "IPv6 address in its brackets"),
        ("udp:localhost:5060", "should bind an IP address"),
        ("udp:0.0.0.0:1;adverise=x", "option 'adverise'"),
        ("udp:0.0.0.0:1;advertise=", "with a value"),
        ("udp:0.0.0.0:1;advertise=a;advertise=b", "once"),
        ("udp:0.0.0.0:1;advertise=a b", "host name or an IP address"),
        ("udp:0.0.0.0:1;nat=maybe", "nat=yes or nat=no"),
        ("udp:0.0.0.0:1;for=10.0.0.1/8", "network that cannot be read"),
        ("udp:0.0.0.0:1,udp:0.0.0.0:1", "named twice for all peers"),
        (
            "udp:0.0.0.0:1;for=10.0.0.0/8,udp:0.0.0.0:1;for=10.0.0.0/8",
            "twice for the peers in 10.0.0.0/8",
        ),
    ],
)
def test_says_in_one_sentence_what_is_wrong(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        parse_listeners(text)
    assert "\n" not in str(caught.value)


def test_one_listener_may_serve_several_peer_networks() -> None:
    specs = parse_listeners(
        "udp:0.0.0.0:5060;advertise=192.0.2.1,"
        "udp:0.0.0.0:5060;advertise=10.0.0.1;for=10.0.0.0/8,"
        "udp:0.0.0.0:5060;advertise=10.1.0.1;for=10.1.0.0/16+fd00::/8,"
        "tcp:0.0.0.0:5060"
    )
    listeners = by_socket(specs)
    assert list(listeners) == [("udp", "0.0.0.0", 5060), ("tcp", "0.0.0.0", 5060)]
    udp = listeners["udp", "0.0.0.0", 5060]
    chosen = {
        peer: spec_for(udp, peer)
        for peer in ("198.51.100.7", "10.9.9.9", "10.1.2.3", "::ffff:10.1.2.3", "fd00::1")
    }
    advertised = {peer: str(spec.advertise) for peer, spec in chosen.items() if spec is not None}
    assert advertised == {
        "198.51.100.7": "192.0.2.1:5060",
        "10.9.9.9": "10.0.0.1:5060",
        "10.1.2.3": "10.1.0.1:5060",
        "::ffff:10.1.2.3": "10.1.0.1:5060",
        "fd00::1": "10.1.0.1:5060",
    }


def test_a_peer_outside_of_all_networks_has_no_entry() -> None:
    assert spec_for(parse_listeners("udp:0.0.0.0:5060;for=10.0.0.0/8"), "192.0.2.1") is None


def test_link_local_peers_come_with_a_zone() -> None:
    (spec,) = parse_listeners("udp:[::]:5060;for=fe80::/10")
    assert spec_for((spec,), "fe80::1%eth0") is spec


def test_host_port_default() -> None:
    assert parse_host_port("sip.example.com", default_port=5060) == HostPort("sip.example.com", 5060)
    assert parse_host_port("[::1]", default_port=5060) == HostPort("::1", 5060)


@given(st.text(max_size=60))
def test_any_text_is_a_list_or_one_sentence(text: str) -> None:
    try:
        specs = parse_listeners(text)
    except ValueError as error:
        assert str(error)
    else:
        assert parse_listeners(",".join(map(str, specs))) == specs


entries = st.builds(
    ListenSpec,
    transport=st.sampled_from(["udp", "tcp"]),
    host=st.ip_addresses().map(str),
    port=st.integers(0, 65535),
    advertise=st.none() | st.builds(HostPort, st.ip_addresses().map(str), st.integers(0, 65535)),
    contact=st.none() | st.builds(HostPort, st.just("sip.example.com"), st.integers(0, 65535)),
    networks=st.lists(st.ip_addresses().map(ip_network), max_size=2, unique=True).map(tuple),
    nat=st.none() | st.booleans(),
)


@given(entries)
def test_round_trip(spec: ListenSpec) -> None:
    assert parse_listeners(str(spec)) == (spec,)
