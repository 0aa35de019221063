"""Session timers of each leg (RFC 4028): agreed upon with requests and answers, refreshed, run out."""

from __future__ import annotations

from collections.abc import Sequence

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import leaving, own_requests, party, timers
from call_control.domain.relays import exchange
from call_control.domain.turn import Turn
from sipcore import session_timer
from sipcore.errors import PeerProtocolError
from sipcore.session_timer import Grant, SessionTimer, TooSmall

_REFRESH = record.TIMER_KIND_SESSION_REFRESH
_EXPIRED = record.TIMER_KIND_SESSION_EXPIRED
#: A refresh that cannot be sent now, because another exchange is under way, is tried again after this.
_BUSY_MS = 1_000
#: The session is gone for a peer that answers a refresh like this (RFC 4028 10, RFC 5057 5.1).
_LOST = frozenset({408, 481})


#: Names of the header fields that ask for a session timer.
_TIMER_FIELDS = frozenset({"session-expires", "x", "min-se"})
_NO_TIMER = Grant(None, False, None)


class Refusal(Exception):
    """The request cannot be granted; `status`, `reason` and `headers` are the answer."""

    def __init__(self, status: int, reason: str, headers: Sequence[sip_pb2.Header] = ()) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers


# -- requests of the peer ------------------------------------------------------------------------


def granted(turn: Turn, leg: record.Leg, request: edge.RequestEvent) -> Grant:
    """Decide on what an INVITE or UPDATE says of session timers. Raises Refusal: 400, 422."""
    wish = turn.policy.session
    if wish.interval is None and not request.headers:
        return _NO_TIMER
    values = {header.name.lower(): header.value for header in request.headers[:]}
    if wish.interval is None and _TIMER_FIELDS.isdisjoint(values):
        return _NO_TIMER
    if leg.session_interval_s and leg.state == record.LEG_STATE_CONFIRMED:
        # Who leaves the roles open does not change them.
        wish = wish._replace(we_refresh=leg.session_refresher)
    try:
        asked = session_timer.parse_asked(
            _options(request.headers, "supported", "k"),
            _options(request.headers, "require"),
            values.get("session-expires") or values.get("x"),
            values.get("min-se"),
        )
    except PeerProtocolError as error:
        raise Refusal(error.status, error.reason) from error
    outcome = session_timer.grant(asked, wish)
    if isinstance(outcome, TooSmall):
        min_se = sip_pb2.Header(name="Min-SE", value=str(outcome.min_se))
        raise Refusal(422, "Session Interval Too Small", (min_se,))
    return outcome


def _options(headers: Sequence[sip_pb2.Header], *names: str) -> list[str]:
    return [tag for header in headers if header.name.lower() in names for tag in party.options(header.value)]


def headers_of_grant(grant: Grant) -> list[sip_pb2.Header]:
    """Return the header fields of the 2xx that grants."""
    if grant.session_expires is None:
        return []
    headers = [sip_pb2.Header(name="Session-Expires", value=str(grant.session_expires))]
    if grant.require:
        headers.append(sip_pb2.Header(name="Require", value=session_timer.OPTION_TAG))
    return headers


def keep_grant(transaction: record.ServerTransaction, grant: Grant) -> None:
    """Keep with a request what its 2xx will say, and set."""
    if grant is _NO_TIMER:
        return
    transaction.session_headers.extend(headers_of_grant(grant))
    if grant.timer is not None:
        transaction.session_interval_s = grant.timer.interval
        transaction.session_refresher = grant.timer.we_refresh


# -- requests of ours ----------------------------------------------------------------------------


def request_headers(turn: Turn, leg: record.Leg) -> list[sip_pb2.Header]:
    """Return what an INVITE or UPDATE inside a dialog says of session timers, if there is one."""
    headers = asking_headers(turn, leg)
    return [sip_pb2.Header(name="Supported", value=session_timer.OPTION_TAG), *headers] if headers else []


def asking_headers(turn: Turn, leg: record.Leg) -> list[sip_pb2.Header]:
    """Return Session-Expires and Min-SE of a request of ours, whose Supported has "timer" then."""
    wish = turn.policy.session
    confirmed = leg.state == record.LEG_STATE_CONFIRMED
    current = None
    if confirmed and leg.session_interval_s:
        current = SessionTimer(leg.session_interval_s, leg.session_refresher)
    elif wish.interval is None:
        return []
    ask = session_timer.ask(wish, timer=current, min_se=0 if confirmed else leg.session_interval_s)
    headers = []
    if ask.session_expires is not None:
        headers.append(sip_pb2.Header(name="Session-Expires", value=str(ask.session_expires)))
    if ask.min_se is not None:
        headers.append(sip_pb2.Header(name="Min-SE", value=str(ask.min_se)))
    return headers


def asks_for_more(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> bool:
    """Take up what a 422 to our INVITE wants; False: another try would be as vain (RFC 4028 7.3)."""
    if response.status != 422 or turn.policy.session.interval is None:
        return False
    asked = session_timer.ask(turn.policy.session, min_se=leg.session_interval_s)
    again = session_timer.ask_again(asked, _min_se(response))
    if again is None or again.session_expires is None or leg.session_interval_s:
        return False
    leg.session_interval_s = again.session_expires.interval
    return True


def _wants_more(leg: record.Leg, response: edge.ResponseEvent) -> bool:
    """Take up what a 422 to a refresh wants; False: it is not more than what we asked for."""
    asked = session_timer.Ask(session_timer.SessionExpires(leg.session_interval_s), None)
    again = session_timer.ask_again(asked, _min_se(response))
    if again is None or again.session_expires is None:
        return False
    leg.session_interval_s = again.session_expires.interval
    return True


def _min_se(response: edge.ResponseEvent) -> str | None:
    return next((one.value for one in response.headers if one.name.lower() == "min-se"), None)


def agreed(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """A 2xx to our INVITE or UPDATE: its session timer holds from now on."""
    value = timer = None
    for header in response.headers[:]:
        if header.name.lower() in ("session-expires", "x"):
            value = header.value
            break
    if value is not None:
        try:
            expires = session_timer.parse_session_expires(value)
        except PeerProtocolError:
            expires = None
        timer = session_timer.agreed(expires, turn.policy.session)
    start(turn, leg, timer)


def start(turn: Turn, leg: record.Leg, timer: SessionTimer | None) -> None:
    """Let a session timer hold from now on; None ends the one that holds.

    An UPDATE before the answer sets none: the 2xx to the INVITE does, and other timers bound the time to it.
    """
    call = turn.call
    if leg.state != record.LEG_STATE_CONFIRMED:
        return
    if timer is None:
        if leg.session_interval_s:
            leg.session_interval_s = 0
            timers.disarm(call, _REFRESH, _EXPIRED, leg=leg.index)
        return
    leg.session_interval_s = timer.interval
    leg.session_refresher = timer.we_refresh
    timers.disarm(call, _REFRESH, leg=leg.index)
    if timer.refresh_after is not None:
        timers.arm(call, _REFRESH, turn.now + round(timer.refresh_after * 1_000), leg.index)
    timers.arm(call, _EXPIRED, turn.now + round(timer.expire_after * 1_000), leg.index)


def hold(turn: Turn, leg: record.Leg, interval_s: int, *, we_refresh: bool) -> None:
    """Let what was granted hold from now on."""
    start(turn, leg, SessionTimer(interval_s, we_refresh))


# -- time ----------------------------------------------------------------------------------------


def refresh_due(turn: Turn, leg: record.Leg, due_ms: int) -> None:
    """Refresh the session: with UPDATE if the peer takes it, else with a re-INVITE of the same offer."""
    if leg.state != record.LEG_STATE_CONFIRMED:
        return
    if exchange(turn.call) is not None:
        timers.arm(turn.call, _REFRESH, turn.now + _BUSY_MS, leg.index)
        return
    headers = request_headers(turn, leg)
    if leg.takes_update:
        own_requests.send(turn, leg, "UPDATE", record.OWN_PURPOSE_SESSION, headers=headers)
        return
    body = leg.sent_body if leg.HasField("sent_body") else None
    own_requests.send(turn, leg, "INVITE", record.OWN_PURPOSE_SESSION, headers=headers, body=body)


def refreshed(turn: Turn, leg: record.Leg, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """The peer has granted the refresh."""
    agreed(turn, leg, response)


def not_refreshed(turn: Turn, leg: record.Leg, relay: record.Relay, response: edge.ResponseEvent) -> None:
    """The peer refused: without such a dialog it is over, else there is time until the session runs out."""
    if response.status in _LOST:
        leaving.lost(turn, leg, response.status)
    elif response.status == 422 and _wants_more(leg, response):
        timers.arm(turn.call, _REFRESH, turn.now + _BUSY_MS, leg.index)
    elif relay.method == "UPDATE" and response.status in (405, 501):
        leg.takes_update = False
        refresh_due(turn, leg, turn.now)
    else:
        timers.arm(turn.call, _REFRESH, turn.now + 10 * _BUSY_MS, leg.index)


def expired(turn: Turn, leg: record.Leg, due_ms: int) -> None:
    """Nobody refreshed the session in time (RFC 4028 10): hang up on both sides."""
    if leg.state == record.LEG_STATE_CONFIRMED:
        leaving.lost(turn, leg, 408)
