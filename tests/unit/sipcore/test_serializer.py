"""What the serializer writes, and what it refuses to write."""

import pytest

from sipcore import LocalProtocolError, parse_datagram, serialize_request, serialize_response


def test_bytes() -> None:
    assert serialize_request("BYE", "sip:h", [("X", "1")]) == (
        b"BYE sip:h SIP/2.0\r\nX: 1\r\nContent-Length: 0\r\n\r\n"
    )
    assert serialize_response(200, "OK", [], b"\xff\r\n") == (
        b"SIP/2.0 200 OK\r\nContent-Length: 3\r\n\r\n\xff\r\n"
    )


def test_content_length_is_ours() -> None:
    wire = serialize_request("BYE", "sip:h", [("l", "9"), ("Content-Length", "8"), ("X", "1")], b"abc")
    assert wire == b"BYE sip:h SIP/2.0\r\nX: 1\r\nContent-Length: 3\r\n\r\nabc"


def test_octets_survive() -> None:
    wire = serialize_response(200, "\u00e9\udcff", [("X", "\udc80\u20ac")])
    assert wire.startswith(b"SIP/2.0 200 \xc3\xa9\xff\r\nX: \x80\xe2\x82\xac\r\n")
    assert parse_datagram(wire).headers.get("x") == "\udc80\u20ac"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X", "a\r\nY: b"),
        ("X", "a\nY: b"),
        ("X", "a\rY: b"),
        ("X", "a\n\r"),
        ("X\r\nY", "b"),
        ("X", "\ud800"),
        ("", "a"),
        ("X ", "a"),
        ("X:", "a"),
        (" X", "a"),
    ],
)
def test_bad_fields(name: str, value: str) -> None:
    with pytest.raises(LocalProtocolError):
        serialize_request("BYE", "sip:h", [("A", "1"), (name, value)])


@pytest.mark.parametrize(
    ("method", "uri"),
    [
        ("", "sip:h"),
        ("B YE", "sip:h"),
        ("BYE", ""),
        ("BYE", "sip:a b"),
        ("BYE", "a\tb"),
        ("BYE", "a\r\nb"),
        ("\n", "a"),
    ],
)
def test_bad_request_line(method: str, uri: str) -> None:
    with pytest.raises(LocalProtocolError):
        serialize_request(method, uri, [])


@pytest.mark.parametrize(("status", "reason"), [(99, "x"), (700, "x"), (200, "a\r\nb"), (200, "a\n")])
def test_bad_status_line(status: int, reason: str) -> None:
    with pytest.raises(LocalProtocolError):
        serialize_response(status, reason, [])
