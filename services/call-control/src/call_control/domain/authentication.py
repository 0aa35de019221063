"""Challenges of the callee: answered with the route's credentials, or passed on (RFC 3261 22)."""

from __future__ import annotations

from collections.abc import Iterable

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain.turn import Turn

_CREDENTIALS = frozenset({"authorization", "proxy-authorization"})
_CHALLENGES = frozenset({"www-authenticate", "proxy-authenticate"})


def passed_credentials(headers: Iterable[sip_pb2.Header]) -> list[sip_pb2.Header]:
    """Return the caller's credentials, for the callee to check."""
    return [header for header in headers if header.name.lower() in _CREDENTIALS]


def challenges(headers: Iterable[sip_pb2.Header]) -> list[sip_pb2.Header]:
    """Return the callee's challenges, for the caller to answer."""
    return [header for header in headers if header.name.lower() in _CHALLENGES]


def answer(
    turn: Turn,
    leg: record.Leg,
    response: edge.ResponseEvent,
    method: str,
    uri: str,
    body: sip_pb2.Body,
) -> sip_pb2.Header | None:
    return None
