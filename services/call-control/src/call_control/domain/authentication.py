"""Challenges of the callee: answered with the route's credentials, or passed on (RFC 3261 22)."""

from __future__ import annotations

from collections.abc import Iterable

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import party
from call_control.domain.turn import Turn
from sipcore.auth import Challenge, answer, choose_challenge, ha1
from sipcore.errors import LocalProtocolError

#: Per status: where the challenges stand, and where the answer goes.
_FIELDS = {
    401: ("www-authenticate", "Authorization", False),
    407: ("proxy-authenticate", "Proxy-Authorization", True),
}
_CREDENTIALS = frozenset({"authorization", "proxy-authorization"})
_CHALLENGES = frozenset({"www-authenticate", "proxy-authenticate"})
#: A nonce may be stale several times in a row when the peer is slow; nobody goes on for ever.
_MAX_STALE = 3
#: Longer challenges are not answered: the record would hold them three times over.
_MAX_CHALLENGE = 2_048


def passed_credentials(headers: Iterable[sip_pb2.Header]) -> list[sip_pb2.Header]:
    """Return the caller's credentials, for the callee to check."""
    return [header for header in headers if header.name.lower() in _CREDENTIALS]


def challenges(headers: Iterable[sip_pb2.Header]) -> list[sip_pb2.Header]:
    """Return the callee's challenges, for the caller to answer."""
    return [header for header in headers if header.name.lower() in _CHALLENGES]


def challenged(turn: Turn, leg: record.Leg, response: edge.ResponseEvent, met: record.ChallengesMet) -> bool:
    """Take up the challenge of a 401 or 407; True: the request is to be sent again.

    Each kind is answered once per request, and again while only the nonce was stale. `met` are those that the
    request has met before; this one is counted in.
    """
    fields = _FIELDS.get(response.status)
    if fields is None or not party.has_route(leg) or response.local:
        return False
    route = turn.call.routes[leg.route]
    if route.auth_mode != record.AUTH_MODE_CREDENTIALS:
        return False
    name, _, proxy = fields
    values = [
        header.value
        for header in response.headers
        if header.name.lower() == name and len(header.value) <= _MAX_CHALLENGE
    ]
    value, challenge = _first_answerable(values)
    if challenge is None:
        return False
    known = next((one for one in leg.authentications if one.proxy == proxy), None)
    if known is None:
        known = leg.authentications.add(proxy=proxy)
    if (met.by_proxy if proxy else met.by_peer) >= (_MAX_STALE if challenge.stale else 1):
        return False
    if proxy:
        met.by_proxy += 1
    else:
        met.by_peer += 1
    known.challenge = value
    known.nonce_count = 0
    turn.changed = True
    return True


def _first_answerable(values: Iterable[str]) -> tuple[str, Challenge | None]:
    for value in values:
        challenge = choose_challenge((value,))
        if challenge is not None:
            return value, challenge
    return "", None


def credentials(
    turn: Turn, leg: record.Leg, method: str, uri: str, body: bytes = b""
) -> list[sip_pb2.Header]:
    """Return what a request of ours carries to prove who we are; counts the use of each nonce.

    An ACK repeats what its INVITE carried. CANCEL carries nothing: nobody may challenge it (22.1).
    """
    return [
        header
        for known in leg.authentications
        if (header := _credentials(turn, leg, known, method, uri, body)) is not None
    ]


def _credentials(
    turn: Turn, leg: record.Leg, known: record.Authentication, method: str, uri: str, body: bytes
) -> sip_pb2.Header | None:
    name = "Proxy-Authorization" if known.proxy else "Authorization"
    if method == "ACK":
        value = known.invite_credentials
        return sip_pb2.Header(name=name, value=value) if value else None
    challenge = choose_challenge((known.challenge,))
    if challenge is None:
        return None
    route = turn.call.routes[leg.route]
    known.nonce_count += 1
    try:
        value = str(
            answer(
                challenge,
                route.username,
                ha1(route.username, challenge.realm, route.password, challenge.algorithm),
                method=method,
                uri=uri,
                # One for each nonce: "-sess" algorithms need the same while a nonce lasts (RFC 7616 3.4.2).
                cnonce=turn.minter.cnonce(turn.call.key, leg.index, challenge.nonce),
                nonce_count=known.nonce_count,
                body=body,
            )
        )
    except LocalProtocolError:
        return None
    if method == "INVITE":
        known.invite_credentials = value
    return sip_pb2.Header(name=name, value=value)


def retry(turn: Turn, leg: record.Leg, branch: str, response: edge.ResponseEvent) -> edge.SendRequest | None:
    """Send a request inside a dialog again that met a challenge; None: it is not to be answered.

    The request is still owed under `branch`; the new one is owed in its place.
    """
    if response.status not in _FIELDS:
        return None
    position = turn.debt_of_branch(branch)
    if position is None:
        return None
    met = record.ChallengesMet()
    met.CopyFrom(turn.call.debts[position].challenges_met)
    if not challenged(turn, leg, response, met):
        return None
    request = edge.SendRequest()
    request.CopyFrom(turn.call.debts[position].command.send_request)
    turn.pay((position,))
    leg.local_cseq += 1
    request.cseq = leg.local_cseq
    request.branch = turn.next_branch(leg)
    request.max_forwards = turn.policy.max_forwards
    others = [header for header in request.headers if header.name.lower() not in _CREDENTIALS]
    ours = credentials(turn, leg, request.method, request.request_uri, request.body.data)
    del request.headers[:]
    request.headers.extend([*ours, *others])
    turn.request(request, record.PROOF_FINAL, leg)
    turn.call.debts[-1].challenges_met.CopyFrom(met)
    return request
