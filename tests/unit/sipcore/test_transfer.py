"""Transfers: whom to call, in whose place, on whose behalf, and what is told of it."""

import pytest

from sipcore import GrammarError, LocalProtocolError, PeerProtocolError, TelUri, Uri
from sipcore.names import canonical_name
from sipcore.transfer import (
    ReferredBy,
    ReferTo,
    Replaces,
    SubscriptionReason,
    active_state,
    parse_refer_sub,
    parse_refer_to,
    parse_referred_by,
    parse_replaces,
    sipfrag,
    terminated_state,
)

BOB = Uri("sip", "bob", None, "b.example", None)
DIALOG = Replaces("12@a.example", "t1", "f2")


@pytest.mark.parametrize(
    ("text", "value", "printed"),
    [
        ("sip:bob@b.example", ReferTo(BOB), "<sip:bob@b.example>"),
        (
            '"Bob \\"B\\"" <sip:bob@b.example;method=BYE;user=phone>;x="1"',
            ReferTo(BOB._replace(params=(("user", "phone"),)), (), "BYE", 'Bob "B"', (("x", '"1"'),)),
            '"Bob \\"B\\"" <sip:bob@b.example;user=phone;method=BYE>;x="1"',
        ),
        (
            "<sip:bob@b.example;method=INVITE?Replaces=12%40a.example%3Bto-tag%3Dt1%3Bfrom-tag%3Df2&X-y=%C3%A9%FF>",
            ReferTo(BOB, (("Replaces", str(DIALOG)), ("X-y", "\u00e9\udcff"))),
            "<sip:bob@b.example?Replaces=12%40a.example%3Bto-tag%3Dt1%3Bfrom-tag%3Df2&X-y=%C3%A9%FF>",
        ),
        ("<tel:+1-23;method=x>", ReferTo(TelUri("+1-23", (("method", "x"),))), "<tel:+1-23;method=x>"),
    ],
)
def test_refer_to(text: str, value: ReferTo, printed: str) -> None:
    assert parse_refer_to(text) == value
    assert str(value) == printed
    assert parse_refer_to(printed) == value


def test_the_dialog_to_replace() -> None:
    refer_to = ReferTo(BOB, (("REPLACES", str(DIALOG)), ("Subject", "a b")))
    assert parse_refer_to(str(refer_to)).replaces == DIALOG
    assert refer_to.header("subject") == "a b"
    assert len(parse_refer_to("<sip:b?Accept=a&accept=b>").headers) == 2
    assert (ReferTo(BOB).replaces, refer_to.header("x")) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "bob",
        "<sip:bob@b.example",
        "sip:bob@b.example?Replaces=x",
        "<sip:a@b>, <sip:c@d>",
        "sip:a@b, sip:c@d",
        "<sip:bob@b.example?Replaces>",
        "<sip:bob@b.example?Replaces=x>",
        "<sip:bob@b.example?Replaces=x%3Bto-tag%3D1>",
        "<sip:bob@b.example?X=a%0D%0AVia%3A%20b>",
        "<sip:bob@b.example?X=%00>",
        "<sip:bob@b.example?X%0AY=1>",
        "<sip:bob@b.example?X=%4>",
        "<sip:bob@b.example?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2&replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>",
        "<sip:bob@b.example;method>",
        "<sip:bob@b.example;method=[]>",
        "<sip:bob@b.example:0>",
    ],
)
def test_bad_refer_to(text: str) -> None:
    with pytest.raises(GrammarError):
        parse_refer_to(text)


def test_whom_we_cannot_call() -> None:
    with pytest.raises(PeerProtocolError) as caught:
        parse_refer_to("<https://b.example/>")
    assert caught.value.status == 416


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12@a.example;to-tag=t1;from-tag=f2", DIALOG),
        ("a ; From-Tag=0;x;EARLY-ONLY ;to-tag=1", Replaces("a", "1", "0", True)),
        ('(<a>:"b")?;to-tag=1;from-tag=2', Replaces('(<a>:"b")?', "1", "2")),
    ],
)
def test_replaces(text: str, value: Replaces) -> None:
    assert parse_replaces(text) == value
    assert parse_replaces(str(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a;to-tag=1",
        "a;from-tag=1",
        "a;to-tag=1;from-tag",
        "a;to-tag=1;from-tag=",
        "a;to-tag=1;from-tag=2;to-tag=3",
        'a;to-tag=1;from-tag="2 3"',
        "a b;to-tag=1;from-tag=2",
        "a\u00e9;to-tag=1;from-tag=2",
        "a;to-tag=1;from-tag=2,b;to-tag=1;from-tag=2",
    ],
)
def test_bad_replaces(text: str) -> None:
    with pytest.raises(GrammarError):
        parse_replaces(text)


def test_which_dialog() -> None:
    assert DIALOG.names("12@a.example", "t1", "f2")
    assert not DIALOG.names("12@a.example", "f2", "t1")
    assert not DIALOG.names("12@A.example", "t1", "f2")
    assert not DIALOG.names("12@a.example", "t1", "F2")
    assert Replaces("c", "t1", "0").names("c", "t1", "")
    assert not Replaces("c", "t1", "0").names("c", "t1", "f2")


def test_referred_by() -> None:
    text = '"R" <sip:r@a.example;x=y>;cid="2UWQFN309shb3@a.example";z'
    value = parse_referred_by(text)
    params = (("cid", '"2UWQFN309shb3@a.example"'), ("z", None))
    assert value == ReferredBy("sip:r@a.example;x=y", "R", params)
    assert value.cid == "2UWQFN309shb3@a.example"
    assert str(value) == text
    assert str(parse_referred_by("sip:r@a.example")) == "<sip:r@a.example>"
    assert ReferredBy("sip:r@a.example").cid is None
    for bad in ("", "*", "<sip:r", "<sip:r@a>x", "sip:r@a?b=c"):
        with pytest.raises(GrammarError):
            parse_referred_by(bad)


def test_refer_sub() -> None:
    assert canonical_name("Refer-Sub") == "refer-sub"
    assert parse_refer_sub("true") is True
    assert parse_refer_sub("FALSE ;x=y") is False
    for text in ("", "yes", "true false", ";x"):
        with pytest.raises(GrammarError):
            parse_refer_sub(text)


def test_what_is_told() -> None:
    assert sipfrag(180, "Ringing") == b"SIP/2.0 180 Ringing\r\n"
    assert sipfrag(603, "N\u00f6 \udcff") == b"SIP/2.0 603 N\xc3\xb6 \xff\r\n"
    assert active_state(60) == "active;expires=60"
    assert terminated_state(SubscriptionReason.NO_RESOURCE) == "terminated;reason=noresource"
    for status, reason in ((99, "x"), (700, "x"), (200, "OK\r\nVia: x"), (200, "\x00")):
        with pytest.raises(LocalProtocolError):
            sipfrag(status, reason)
