"""CPU per item and side on the streams between edge and call-control, in batches of 1, 4 and 8.

An item is one event (about 700 bytes) or one command (about 400 bytes, with the acknowledgement of its
event), so an event that is answered makes two. Two processes on loopback. What a side pays for gRPC,
protobuf, delivery and credits is in it; SIP and the call machine are not. First rounds of one batch without
lingering: submit, wait for all commands, again. Then events at a steady rate, with and without lingering: the
machine is mostly idle, and waking up is a good part of the cost.

    python benchmarks/micro/bench_link.py [rounds]
"""

import asyncio
import json
import logging
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection

import structlog
import uvloop

from b2bua.callcontrol.v1.edge_link_pb2 import Greeting
from b2bua.common.v1.sip_pb2 import Body, Header
from b2bua.edge.v1.edge_pb2 import Command, CommandRef, EdgeRef, Event, Origin, RequestEvent, Respond
from call_control.adapters.edge_streams import EdgeStreams, StreamSettings
from call_control.domain.ports import EdgePort
from call_control.rpc import EdgeLinkServicer
from sip_edge.adapters.call_control import CallControlLink, LinkSettings
from svckit import rpc

BATCHES = (1, 4, 8)
RATES = (500, 2000)
Result = dict[str, float]
EDGE = EdgeRef(edge_id="edge-0", boot=1)
SDP = b"a=rtpmap:8 PCMA/8000\r\n" * 10


def invite(number: int) -> Event:
    """Return an event as an edge makes it of a plain INVITE."""
    origin = Origin(
        via=["SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnashds8;rport=5060;received=192.0.2.1"],
        from_value='"Alice" <sip:alice@example.com>;tag=1928301774',
        to_value="<sip:bob@example.net>",
        call_id=f"a84b4c76e66710-{number}@192.0.2.1",
        cseq=314159,
        method="INVITE",
        listener="udp",
    )
    request = RequestEvent(
        origin=origin,
        transaction="z9hG4bKnashds8 192.0.2.1:5060 INVITE",
        request_uri="sip:bob@example.net",
        from_tag="1928301774",
        contact_uri="sip:alice@192.0.2.1:5060",
        max_forwards=70,
        expires=-1,
        headers=[Header(name="User-Agent", value="bench"), Header(name="Supported", value="timer")],
        body=Body(content_type="application/sdp", data=SDP),
    )
    return Event(id=number, call_key=f"{number % 64:02d}benchmarkbenchmark", edge=EDGE, request=request)


class EchoPod:
    """Answers each event with one command and its acknowledgement."""

    def attach(self, port: EdgePort) -> None:
        """Nothing to do."""

    def detach(self, port: EdgePort) -> None:
        """Nothing to do."""

    def on_event(self, port: EdgePort, event: Event) -> None:
        """Answer 200."""
        respond = Respond(
            transaction=event.request.transaction,
            status=200,
            reason="OK",
            contact=True,
            headers=event.request.headers,
            body=event.request.body,
        )
        port.send((Command(id=1, call_key=event.call_key, edge=event.edge, respond=respond),))
        port.acknowledge((event.id,))

    def on_done(self, port: EdgePort, refs: Sequence[CommandRef]) -> None:
        """Nothing to do."""


async def serve(pipe: Connection, linger: float) -> None:
    """Run a pod; answer each message on the pipe with the CPU seconds used so far."""
    greeting = Greeting(pod_id="pod-0", salt=b"salt", shards=64, key_fingerprint="key")
    streams = EdgeStreams(pod=EchoPod(), greeting=greeting, settings=StreamSettings(linger=linger))
    server = rpc.server()
    EdgeLinkServicer(streams).add_to_server(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await streams.start()
    pipe.send(port)
    stopped = asyncio.Event()

    def on_message() -> None:
        if pipe.recv():
            pipe.send(time.process_time())
        else:
            stopped.set()

    asyncio.get_running_loop().add_reader(pipe.fileno(), on_message)
    await stopped.wait()
    await streams.close()
    await server.stop(None)


class Bench:
    """The edge's side."""

    def __init__(self, pipe: Connection, port: int, linger: float) -> None:
        self._pipe = pipe
        self._events = 0
        self._missing = 0
        self._round: asyncio.Future[None] | None = None
        self.connected = asyncio.Event()
        self.link = CallControlLink(
            edge=EDGE,
            key_fingerprint="key",
            pods=[f"127.0.0.1:{port}"],
            on_command=self._on_command,
            on_greeting=lambda greeting: self.connected.set(),
            on_refused=lambda event, reason: None,
            settings=LinkSettings(linger=linger),
        )

    def _on_command(self, command: Command) -> None:
        self._missing -= 1
        if not self._missing and self._round is not None:
            self._round.set_result(None)

    def _pod_cpu(self) -> float:
        self._pipe.send(True)
        return float(self._pipe.recv())

    async def rounds(self, batch: int, count: int) -> Result:
        """Measure rounds of one batch."""
        events = self._invites(batch * count)
        with self._measured(len(events)) as result:
            for first in range(0, len(events), batch):
                await self._round_trip(events[first : first + batch])
        return result

    async def steady(self, rate: int, seconds: float) -> Result:
        """Measure events that come at a steady rate, one by one."""
        loop = asyncio.get_running_loop()
        events = self._invites(int(rate * seconds))
        with self._measured(len(events)) as result:
            self._round, self._missing = loop.create_future(), len(events)
            began = loop.time()
            for number, event in enumerate(events):
                loop.call_at(began + number / rate, self.link.submit, event)
            await self._round
        return result

    def _invites(self, count: int) -> list[Event]:
        first = self._events + 1
        self._events += count
        return [invite(number) for number in range(first, first + count)]

    async def _round_trip(self, events: Sequence[Event]) -> None:
        self._round, self._missing = asyncio.get_running_loop().create_future(), len(events)
        for event in events:
            self.link.submit(event)
        await self._round

    @contextmanager
    def _measured(self, events: int) -> Iterator[Result]:
        result: Result = {}
        before = (time.process_time(), self._pod_cpu(), time.monotonic())
        yield result
        after = (time.process_time(), self._pod_cpu(), time.monotonic())
        edge, pod, seconds = (end - begin for begin, end in zip(before, after, strict=True))
        items = 2 * events
        result.update(edge_us=1e6 * edge / items, pod_us=1e6 * pod / items, items_per_s=items / seconds)


async def drive(pipe: Connection, linger: float, count: int) -> dict[str, Result]:
    """Measure with one setting of linger."""
    bench = Bench(pipe, pipe.recv(), linger)
    await bench.link.start()
    await bench.connected.wait()
    await bench.rounds(8, count // 4)  # warm up
    results = {}
    if not linger:
        results = {f"batch {batch}": await bench.rounds(batch, count) for batch in BATCHES}
    for rate in RATES:
        results[f"{rate} events/s, linger {linger * 1000:.0f} ms"] = await bench.steady(rate, seconds=2.0)
    await bench.link.close()
    pipe.send(False)
    return results


def run_pod(pipe: Connection, linger: float) -> None:
    """Entry of the child process."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    uvloop.run(serve(pipe, linger))


async def measure(count: int) -> dict[str, Result]:
    """Measure with a pod process of its own for each setting of linger."""
    results: dict[str, Result] = {}
    for linger in (0.0, 0.002):
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        child = context.Process(target=run_pod, args=(theirs, linger), daemon=True)
        child.start()
        results |= await drive(ours, linger, count)
        child.join()
    return results


def main() -> None:
    """Run the benchmark: a table, and a line of JSON."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    results = uvloop.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
    for name, result in results.items():
        print(
            f"{name:30}: edge {result['edge_us']:6.1f} us/item, pod {result['pod_us']:6.1f} us/item, "
            f"{result['items_per_s']:7.0f} items/s"
        )
    print(json.dumps({"link": results}))


if __name__ == "__main__":
    main()
