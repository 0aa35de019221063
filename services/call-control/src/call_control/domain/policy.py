"""What an operator decides about calls: the settings that the state machine reads."""

from __future__ import annotations

from dataclasses import dataclass

from call_control.domain.call_id import CallIdForm, same_call_id
from call_control.domain.routing.entry import RouteEntry
from call_control.domain.routing.pass_headers import PassHeaders
from call_control.domain.routing.translation import Translation
from sipcore.codec_filter import AllowedCodecs
from sipcore.session_timer import Wish

#: Option tags that a request to us may require (RFC 3261 20.32).
EXTENSIONS = ("100rel", "timer", "replaces", "norefersub")
#: Header fields that events carry beside the ones with a field of their own.
WANTED_HEADERS = (
    "reason",
    "warning",
    "retry-after",
    "authorization",
    "proxy-authorization",
    "www-authenticate",
    "proxy-authenticate",
    "supported",
    "require",
    "rseq",
    "rack",
    "session-expires",
    "min-se",
    "allow",
    "event",
    "allow-events",
    "subscription-state",
    "accept",
    "min-expires",
    "info-package",
    "recv-info",
    "refer-to",
    "referred-by",
    "refer-sub",
    "replaces",
    "also",
)


_GRANT_ONLY = Wish(interval=None)
_NO_HEADERS = PassHeaders()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Settings of call control. All durations are milliseconds."""

    routes: tuple[RouteEntry, ...]
    """Routes of every call, in the order of trial."""
    translate_in: Translation | None = None
    """Translation of the number that was dialled."""
    translate_out: Translation | None = None
    """Translation of the number that a route calls."""
    pass_headers: PassHeaders = _NO_HEADERS
    """Header fields of the caller's INVITE that go on to the callee."""
    max_credit_ms: int = 0
    """Longest talk time of a call; 0 for no limit."""
    follow_redirects: bool = False
    """300, 301 and 302 are followed on routes that do not say so themselves."""
    egress_call_id: CallIdForm = same_call_id
    """Makes the Call-ID of an egress leg."""
    pass_authentication: bool = False
    """The callee's challenges reach the caller, and the caller's credentials the callee, unless the route
    says otherwise."""
    user_agent: str = "b2bua"
    """User-Agent of our requests."""
    server: str = ""
    """Server of our responses; empty for none."""
    session: Wish = _GRANT_ONLY
    """Session timers (RFC 4028): what we ask for on each leg; without an interval we only grant."""
    reliable: str = "supported"
    """Who is asked for reliable provisionals (RFC 3262): "always" all callees, or "supported"."""
    ingress_keepalive_ms: int = 0
    """Between keep-alives on the ingress leg; 0 for none."""
    egress_keepalive_ms: int = 0
    """The same on the egress leg."""
    keepalive_method: str = "INVITE"
    """INVITE or OPTIONS."""
    keepalive_grace_ms: int = 600_000
    """How long a call may go on whose peer has never answered a keep-alive."""
    transfer: str = "pass"
    """What a REFER meets: "pass", the other side is asked to call the target, or "perform", we do."""
    transfer_direct: bool = False
    """A transfer that we perform may lead wherever the transferor says; otherwise the routes lead."""
    allowed_codecs: AllowedCodecs | None = None
    """What the session descriptions of either side may hold; None leaves every body untouched."""
    authorize: bool = False
    """Calls wait for an authorisation, which says where they go unless `routes` does."""
    wants_called_number: bool = False
    """A call whose Request-URI has no user part is refused, as the reference does."""
    answer_timeout_ms: int = 300_000
    """How long a call may stay unanswered when the caller's INVITE has no Expires."""
    ack_timeout_ms: int = 32_000
    """64*T1: how long a 2xx waits for its ACK, and a request of ours for its final answer."""
    max_call_ms: int = 12 * 3_600_000
    """The reaper ends a call that is older than this."""
    debt_retry_ms: int = 1_000
    """An owed effect is issued again when it is unproved for this long; doubled each time."""
    debt_retry_most_ms: int = 4_000
    """T2, the longest of these waits: an edge that comes back within 64*T1 is to hear of it in time."""
    tombstone_ms: int = 32_000
    """64*T1: how long an ended call is remembered."""
    edge_absence_ms: int = 32_000
    """An unanswered call ends when the edge of its egress INVITE stays away for this long."""
    max_forwards: int = 70
    """Max-Forwards of requests that do not continue one of the peer's."""

    @property
    def wanted_headers(self) -> tuple[str, ...]:
        """Names of the header fields that edges have to report, and patterns: `x-*`, `*`."""
        return tuple(dict.fromkeys((*WANTED_HEADERS, *self.pass_headers.wanted())))
