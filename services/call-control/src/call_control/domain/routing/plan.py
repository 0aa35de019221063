"""What a call makes of a list of routes: complete routes in the order of trial (records of the call).

    plan(entries, caller, options) -> Plan

A plan is a pure function of its arguments: whichever pod makes it again gets the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple, Protocol

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from call_control.domain import party
from call_control.domain.routing.entry import SIP_UA, WSS_UA, RouteEntry, RouteError
from call_control.domain.routing.groups import order_of_trial
from call_control.domain.routing.identity import display, host_of, number_of, printable, shown_name, user_part
from call_control.domain.routing.translation import Translation
from sipcore.grammar import format_host

_NAT_PREFIX = "nat-"
_SIP_PORT = 5060


class PlanOptions(Protocol):
    """What an operator decides about every plan; `Policy` has it."""

    @property
    def translate_in(self) -> Translation | None:
        """Translation of the number that was dialled."""

    @property
    def translate_out(self) -> Translation | None:
        """Translation of the number that a route calls."""

    @property
    def max_credit_ms(self) -> int:
        """Longest talk time of a call; 0 for no limit."""

    @property
    def follow_redirects(self) -> bool:
        """Redirects are followed on routes that do not say so themselves."""


class Caller(NamedTuple):
    """What the caller's INVITE says, and what authorisation says about the caller."""

    key: str
    """Key of the call: the seed of what is drawn by lot."""
    request_uri: str
    """Request-URI as received."""
    from_value: str
    """Value of From."""
    to_value: str
    """Value of To."""
    source: sip_pb2.Endpoint
    """Where the INVITE came from."""
    via: Sequence[str] = ()
    """Via values: the topmost tells the name that the previous hop gives itself."""
    has_body: bool = False
    """The INVITE has a body."""
    credit_ms: int | None = None
    """Talk time by authorisation. None or negative: no limit."""
    calling: str | None = None
    """Number by authorisation: None to leave the one of From, empty for none."""
    name: str | None = None
    """Display name by authorisation: None to leave the one of From, empty for none."""


class Skipped(NamedTuple):
    """A route that is not tried."""

    number: int
    """Number of the route."""
    reason: str
    """One clause for the log."""


class Plan(NamedTuple):
    """What will be tried."""

    routes: list[record.Route]
    """In the order of trial; empty when nothing is left: the caller gets 500."""
    called: str
    """The number that was dialled, without `nat-` and escapes, translated: what authorisation is asked."""
    nated: bool
    """The number began with `nat-`, and there is a body to add `a=nated:yes` to."""
    skipped: list[Skipped]
    """What will not be tried."""


def plan(entries: Sequence[RouteEntry | RouteError], caller: Caller, options: PlanOptions) -> Plan:
    """Make routes of entries: the call, authorisation and the operator fill in what they leave open.

    A malformed entry (RouteError) is skipped as one that may not be used, and keeps its number. Entries of a
    group are numbered in the order of trial.
    """
    dialled = number_of(caller.request_uri)
    nated = dialled.startswith(_NAT_PREFIX)
    if nated:
        dialled = dialled[len(_NAT_PREFIX) :]
    if options.translate_in is not None and dialled:
        dialled = printable(options.translate_in(dialled))
    call = _Call(caller, options, dialled)
    routes: list[record.Route] = []
    skipped: list[Skipped] = []
    for number, entry in enumerate(order_of_trial(entries, caller.key), 1):
        if isinstance(entry, RouteError):
            skipped.append(Skipped(number, str(entry)))
            continue
        prepared = _prepare(entry)
        reason = prepared.unusable or call.refuses(entry)
        if reason:
            skipped.append(Skipped(number, reason))
        else:
            routes.append(call.route(number, prepared))
    return Plan(routes, dialled, nated and caller.has_body, skipped)


# -- what is the same for every call -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An entry with all of its route that no call changes."""

    entry: RouteEntry
    route: record.Route
    unusable: str
    """Why the entry is never tried; empty for an entry that may be."""
    needs_call: bool
    """Something beside numbers, name and credit depends on the call."""
    outbound_address: str
    """Address of the outbound proxy in its usual form; empty for a name."""


@lru_cache(maxsize=1024)
def _prepare(entry: RouteEntry) -> _Prepared:
    route = record.Route(
        host=entry.host,
        port=entry.port,
        transport=entry.transport,
        headers=[sip_pb2.Header(name=name, value=value) for name, value in entry.headers],
        expires_ms=entry.expires_ms or 0,
        no_progress_ms=entry.no_progress_ms or 0,
        no_reply_ms=entry.no_reply_ms or 0,
        hunt_stop=entry.hunt_stop,
        group_ms=entry.group_ms or 0,
        group_skip=entry.group_skip,
        forwarding=entry.forwarding,
        no_relay=entry.no_relay,
        bill_to=entry.bill_to,
        bill_calling=entry.bill_calling,
        bill_called=entry.bill_called,
    )
    if entry.username is not None:
        route.auth_mode = record.AUTH_MODE_CREDENTIALS
        route.username, route.password = entry.username, entry.password or ""
    elif entry.nopass:
        route.auth_mode = record.AUTH_MODE_NONE
    if entry.hook is not None:
        route.attributes.extend(entry.hook.attributes)
        route.ingress_attributes.extend(entry.hook.ingress_attributes)
        route.egress_attributes.extend(entry.hook.egress_attributes)
    return _Prepared(
        entry=entry,
        route=route,
        unusable=_why_unusable(entry),
        needs_call=(
            entry.host == SIP_UA
            or entry.outbound_proxy is not None
            or entry.from_domain is not None
            or entry.to_domain is not None
        ),
        outbound_address=_address(entry.outbound_proxy[0]) if entry.outbound_proxy is not None else "",
    )


def _why_unusable(entry: RouteEntry) -> str:
    if entry.host == WSS_UA:
        return "wss-ua needs the WebSocket listener, which does not exist yet"
    if entry.credit_ms == 0:
        return "credit-time is 0"
    return "expires is 0" if entry.expires_ms == 0 else ""


def _address(host: str) -> str:
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        return ""


# -- what a call adds ----------------------------------------------------------------------------


class _Call:
    """One caller, looked at once for all routes."""

    __slots__ = (
        "_caller",
        "_calling_part",
        "_credit_ms",
        "_dialled",
        "_dialled_part",
        "_display",
        "_options",
    )

    def __init__(self, caller: Caller, options: PlanOptions, dialled: str) -> None:
        self._caller = caller
        self._options = options
        self._dialled = dialled
        self._dialled_part = self._called_part(dialled)
        shown, uri = party.name_and_uri(caller.from_value)
        self._calling_part = user_part(number_of(uri) if caller.calling is None else caller.calling)
        self._display = display(shown_name(shown) if caller.name is None else caller.name)
        credit = caller.credit_ms
        self._credit_ms = -1 if credit is None else credit

    def refuses(self, entry: RouteEntry) -> str:
        """Say why this call cannot take the route; empty if it can."""
        return "the caller has no credit" if entry.credit_ms is None and self._credit_ms == 0 else ""

    def route(self, number: int, prepared: _Prepared) -> record.Route:
        """Return the route of an entry with what the call adds."""
        entry = prepared.entry
        route = record.Route()
        route.CopyFrom(prepared.route)
        route.number = number
        if self._options.follow_redirects if entry.redirect is None else entry.redirect == "follow":
            route.follow_redirects = True
        called = self._dialled_part if entry.called is None else self._called_part(entry.called)
        if called:
            route.called = called
        calling = self._calling_part if entry.calling is None else user_part(entry.calling)
        if calling:
            route.calling = calling
        name = self._display if entry.name is None else display(entry.name)
        if name:
            route.display = name
        credit = self._talk_time(entry)
        if credit:
            route.credit_ms = credit
        if prepared.needs_call:
            self._add_places(route, prepared)
        return route

    def _called_part(self, number: str) -> str:
        translate = self._options.translate_out
        return user_part(translate(number) if translate is not None and number else number)

    def _talk_time(self, entry: RouteEntry) -> int:
        """Return the credit in milliseconds; 0 for no limit."""
        credit = self._credit_ms if entry.credit_ms is None else entry.credit_ms
        most = self._options.max_credit_ms
        if credit < 0:
            return most
        return min(credit, most) if most else credit

    def _add_places(self, route: record.Route, prepared: _Prepared) -> None:
        """Fill in hosts that the INVITE gives, and the outbound proxy unless the INVITE came from it."""
        entry, caller = prepared.entry, self._caller
        source_host = format_host(caller.source.ip)
        if entry.host == SIP_UA:
            route.host, route.port = source_host, caller.source.port
            route.transport = entry.transport or caller.source.transport
        if entry.from_domain is not None or entry.to_domain is not None:
            hosts = {
                "from_host": host_of(party.addr_spec(caller.from_value)),
                "to_host": host_of(party.addr_spec(caller.to_value)),
                "request_host": host_of(caller.request_uri),
                "source_ip": source_host,
                "route_host": route.host,
            }
            if entry.from_domain is not None:
                route.from_host = entry.from_domain.fill(hosts)
            if entry.to_domain is not None:
                route.to_host = entry.to_domain.fill(hosts)
        if entry.outbound_proxy is not None and not self._came_from(prepared, *entry.outbound_proxy):
            host, port = entry.outbound_proxy
            proxy = RouteEntry(host=host, port=port, transport=entry.transport)
            route.outbound_proxy = proxy.uri

    def _came_from(self, prepared: _Prepared, host: str, port: int) -> bool:
        """Say whether the previous hop is the outbound proxy.

        A name is compared with the one in the topmost Via. A stream comes from a port that says nothing.
        """
        source = self._caller.source
        if prepared.outbound_address:
            same_host = prepared.outbound_address == source.ip
        else:
            same_host = host.lower() == party.via_host(self._caller.via).lower()
        return same_host and (source.transport != "udp" or source.port == (port or _SIP_PORT))
