"""Where the target of a transfer is called: by the routes of any call, with the number of the Refer-To.

The place in the Refer-To counts only where the operator lets it: whoever may transfer could otherwise have
us call anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import party
from call_control.domain.refer import Refer, Refusal
from call_control.domain.routing.entry import RouteEntry, RouteError
from call_control.domain.routing.identity import display, host_of, name_of, number_of, user_part
from call_control.domain.routing.plan import Caller, plan
from call_control.domain.turn import Turn
from sipcore.grammar import format_host
from sipcore.uri import Uri

_TRANSPORTS = ("udp", "tcp")


def target_routes(
    turn: Turn,
    wanted: Refer,
    transferor: record.Leg,
    transferee: record.Leg,
    request: edge.RequestEvent,
) -> list[record.Route]:
    """Return the routes to the target, numbered behind those that the call has used.

    The call comes from the transferee. Raises Refusal: 603 for a Refer-To that names nobody to call.
    """
    target = str(wanted.to.target)
    entries: Sequence[RouteEntry | RouteError] = turn.policy.routes
    ourselves = _ourselves(turn, wanted)
    place = ourselves or _place(turn, wanted, transferor)
    if place is not None:
        entries = (place,)
    elif not party.user_of(target):
        raise Refusal(603, "Refer-To Has No Number")
    caller = _caller(turn, target, transferor, transferee, request.origin)
    planned = plan(entries, caller, turn.policy)
    turn.notes += [f"route {number} of a transfer skipped: {reason}" for number, reason in planned.skipped]
    routes = planned.routes or _as_before(turn, planned.called, caller, transferor, transferee)
    used = max([route.number for route in turn.call.routes], default=0)
    for route in routes:
        route.number += used
        route.ourselves = ourselves is not None
    return routes


def _caller(
    turn: Turn, target: str, transferor: record.Leg, transferee: record.Leg, origin: edge.Origin
) -> Caller:
    """Return what the plan has to know: who calls is the transferee; the caller as its callee knew it."""
    calling = name = None
    if transferee.index == 0 and party.has_route(transferor):
        calling = number_of(party.addr_spec(transferor.local_uri))
        name = name_of(transferor.local_uri)
    return Caller(
        key=turn.call.key,
        request_uri=target,
        from_value=transferee.remote_uri,
        to_value=f"<{target}>",
        source=origin.source,
        via=origin.via,
        calling=calling,
        name=name,
    )


def _as_before(
    turn: Turn, called: str, caller: Caller, transferor: record.Leg, transferee: record.Leg
) -> list[record.Route]:
    """Return the way that the call took, for an operator whose routes come with the authorisation."""
    leg = next((leg for leg in (transferee, transferor) if party.has_route(leg)), None)
    if leg is None or turn.policy.routes or not called:
        return []
    route = record.Route()
    route.CopyFrom(turn.call.routes[leg.route])
    route.number = 1
    route.called = user_part(called)
    from_value = caller.from_value
    calling = number_of(party.addr_spec(from_value)) if caller.calling is None else caller.calling
    route.calling = user_part(calling)
    route.display = display(name_of(from_value) if caller.name is None else caller.name)
    return [route]


def _ourselves(turn: Turn, wanted: Refer) -> RouteEntry | None:
    """Return the way to a dialog of ours that is to be replaced; None: it is none of ours.

    That dialog belongs to another call. So the INVITE comes back to us, and that call does the rest (RFC 5589
    7): each of them is written by itself, and what is between them is SIP.
    """
    replaces = wanted.to.replaces
    if replaces is None or turn.minter.read_tag(replaces.to_tag) is None:
        return None
    host = host_of(str(wanted.to.target))
    if not host:
        raise Refusal(603, "Refer-To Has No Host")
    return RouteEntry(host=host)


def _place(turn: Turn, wanted: Refer, transferor: record.Leg) -> RouteEntry | None:
    """Return the place in the Refer-To as a route; None: the routes decide.

    A host by which the transferor knows its other side is no place beyond us.
    """
    target = wanted.to.target
    if not turn.policy.transfer_direct or not isinstance(target, Uri):
        return None
    host = format_host(target.host)
    if host == host_of(party.addr_spec(transferor.local_uri)):
        return None
    transport = (target.param("transport") or "").lower()
    return RouteEntry(
        host=host, port=target.port or 0, transport=transport if transport in _TRANSPORTS else ""
    )
