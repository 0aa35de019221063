"""Which header fields of the caller's INVITE go on to the callee: `pass_headers`.

    P-Asserted-Identity, Diversion     these
    X-*                                all whose names begin so
    *                                  all but the ones that a B2BUA makes itself

Names count whatever their case and form (`s` is Subject); they go on in the caller's spelling, all of them in
order. `OWN` never goes on, whatever the pattern.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from b2bua.common.v1 import sip_pb2
from sipcore.grammar import is_token
from sipcore.names import CANONICAL, canonical_name

_DIALOG = "each leg is a dialog of its own"
_HOPS = "it describes one way through the network"
_BODY = "it goes with the body"
_OFFERED = "it says what the user agent behind this dialog can do, and that is us"
_SECRET = "credentials go only where authentication sends them"
_SELF = "call control carries it across by rules of its own"

#: Canonical names that a B2BUA makes itself, and why.
OWN: Mapping[str, str] = MappingProxyType(
    {
        "accept": _OFFERED,
        "accept-encoding": _OFFERED,
        "accept-language": _OFFERED,
        "allow": _OFFERED,
        "allow-events": _OFFERED,
        "authentication-info": _SECRET,
        "authorization": _SECRET,
        "call-id": _DIALOG,
        "contact": _DIALOG,
        "cseq": _DIALOG,
        "expires": _SELF,
        "from": _DIALOG,
        "join": _DIALOG,
        "max-breadth": _HOPS,
        "max-forwards": _HOPS,
        "mime-version": _BODY,
        "min-expires": _SELF,
        "min-se": _SELF,
        "path": _HOPS,
        "rack": _SELF,
        "reason": _SELF,
        "record-route": _HOPS,
        "refer-to": _SELF,
        "replaces": _DIALOG,
        "require": _OFFERED,
        "route": _HOPS,
        "rseq": _SELF,
        "server": _OFFERED,
        "service-route": _HOPS,
        "session-expires": _SELF,
        "supported": _OFFERED,
        "target-dialog": _DIALOG,
        "timestamp": _HOPS,
        "to": _DIALOG,
        "unsupported": _OFFERED,
        "user-agent": _OFFERED,
        "via": _HOPS,
        "www-authenticate": _SECRET,
    }
)
#: The same for whole families: beginning of the canonical name, and why.
OWN_FAMILIES: Mapping[str, str] = MappingProxyType({"content-": _BODY, "proxy-": _SECRET, "security-": _HOPS})
_OWN_BEGINNINGS = tuple(OWN_FAMILIES)


class PassHeadersError(ValueError):
    """Patterns that cannot be used; the text says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class PassHeaders:
    """Parsed patterns."""

    names: frozenset[str] = frozenset()
    """Canonical names."""
    beginnings: tuple[str, ...] = ()
    """Beginnings of canonical names."""
    everything: bool = False
    """All but `OWN`."""

    def __bool__(self) -> bool:
        return bool(self.names or self.beginnings or self.everything)

    def __str__(self) -> str:
        return ",".join(self.wanted())

    def wanted(self) -> tuple[str, ...]:
        """Return what an edge has to report: canonical names, beginnings as `x-*`, and `*` for everything."""
        if self.everything:
            return ("*",)
        return (*sorted(self.names), *(f"{beginning}*" for beginning in self.beginnings))

    def select(self, headers: Iterable[sip_pb2.Header]) -> list[sip_pb2.Header]:
        """Return the header fields that go on, in order and as they are."""
        return [header for header in headers if self._passes(header.name)]

    def _passes(self, name: str) -> bool:
        canonical = CANONICAL.get(name) or name.lower()
        if canonical in self.names:
            return True
        if not self.everything and not canonical.startswith(self.beginnings):
            return False
        return canonical not in OWN and not canonical.startswith(_OWN_BEGINNINGS)


def parse_pass_headers(text: str) -> PassHeaders:
    """Read patterns with commas between. Raises PassHeadersError with a sentence for the operator."""
    names: set[str] = set()
    beginnings: set[str] = set()
    everything = False
    for pattern in filter(None, (word.strip() for word in text.split(","))):
        if pattern == "*":
            everything = True
        elif pattern.endswith("*") and is_token(pattern) and pattern.count("*") == 1:
            beginnings.add(pattern[:-1].lower())
        else:
            names.add(_name(pattern))
    return PassHeaders(frozenset(names), tuple(sorted(beginnings)), everything)


def _name(pattern: str) -> str:
    name = canonical_name(pattern)
    if name is None or "*" in pattern:
        raise PassHeadersError(f"{pattern[:60]!r} should be the name of a header field, X-* or *")
    why = OWN.get(name) or next((OWN_FAMILIES[one] for one in OWN_FAMILIES if name.startswith(one)), None)
    if why is not None:
        raise PassHeadersError(f"{pattern[:60]!r} should not be passed on: {why}")
    return name
