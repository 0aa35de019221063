"""The measurements. Each starts a fresh system, loads it with SIPp, and returns one figure or a few."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from load import RING_SECONDS, Side, callee, caller, cpu_seconds, resident_bytes, set_up_delays
from systems import System

from support.ports import free_port
from support.processes import wait_until

HOLD = 1.0
WARM_UP = 3.0
TRIES = 2
LATE = 1.03
START_SECONDS = 0.3
KILO = 1024


class Failed(Exception):
    """The load did not go through as it should; the text says what went wrong."""


@dataclass(slots=True)
class Bench:
    """A running system with its callee behind it."""

    system: System
    directory: Path
    callee: Side

    @contextlib.contextmanager
    def calling(
        self, *, rate: int, seconds: float, hold: float = HOLD, calls: int = 0, trace: bool = False
    ) -> Iterator[Side]:
        """Place calls at ``rate`` a second for ``seconds`` while the block runs."""
        directory = self.directory / "caller"
        shutil.rmtree(directory, ignore_errors=True)
        total = calls or int(rate * seconds)
        address = self.system.address
        with caller(directory, address, rate=rate, calls=total, hold=hold, trace=trace) as side:
            yield side


@contextlib.contextmanager
def bench(make: Callable[[], System]) -> Iterator[Bench]:
    """Start a system and its callee; stop both after the block."""
    with tempfile.TemporaryDirectory(prefix="b2bua-bench-") as name:
        directory = Path(name)
        port = free_port()
        system = make()
        with callee(directory / "callee", port) as side:
            try:
                system.start(directory, f"127.0.0.1:{port}")
                yield Bench(system, directory, side)
            finally:
                system.stop()


def _finish(side: Side, seconds: float) -> None:
    """Wait until the caller's last call is over."""
    side.process.wait(seconds)
    counts = side.counts()
    if counts.failed or side.process.status != 0:
        raise Failed(f"{counts.failed} calls failed (of {counts.created})\n{side.errors()}")


def cpu_per_call(make: Callable[[], System], *, rate: int, seconds: float) -> float:
    """Return the CPU milliseconds per call at a steady ``rate``, over all processes of the system."""
    with bench(make) as run, run.calling(rate=rate, seconds=WARM_UP + seconds + 2) as side:
        wait_until(lambda: side.counts().created >= rate * WARM_UP, timeout=60, what="warm")
        first, began = cpu_seconds(run.system.pids), time.monotonic()
        time.sleep(seconds)
        used, elapsed = cpu_seconds(run.system.pids) - first, time.monotonic() - began
        _finish(side, 60)
        if side.counts().retransmissions:
            raise Failed(f"{side.counts().retransmissions} retransmissions at {rate} calls/s")
        return used * 1000 / (elapsed * rate)


def carries(make: Callable[[], System], *, rate: int, seconds: float) -> bool:
    """Say whether the system takes ``rate`` calls a second without a retransmission on either side."""
    with bench(make) as run:
        with run.calling(rate=50, seconds=1) as warm:
            _finish(warm, 30)
        began = time.monotonic()
        with run.calling(rate=rate, seconds=seconds) as side:
            try:
                _finish(side, seconds + HOLD + RING_SECONDS + 5)
            except (Failed, subprocess.TimeoutExpired):
                return False
            placing = time.monotonic() - began - HOLD - RING_SECONDS
            if placing > seconds * LATE + START_SECONDS:  # SIPp, out of CPU, fell behind its rate
                return False
            time.sleep(1.2)  # the callee's last statistics
            return side.counts().retransmissions == 0 and run.callee.counts().retransmissions == 0


def highest_rate(
    make: Callable[[], System], *, start: int, step: int, seconds: float, tell: Callable[[str], None]
) -> int:
    """Return the highest rate carried, to within ``step`` calls a second: up by quarters, then by halving.

    A rate is too much when it fails twice: something else may have run on the machine the first time.
    """
    good, bad = 0, 0
    rate = start
    while not bad or bad - good > step:
        carried = any(carries(make, rate=rate, seconds=seconds) for _ in range(TRIES))
        tell(f"{rate} calls/s: {'no retransmission' if carried else 'too much'}")
        if carried:
            good = rate
        else:
            bad = rate
        if bad and good:
            rate = good + max(step, (bad - good) // 2 // step * step)
        else:
            rate = bad // 2 if bad else rate + max(step, rate // 4 // step * step)
        if (bad and rate >= bad) or rate < step:
            break
    return good


def percentile(values: list[float], share: float) -> float:
    """Return the value below which ``share`` of the sorted values lie."""
    return values[min(len(values) - 1, int(len(values) * share))]


def set_up_delay(make: Callable[[], System], *, rate: int, seconds: float) -> dict[str, float]:
    """Return p50 and p99 of the time from INVITE to 180, in milliseconds."""
    with bench(make) as run:
        with run.calling(rate=rate, seconds=1) as warm:
            _finish(warm, 30)
        with run.calling(rate=rate, seconds=seconds, trace=True) as side:
            _finish(side, seconds + 30)
        delays = set_up_delays(run.directory / "caller")
    return {"p50": percentile(delays, 0.5), "p99": percentile(delays, 0.99)}


def memory_per_call(make: Callable[[], System], *, calls: int, rate: int) -> dict[str, float]:
    """Return the growth in KB per held call: resident memory of all processes, and Redis' own count."""
    with bench(make) as run:
        with run.calling(rate=rate, seconds=2) as warm:
            _finish(warm, 30)
        before, stored = resident_bytes(run.system.pids), run.system.redis_memory()
        with run.calling(rate=rate, seconds=0, calls=calls, hold=3600) as side:
            limit = calls / rate + 30
            wait_until(lambda: side.counts().created >= calls, timeout=limit, what=f"{calls} calls placed")
            time.sleep(1.0)  # the last calls ring for 200 ms, and are acknowledged
            grown, stored = resident_bytes(run.system.pids) - before, run.system.redis_memory() - stored
            if side.counts().failed:
                raise Failed(f"{side.counts().failed} of {calls} calls failed\n{side.errors()}")
    return {"rss_kb": grown / calls / KILO, "redis_kb": stored / calls / KILO}
