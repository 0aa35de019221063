"""UDP on all addresses: loopback has as many as we like."""

from __future__ import annotations

import asyncio

import pytest

from sip_edge.adapters.counters import IoCounters
from sip_edge.adapters.udp import UdpSocket, bind_udp
from sip_edge.adapters.wildcard import SourceAddresses, WildcardUdpSocket
from sip_edge.domain.ports import Address
from support.loops import LOOPS, LoopFactory, run, until


def echo(host: str) -> WildcardUdpSocket:
    """A socket that sends everything back."""
    loop = asyncio.get_running_loop()
    udp = WildcardUdpSocket(
        loop,
        bind_udp(host, 0),
        "all",
        receive=lambda _listener, data, source, _now: udp.send(data, source),
        batch_done=lambda: None,
        unreachable=lambda _: None,
        counters=IoCounters(),
    )
    udp.watch_destinations(SourceAddresses(loop.time))
    return udp


class Peer:
    """Sends, and tells where the echo comes from."""

    def __init__(self, host: str) -> None:
        self.heard: list[tuple[bytes, Address]] = []
        self.udp = UdpSocket(
            asyncio.get_running_loop(),
            bind_udp(host, 0),
            "peer",
            receive=lambda _listener, data, source, _now: self.heard.append((data, source)),
            batch_done=lambda: None,
            unreachable=lambda _: None,
            counters=IoCounters(),
        )

    async def hear(self) -> tuple[bytes, Address]:
        await until(lambda: bool(self.heard))
        return self.heard.pop(0)


@pytest.mark.parametrize("factory", LOOPS)
@pytest.mark.parametrize(
    ("wildcard", "addresses"),
    [("0.0.0.0", ("127.0.0.1", "127.0.0.5", "127.0.0.1", "127.0.0.6")), ("::", ("::1",))],
)
def test_answers_from_the_address_that_was_asked(
    factory: LoopFactory, wildcard: str, addresses: tuple[str, ...]
) -> None:
    async def main() -> None:
        udp = echo(wildcard)
        peer = Peer(addresses[0])
        for address in addresses:
            asked = (address, udp.address[1])
            peer.udp.send(address.encode(), asked)
            assert await peer.hear() == (address.encode(), asked)
        peer.udp.close()
        udp.close()

    run(factory, main())


@pytest.mark.parametrize("factory", LOOPS)
def test_an_address_that_has_gone_is_forgotten(factory: LoopFactory) -> None:
    async def main() -> None:
        udp = echo("0.0.0.0")
        peer = Peer("127.0.0.1")
        peer.udp.send(b"x", ("127.0.0.5", udp.address[1]))
        await peer.hear()
        # As if 127.0.0.5 had moved away: an address that is not of this host.
        (level, kind, info), *_ = udp._replies[peer.udp.address]
        moved = info[:4] + bytes([192, 0, 2, 1]) + info[8:]
        udp._replies[peer.udp.address] = [(level, kind, moved)]
        udp.send(b"still", peer.udp.address)
        assert await peer.hear() == (b"still", ("127.0.0.1", udp.address[1]))
        peer.udp.close()
        udp.close()

    run(factory, main())


@pytest.mark.parametrize("factory", LOOPS)
def test_finds_the_source_address_and_remembers_it(factory: LoopFactory) -> None:
    async def main() -> None:
        now = 0.0
        sources = SourceAddresses(lambda: now, lifetime=30.0, limit=2)
        assert sources.towards("127.0.0.9") == "127.0.0.1"
        assert sources.towards("::1") == "::1"
        assert sources.towards("255.255.255.255") == "", "a broadcast is no peer"
        now = 31.0
        assert sources.towards("127.0.0.9") == "127.0.0.1"

    run(factory, main())
