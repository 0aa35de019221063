"""Typed header values: read, printed, and what a server adds to a Via."""

import pytest

from sipcore import (
    CSeq,
    NameAddr,
    Parameterized,
    PeerProtocolError,
    Reason,
    Via,
    parse_cseq,
    parse_name_addr,
    parse_parameterized,
    parse_reason,
    parse_via,
)
from sipcore.headers import parse_retry_after


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("SIP/2.0/UDP h", Via("UDP", "h", None)),
        ("SIP/2.0/TLS-SCTP h:1;a", Via("TLS-SCTP", "h", 1, (("a", None),))),
        (
            "SIP/2.0/NEW [2001:db8::1]:5060;branch=z9hG4bK1",
            Via("NEW", "2001:db8::1", 5060, (("branch", "z9hG4bK1"),)),
        ),
        ("SIP/7.0/UDP h", Via("UDP", "h", None, (), "7.0")),
    ],
)
def test_via_both_ways(text: str, value: Via) -> None:
    assert parse_via(text) == value
    assert str(value) == text


def test_via_is_remembered_but_for_its_branch() -> None:
    text = "SIP/2.0/UDP h;ttl=1;branch={};rport"
    for branch in ("z9hG4bK1", "0", "z9hG4bK2"):
        assert str(parse_via(text.format(branch))) == text.format(branch)
    with pytest.raises(PeerProtocolError):
        parse_via("SIP/2.0/UDP h;branch=1;branch=0")
    with pytest.raises(PeerProtocolError):
        parse_via("SIP/2.0/UDP h;branch=1;ttl=256")


def test_via_parameters() -> None:
    via = parse_via("SIP/2.0/UDP h:5070;RECEIVED=[2001:db8::1];rport=1;maddr=192.0.2.1;ttl=255;branch=b")
    assert (via.received, via.rport, via.wants_rport, via.maddr, via.ttl) == (
        "2001:db8::1",
        1,
        True,
        "192.0.2.1",
        255,
    )
    assert (via.branch, via.sent_by, via.param("ttl")) == ("b", "h:5070", "255")
    bare = parse_via("SIP/2.0/UDP h;rport;received=2001:db8::2")
    assert (bare.rport, bare.wants_rport, bare.maddr, bare.ttl, bare.branch) == (None, True, None, None, "")
    assert bare.received == "2001:db8::2"
    assert parse_via("SIP/2.0/UDP h").received is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SIP/2.0",
        "SIP/2.0/UDP",
        "SIP/2.0/ h",
        "HTTP/1.1/TCP h",
        "SIP/2.0/UDP h h",
        "SIP/2.0/UDP h:0",
        "SIP/2.0/UDP ::1",
        "SIP/2.0/UDP h;",
        "SIP/2.0/UDP h;rport=0",
        "SIP/2.0/UDP h;rport=65536",
        "SIP/2.0/UDP h;ttl=256",
        "SIP/2.0/UDP h;ttl",
        "SIP/2.0/UDP h;received",
        "SIP/2.0/UDP h;received=1.2.3",
        "SIP/2.0/UDP h;maddr=a/b",
        "SIP/2.0/UDP h;branch",
        "SIP/2.0/U<P h",
        "SIP/2<0/UDP h",
    ],
)
def test_bad_via(text: str) -> None:
    with pytest.raises(PeerProtocolError) as caught:
        parse_via(text)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("text", "stored", "reply"),
    [
        ("192.0.2.1", "192.0.2.1", ("192.0.2.1", 5060)),
        ("192.0.2.1:5070", "192.0.2.1:5070", ("192.0.2.1", 5070)),
        ("192.0.2.1:5070;rport;x", "192.0.2.1:5070;rport=9;x;received=192.0.2.1", ("192.0.2.1", 9)),
        ("192.0.2.1;RPORT=1", "192.0.2.1;RPORT=9;received=192.0.2.1", ("192.0.2.1", 9)),
        ("h.example:5070", "h.example:5070;received=192.0.2.1", ("192.0.2.1", 5070)),
        ("192.0.2.1;received=203.0.113.9", "192.0.2.1", ("192.0.2.1", 5060)),
    ],
)
def test_source_of_a_request(text: str, stored: str, reply: tuple[str, int]) -> None:
    via = parse_via(f"SIP/2.0/UDP {text}").with_source("192.0.2.1", 9)
    assert str(via) == f"SIP/2.0/UDP {stored}"
    assert via.reply_address() == reply


def test_default_port_of_tls() -> None:
    assert parse_via("SIP/2.0/TLS h").reply_address() == ("h", 5061)


@pytest.mark.parametrize(
    ("text", "value", "printed"),
    [
        ("<sip:a@b>", NameAddr("", "sip:a@b"), "<sip:a@b>"),
        ("sip:a@b;tag=1", NameAddr("", "sip:a@b", (("tag", "1"),)), "<sip:a@b>;tag=1"),
        ("A  b. <sip:a@b;lr>;x", NameAddr("A  b.", "sip:a@b;lr", (("x", None),)), '"A  b." <sip:a@b;lr>;x'),
        ('"<" < sip:a@b > ; tag = 1', NameAddr("<", "sip:a@b", (("tag", "1"),)), '"<" <sip:a@b>;tag=1'),
        ('"" <sip:a@b>', NameAddr("", "sip:a@b"), "<sip:a@b>"),
        ("*", NameAddr("", "*"), "*"),
        ("<http://x/?y>", NameAddr("", "http://x/?y"), "<http://x/?y>"),
    ],
)
def test_name_addr(text: str, value: NameAddr, printed: str) -> None:
    assert parse_name_addr(text) == value
    assert str(value) == printed
    assert parse_name_addr(printed) == value


def test_name_addr_parameters() -> None:
    value = parse_name_addr('<sip:a@b>;Tag=x;q="0"')
    assert (value.tag, value.param("q"), value.param("z")) == ("x", "0", None)
    assert parse_name_addr("<sip:a@b>").tag == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<>",
        "<sip:>",
        "<sip>",
        "< >",
        '"a"',
        '"a" sip:a@b',
        '"a',
        '"a\\" <sip:a@b>',
        "<sip:a@b",
        "sip:a@b>",
        "<sip:a b>",
        "<<sip:a@b>>",
        "<sip:a@b> x",
        "<sip:a@b>;",
        "<sip:a@b>;;tag=1",
        "a, b <sip:a@b>",
        "a\\b <sip:a@b>",
        "a;b <sip:a@b>",
        "sip:a,b@c",
        "sip:a@b?c=d",
        "a\x00 <sip:a@b>",
        "<sip:\x01>",
        "<sip:a\x7f>",
        '<s"p:a>',
    ],
)
def test_bad_name_addr(text: str) -> None:
    with pytest.raises(PeerProtocolError) as caught:
        parse_name_addr(text)
    assert caught.value.status == 400


def test_cseq() -> None:
    assert parse_cseq("0 \t X-new.method") == CSeq(0, "X-new.method")
    assert parse_cseq("1\tinvite") == CSeq(1, "invite")
    assert str(CSeq(5, "BYE")) == "5 BYE"


@pytest.mark.parametrize(
    ("text", "value", "printed"),
    [
        (
            'Q.850 ;cause=16 ;text="bye \\"now\\""',
            Reason("Q.850", 16, 'bye "now"'),
            'Q.850;cause=16;text="bye \\"now\\""',
        ),
        ("SIP;cause=200;x=y", Reason("SIP", 200, ""), "SIP;cause=200"),
        ("preemption", Reason("preemption", None, ""), "preemption"),
    ],
)
def test_reason(text: str, value: Reason, printed: str) -> None:
    assert parse_reason(text) == value
    assert str(value) == printed


@pytest.mark.parametrize(
    "text", ["", ";cause=1", "a b;cause=1", "Q.850;cause=x", "Q.850;cause=1000", "Q.850;cause"]
)
def test_bad_reason(text: str) -> None:
    with pytest.raises(PeerProtocolError):
        parse_reason(text)


def test_parameterized() -> None:
    value = parse_parameterized('multipart/mixed ; boundary="a;b"')
    assert value == Parameterized("multipart/mixed", (("boundary", '"a;b"'),))
    assert (value.param("boundary"), str(value)) == ("a;b", 'multipart/mixed;boundary="a;b"')
    assert parse_parameterized("1800").params == ()


def test_retry_after() -> None:
    assert [parse_retry_after(text) for text in ("5", "18000;duration=3600", "120 (I'm in a meeting)")] == [
        5,
        18000,
        120,
    ]
