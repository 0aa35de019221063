"""The signals of `b2bua_radius`, on a real process's parts in one loop."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from b2bua_allinone.daemon import PidFile
from b2bua_allinone.message_log.settings import OFF
from b2bua_allinone.radius import service as service_module
from b2bua_allinone.radius.mapping import settings_of
from b2bua_allinone.radius.reading import read_command_line
from b2bua_allinone.radius.service import SIGNALS, RadiusService
from b2bua_allinone.settings import Settings
from sipcore.testing.builders import request
from support.in_loop import InLoop
from svckit.lifecycle import State
from svckit.settings import load


class Running(InLoop):
    """`b2bua_radius` between two phones."""

    service: RadiusService

    def __init__(self, folder: Path) -> None:
        super().__init__(drain_seconds=0.2)
        arguments = f"-f -u -A 0 -l 127.0.0.1 -p {self.port} -s 127.0.0.1:{self.callee.port}".split()
        options = read_command_line([*arguments, "-c", str(folder / "c.sock")]).options
        settings = load(Settings, **settings_of(options, OFF))
        self.pid_file = folder / "x.pid"
        self.service = RadiusService(settings, self.runtime(), pid_file=PidFile(self.pid_file))
        self.begin(self.service)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """A service that serves."""
    found = Running(tmp_path)
    await found.lifecycle.reached(State.SERVING)
    yield found
    await found.end()


async def test_the_pid_file_and_the_control_socket_live_as_long_as_the_service(
    running: Running, tmp_path: Path
) -> None:
    assert running.pid_file.read_text() == f"{os.getpid()}\n"
    assert sorted(path.name for path in await asyncio.to_thread(os.scandir, tmp_path)) == ["c.sock", "x.pid"]
    os.kill(os.getpid(), signal.SIGINT)
    await running.life
    assert list(await asyncio.to_thread(os.scandir, tmp_path)) == []


async def test_term_ends_the_calls_and_the_process(running: Running) -> None:
    await running.call()
    os.kill(os.getpid(), signal.SIGTERM)
    assert b"500 Disconnected" in await running.caller.hears(b"SIP/2.0 500")
    await asyncio.wait_for(running.life, 2.5)


async def test_hup_ends_the_calls_only(running: Running) -> None:
    await running.call()
    os.kill(os.getpid(), signal.SIGHUP)
    await running.caller.hears(b"SIP/2.0 500")
    assert await running.options() == b"200"


async def test_prof_starts_anew_when_the_last_call_is_over(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "_RESTART_SECONDS", 0.01)
    await running.call()
    os.kill(os.getpid(), signal.SIGPROF)
    os.kill(os.getpid(), signal.SIGPROF)
    while await running.options() == b"200":  # noqa: ASYNC110  # it waits for an answer
        await asyncio.sleep(0)
    assert not running.life.done()
    assert not running.service.restart_wanted
    await running.ask(request("CANCEL", via=running.caller.via, call_id="c@h", uri="sip:bob@192.0.2.2"))
    await running.caller.hears(b"SIP/2.0 487")
    os.kill(os.getpid(), signal.SIGTERM)
    await running.life


async def test_prof_without_calls_starts_anew(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "_RESTART_SECONDS", 0.01)
    os.kill(os.getpid(), signal.SIGPROF)
    await asyncio.wait_for(running.life, 5)
    assert running.service.restart_wanted


async def test_usr2_makes_reports_show_each_call(running: Running) -> None:
    await running.call()
    with capture_logs() as logs:
        running.service.report()
        running.service.toggle_verbose()
        running.service.report()
    assert [line["event"] for line in logs] == ["report", "report.verbose", "report", "report.call"]
    assert (logs[0]["calls"], logs[0]["server_transactions"], logs[0]["client_transactions"]) == (1, 1, 1)
    assert logs[3]["call_id"] == "c@h"


async def test_usr1_goes_on_in_new_files(running: Running) -> None:
    os.kill(os.getpid(), signal.SIGUSR1)
    assert await running.options() == b"200"


def test_no_signal_is_taken_twice() -> None:
    assert not set(SIGNALS) & {signal.SIGTERM, signal.SIGINT}
