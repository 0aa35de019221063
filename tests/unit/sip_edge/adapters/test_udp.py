"""UDP sockets on loopback, under both event loops."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Any

import pytest

from sip_edge.adapters.counters import IoCounters, IoDrop
from sip_edge.adapters.udp import UdpSocket, bind_udp
from sip_edge.domain.ports import Address
from support.loops import LOOPS, LoopFactory, run, until

pytestmark = pytest.mark.parametrize("factory", LOOPS)


class End:
    """One socket and what it was told."""

    def __init__(self, host: str = "127.0.0.1", max_queue: int = 10, sock: Any = None) -> None:
        self.received: list[tuple[str, bytes, Address]] = []
        self.unreachable: list[Address] = []
        self.batches = 0
        self.counters = IoCounters()
        self.udp = UdpSocket(
            asyncio.get_running_loop(),
            sock or bind_udp(host, 0),
            "listener",
            receive=lambda listener, data, source, _now: self.received.append((listener, data, source)),
            batch_done=self._batch_done,
            unreachable=self.unreachable.append,
            counters=self.counters,
            max_queue=max_queue,
        )
        self.address = self.udp.address

    def _batch_done(self) -> None:
        self.batches += 1


class Full:
    """A socket whose kernel buffer is full until told otherwise."""

    def __init__(self) -> None:
        self.inner = bind_udp("127.0.0.1", 0)
        self.full = True

    def sendto(self, data: bytes, address: Address) -> int:
        if self.full:
            raise BlockingIOError(errno.EAGAIN, "full")
        return self.inner.sendto(data, address)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_carries_datagrams(factory: LoopFactory, host: str) -> None:
    async def main() -> None:
        one, two = End(host), End(host)
        for number in range(100):
            one.udp.send(b"%d" % number, two.address)
        await until(lambda: len(two.received) == 100)
        assert two.received[7] == ("listener", b"7", one.address)
        assert 1 <= two.batches <= 100
        assert (one.counters.sent, two.counters.received) == (100, 100)
        one.udp.close()
        two.udp.close()

    run(factory, main())


def test_a_batch_is_bounded(factory: LoopFactory) -> None:
    async def main() -> None:
        end = End()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for _ in range(130):
                sock.sendto(b"x", end.address)
        await until(lambda: len(end.received) == 130)
        assert end.batches >= 3
        end.udp.close()

    run(factory, main())


def test_tells_who_is_unreachable_and_goes_on(factory: LoopFactory) -> None:
    async def main() -> None:
        end, peer = End(), End()
        for _ in range(3):
            nobody = ("127.0.0.1", free_port())
            end.udp.send(b"anybody?", nobody)
            await until(lambda: bool(end.unreachable))
            assert end.unreachable == [nobody]
            end.unreachable.clear()
            peer.udp.send(b"still there?", end.address)
            end.udp.send(b"yes", peer.address)
            await until(lambda: len(end.received) == len(peer.received) == 1)
            end.received.clear()
            peer.received.clear()
        assert end.counters.icmp_errors == 3
        end.udp.close()
        peer.udp.close()

    run(factory, main())


def test_many_errors_at_once_do_not_deafen_it(factory: LoopFactory) -> None:
    async def main() -> None:
        end, peer = End(), End()
        nobody = ("127.0.0.1", free_port())
        for _ in range(200):
            end.udp.send(b"anybody?", nobody)
            peer.udp.send(b"x", end.address)
        await until(lambda: len(end.received) == 200)
        peer.udp.send(b"last", end.address)
        await until(lambda: len(end.received) == 201)
        end.udp.close()
        peer.udp.close()

    run(factory, main())


def test_what_the_kernel_refuses_to_send_is_counted(factory: LoopFactory) -> None:
    async def main() -> None:
        end = End()
        end.udp.send(b"x", ("127.0.0.1", 0))
        end.udp.send(b"x" * 70_000, end.address)
        end.udp.send(b"x", ("::1", 5060))
        assert end.counters.drops[IoDrop.UDP_SEND_FAILED] == 3
        end.udp.close()

    run(factory, main())


def test_waits_for_room_and_keeps_the_order(factory: LoopFactory) -> None:
    async def main() -> None:
        sock = Full()
        end, peer = End(sock=sock, max_queue=3), End()
        for number in range(4):
            end.udp.send(b"%d" % number, peer.address)
        assert end.counters.drops[IoDrop.UDP_QUEUE_FULL] == 1
        sock.full = False
        end.udp.send(b"late", peer.address)
        await until(lambda: len(peer.received) == 3)
        end.udp.send(b"next", peer.address)
        await until(lambda: len(peer.received) == 4)
        assert [data for _, data, _ in peer.received] == [b"0", b"1", b"2", b"next"]
        end.udp.close()
        peer.udp.close()

    run(factory, main())


def test_a_failing_receiver_does_not_stop_the_socket(factory: LoopFactory) -> None:
    async def main() -> None:
        taken: list[bytes] = []
        problems: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: problems.append(context["exception"]))

        def receive(_listener: str, data: bytes, _source: Address, _now: float) -> None:
            taken.append(data)
            if data == b"bad":
                raise ValueError("a bug")

        udp = UdpSocket(
            loop,
            bind_udp("127.0.0.1", 0),
            "u",
            receive=receive,
            batch_done=lambda: None,
            unreachable=lambda _: None,
            counters=IoCounters(),
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for data in (b"bad", b"good"):
                sock.sendto(data, udp.address)
        await until(lambda: taken == [b"bad", b"good"])
        assert len(problems) == 1
        udp.close()

    run(factory, main())
