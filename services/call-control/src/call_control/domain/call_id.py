"""Forms of the egress Call-ID: the same, suffixed with the route number, hashed, or fresh."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

CallIdForm = Callable[[str, int, str], str]
"""Ingress Call-ID, route number from 1 and key of the call, to the Call-ID of an egress leg."""


def same_call_id(call_id: str, route_number: int, key: str) -> str:
    """Return the ingress Call-ID unchanged, as `b2bua_simple` does."""
    return call_id


def suffixed_call_id(call_id: str, route_number: int, key: str) -> str:
    """Return the ingress Call-ID with the 1-based route number behind it: `ID-b2b_1`."""
    return f"{call_id}-b2b_{route_number}"


def hidden_call_id(call_id: str, route_number: int, key: str) -> str:
    """Return the MD5 of the ingress Call-ID in lower-case hex, with the route number.

    MD5 is what peers of the reference see; nothing is protected by it but the caller's address
    that stands in many Call-IDs.
    """
    digest = hashlib.md5(call_id.encode("utf-8", "surrogateescape"), usedforsecurity=False)
    return f"{digest.hexdigest()}-b2b_{route_number}"


def fresh_call_id(call_id: str, route_number: int, key: str) -> str:
    """Return a hash of the key of the call and the route number: nothing of the ingress Call-ID is in it."""
    return hashlib.blake2b(f"{key} {route_number}".encode(), digest_size=16).hexdigest()


#: By the name of the setting.
CALL_ID_FORMS: Mapping[str, CallIdForm] = MappingProxyType(
    {
        "same": same_call_id,
        "suffixed": suffixed_call_id,
        "hidden": hidden_call_id,
        "fresh": fresh_call_id,
    }
)
