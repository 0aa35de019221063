"""Session timers (RFC 4028): pure functions on header values, for whoever keeps the dialog's record.

All times are seconds. The names of RFC 4028 for who refreshes, "uac" and "uas", mean the two sides of one
transaction and change with each request; what a dialog remembers is whether *we* refresh.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import Enum
from typing import NamedTuple, TypeVar

from sipcore.errors import GrammarError
from sipcore.grammar import WSP
from sipcore.headers import parse_delta_seconds, parse_parameterized

_T = TypeVar("_T")

OPTION_TAG = "timer"
"""In Supported of each request and 2xx of a side that knows session timers (RFC 4028 7.1, 9)."""

LEAST_INTERVAL = 90
"""The least session interval, and Min-SE where none is given (RFC 4028 4, 5)."""

_BYE_MARGIN = 32
"""The BYE goes out this long before the session expires, or a third of the interval (RFC 4028 10)."""


class Refresher(Enum):
    """The side of the transaction that refreshes from now on."""

    UAC = "uac"
    UAS = "uas"


class SessionExpires(NamedTuple):
    """Session-Expires (RFC 4028 4)."""

    interval: int
    refresher: Refresher | None = None

    def __str__(self) -> str:
        return f"{self.interval};refresher={self.refresher.value}" if self.refresher else str(self.interval)


class Wish(NamedTuple):
    """What we want for the dialogs of a leg."""

    interval: int | None = 1800
    """The session interval to ask for; None: never ask, but grant what the peer asks for."""
    minimum: int = LEAST_INTERVAL
    """The least interval that we let a peer have."""
    we_refresh: bool | None = None
    """Who should refresh where we may choose; None: whoever asked for the timer."""


class SessionTimer(NamedTuple):
    """The session timer of a dialog, as agreed in the last 2xx. Its times count from that 2xx."""

    interval: int
    we_refresh: bool

    @property
    def refresh_after(self) -> float | None:
        """When to send a refresh: half the interval; None when the peer does it (RFC 4028 7.2, 9)."""
        return self.interval / 2 if self.we_refresh else None

    @property
    def expire_after(self) -> float:
        """When to send a BYE, if no refresh has been answered with a 2xx until then (RFC 4028 10)."""
        return self.interval - min(_BYE_MARGIN, self.interval / 3)


class Ask(NamedTuple):
    """What goes into a request of ours, besides "timer" in Supported."""

    session_expires: SessionExpires | None
    min_se: int | None
    """Min-SE; None where the field is not needed."""


class Asked(NamedTuple):
    """What stands in a request of the peer."""

    supported: bool
    """Whether the peer knows session timers."""
    session_expires: SessionExpires | None = None
    """From the peer, or, when it is not ``supported``, from a proxy on the way."""
    min_se: int = LEAST_INTERVAL


class Grant(NamedTuple):
    """What goes into our 2xx, besides "timer" in Supported, and the timer that holds from then on."""

    session_expires: SessionExpires | None
    require: bool
    """Whether "timer" goes into Require."""
    timer: SessionTimer | None


class TooSmall(NamedTuple):
    """The request is to be answered with 422 Session Interval Too Small."""

    min_se: int
    """Its Min-SE, which it must have."""


def parse_session_expires(text: str) -> SessionExpires:
    """``1800;refresher=uac``; other parameters are not looked at. Raises GrammarError."""
    value = parse_parameterized(text)
    given = value.param("refresher")
    if given is None:
        return SessionExpires(parse_delta_seconds(value.value))
    refresher = _REFRESHERS.get(given.lower())
    if refresher is None:
        raise GrammarError("bad refresher")
    return SessionExpires(parse_delta_seconds(value.value), refresher)


def parse_min_se(text: str) -> int:
    """The seconds of Min-SE (RFC 4028 5); parameters are not looked at. Raises GrammarError."""
    return parse_delta_seconds(text.partition(";")[0].strip(WSP))


def parse_asked(
    supported: Collection[str], require: Collection[str], session_expires: str | None, min_se: str | None
) -> Asked:
    """What a request says of session timers.

    Option tags are in lower case, field values as on the wire or None where the field is missing. Raises
    PeerProtocolError 400, naming the field.
    """
    return Asked(
        OPTION_TAG in supported or OPTION_TAG in require,
        None
        if session_expires is None
        else _field("Session-Expires", session_expires, parse_session_expires),
        LEAST_INTERVAL if min_se is None else _field("Min-SE", min_se, parse_min_se),
    )


def ask(wish: Wish, *, timer: SessionTimer | None = None, min_se: int = 0) -> Ask:
    """What to put into an INVITE or UPDATE (RFC 4028 7.1, 7.4).

    ``timer`` is the timer of the dialog, if it has one: interval and roles stay as they are. ``min_se`` is
    the largest Min-SE that this dialog has seen in requests and 422 responses; 0 if none.
    """
    least = max(wish.minimum, min_se)
    shown = least if least > LEAST_INTERVAL else None
    if timer is not None:
        refresher = Refresher.UAC if timer.we_refresh else Refresher.UAS
        return Ask(SessionExpires(max(timer.interval, least), refresher), shown)
    if wish.interval is None:
        return Ask(None, shown)
    return Ask(SessionExpires(max(wish.interval, least), _WISHED_OF_UAC[wish.we_refresh]), shown)


def ask_again(asked: Ask, min_se: str | None) -> Ask | None:
    """What to put into the request that follows a 422 with this Min-SE (RFC 4028 7.3).

    None when another try would be as vain: nothing was asked for, Min-SE is missing or malformed, or not
    above what was asked for. Each try asks for more than the last; how often to try is for the caller to
    bound.
    """
    if asked.session_expires is None or min_se is None:
        return None
    try:
        least = parse_min_se(min_se)
    except GrammarError:
        return None
    if least <= asked.session_expires.interval:
        return None
    return Ask(asked.session_expires._replace(interval=least), max(least, asked.min_se or 0))


def agreed(session_expires: SessionExpires | None, wish: Wish) -> SessionTimer | None:
    """The timer that a 2xx to our request sets (RFC 4028 7.2); None: from now on there is none.

    Without a refresher, which a UAS must name, we refresh. An interval below the least one is taken for the
    least one, so that no peer can make us send refreshes without pause.
    """
    if session_expires is None:
        return None
    least = min(LEAST_INTERVAL, wish.minimum)
    return SessionTimer(max(session_expires.interval, least), session_expires.refresher is not Refresher.UAS)


def grant(asked: Asked, wish: Wish) -> Grant | TooSmall:
    """How to answer an INVITE or UPDATE of the peer (RFC 4028 9, table 2).

    For a request inside a dialog that has a timer, let ``wish.we_refresh`` say who refreshes now, so that a
    peer that leaves it open does not change the roles.
    """
    theirs = asked.session_expires
    if theirs is None:
        if wish.interval is None:
            return Grant(None, False, None)
        interval = max(wish.interval, wish.minimum, asked.min_se)
    else:
        if theirs.interval < wish.minimum and asked.supported:
            return TooSmall(wish.minimum)
        interval = _granted_interval(theirs.interval, asked.min_se, wish)
    refresher = _refresher(asked, wish)
    return Grant(
        SessionExpires(interval, refresher),
        asked.supported,
        SessionTimer(interval, refresher is Refresher.UAS),
    )


def _granted_interval(theirs: int, min_se: int, wish: Wish) -> int:
    """Never longer than asked for, and shortened to our wish as far as both minima allow.

    A peer that knows no session timers would not understand a 422; what a proxy has asked for in its place is
    raised to our minimum (erratum 1687).
    """
    if theirs < wish.minimum:
        return wish.minimum
    return theirs if wish.interval is None else min(theirs, max(wish.interval, wish.minimum, min_se))


def _refresher(asked: Asked, wish: Wish) -> Refresher:
    if not asked.supported:
        return Refresher.UAS
    if asked.session_expires is None:
        return _CHOICE_WHEN_WE_ASK[wish.we_refresh]
    return asked.session_expires.refresher or _CHOICE_WHEN_ASKED[wish.we_refresh]


def _field(name: str, text: str, parse: Callable[[str], _T]) -> _T:
    try:
        return parse(text)
    except GrammarError as error:
        raise error.within(name) from error


_REFRESHERS = {refresher.value: refresher for refresher in Refresher}
_WISHED_OF_UAC = {None: None, True: Refresher.UAC, False: Refresher.UAS}
_CHOICE_WHEN_ASKED = {None: Refresher.UAC, True: Refresher.UAS, False: Refresher.UAC}
_CHOICE_WHEN_WE_ASK = {None: Refresher.UAS, True: Refresher.UAS, False: Refresher.UAC}
