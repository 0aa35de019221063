"""Requests that we send inside a dialog (RFC 3261 12.2.1.1), and what all requests of a leg share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import authentication, party
from call_control.domain.turn import Turn
from sipcore.dialog import aim

#: Methods whose requests carry a Contact inside a dialog: they refresh its target (RFC 3261 12.2.1.1,
#: RFC 3311), or make a usage of it (RFC 3515, RFC 6665).
_WITH_CONTACT = frozenset({"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"})


def in_dialog(
    turn: Turn,
    leg: record.Leg,
    method: str,
    *,
    headers: Iterable[sip_pb2.Header] = (),
    body: sip_pb2.Body | None = None,
    max_forwards: int = 0,
) -> edge.SendRequest:
    """Return a new request of a dialog: next CSeq number, route set, remote target."""
    leg.local_cseq += 1
    request = _request(turn, leg, method, leg.local_cseq)
    request.headers.append(user_agent(turn.policy.user_agent))
    if leg.authentications:
        octets = body.data if body is not None else b""
        request.headers.extend(authentication.credentials(turn, leg, method, request.request_uri, octets))
    if party.has_route(leg):
        request.headers.extend(leg_headers(turn.call, leg))
    request.headers.extend(headers)
    if max_forwards:
        request.max_forwards = max_forwards
    if body is not None:
        request.body.CopyFrom(body)
    if method in _WITH_CONTACT:
        request.contact = True
        request.contact_user = leg.contact_user
    return request


def acknowledgement(
    turn: Turn,
    leg: record.Leg,
    cseq: int,
    invite_branch: str,
    *,
    body: sip_pb2.Body | None = None,
) -> edge.SendRequest:
    """Return the ACK for a 2xx: the INVITE's CSeq number, a branch of its own (RFC 3261 13.2.2.4)."""
    request = _request(turn, leg, "ACK", cseq)
    request.invite_branch = invite_branch
    if leg.authentications:
        request.headers.extend(authentication.credentials(turn, leg, "ACK", request.request_uri))
    if body is not None:
        request.body.CopyFrom(body)
    return request


def leg_headers(call: record.Call, leg: record.Leg) -> Sequence[sip_pb2.Header]:
    """Return the header fields that each request of an egress leg carries, but ACK and CANCEL."""
    headers = call.routes[leg.route].headers
    if leg.without_passed_headers:
        return headers
    return [*headers, *call.passed_headers] if headers or call.passed_headers else ()


@lru_cache(maxsize=16)
def user_agent(value: str) -> sip_pb2.Header:
    """Return the User-Agent field of our requests, which is the same for all of them."""
    return sip_pb2.Header(name="User-Agent", value=value)


def host_port(route: record.Route) -> str:
    """Return host and port of a route as they stand in a Request-URI: 5060 is not written."""
    return f"{route.host}:{route.port}" if route.port not in (0, 5060) else route.host


def first_hop(route: record.Route) -> str:
    """Return the URI to resolve for an INVITE: a given port is kept, so that no SRV lookup happens."""
    if route.outbound_proxy:
        return route.outbound_proxy
    port = f":{route.port}" if route.port else ""
    transport = f";transport={route.transport}" if route.transport else ""
    return f"sip:{route.host}{port}{transport}"


def _request(turn: Turn, leg: record.Leg, method: str, cseq: int) -> edge.SendRequest:
    dialog: record.Leg | record.EarlyDialog = leg.early if leg.HasField("early") else leg
    request_uri, route_set, next_hop = aim(dialog.route_set, dialog.remote_target)
    request = edge.SendRequest()
    request.method = method
    request.request_uri = request_uri
    request.branch = turn.next_branch(leg)
    request.call_id = leg.call_id
    request.from_value = leg.local_uri
    request.from_tag = leg.local_tag
    request.to_value = leg.remote_uri
    request.to_tag = dialog.remote_tag
    request.cseq = cseq
    if route_set:
        request.route.extend(route_set)
    request.max_forwards = turn.policy.max_forwards
    target = request.target
    target.uri = next_hop
    target.flow = leg.flow
    target.listener = leg.listener
    if party.has_route(leg):
        route = turn.call.routes[leg.route]
        if route.outbound_proxy:
            target.uri = route.outbound_proxy
        target.ourselves = route.ourselves
    return request
