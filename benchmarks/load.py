"""Load by SIPp, and what it says about it: calls, retransmissions, response times."""

from __future__ import annotations

import contextlib
import csv
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.ports import free_port, is_bound
from support.processes import Process, tail, wait_until

SCENARIOS = Path(__file__).parent / "scenarios"
MANY = "15000"
TRACE = "caller.trace"
RING_SECONDS = 0.2
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pids: list[int]) -> float:
    """Return the CPU time, user and system, that the processes with all their threads have used so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICK


def resident_bytes(pids: list[int]) -> int:
    """Return the resident memory of the processes."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE for pid in pids)


@dataclass(frozen=True, slots=True)
class Counts:
    """What one SIPp process counted from its start to the moment of the last dump."""

    created: int
    current: int
    successful: int
    failed: int
    retransmissions: int


class Side:
    """One SIPp process, with its statistics dumped every second."""

    def __init__(self, scenario: str, directory: Path, port: int, *options: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._stat = directory / f"{scenario}.csv"
        self._errors = directory / f"{scenario}.errors"
        argv = [
            "sipp",
            *options,
            "-sf",
            str(SCENARIOS / f"{scenario}.xml"),
            "-i",
            "127.0.0.1",
            "-p",
            str(port),
        ]
        argv += ["-nostdin", "-l", MANY, "-f", "3600"]
        argv += ["-trace_stat", "-stf", str(self._stat), "-fd", "1"]
        argv += ["-trace_err", "-error_file", str(self._errors)]
        self.process = Process(f"sipp {scenario}", argv, log=directory / f"{scenario}.screen")

    def errors(self) -> str:
        """Return the last lines that SIPp wrote about messages it did not expect."""
        return tail(self._errors, 20)

    def counts(self) -> Counts:
        """Return the counters of the last full line of the statistics."""
        lines = self._stat.read_text().splitlines() if self._stat.exists() else []
        rows = [row for row in csv.DictReader(lines, delimiter=";") if row.get("Retransmissions(C)")]
        if not rows:
            return Counts(0, 0, 0, 0, 0)
        last = rows[-1]
        return Counts(
            created=int(last["TotalCallCreated"]),
            current=int(last["CurrentCall"]),
            successful=int(last["SuccessfulCall(C)"]),
            failed=int(last["FailedCall(C)"]),
            retransmissions=int(last["Retransmissions(C)"]),
        )

    def end_softly(self) -> None:
        """Let the calls in progress end, and then the process, which writes its last statistics."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGUSR1)


@contextlib.contextmanager
def callee(directory: Path, port: int) -> Iterator[Side]:
    """Run the callee's side while the block runs."""
    side = Side("callee", directory, port)
    try:
        wait_until(lambda: is_bound("udp", port), timeout=10, what="the callee listens")
        yield side
    finally:
        side.process.kill()


@contextlib.contextmanager
def caller(
    directory: Path, target: str, *, rate: int, calls: int, hold: float, trace: bool = False
) -> Iterator[Side]:
    """Run the caller's side: ``calls`` calls at ``rate`` a second, each held ``hold`` seconds.

    With ``trace`` SIPp writes down when each message came and went.
    """
    options = [target, "-r", str(rate), "-m", str(calls), "-d", str(int(hold * 1000))]
    if trace:
        options += ["-trace_shortmsg", "-shortmessage_file", str(directory / TRACE)]
    side = Side("caller", directory, free_port(), *options)
    try:
        yield side
    finally:
        side.process.kill()


def set_up_delays(directory: Path) -> list[float]:
    """Return the times from INVITE to 180 in milliseconds, sorted, that the traced caller saw.

    SIPp's own response times have a resolution of milliseconds, its trace one of microseconds.
    """
    sent: dict[str, float] = {}
    delays: list[float] = []
    for line in (directory / TRACE).read_text().splitlines():
        _day, _time, seconds, _way, call_id, _cseq, start_line = line.split("\t")
        if start_line.startswith("INVITE "):
            sent.setdefault(call_id, float(seconds))
        elif start_line.startswith("SIP/2.0 180 "):
            delays.append((float(seconds) - sent[call_id]) * 1000)
    return sorted(delays)
