"""Forms of the egress Call-ID: the same, suffixed with the route number, or hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType


def same_call_id(call_id: str, route_number: int) -> str:
    """Return the ingress Call-ID unchanged, as `b2bua_simple` does."""
    return call_id


def suffixed_call_id(call_id: str, route_number: int) -> str:
    """Return the ingress Call-ID with the 1-based route number behind it: `ID-b2b_1`."""
    return f"{call_id}-b2b_{route_number}"


def hidden_call_id(call_id: str, route_number: int) -> str:
    """Return the MD5 of the ingress Call-ID in lower-case hex, with the route number.

    MD5 is what peers of the reference see; nothing is protected by it but the caller's address
    that stands in many Call-IDs.
    """
    digest = hashlib.md5(call_id.encode("utf-8", "surrogateescape"), usedforsecurity=False)
    return f"{digest.hexdigest()}-b2b_{route_number}"


#: By the name of the setting.
CALL_ID_FORMS: Mapping[str, Callable[[str, int], str]] = MappingProxyType(
    {"same": same_call_id, "suffixed": suffixed_call_id, "hidden": hidden_call_id}
)
