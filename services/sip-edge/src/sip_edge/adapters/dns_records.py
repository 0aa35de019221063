"""DNS records from the hosts file, name servers and, last, the system's resolver; cached by TTL.

Nothing here raises for what a name server does or fails to do: an answer that cannot be had is an
empty one, kept for a moment so that a dead name server is not asked for each call.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.resolver

from sip_edge.adapters.rfc3263 import Kind, Naptr, Question, Records, Srv, numeric

_HOSTS = Path("/etc/hosts")
_RECHECK_HOSTS = 5.0  # seconds between looks at the modification time of the hosts file
_MOST_RECORDS = 64  # of one answer: more than any real service has
_MIN_TTL = 1.0
_MAX_TTL = 3600.0
_NEGATIVE_TTL = 60.0  # at most this long for "there is no such record"
_SYSTEM_TTL = 30.0  # the system's resolver does not tell a TTL
_FAILED_TTL = 5.0  # no answer at all
_STALE = 86400.0  # how long an expired answer may serve while name servers fail (RFC 8767)

_FAMILIES = {Kind.A: socket.AF_INET, Kind.AAAA: socket.AF_INET6}


class _Verdict(Enum):
    """What came of asking the name servers."""

    ANSWERED = "answered"  # the name exists; there may be no record of this kind
    NO_NAME = "no name"
    FAILED = "failed"


class _Answer(NamedTuple):
    records: Records
    ttl: float
    verdict: _Verdict


class _Entry(NamedTuple):
    records: Records
    expires: float  # to be asked again from then on
    useless: float  # not even of use while name servers fail


class HostsFile:
    """Names of the hosts file; read again when it changes. `localhost` is always known (RFC 6761)."""

    def __init__(self, clock: Callable[[], float], path: Path = _HOSTS) -> None:
        self._clock = clock
        self._path = path
        self._names: dict[str, list[str]] = {}
        self._stamp: int | None = None
        self._check_at = -1.0

    def addresses(self, name: str) -> list[str] | None:
        """All addresses of `name` (lower case), or None when the file does not have it."""
        now = self._clock()
        if now >= self._check_at:
            self._check_at = now + _RECHECK_HOSTS
            self._refresh()
        return self._names.get(name)

    def _refresh(self) -> None:
        try:
            stamp = self._path.stat().st_mtime_ns
            if stamp == self._stamp:
                return
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            stamp, text = 0, ""
        self._stamp = stamp
        self._names = {}
        for line in text.splitlines():
            address, *names = line.partition("#")[0].split() or ("",)
            ip = numeric(address)
            for name in names if ip is not None else ():
                known = self._names.setdefault(name.lower(), [])
                if ip is not None and ip not in known:
                    known.append(ip)
        self._names.setdefault("localhost", ["127.0.0.1", "::1"])


class DnsRecords:
    """Answers questions from a bounded cache, or by asking."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        hosts: HostsFile | None = None,
        servers: Sequence[tuple[str, int]] = (),
        timeout: float = 3.0,
        cache_size: int = 10_000,
        max_pending: int = 256,
    ) -> None:
        """`servers` are (ip, port) of name servers, by default those of /etc/resolv.conf.

        `timeout` bounds one question in seconds, with one repeat after half of it; at most
        `max_pending` questions are under way at a time, further ones get an empty answer.
        """
        self._clock = clock
        self._hosts = hosts or HostsFile(clock)
        self._resolver = _resolver(servers, timeout)
        self._timeout = timeout
        self._cache: dict[Question, _Entry] = {}
        self._cache_size = cache_size
        self._pending: dict[Question, asyncio.Task[Records]] = {}
        self._max_pending = max_pending

    def cached(self, question: Question) -> Records | None:
        """The records if they are known now, without waiting; None if they must be fetched."""
        # A host of the hosts file has its addresses there, and no services anywhere.
        host = question.name.split(".", 2)[-1] if question.kind is Kind.SRV else question.name
        known = self._hosts.addresses(host)
        if known is not None:
            return tuple(ip for ip in known if _kind_of(ip) is question.kind)
        entry = self._cache.get(question)
        if entry is None or entry.expires <= self._clock():
            return None
        return entry.records

    async def fetch(self, question: Question) -> Records:
        """Ask for the records; simultaneous askers of one question share the answer."""
        task = self._pending.get(question)
        if task is None:
            if len(self._pending) >= self._max_pending:
                return ()
            task = asyncio.get_running_loop().create_task(self._ask(question))
            self._pending[question] = task
            task.add_done_callback(lambda _: self._pending.pop(question, None))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up all questions under way."""
        tasks = list(self._pending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, question: Question) -> Records:
        answer = await self._ask_servers(question)
        if answer.verdict is not _Verdict.ANSWERED and question.kind in _FAMILIES:
            addresses = await self._ask_system(question)
            if addresses:
                answer = _Answer(addresses, _SYSTEM_TTL, _Verdict.ANSWERED)
        now = self._clock()
        last = self._cache.pop(question, None)
        if answer.verdict is _Verdict.FAILED and last is not None and now < last.useless:
            entry = last._replace(expires=now + _FAILED_TTL)
        else:
            expires = now + answer.ttl
            entry = _Entry(answer.records, expires, expires + _STALE if answer.records else now)
        self._remember(question, entry)
        return entry.records

    def _remember(self, question: Question, entry: _Entry) -> None:
        while len(self._cache) >= self._cache_size:
            del self._cache[next(iter(self._cache))]
        self._cache[question] = entry

    async def _ask_servers(self, question: Question) -> _Answer:
        if self._resolver is None:
            return _Answer((), _FAILED_TTL, _Verdict.FAILED)
        try:
            found = await self._resolver.resolve(
                question.name + ".", question.kind.value, raise_on_no_answer=False, search=False
            )
        except dns.resolver.NXDOMAIN:
            return _Answer((), _NEGATIVE_TTL, _Verdict.NO_NAME)
        except (dns.exception.DNSException, OSError, ValueError):
            return _Answer((), _FAILED_TTL, _Verdict.FAILED)
        ttl = float(found.chaining_result.minimum_ttl)
        if found.rrset is None:
            return _Answer((), min(max(ttl, _MIN_TTL), _NEGATIVE_TTL), _Verdict.ANSWERED)
        convert = _CONVERTERS[question.kind]
        records = tuple(convert(record) for record in found.rrset[:_MOST_RECORDS])
        return _Answer(records, min(max(ttl, _MIN_TTL), _MAX_TTL), _Verdict.ANSWERED)

    async def _ask_system(self, question: Question) -> tuple[str, ...]:
        """The resolver of the C library knows search domains and other sources of names."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout):
                found = await loop.getaddrinfo(
                    question.name, None, family=_FAMILIES[question.kind], type=socket.SOCK_STREAM
                )
        except (OSError, UnicodeError, TimeoutError):
            return ()
        addresses = (str(sockaddr[0]) for *_, sockaddr in found)
        return tuple(dict.fromkeys(ip for ip in addresses if "%" not in ip))


def _kind_of(ip: str) -> Kind:
    return Kind.AAAA if ":" in ip else Kind.A


def _resolver(servers: Sequence[tuple[str, int]], timeout: float) -> dns.asyncresolver.Resolver | None:
    """A resolver for these servers, or for those of the system; None when there are none."""
    try:
        resolver = dns.asyncresolver.Resolver(configure=not servers)
    except (dns.resolver.NoResolverConfiguration, OSError):
        return None
    if servers:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(ip, port) for ip, port in servers]
    resolver.timeout = timeout / 2
    resolver.lifetime = timeout
    return resolver


def _address(record: Any) -> str:
    return str(record.address)


def _srv(record: Any) -> Srv:
    return Srv(record.priority, record.weight, record.port, _name(record.target))


def _naptr(record: Any) -> Naptr:
    flags, service = record.flags.decode("latin-1"), record.service.decode("latin-1")
    return Naptr(record.order, record.preference, flags, service, _name(record.replacement))


def _name(name: Any) -> str:
    return str(name.to_text(omit_final_dot=True)).lower().rstrip(".")


_CONVERTERS: dict[Kind, Callable[[Any], str | Srv | Naptr]] = {
    Kind.A: _address,
    Kind.AAAA: _address,
    Kind.SRV: _srv,
    Kind.NAPTR: _naptr,
}
