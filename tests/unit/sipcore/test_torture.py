"""Situations of RFC 4475 and RFC 5118 in messages of our own: what must be understood, what refused."""

from __future__ import annotations

import pytest

from sipcore import (
    DropReason,
    Message,
    PeerProtocolError,
    Request,
    TelUri,
    parse_datagram,
    unescape,
    validate_request,
    validate_response,
)
from support.sip_rows import crlf, request


def accept(wire: bytes) -> Message:
    """Parse and validate."""
    message = parse_datagram(wire)
    if isinstance(message, Request):
        validate_request(message)
    else:
        validate_response(message)
    return message


def test_header_fields_in_every_legal_disguise() -> None:
    """RFC 4475 3.1.1.1: folded within values, white space around separators, compact and mixed-case names."""
    wire = crlf(
        """
INVITE sip:callee@example.com;unknownparam SIP/2.0
TO :
 sip:callee@example.com ;   tag    = 1918181833n
from   : "A \\\\\\"tall\\" one"       <sip:caller@example.com>
  ;
  tag = 98asjd8
MaX-fOrWaRdS: 0068
Call-ID: c.folded@192.0.2.1
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /UDP
    192.0.2.2;branch=z9hG4bK390skd
s :
NewFangledHeader:   newfangled value
 continued newfangled value
UnknownHeaderWithUnusualValue: ;;,,;;,;
v:  SIP  / 2.0  / TCP     spindle.example.com   ;
  branch  =   z9hG4bK9ikj8  ,
 SIP  /    2.0   / UDP  192.168.255.111   ; branch=
 z9hG4bK30239
m:"Quoted string \\"\\"" <sip:caller@example.com> ; newparam =
      newvalue ;
  secondparam ; q = 0.33
Route:
 <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
"""
    )
    message = accept(wire)
    assert (message.to_tag, message.from_tag, message.max_forwards) == ("1918181833n", "98asjd8", 68)
    assert message.from_.display == 'A \\"tall" one'
    assert (message.cseq.number, message.cseq.method) == (9, "INVITE")
    assert [via.branch for via in message.vias] == ["z9hG4bK390skd", "z9hG4bK9ikj8", "z9hG4bK30239"]
    assert [via.transport for via in message.vias] == ["UDP", "TCP", "UDP"]
    assert message.headers.get("subject") == ""
    assert message.headers.get("newfangledheader") == "newfangled value continued newfangled value"
    assert message.headers.get("unknownheaderwithunusualvalue") == ";;,,;;,;"
    assert message.contact is not None and message.contact.param("newparam") == "newvalue"


def test_the_widest_character_ranges() -> None:
    """RFC 4475 3.1.1.2: odd methods, escaped octets in users, controls escaped in quoted strings."""
    method = "!interesting-Method0123456789_*+`.%indeed'~"
    head = request(
        method=method,
        uri="sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d@example.com",
        drop="To",
    )
    message = accept(
        crlf(
            head
            + '\nTo: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:%75%73@example.com>'
            + "\nextensionHeader-!.%*+_`'~: \udcef\ufe37"
        )
    )
    assert message.cseq.method == method
    assert message.to.display == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert unescape("%75%73") == "us"
    assert message.headers.get("extensionHeader-!.%*+_`'~") == "\udcef\ufe37"


@pytest.mark.parametrize(
    "line",
    [
        "From: caller<sip:caller@example.com>;tag=323",  # no space before <
        "From: <sip:caller@example.com;x=y@z>;tag=1",
        'From: "\u0130\u2028\udcff" <sip:a@example.com>;tag=1',
        "From: <isbn:2983792873>;tag=1",  # schemes we do not know are fine here
        "From: sip:a%00b@example.com;tag=1",
        "From: <sip:caller@example.com>",  # RFC 2543 had no tags
    ],
)
def test_from_values_to_accept(line: str) -> None:
    assert accept(crlf(request(drop="From") + "\n" + line)).from_.uri


@pytest.mark.parametrize(
    "line",
    [
        "Date: Fri, 01 Jan 2010 16:00:00 EST",
        "Warning: 1812 overture",
        "Contact: <sip:a@example.com?Route=%3Csip:sip.example.com%3E>",
        "Via: SIP/2.0/UNKNOWN t5.example.com;branch=z9hG4bK1",
        "Via: SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bK1",
        "Via: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bK1",
        "Authorization: NoOneKnowsThisScheme opaque-data=here",
        "X-Long: " + "n" * 8000,
    ],
)
def test_lines_to_accept(line: str) -> None:
    accept(crlf(request(line)))


@pytest.mark.parametrize(
    "host", ["[2001:db8::10]", "[2001:db8::10:5070]", "[::ffff:192.0.2.10]", "[2001:db8::10]:5070"]
)
def test_ipv6_references(host: str) -> None:
    message = accept(crlf(request(uri=f"sip:{host}", method="REGISTER")))
    assert isinstance(message, Request)
    assert str(message.request_uri) == f"sip:{host}"


def test_separators_in_a_dialled_string() -> None:
    message = accept(crlf(request(uri="tel:+1(201)555-0123;ext=7")))
    assert isinstance(message, Request) and isinstance(message.request_uri, TelUri)
    assert message.request_uri.digits == "+12015550123"


def test_unusual_reason_phrase() -> None:
    head = request().split("\n", 1)[1]
    wire = crlf(f"SIP/2.0 200 = 2**3 * 5**2 \u043d\u043e \udcff\n{head}")
    message = accept(wire)
    assert not isinstance(message, Request)
    assert message.reason == "= 2**3 * 5**2 \u043d\u043e \udcff"


@pytest.mark.parametrize(
    ("replace", "by", "status"),
    [
        ("Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport", "Via: SIP/2.0/UDP 192.0.2.15;;,;,,", 400),
        ('From: "Alice" <sip:alice@example.com>;tag=f1', 'From: "Joe" <sip:joe@example.org>;;;;', 400),
        ("Contact: <sip:alice@192.0.2.1:5060>", 'Contact: "Joe" <sip:joe@example.org>;;;;', 400),
        ("To: <sip:bob@example.com>", 'To: "Mr. J. User <sip:j.user@example.com>', 400),
        ("To: <sip:bob@example.com>", "To: <sip:bob@example.com>, <sip:carol@example.com>", 400),
        ('From: "Alice"', "From: Bell, Alexander", 400),
        ("CSeq: 1 INVITE", "CSeq: 36893488147419103232 INVITE", 400),
        ("CSeq: 1 INVITE", "CSeq: 8 OPTIONS", 400),
        ("Max-Forwards: 70", "Max-Forwards: 300", 400),
        ("Max-Forwards: 70", "Expires: 10000000000000000000000", 400),
        ("Max-Forwards: 70", "Content-Length: -999", 400),
        ("Max-Forwards: 70", "Content-Length: 9999", 400),
        ("sip:bob@example.com SIP/2.0", "<sip:bob@example.com> SIP/2.0", 400),
        ("sip:bob@example.com SIP/2.0", "sip:bob@example.com; lr SIP/2.0", 400),
        ("sip:bob@example.com SIP/2.0", "sip:bob@example.com SIP/2.0  ", 400),
        ("sip:bob@example.com SIP/2.0", "sip:bob@example.com?Route=%3Csip:x%3E SIP/2.0", 400),
        ("sip:bob@example.com SIP/2.0", "sip:2001:db8::10 SIP/2.0", 400),
        ("sip:bob@example.com SIP/2.0", "nobodyKnowsThisScheme:totallyopaque SIP/2.0", 416),
        ("sip:bob@example.com SIP/2.0", "soap.beep://192.0.2.103:3002 SIP/2.0", 416),
        ("sip:bob@example.com SIP/2.0", "sip:bob@example.com SIP/7.0", 505),
    ],
)
def test_what_to_refuse(replace: str, by: str, status: int) -> None:
    wire = crlf(request().replace(replace, by), length="Length" not in by)
    with pytest.raises(PeerProtocolError) as caught:
        accept(wire)
    assert caught.value.status == status
    assert caught.value.drop_reason in (None, DropReason.UNANSWERABLE)


def test_another_version_is_told_so_although_its_via_has_it_too() -> None:
    with pytest.raises(PeerProtocolError) as caught:
        accept(crlf(request().replace("SIP/2.0", "SIP/7.0")))
    assert (caught.value.status, caught.value.drop) == (505, False)
    assert caught.value.message is not None and caught.value.message.via.version == "7.0"


def test_request_without_anything() -> None:
    """RFC 4475 3.3.1."""
    with pytest.raises(PeerProtocolError) as caught:
        accept(b"INVITE sip:user@example.com SIP/2.0\r\nCSeq: 193942 INVITE\r\nContent-Length: 0\r\n\r\n")
    assert caught.value.drop_reason is DropReason.UNANSWERABLE
