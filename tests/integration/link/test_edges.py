"""What the pod's end of the streams does with edges that behave badly."""

from collections.abc import AsyncIterator

import grpc
import pytest
from structlog.testing import capture_logs

from b2bua.callcontrol.v1.edge_link_pb2 import (
    STREAM_KIND_IN_PROGRESS,
    STREAM_KIND_NEW_CALLS,
    ConnectRequest,
    Hello,
    StreamKind,
)
from b2bua.callcontrol.v1.edge_link_pb2_grpc import EdgeLinkServiceStub
from b2bua.common.v1.sip_pb2 import Body
from b2bua.edge.v1.edge_pb2 import Command, CommandRef, EdgeRef, Event, Respond
from call_control.adapters.edge_streams import StreamSettings
from integration.link.conftest import Scene
from integration.link.fakes import KEY, PodServer, until

SETTINGS = StreamSettings(interval=0.01, write_limit=0.1, answer_limit=0.1)


@pytest.fixture
async def pod(scene: Scene) -> PodServer:
    return await scene.pod("pod-a", settings=SETTINGS)


class RawEdge:
    """Opens streams by hand, and keeps them open."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = EdgeLinkServiceStub(channel)
        self.streams: list[grpc.aio.StreamStreamCall] = []

    async def open(self, first: ConnectRequest) -> grpc.aio.StreamStreamCall:
        stream = self._stub.Connect()
        self.streams.append(stream)
        await stream.write(first)
        await stream.read()
        return stream

    async def open_both(self) -> None:
        await self.open(hello(STREAM_KIND_IN_PROGRESS))
        await self.open(hello(STREAM_KIND_NEW_CALLS))


@pytest.fixture
async def edge(pod: PodServer) -> AsyncIterator[RawEdge]:
    async with grpc.aio.insecure_channel(pod.address) as channel:
        yield RawEdge(channel)


def hello(kind: StreamKind, session: int = 1) -> ConnectRequest:
    edge = EdgeRef(edge_id="edge-0", boot=1)
    return ConnectRequest(hello=Hello(edge=edge, kind=kind, key_fingerprint=KEY, session=session))


async def test_an_edge_with_one_stream_is_not_attached(pod: PodServer, edge: RawEdge) -> None:
    await edge.open(hello(STREAM_KIND_IN_PROGRESS))
    assert not pod.pod.ports
    await edge.open(hello(STREAM_KIND_NEW_CALLS))
    await until(lambda: pod.pod.ports, "the edge")


async def test_a_second_attempt_that_is_given_up_leaves_the_first(pod: PodServer, edge: RawEdge) -> None:
    await edge.open_both()
    await until(lambda: pod.pod.ports, "the edge")
    (port,) = pod.pod.ports
    second = await edge.open(hello(STREAM_KIND_IN_PROGRESS, session=2))
    second.cancel()
    await edge.open(hello(STREAM_KIND_IN_PROGRESS, session=3))
    assert pod.pod.ports == [port]
    assert not any(stream.done() for stream in edge.streams[:2])


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (ConnectRequest(events=[Event(id=1)]), grpc.StatusCode.INVALID_ARGUMENT),
        (hello(STREAM_KIND_NEW_CALLS), grpc.StatusCode.FAILED_PRECONDITION),
    ],
)
async def test_streams_that_begin_wrong_are_aborted(
    edge: RawEdge, first: ConnectRequest, code: grpc.StatusCode
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await edge.open(first)
    assert error.value.code() is code


async def test_confirmations_are_taken_in_before_the_events_beside_them(
    pod: PodServer, edge: RawEdge
) -> None:
    confirmed: list[int] = []
    pod.pod.answer = lambda port, event: confirmed.append(len(pod.pod.done))
    await edge.open_both()
    await edge.streams[0].write(ConnectRequest(events=[Event(id=1)], done=[CommandRef(call_key="key", id=1)]))
    await until(lambda: confirmed, "the event")
    assert confirmed == [1]


async def test_an_edge_that_does_not_read_is_disconnected(pod: PodServer, edge: RawEdge) -> None:
    await edge.open_both()
    await until(lambda: pod.pod.ports, "the edge")
    large = Command(id=1, respond=Respond(body=Body(data=bytes(60_000))))
    with capture_logs() as logs:
        pod.pod.ports[0].send([large] * 1000)
        await until(lambda: not pod.pod.ports, "its end")
    assert [line["reason"] for line in logs if line["event"] == "link.edge_stalled"] == ["it does not read"]
    assert pod.streams.stats.edges_stalled == 1


async def test_new_calls_that_are_never_answered_do_not_count_forever(pod: PodServer, edge: RawEdge) -> None:
    pod.pod.answer = pod.pod.say_nothing
    await edge.open_both()
    await edge.streams[1].write(
        ConnectRequest(events=[Event(id=1, opens_call=True), Event(id=2, opens_call=True)])
    )
    await until(lambda: pod.credits.in_flight == 2, "two calls in flight")
    await until(lambda: pod.credits.in_flight == 0, "their end")
    assert pod.pod.ports


async def test_a_port_whose_edge_is_gone_takes_anything_and_does_nothing(
    pod: PodServer, edge: RawEdge
) -> None:
    await edge.open_both()
    await until(lambda: pod.pod.ports, "the edge")
    (port,) = pod.pod.ports
    edge.streams[0].cancel()
    await until(lambda: not pod.pod.ports, "its end")
    port.send([Command(id=1)])
    port.acknowledge([1])
    port.busy([2])
    assert pod.streams.stats.commands == 0
    await until(edge.streams[1].done, "the end of the other stream")
