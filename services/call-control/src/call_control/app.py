"""Composition root of the call-control process."""

from __future__ import annotations

import asyncio

import structlog

from b2bua.callcontrol.v1 import edge_link_pb2
from call_control.adapters.edge_streams import EdgeStreams
from call_control.adapters.journal import FileJournal
from call_control.adapters.open_store import open_store
from call_control.domain.policy import EXTENSIONS
from call_control.rpc import EdgeLinkServicer
from call_control.service import CallControl
from call_control.settings import Settings
from call_control.telemetry import CallControlMetrics
from svckit.identity import Identity
from svckit.rpc import HealthService, bind, server
from svckit.runner import Runtime

#: How often the counters of the hot path are carried over to the metrics, in seconds.
_METRICS_PERIOD = 1.0

_log = structlog.get_logger("call_control")


class CallControlProcess:
    """The service that `call-control` runs: the pod and the streams of its edges."""

    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self._settings = settings
        self._lifecycle = runtime.lifecycle
        self._metrics = CallControlMetrics(runtime.metrics)
        self._store = open_store(
            settings.redis_url,
            shards=settings.shards,
            setting="CALL_CONTROL_REDIS_URL",
            wait_replicas=settings.wait_replicas,
        )
        self._policy = settings.policy()
        self._control = CallControl(
            store=self._store,
            keys=settings.keys(),
            policy=self._policy,
            pod_id=settings.id,
            journal=FileJournal(settings.journal / f"b2bua-{settings.id}.journal"),
            on_available=self._admit,
        )
        self._server = server()
        self._streams: EdgeStreams | None = None
        runtime.health.require("store", lambda: self._control.store_available)

    async def start(self, tasks: asyncio.TaskGroup) -> None:
        """Connect to the store, then accept edges. Raises StartError."""
        await self._control.start()
        identity, keys = self._control.identity, self._settings.keys()
        greeting = edge_link_pb2.Greeting(
            pod_id=self._control.name,
            salt=self._store.salt,
            shards=self._store.shards,
            wanted_headers=self._policy.wanted_headers,
            key_fingerprint=identity.fingerprint,
            extensions=EXTENSIONS,
        )
        also = () if keys.previous is None else (_fingerprint(keys.previous),)
        self._streams = EdgeStreams(pod=self._control.pod, greeting=greeting, also_accepted=also)
        EdgeLinkServicer(self._streams).add_to_server(self._server)
        tasks.create_task(HealthService(self._server, self._lifecycle).follow())
        bound = bind(self._server, self._settings.listen)
        await self._server.start()
        await self._streams.start()
        _log.info("listener.bound", listener="grpc", host=bound.host, port=bound.port)
        tasks.create_task(self._control.keep_cache_small())
        tasks.create_task(self._carry_metrics())

    async def drain(self) -> None:
        """Take no new calls; return when every commit is through. The calls are in the store."""
        if self._streams is not None:
            self._streams.drain()
        await self._control.settle()

    async def stop(self) -> None:
        """End the streams (the edges turn to other pods) and leave the store."""
        if self._streams is not None:
            await self._streams.close()
        await self._server.stop(None)
        await self._control.stop()

    def _admit(self, available: bool) -> None:
        if self._streams is not None:
            self._streams.admit(available)

    async def _carry_metrics(self) -> None:
        while True:
            self._metrics.carry_over(self._control.pod)
            await asyncio.sleep(_METRICS_PERIOD)


def _fingerprint(key: bytes) -> str:
    """Return the fingerprint of a key; salt and shards have no part in it."""
    return Identity(key, salt=b"none", shards=1).fingerprint


def build(settings: Settings, runtime: Runtime) -> CallControlProcess:
    """Make the service of its settings."""
    return CallControlProcess(settings, runtime)
