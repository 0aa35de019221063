"""Messages as bytes beside what they mean; parser, stream parser and serializer are tested on all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sipcore import CSeq, NameAddr, Via


@dataclass(frozen=True, slots=True)
class Row:
    """One well-formed message."""

    name: str
    wire: bytes
    expected: dict[str, Any] = field(default_factory=dict)
    """Attribute of the message to its value."""
    canonical: bool = True
    """Whether the serializer gives back the very same bytes."""


def crlf(text: str, body: bytes = b"", *, length: bool = True) -> bytes:
    """A head written with bare line ends, as bytes, with Content-Length at its end and the empty line."""
    head = text.strip("\n") + "\n" + (f"Content-Length: {len(body)}\n" if length else "") + "\n"
    return head.replace("\n", "\r\n").encode("utf-8", "surrogateescape") + body


BASIC = """
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport
From: "Alice" <sip:alice@example.com>;tag=f1
To: <sip:bob@example.com>
Call-ID: c1@192.0.2.1
CSeq: 1 {method}
Contact: <sip:alice@192.0.2.1:5060>
Max-Forwards: 70
"""


def request(
    extra: str = "", *, method: str = "INVITE", uri: str = "sip:bob@example.com", drop: str = ""
) -> str:
    """A request's head: the basic fields without the one that ``drop`` names, and ``extra`` after them."""
    lines = [line for line in BASIC.format(method=method).split("\n") if line]
    kept = [line for line in lines if not drop or not line.startswith(drop + ":")]
    return "\n".join([f"{method} {uri} SIP/2.0", *kept, *([extra.strip("\n")] if extra else [])])


SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\r\nm=audio 8000 RTP/AVP 8\r\n"
)

ROWS = [
    Row(
        "plain INVITE",
        crlf(request("Content-Type: application/sdp"), SDP),
        {
            "method": "INVITE",
            "uri": "sip:bob@example.com",
            "body": SDP,
            "via": Via("UDP", "192.0.2.1", 5060, (("branch", "z9hG4bKa"), ("rport", None))),
            "from_": NameAddr("Alice", "sip:alice@example.com", (("tag", "f1"),)),
            "from_tag": "f1",
            "to_tag": "",
            "call_id": "c1@192.0.2.1",
            "cseq": CSeq(1, "INVITE"),
            "contact": NameAddr("", "sip:alice@192.0.2.1:5060"),
            "max_forwards": 70,
            "content_length": len(SDP),
            "expires": None,
            "require": (),
        },
    ),
    Row(
        "response",
        crlf(
            """
SIP/2.0 200 OK
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport=5062;received=198.51.100.9
Via: SIP/2.0/TCP proxy.example.com;branch=z9hG4bKb, SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bKc
Record-Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>
Record-Route: <sip:p3.example.com;lr=on>
From: <sip:alice@example.com>;tag=f1
To: "Bob" <sip:bob@example.com>;tag=t1
Call-ID: c1
CSeq: 2 INVITE
Contact: <sip:bob@192.0.2.2>
"""
        ),
        {
            "status": 200,
            "reason": "OK",
            "to_tag": "t1",
            "vias": (
                Via(
                    "UDP",
                    "192.0.2.1",
                    5060,
                    (("branch", "z9hG4bKa"), ("rport", "5062"), ("received", "198.51.100.9")),
                ),
                Via("TCP", "proxy.example.com", None, (("branch", "z9hG4bKb"),)),
                Via("UDP", "2001:db8::1", 5070, (("branch", "z9hG4bKc"),)),
            ),
            "record_routes": (
                "<sip:p1.example.com;lr>",
                "<sip:p2.example.com;lr>",
                "<sip:p3.example.com;lr=on>",
            ),
        },
    ),
    Row(
        "compact forms",
        crlf(
            """
INVITE sip:bob@example.com SIP/2.0
v: SIP/2.0/UDP h1.example.com;branch=z9hG4bKa
f: <sip:a@example.com>;tag=1
t: <sip:b@example.com>
i: compact
CSeq: 3 INVITE
m: <sip:a@192.0.2.1>
k: 100rel, timer
c: text/plain
x: 1800;refresher=uac
r: <sip:c@example.com>
Max-Forwards: 0
""",
            b"hello",
        ),
        {"call_id": "compact", "supported": ("100rel", "timer"), "max_forwards": 0, "body": b"hello"},
    ),
    Row(
        "unknown header fields stay as they are",
        crlf(request('X-Odd: a , \u20ac\udcff\x07 b;;="\nx-odd: 2\nX-Empty: ')),
        {},
    ),
    Row(
        "folding",
        crlf(request("Subject: one\n  two\n\tthree \n \nX-Next: 1")),
        {},
        canonical=False,
    ),
    Row(
        "white space and case",
        crlf(
            """
OPTIONS sip:bob@example.com sip/2.0
VIA : SIP / 2.0 / UDP\t192.0.2.1 : 5060 ; Branch = z9hG4bKa ; RPORT
from:"A B"<sip:a@example.com>;TAG=x
To\t:\tsip:b@example.com;tag=y
CALL-ID:  c
cSeq: 0007   OPTIONS
""",
            length=False,
        )[:-2]
        + b"L : 0\r\n\r\n",
        {
            "via": Via("UDP", "192.0.2.1", 5060, (("Branch", "z9hG4bKa"), ("RPORT", None))),
            "from_": NameAddr("A B", "sip:a@example.com", (("TAG", "x"),)),
            "from_tag": "x",
            "to": NameAddr("", "sip:b@example.com", (("tag", "y"),)),
            "cseq": CSeq(7, "OPTIONS"),
            "call_id": "c",
            "max_forwards": None,
        },
        canonical=False,
    ),
    Row(
        "quotes, escapes and commas",
        crlf(
            request(
                'Contact: "a, \\"b\\" \\\\" <sip:a@b;x="1,2">;q="0,1", <sip:c@d?h=1>, sip:e@f;expires=5',
                method="REGISTER",
                drop="Contact",
            )
        ),
        {
            "contacts": (
                NameAddr('a, "b" \\', 'sip:a@b;x="1,2"', (("q", '"0,1"'),)),
                NameAddr("", "sip:c@d?h=1"),
                NameAddr("", "sip:e@f", (("expires", "5"),)),
            )
        },
    ),
    Row(
        "the whole alphabet of Call-ID and tag",
        crlf(
            """
BYE sip:b@[2001:db8::9]:5090;transport=tcp SIP/2.0
Via: SIP/2.0/TCP [2001:db8::1];branch=z9hG4bK-.!%*_+`'~
From: <sip:a@example.com>;tag=aZ09-.!%*_+`'~
To: <sip:b@example.com>;tag=~'`+_*%!.-
Call-ID: aZ09-.!%*_+`'~()<>:\\"/[]?{}@aZ09-.!%*_+`'~()<>:\\"/[]?{}
CSeq: 2147483647 BYE
Max-Forwards: 255
Require: FOO,bar
Require: baz
Expires: 4294967295
Route: <sip:p.example.com;lr>,<sip:q.example.com;lr>
"""
        ),
        {
            "from_tag": "aZ09-.!%*_+`'~",
            "to_tag": "~'`+_*%!.-",
            "call_id": "aZ09-.!%*_+`'~()<>:\\\"/[]?{}@aZ09-.!%*_+`'~()<>:\\\"/[]?{}",
            "cseq": CSeq(2147483647, "BYE"),
            "max_forwards": 255,
            "require": ("foo", "bar", "baz"),
            "expires": 4294967295,
            "routes": ("<sip:p.example.com;lr>", "<sip:q.example.com;lr>"),
        },
    ),
    Row(
        "octets that are no text in the body",
        crlf(
            request("Content-Type: application/octet-stream", method="INFO"), bytes(range(256)) + b"\r\n\r\n"
        ),
        {"body": bytes(range(256)) + b"\r\n\r\n"},
    ),
    Row(
        "UTF-8 in header fields",
        crlf(
            request("Subject: h\u00e9 \u2028\u00a0", drop="From")
            + '\nFrom: "\u00c5sa" <sip:a@example.com>;tag=1'
        ),
        {"from_": NameAddr("\u00c5sa", "sip:a@example.com", (("tag", "1"),))},
    ),
    Row(
        "no reason phrase",
        crlf(
            """
SIP/2.0 486
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa
From: <sip:a@example.com>;tag=1
To: <sip:b@example.com>;tag=2
Call-ID: c
CSeq: 1 INVITE
"""
        ),
        {"status": 486, "reason": ""},
        canonical=False,
    ),
    Row(
        "a reason phrase that looks like a version",
        crlf("SIP/2.0 100 SIP/2.0\n" + request().split("\n", 1)[1]),
        {"status": 100, "reason": "SIP/2.0"},
    ),
    Row(
        "bare LF",
        crlf(request(), b"x").replace(b"\r\n", b"\n"),
        {"call_id": "c1@192.0.2.1", "body": b"x"},
        canonical=False,
    ),
    Row(
        "escaped NUL in a display name",
        crlf(request(drop="From") + '\nFrom: "a\\\x00\\\x07" <sip:a@example.com>;tag=1'),
        {"from_": NameAddr("a\x00\x07", "sip:a@example.com", (("tag", "1"),))},
    ),
]
