"""The resolver against a name server on loopback and a hosts file of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sip_edge.adapters.dns_records import DnsRecords, HostsFile
from sip_edge.adapters.resolver import Resolver
from sip_edge.adapters.rfc3263 import Family, Kind, Question
from sip_edge.domain.ports import Endpoint, Query
from support.name_server import NameServer

ZONE = {
    ("call.test", "NAPTR"): ['10 10 "s" "SIP+D2T" "" _sip._tcp.call.test.'],
    ("_sip._tcp.call.test", "SRV"): ["10 0 5080 one.test.", "20 0 5090 two.test."],
    ("one.test", "A"): ["192.0.2.1"],
    ("two.test", "A"): ["192.0.2.2"],
    ("two.test", "AAAA"): ["2001:db8::2"],
}


def sip(host: str, port: int | None, transport: str | None) -> Query:
    return Query("sip", host, port, transport)


class Bench:
    """A resolver, its name server, and a clock that the test turns."""

    def __init__(self, hosts: Path) -> None:
        self.now = 1000.0
        self.hosts = hosts
        self.server = NameServer(dict(ZONE))
        self.records: DnsRecords
        self.resolver: Resolver

    def clock(self) -> float:
        return self.now

    async def start(self) -> None:
        address = await self.server.start()
        self.records = DnsRecords(
            clock=self.clock,
            hosts=HostsFile(self.clock, self.hosts),
            servers=[address],
            timeout=0.4,
            cache_size=20,
            max_pending=8,
        )
        self.resolver = Resolver(
            self.records,
            families=(Family.IPV4, Family.IPV6),
            transports=("udp", "tcp"),
            random=lambda: 0.0,
        )


async def no_system(*_: object, **__: object) -> list[tuple[object, ...]]:
    raise OSError("the system's resolver must not be asked outside the machine")


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", no_system)
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.77 Fixed.Test other # comment\n2001:db8::77\tfixed.test\nnonsense line\n\n")
    bench = Bench(hosts)
    await bench.start()
    yield bench
    await bench.resolver.close()
    bench.server.close()


async def test_follows_naptr_srv_and_addresses(bench: Bench) -> None:
    query = sip("call.test", None, None)
    assert bench.resolver.locate_now(query) is None
    expected = (
        Endpoint("192.0.2.1", 5080, "tcp"),
        Endpoint("192.0.2.2", 5090, "tcp"),
        Endpoint("2001:db8::2", 5090, "tcp"),
    )
    assert await bench.resolver.locate(query) == expected
    assert bench.resolver.locate_now(query) == expected


async def test_numbers_need_no_dns(bench: Bench) -> None:
    assert bench.resolver.locate_now(sip("192.0.2.9", None, None)) == (Endpoint("192.0.2.9", 5060, "udp"),)
    assert not bench.server.asked


async def test_asks_again_only_after_the_ttl(bench: Bench) -> None:
    query = sip("one.test", 5060, "udp")
    for seconds in (0, 299):
        bench.now = 1000.0 + seconds
        assert await bench.resolver.locate(query) == (Endpoint("192.0.2.1", 5060, "udp"),)
    assert bench.server.asked["one.test", "A"] == 1
    bench.now += 2
    assert bench.resolver.locate_now(query) is None
    await bench.resolver.locate(query)
    assert bench.server.asked["one.test", "A"] == 2


async def test_simultaneous_askers_share_one_question(bench: Bench) -> None:
    query = sip("one.test", 5060, "udp")
    answers = await asyncio.gather(*(bench.resolver.locate(query) for _ in range(5)))
    assert set(answers) == {(Endpoint("192.0.2.1", 5060, "udp"),)}
    assert bench.server.asked["one.test", "A"] == 1


async def test_remembers_that_a_name_does_not_exist(bench: Bench) -> None:
    query = sip("nobody.invalid", 5060, "udp")
    assert await bench.resolver.locate(query) == ()
    assert bench.resolver.locate_now(query) == ()
    assert bench.server.asked["nobody.invalid", "A"] == 1


async def test_the_hosts_file_comes_before_dns(bench: Bench) -> None:
    hops = (Endpoint("192.0.2.77", 5060, "udp"), Endpoint("2001:db8::77", 5060, "udp"))
    assert bench.resolver.locate_now(sip("fixed.test", None, None)) == hops
    assert bench.resolver.locate_now(sip("other", None, "udp")) == hops[:1]
    assert not bench.server.asked


async def test_localhost_is_always_known(bench: Bench) -> None:
    hops = bench.resolver.locate_now(sip("localhost", 5070, None))
    assert hops == (Endpoint("127.0.0.1", 5070, "udp"), Endpoint("::1", 5070, "udp"))


async def test_notices_a_changed_hosts_file(bench: Bench) -> None:
    assert bench.resolver.locate_now(sip("other", 1, "udp")) == (Endpoint("192.0.2.77", 1, "udp"),)
    bench.hosts.write_text("192.0.2.78 other\n")
    os.utime(bench.hosts, ns=(1, 1))
    bench.now += 6
    assert bench.resolver.locate_now(sip("other", 1, "udp")) == (Endpoint("192.0.2.78", 1, "udp"),)
    bench.hosts.unlink()
    bench.now += 6
    assert bench.resolver.locate_now(sip("other", 1, "udp")) is None


async def test_an_old_answer_serves_while_name_servers_fail(bench: Bench) -> None:
    query = sip("one.test", 5060, "udp")
    first = await bench.resolver.locate(query)
    bench.server.broken = True
    bench.now += 1000
    assert await bench.resolver.locate(query) == first
    bench.now += 100_000
    assert await bench.resolver.locate(query) == ()


async def test_silent_name_server_is_an_empty_answer(bench: Bench) -> None:
    bench.server.silent = True
    assert await bench.resolver.locate(sip("slow.invalid", 5060, "udp")) == ()
    assert bench.server.asked["slow.invalid", "A"] == 2, "one repeat for a lost packet"


async def test_falls_back_on_the_system_resolver(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def getaddrinfo(host: str, *_: object, family: int, **__: object) -> list[tuple[object, ...]]:
        if host != "short" or family != 2:
            raise OSError
        return [(2, 1, 6, "", ("192.0.2.5", 0)), (2, 1, 6, "", ("192.0.2.5", 0))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    assert await bench.resolver.locate(sip("short", 5060, "udp")) == (Endpoint("192.0.2.5", 5060, "udp"),)


async def test_the_cache_is_bounded(bench: Bench) -> None:
    for number in range(40):
        bench.server.zone[f"h{number}.test", "A"] = ["192.0.2.1"]
        await bench.records.fetch(Question(f"h{number}.test", Kind.A))
    known = [n for n in range(40) if bench.records.cached(Question(f"h{n}.test", Kind.A))]
    assert known == list(range(20, 40))


async def test_questions_under_way_are_bounded(bench: Bench) -> None:
    bench.server.silent = True
    questions = [Question(f"h{number}.test", Kind.SRV) for number in range(9)]
    waiting = [asyncio.ensure_future(bench.records.fetch(question)) for question in questions[:8]]
    await asyncio.wait(waiting, timeout=0)
    assert await bench.records.fetch(questions[8]) == ()
    assert bench.records.cached(questions[8]) is None, "it was not asked, so nothing was learned"
    await asyncio.gather(*waiting)


@pytest.mark.parametrize("host", ["a..b", "x" * 300, "-", "sp ace.invalid", "\x00"])
async def test_names_that_are_none_lead_nowhere(bench: Bench, host: str) -> None:
    assert await bench.resolver.locate(sip(host, None, None)) == ()
