"""What digest hashes: algorithms, the key of a user, and the response (RFC 7616 3.4, RFC 8760 2).

Text is hashed as it is sent: UTF-8, and octets that are none as they came. Quoted strings are hashed without
their quotes and escapes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from sipcore.errors import LocalProtocolError

QOPS = ("auth", "auth-int")
"""The qualities of protection that we speak (RFC 7616 3.4)."""


class Algorithm(NamedTuple):
    """A digest algorithm (RFC 7616 3.3, 6.1)."""

    hash_name: str
    """The name of its hash in hashlib."""
    session: bool
    """Whether nonce and cnonce go into the key ("-sess")."""
    legacy: bool
    """Whether it may be used without qop, as RFC 2069 did (RFC 8760 2.4: only MD5)."""


_HASHES = (("MD5", "md5"), ("SHA-256", "sha256"), ("SHA-512-256", "sha512_256"))


def available_algorithms(new: Callable[..., object] = hashlib.new) -> dict[str, Algorithm]:
    """Name in upper case to algorithm, of those whose hash ``new`` can make; "" stands for MD5.

    SHA-512/256 is missing in some builds of OpenSSL, and MD5 in others.
    """
    algorithms: dict[str, Algorithm] = {}
    for name, hash_name in _HASHES:
        try:
            new(hash_name, usedforsecurity=False)
        except ValueError:
            continue
        plain = Algorithm(hash_name, session=False, legacy=name == "MD5")
        algorithms[name] = plain
        algorithms[f"{name}-SESS"] = Algorithm(hash_name, session=True, legacy=False)
        if plain.legacy:
            algorithms[""] = plain
    return algorithms


_ALGORITHMS = available_algorithms()


def find_algorithm(name: str) -> Algorithm | None:
    """The algorithm of that name in any case ("": none was named, which means MD5); None if unsupported."""
    return _ALGORITHMS.get(name.upper()) if name.isascii() else None


def is_supported(algorithm: str) -> bool:
    """Whether we can compute this algorithm, by its name in a challenge or credentials ("" if none)."""
    return find_algorithm(algorithm) is not None


def ha1(username: str, realm: str, password: str, algorithm: str = "") -> str:
    """The key of a user in a realm: H(username:realm:password), in hex; as secret as the password.

    It is the same for an algorithm and its "-sess" form, and may be computed once and kept instead of the
    password. Raises LocalProtocolError when the algorithm is unsupported.
    """
    return _hex(_known(algorithm), _octets(f"{username}:{realm}:{password}"))


def response(
    algorithm: str,
    key: str,
    *,
    method: str,
    uri: str,
    nonce: str,
    qop: str,
    nc: str,
    cnonce: str,
    body: bytes,
) -> str:
    """The response in hex (RFC 7616 3.4.1-3.4.3; RFC 2069 2.1.2 when ``qop`` is "").

    ``key`` is what :func:`ha1` gives. ``body`` is looked at with auth-int only. Raises LocalProtocolError
    when the algorithm is unsupported.
    """
    known = _known(algorithm)
    if known.session:
        key = _hex(known, _octets(f"{key}:{nonce}:{cnonce}"))
    protected = f":{_hex(known, body)}" if qop.lower() == "auth-int" else ""
    ha2 = _hex(known, _octets(f"{method}:{uri}{protected}"))
    middle = f"{nonce}:{nc}:{cnonce}:{qop}" if qop else nonce
    return _hex(known, _octets(f"{key}:{middle}:{ha2}"))


def _known(algorithm: str) -> Algorithm:
    known = find_algorithm(algorithm)
    if known is None:
        raise LocalProtocolError("unsupported digest algorithm")
    return known


def _hex(algorithm: Algorithm, data: bytes) -> str:
    return hashlib.new(algorithm.hash_name, data, usedforsecurity=False).hexdigest()


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
