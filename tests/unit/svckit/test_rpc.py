"""gRPC over a real socket: health follows the lifecycle; an address in use is one clear error."""

from __future__ import annotations

import asyncio
import socket

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from svckit import rpc
from svckit.errors import StartError
from svckit.lifecycle import Event, Lifecycle
from svckit.listen import HostPort

STATUS = health_pb2.HealthCheckResponse


async def test_health_follows_the_lifecycle() -> None:
    lifecycle = Lifecycle()
    server = rpc.server(max_age_seconds=600)
    health = rpc.HealthService(server, lifecycle)
    address = rpc.bind(server, HostPort("127.0.0.1", 0))
    await server.start()
    following = asyncio.create_task(health.follow())
    try:
        async with rpc.channel(str(address)) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            watch = aiter(stub.Watch(health_pb2.HealthCheckRequest()))
            seen = []
            for event in (None, Event.STARTED, Event.OVERLOAD, Event.DRAIN):
                if event is not None:
                    lifecycle.on(event)
                if event is not Event.OVERLOAD:
                    seen.append((await anext(watch)).status)
            checked = await stub.Check(health_pb2.HealthCheckRequest())
    finally:
        following.cancel()
        await server.stop(None)
    assert seen == [STATUS.NOT_SERVING, STATUS.SERVING, STATUS.NOT_SERVING]
    assert checked.status == STATUS.NOT_SERVING


async def test_an_address_in_use_is_one_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = HostPort("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(StartError, match=f"cannot serve gRPC on {address}"):
            rpc.bind(rpc.server(), address)
