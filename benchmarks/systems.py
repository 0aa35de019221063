"""The systems under test: Sippy, our single process, and edge + call-control + Redis. All over UDP."""

from __future__ import annotations

import os
import subprocess
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from support.ports import free_port, is_bound
from support.processes import ROOT, Process, wait_until
from support.sipp import UDP4
from support.stack import Distributed, OneProcess, Stack

SIPPY = "sippy==2.5.0"
SIPPY_VENV = Path(os.environ.get("BENCH_SIPPY_VENV", ROOT / "benchmarks" / ".venv-sippy"))


class System(Protocol):
    """Something that takes calls on one UDP address and routes them to one callee."""

    name: str

    def start(self, directory: Path, callee: str) -> None: ...

    def stop(self) -> None: ...

    @property
    def address(self) -> str: ...

    @property
    def pids(self) -> list[int]: ...

    def redis_memory(self) -> int:
        """Return Redis' own count of the bytes it uses; 0 without Redis."""
        ...


def sippy_program() -> Path:
    """Return the reference's ``b2bua_simple``, installed into a venv of its own when it is not there yet."""
    program = SIPPY_VENV / "bin" / "b2bua_simple"
    if not program.exists():
        venv.create(SIPPY_VENV, with_pip=True)
        subprocess.run([SIPPY_VENV / "bin" / "pip", "install", "--quiet", SIPPY], check=True)
    return program


class Direct:
    """No system at all: the caller reaches the callee itself. What is left is the cost of SIPp."""

    name = "direct"

    def __init__(self) -> None:
        self._callee = ""

    def start(self, directory: Path, callee: str) -> None:
        self._callee = callee

    def stop(self) -> None:
        pass

    @property
    def address(self) -> str:
        return self._callee

    @property
    def pids(self) -> list[int]:
        return []

    def redis_memory(self) -> int:
        return 0


class Sippy:
    """The reference, as its users run it when it is to be fast: no log, no RADIUS, no media."""

    name = "sippy"

    def __init__(self) -> None:
        self._process: Process | None = None
        self._port = 0

    def start(self, directory: Path, callee: str) -> None:
        self._port = free_port()
        argv = [str(sippy_program()), "-f", "-l", "127.0.0.1", "-p", str(self._port), "-n", callee]
        self._process = Process(self.name, argv, log=directory / "sippy.log", env={"SIPLOG_BEND": "none"})
        wait_until(lambda: is_bound("udp", self._port), timeout=20, what="Sippy listens")

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop(1)

    @property
    def address(self) -> str:
        return UDP4.address(self._port)

    @property
    def pids(self) -> list[int]:
        return [self._process.pid] if self._process else []

    def redis_memory(self) -> int:
        return 0


class Ours:
    """Our product in one of its forms."""

    name = ""

    def __init__(self) -> None:
        self._stack: Stack | None = None

    def _build(self, directory: Path, callee: str) -> Stack:
        raise NotImplementedError

    @property
    def stack(self) -> Stack:
        assert self._stack is not None, "not started"
        return self._stack

    def start(self, directory: Path, callee: str) -> None:
        self._stack = self._build(directory, callee)
        self._stack.start()

    def stop(self) -> None:
        if self._stack is not None:
            self._stack.stop()

    @property
    def address(self) -> str:
        return self.stack.sip_address(UDP4)

    @property
    def pids(self) -> list[int]:
        return self.stack.pids

    def redis_memory(self) -> int:
        return 0


class Single(Ours):
    """``b2bua run`` with the memory store."""

    name = "one process"

    def _build(self, directory: Path, callee: str) -> Stack:
        return OneProcess(directory, callee, [UDP4])


class Several(Ours):
    """One edge, one call-control pod and Redis."""

    name = "edge + call-control + redis"

    def _build(self, directory: Path, callee: str) -> Stack:
        return Distributed(directory, callee, [UDP4], call_controls=1)

    def redis_memory(self) -> int:
        assert isinstance(self.stack, Distributed)
        return int(self.stack.redis.info("memory")["used_memory"])


SYSTEMS: dict[str, Callable[[], System]] = {"sippy": Sippy, "one": Single, "distributed": Several}
