"""Header fields that go on to the callee, by name, by beginning, or all but our own."""

import pytest

from b2bua.common.v1 import sip_pb2
from call_control.domain.routing.pass_headers import (
    OWN,
    OWN_FAMILIES,
    PassHeaders,
    PassHeadersError,
    parse_pass_headers,
)

INVITE = [
    ("X-My-Hdr", "1"),
    ("Via", "SIP/2.0/UDP h"),
    ("Diversion", "<sip:a@b>"),
    ("x-my-hdr", "2"),
    ("P-Asserted-Identity", "<sip:c@d>"),
    ("s", "hello"),
    ("k", "timer"),
    ("Content-Foo", "x"),
    ("Proxy-Authorization", "Digest"),
    ("Security-Client", "tls"),
    ("DIVERSION", "<sip:e@f>"),
]


def selected(patterns: str) -> list[tuple[str, str]]:
    headers = [sip_pb2.Header(name=name, value=value) for name, value in INVITE]
    return [(header.name, header.value) for header in parse_pass_headers(patterns).select(headers)]


@pytest.mark.parametrize(
    ("patterns", "passed"),
    [
        ("", []),
        ("diversion", [("Diversion", "<sip:a@b>"), ("DIVERSION", "<sip:e@f>")]),
        ("Subject", [("s", "hello")]),
        ("S", [("s", "hello")]),
        ("X-*", [("X-My-Hdr", "1"), ("x-my-hdr", "2")]),
        ("x-my-hdr , p-asserted-identity", [INVITE[0], INVITE[3], INVITE[4]]),
        ("X-My*,Subject", [INVITE[0], INVITE[3], INVITE[5]]),
        ("*", [INVITE[0], INVITE[2], INVITE[3], INVITE[4], INVITE[5], INVITE[10]]),
        ("Content-*", []),
        ("V*", []),
        ("Su*", [("s", "hello")]),
    ],
)
def test_what_passes(patterns: str, passed: list[tuple[str, str]]) -> None:
    assert selected(patterns) == passed


@pytest.mark.parametrize("pattern", ["Via", "v", "Content-Type", "proxy-authenticate", "Supported", "k"])
def test_our_own_cannot_be_named(pattern: str) -> None:
    with pytest.raises(PassHeadersError, match="should not be passed on: "):
        parse_pass_headers(f"X-A,{pattern}")


@pytest.mark.parametrize("pattern", ["X A", "X-.*b", "**", "*-Id", "X:", "X-**", "\u20ac"])
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(PassHeadersError, match="should be the name of a header field"):
        parse_pass_headers(pattern)


@pytest.mark.parametrize("name", sorted({*OWN, *(f"{beginning}x" for beginning in OWN_FAMILIES)}))
def test_nothing_of_ours_ever_passes(name: str) -> None:
    header = sip_pb2.Header(name=name.title(), value="x")
    assert parse_pass_headers("*").select([header]) == []
    assert parse_pass_headers(f"{name[:2]}*").select([header]) == []


@pytest.mark.parametrize(
    ("patterns", "wanted"),
    [
        ("", ()),
        ("X-B,s,X-*", ("subject", "x-b", "x-*")),
        ("X-B,*", ("*",)),
    ],
)
def test_what_the_edge_is_asked_for(patterns: str, wanted: tuple[str, ...]) -> None:
    parsed = parse_pass_headers(patterns)
    assert parsed.wanted() == wanted
    assert str(parsed) == ",".join(wanted)
    assert bool(parsed) == bool(wanted)


def test_none_by_default() -> None:
    assert parse_pass_headers(" , ") == PassHeaders()
