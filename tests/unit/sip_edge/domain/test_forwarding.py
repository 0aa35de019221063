"""What a proxy changes in a message, and what not."""

import pytest

from sip_edge.domain.forwarding import request_bytes, response_bytes
from sipcore.message import Request, Response
from sipcore.parser import parse_datagram

OURS = "SIP/2.0/UDP 198.51.100.1;rport;branch=z9hG4bK-ours"
REGISTER = (
    "REGISTER sip:registrar.example SIP/2.0",
    "v: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK-1;rport",
    "f: <sip:alice@registrar.example>;tag=a",
    "t: <sip:alice@registrar.example>",
    "Route: <sip:198.51.100.1;lr>",
    "call-id: r1@10.0.0.5",
    "CSeq: 7 REGISTER",
    'm: "Alice, home" <sip:alice@10.0.0.5:5060;transport=UDP>;+sip.instance="<urn:x>";expires=60',
    "X-Strange-HEADER: kept  as it is",
    "Path: <sip:edge.example;lr>",
    "l: 4",
    "",
    "body",
)


def _request(*lines: str) -> Request:
    message = parse_datagram("\r\n".join(lines).encode())
    assert isinstance(message, Request)
    return message


def _lines(data: bytes) -> list[str]:
    return data.decode().split("\r\n")


def test_request_gets_a_via_and_a_max_forwards_and_nothing_else() -> None:
    received = ["SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK-1;rport=40000;received=203.0.113.9"]
    assert _lines(request_bytes(_request(*REGISTER), OURS, received, "")) == [
        REGISTER[0],
        f"Via: {OURS}",
        "Max-Forwards: 70",
        f"v: {received[0]}",
        *REGISTER[2:10],
        "Content-Length: 4",
        "",
        "body",
    ]


def test_max_forwards_is_one_less_where_it_stands() -> None:
    asked = _request(*REGISTER[:4], "max-forwards: 1", *REGISTER[4:])
    lines = _lines(request_bytes(asked, OURS, asked.headers.get_all("via"), ""))
    assert lines[5] == "max-forwards: 0"
    assert "Max-Forwards: 70" not in lines


def test_path_stands_before_the_others() -> None:
    asked = _request(*REGISTER)
    forwarded = parse_datagram(
        request_bytes(asked, OURS, asked.headers.get_all("via"), "<sip:198.51.100.1;lr>")
    )
    assert forwarded.headers.get_all("path") == ["<sip:198.51.100.1;lr>", "<sip:edge.example;lr>"]


@pytest.mark.parametrize(
    ("vias", "left"),
    [
        (["Via: o;branch=1", "v: SIP/2.0/UDP p;branch=2"], ["v: SIP/2.0/UDP p;branch=2"]),
        (["v: o;branch=1, SIP/2.0/UDP p;branch=2 , x"], ["v: SIP/2.0/UDP p;branch=2, x"]),
        (["Via: o"], []),
    ],
)
def test_response_loses_its_top_via_and_nothing_else(vias: list[str], left: list[str]) -> None:
    rest = [
        "t: <sip:a@b>;tag=1",
        'WWW-Authenticate: Digest realm="a, b"',
        "X-y: z",
        "Contact: <sip:a@10.0.0.5>",
    ]
    text = "\r\n".join(["SIP/2.0 401 Who are you", *vias, *rest, "Content-Length: 1", "", "!"])
    response = parse_datagram(text.encode())
    assert isinstance(response, Response)
    assert _lines(response_bytes(response)) == [
        "SIP/2.0 401 Who are you",
        *left,
        *rest,
        "Content-Length: 1",
        "",
        "!",
    ]


def test_octets_that_are_not_utf8_pass() -> None:
    asked = parse_datagram("\r\n".join(REGISTER).encode().replace(b"kept", b"k\xe9pt"))
    assert isinstance(asked, Request)
    assert b"k\xe9pt" in request_bytes(asked, OURS, asked.headers.get_all("via"), "")
