"""Routing, whatever operators and callers write: declared errors, and nothing that breaks a message."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from b2bua.common.v1 import sip_pb2
from call_control.domain.routing.entry import (
    RouteEntry,
    RouteError,
    parse_route,
    parse_route_list,
    read_routes,
)
from call_control.domain.routing.groups import order_of_trial
from call_control.domain.routing.hooks import HookError, parse_call_hook, parse_route_hook
from call_control.domain.routing.identity import display, number_of, user_part
from call_control.domain.routing.pass_headers import OWN, PassHeadersError, parse_pass_headers
from call_control.domain.routing.pattern_cost import PatternError, ways
from call_control.domain.routing.plan import Caller, plan
from call_control.domain.routing.translation import (
    LONGEST_NUMBER,
    Translation,
    TranslationError,
    parse_translation,
)
from sipcore.grammar import unquote
from sipcore.names import canonical_name
from sipcore.serializer import serialize_request
from sipcore.uri import Uri, parse_uri

#: Any text, surrogates too: what is not UTF-8 comes as such.
_ANY = st.text(st.characters(exclude_categories=()), max_size=40)
_WORDS = r"""
    a 1 22 . : ; = @ , % & [ ] { } ( ) | ? * + \ ^ $ # / < > " ' sip-ua wss-ua ::1 192.0.2.1 h.example 5060 -1
    0 30 credit-time= expires= np_expires= nr_expires= auth= u:p nopass ash= X-A%3Ab %0D%0A cnam= cli= op=
    gt= 10,1 hs_scodes= 486 rtpp= po_proc= VAL2Xattrs[a=b] from_domain= {from_host} {x} group= g weight= 7
    redirect= follow transport= tcp rid= x s/ /g \1 \d nat- X-* Via Subject
"""
_PIECES = st.sampled_from([*_WORDS.split(), " ", "\n", "\r\n", "\x00", "\u20ac", "\udcff", "\u2028"])
_LIKELY = st.lists(_PIECES, max_size=12).map("".join)
_TEXTS = _ANY | _LIKELY


@dataclass(frozen=True)
class Options:
    translate_in: Translation | None = None
    translate_out: Translation | None = None
    max_credit_ms: int = 0
    follow_redirects: bool = False


@given(_TEXTS)
def test_a_route_is_an_entry_or_a_sentence(text: str) -> None:
    try:
        entry = parse_route(text)
    except RouteError as error:
        assert "\n" not in str(error)
    else:
        if entry.password:
            assert f":{entry.password}" not in str(entry).replace(entry.host, "")


@given(st.lists(_LIKELY, max_size=4).map(" ".join))
def test_a_list_is_entries_or_a_sentence(text: str) -> None:
    try:
        entries = parse_route_list(text)
    except RouteError as error:
        assert str(error).startswith("route ")
    else:
        assert len(entries) >= len(text.split()) - text.count(",")


@given(
    routes=st.lists(_LIKELY | _LIKELY.map("h;{}".format), max_size=5),
    uri=_TEXTS.map("sip:{}@h".format) | _TEXTS,
    from_value=_TEXTS.map('"{0}" <sip:{0}@h>'.format) | _TEXTS,
    name=st.none() | _TEXTS,
    calling=st.none() | _TEXTS,
    credit=st.none() | st.integers(-1, 10**7),
)
def test_a_plan_is_complete_and_can_be_written_down(
    routes: list[str], uri: str, from_value: str, name: str | None, calling: str | None, credit: int | None
) -> None:
    caller = Caller(
        key="k",
        request_uri=uri,
        from_value=from_value,
        to_value=from_value,
        source=sip_pb2.Endpoint(ip="2001:db8::1", port=5070, transport="udp"),
        name=name,
        calling=calling,
        credit_ms=credit,
    )
    made = plan(read_routes(routes), caller, Options(max_credit_ms=9_000))
    numbers = [route.number for route in made.routes] + [one.number for one in made.skipped]
    assert sorted(numbers) == list(range(1, len(routes) + 1))
    assert [route.number for route in made.routes] == sorted(route.number for route in made.routes)
    made.called.encode()
    for route in made.routes:
        assert 0 < route.credit_ms <= 9_000
        _write_down(route.called, route.host, route.calling, route.display, route.from_host or "here.example")


def _write_down(called: str, host: str, calling: str, name: str, from_host: str) -> None:
    """Write an INVITE as an edge does; the URIs read back as what went in."""
    uri = f"sip:{called}@{host}" if called else f"sip:{host}"
    parsed = parse_uri(uri)
    assert isinstance(parsed, Uri)
    assert (parsed.user, parsed.params, parsed.headers) == (called, (), ())
    from_uri = f"sip:{calling}@{from_host}" if calling else f"sip:{from_host}"
    parsed = parse_uri(from_uri)
    assert isinstance(parsed, Uri)
    assert (parsed.user, parsed.params) == (calling, ())
    assert re.search(r"[\x00-\x1f\x7f]", name) is None
    assert re.fullmatch(r"""([\w.!%*+`'~ -]*|"([^"\\]|\\.)*")""", name) is not None
    serialize_request("INVITE", uri, [("From", f"{name} <{from_uri}>;tag=t")])


@given(_TEXTS)
def test_a_number_comes_back_from_its_user_part(text: str) -> None:
    number = number_of(f"sip:{user_part(text)}@h")
    assert number == number_of(f"sip:{user_part(number)}@h")
    assert user_part(number) == user_part(text)


@given(_TEXTS)
def test_a_name_comes_back_from_its_display(text: str) -> None:
    shown = display(text)
    assert display(unquote(shown)) == shown


@given(_TEXTS, _ANY | st.text("0123456789#+", max_size=80))
def test_rules_are_a_translation_or_a_sentence(rules: str, number: str) -> None:
    try:
        translate = parse_translation(rules)
    except TranslationError as error:
        assert str(error).startswith("rule ")
        return
    translated = translate(number)
    if len(number.partition("#")[0]) > LONGEST_NUMBER:
        assert translated == number


@given(st.text("ab()|+*?{}[],1\\d^.", max_size=24), st.text("ab1", max_size=64))
def test_what_is_accepted_is_quick(regex: str, number: str) -> None:
    """Hypothesis fails an example that takes longer than its deadline of 200 ms."""
    try:
        translate = parse_translation(f"s/{regex}/x/g")
    except TranslationError:
        return
    translate(number)


@given(_ANY | st.text("ab()|+*?{}[],1\\d^.", max_size=40))
def test_the_cost_of_a_pattern_is_known_or_refused(pattern: str) -> None:
    with suppress(PatternError):
        assert ways(pattern, 64) >= 1


@given(st.lists(st.sampled_from("ab"), max_size=8), st.text())
def test_a_draw_loses_nothing(groups: list[str], seed: str) -> None:
    entries = [RouteEntry(host=f"h{index}", group=group) for index, group in enumerate(groups)]
    drawn = order_of_trial(entries, seed)
    assert sorted(map(repr, drawn)) == sorted(map(repr, entries))
    assert [getattr(entry, "group", None) for entry in drawn] == groups


@given(_TEXTS, st.lists(st.tuples(_TEXTS, st.just("v")), max_size=5))
def test_patterns_never_pass_what_is_ours(patterns: str, fields: list[tuple[str, str]]) -> None:
    try:
        parsed = parse_pass_headers(patterns)
    except PassHeadersError:
        return
    headers = [
        sip_pb2.Header(name=name.encode("utf-8", "replace").decode(), value=value) for name, value in fields
    ]
    headers += [sip_pb2.Header(name=name, value="v") for name in OWN]
    passed = parsed.select(headers)
    assert passed == [header for header in headers if header in passed]
    assert not {canonical_name(header.name) for header in passed} & set(OWN)


@given(_TEXTS, _TEXTS.map(lambda text: text.encode("utf-8", "replace").decode()))
def test_hooks_are_attributes_or_a_sentence(text: str, value: str) -> None:
    try:
        hook = parse_route_hook(text)
    except HookError:
        pass
    else:
        for attribute in (*hook.attributes, *hook.ingress_attributes, *hook.egress_attributes):
            assert attribute.partition("=")[2]
    taken = parse_call_hook("HDR2Xattrs[X]").attributes([sip_pb2.Header(name="x", value=value)]).taken
    assert len(set(taken)) == len(taken)
    assert all(re.search(r"[\x00-\x1f\x7f]", one) is None and one.partition("=")[2] for one in taken)
