"""TCP connections on loopback, under both event loops."""

from __future__ import annotations

import asyncio
import math
import socket

import pytest

from sip_edge.adapters.counters import IoCounters, IoDrop
from sip_edge.adapters.tcp import TcpConnections, TcpLimits, bind_tcp
from sip_edge.domain.ports import Address
from support.loops import LOOPS, LoopFactory, run, until

pytestmark = pytest.mark.parametrize("factory", LOOPS)


class Core:
    """Stands for the core: names connections and remembers what it was told."""

    def __init__(self) -> None:
        self.refuse = False
        self.opened: list[tuple[str, str, Address]] = []
        self.streams: dict[str, bytes] = {}
        self.closed: list[str] = []
        self.incomplete: dict[str, float] = {}

    def flow_opened(self, listener: str, peer: Address, now: float) -> str | None:
        if self.refuse:
            return None
        flow = f"in{len(self.opened)}"
        self.opened.append((flow, listener, peer))
        return flow

    def receive_stream(self, flow: str, data: bytes, now: float) -> None:
        self.streams[flow] = self.streams.get(flow, b"") + data

    def flow_closed(self, flow: str, now: float) -> None:
        self.closed.append(flow)

    def incomplete_since(self, flow: str) -> float:
        return self.incomplete.get(flow, math.inf)


LIMITS = TcpLimits()


class End:
    """One edge's connections."""

    def __init__(self, limits: TcpLimits = LIMITS) -> None:
        self.core = Core()
        self.counters = IoCounters()
        self.batches = 0
        self.tcp = TcpConnections(
            asyncio.get_running_loop(),
            self.core,
            batch_done=self._batch_done,
            counters=self.counters,
            limits=limits,
        )

    def _batch_done(self) -> None:
        self.batches += 1


async def listening(host: str = "127.0.0.1", limits: TcpLimits = LIMITS) -> tuple[End, Address]:
    end = End(limits)
    return end, await end.tcp.listen("tcp", bind_tcp(host, 0))


def dead_address() -> Address:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return "127.0.0.1", int(sock.getsockname()[1])


def drops(end: End) -> dict[IoDrop, int]:
    return {reason: end.counters.drops[reason] for reason in IoDrop if end.counters.drops[reason]}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_carries_bytes_both_ways(factory: LoopFactory, host: str) -> None:
    async def main() -> None:
        (server, address), client = await listening(host), End()
        client.tcp.connect("out", "tcp", address)
        client.tcp.send("out", b"before it is up, ")
        client.tcp.send("out", b"all in order")
        await until(lambda: server.core.streams.get("in0") == b"before it is up, all in order")
        assert server.core.opened[0][:2] == ("in0", "tcp")
        assert server.core.opened[0][2][0] == host
        server.tcp.send("in0", b"answer")
        await until(lambda: client.core.streams.get("out") == b"answer")
        assert server.batches > 0
        assert client.batches > 0
        assert (server.counters.connections, client.counters.connections) == (1, 1)
        client.tcp.disconnect("out")
        await until(lambda: server.core.closed == ["in0"])
        assert client.core.closed == [], "who closes is not told"
        await until(lambda: server.counters.connections == client.counters.connections == 0)
        await client.tcp.close()
        await server.tcp.close()

    run(factory, main())


def test_sends_what_was_queued_before_it_disconnects(factory: LoopFactory) -> None:
    async def main() -> None:
        (server, address), client = await listening(), End()
        client.tcp.connect("out", "tcp", address)
        await until(lambda: bool(server.core.opened))
        client.tcp.send("out", b"x" * 300_000)
        client.tcp.disconnect("out")
        await until(lambda: server.core.closed == ["in0"])
        assert len(server.core.streams["in0"]) == 300_000
        await client.tcp.close()
        await server.tcp.close()

    run(factory, main())


def test_calls_from_the_address_of_the_listener(factory: LoopFactory) -> None:
    async def main() -> None:
        (server, address), (client, _) = await listening(), await listening("127.0.0.2")
        client.tcp.connect("out", "tcp", address)
        await until(lambda: bool(server.core.opened))
        assert server.core.opened[0][2][0] == "127.0.0.2"
        await client.tcp.close()
        await server.tcp.close()

    run(factory, main())


def test_tells_a_failed_connection(factory: LoopFactory) -> None:
    async def main() -> None:
        client = End()
        client.tcp.connect("out", "tcp", dead_address())
        client.tcp.send("out", b"never")
        assert client.core.closed == [], "not before connect returns"
        await until(lambda: client.core.closed == ["out"])
        assert drops(client) == {IoDrop.TCP_CONNECT_FAILED: 1}
        client.tcp.send("out", b"gone")
        assert client.counters.drops[IoDrop.TCP_NO_CONNECTION] == 1
        await client.tcp.close()

    run(factory, main())


def test_gives_up_a_connection_that_does_not_come_up(factory: LoopFactory) -> None:
    async def main() -> None:
        client = End(TcpLimits(connect_timeout=0.05))
        with socket.socket() as full:
            # Nobody accepts, and the queue of one is taken: further ones get no answer.
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            address = full.getsockname()
            for number in range(5):
                client.tcp.connect(f"out{number}", "tcp", address)
            await until(lambda: len(client.core.closed) >= 3)
        await client.tcp.close()

    run(factory, main())


def test_disconnecting_while_it_comes_up(factory: LoopFactory) -> None:
    async def main() -> None:
        (server, address), client = await listening(), End()
        client.tcp.connect("out", "tcp", address)
        client.tcp.disconnect("out")
        client.tcp.connect("again", "tcp", address)
        client.tcp.send("again", b"hello")
        await until(lambda: b"hello" in server.core.streams.values())
        assert client.core.closed == []
        await client.tcp.close()
        await server.tcp.close()

    run(factory, main())


def test_refuses_what_the_core_does_not_want(factory: LoopFactory) -> None:
    async def main() -> None:
        (server, address), client = await listening(), End()
        server.core.refuse = True
        client.tcp.connect("out", "tcp", address)
        await until(lambda: client.core.closed == ["out"])
        assert drops(server) == {IoDrop.TCP_REFUSED: 1}
        assert server.core.closed == []
        await client.tcp.close()
        await server.tcp.close()

    run(factory, main())


def test_connections_are_bounded(factory: LoopFactory) -> None:
    async def main() -> None:
        (server, address), client = (
            await listening(limits=TcpLimits(connections=1)),
            End(TcpLimits(connections=2)),
        )
        for number in range(3):
            client.tcp.connect(f"out{number}", "tcp", address)
        await until(lambda: len(client.core.closed) == 2)
        assert drops(client) == {IoDrop.TCP_REFUSED: 1}
        assert drops(server) == {IoDrop.TCP_REFUSED: 1}
        await client.tcp.close()
        await server.tcp.close()

    run(factory, main())


@pytest.mark.parametrize("up", [True, False])
def test_closes_a_peer_that_does_not_read(factory: LoopFactory, up: bool) -> None:
    async def main() -> None:
        client = End(TcpLimits(unsent_bytes=100_000))
        with socket.socket() as peer:
            peer.bind(("127.0.0.1", 0))
            peer.listen(1)
            client.tcp.connect("out", "tcp", peer.getsockname())
            if up:
                await until(lambda: client.counters.connections == 1)
            for _ in range(1000):
                client.tcp.send("out", b"x" * 60_000)
            await until(lambda: client.core.closed == ["out"])
        assert client.counters.drops[IoDrop.TCP_UNSENT_LIMIT] >= 1
        await client.tcp.close()

    run(factory, main())


def test_sweeps_away_the_silent(factory: LoopFactory) -> None:
    async def main() -> None:
        limits = TcpLimits(idle_timeout=100.0)
        (server, address), client = await listening(limits=limits), End()
        client.tcp.connect("out", "tcp", address)
        client.tcp.send("out", b"INVITE sip:")
        await until(lambda: bool(server.core.streams))
        now = asyncio.get_running_loop().time()
        server.tcp.sweep(now + 99)
        assert drops(server) == {}
        server.tcp.sweep(now + 101)
        await until(lambda: server.core.closed == ["in0"])
        await until(lambda: client.core.closed == ["out"])
        assert drops(server) == {IoDrop.TCP_IDLE: 1}
        await client.tcp.close()
        await server.tcp.close()

    run(factory, main())


def test_sweeps_away_messages_without_end(factory: LoopFactory) -> None:
    async def main() -> None:
        (server, address), client = await listening(limits=TcpLimits(message_timeout=15.0)), End()
        client.tcp.connect("out", "tcp", address)
        client.tcp.send("out", b"INVITE sip:")
        await until(lambda: bool(server.core.streams))
        now = asyncio.get_running_loop().time()
        server.core.incomplete["in0"] = now
        server.tcp.sweep(now + 14)
        assert drops(server) == {}
        server.tcp.sweep(now + 15)
        await until(lambda: server.core.closed == ["in0"])
        assert drops(server) == {IoDrop.TCP_INCOMPLETE: 1}
        await client.tcp.close()
        await server.tcp.close()

    run(factory, main())


def test_the_address_can_be_taken_again_at_once(factory: LoopFactory) -> None:
    async def main() -> None:
        (server, address), client = await listening(), End()
        client.tcp.connect("out", "tcp", address)
        await until(lambda: bool(server.core.opened))
        await server.tcp.close()
        await until(lambda: client.core.closed == ["out"])
        second = End()
        assert await second.tcp.listen("tcp", bind_tcp(*address)) == address
        await second.tcp.close()
        await client.tcp.close()

    run(factory, main())
