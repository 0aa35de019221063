"""Numbers, names and header values of the two parties, as strings of the wire."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from sipcore.reason import passable_reasons

#: States of an egress leg whose INVITE has no final answer and was not given up.
AWAITING_FINAL = frozenset({record.LEG_STATE_INVITING, record.LEG_STATE_PROCEEDING})

#: A quoted display name at the beginning of a value; up to the end of one that does not end.
_QUOTED_NAME = re.compile(r'\s*"[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)

#: Stands for the edge's own address in From and Contact; the edge knows which one (edge.proto).
LOCAL_HOST = "@local"


def without_tag(value: str) -> str:
    """Return a From or To value without its tag parameter; all else stays as it is.

    RFC 3261 20.20: header parameters stand behind the closing bracket; behind a bare addr-spec
    every parameter is a header parameter.
    """
    start = value.rfind(">") + 1
    if start == 0:
        start = max(value.find(";"), 0)
        if start == 0:
            return value
    parameters = value[start:]
    if "tag" not in parameters.lower():
        return value
    kept = [part for part in parameters.split(";") if part.strip().lower()[:4] not in ("tag=", "tag")]
    return (value[:start] + ";".join(kept)).rstrip()


def user_of(uri: str) -> str:
    """Return the user part of a SIP URI (or the number of a tel URI) as written; empty if none.

    Parameters of the user part and a password are not part of a number and are left out.
    """
    scheme, _, rest = uri.partition(":")
    if scheme.lower() == "tel":
        return rest.partition(";")[0]
    # The last "@" before the host: "?" and headers cannot hold a raw one behind it.
    user, at, _ = rest.partition("@")
    if not at:
        return ""
    return user.partition(":")[0].partition(";")[0]


def name_and_uri(value: str) -> tuple[str, str]:
    """Return what a From, To or Contact value says: the display name, quotes included, and the URI."""
    name = _QUOTED_NAME.match(value)
    opening = value.find("<", name.end() if name is not None else 0)
    if opening < 0:
        return "", value.partition(";")[0].strip()
    return value[:opening].strip(), value[opening + 1 :].partition(">")[0]


def addr_spec(value: str) -> str:
    """Return the URI inside a From, To or Contact value."""
    return name_and_uri(value)[1]


def display_of(value: str) -> str:
    """Return the display name of a name-addr as it stands, quotes included; empty if none."""
    return name_and_uri(value)[0]


def local_identity(display: str, user: str, host: str = "") -> str:
    """Return our From value on an egress leg: the caller's name and number, at our address or `host`."""
    host = host or LOCAL_HOST
    uri = f"<sip:{user}@{host}>" if user else f"<sip:{host}>"
    return f"{display} {uri}" if display else uri


def via_host(values: Sequence[str]) -> str:
    """Return the host of sent-by, IPv6 in brackets, in the topmost of Via values that the edge has read."""
    if not values:
        return ""
    sent_by = values[0].partition(";")[0].rpartition(" ")[2]
    host, bracket, _ = sent_by.partition("]")
    return host + bracket if bracket else sent_by.partition(":")[0]


def has_route(leg: record.Leg) -> bool:
    """Tell whether we opened the dialog of a leg, along one of the call's routes."""
    return leg.index > 0 and not leg.replacement


def body_digest(body: sip_pb2.Body) -> int:
    """Return 64 bits that stand for a body; 0 for an empty one."""
    data = body.data
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big") if data else 0


def reasons(headers: Sequence[sip_pb2.Header]) -> list[sip_pb2.Header]:
    """Return the Reason values (RFC 3326) among the header fields of an event, safe to be passed on."""
    if not headers:
        return []
    values = passable_reasons([header.value for header in headers[:] if header.name.lower() == "reason"])
    return [sip_pb2.Header(name="Reason", value=value) for value in values]


def options(value: str) -> list[str]:
    """Return the option tags of a Supported, Require or Unsupported value, in lower case."""
    return [tag.strip().lower() for tag in value.split(",")]


def allows(headers: Sequence[sip_pb2.Header], method: str) -> bool:
    """Tell whether a method stands in the Allow of a message."""
    for header in headers[:]:
        if header.name.lower() == "allow" and method in [name.strip() for name in header.value.split(",")]:
            return True
    return False


def spread(seed: str, count: int) -> int:
    """Return a number in 0..count-1 that stands for a draw, the same wherever it is drawn."""
    return int.from_bytes(blake2b(seed.encode(), digest_size=8).digest(), "big") % count
