"""The route language: what each parameter means, and what an operator is told about a wrong one."""

import pytest

from call_control.domain.routing.entry import (
    RouteEntry,
    RouteError,
    parse_route,
    parse_route_list,
    read_routes,
)
from call_control.domain.routing.hooks import RouteHook


@pytest.mark.parametrize(
    ("text", "called", "host", "port"),
    [
        ("192.0.2.1", None, "192.0.2.1", 0),
        ("192.0.2.1:5070", None, "192.0.2.1", 5070),
        ("gw.example.com", None, "gw.example.com", 0),
        ("_sip._udp.example", None, "_sip._udp.example", 0),
        ("[2001:db8::1]", None, "[2001:db8::1]", 0),
        ("[2001:db8::1]:5070", None, "[2001:db8::1]", 5070),
        ("2002@192.0.2.1", "2002", "192.0.2.1", 0),
        ("2002@[::1]:5061", "2002", "[::1]", 5061),
        ("a@b@192.0.2.1", "a@b", "192.0.2.1", 0),
        ("%23@192.0.2.1", "%23", "192.0.2.1", 0),
        ("@192.0.2.1", "", "192.0.2.1", 0),
        ("sip-ua", None, "sip-ua", 0),
        ("123@sip-ua", "123", "sip-ua", 0),
        ("wss-ua", None, "wss-ua", 0),
        ("  192.0.2.1  ", None, "192.0.2.1", 0),
    ],
)
def test_target(text: str, called: str | None, host: str, port: int) -> None:
    entry = parse_route(text)
    assert (entry.called, entry.host, entry.port) == (called, host, port)


@pytest.mark.parametrize(
    ("parameter", "field", "value"),
    [
        ("credit-time=60", "credit_ms", 60_000),
        ("credit-time=0", "credit_ms", 0),
        ("credit-time=-1", "credit_ms", -1_000),
        ("expires=30", "expires_ms", 30_000),
        ("expires=0", "expires_ms", 0),
        ("expires=-1", "expires_ms", None),
        ("np_expires=5", "no_progress_ms", 5_000),
        ("np_expires=0", "no_progress_ms", None),
        ("np_expires=-5", "no_progress_ms", None),
        ("nr_expires=5", "no_reply_ms", 5_000),
        ("nr_expires=31", "no_reply_ms", 31_000),
        ("nr_expires=32", "no_reply_ms", None),
        ("cli=16046288900", "calling", "16046288900"),
        ("cli=", "calling", ""),
        ("cli=a=b", "calling", "a=b"),
        ("cnam=Ann%20Lee", "name", "Ann Lee"),
        ("cnam=%E2%82%AC", "name", "\u20ac"),
        ("cnam=", "name", ""),
        ("auth=nopass", "nopass", True),
        ("auth=u:p", "username", "u"),
        ("auth=u:p", "nopass", False),
        ("auth=u:p:q", "password", "p:q"),
        ("auth=u:", "password", ""),
        ("ash=X-A%3A%20b%2C%20c", "headers", (("X-A", "b, c"),)),
        ("ash=X-A%3Ab;ash=X-A%3Ac", "headers", (("X-A", "b"), ("X-A", "c"))),
        ("ash=X-A%3A", "headers", (("X-A", ""),)),
        ("rtpp=0", "no_relay", True),
        ("rtpp=1", "no_relay", False),
        ("op=192.0.2.7", "outbound_proxy", ("192.0.2.7", 0)),
        ("op=proxy.example:5070", "outbound_proxy", ("proxy.example", 5070)),
        ("op=[2001:db8::7]:5070", "outbound_proxy", ("[2001:db8::7]", 5070)),
        ("hs_scodes=486,603", "hunt_stop", (486, 603)),
        ("hs_scodes=486, 603 ", "hunt_stop", (486, 603)),
        ("hs_scodes=", "hunt_stop", ()),
        ("forward_on_fail=", "forwarding", True),
        ("forward_on_fail=no", "forwarding", True),
        ("bill-to=acme", "bill_to", "acme"),
        ("bill-cli=", "bill_calling", ""),
        ("bill-cld=99", "bill_called", "99"),
        ("gt=10,1", "group_ms", 10_000),
        ("gt=10,3", "group_skip", 3),
        ("gt=0,3", "group_ms", None),
        ("gt=-1,3", "group_ms", None),
        ("po_proc=VAL2Xattrs[a=b,c=d]", "hook", RouteHook(attributes=("a=b", "c=d"))),
        ("transport=TCP", "transport", "tcp"),
        ("group=west;weight=7", "weight", 7),
        ("group=west", "group", "west"),
        ("redirect=follow", "redirect", "follow"),
        ("redirect=Relay", "redirect", "relay"),
        ("rid=-1", "others", (("rid", "-1"),)),
        ("rid=1;colour=blue", "others", (("rid", "1"), ("colour", "blue"))),
        ("expires=5;expires=6", "expires_ms", 6_000),
        ("auth=nopass;auth=u:p", "nopass", False),
        ("Credit-Time=5", "credit_ms", 5_000),
    ],
)
def test_parameter(parameter: str, field: str, value: object) -> None:
    assert getattr(parse_route(f"192.0.2.1;{parameter}"), field) == value


@pytest.mark.parametrize(
    ("parameters", "limits"),
    [
        ("expires=30;np_expires=5;nr_expires=2", (30_000, 5_000, 2_000)),
        ("nr_expires=2;np_expires=5;expires=30", (30_000, 5_000, 2_000)),
        ("expires=5;np_expires=5", (5_000, None, None)),
        ("expires=5;nr_expires=5", (5_000, None, None)),
        ("np_expires=5;nr_expires=5", (None, 5_000, None)),
        ("expires=-1;np_expires=50;nr_expires=20", (None, 50_000, 20_000)),
        ("expires=10;np_expires=20;nr_expires=5", (10_000, None, 5_000)),
    ],
)
def test_a_limit_that_cannot_fire_first_is_left_out(
    parameters: str, limits: tuple[int | None, int | None, int | None]
) -> None:
    entry = parse_route(f"192.0.2.1;{parameters}")
    assert (entry.expires_ms, entry.no_progress_ms, entry.no_reply_ms) == limits


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "HOST"),
        ("a b", "'a b'"),
        ("number@", "host"),
        ("192.0.2.256", "'192.0.2.256'"),
        ("h:0", "1..65535"),
        ("h:99999", "'99999'"),
        ("h:+5060", "'+5060'"),
        ("h:5060:5060", "HOST:PORT"),
        ("h:", "1..65535"),
        ("2001:db8::1", "[ADDRESS] for IPv6"),
        ("[2001:db8::1", "IPv6"),
        ("[192.0.2.1]", "IPv6"),
        ("[::1]x", "port"),
        ("sip-ua:5060", "sip-ua"),
        ("h;", "parameter 1 is missing"),
        ("h;expires=5;", "parameter 2 is missing"),
        ("h;lr", "parameter 1 should look like NAME=VALUE"),
        ("h;=5", "parameter 1"),
        ("h;expires=five", "expires should be a whole number"),
        ("h;expires=1.5", "expires"),
        ("h;expires=\u0661", "expires"),
        ("h;expires=9999999999", "nine digits"),
        ("h;credit-time=", "credit-time"),
        ("h;gt=10", "gt should be SECONDS,ROUTES"),
        ("h;gt=10,-1", "gt"),
        ("h;gt=a,b", "gt"),
        ("h;auth=secret", "auth should be USER:PASSWORD or nopass"),
        ("h;auth=:secret", "auth"),
        ("h;ash=X", "ash should be a URL-quoted 'Name: value'"),
        ("h;ash=X%20Y%3Az", "ash"),
        ("h;ash=X%3Aa%0D%0AVia%3A%20b", "ash should hold no line ends"),
        ("h;ash=X%3Aa%00", "ash"),
        ("h;ash=X%3A%FF", "ash should be URL-quoted UTF-8"),
        ("h;ash=v%3Ax", "ash cannot add v"),
        ("h;ash=expires%3A60", "ash cannot add expires"),
        ("h;ash=x%3A90", "ash cannot add x"),
        ("h;ash=Content-Length%3A0", "ash cannot add Content-Length"),
        ("h;cnam=%0A", "cnam"),
        ("h;rtpp=no", "rtpp"),
        ("h;op=", "op should be a name or an address"),
        ("h;op=::1", "op"),
        ("h;op=h:0", "op should have a port"),
        ("h;hs_scodes=busy", "hs_scodes"),
        ("h;hs_scodes=200", "300..699"),
        ("h;po_proc=Nop", "po_proc should look like NAME[ARGUMENT]"),
        ("h;po_proc=Fly[]", "there is no 'Fly'"),
        ("h;transport=sctp", "transport should be udp or tcp, not 'sctp'"),
        ("h;from_domain={moon}", "{moon}"),
        ("h;to_domain=a b", "to_domain should be a host"),
        ("h;weight=3", "group=NAME"),
        ("h;group=a;weight=0", "1..65535"),
        ("h;group=a b", "group"),
        ("h;redirect=ignore", "redirect should be follow or relay"),
        ("h;cli=1\r\nVia: x", "control characters"),
        ("h;cli=\x00", "control characters"),
        ("h;cli=\udc80", "UTF-8"),
    ],
)
def test_a_wrong_route_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(RouteError) as caught:
        parse_route(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["h;auth=u:hush;expires=x", "h;auth=u:x;hush", "h;expires=5;auth=hush"])
def test_no_error_shows_a_password(text: str) -> None:
    with pytest.raises(RouteError) as caught:
        parse_route(text)
    assert "hush" not in str(caught.value)


def test_no_text_of_an_entry_shows_the_password() -> None:
    entry = parse_route("192.0.2.1; auth=ann:hush;expires=5")
    assert (entry.username, entry.password) == ("ann", "hush")
    assert "hush" not in repr(entry)
    assert str(entry) == "192.0.2.1; auth=***;expires=5"


def test_an_entry_made_by_hand_shows_its_host() -> None:
    assert str(RouteEntry(host="127.0.0.1", port=5062)) == "127.0.0.1:5062"


@pytest.mark.parametrize(
    ("text", "hostport", "uri"),
    [
        ("h", "h", "sip:h"),
        ("h:5060", "h", "sip:h:5060"),
        ("[::1]:5070;transport=tcp", "[::1]:5070", "sip:[::1]:5070;transport=tcp"),
    ],
)
def test_the_target_as_a_uri(text: str, hostport: str, uri: str) -> None:
    entry = parse_route(text)
    assert (entry.hostport, entry.uri) == (hostport, uri)


@pytest.mark.parametrize(
    ("text", "routes"),
    [
        ("", []),
        ("a", ["a"]),
        ("a:5060,b:5060", ["a:5060", "b:5060"]),
        (" a , b ,", ["a", "b"]),
        ("a b\nc", ["a", "b", "c"]),
        ("a;gt=10,1 b", ["a;gt=10,1", "b"]),
        ("a,b;hs_scodes=486,603\n1@c;expires=5", ["a", "b;hs_scodes=486,603", "1@c;expires=5"]),
    ],
)
def test_a_list_of_routes(text: str, routes: list[str]) -> None:
    assert [str(entry) for entry in parse_route_list(text)] == routes


def test_a_wrong_route_of_a_list_has_its_number() -> None:
    with pytest.raises(RouteError, match=r"^route 2: expires should be .*white space separates"):
        parse_route_list("a b;expires=5,c")


def test_a_malformed_route_leaves_the_others_their_numbers() -> None:
    first, second, third = read_routes(["a", "b;", "c"])
    assert isinstance(second, RouteError)
    assert first == parse_route("a")
    assert third == parse_route("c")
