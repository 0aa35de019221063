"""Messages as an observer sees them: whole, each once, in both directions."""

from __future__ import annotations

import asyncio
import random
import socket
import time

from hypothesis import given
from hypothesis import strategies as st

from b2bua.edge.v1 import edge_pb2
from sip_edge.adapters.observed import LARGEST, Framing
from sip_edge.domain import EdgeConfig
from sip_edge.service import EdgeService
from sipcore.testing.builders import request
from support.edge_world import IDENTITY, FakeLink, call_key, outgoing
from svckit.listen import parse_listeners

WHOLE = b"OPTIONS sip:h SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"
SHORT = b"SIP/2.0 200 OK\r\nl : 2\r\n\r\nok"
BARE = b"ACK sip:h SIP/2.0\r\nCall-ID: x\r\n\r\n"
LINES = b"BYE sip:h SIP/2.0\ncontent-length:1\n\nx"


@given(st.lists(st.sampled_from([WHOLE, SHORT, BARE, LINES]), max_size=8), st.randoms(use_true_random=False))
def test_messages_come_out_whole_however_they_come_in(messages: list[bytes], chance: random.Random) -> None:
    stream = b"".join(message + chance.choice((b"", b"\r\n\r\n")) for message in messages)
    framing, found = Framing(), []
    while stream:
        cut = chance.randint(1, 40)
        found += framing.receive(stream[:cut])
        stream = stream[cut:]
    assert found == messages


@given(st.binary(max_size=300))
def test_anything_may_come_in(data: bytes) -> None:
    Framing().receive(data)


def test_a_message_that_is_too_long_is_left_out() -> None:
    framing = Framing()
    long = b"X sip:h SIP/2.0\r\nContent-Length: %d\r\n\r\n" % LARGEST
    assert framing.receive(long + b"y" * 10) == []
    assert framing.receive(b"y" * (LARGEST - 10) + WHOLE) == [WHOLE]


def test_after_a_head_without_end_nothing_is_shown() -> None:
    framing = Framing()
    assert framing.receive(b"x" * (LARGEST + 1)) == []
    assert framing.receive(WHOLE) == []


def test_a_trickle_takes_linear_time() -> None:
    framing = Framing()
    before = time.process_time()
    for _ in range(60_000):
        framing.receive(b"x")
    assert time.process_time() - before < 2.0


class Watcher:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, bytes, tuple[str, int]]] = []

    def received(self, transport: str, data: bytes, peer: tuple[str, int]) -> None:
        self.seen.append(("in", transport, data, peer))

    def sending(self, transport: str, data: bytes, peer: tuple[str, int]) -> None:
        self.seen.append(("out", transport, data, peer))


def listening(watcher: Watcher | None, transport: str) -> EdgeService:
    config = EdgeConfig(edge_id="e", boot=1, listeners=())
    return EdgeService(config, parse_listeners(f"{transport}:127.0.0.1:0"), FakeLink(), observer=watcher)


PING = request("OPTIONS", via="SIP/2.0/UDP 127.0.0.1", branch="z9hG4bK-2")


async def test_datagrams() -> None:
    watcher = Watcher()
    edge = listening(watcher, "udp")
    await edge.start()
    edge.greeted(IDENTITY, ())
    ((_, address),) = edge.bound.items()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.setblocking(False)
        peer.sendto(b"\r\n\r\n", address)
        peer.sendto(PING, address)
        answer = await asyncio.get_running_loop().sock_recv(peer, 65_535)
        assert watcher.seen == [
            ("in", "udp", PING, peer.getsockname()),
            ("out", "udp", answer, peer.getsockname()),
        ]
    await edge.stop()


async def test_connections() -> None:
    watcher = Watcher()
    edge = listening(watcher, "tcp")
    await edge.start()
    edge.greeted(IDENTITY, ())
    ((_, address),) = edge.bound.items()
    reader, writer = await asyncio.open_connection(*address)
    peer = writer.get_extra_info("sockname")
    writer.write(b"\r\n\r\n" + PING[:50])
    assert await reader.readexactly(2) == b"\r\n"
    writer.write(PING[50:])
    answer = await reader.readuntil(b"\r\n\r\n")
    assert watcher.seen == [("in", "tcp", PING, peer), ("out", "tcp", answer, peer)]
    writer.close()
    await edge.stop()


async def test_nobody_watches() -> None:
    edge = listening(None, "udp")
    await edge.start()
    edge.greeted(IDENTITY, ())
    ((_, address),) = edge.bound.items()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.setblocking(False)
        peer.sendto(PING, address)
        assert b" 200 " in await asyncio.get_running_loop().sock_recv(peer, 65_535)
    await edge.stop()


async def test_connections_that_we_make() -> None:
    watcher = Watcher()
    heard = asyncio.get_running_loop().create_future()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set_result(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(peer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    edge = listening(watcher, "tcp")
    await edge.start()
    edge.greeted(IDENTITY, ())
    asked = outgoing(call_key(), target={"uri": f"sip:bob@127.0.0.1:{port};transport=tcp"})
    edge.execute(edge_pb2.Command(id=1, call_key=call_key(), send_request=asked))
    sent = await heard
    assert watcher.seen == [("out", "tcp", sent, ("127.0.0.1", port))]
    await edge.stop()
    server.close()
