"""300, 301 and 302: told to the caller, or followed (RFC 3261 8.1.3.4)."""

from __future__ import annotations

from collections.abc import Iterable

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from sipcore.errors import PeerProtocolError
from sipcore.headers import NameAddr, parse_name_addr
from sipcore.uri import Uri, parse_uri

_REDIRECTS = frozenset({300, 301, 302})
#: A 300 lists alternatives, the others name one place (behaviour of the reference).
_LISTS_ALTERNATIVES = 300
#: More Contacts of one redirection are not tried.
_MAX_FOLLOWED = 8
#: Redirections add no more once a call has so many routes.
_MAX_ROUTES = 64


def is_redirect(response: edge.ResponseEvent) -> bool:
    """Tell whether a failure leads elsewhere: one without a Contact is a failure like any other."""
    return response.status in _REDIRECTS and bool(response.contacts or response.contact_uri)


def contacts_for_caller(response: edge.ResponseEvent) -> list[sip_pb2.Header]:
    """Return the Contact fields that the caller gets: all of a 300, else the first."""
    values = list(response.contacts) or [f"<{response.contact_uri}>"]
    if response.status != _LISTS_ALTERNATIVES:
        values = values[:1]
    return [sip_pb2.Header(name="Contact", value=value) for value in values]


def follow(call: record.Call, position: int, contacts: Iterable[str]) -> None:
    """Put the places of a redirection next in the order of trial, best first.

    What the route at `position` says beside its place holds for them too. Contacts that we cannot call are
    left out.
    """
    template = call.routes[position]
    number = max(route.number for route in call.routes)
    rest = [_copy(route) for route in call.routes[call.next_route :]]
    del call.routes[call.next_route :]
    room = max(0, _MAX_ROUTES - len(call.routes) - len(rest))
    for uri in _by_preference(contacts)[: min(_MAX_FOLLOWED, room)]:
        number += 1
        route = _copy(template)
        route.number = number
        route.host = f"[{uri.host}]" if ":" in uri.host else uri.host
        route.port = uri.port or 0
        route.called = uri.user or ""
        route.transport = _transport(uri)
        route.outbound_proxy = route.to_host = ""
        route.ourselves = False
        call.routes.append(route)
    call.routes.extend(rest)


def _copy(route: record.Route) -> record.Route:
    copy = record.Route()
    copy.CopyFrom(route)
    return copy


def _by_preference(contacts: Iterable[str]) -> list[Uri]:
    """Return the URIs that can be called, by falling q (RFC 3261 20.10), else in the order given."""
    found: list[tuple[float, Uri]] = []
    for text in contacts:
        try:
            contact = parse_name_addr(text)
            uri = parse_uri(contact.uri)
        except PeerProtocolError:
            continue
        if isinstance(uri, Uri):
            found.append((_preference(contact), uri))
    found.sort(key=lambda pair: -pair[0])
    return [uri for _, uri in found]


def _preference(contact: NameAddr) -> float:
    text = contact.param("q") or ""
    digits = text.replace(".", "", 1)
    return float(text) if digits.isascii() and digits.isdigit() and len(text) <= 5 else 1.0


def _transport(uri: Uri) -> str:
    value = (uri.param("transport") or "").lower()
    return value if value in ("udp", "tcp") else ""
