"""`b2bua_radius` as its users and their harnesses run it: options, control socket, signals, files."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.control import ask
from support.lines import Line
from support.ports import free_port
from support.processes import BIN, Process, wait_until
from support.sipp import UDP4, Sipp, finish_all
from support.stack import Radius

OpenLine = Callable[..., Line]
FLOWS = [
    ("caller_hangs_up", "callee_answers"),
    ("caller_is_hung_up", "callee_hangs_up"),
    ("caller_finds_busy", "callee_is_busy"),
    ("caller_gives_up_while_ringing", "callee_rings_on"),
    ("caller_gives_up_before_ringing", "callee_wakes_up_late"),
    ("caller_reinvites", "callee_is_reinvited"),
    ("caller_is_reinvited", "callee_reinvites"),
    ("caller_through_retrying_proxy", "callee_refuses_then_answers"),
]
GONE_WITHIN = 2.5
"""Seconds after SIGTERM until the reference is gone."""


class Call:
    """One answered call through a `b2bua_radius` of its own, that somebody else has to end."""

    def __init__(self, directory: Path, *options: str, **env: str) -> None:
        port = free_port()
        self.stack = Radius(directory, f"127.0.0.1:{port}", options=options, env=env)
        self.stack.start()
        self.callee = Sipp("callee_answers", UDP4, directory, port=port)
        self.caller = Sipp("caller_is_hung_up", UDP4, directory, target=self.stack.sip_address(UDP4))

    def answered(self) -> str:
        """Wait until both sides talk; return the Call-ID of the ingress leg."""
        wait_until(lambda: self.callee.seen("\nACK sip:"), timeout=10, what="the call is answered")
        found = re.search(r"^Call-ID: (\S+)", self.caller.messages(), flags=re.MULTILINE)
        assert found is not None
        return found.group(1)

    def finish(self) -> None:
        """Wait until both sides were hung up."""
        finish_all(self.callee, self.caller)

    def stop(self) -> None:
        """End everything."""
        for side in (self.callee, self.caller):
            side.stop()
        self.stack.stop()

    @property
    def process(self) -> Process:
        """The program."""
        return self.stack.parts["b2bua_radius"][0].running


@pytest.fixture
def open_call(tmp_path: Path) -> Iterator[Callable[..., Call]]:
    """Open calls with further options and variables; they end with the test."""
    opened: list[Call] = []

    def open_one(*options: str, **env: str) -> Call:
        opened.append(Call(tmp_path, *options, **env))
        return opened[-1]

    yield open_one
    for call in opened:
        call.stop()


@pytest.mark.parametrize(("caller", "callee"), FLOWS)
def test_calls(open_line: OpenLine, caller: str, callee: str) -> None:
    line = open_line("radius")
    line.callee(callee)
    line.caller(caller)
    line.finish()


def test_the_callee_sees_what_the_reference_shows(open_line: OpenLine) -> None:
    line = open_line("radius")
    callee = line.callee("callee_answers")
    line.caller("caller_hangs_up")
    line.finish()
    assert "\nUser-Agent: Sippy B2BUA (RADIUS)" in callee.messages()
    assert re.search(r"^Call-ID: \S+-b2b_1\s*$", callee.messages(), flags=re.MULTILINE)
    assert re.search(r'^From: "?Alice"? <sip:alice@127\.0\.0\.1>;tag=', callee.messages(), flags=re.MULTILINE)


def test_a_call_is_listed_and_ended_by_its_call_id(open_call: Callable[..., Call]) -> None:
    call = open_call()
    call_id = call.answered()
    listed = ask(call.stack.control, "l").splitlines()
    caller = r"Connected udp:127\.0\.0\.1:\d+ alice service"
    callee = rf"Connected udp:127\.0\.0\.1:{call.callee.port} alice service"
    assert [listed[0], listed[2:]] == ["In-memory calls:", ["Total: 1"]]
    assert re.fullmatch(rf"{re.escape(call_id)}: Connected \({caller} -> {callee}\)", listed[1])
    assert f"{call_id}-b2b_1/" in ask(call.stack.control, "LT")
    assert ask(call.stack.control, "d nobody") == "ERROR: no call with id of nobody has been found\n"
    assert ask(call.stack.control, f"d {call_id}") == "OK\n"
    call.finish()
    assert ask(call.stack.control, "l") == "In-memory calls:\nTotal: 0\n"


def test_all_calls_are_ended(open_call: Callable[..., Call]) -> None:
    call = open_call()
    call.answered()
    assert ask(call.stack.control, "d *") == "OK\n"
    call.finish()


def test_term_in_a_call_hangs_up_and_ends_in_time(open_call: Callable[..., Call]) -> None:
    call = open_call()
    call.answered()
    told = time.monotonic()
    call.process.signal(signal.SIGTERM)
    assert call.process.wait(10) == 0
    assert time.monotonic() - told < GONE_WITHIN
    call.finish()
    assert not call.stack.control.exists()


def test_hup_ends_the_calls_and_goes_on(open_call: Callable[..., Call]) -> None:
    call = open_call()
    call.answered()
    call.process.signal(signal.SIGHUP)
    call.finish()
    assert ask(call.stack.control, "l").endswith("Total: 0\n")


def test_prof_starts_anew_when_the_last_call_is_over(open_call: Callable[..., Call]) -> None:
    call = open_call()
    call_id = call.answered()
    call.process.signal(signal.SIGPROF)
    assert ask(call.stack.control, f"d {call_id}") == "OK\n"
    call.finish()
    wait_until(
        lambda: call.process.log.read_text().count("service.serving") == 2,
        timeout=50,
        what="the program has started anew",
    )
    assert call.process.running
    assert ask(call.stack.control, "l").endswith("Total: 0\n")


def test_messages_are_logged_without_their_secrets(open_call: Callable[..., Call], tmp_path: Path) -> None:
    log = tmp_path / "sip.log"
    call = open_call(SIPLOG_BEND="file", SIPLOG_LOGFILE_FILE=str(log), SIPLOG_TFORM="rel")
    call_id = call.answered()
    ask(call.stack.control, f"d {call_id}")
    call.finish()
    log.rename(tmp_path / "sip.log.1")
    call.process.signal(signal.SIGUSR1)
    wait_until(log.exists, timeout=10, what="the log goes on in a new file")
    text = (tmp_path / "sip.log.1").read_text()
    entry = r"^00:00:\d\d\.\d{3}/GLOBAL/b2bua: "
    assert re.search(entry + r"RECEIVED message from udp:127\.0\.0\.1:\d+:\nINVITE sip:", text, re.MULTILINE)
    sent = rf"SENDING message to udp:127\.0\.0\.1:{call.callee.port}:\nINVITE sip:"
    assert re.search(entry + sent, text, re.MULTILINE)


class TestDaemon:
    """In the background: it leaves its caller at once, and cleans up after itself."""

    @pytest.fixture
    def daemon(self, tmp_path: Path) -> Iterator[int]:
        """The process id of a daemon, as its pid file says."""
        argv = [str(BIN / "b2bua_radius"), "-u", "-A", "0", "-s", "127.0.0.1:1", "-l", "127.0.0.1"]
        argv += ["-p", str(free_port()), "-c", "b2bua.sock", "-P", "b2bua.pid", "-L", "b2bua.log"]
        env = {**os.environ, "SIPLOG_BEND": "none"}
        done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        pid_file = tmp_path / "b2bua.pid"
        wait_until(lambda: pid_file.exists() and pid_file.read_text(), timeout=20, what="the pid is there")
        pid = int(pid_file.read_text())
        yield pid
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)

    def test_its_life(self, daemon: int, tmp_path: Path) -> None:
        assert (tmp_path / "b2bua.pid").read_text() == f"{daemon}\n"
        assert os.getsid(daemon) != os.getsid(0)
        assert Path(f"/proc/{daemon}/cwd").readlink() == Path("/")
        assert ask(tmp_path / "b2bua.sock", "l") == "In-memory calls:\nTotal: 0\n"
        os.kill(daemon, signal.SIGTERM)
        wait_until(lambda: not is_running(daemon), timeout=GONE_WITHIN, what="the daemon is gone")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["b2bua.log"]
        assert "service.serving" in (tmp_path / "b2bua.log").read_text()

    def test_its_log_goes_on_in_a_new_file(self, daemon: int, tmp_path: Path) -> None:
        (tmp_path / "b2bua.log").rename(tmp_path / "b2bua.log.1")
        os.kill(daemon, signal.SIGUSR1)
        wait_until((tmp_path / "b2bua.log").exists, timeout=10, what="there is a new log")
        os.kill(daemon, signal.SIGUSR2)
        wait_until(
            lambda: "report.verbose" in (tmp_path / "b2bua.log").read_text(), timeout=10, what="it is used"
        )


def is_running(pid: int) -> bool:
    """Say whether a process that is no child of ours runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_second_instance_says_so_on_the_terminal(open_call: Callable[..., Call]) -> None:
    call = open_call()
    argv = [*call.process.argv, "-c", "other.sock"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, cwd=call.stack.directory)
    assert done.returncode == 1
    assert "cannot listen on udp:127.0.0.1" in done.stderr.splitlines()[-1]
