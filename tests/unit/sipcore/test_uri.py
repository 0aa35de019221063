"""URIs: what is read is printed the same."""

import pytest

from sipcore import PeerProtocolError, TelUri, Uri, escape_user, parse_uri, unescape

ROWS = [
    ("sip:example.com", Uri("sip", "", None, "example.com", None)),
    ("sip:bob@192.0.2.1:5060", Uri("sip", "bob", None, "192.0.2.1", 5060)),
    ("sips:b:pw@h-1.example.com.", Uri("sips", "b", "pw", "h-1.example.com.", None)),
    ("sip:b:@h", Uri("sip", "b", "", "h", None)),
    ("sip:[2001:db8::1]", Uri("sip", "", None, "2001:db8::1", None)),
    ("sip:a@[::ffff:192.0.2.1]:65535", Uri("sip", "a", None, "::ffff:192.0.2.1", 65535)),
    (
        "sip:+12;npdi=yes;rn=+1@h;user=phone",
        Uri("sip", "+12;npdi=yes;rn=+1", None, "h", None, (("user", "phone"),)),
    ),
    ("sip:a?b;c/d&e=f+$,@h", Uri("sip", "a?b;c/d&e=f+$,", None, "h", None)),
    ("sip:*21#@h", Uri("sip", "*21#", None, "h", None)),
    ("sip:%41%00@h;LR;x=%3d", Uri("sip", "%41%00", None, "h", None, (("LR", None), ("x", "%3d")))),
    (
        "sip:h;lr=on?Replaces=a%40b&s=",
        Uri("sip", "", None, "h", None, (("lr", "on"),), (("Replaces", "a%40b"), ("s", ""))),
    ),
    ("tel:+1-201-555-0123", TelUri("+1-201-555-0123")),
    ("tel:863-1234;phone-context=+1-914-555", TelUri("863-1234", (("phone-context", "+1-914-555"),))),
]


@pytest.mark.parametrize(("text", "uri"), ROWS, ids=[text for text, _ in ROWS])
def test_both_ways(text: str, uri: Uri | TelUri) -> None:
    assert parse_uri(text) == uri
    assert str(uri) == text


def test_tolerated_spellings() -> None:
    assert parse_uri("SIP:h:5060:5060") == Uri("sip", "", None, "h", 5060)
    assert parse_uri("sip:h:") == Uri("sip", "", None, "h", None)
    assert parse_uri("sip:h:00005060") == Uri("sip", "", None, "h", 5060)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip",
        "sip:",
        "sip:@h",
        "sip:a@",
        "sip:a@b@c",
        "sip:a b@h",
        "sip:a@h h",
        "sip: h",
        "sip:h ",
        "sip:<h>",
        "sip:h:0",
        "sip:h:65536",
        f"sip:h:{'9' * 40}",
        "sip:h:5060:5061",
        "sip:h:-1",
        "sip:h:\u0661",
        "sip:h:50 60",
        "sip:h;",
        "sip:h;;lr",
        "sip:h;lr;LR",
        "sip:h;=x",
        "sip:h;x=",
        'sip:h;x="1"',
        "sip:h?",
        "sip:h?a",
        "sip:h?=b",
        "sip:h?a=b&",
        "sip:%4@h",
        "sip:%zz@h",
        "sip:h;x=%",
        "sip:a\x00@h",
        "sip:h\x00",
        "sip:\u00e9@h",
        "sip:h\u00e9",
        "sip:[::1",
        "sip:::1",
        "sip:[::1]x",
        "sip:[fe80::1%eth0]",
        "sip:[1.2.3.4]",
        "sip:[]",
        "sip:1.2.3",
        "sip:1.2.3.256",
        "sip:A.2.3.4",
        "sip:1.2.3.4.5",
        "sip:1..2.3",
        "tel:",
        "tel:+",
        "tel:1+2",
        "tel:--",
        "tel:12 34",
        "tel:1;",
        "1sip:h",
        ":h",
        "<sip:h>",
    ],
)
def test_malformed(text: str) -> None:
    with pytest.raises(PeerProtocolError) as caught:
        parse_uri(text)
    assert caught.value.status == 400


@pytest.mark.parametrize("text", ["http://example.com", "mailto:a@b", "urn:service:sos", "soap.beep://h"])
def test_unknown_scheme(text: str) -> None:
    with pytest.raises(PeerProtocolError) as caught:
        parse_uri(text)
    assert (caught.value.status, caught.value.reason) == (416, "Unsupported URI Scheme")


def test_parameters() -> None:
    uri = parse_uri("sip:h;LR;Transport=TCP;x=1")
    assert isinstance(uri, Uri)
    assert (uri.param("lr"), uri.param("x"), uri.param("y"), uri.transport) == ("", "1", None, "tcp")
    assert parse_uri("sip:h").transport is None  # type: ignore[union-attr]  # a sip URI


def test_telephone_numbers() -> None:
    uri = parse_uri("TEL:+1(201)555.01-23;ext=1")
    assert isinstance(uri, TelUri)
    assert (uri.scheme, uri.digits, uri.param("ext"), uri.param("isub")) == ("tel", "+12015550123", "1", None)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("bob", "bob"),
        ("+1;npdi", "+1;npdi"),
        ("a b", "a%20b"),
        ("a@b:c#%", "a%40b%3Ac%23%25"),
        ("\u00e9\udcff\x00", "%C3%A9%FF%00"),
    ],
)
def test_escapes(text: str, escaped: str) -> None:
    assert escape_user(text) == escaped
    assert unescape(escaped) == text
