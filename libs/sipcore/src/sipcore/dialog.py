"""Dialogs (RFC 3261 section 12): pure functions on strings, for whoever keeps the dialog's record.

Route values are raw field values (`<sip:p1.example.com;lr>`), remote targets and request URIs are URIs.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

__all__ = [
    "NO_CSEQ",
    "TARGET_REFRESH",
    "Aim",
    "CSeqOrder",
    "aim",
    "cseq_order",
    "is_loose",
    "refreshed_target",
    "route_set_uac",
    "route_set_uas",
    "uri_of",
]

NO_CSEQ = -1
"""The last CSeq of a peer that has sent no request in this dialog yet."""

TARGET_REFRESH = frozenset({"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY"})
"""Methods whose Contact replaces the remote target (RFC 3261 12.2, RFC 3311 5.1, RFC 6665 4.4)."""


def route_set_uas(record_route: Sequence[str]) -> tuple[str, ...]:
    """The route set of the side that received the request: Record-Route as it stands (RFC 3261 12.1.1)."""
    return tuple(record_route)


def route_set_uac(record_route: Sequence[str]) -> tuple[str, ...]:
    """The route set of the side that sent the request: the response's Record-Route, reversed (12.1.2)."""
    return tuple(reversed(record_route))


def refreshed_target(method: str, contact: str, current: str) -> str:
    """The remote target after such a request, or a 2xx to it, with this Contact URI ("" if none)."""
    return contact if contact and method in TARGET_REFRESH else current


class CSeqOrder(Enum):
    """How the CSeq number of a request compares to the last one of that peer (RFC 3261 12.2.2)."""

    NEW = "new"
    """Higher, by one or by more: take it, and remember the number."""
    REPEATED = "repeated"
    """The same number: part of the last request (its ACK or CANCEL), or a copy of it over another path."""
    OLD = "old"
    """Lower: answer 500."""


def cseq_order(last: int, number: int) -> CSeqOrder:
    """`last` is the number of the last request of that peer, or NO_CSEQ."""
    if number > last:
        return CSeqOrder.NEW
    return CSeqOrder.REPEATED if number == last else CSeqOrder.OLD


class Aim(NamedTuple):
    """Where a request inside a dialog goes."""

    request_uri: str
    route: tuple[str, ...]
    """Values of the Route header."""
    next_hop: str
    """The URI to resolve (RFC 3263)."""


def aim(route_set: Sequence[str], remote_target: str) -> Aim:
    """Request-URI, Route header and next hop of a request in a dialog (RFC 3261 12.2.1.1, 8.1.2).

    When the first route is a strict router (RFC 2543), it becomes the Request-URI and the remote target goes
    to the end of the Route header, for the last router to restore.
    """
    if not route_set:
        return Aim(remote_target, (), remote_target)
    first = uri_of(route_set[0])
    if is_loose(first):
        return Aim(remote_target, tuple(route_set), first)
    request_uri = _as_request_uri(first)
    return Aim(request_uri, (*route_set[1:], f"<{remote_target}>"), request_uri)


def uri_of(route: str) -> str:
    """The URI inside a Route, Record-Route or Contact value, without display name and header parameters."""
    start = 0
    if route.lstrip().startswith('"'):
        start = _after_quotes(route)
    opening = route.find("<", start)
    if opening < 0:
        return route.partition(";")[0].strip()
    closing = route.find(">", opening)
    return route[opening + 1 : closing if closing >= 0 else None].strip()


def is_loose(uri: str) -> bool:
    """Whether the URI has the `lr` parameter; `lr=on` and the like are taken for it too."""
    return any(name == "lr" or name.startswith("lr=") for name in _parameters(uri.lower()))


def _after_quotes(text: str) -> int:
    """The index after the quoted string that `text` begins with; 0 when it does not end."""
    at = text.index('"') + 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at + 1 if at < len(text) else 0


def _parameters(uri: str) -> list[str]:
    """The URI parameters. The user part may contain `;` and `?`, so only what follows it is looked at."""
    return uri.rpartition("@")[2].partition("?")[0].split(";")[1:]


def _as_request_uri(uri: str) -> str:
    """Without what a Request-URI must not have: the `method` parameter and headers (RFC 3261 19.1.1)."""
    user, at, rest = uri.rpartition("@")
    host, *parameters = rest.partition("?")[0].split(";")
    kept = [part for part in parameters if part.partition("=")[0].lower() != "method"]
    return user + at + ";".join([host, *kept])
