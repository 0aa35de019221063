"""Routines that add attributes: `pre_auth_proc` to authorisation, `po_proc` to accounting: `Name[argument]`.

| name | where | argument | effect |
| --- | --- | --- | --- |
| `HDR2Xattrs` | pre_auth_proc | name of a header field | its `k=v;k=v` go to the authorisation |
| `VAL2Xattrs` | po_proc | `k=v,k=v` | attributes of the accounting of both legs |
| `VAL2XattrsA` | po_proc | the same | of the ingress leg only |
| `VAL2XattrsO` | po_proc | the same | of the egress leg only |
| `Nop` | both | ignored | none |

An attribute is the text `NAME=VALUE`, with a value that is not empty; of several that are equal one is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from b2bua.common.v1 import sip_pb2
from call_control.domain.routing.identity import has_controls
from sipcore.names import canonical_name

#: What a caller's header field can add to an authorisation: no more attributes, and none longer than this.
_MOST_ATTRIBUTES = 32
#: RFC 2865 5.26: 255 octets of an attribute less those of a vendor's.
_LONGEST_ATTRIBUTE = 247

_ROUTINE = re.compile(r"([A-Za-z0-9]+)\[(.*)\]")


class HookError(ValueError):
    """A routine that cannot be run; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteHook:
    """What `po_proc` adds to the accounting of one route, as `NAME=VALUE`."""

    attributes: tuple[str, ...] = ()
    """Of both legs."""
    ingress_attributes: tuple[str, ...] = ()
    """Of the ingress leg only."""
    egress_attributes: tuple[str, ...] = ()
    """Of the egress leg only."""


class Attributes(NamedTuple):
    """What a caller's header fields say."""

    taken: list[str]
    """`NAME=VALUE`, in order."""
    refused: int
    """Pairs that were left out: control characters, too long, too many, or no pair at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHook:
    """What `pre_auth_proc` takes from a caller's INVITE."""

    header: str = ""
    """Canonical name of the header field; empty for none."""

    def wanted(self) -> tuple[str, ...]:
        """Return the names of the header fields that an edge has to report."""
        return (self.header,) if self.header else ()

    def attributes(self, headers: Iterable[sip_pb2.Header]) -> Attributes:
        """Read the attributes from the header fields of an INVITE, whatever the case of their names."""
        taken: list[str] = []
        refused = 0
        for header in headers:
            if canonical_name(header.name) != self.header:
                continue
            for pair in filter(None, map(str.strip, header.value.split(";"))):
                name, equals, value = pair.partition("=")
                if pair in taken or (equals and not value):
                    continue
                if _is_attribute(name, value) and len(taken) < _MOST_ATTRIBUTES:
                    taken.append(pair)
                else:
                    refused += 1
        return Attributes(taken, refused)


def parse_call_hook(text: str) -> CallHook:
    """Read `pre_auth_proc`. Raises HookError with a sentence for the operator."""
    name, argument = _split(text)
    if name == "Nop":
        return CallHook()
    if name != "HDR2Xattrs":
        raise HookError(f"should be HDR2Xattrs[HEADER] or Nop[], there is no {name!r}")
    header = canonical_name(argument.strip())
    if header is None:
        raise HookError(f"HDR2Xattrs should have the name of a header field, not {argument!r}")
    return CallHook(header=header)


def parse_route_hook(text: str) -> RouteHook:
    """Read the value of a route's `po_proc`. Raises HookError with a sentence for the operator."""
    name, argument = _split(text)
    if name == "Nop":
        return RouteHook()
    if name == "VAL2Xattrs":
        return RouteHook(attributes=_pairs(name, argument))
    if name == "VAL2XattrsA":
        return RouteHook(ingress_attributes=_pairs(name, argument))
    if name == "VAL2XattrsO":
        return RouteHook(egress_attributes=_pairs(name, argument))
    raise HookError(f"should be VAL2Xattrs[K=V,K=V], VAL2XattrsA, VAL2XattrsO or Nop[], there is no {name!r}")


def _split(text: str) -> tuple[str, str]:
    found = _ROUTINE.fullmatch(text.strip())
    if found is None:
        raise HookError(f"should look like NAME[ARGUMENT], not {text[:60]!r}")
    return found[1], found[2]


def _pairs(routine: str, argument: str) -> tuple[str, ...]:
    pairs = [pair.strip() for pair in argument.split(",")]
    for pair in pairs:
        name, _, value = pair.partition("=")
        if not _is_attribute(name, value):
            raise HookError(f"{routine} should have NAME=VALUE pairs with commas between, not {pair[:60]!r}")
    return tuple(dict.fromkeys(pairs))


def _is_attribute(name: str, value: str) -> bool:
    return (
        bool(name and value)
        and not has_controls(name + value)
        and len(name) + len(value) < _LONGEST_ATTRIBUTE
    )
