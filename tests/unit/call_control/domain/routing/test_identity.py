"""Numbers, names and hosts, on their way in and out."""

import pytest

from call_control.domain.routing.identity import (
    display,
    has_controls,
    host_of,
    is_host,
    name_of,
    number_of,
    printable,
    user_part,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", "abc"),
        ("a\r\nb\x00c\x7f", "abc"),
        ("\u20ac \u0085\u2028x", "\u20ac x"),
        ("\udcff\ud800", "\ufffd\ufffd"),
        ("\t", ""),
    ],
)
def test_printable(text: str, expected: str) -> None:
    assert printable(text) == expected
    assert has_controls(text) == (text != expected)


@pytest.mark.parametrize(
    ("uri", "number"),
    [
        ("sip:a%2Bb@h", "a+b"),
        ("SIPS:1%00@h", "1"),
        ("sip:1%zz@h", "1%zz"),
        ("sip:@h", ""),
        ("", ""),
        ("tel:%2B1", "+1"),
    ],
)
def test_number_of(uri: str, number: str) -> None:
    assert number_of(uri) == number


@pytest.mark.parametrize(
    ("number", "user"),
    [
        ("+1-604_x.y!~*'()&=$,?/", "+1-604_x.y!~*'()&=$,?/"),
        ("", ""),
        ("1#2", "1%232"),
        ("a@b:c;d", "a%40b%3Ac%3Bd"),
        ("<>", "%3C%3E"),
        ("\r\n", ""),
        ("\udc80", "%EF%BF%BD"),
    ],
)
def test_user_part(number: str, user: str) -> None:
    assert user_part(number) == user


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('"A \\"b\\"" <sip:h>', 'A "b"'),
        ("A B <sip:h>", "A B"),
        ("<sip:h>", ""),
        ("sip:h", ""),
        ('"unclosed <sip:h>', ""),
        ('"a\r\nb" <sip:h>', "ab"),
    ],
)
def test_name_of(value: str, name: str) -> None:
    assert name_of(value) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", ""),
        ("Ann", "Ann"),
        ("Ann B. Lee-%!*_+`'~", "Ann B. Lee-%!*_+`'~"),
        (" Ann", '" Ann"'),
        ("A  B", '"A  B"'),
        ("a@b", '"a@b"'),
        ('"\\', '"\\"\\\\"'),
        ("\x00", ""),
        ("<\r\n>", '"<>"'),
    ],
)
def test_display(name: str, shown: str) -> None:
    assert display(name) == shown


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("sip:h.example", "h.example"),
        ("sip:a@h.example:5070;lr?x=y", "h.example"),
        ("sips:a:b@[::1]:5070", "[::1]"),
        ("sip:a@192.0.2.1?x=y", "192.0.2.1"),
        ("tel:+1", ""),
        ("sip:a@h b", ""),
        ("sip:a@[::1", ""),
        ("sip:", ""),
        ("", ""),
    ],
)
def test_host_of(uri: str, host: str) -> None:
    assert host_of(uri) == host


@pytest.mark.parametrize("text", ["h", "h_1.example", "192.0.2.1", "[::1]"])
def test_hosts(text: str) -> None:
    assert is_host(text)


@pytest.mark.parametrize(
    "text", ["", "::1", "[::1", "[h]", "h:1", "a b", "192.0.2.999", "[fe80::1%eth0]", "h\n"]
)
def test_no_hosts(text: str) -> None:
    assert not is_host(text)
