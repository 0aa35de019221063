"""gRPC of the edge: it serves nothing but its health; its work it does as a client of call-control."""

from __future__ import annotations

import asyncio

import grpc

from svckit import rpc
from svckit.lifecycle import Lifecycle
from svckit.listen import HostPort


async def serve_health(
    address: HostPort, lifecycle: Lifecycle, tasks: asyncio.TaskGroup
) -> tuple[grpc.aio.Server, HostPort]:
    """Start grpc.health.v1 on `address`; returns the server and what was bound. Raises StartError."""
    server = rpc.server()
    bound = rpc.bind(server, address)
    health = rpc.HealthService(server, lifecycle)
    await server.start()
    tasks.create_task(health.follow(), name="grpc health")
    return server, bound
