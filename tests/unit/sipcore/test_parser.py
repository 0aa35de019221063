"""The parser on whole datagrams, on streams cut anywhere, and the serializer, all on the same rows."""

from __future__ import annotations

import pytest

from sipcore import (
    DropReason,
    Limits,
    PeerProtocolError,
    Ping,
    Request,
    Response,
    StreamParser,
    parse_datagram,
    serialize,
    validate_request,
    validate_response,
)
from support.sip_rows import ROWS, Row, crlf, request

every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
SECOND = crlf(request("X-Second: yes", method="OPTIONS"), b"\r\n\r\n")


def refused(data: bytes, limits: Limits | None = None) -> PeerProtocolError:
    """The error of parsing and validating one datagram."""
    with pytest.raises(PeerProtocolError) as caught:
        message = parse_datagram(data, limits) if limits else parse_datagram(data)
        if isinstance(message, Request):
            validate_request(message)
        else:
            validate_response(message)
    return caught.value


@every_row
def test_row_is_read(row: Row) -> None:
    message = parse_datagram(row.wire)
    assert {name: getattr(message, name) for name in row.expected} == row.expected
    if isinstance(message, Request):
        validate_request(message)
    else:
        validate_response(message)


@every_row
def test_row_is_written(row: Row) -> None:
    message = parse_datagram(row.wire)
    wire = serialize(message)
    if row.canonical:
        assert wire == row.wire
    again = parse_datagram(wire)
    assert {name: getattr(again, name) for name in row.expected} == row.expected
    assert serialize(again) == wire


@every_row
def test_row_cut_at_every_octet(row: Row) -> None:
    message = parse_datagram(row.wire)
    for cut in range(len(row.wire) + 1):
        parser = StreamParser()
        first = parser.receive(row.wire[:cut])
        assert first == ([message] if cut == len(row.wire) else [])
        assert first + parser.receive(row.wire[cut:]) == [message]


@every_row
def test_row_octet_by_octet_and_glued_to_another(row: Row) -> None:
    expected = [parse_datagram(row.wire), parse_datagram(SECOND)]
    assert StreamParser().receive(row.wire + SECOND) == expected
    parser = StreamParser()
    wire = row.wire + SECOND
    assert [outcome for at in range(len(wire)) for outcome in parser.receive(wire[at : at + 1])] == expected


def test_folded_and_unknown_values() -> None:
    headers = parse_datagram(next(row.wire for row in ROWS if row.name == "folding")).headers
    assert headers.get("subject") == "one two three"
    assert headers.get("x-next") == "1"
    wire = crlf(request("X-Odd: \t a , \udcff;;\t")).replace(b"X-Odd:", b"x-oDD \t:")
    assert ("x-oDD", "a , \udcff;;") in parse_datagram(wire).headers.items()


def test_carriage_returns_alone_end_the_lines_of_a_datagram() -> None:
    message = parse_datagram(crlf(request(), b"x\ry").replace(b"\r\n", b"\r"))
    assert (message.call_id, message.body) == ("c1@192.0.2.1", b"x\ry")


@pytest.mark.parametrize("start", [b"\r\n", b"\n", b"\r\n\r\n\r\n"])
def test_empty_lines_before_the_message(start: bytes) -> None:
    wire = crlf(request())
    assert parse_datagram(start + wire) == parse_datagram(wire)
    outcomes = StreamParser().receive(start + wire)
    assert outcomes[-1] == parse_datagram(wire)


# Framing.


def test_datagram_is_cut_to_content_length() -> None:
    wire = crlf(request(), b"12345").replace(b"Length: 5", b"Length: 3")
    assert parse_datagram(wire).body == b"123"


def test_datagram_without_content_length_ends_with_itself() -> None:
    assert parse_datagram(crlf(request(), b"12345", length=False)).body == b"12345"


@pytest.mark.parametrize("value", ["6", "-1", "1x", "", "9" * 40, "0x5", "5, 5", "\u0665"])
def test_datagram_with_bad_content_length(value: str) -> None:
    error = refused(crlf(request(f"Content-Length: {value}"), b"12345", length=False))
    assert (error.status, error.drop) == (400, False)
    assert error.message is not None and error.message.call_id == "c1@192.0.2.1"


def test_doubled_content_length() -> None:
    error = refused(crlf(request("l: 5"), b"12345"))
    assert (error.status, error.reason) == (400, "Bad Request - Doubled Content-Length")


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\r\n", b"\x00", b"\x00\x00\x00\x00", b"\n"])
def test_keepalive_datagrams(data: bytes) -> None:
    assert refused(data).drop_reason is DropReason.KEEPALIVE


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\x01\x00\x00!\x12\xa4B",
        b"hello",
        b" \r\n\r\n",
        b"INVITE sip:a@b\r\n\r\n",
    ],
)
def test_what_is_not_sip(data: bytes) -> None:
    assert refused(data).drop_reason is DropReason.NOT_SIP


def test_head_without_end() -> None:
    error = refused(crlf(request())[:-2])
    assert (error.status, error.drop) == (400, False)


def test_stray_carriage_return_is_not_passed_on() -> None:
    error = refused(crlf(request("Subject: a\rVia: b")))
    assert (error.status, error.reason, error.drop) == (400, "Bad Request - Stray CR", False)
    assert error.message is not None
    assert b"\r\n\r\n" in serialize(error.message)


# Limits.


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        (Limits(max_body=4), 413),
        (Limits(max_message=100), 513),
        (Limits(max_headers=5), 400),
        (Limits(max_line=30), 400),
    ],
)
def test_limits(limits: Limits, status: int) -> None:
    wire = crlf(request(), b"12345")
    error = refused(wire, limits)
    assert (error.status, error.drop) == (status, False)
    outcomes = StreamParser(limits).receive(wire + b"\r\n\r\n")
    assert getattr(outcomes[0], "status", None) == status


def test_limits_are_inclusive() -> None:
    wire = crlf(request(), b"12345")
    lines = wire.split(b"\r\n\r\n")[0].split(b"\r\n")
    limits = Limits(
        max_body=5, max_message=len(wire), max_headers=len(lines) - 1, max_line=max(map(len, lines))
    )
    assert parse_datagram(wire, limits).body == b"12345"


# Streams.


def test_ping() -> None:
    parser = StreamParser()
    outcomes = [parser.receive(octet) for octet in (b"\r", b"\n", b"\r", b"\n")]
    assert [list(map(type, outcome)) for outcome in outcomes] == [[], [], [], [Ping]]
    assert repr(parser.receive(b"\r\n\r\n")) == "[Ping()]"
    assert parser.receive(b"\r\n" + SECOND) == [parse_datagram(SECOND)]


def test_a_malformed_message_does_not_end_the_stream() -> None:
    parser = StreamParser()
    bad = crlf(request("no colon here"), b"body")
    error, after = parser.receive(bad + SECOND)
    assert isinstance(error, PeerProtocolError) and (error.status, error.drop) == (400, False)
    assert error.message is not None and error.message.body == b"body"
    assert after == parse_datagram(SECOND) and not parser.closed


def test_a_bad_status_line_does_not_end_the_stream() -> None:
    parser = StreamParser()
    bad = b"SIP/2.0 999 Odd\r\nContent-Length: 3\r\n\r\nabc"
    outcomes = [outcome for octet in (bad + SECOND) for outcome in parser.receive(bytes([octet]))]
    assert isinstance(outcomes[0], PeerProtocolError)
    assert outcomes[0].drop_reason is DropReason.BAD_RESPONSE
    assert outcomes[1:] == [parse_datagram(SECOND)]


def test_a_body_over_the_limit_is_stepped_over() -> None:
    parser = StreamParser(Limits(max_body=10))
    wire = crlf(request(), b"x" * 11)
    outcomes = [outcome for octet in (wire + SECOND) for outcome in parser.receive(bytes([octet]))]
    assert isinstance(outcomes[0], PeerProtocolError) and outcomes[0].status == 413
    assert outcomes[1:] == [parse_datagram(SECOND)]


@pytest.mark.parametrize(
    ("wire", "status", "drop"),
    [
        (crlf(request(), length=False), 400, False),
        (crlf(request("Content-Length: 1")), 400, False),
        (crlf(request("Content-Length: -1"), length=False), 400, False),
        (crlf(request(drop="Via"), length=False), 400, True),
        (b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400, True),
        (b"SIP/2.0 999 Odd\r\n\r\n", 400, True),
        (b"x" * 65536, 513, True),
        (b"\r\nx" * 22000, 513, True),
    ],
)
def test_what_cannot_be_framed_ends_the_stream(wire: bytes, status: int, drop: bool) -> None:
    parser = StreamParser()
    (error,) = parser.receive(wire)
    assert isinstance(error, PeerProtocolError)
    assert (error.status, error.drop, parser.closed) == (status, drop, True)
    assert parser.receive(SECOND) == []


def test_many_messages_in_one_piece() -> None:
    assert StreamParser().receive(SECOND * 50) == [parse_datagram(SECOND)] * 50


# What every message must have.


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_missing_field(name: str) -> None:
    error = refused(crlf(request(drop=name)))
    assert (error.status, error.reason) == (400, f"Bad Request - Missing {name}")
    assert error.drop_reason is DropReason.UNANSWERABLE


def test_invite_needs_a_contact() -> None:
    error = refused(crlf(request(drop="Contact")))
    assert (error.reason, error.drop) == ("Bad Request - Missing Contact", False)
    validate_request(_request(crlf(request(drop="Contact", method="BYE"))))


@pytest.mark.parametrize(
    "extra",
    [
        "f: <sip:x@example.com>;tag=2",
        "To: <sip:x@example.com>",
        "i: other",
        "CSeq: 1 INVITE",
        "Max-Forwards: 70",
        "c: a/b\nContent-Type: a/b",
        "Expires: 1\nExpires: 1",
    ],
)
def test_doubled_field(extra: str) -> None:
    error = refused(crlf(request(extra)))
    assert (error.status, error.drop) == (400, False)
    assert error.reason.startswith("Bad Request - Doubled ")


@pytest.mark.parametrize(
    ("drop", "line"),
    [
        ("CSeq", "CSeq: 1 BYE"),
        ("CSeq", "CSeq: 2147483648 INVITE"),
        ("CSeq", "CSeq: -1 INVITE"),
        ("CSeq", f"CSeq: {'9' * 40} INVITE"),
        ("CSeq", "CSeq: 1"),
        ("CSeq", "CSeq: INVITE"),
        ("CSeq", "CSeq: 1 INVITE x"),
        ("CSeq", "CSeq: \u0661 INVITE"),
        ("Max-Forwards", "Max-Forwards: 256"),
        ("Max-Forwards", f"Max-Forwards: {'1' * 40}"),
        ("Max-Forwards", "Max-Forwards: x"),
        ("Max-Forwards", "Max-Forwards:"),
        ("Contact", "Contact: <sip:h:0>"),
        ("Contact", "Contact: <sip:a@h:99999>"),
        ("Contact", "Contact: <tel:+1>"),
        ("Contact", "Contact: *"),
        ("Contact", "Contact: <http://example.com>"),
        ("Contact", "Contact: sip:a@b?x=1"),
        ("Contact", 'Contact: "a <sip:a@b>'),
        ("Contact", "Contact: <sip:a@b>, "),
        ("", "Route: sip:a@b"),
        ("", "Record-Route: <sip:a@b"),
        ("", "Require: a b"),
        ("", "Proxy-Require: ,"),
        ("", "Expires: 4294967296"),
        ("", "Via: SIP/7.0/UDP h;branch=z9hG4bKx"),
        ("", "Via: SIP/2.0/UDP h:0;branch=z9hG4bKx"),
        ("", "Subject: a\x00b"),
        ("", "Subject: a\\\\\x00b"),
        ("", "bad name: x"),
        ("", ": x"),
        ("", "caf\u00e9: x"),
    ],
)
def test_bad_field_is_answered(drop: str, line: str) -> None:
    error = refused(crlf(request(drop=drop) + "\n" + line))
    assert (error.status, error.drop) == (400, False)
    assert error.reason.startswith("Bad Request - ") and error.reason.isascii() and "\r" not in error.reason
    assert error.message is not None and error.message.call_id == "c1@192.0.2.1"


@pytest.mark.parametrize(
    ("drop", "line"),
    [
        ("Via", "Via: SIP/2.0/UDP"),
        ("Via", "Via: SIP/2.0/UDP h:65536"),
        ("Via", "Via: SIP/2.0/UDP h;branch="),
        ("Via", "Via: SIP/2.0/UDP h;;branch=z9hG4bK1"),
        ("From", 'From: "x <sip:a@b>;tag=1'),
        ("From", "From: <sip:a@b>;tag="),
        ("From", "From: <sip:a@b>;tag=1;tag=2"),
        ("From", "From: Bell, Alexander <sip:a@b>;tag=1"),
        ("To", "To:"),
        ("Call-ID", "Call-ID: a b"),
        ("Call-ID", "Call-ID:"),
        ("CSeq", "CSeq:"),
    ],
)
def test_bad_field_that_the_answer_would_need(drop: str, line: str) -> None:
    error = refused(crlf(request(drop=drop) + "\n" + line))
    assert (error.status, error.drop_reason) == (400, DropReason.UNANSWERABLE)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("INVITE http://example.com SIP/2.0", 416),
        ("INVITE nobodyknows:x SIP/2.0", 416),
        ("INVITE sip:b@example.com SIP/7.0", 505),
        ("INVITE sip:b@example.com SIP/3.14", 505),
        ("INVITE sip:b@example.com:0 SIP/2.0", 400),
        ("INVITE sip:b@example.com:65536 SIP/2.0", 400),
        ("INVITE sip:b@example.com?Subject=x SIP/2.0", 400),
        ("INVITE <sip:b@example.com> SIP/2.0", 400),
        ("INVITE sip:b@example.com; lr SIP/2.0", 400),
        ("INVITE  sip:b@example.com SIP/2.0", 400),
        ("INVITE sip:b@example.com SIP/2.0 ", 400),
        ("INVITE  SIP/2.0", 400),
        ("INVITE sip:b@exa\tmple.com SIP/2.0", 400),
        ("INV<TE sip:b@example.com SIP/2.0", 400),
        ("INVITE bob SIP/2.0", 400),
    ],
)
def test_bad_request_line_is_answered(line: str, status: int) -> None:
    error = refused(crlf(request().replace("INVITE sip:bob@example.com SIP/2.0", line)))
    assert (error.status, error.drop) == (status, False)


def test_ack_is_never_answered() -> None:
    error = refused(crlf(request(method="ACK", uri="sip:x:0")))
    assert error.drop_reason is DropReason.BAD_ACK


@pytest.mark.parametrize(
    "wire",
    [
        b"SIP/2.0 99 Low\r\n\r\n",
        b"SIP/2.0 700 High\r\n\r\n",
        b"SIP/2.0 4294967301 Huge\r\n\r\n",
        b"SIP/2.0 +20 Sign\r\n\r\n",
        b"SIP/2.0\r\n\r\n",
        b"SIP/3.0 200 OK\r\n\r\n",
        b"SIP/2.0 200 OK\r\nbroken\r\n\r\n",
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\r\n",
        b"SIP/2.0 200 OK\r\nContent-Length: 5\r\n\r\n",
    ],
)
def test_bad_response_is_dropped(wire: bytes) -> None:
    assert refused(wire).drop_reason is DropReason.BAD_RESPONSE


def test_contact_of_a_redirect_may_have_any_scheme() -> None:
    head = "\n".join(request(drop="Contact").split("\n")[1:]) + "\nContact: <tel:+1234>"
    redirect = parse_datagram(crlf(f"SIP/2.0 302 Moved\n{head}"))
    assert isinstance(redirect, Response)
    validate_response(redirect)
    answer = parse_datagram(crlf(f"SIP/2.0 200 OK\n{head}"))
    assert isinstance(answer, Response)
    with pytest.raises(PeerProtocolError):
        validate_response(answer)


@pytest.mark.parametrize("uri", ["tel:+1-201-555-0123", "sips:b@example.com", "SIP:b@EXAMPLE.com"])
def test_schemes_that_we_speak(uri: str) -> None:
    validate_request(_request(crlf(request(uri=uri))))


def _request(wire: bytes) -> Request:
    message = parse_datagram(wire)
    assert isinstance(message, Request)
    return message
