"""Where the target of a transfer is called: by the routes of any call, with the number of the Refer-To.

The place in the Refer-To counts only where the operator lets it: whoever may transfer could otherwise have
us call anywhere.
"""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record
from call_control.domain import party
from call_control.domain.refer import Refer, Refusal
from call_control.domain.routing.identity import host_of, number_of, user_part
from call_control.domain.turn import Turn
from sipcore.grammar import format_host
from sipcore.uri import Uri

_TRANSPORTS = ("udp", "tcp")


def target_routes(
    turn: Turn, wanted: Refer, transferor: record.Leg, transferee: record.Leg
) -> list[record.Route]:
    """Return the routes to the target, numbered behind those that the call has used.

    The call comes from the transferee. Raises Refusal: 603 for a Refer-To that names nobody to call.
    """
    replaces = wanted.to.replaces
    if replaces is not None and turn.minter.read_tag(replaces.to_tag) is not None:
        raise Refusal(603, "Replacing A Call Of Ours Is Not Supported")
    target = wanted.to.target
    place = _place(turn, target, transferor)
    called = user_part(number_of(str(target)))
    if place is None and not called:
        raise Refusal(603, "Refer-To Has No Number")
    template = record.Route(
        called=called,
        calling=party.user_of(party.addr_spec(transferee.remote_uri)),
        display=party.display_of(transferee.remote_uri),
    )
    number = max([route.number for route in turn.call.routes], default=0)
    if place is not None:
        template.number = number + 1
        template.host = format_host(place.host)
        template.port = place.port or 0
        template.transport = _transport(place)
        return [template]
    routes = []
    for position, entry in enumerate(turn.policy.routes, number + 1):
        route = record.Route(number=position, host=entry.host, port=entry.port, transport=entry.transport)
        route.MergeFrom(template)
        routes.append(route)
    return routes


def _place(turn: Turn, target: object, transferor: record.Leg) -> Uri | None:
    """Return the URI to call as it stands; None: the routes decide.

    A host by which the transferor knows its other side is no place beyond us.
    """
    if not turn.policy.transfer_direct or not isinstance(target, Uri):
        return None
    return None if format_host(target.host) == host_of(party.addr_spec(transferor.local_uri)) else target


def _transport(uri: Uri) -> str:
    value = (uri.param("transport") or "").lower()
    return value if value in _TRANSPORTS else ""
