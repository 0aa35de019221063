"""A whole edge on loopback sockets, with a link that only takes notes in place of call-control."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain import Address, EdgeConfig, Lifecycle
from sip_edge.domain.drop_reasons import DropReason
from sip_edge.service import EdgeService, IoOptions
from sipcore.timers import Timers
from support.loops import LOOPS, LoopFactory, run, until
from support.name_server import NameServer
from svckit.errors import StartError
from svckit.identity import Identity
from svckit.listen import parse_listeners

pytestmark = pytest.mark.parametrize("factory", LOOPS)

IDENTITY = Identity(b"a key of the tests, 32 bytes long", salt=b"salt", shards=4)
KEY = IDENTITY.call_key("call", "tag", 1, "peer", "z9hG4bKpeer")


class Notes:
    """The link: keeps events."""

    def __init__(self) -> None:
        self.events: list[edge_pb2.Event] = []
        self.finished: list[int] = []

    def submit(self, event: edge_pb2.Event) -> None:
        self.events.append(event)

    def done(self, refs: Sequence[edge_pb2.CommandRef]) -> None:
        self.finished += [ref.id for ref in refs]

    def may_open_call(self) -> bool:
        return True

    def of_kind(self, kind: str) -> list[Any]:
        return [getattr(event, kind) for event in self.events if event.WhichOneof("kind") == kind]


class Bench:
    """One edge and what its link was told."""

    def __init__(self, listen: str, **io: Any) -> None:
        self.link = Notes()
        self._commands = 0
        config = EdgeConfig(
            edge_id="edge", boot=1, listeners=(), timers=Timers(t1=0.02, t2=0.08, t4=0.1, d=0.2)
        )
        self.edge = EdgeService(config, parse_listeners(listen), self.link, io=IoOptions(**io))

    def address(self, transport: str) -> Address:
        return next(bound for name, bound in self.edge.bound.items() if name.startswith(transport))

    def execute(self, **kind: Any) -> None:
        self._commands += 1
        self.edge.execute(edge_pb2.Command(id=self._commands, call_key=KEY, **kind))


@asynccontextmanager
async def bench(listen: str, *, greeted: bool = True, **io: Any) -> AsyncIterator[Bench]:
    one = Bench(listen, **io)
    await one.edge.start()
    if greeted:
        one.edge.greeted(IDENTITY, ["user-agent"])
    try:
        yield one
    finally:
        await one.edge.stop()


_phones: list[Phone] = []


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    yield
    while _phones:
        _phones.pop().sock.close()


class Phone:
    """A UDP socket that speaks in whole texts; closed at the end of the test."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind((host, 0))
        _phones.append(self)
        self.host, self.port = self.sock.getsockname()[:2]
        self.at = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    def request(
        self,
        method: str,
        branch: str = "z9hG4bKone",
        *,
        transport: str = "UDP",
        to_tag: str = "",
        extra: str = "",
    ) -> bytes:
        to_tag = to_tag and f";tag={to_tag}"
        return (
            f"{method} sip:number@example.test SIP/2.0\r\n"
            f"Via: SIP/2.0/{transport} {self.at};branch={branch}\r\n"
            "Max-Forwards: 70\r\n"
            "From: <sip:phone@example.test>;tag=phone\r\n"
            f"To: <sip:number@example.test>{to_tag}\r\n"
            "Call-ID: call\r\n"
            f"CSeq: 1 {method}\r\n"
            f"Contact: <sip:phone@{self.at}>\r\n"
            f"{extra}Content-Length: 0\r\n\r\n"
        ).encode()

    def send(self, data: bytes, address: Address) -> None:
        self.sock.sendto(data, address)

    async def receive(self) -> str:
        async with asyncio.timeout(5):
            return (await asyncio.get_running_loop().sock_recv(self.sock, 65535)).decode()

    async def hear(self, start: str) -> str:
        while not (text := await self.receive()).startswith(start):
            pass
        return text


def invitation(uri: str, counter: int = 1) -> edge_pb2.SendRequest:
    return edge_pb2.SendRequest(
        method="INVITE",
        request_uri=uri,
        branch=IDENTITY.branch(KEY, 1, counter),
        call_id="egress",
        from_tag=IDENTITY.tag(KEY, 1),
        from_value="<sip:caller@@local>",
        to_value=f"<{uri}>",
        cseq=1,
        max_forwards=70,
        contact=True,
        target=edge_pb2.Target(uri=uri),
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "0.0.0.0", "[::]"])
def test_answers_a_probe_over_udp(factory: LoopFactory, host: str) -> None:
    async def main() -> None:
        async with bench(f"udp:{host}:0") as edge:
            phone = Phone("::1" if ":" in host else "127.0.0.1")
            phone.send(phone.request("OPTIONS"), (phone.host, edge.address("udp")[1]))
            assert (await phone.receive()).startswith("SIP/2.0 200 ")

    run(factory, main())


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_answers_on_the_connection(factory: LoopFactory, host: str) -> None:
    async def main() -> None:
        async with bench(f"tcp:{host}:0") as edge:
            phone = Phone(host.strip("[]"))
            reader, writer = await asyncio.open_connection(*edge.address("tcp"))
            request = phone.request("OPTIONS", transport="TCP")
            writer.write(b"\r\n\r\n" + request[:40])
            async with asyncio.timeout(5):
                assert await reader.readexactly(2) == b"\r\n"
                writer.write(request[40:] + request.replace(b"z9hG4bKone", b"z9hG4bKtwo"))
                for _ in range(2):
                    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"SIP/2.0 200 ")
            writer.close()
            await writer.wait_closed()
            await until(lambda: edge.edge.core.open_flows == 0)

    run(factory, main())


def test_carries_a_call_in(factory: LoopFactory) -> None:
    async def main() -> None:
        async with bench("udp:127.0.0.1:0") as edge:
            phone = Phone()
            tag = IDENTITY.tag(KEY, 0)
            phone.send(phone.request("INVITE", extra="User-Agent: phone\r\n"), edge.address("udp"))
            await phone.hear("SIP/2.0 100 ")
            (request,) = edge.link.of_kind("request")
            assert request.headers[0].value == "phone"
            respond = edge_pb2.Respond(status=200, reason="OK", to_tag=tag, contact=True)
            respond.transaction = request.transaction
            edge.execute(respond=respond)
            ok = await phone.hear("SIP/2.0 200 ")
            assert f"Contact: <sip:127.0.0.1:{edge.address('udp')[1]}>" in ok
            assert await phone.receive() == ok, "repeated by the timer until acknowledged"
            phone.send(phone.request("ACK", "z9hG4bKack", to_tag=tag), edge.address("udp"))
            await until(lambda: edge.link.events[-1].request.origin.method == "ACK")

    run(factory, main())


def test_places_a_call_to_a_name(factory: LoopFactory) -> None:
    async def main() -> None:
        phone = Phone()
        zone = {
            ("_sip._udp.example.test", "SRV"): [f"1 1 {phone.port} phone.example.test."],
            ("phone.example.test", "A"): ["127.0.0.1"],
        }
        server = NameServer(zone)
        async with bench("udp:0.0.0.0:0", dns_servers=(await server.start(),)) as edge:
            edge.execute(send_request=invitation("sip:number@example.test"))
            text = await phone.hear("INVITE sip:number@example.test SIP/2.0")
            assert f"Via: SIP/2.0/UDP 127.0.0.1:{edge.address('udp')[1]};" in text
            (sent,) = edge.link.of_kind("sent")
            assert sent.sent.address.port == phone.port
            edge.execute(send_request=invitation("sip:number@example.test", 2))
            assert len(edge.link.of_kind("sent")) == 2, "from the cache, at once"
        server.close()

    run(factory, main())


def test_a_dead_next_hop_is_known_at_once(factory: LoopFactory) -> None:
    async def main() -> None:
        phone = Phone()
        phone.sock.close()
        async with bench("udp:127.0.0.1:0,tcp:127.0.0.1:0") as edge:
            edge.execute(send_request=invitation(f"sip:number@127.0.0.1:{phone.port}"))
            await until(lambda: bool(edge.link.of_kind("response")), 0.5)
            (response,) = edge.link.of_kind("response")
            assert response.local
            edge.execute(send_request=invitation(f"sip:number@127.0.0.1:{phone.port};transport=tcp", 2))
            await until(lambda: len(edge.link.of_kind("response")) == 2)

    run(factory, main())


def test_places_a_call_over_tcp_and_keeps_the_connection(factory: LoopFactory) -> None:
    async def main() -> None:
        accepted: list[asyncio.StreamReader] = []
        writers: list[asyncio.StreamWriter] = []

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted.append(reader)
            writers.append(writer)

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with bench("tcp:127.0.0.1:0") as edge:
            for counter in (1, 2):
                uri = f"sip:number@127.0.0.1:{port};transport=tcp"
                edge.execute(send_request=invitation(uri, counter))
                await until(lambda: bool(accepted))
                async with asyncio.timeout(5):
                    assert (await accepted[0].readuntil(b"\r\n\r\n")).startswith(b"INVITE ")
            assert len(accepted) == 1
            for writer in writers:
                writer.close()
                await writer.wait_closed()
            await until(lambda: len(edge.link.of_kind("response")) == 2)
        server.close()

    run(factory, main())


def test_serves_nothing_before_the_greeting(factory: LoopFactory) -> None:
    async def main() -> None:
        async with bench("udp:127.0.0.1:0", greeted=False) as edge:
            phone = Phone()
            phone.send(phone.request("OPTIONS"), edge.address("udp"))
            assert (await phone.receive()).startswith("SIP/2.0 503 ")
            assert edge.edge.core.counters.drops[DropReason.NOT_GREETED] == 1
            assert not edge.edge.core.admission.ready
            edge.edge.greeted(IDENTITY, [])
            assert edge.edge.core.admission.ready
            phone.send(phone.request("OPTIONS"), edge.address("udp"))
            assert (await phone.receive()).startswith("SIP/2.0 200 ")

    run(factory, main())


def test_drains_in_two_steps(factory: LoopFactory) -> None:
    async def main() -> None:
        async with bench("udp:127.0.0.1:0") as edge:
            phone = Phone()
            drain = asyncio.ensure_future(edge.edge.drain(shift=0.2))
            await until(lambda: edge.edge.core.admission.state is Lifecycle.SHIFTING)
            phone.send(phone.request("OPTIONS", "z9hG4bKprobe"), edge.address("udp"))
            await phone.hear("SIP/2.0 503 ")
            phone.send(phone.request("INVITE", "z9hG4bKcall"), edge.address("udp"))
            await phone.hear("SIP/2.0 100 ")
            await until(lambda: edge.edge.core.admission.state is Lifecycle.DRAINING)
            phone.send(phone.request("INVITE", "z9hG4bKlate"), edge.address("udp"))
            refusal = await phone.hear("SIP/2.0 503 ")
            assert "Retry-After:" in refusal
            assert not drain.done(), "a caller still waits"
            (request,) = edge.link.of_kind("request")
            edge.execute(
                respond=edge_pb2.Respond(
                    transaction=request.transaction, status=486, reason="Busy Here", to_tag="x"
                )
            )
            async with asyncio.timeout(5):
                await drain

    run(factory, main())


def test_open_connections_may_prolong_the_drain(factory: LoopFactory) -> None:
    async def main() -> None:
        async with bench("tcp:127.0.0.1:0") as edge:
            _, writer = await asyncio.open_connection(*edge.address("tcp"))
            await until(lambda: edge.edge.core.open_flows == 1)
            drain = asyncio.ensure_future(edge.edge.drain(flows=60.0))
            await until(lambda: edge.edge.core.admission.state is Lifecycle.DRAINING)
            await asyncio.wait((drain,), timeout=0.12)
            assert not drain.done()
            writer.close()
            await writer.wait_closed()
            async with asyncio.timeout(5):
                await drain

    run(factory, main())


def test_an_address_in_use_is_one_clear_error(factory: LoopFactory) -> None:
    async def main() -> None:
        async with bench("udp:127.0.0.1:0") as edge:
            port = edge.address("udp")[1]
            second = Bench(f"tcp:127.0.0.1:0,udp:127.0.0.1:{port}")
            with pytest.raises(StartError, match=f"cannot listen on udp:127.0.0.1:{port}: .*in use"):
                await second.edge.start()
            await second.edge.stop()

    run(factory, main())


def test_shows_each_network_its_own_address(factory: LoopFactory) -> None:
    async def main() -> None:
        phone = Phone()
        listen = (
            "udp:127.0.0.1:0;advertise=192.0.2.1:5070;contact=sip.example.test;for=127.0.0.0/8,"
            "udp:127.0.0.1:0;advertise=192.0.2.2;for=127.0.0.1/32,"
            "udp:127.0.0.1:0;advertise=192.0.2.3"
        )
        async with bench(listen) as edge:
            edge.execute(send_request=invitation(f"sip:number@127.0.0.1:{phone.port}"))
            text = await phone.hear("INVITE ")
            port = edge.address("udp")[1]
            assert f"Via: SIP/2.0/UDP 192.0.2.2:{port};" in text

    run(factory, main())


@pytest.mark.parametrize(("options", "heard"), [("", False), (";nat=yes", True), (";nat=no", False)])
def test_answers_a_peer_behind_a_nat_where_it_sends_from(
    factory: LoopFactory, options: str, heard: bool
) -> None:
    async def main() -> None:
        phone = Phone()
        listen = f"udp:127.0.0.1:0;for=127.0.0.0/8{options}"
        async with bench(listen) as edge:
            data = phone.request("OPTIONS").replace(f"UDP {phone.at}".encode(), b"UDP 10.0.0.5:5062")
            phone.send(data, edge.address("udp"))
            # Without NAT traversal this one is answered first.
            phone.send(phone.request("OPTIONS", "z9hG4bKtwo"), edge.address("udp"))
            text = await phone.hear("SIP/2.0 200")
            assert ("branch=z9hG4bKone" in text) is heard

    run(factory, main())
