"""Locating SIP servers (RFC 3263 section 4) as a pure function over DNS answers.

`next_hops` asks for records through a callable that either has them or not. What it lacks is
collected in `Found.missing`; the caller fetches that and runs it again. So a target whose records
are cached is located at once, without a task, and the procedure is tested without a name server.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from ipaddress import ip_address
from typing import NamedTuple, TypeAlias

from sip_edge.domain.ports import Endpoint, Query

SIP_PORT = 5060

# Services of NAPTR records (RFC 3263 section 4.1) and the transports they stand for.
_SERVICES = {"SIP+D2U": "udp", "SIP+D2T": "tcp"}


class Kind(Enum):
    """Record types that the procedure asks for."""

    A = "A"
    AAAA = "AAAA"
    SRV = "SRV"
    NAPTR = "NAPTR"


class Family(Enum):
    """IP version, by the record type that holds its addresses."""

    IPV4 = Kind.A
    IPV6 = Kind.AAAA


class Question(NamedTuple):
    """One thing to look up: `name` in lower case without a final dot."""

    name: str
    kind: Kind


class Srv(NamedTuple):
    """SRV record (RFC 2782); `target` is empty for ".", which says that there is no such service."""

    priority: int
    weight: int
    port: int
    target: str


class Naptr(NamedTuple):
    """NAPTR record (RFC 3403)."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


Records: TypeAlias = tuple[str | Srv | Naptr, ...]
Look: TypeAlias = Callable[[Question], Records | None]


class Found(NamedTuple):
    """Addresses in the order to try them; while `missing` is not empty they are not final."""

    hops: tuple[Endpoint, ...]
    missing: tuple[Question, ...]


def numeric(host: str) -> str | None:
    """The canonical text of `host` if it is an IP address (brackets allowed), else None."""
    if host and (host[-1].isdigit() or ":" in host):
        try:
            return str(ip_address(host.strip("[]")))
        except ValueError:
            return None
    return None


def next_hops(
    query: Query,
    look: Look,
    *,
    families: Sequence[Family],
    transports: Sequence[str],
    random: Callable[[], float],
) -> Found:
    """Find the addresses for `query` (RFC 3263 section 4.1 and 4.2).

    `families` and `transports` say what this edge can use, most preferred first; `random` returns
    floats in [0, 1) for the weights of SRV (RFC 2782) and for spreading over equal addresses.
    A transport that this edge does not have leads nowhere, and so does `sips`, which needs TLS.
    """
    if query.scheme != "sip" or query.transport not in (None, *transports):
        return Found((), ())
    address = numeric(query.host)
    if address is not None:
        return Found((Endpoint(address, query.port or SIP_PORT, query.transport or "udp"),), ())
    return _Search(look, families, transports, random).run(query)


class _Search:
    """One pass of the procedure; remembers what it could not look up."""

    __slots__ = ("families", "look", "missing", "random", "transports")

    def __init__(
        self,
        look: Look,
        families: Sequence[Family],
        transports: Sequence[str],
        random: Callable[[], float],
    ) -> None:
        self.look = look
        self.families = families
        self.transports = transports
        self.random = random
        self.missing: list[Question] = []

    def run(self, query: Query) -> Found:
        host = query.host.lower().rstrip(".")
        if query.port is not None:
            hops = self._addresses(host, query.port, query.transport or "udp")
        elif query.transport is not None:
            services = [(f"_sip._{query.transport}.{host}", query.transport)]
            hops = self._or_plain(self._by_services(services), host, query.transport)
        else:
            hops = self._or_plain(self._any_transport(host), host, "udp")
        return Found(tuple(dict.fromkeys(hops)), tuple(dict.fromkeys(self.missing)))

    def _records(self, question: Question) -> Records:
        records = self.look(question)
        if records is None:
            self.missing.append(question)
            return ()
        return records

    def _or_plain(self, hops: list[Endpoint] | None, host: str, transport: str) -> list[Endpoint]:
        """Without SRV records the host itself is the server, on the default port."""
        if hops is not None or self.missing:
            return hops or []
        return self._addresses(host, SIP_PORT, transport)

    def _any_transport(self, host: str) -> list[Endpoint] | None:
        """NAPTR decides the transport; without it, the transports that have an SRV record."""
        pointers = [
            record
            for record in self._records(Question(host, Kind.NAPTR))
            if isinstance(record, Naptr)
            and record.flags.lower() == "s"
            and _SERVICES.get(record.service.upper()) in self.transports
        ]
        # Asked for in the same pass: without NAPTR, which is common, they save a round trip.
        direct = [(f"_sip._{transport}.{host}", transport) for transport in self.transports]
        if not pointers:
            return self._by_services(direct)
        pointers.sort(key=lambda record: (record.order, record.preference))
        best = [record for record in pointers if record.order == pointers[0].order]
        return self._by_services([(r.replacement, _SERVICES[r.service.upper()]) for r in best])

    def _by_services(self, services: list[tuple[str, str]]) -> list[Endpoint] | None:
        """Addresses behind SRV names; None when none of the names has a record."""
        hops: list[Endpoint] = []
        exists = False
        for name, transport in services:
            records = [r for r in self._records(Question(name, Kind.SRV)) if isinstance(r, Srv)]
            exists = exists or bool(records)
            for record in self._by_weight(records):
                if record.target:
                    hops += self._addresses(record.target, record.port, transport)
        return hops if exists else None

    def _by_weight(self, records: list[Srv]) -> list[Srv]:
        """Order of RFC 2782: by priority, and among equals drawn by weight."""
        ordered: list[Srv] = []
        # Weight 0 stands first within its priority, which gives it its small chance.
        left = sorted(records, key=lambda record: (record.priority, record.weight))
        while left:
            equals = [record for record in left if record.priority == left[0].priority]
            threshold = self.random() * sum(record.weight for record in equals)
            for chosen in equals:
                threshold -= chosen.weight
                if threshold <= 0:
                    break
            ordered.append(chosen)
            left.remove(chosen)
        return ordered

    def _addresses(self, name: str, port: int, transport: str) -> list[Endpoint]:
        """Addresses of a host, preferred family first; those of one family from a random start."""
        literal = numeric(name)
        if literal is not None:
            return [Endpoint(literal, port, transport)]
        hops: list[Endpoint] = []
        for family in self.families:
            found = [ip for ip in self._records(Question(name, family.value)) if isinstance(ip, str)]
            start = int(self.random() * len(found)) if len(found) > 1 else 0
            hops += [Endpoint(ip, port, transport) for ip in found[start:] + found[:start]]
        return hops
