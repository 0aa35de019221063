"""Two sides that negotiate a session timer end up with the same one, whatever each of them wants."""

from hypothesis import given
from hypothesis import strategies as st

from sipcore import GrammarError, PeerProtocolError
from sipcore.session_timer import (
    Asked,
    Refresher,
    SessionExpires,
    TooSmall,
    Wish,
    agreed,
    ask,
    ask_again,
    grant,
    parse_asked,
    parse_session_expires,
)

SECONDS = st.integers(90, 5000)
WISHES = st.builds(Wish, st.none() | SECONDS, SECONDS, st.sampled_from([None, True, False]))
INTERVALS = st.integers(0, 2**32 - 1)


@given(WISHES, WISHES)
def test_both_sides_agree(ours: Wish, theirs: Wish) -> None:
    asked = ask(ours)
    answer = grant(Asked(True, asked.session_expires, asked.min_se or 90), theirs)
    if isinstance(answer, TooSmall):
        again = ask_again(asked, str(answer.min_se))
        assert again is not None
        answer = grant(Asked(True, again.session_expires, again.min_se or 90), theirs)
    assert not isinstance(answer, TooSmall)
    mine = agreed(answer.session_expires, ours)
    if answer.timer is None:
        assert mine is None and ours.interval is None and theirs.interval is None
        return
    assert mine is not None
    assert mine.interval == answer.timer.interval >= max(ours.minimum, theirs.minimum)
    assert mine.we_refresh != answer.timer.we_refresh
    assert answer.require


@given(
    st.booleans(),
    st.none() | st.builds(SessionExpires, INTERVALS, st.none() | st.sampled_from(Refresher)),
    INTERVALS,
    WISHES,
)
def test_no_request_gets_a_timer_that_rfc_4028_forbids(
    supported: bool, session_expires: SessionExpires | None, min_se: int, wish: Wish
) -> None:
    answer = grant(Asked(supported, session_expires, min_se), wish)
    if isinstance(answer, TooSmall):
        assert supported and session_expires and session_expires.interval < answer.min_se == wish.minimum
        return
    if answer.timer is None:
        assert session_expires is None
        return
    assert answer.require == supported
    assert answer.timer.we_refresh or supported
    assert answer.timer.interval >= wish.minimum
    if session_expires is not None:
        assert answer.timer.interval <= max(session_expires.interval, wish.minimum)
    refresh, expire = answer.timer.refresh_after, answer.timer.expire_after
    assert 0 < expire < answer.timer.interval
    assert refresh is None or 0 < refresh < expire


@given(st.text() | st.from_regex(r"[0-9]{1,12}(;[a-z]*=?[a-z]*)*"), st.text())
def test_any_text_is_a_value_or_an_error(text: str, other: str) -> None:
    try:
        value = parse_session_expires(text)
    except GrammarError:
        pass
    else:
        assert parse_session_expires(str(value)) == value
    try:
        parse_asked((), (), text, other)
    except PeerProtocolError as error:
        assert error.status == 400
        assert error.reason.isprintable() and error.reason.isascii()
