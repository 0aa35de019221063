"""Composition root of the one-process B2BUA: edge, call-control and store in one event loop."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable

from b2bua.edge.v1 import edge_pb2
from b2bua_allinone.callee import AnsweringCallee
from b2bua_allinone.control.live import LiveCalls
from b2bua_allinone.control.server import ControlServer
from b2bua_allinone.message_log.log import MessageLog
from b2bua_allinone.message_log.settings import Backend
from b2bua_allinone.settings import Settings
from b2bua_allinone.telemetry import MessageLogMetrics
from b2bua_allinone.wiring import InProcessLink
from call_control.adapters.open_store import open_store
from call_control.domain.policy import EXTENSIONS
from call_control.domain.routing.entry import RouteEntry
from call_control.service import CallControl
from call_control.telemetry import CallControlMetrics
from sip_edge.domain import EdgeConfig, Lifecycle
from sip_edge.service import EdgeService
from sip_edge.telemetry import EdgeMetrics
from sipcore.timers import Timers
from svckit.runner import Runtime

#: How often the counters of the hot path are carried over to the metrics, in seconds.
_METRICS_PERIOD = 1.0
_SHARDS = 64
#: How often a drain looks whether the last call is over, in seconds.
_DRAIN_POLL = 0.1
#: Calls that are ended before the others have their turn.
_AT_ONCE = 64


class AllInOne:
    """The service that `b2bua` and `b2bua_simple` run, and that `b2bua_radius` adds its signals to."""

    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self._settings = settings
        self._callee: AnsweringCallee | None = None
        self._control: CallControl | None = None
        self._control_server: ControlServer | None = None
        logged = settings.message_log
        self._message_log = None if logged.backend is Backend.NONE else MessageLog(logged)
        self._log_metrics = (
            None if self._message_log is None else MessageLogMetrics(runtime.metrics, self._message_log)
        )
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
        self._edge = EdgeService(
            config, settings.listeners, self._link, flush=self._link.flush, observer=self._message_log
        )
        runtime.health.require("store", self._store_available)

    async def start(self, tasks: asyncio.TaskGroup) -> None:
        """Bind, connect to the store, and serve. Raises StartError.

        The control socket comes last: whoever finds it there may send calls.
        """
        if self._message_log is not None:
            self._message_log.start()
        await self._edge.start()
        settings = self._settings
        policy = settings.policy_for(await self._routes())
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
        if settings.control is not None:
            self._control_server = ControlServer(settings.control, self.calls)
            await self._control_server.start()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.reopen_message_log)

    async def drain(self) -> None:
        """Refuse new calls; return when nothing is in progress at the edge.

        Calls in memory would be lost with the process: they may end by themselves first. Those that are still
        there when the time is up are hung up.
        """
        self.refuse_calls()
        if self._settings.forgets:
            await self._last_call_over()
        await self._edge.drain()
        if self._control is not None:
            await self._control.settle()

    async def stop(self) -> None:
        """Close everything."""
        asyncio.get_running_loop().remove_signal_handler(signal.SIGUSR1)
        if self._control_server is not None:
            await self._control_server.stop()
        await self._edge.stop()
        if self._control is not None:
            await self._control.stop()
        if self._callee is not None:
            self._callee.stop()
        if self._message_log is not None:
            self._message_log.stop()

    @property
    def calls(self) -> LiveCalls:
        """The calls of this process; only after `start`."""
        return LiveCalls(self.control.pod, self._edge.core, asyncio.get_running_loop().time)

    @property
    def control(self) -> CallControl:
        """Call-control; only after `start`."""
        assert self._control is not None, "AllInOne.start was not awaited"
        return self._control

    @property
    def idle(self) -> bool:
        """Whether there is no call, and nobody waits for anything."""
        return not self.control.pod.active_keys() and self._edge.core.idle

    @property
    def transactions(self) -> tuple[int, int]:
        """How many requests of peers, and of ours, are in memory."""
        core = self._edge.core
        return sum(1 for _ in core.server_transactions()), sum(1 for _ in core.client_transactions())

    def refuse_calls(self) -> None:
        """From now on answer 503 to new calls; those in progress go on."""
        self._edge.core.admission.state = Lifecycle.DRAINING

    async def disconnect_all(self) -> None:
        """End all calls; returns when what is owed to the peers has been sent once."""
        for count, _ in enumerate(self.calls.disconnect_all(), 1):
            if not count % _AT_ONCE:
                await asyncio.sleep(0)
        await self.control.settle()
        self._link.flush()

    def reopen_message_log(self) -> None:
        """Go on in a new file, if the messages are logged in one."""
        if self._message_log is not None:
            self._message_log.reopen()

    async def _last_call_over(self) -> None:
        try:
            while self.control.pod.active_keys():  # noqa: ASYNC110  # a few looks a second at the end of a life
                await asyncio.sleep(_DRAIN_POLL)
        except asyncio.CancelledError:
            await self.disconnect_all()
            raise

    async def _routes(self) -> tuple[RouteEntry, ...]:
        if self._settings.route:
            return self._settings.route
        self._callee = AnsweringCallee()
        return (RouteEntry(host="127.0.0.1", port=await self._callee.start(), transport="udp"),)

    async def _carry_metrics(self, control: CallControl) -> None:
        while True:
            self._call_metrics.carry_over(control.pod)
            self._edge_metrics.carry_over(self._edge)
            if self._log_metrics is not None:
                self._log_metrics.carry_over()
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
