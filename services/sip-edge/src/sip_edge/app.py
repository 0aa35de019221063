"""Composition root of the edge process: the edge, its link to call-control, health and metrics."""

from __future__ import annotations

import asyncio
import time

import grpc
import structlog

from b2bua.callcontrol.v1 import edge_link_pb2
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2
from sip_edge.adapters.call_control import CallControlLink
from sip_edge.domain.delivery import Refusal
from sip_edge.rpc import serve_health
from sip_edge.service import EdgeService
from sip_edge.settings import Settings
from sip_edge.telemetry import EdgeMetrics, LinkMetrics
from svckit.identity import Identity
from svckit.runner import Runtime

_METRICS_SECONDS = 1.0

_log = structlog.get_logger("sip_edge")


def build(settings: Settings, runtime: Runtime) -> EdgeProcess:
    """Make the service of these settings; nothing is bound or connected before its `start`."""
    return EdgeProcess(settings, runtime)


class EdgeProcess:
    """The service that `svckit.lifecycle.serve` runs."""

    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self._settings = settings
        self._runtime = runtime
        self._key, self._previous_key = settings.identity_keys()
        boot = time.time_ns()
        self._link = CallControlLink(
            edge=edge_pb2.EdgeRef(edge_id=settings.id, boot=boot),
            key_fingerprint=_fingerprint(self._key),
            also_accepted=() if self._previous_key is None else (_fingerprint(self._previous_key),),
            pods=settings.call_control,
            on_command=self._on_command,
            on_greeting=self._on_greeting,
            on_refused=self._on_refused,
        )
        self.edge = EdgeService(
            settings.edge_config(boot=boot), settings.listen, self._link, io=settings.io_options()
        )
        self._edge_metrics = EdgeMetrics(runtime.metrics)
        self._link_metrics = LinkMetrics(runtime.metrics)
        self._health_server: grpc.aio.Server | None = None

    async def start(self, tasks: asyncio.TaskGroup) -> None:
        """Bind the listeners and begin to connect. Ready is what /readyz says: with a pod at the least."""
        await self.edge.start()
        for name, (host, port) in self.edge.bound.items():
            _log.info("listener.bound", listener=name, host=host, port=port)
        await self._link.start()
        self._runtime.health.require("call-control", lambda: self._link.ready)
        if self._settings.grpc is not None:
            self._health_server, _ = await serve_health(self._settings.grpc, self._runtime.lifecycle, tasks)
        tasks.create_task(self._keep_metrics(), name="metrics")

    async def drain(self) -> None:
        """Take no new calls; returns when no transaction is open."""
        await self.edge.drain(
            shift=self._settings.drain_shift_seconds, flows=self._settings.drain_flow_seconds
        )

    async def stop(self) -> None:
        """Let the link get rid of what it has, then close everything."""
        await self._link.close()
        await self.edge.stop()
        if self._health_server is not None:
            await self._health_server.stop(None)

    def _on_command(self, command: edge_pb2.Command) -> None:
        self.edge.execute(command)

    def _on_greeting(self, greeting: edge_link_pb2.Greeting) -> None:
        identity = Identity(
            self._key, salt=greeting.salt, shards=greeting.shards, previous=self._previous_key
        )
        self.edge.greeted(identity, greeting.wanted_headers, greeting.extensions)
        _log.info("call_control.greeted", pod=greeting.pod_id, shards=greeting.shards)

    def _on_refused(self, event: edge_pb2.Event, reason: Refusal) -> None:
        """Nobody has taken the event; a new call is told so at once, the rest ends by its own timers."""
        if event.opens_call and event.HasField("request"):
            self.edge.execute(_refusal(event, self._settings.retry_after_seconds))
        else:
            _log.warning("event.given_up", call_key=event.call_key, reason=reason.name.lower())

    async def _keep_metrics(self) -> None:
        while True:
            self._edge_metrics.carry_over(self.edge)
            self._link_metrics.carry_over(self._link.stats, self._link.pods)
            await asyncio.sleep(_METRICS_SECONDS)


def _fingerprint(key: bytes) -> str:
    """The fingerprint is that of the key alone, so any salt and shard count will do."""
    return Identity(key, salt=b"none", shards=1).fingerprint


def _refusal(event: edge_pb2.Event, retry_after: int) -> edge_pb2.Command:
    """503 for a new call, as a command that call-control never gave: id 0 is not confirmed to anybody."""
    return edge_pb2.Command(
        id=0,
        call_key=event.call_key,
        edge=event.edge,
        respond=edge_pb2.Respond(
            transaction=event.request.transaction,
            status=503,
            reason="Service Unavailable",
            headers=[sip_pb2.Header(name="Retry-After", value=str(retry_after))],
        ),
    )
