"""Composition root of the one-process B2BUA: edge, call-control and store in one event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from b2bua.edge.v1 import edge_pb2
from b2bua_allinone.callee import AnsweringCallee
from b2bua_allinone.settings import Settings
from b2bua_allinone.wiring import InProcessLink
from call_control.adapters.open_store import open_store
from call_control.domain.policy import EXTENSIONS
from call_control.domain.routing.entry import RouteEntry
from call_control.service import CallControl
from call_control.telemetry import CallControlMetrics
from sip_edge.domain import EdgeConfig
from sip_edge.service import EdgeService
from sip_edge.telemetry import EdgeMetrics
from sipcore.timers import Timers
from svckit.runner import Runtime

#: How often the counters of the hot path are carried over to the metrics, in seconds.
_METRICS_PERIOD = 1.0
_SHARDS = 64


class AllInOne:
    """The service that `b2bua` and `b2bua_simple` run."""

    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self._settings = settings
        self._callee: AnsweringCallee | None = None
        self._control: CallControl | None = None
        self._call_metrics = CallControlMetrics(runtime.metrics)
        self._edge_metrics = EdgeMetrics(runtime.metrics)
        boot = time.time_ns()
        self._link = InProcessLink(
            edge_id=settings.id, boot=boot, execute=self._execute, schedule=self._schedule
        )
        config = EdgeConfig(
            edge_id=settings.id,
            boot=boot,
            listeners=(),
            allow=settings.allow,
            timers=Timers(t1=settings.t1_seconds),
            helper_proxy=settings.helper_proxy,
            nat_traversal=settings.nat_traversal,
            accept_notify=settings.notify == "accept",
        )
        self._edge = EdgeService(config, settings.listeners, self._link, flush=self._link.flush)
        runtime.health.require("store", self._store_available)

    async def start(self, tasks: asyncio.TaskGroup) -> None:
        """Bind, connect to the store, and serve. Raises StartError."""
        await self._edge.start()
        settings = self._settings
        policy = settings.policy(await self._routes())
        control = CallControl(
            store=open_store(settings.store, shards=_SHARDS, setting="--store"),
            keys=settings.keys(),
            policy=policy,
            pod_id=settings.id,
        )
        self._control = control
        await control.start()
        self._link.attach(control.pod)
        self._edge.greeted(control.identity, policy.wanted_headers, EXTENSIONS)
        tasks.create_task(control.keep_cache_small())
        tasks.create_task(self._carry_metrics(control))

    async def drain(self) -> None:
        """Refuse new calls; return when nothing is in progress at the edge."""
        await self._edge.drain()
        if self._control is not None:
            await self._control.settle()

    async def stop(self) -> None:
        """Close everything."""
        await self._edge.stop()
        if self._control is not None:
            await self._control.stop()
        if self._callee is not None:
            self._callee.stop()

    async def _routes(self) -> tuple[RouteEntry, ...]:
        if self._settings.route:
            return self._settings.route
        self._callee = AnsweringCallee()
        return (RouteEntry(host="127.0.0.1", port=await self._callee.start(), transport="udp"),)

    async def _carry_metrics(self, control: CallControl) -> None:
        while True:
            self._call_metrics.carry_over(control.pod)
            self._edge_metrics.carry_over(self._edge)
            await asyncio.sleep(_METRICS_PERIOD)

    def _store_available(self) -> bool:
        return self._control is not None and self._control.store_available

    def _execute(self, command: edge_pb2.Command) -> None:
        self._edge.execute(command)

    @staticmethod
    def _schedule(seconds: float, callback: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        if seconds:
            loop.call_later(seconds, callback)
        else:
            loop.call_soon(callback)


def build(settings: Settings, runtime: Runtime) -> AllInOne:
    """Make the service of its settings."""
    return AllInOne(settings, runtime)
