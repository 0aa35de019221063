"""gRPC as all services use it: options of channels and servers, and the health service.

The numbers are for streams that live as long as a pod: a dead peer must be noticed within seconds although
the kernel would wait minutes, and a server may ask for a new connection now and then, so that load spreads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from svckit.errors import StartError
from svckit.lifecycle import Lifecycle, State
from svckit.listen import HostPort

Options = tuple[tuple[str, int], ...]

KEEPALIVE_SECONDS = 5
"""A connection that has nothing to say is pinged so often, on both sides."""

KEEPALIVE_TIMEOUT_SECONDS = 3
"""A ping that is not answered for so long means that the peer is gone."""

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Of one frame: a batch of events or commands, each with a SIP body at most."""

CHANNEL_OPTIONS: Options = (
    ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_SECONDS * 1000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # Each channel its own connection: streams to one pod must not queue behind those of another channel.
    ("grpc.use_local_subchannel_pool", 1),
)
"""Options of a client."""

SERVER_OPTIONS: Options = (
    ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_SECONDS * 1000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Two processes on one port would share its connections by chance.
    ("grpc.so_reuseport", 0),
)
"""Options of a server."""


_STATUS: Mapping[State, int] = MappingProxyType(
    {
        State.STARTING: health_pb2.HealthCheckResponse.NOT_SERVING,
        State.SERVING: health_pb2.HealthCheckResponse.SERVING,
        # Overload is told by credits and answers; a client that left would only make the others overloaded.
        State.OVERLOADED: health_pb2.HealthCheckResponse.SERVING,
        State.DRAINING: health_pb2.HealthCheckResponse.NOT_SERVING,
        State.STOPPED: health_pb2.HealthCheckResponse.NOT_SERVING,
    }
)


def channel(target: str) -> grpc.aio.Channel:
    """A channel to `target` (`host:port`, or any gRPC name). It connects when first used."""
    return grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS)


def server(*, max_age_seconds: int = 0, age_grace_seconds: int = 60) -> grpc.aio.Server:
    """A server without services. With `max_age_seconds` > 0 each connection is asked to end at that age.

    Streams that are open then have `age_grace_seconds` to end by themselves.
    """
    options = SERVER_OPTIONS
    if max_age_seconds > 0:
        options += (
            ("grpc.max_connection_age_ms", max_age_seconds * 1000),
            ("grpc.max_connection_age_grace_ms", age_grace_seconds * 1000),
        )
    return grpc.aio.server(options=options)


def bind(bound: grpc.aio.Server, address: HostPort) -> HostPort:
    """Bind `address` before the server starts; returns what was bound. Raises StartError."""
    try:
        port = bound.add_insecure_port(str(address))
    except RuntimeError as error:
        # gRPC has written the reason to stderr; its exception only says that there is one.
        raise StartError(f"cannot serve gRPC on {address}: in use, or no address of this machine") from error
    return HostPort(address.host, port)


class HealthService:
    """grpc.health.v1 for one server, following the lifecycle.

    The empty service name stands for the process.
    """

    def __init__(self, bound: grpc.aio.Server, lifecycle: Lifecycle) -> None:
        self._servicer = health.aio.HealthServicer()
        self._lifecycle = lifecycle
        self._changes: asyncio.Queue[State] = asyncio.Queue()
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, bound)

    async def follow(self) -> None:
        """Tell the clients of each change; runs until cancelled, in the service's task group."""
        watcher = self._on_state
        self._lifecycle.watch(watcher)
        self._changes.put_nowait(self._lifecycle.state)
        try:
            while True:
                await self._servicer.set("", _STATUS[await self._changes.get()])
        finally:
            self._lifecycle.unwatch(watcher)

    def _on_state(self, _before: State, after: State) -> None:
        self._changes.put_nowait(after)
