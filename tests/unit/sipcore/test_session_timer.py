"""Session timers: every row of RFC 4028 table 2 with every wish of ours, and what both sides make of it."""

from itertools import product

import pytest

from sipcore import GrammarError, PeerProtocolError
from sipcore.session_timer import (
    Ask,
    Asked,
    Grant,
    Refresher,
    SessionExpires,
    SessionTimer,
    TooSmall,
    Wish,
    agreed,
    ask,
    ask_again,
    grant,
    parse_asked,
    parse_min_se,
    parse_session_expires,
)

UAC, UAS = Refresher.UAC, Refresher.UAS


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1800", SessionExpires(1800)),
        ("1800;refresher=uac", SessionExpires(1800, UAC)),
        ("90 ; x=y ; Refresher = UAS", SessionExpires(90, UAS)),
        ("4294967295", SessionExpires(2**32 - 1)),
    ],
)
def test_session_expires(text: str, value: SessionExpires) -> None:
    assert parse_session_expires(text) == value
    assert parse_session_expires(str(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "-1",
        "4294967296",
        "9" * 40,
        "1800;refresher",
        "1800;refresher=me",
        "1800;",
        "1800,90",
        "1;a;a",
    ],
)
def test_bad_session_expires(text: str) -> None:
    with pytest.raises(GrammarError):
        parse_session_expires(text)


def test_min_se() -> None:
    assert parse_min_se("90") == 90
    assert parse_min_se("120 ;x=y") == 120
    for text in ("", "x", "-1", ";x", "4294967296"):
        with pytest.raises(GrammarError):
            parse_min_se(text)


def test_what_a_request_says() -> None:
    assert parse_asked((), (), None, None) == Asked(False, None, 90)
    assert parse_asked(("100rel", "timer"), (), "600", "120") == Asked(True, SessionExpires(600), 120)
    assert parse_asked((), ("timer",), None, None) == Asked(True)
    with pytest.raises(PeerProtocolError) as caught:
        parse_asked((), (), "x", None)
    assert (caught.value.status, caught.value.reason) == (
        400,
        "Bad Request - Bad Session-Expires: not a number",
    )
    with pytest.raises(PeerProtocolError, match="Bad Min-SE"):
        parse_asked((), (), None, "x")


@pytest.mark.parametrize(
    ("timer", "refresh", "expire"),
    [
        (SessionTimer(1800, True), 900, 1768),
        (SessionTimer(1800, False), None, 1768),
        (SessionTimer(90, True), 45, 60),
        (SessionTimer(96, False), None, 64),
        (SessionTimer(3, True), 1.5, 2),
        (SessionTimer(2**32 - 1, False), None, 2**32 - 33),
    ],
)
def test_when_to_act(timer: SessionTimer, refresh: float | None, expire: float) -> None:
    assert (timer.refresh_after, timer.expire_after) == (refresh, expire)


WE, PEER, OPEN = True, False, None

# The peer knows timers or not; who it names; whom we prefer; who refreshes. "absent" is a request without
# Session-Expires: then it is we who ask.
TABLE_2 = [
    # no support: it cannot refresh, and must not be required to know what it does not
    (False, "absent", OPEN, UAS),
    (False, "absent", WE, UAS),
    (False, "absent", PEER, UAS),
    (False, None, OPEN, UAS),
    (False, None, WE, UAS),
    (False, None, PEER, UAS),
    (False, UAC, OPEN, UAS),
    (False, UAC, WE, UAS),
    (False, UAC, PEER, UAS),
    (False, UAS, OPEN, UAS),
    (False, UAS, WE, UAS),
    (False, UAS, PEER, UAS),
    # the choice is ours
    (True, "absent", OPEN, UAS),
    (True, "absent", WE, UAS),
    (True, "absent", PEER, UAC),
    (True, None, OPEN, UAC),
    (True, None, WE, UAS),
    (True, None, PEER, UAC),
    # the choice is the peer's
    (True, UAC, OPEN, UAC),
    (True, UAC, WE, UAC),
    (True, UAC, PEER, UAC),
    (True, UAS, OPEN, UAS),
    (True, UAS, WE, UAS),
    (True, UAS, PEER, UAS),
]


def test_the_table_is_whole() -> None:
    rows = set(product((False, True), ("absent", None, UAC, UAS), (OPEN, WE, PEER)))
    assert {row[:3] for row in TABLE_2} == rows
    assert len(TABLE_2) == len(rows)


@pytest.mark.parametrize(("supported", "named", "preferred", "refresher"), TABLE_2)
@pytest.mark.parametrize("wished", [600, None])
def test_table_2(
    supported: bool,
    named: Refresher | str | None,
    preferred: bool | None,
    refresher: Refresher,
    wished: int | None,
) -> None:
    wish = Wish(wished, we_refresh=preferred)
    if isinstance(named, str):
        expected = 600 if wished else None
        asked = Asked(supported)
    else:
        expected = 600 if wished else 1200
        asked = Asked(supported, SessionExpires(1200, named))
    granted = grant(asked, wish)
    if expected is None:
        assert granted == Grant(None, False, None)
    else:
        assert granted == Grant(
            SessionExpires(expected, refresher), supported, SessionTimer(expected, refresher is UAS)
        )


@pytest.mark.parametrize(
    ("asked", "wish", "interval"),
    [
        # shortened to our wish, but not below a minimum of either side, and never made longer
        (Asked(True, SessionExpires(1800)), Wish(600), 600),
        (Asked(True, SessionExpires(1800), 900), Wish(600), 900),
        (Asked(True, SessionExpires(1800), 90), Wish(60, minimum=120), 120),
        (Asked(True, SessionExpires(300)), Wish(600), 300),
        (Asked(True, SessionExpires(300), 400), Wish(600), 300),
        (Asked(True, SessionExpires(300)), Wish(None), 300),
        (Asked(True, SessionExpires(90)), Wish(600), 90),
        # too small
        (Asked(True, SessionExpires(89)), Wish(600), None),
        (Asked(True, SessionExpires(0)), Wish(None), None),
        (Asked(True, SessionExpires(300)), Wish(600, minimum=301), None),
        # a peer that would not understand 422
        (Asked(False, SessionExpires(60)), Wish(600), 90),
        (Asked(False, SessionExpires(60)), Wish(None, minimum=120), 120),
        # we ask
        (Asked(True), Wish(600), 600),
        (Asked(True, None, 700), Wish(600), 700),
        (Asked(True), Wish(60, minimum=120), 120),
    ],
)
def test_interval_granted(asked: Asked, wish: Wish, interval: int | None) -> None:
    granted = grant(asked, wish)
    if interval is None:
        assert granted == TooSmall(wish.minimum)
    else:
        assert isinstance(granted, Grant) and granted.session_expires and granted.timer
        assert granted.session_expires.interval == granted.timer.interval == interval


@pytest.mark.parametrize(
    ("wish", "timer", "min_se", "expected"),
    [
        (Wish(1800), None, 0, Ask(SessionExpires(1800), None)),
        (Wish(1800, we_refresh=True), None, 0, Ask(SessionExpires(1800, UAC), None)),
        (Wish(1800, we_refresh=False), None, 0, Ask(SessionExpires(1800, UAS), None)),
        (Wish(None), None, 0, Ask(None, None)),
        (Wish(None, minimum=120), None, 0, Ask(None, 120)),
        (Wish(100, minimum=120), None, 0, Ask(SessionExpires(120), 120)),
        (Wish(1800), None, 2000, Ask(SessionExpires(2000), 2000)),
        (Wish(1800), SessionTimer(600, True), 0, Ask(SessionExpires(600, UAC), None)),
        (Wish(None, we_refresh=True), SessionTimer(600, False), 0, Ask(SessionExpires(600, UAS), None)),
        (Wish(1800), SessionTimer(600, True), 700, Ask(SessionExpires(700, UAC), 700)),
        (Wish(4, minimum=2), None, 0, Ask(SessionExpires(4), None)),
    ],
)
def test_what_we_ask(wish: Wish, timer: SessionTimer | None, min_se: int, expected: Ask) -> None:
    assert ask(wish, timer=timer, min_se=min_se) == expected


@pytest.mark.parametrize(
    ("asked", "min_se", "expected"),
    [
        (Ask(SessionExpires(100, UAC), None), "120", Ask(SessionExpires(120, UAC), 120)),
        (Ask(SessionExpires(300), 200), "400", Ask(SessionExpires(400), 400)),
        (Ask(SessionExpires(300), None), "300", None),
        (Ask(SessionExpires(300), None), "200", None),
        (Ask(SessionExpires(300), None), None, None),
        (Ask(SessionExpires(300), None), "many", None),
        (Ask(None, None), "300", None),
    ],
)
def test_after_422(asked: Ask, min_se: str | None, expected: Ask | None) -> None:
    assert ask_again(asked, min_se) == expected


@pytest.mark.parametrize(
    ("session_expires", "wish", "timer"),
    [
        (None, Wish(1800), None),
        (SessionExpires(1800, UAC), Wish(1800), SessionTimer(1800, True)),
        (SessionExpires(600, UAS), Wish(1800), SessionTimer(600, False)),
        (SessionExpires(600), Wish(1800), SessionTimer(600, True)),
        (SessionExpires(600, UAC), Wish(None), SessionTimer(600, True)),
        (SessionExpires(1, UAC), Wish(1800), SessionTimer(90, True)),
        (SessionExpires(600, UAC), Wish(1800, minimum=1200), SessionTimer(600, True)),
        (SessionExpires(4, UAC), Wish(4, minimum=2), SessionTimer(4, True)),
    ],
)
def test_what_a_2xx_means(
    session_expires: SessionExpires | None, wish: Wish, timer: SessionTimer | None
) -> None:
    assert agreed(session_expires, wish) == timer
