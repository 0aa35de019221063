"""What `b2bua_radius` adds to the one-process service: its signals, its pid file, a report every minute."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping
from itertools import islice
from types import MappingProxyType

import structlog

from b2bua_allinone.app import AllInOne
from b2bua_allinone.daemon import DaemonLog, PidFile
from b2bua_allinone.settings import Settings
from svckit.errors import StartError
from svckit.lifecycle import Event
from svckit.runner import Runtime

_REPORT_SECONDS = 60.0
#: A verbose report shows at most so many calls.
_MOST_SHOWN = 1_000
#: A safe restart looks this often whether the last call is over.
_RESTART_SECONDS = 1.0

_log = structlog.get_logger("b2bua_radius")


class RadiusService:
    """The service that `b2bua_radius` runs. SIGTERM and SIGINT are the lifecycle's; the rest is here."""

    def __init__(
        self,
        settings: Settings,
        runtime: Runtime,
        *,
        daemon_log: DaemonLog | None = None,
        pid_file: PidFile | None = None,
    ) -> None:
        """`daemon_log` and `pid_file` are those of a daemon, None in the foreground."""
        self._inner = AllInOne(settings, runtime)
        self._lifecycle = runtime.lifecycle
        self._daemon_log = daemon_log
        self._pid_file = pid_file
        self._verbose = False
        self._restarting: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self.restart_wanted = False
        """The process ended to be started anew."""

    async def start(self, tasks: asyncio.TaskGroup) -> None:
        """See `Service.start`; the pid file comes last, when everything else is there."""
        await self._inner.start(tasks)
        self._tasks = tasks
        tasks.create_task(self._report_again(), name="report")
        loop = asyncio.get_running_loop()
        for number, action in SIGNALS.items():
            loop.add_signal_handler(number, action, self)
        if self._pid_file is not None:
            self._pid_file.write()

    async def drain(self) -> None:
        """SIGTERM: end all calls, refuse new ones; returns when the peers have agreed."""
        self._inner.refuse_calls()
        await self._inner.disconnect_all()
        await self._inner.drain()

    async def stop(self) -> None:
        """See `Service.stop`."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.remove_signal_handler(number)
        await self._inner.stop()
        if self._pid_file is not None:
            self._pid_file.remove()

    def hang_up(self) -> None:
        """SIGHUP: end all calls, and go on."""
        if self._tasks is not None:
            _log.info("calls.disconnecting", calls=len(self._inner.control.pod.active_keys()))
            self._tasks.create_task(self._inner.disconnect_all(), name="hang up")

    def reopen_logs(self) -> None:
        """SIGUSR1: the log files were moved away, write to new ones."""
        self._inner.reopen_message_log()
        if self._daemon_log is not None:
            try:
                self._daemon_log.redirect()
            except StartError as error:
                _log.warning("log.not_reopened", reason=str(error))

    def toggle_verbose(self) -> None:
        """SIGUSR2: the reports show each call, or no longer."""
        self._verbose = not self._verbose
        _log.info("report.verbose", verbose=self._verbose)

    def restart_safely(self) -> None:
        """SIGPROF: refuse new calls, and start anew when the last one is over."""
        if self._restarting is None and self._tasks is not None:
            _log.info("restart.wanted")
            self._inner.refuse_calls()
            self._restarting = self._tasks.create_task(self._restart_when_idle(), name="restart")

    async def _restart_when_idle(self) -> None:
        while not self._inner.idle:  # noqa: ASYNC110  # one look a second
            await asyncio.sleep(_RESTART_SECONDS)
        self.restart_wanted = True
        self._lifecycle.on(Event.STOP)

    async def _report_again(self) -> None:
        while True:
            await asyncio.sleep(_REPORT_SECONDS)
            self.report()

    def report(self) -> None:
        """Write down how much there is; each call too, if that is wanted."""
        servers, clients = self._inner.transactions
        _log.info(
            "report",
            calls=self._inner.control.pod.cached_calls,
            server_transactions=servers,
            client_transactions=clients,
        )
        if self._verbose:
            for call in islice(self._inner.calls.calls(), _MOST_SHOWN):
                _log.info("report.call", call_id=call.call_id, state=call.state)


SIGNALS: Mapping[signal.Signals, Callable[[RadiusService], None]] = MappingProxyType(
    {
        signal.SIGHUP: RadiusService.hang_up,
        signal.SIGUSR1: RadiusService.reopen_logs,
        signal.SIGUSR2: RadiusService.toggle_verbose,
        signal.SIGPROF: RadiusService.restart_safely,
    }
)
"""What a signal does, beside SIGTERM (drain) and SIGINT (stop)."""
