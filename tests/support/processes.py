"""Processes of a test: started in a group of their own, stopped by pid, their output kept."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "bin"
SHOWN_LINES = 80
T = TypeVar("T")


def wait_until(condition: Callable[[], T], *, timeout: float, what: str) -> T:
    """Return the first true value of ``condition``, asked again and again for ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def tail(path: Path, lines: int = SHOWN_LINES) -> str:
    """Return the last lines of a file, or nothing if there is none."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


class Process:
    """A child process, the leader of its own process group; standard output and error go to ``log``."""

    def __init__(
        self, name: str, argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=log.parent,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    @property
    def status(self) -> int | None:
        """The exit status, or None while the process runs."""
        return self._popen.poll()

    def output(self) -> str:
        """Return the end of what the process wrote."""
        return tail(self.log)

    def signal(self, number: int) -> None:
        """Send a signal to the whole process group, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def wait(self, timeout: float) -> int:
        """Wait for the end and return the exit status; ``subprocess.TimeoutExpired`` after ``timeout`` s."""
        return self._popen.wait(timeout)

    def kill(self) -> None:
        """End the process at once (SIGKILL), as a crash would."""
        self.signal(signal.SIGKILL)
        self._popen.wait(10)

    def stop(self, timeout: float = 5.0) -> None:
        """Ask the process to end (SIGTERM); kill what has not ended after ``timeout`` s."""
        if self.running:
            self.signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(timeout)
        self.kill()

    def report(self) -> str:
        """Return name, pid, status and the end of the output, for a failing test."""
        state = "running" if self.running else f"exit status {self.status}"
        return f"--- {self.name} (pid {self.pid}, {state}): {' '.join(self.argv)}\n{self.output()}"
