"""One process of `make up`: its command, its addresses, and a restart when it dies, as a kubelet would do.

honcho says by HONCHO_PROCESS_NAME which one it is, for example `call-control.2`. How many there are, and
where calls go, comes from the Makefile: UP_CALL_CONTROL, UP_NEXT_HOP, UP_SIP_PORT,
UP_LOG_FORMAT.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import NamedTuple

BIN = Path(sys.executable).parent
REDIS = ("127.0.0.1", int(os.environ.get("UP_REDIS_PORT", "6399")))
CALLEE = ("127.0.0.1", 5070)
CONTROL_PORT = 7000
CONTROL_HTTP_PORT = 8000
EDGE_HTTP_PORT = 8010
SIP_PORT = int(os.environ.get("UP_SIP_PORT", "5060"))

LOG_FORMAT = os.environ.get("UP_LOG_FORMAT", "json")

RESTART_SECONDS = 1.0
"""Pause before a dead process is started again."""

DRAIN_SECONDS = "3"
"""Ctrl-C gives everybody 5 seconds (honcho), so a drain has to be shorter."""

PATIENCE_SECONDS = 10.0
"""How long a process waits for the one that it needs."""


class Program(NamedTuple):
    """What to run, with which settings, and which address has to accept connections before."""

    command: tuple[str, ...]
    settings: Mapping[str, str]
    needs: tuple[str, int] | None = None


def redis(_number: int) -> Program:
    """The store; it writes everything to disk and never evicts, as in production."""
    host, port = REDIS
    folder = Path(".run/redis")
    folder.mkdir(parents=True, exist_ok=True)
    options = f"--bind {host} --port {port} --dir {folder} --appendonly yes --maxmemory-policy noeviction"
    return Program(("redis-server", *options.split(), "--save", "", "--loglevel", "warning"), {})


def callee(_number: int) -> Program:
    """Answers every call: a B2BUA of its own, whose calls go to the callee that it brings along."""
    host, port = CALLEE
    command = (str(BIN / "b2bua"), "run", "--listen", f"udp:{host}:{port}", "--log-level", "warning")
    return Program(command, {"B2BUA_DRAIN_SECONDS": DRAIN_SECONDS, "B2BUA_LOG_FORMAT": LOG_FORMAT})


def call_control(number: int) -> Program:
    """A call-control pod."""
    host, port = CALLEE
    settings = {
        "CALL_CONTROL_ID": f"call-control-{number}",
        "CALL_CONTROL_LISTEN": f"127.0.0.1:{CONTROL_PORT + number}",
        "CALL_CONTROL_HTTP": f"127.0.0.1:{CONTROL_HTTP_PORT + number}",
        "CALL_CONTROL_REDIS_URL": f"redis://{REDIS[0]}:{REDIS[1]}/0",
        "CALL_CONTROL_ROUTE": os.environ.get("UP_NEXT_HOP") or f"{host}:{port}",
        "CALL_CONTROL_JOURNAL": ".run/journal",
        "CALL_CONTROL_DRAIN_SECONDS": DRAIN_SECONDS,
        "CALL_CONTROL_LOG_FORMAT": LOG_FORMAT,
    }
    return Program((str(BIN / "call-control"),), settings, needs=REDIS)


def sip_edge(number: int) -> Program:
    """An edge; each has an address of its own: 127.0.0.1, 127.0.0.2, ..."""
    pods = range(1, int(os.environ.get("UP_CALL_CONTROL", "1")) + 1)
    address = f"127.0.0.{number}:{SIP_PORT}"
    settings = {
        "SIP_EDGE_ID": f"sip-edge-{number}",
        "SIP_EDGE_LISTEN": f"udp:{address},tcp:{address}",
        "SIP_EDGE_HTTP": f"127.0.0.1:{EDGE_HTTP_PORT + number}",
        "SIP_EDGE_CALL_CONTROL": ",".join(f"127.0.0.1:{CONTROL_PORT + pod}" for pod in pods),
        "SIP_EDGE_DRAIN_SECONDS": DRAIN_SECONDS,
        "SIP_EDGE_LOG_FORMAT": LOG_FORMAT,
    }
    return Program((str(BIN / "sip-edge"),), settings, needs=("127.0.0.1", CONTROL_PORT + 1))


PROGRAMS: Mapping[str, Callable[[int], Program]] = {
    "redis": redis,
    "callee": callee,
    "call-control": call_control,
    "sip-edge": sip_edge,
}


def wait_for(address: tuple[str, int]) -> None:
    """Return when `address` accepts connections; SystemExit when it does not in time."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        try:
            socket.create_connection(address, timeout=1.0).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"nothing listens on {address[0]}:{address[1]}")


def supervise(program: Program) -> int:
    """Run the program until we are told to end; a program killed by a signal is started again."""
    stopping = False
    running: subprocess.Popen[bytes] | None = None

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        if running is not None:
            running.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    while True:
        running = subprocess.Popen(program.command, env={**os.environ, **program.settings})
        if stopping:
            running.terminate()
        status = running.wait()
        if stopping or status >= 0:
            return max(status, 0)
        print(f"killed by {signal.Signals(-status).name}, starting again", flush=True)
        time.sleep(RESTART_SECONDS)


def main() -> int:
    """Run the process that honcho named."""
    kind, _, number = os.environ["HONCHO_PROCESS_NAME"].rpartition(".")
    program = PROGRAMS[kind](int(number))
    if program.needs is not None:
        wait_for(program.needs)
    return supervise(program)


if __name__ == "__main__":
    sys.exit(main())
