"""Entries become routes: what the caller, authorisation and the operator add, and what is not tried."""

from dataclasses import dataclass

import pytest

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from call_control.domain.routing.entry import parse_route, read_routes
from call_control.domain.routing.plan import Caller, Plan, plan
from call_control.domain.routing.translation import Translation, parse_translation


@dataclass(frozen=True)
class Options:
    translate_in: Translation | None = None
    translate_out: Translation | None = None
    max_credit_ms: int = 0
    follow_redirects: bool = False


CALLER = Caller(
    key="key",
    request_uri="sip:2002@192.0.2.100",
    from_value='"Ann" <sip:1001@example.org>;tag=x',
    to_value="<sip:2002@dialled.example>",
    source=sip_pb2.Endpoint(ip="192.0.2.9", port=5060, transport="udp"),
    via=("SIP/2.0/UDP edge.example:5060;branch=z9hG4bK1",),
)


def plan_of(*routes: str, caller: Caller = CALLER, options: Options | None = None) -> Plan:
    return plan(read_routes(routes), caller, options or Options())


def route_of(route: str, caller: Caller = CALLER, options: Options | None = None) -> record.Route:
    made = plan_of(route, caller=caller, options=options)
    assert made.skipped == []
    return made.routes[0]


def test_a_bare_route_takes_everything_from_the_caller() -> None:
    assert route_of("gw.example:5070") == record.Route(
        host="gw.example", port=5070, number=1, called="2002", calling="1001", display="Ann"
    )


def test_a_route_says_it_all() -> None:
    route = route_of(
        "99@gw.example;cli=77;cnam=Bob%20B.;credit-time=60;expires=30;np_expires=5;nr_expires=2;gt=20,2"
        ";auth=u:p;ash=X-A%3A%20b;rtpp=0;op=192.0.2.7:5070;hs_scodes=486,603;forward_on_fail=1;bill-to=acme"
        ";bill-cli=;bill-cld=5;po_proc=VAL2Xattrs[a=1,a=1];from_domain={from_host};to_domain=to.example"
        ";transport=tcp;rid=7"
    )
    assert route == record.Route(
        host="gw.example",
        transport="tcp",
        number=1,
        called="99",
        calling="77",
        display="Bob B.",
        from_host="example.org",
        to_host="to.example",
        headers=[sip_pb2.Header(name="X-A", value="b")],
        credit_ms=60_000,
        expires_ms=30_000,
        no_progress_ms=5_000,
        no_reply_ms=2_000,
        group_ms=20_000,
        group_skip=2,
        auth_mode=record.AUTH_MODE_CREDENTIALS,
        username="u",
        password="p",
        outbound_proxy="sip:192.0.2.7:5070;transport=tcp",
        hunt_stop=[486, 603],
        forwarding=True,
        no_relay=True,
        bill_to="acme",
        bill_calling="",
        bill_called="5",
        attributes=["a=1"],
    )


def test_attributes_of_one_leg() -> None:
    assert list(route_of("h;po_proc=VAL2XattrsA[a=1]").ingress_attributes) == ["a=1"]
    assert list(route_of("h;po_proc=VAL2XattrsO[a=1]").egress_attributes) == ["a=1"]


def test_routes_are_numbered_over_those_that_are_skipped() -> None:
    made = plan_of("a", "b;", "c;credit-time=0", "d;expires=0", "wss-ua", "e")
    assert [(route.host, route.number) for route in made.routes] == [("a", 1), ("e", 6)]
    assert [one.number for one in made.skipped] == [2, 3, 4, 5]
    assert [one.reason.split()[0] for one in made.skipped] == [
        "parameter",
        "credit-time",
        "expires",
        "wss-ua",
    ]


def test_nothing_left_is_an_empty_plan() -> None:
    assert plan_of("a;expires=0").routes == []
    assert plan_of().routes == []


def test_two_plans_share_nothing() -> None:
    first = route_of("a;ash=X-A%3Ay")
    first.headers[0].value = "changed"
    assert route_of("a;ash=X-A%3Ay").headers[0].value == "y"


# -- numbers and names ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "dialled", "user"),
    [
        ("sip:2002@h", "2002", "2002"),
        ("sip:+1(604)555-1212@h", "+1(604)555-1212", "+1(604)555-1212"),
        ("sip:2002;npdi;rn=5@h;user=phone", "2002", "2002"),
        ("sip:2002:secret@h", "2002", "2002"),
        ("tel:+16045551212;phone-context=x", "+16045551212", "+16045551212"),
        ("sip:h", "", ""),
        ("sip:*72%23@h", "*72#", "*72%23"),
        ("sip:*72#@h", "*72#", "*72%23"),
        ("sip:a%20b@h", "a b", "a%20b"),
        ("sip:a%40evil@h", "a@evil", "a%40evil"),
        ("sip:a%3Bnpdi@h", "a;npdi", "a%3Bnpdi"),
        ("sip:j%C3%BCrg@h", "j\u00fcrg", "j%C3%BCrg"),
        ("sip:12%0D%0A%0d%0aVia@h", "12Via", "12Via"),
        ("sip:12%00%7f%C2%85@h", "12", "12"),
        ("sip:12%FF@h", "12\ufffd", "12%EF%BF%BD"),
        ("sip:100%25@h", "100%", "100%25"),
    ],
)
def test_the_number_is_decoded_and_written_again(uri: str, dialled: str, user: str) -> None:
    made = plan_of("a", caller=CALLER._replace(request_uri=uri))
    assert (made.called, made.routes[0].called) == (dialled, user)


@pytest.mark.parametrize(
    ("route", "called"),
    [
        ("h", "2002"),
        ("77@h", "77"),
        ("@h", ""),
        ("7%207@h", "7%25207"),
        ("7;x=y@h", None),
    ],
)
def test_the_route_names_the_number(route: str, called: str | None) -> None:
    made = plan_of(route)
    assert (made.routes[0].called if made.routes else None) == called


@pytest.mark.parametrize(
    ("value", "calling", "display"),
    [
        ('"Ann" <sip:1001@h>', "1001", "Ann"),
        ("Ann <sip:1001@h>", "1001", "Ann"),
        ('"Ann B. Lee" <sip:1001@h>', "1001", "Ann B. Lee"),
        ('"Lee, Ann" <sip:1001@h>', "1001", '"Lee, Ann"'),
        ('"say \\"hi\\"" <sip:1001@h>', "1001", '"say \\"hi\\""'),
        ('"J\u00fcrg" <sip:1001@h>', "1001", '"J\u00fcrg"'),
        ('"" <sip:1001@h>', "1001", ""),
        ('" " <sip:1001@h>', "1001", '" "'),
        ("<sip:1001;x=y@h>", "1001", ""),
        ("sip:1001@h", "1001", ""),
        ("<sip:h>", "", ""),
        ('"A\r\nVia: x" <sip:1%0D%0A2@h>', "12", '"AVia: x"'),
        ("<tel:+1604>", "+1604", ""),
    ],
)
def test_the_caller(value: str, calling: str, display: str) -> None:
    route = route_of("h", CALLER._replace(from_value=value))
    assert (route.calling, route.display) == (calling, display)


@pytest.mark.parametrize(
    ("calling", "name", "route", "expected"),
    [
        (None, None, "h", ("1001", "Ann")),
        ("5", "Eve", "h", ("5", "Eve")),
        ("", "", "h", ("", "")),
        ("5 6", 'a"b', "h", ("5%206", '"a\\"b"')),
        ("5", "Eve", "h;cli=7;cnam=Bob", ("7", "Bob")),
        ("5", "Eve", "h;cli=;cnam=", ("", "")),
        ("5\r\n", "E\x00ve", "h", ("5", "Eve")),
    ],
)
def test_authorisation_and_route_replace_the_caller(
    calling: str | None, name: str | None, route: str, expected: tuple[str, str]
) -> None:
    made = route_of(route, CALLER._replace(calling=calling, name=name))
    assert (made.calling, made.display) == expected


@pytest.mark.parametrize(
    ("uri", "has_body", "called", "nated"),
    [
        ("sip:nat-2002@h", True, "2002", True),
        ("sip:nat-2002@h", False, "2002", False),
        ("sip:2002@h", True, "2002", False),
        ("sip:nat-nat-1@h", True, "nat-1", True),
    ],
)
def test_the_nat_prefix(uri: str, has_body: bool, called: str, nated: bool) -> None:
    made = plan_of("h", caller=CALLER._replace(request_uri=uri, has_body=has_body))
    assert (made.called, made.nated, made.routes[0].called) == (called, nated, called)


def test_translations_stand_before_and_behind_the_route() -> None:
    options = Options(
        translate_in=parse_translation("s/^00/+/"), translate_out=parse_translation("s/^\\+1/1/;s/^/9/")
    )
    caller = CALLER._replace(request_uri="sip:nat-001604@h")
    made = plan_of("a", "+1777@b", "@c", caller=caller, options=options)
    assert made.called == "+1604"
    assert [route.called for route in made.routes] == ["91604", "91777", ""]


def test_where_no_number_is_none_is_made() -> None:
    translation = parse_translation("s/^/99/")
    options = Options(translate_in=translation, translate_out=translation)
    made = plan_of("a", caller=CALLER._replace(request_uri="sip:h"), options=options)
    assert (made.called, made.routes[0].called) == ("", "")


def test_a_translation_brings_no_line_end_into_the_message() -> None:
    translation = parse_translation(r"s/^/\r\n/")
    made = plan_of("a", options=Options(translate_in=translation, translate_out=translation))
    assert (made.called, made.routes[0].called) == ("2002", "2002")


# -- credit --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "authorised", "most", "credit"),
    [
        ("h", None, 0, 0),
        ("h", 5_500, 0, 5_500),
        ("h", -1, 0, 0),
        ("h", None, 9_000, 9_000),
        ("h", 20_000, 9_000, 9_000),
        ("h", 5_000, 9_000, 5_000),
        ("h;credit-time=7", 5_000, 0, 7_000),
        ("h;credit-time=7", 0, 0, 7_000),
        ("h;credit-time=7", None, 6_000, 6_000),
        ("h;credit-time=-1", 5_000, 0, 0),
        ("h;credit-time=-1", 5_000, 9_000, 9_000),
    ],
)
def test_credit(route: str, authorised: int | None, most: int, credit: int) -> None:
    made = route_of(route, CALLER._replace(credit_ms=authorised), Options(max_credit_ms=most))
    assert made.credit_ms == credit


def test_no_credit_leaves_no_route_that_does_not_have_its_own() -> None:
    made = plan_of("a", "b;credit-time=5", caller=CALLER._replace(credit_ms=0))
    assert [route.host for route in made.routes] == ["b"]
    assert made.skipped == [(1, "the caller has no credit")]


# -- redirects -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "default", "followed"),
    [
        ("h", False, False),
        ("h", True, True),
        ("h;redirect=follow", False, True),
        ("h;redirect=relay", True, False),
    ],
)
def test_redirects(route: str, default: bool, followed: bool) -> None:
    assert route_of(route, options=Options(follow_redirects=default)).follow_redirects is followed


# -- places --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "source", "expected"),
    [
        ("sip-ua", ("192.0.2.9", 5070, "udp"), ("192.0.2.9", 5070, "udp")),
        ("sip-ua", ("2001:db8::9", 5060, "tcp"), ("[2001:db8::9]", 5060, "tcp")),
        ("sip-ua;transport=udp", ("192.0.2.9", 40000, "tcp"), ("192.0.2.9", 40000, "udp")),
    ],
)
def test_sip_ua_goes_back_to_where_the_invite_came_from(
    route: str, source: tuple[str, int, str], expected: tuple[str, int, str]
) -> None:
    ip, port, transport = source
    endpoint = sip_pb2.Endpoint(ip=ip, port=port, transport=transport)
    made = route_of(route, CALLER._replace(source=endpoint))
    assert (made.host, made.port, made.transport) == expected


@pytest.mark.parametrize(
    ("auth", "mode"),
    [("", record.AUTH_MODE_UNSPECIFIED), (";auth=nopass", record.AUTH_MODE_NONE)],
)
def test_authentication(auth: str, mode: record.AuthMode.ValueType) -> None:
    assert route_of(f"h{auth}").auth_mode == mode


@pytest.mark.parametrize(
    ("op", "ip", "port", "transport", "applies"),
    [
        ("192.0.2.7", "192.0.2.9", 5060, "udp", True),
        ("192.0.2.9", "192.0.2.9", 5060, "udp", False),
        ("192.0.2.9:5060", "192.0.2.9", 5060, "udp", False),
        ("192.0.2.9:5070", "192.0.2.9", 5060, "udp", True),
        ("192.0.2.9", "192.0.2.9", 40000, "tcp", False),
        ("[2001:DB8:0::9]", "2001:db8::9", 5060, "udp", False),
        ("Edge.Example", "192.0.2.9", 5060, "udp", False),
        ("edge.example:5070", "192.0.2.9", 5060, "udp", True),
        ("other.example", "192.0.2.9", 5060, "udp", True),
    ],
)
def test_the_outbound_proxy_is_left_out_if_the_call_came_from_it(
    op: str, ip: str, port: int, transport: str, applies: bool
) -> None:
    source = sip_pb2.Endpoint(ip=ip, port=port, transport=transport)
    made = route_of(f"h;op={op}", CALLER._replace(source=source))
    assert made.outbound_proxy == (f"sip:{op}" if applies else "")


@pytest.mark.parametrize(
    ("template", "host"),
    [
        ("{from_host}", "example.org"),
        ("{to_host}", "dialled.example"),
        ("{request_host}", "192.0.2.100"),
        ("{source_ip}", "192.0.2.9"),
        ("{route_host}", "gw.example"),
        ("literal.example", "literal.example"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("{source_ip}.trunk.example", "192.0.2.9.trunk.example"),
    ],
)
def test_domains(template: str, host: str) -> None:
    made = route_of(f"gw.example;from_domain={template};to_domain={template}")
    assert (made.from_host, made.to_host) == (host, host)


def test_a_domain_that_the_call_does_not_have_is_left_out() -> None:
    made = route_of("h;from_domain={from_host}", CALLER._replace(from_value="<tel:+1604>"))
    assert made.from_host == ""


def test_ipv6_gets_its_brackets_in_a_domain() -> None:
    source = sip_pb2.Endpoint(ip="2001:db8::9", port=5060, transport="udp")
    assert route_of("h;from_domain={source_ip}", CALLER._replace(source=source)).from_host == "[2001:db8::9]"


def test_a_group_is_numbered_in_the_order_of_trial() -> None:
    entries = [f"{host};group=g" for host in "abcdef"]
    made = plan_of(*entries, "last")
    assert [route.number for route in made.routes] == [1, 2, 3, 4, 5, 6, 7]
    assert sorted(route.host for route in made.routes[:6]) == list("abcdef")
    assert made.routes[6].host == "last"
    assert made == plan_of(*entries, "last")


def test_a_parsed_entry_is_taken_as_it_is() -> None:
    assert plan((parse_route("a"),), CALLER, Options()).routes[0].host == "a"
