"""The command line of a service, and its exit statuses."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from svckit.errors import ServiceError, StartError
from svckit.lifecycle import Event, State
from svckit.runner import Runtime, report, run, version
from svckit.settings import ServiceSettings


class DemoSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="DEMO_")

    workers: int = Field(default=2, description="number of workers", examples=["8"])


class DemoService:
    """Ends as soon as it serves."""

    def __init__(self, settings: DemoSettings, runtime: Runtime) -> None:
        self._lifecycle = runtime.lifecycle

    async def start(self, tasks: asyncio.TaskGroup) -> None:
        self._lifecycle.watch(lambda _, after: self._end() if after is State.SERVING else None)

    def _end(self) -> None:
        asyncio.get_running_loop().call_soon(self._lifecycle.on, Event.DRAIN)

    async def drain(self) -> None:
        """Nothing is ever in progress."""

    async def stop(self) -> None:
        """Nothing is open."""


class Unstartable(DemoService):
    async def start(self, tasks: asyncio.TaskGroup) -> None:
        raise StartError("cannot bind udp:192.0.2.1:5060")


class Broken(DemoService):
    async def start(self, tasks: asyncio.TaskGroup) -> None:
        raise RuntimeError("a bug")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DEMO_HTTP", "127.0.0.1:0")
    monkeypatch.setenv("DEMO_LOG_FORMAT", "json")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def demo(*arguments: str, build: type[DemoService] = DemoService) -> int:
    return run("demo", "A demonstration.", DemoSettings, build, arguments)


def test_runs_until_it_is_drained(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo() == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == [
        "service.configured",
        "identity.development_key",
        "service.serving",
        "service.draining",
        "service.drained",
    ]
    assert lines[0]["settings"]["DEMO_WORKERS"] == 2


def test_a_key_of_its_own_needs_no_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("B2BUA_IDENTITY_KEY", "a key that only we know")
    assert demo() == 0
    printed = capsys.readouterr().out
    assert "identity.development_key" not in printed
    assert "a key that only we know" not in printed


def test_a_wrong_setting_is_one_line_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEMO_WORKERS", "many")
    assert demo() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("demo: DEMO_WORKERS: should be a valid integer")


def test_what_the_world_forbids_is_one_line_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo(build=Unstartable) == 1
    assert capsys.readouterr().err == "demo: cannot bind udp:192.0.2.1:5060\n"


def test_a_bug_is_a_traceback() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        demo(build=Broken)
    assert caught.group_contains(RuntimeError, match="a bug")


def test_check_config_prints_and_stops(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo("--check-config", build=Broken) == 0
    printed = capsys.readouterr().out.splitlines()
    assert "DEMO_WORKERS=2" in printed
    assert "B2BUA_IDENTITY_KEY=**********" in printed


def test_print_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo("--print-schema") == 0
    assert "DEMO_WORKERS" in json.loads(capsys.readouterr().out)["properties"]


@pytest.mark.parametrize(
    ("option", "expected"),
    [("--version", f"demo {version()}\n"), ("--help", "number of workers (default: 2, for example 8)")],
)
def test_help_and_version(capsys: pytest.CaptureFixture[str], option: str, expected: str) -> None:
    with pytest.raises(SystemExit) as caught:
        demo(option)
    assert caught.value.code == 0
    assert expected in capsys.readouterr().out


def test_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert report("demo", ServiceError("no")) == 1
    assert capsys.readouterr().err == "demo: no\n"
