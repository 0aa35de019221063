"""Credentials: Authorization and Proxy-Authorization (RFC 3261 20.7, 20.28, RFC 7616 3.4)."""

from __future__ import annotations

import hmac
import re
from typing import NamedTuple

from sipcore.auth import hashes
from sipcore.auth.challenge import Challenge
from sipcore.auth.fields import DIGEST, mask_credentials, parse_parameters, split_schemes
from sipcore.errors import GrammarError, LocalProtocolError
from sipcore.grammar import is_token, quote

MAX_NONCE_COUNT = 2**32 - 1
"""nc has 8 hexadecimal digits (RFC 7616 3.4)."""

_NONCE_COUNT = re.compile(r"[0-9A-Fa-f]{1,8}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class Credentials(NamedTuple):
    """Digest credentials; texts are unquoted. ``str()`` is the field value, ``repr()`` masks it."""

    username: str
    realm: str
    nonce: str
    uri: str
    """The Request-URI as it was sent."""
    response: str
    algorithm: str = ""
    """As on the wire; "" if none was named."""
    qop: str = ""
    """As on the wire; "" for the form of RFC 2069, which has neither nc nor cnonce."""
    nc: str = ""
    """Nonce count as on the wire, in hex."""
    cnonce: str = ""
    opaque: str | None = None

    def __str__(self) -> str:
        parts = [
            f"username={quote(self.username)},realm={quote(self.realm)},nonce={quote(self.nonce)}"
            f",uri={quote(self.uri)},response={quote(self.response)}"
        ]
        if self.algorithm:
            parts.append(f"algorithm={self.algorithm}")
        if self.qop:
            parts.append(f"qop={self.qop},nc={self.nc},cnonce={quote(self.cnonce)}")
        if self.opaque is not None:
            parts.append(f"opaque={quote(self.opaque)}")
        return "Digest " + ",".join(parts)

    def __repr__(self) -> str:
        return f"<Credentials {mask_credentials(str(self))}>"

    @property
    def nonce_count(self) -> int | None:
        """The nonce count as a number; None without qop."""
        return int(self.nc, 16) if self.nc else None


def answer(
    challenge: Challenge,
    username: str,
    key: str,
    *,
    method: str,
    uri: str,
    cnonce: str,
    nonce_count: int = 1,
    body: bytes = b"",
) -> Credentials:
    """The credentials that answer ``challenge`` (RFC 3261 22.2-22.4, RFC 7616 3.4).

    ``key`` is ``ha1`` of the user for the challenge's realm and algorithm; ``uri`` the Request-URI
    exactly as it will be sent; ``body`` the whole body of the request, which auth-int protects.
    ``nonce_count`` counts the requests with this nonce, from 1; while a nonce is used again, an algorithm
    with "-sess" needs the same ``cnonce`` too (RFC 7616 3.4.2).

    Raises LocalProtocolError when the challenge has no ``usable_qop``, the count is out of range, or the user
    name or cnonce holds control characters.
    """
    qop = challenge.usable_qop
    if qop is None:
        raise LocalProtocolError("unsupported digest challenge")
    if not 1 <= nonce_count <= MAX_NONCE_COUNT:
        raise LocalProtocolError("nonce count is not 1..2**32-1")
    if _CONTROLS.search(username) is not None or _CONTROLS.search(cnonce) is not None:
        raise LocalProtocolError("control character in user name or cnonce")
    nc = f"{nonce_count:08x}" if qop else ""
    cnonce = cnonce if qop else ""
    response = hashes.response(
        challenge.algorithm,
        key,
        method=method,
        uri=uri,
        nonce=challenge.nonce,
        qop=qop,
        nc=nc,
        cnonce=cnonce,
        body=body,
    )
    return Credentials(
        username,
        challenge.realm,
        challenge.nonce,
        uri,
        response,
        challenge.algorithm,
        qop,
        nc,
        cnonce,
        challenge.opaque,
    )


def parse_credentials(text: str) -> Credentials | None:
    """The digest credentials of one field value; None when its scheme is another one.

    Parameters that we do not know are not looked at. Raises GrammarError when the value is malformed, holds
    more than one scheme, or lacks what RFC 7616 3.4 demands.
    """
    values = split_schemes(text)
    if len(values) > 1:
        raise GrammarError("more than one value")
    scheme, elements = values[0]
    if scheme.lower() != DIGEST:
        return None
    given = parse_parameters(elements)
    qop = given.get("qop", "")
    for name in ("username", "realm", "nonce", "uri", "response", *(("nc", "cnonce") if qop else ())):
        if name not in given:
            raise GrammarError(f"no {name}")
    for name in ("algorithm", "qop"):
        if name in given and not is_token(given[name]):
            raise GrammarError(f"bad {name}")
    if qop and _NONCE_COUNT.fullmatch(given["nc"]) is None:
        raise GrammarError("bad nc")
    return Credentials(
        given["username"],
        given["realm"],
        given["nonce"],
        given["uri"],
        given["response"],
        given.get("algorithm", ""),
        qop,
        given["nc"] if qop else "",
        given["cnonce"] if qop else "",
        given.get("opaque"),
    )


def verify(credentials: Credentials, key: str, *, method: str, body: bytes = b"") -> bool:
    """Whether the response is right for the user's ``key``, which is what ``ha1`` gives.

    That nonce, nonce count, realm and algorithm are those of a challenge of ours, and the uri is the
    request's, is for the caller to check. An unsupported algorithm or qop is never right. Takes the same time
    wherever the response differs.
    """
    algorithm = hashes.find_algorithm(credentials.algorithm)
    if algorithm is None:
        return False
    if not (credentials.qop.lower() in hashes.QOPS if credentials.qop else algorithm.legacy):
        return False
    expected = hashes.response(
        credentials.algorithm,
        key,
        method=method,
        uri=credentials.uri,
        nonce=credentials.nonce,
        qop=credentials.qop,
        nc=credentials.nc,
        cnonce=credentials.cnonce,
        body=body,
    )
    given = credentials.response.lower().encode("utf-8", "surrogateescape")
    return hmac.compare_digest(given, expected.encode())


def verify_password(credentials: Credentials, password: str, *, method: str, body: bytes = b"") -> bool:
    """:func:`verify`, with the password in clear."""
    if not hashes.is_supported(credentials.algorithm):
        return False
    key = hashes.ha1(credentials.username, credentials.realm, password, credentials.algorithm)
    return verify(credentials, key, method=method, body=body)
