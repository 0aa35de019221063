"""SIPp as caller and callee: one process a side, its messages and errors kept for the report."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from support.ports import bracketed, free_port, is_bound, loopback
from support.processes import ROOT, Process, tail, wait_until

SCENARIOS = ROOT / "tests" / "e2e" / "scenarios"


@dataclass(frozen=True, slots=True)
class Wire:
    """A transport ("udp" or "tcp") over an IP version (4 or 6)."""

    transport: str
    family: int

    @property
    def host(self) -> str:
        """The loopback address, without brackets."""
        return loopback(self.family)

    def address(self, port: int) -> str:
        """Return ``host:port`` as it stands in a URI."""
        return f"{bracketed(self.host)}:{port}"

    def __str__(self) -> str:
        return f"{self.transport}{self.family}"


UDP4, UDP6, TCP4, TCP6 = Wire("udp", 4), Wire("udp", 6), Wire("tcp", 4), Wire("tcp", 6)


class SippFailed(AssertionError):
    """SIPp ended otherwise than expected; the text holds what it saw."""


class Sipp:
    """One SIPp process playing a scenario of ``tests/e2e/scenarios``, or of a path, for a number of calls.

    With a ``target`` it is a caller, on a port that the kernel chooses (``port`` 0); without, a callee.
    """

    def __init__(
        self,
        scenario: str,
        wire: Wire,
        directory: Path,
        *,
        port: int = 0,
        target: str = "",
        calls: int = 1,
        rate: int = 10,
        timeout: int = 20,
        options: Sequence[str] = (),
    ) -> None:
        path = Path(scenario) if scenario.endswith(".xml") else SCENARIOS / f"{scenario}.xml"
        self.scenario = path.stem
        self.port = port or (0 if target else free_port())
        self._timeout = timeout
        base = directory / f"{self.scenario}-{wire}-{self.port}"
        self._messages = base.with_suffix(".messages")
        self._errors = base.with_suffix(".errors")
        argv = ["sipp", target] if target else ["sipp"]
        argv += ["-sf", str(path), "-t", "u1" if wire.transport == "udp" else "t1"]
        argv += ["-i", wire.host, "-m", str(calls), "-r", str(rate), "-nostdin", "-timer_resol", "5"]
        if self.port:
            argv += ["-p", str(self.port)]
        argv += ["-key", "contact_params", ";transport=tcp" if wire.transport == "tcp" else ""]
        argv += ["-timeout", f"{timeout}s", "-timeout_error"]
        argv += [
            "-trace_msg",
            "-message_file",
            str(self._messages),
            "-trace_err",
            "-error_file",
            str(self._errors),
        ]
        self.process = Process(f"sipp {self.scenario}", [*argv, *options], log=base.with_suffix(".screen"))
        if self.port:
            self._wait_bound(wire)

    def _wait_bound(self, wire: Wire) -> None:
        def bound() -> bool:
            if not self.process.running:
                raise SippFailed(self.report())
            return is_bound(wire.transport, self.port)

        wait_until(bound, timeout=5, what=f"{self.scenario} listens on {self.port}")

    def messages(self) -> str:
        """Return all messages the side has sent and received so far, as SIPp writes them down."""
        return self._messages.read_text(errors="replace") if self._messages.exists() else ""

    def seen(self, text: str) -> int:
        """Return how often ``text`` stands in the messages so far."""
        return self.messages().count(text)

    def finish(self) -> None:
        """Wait until all calls are over; raise :class:`SippFailed` unless each went as the scenario says."""
        try:
            status = self.process.wait(self._timeout + 5)
        except subprocess.TimeoutExpired:
            status = -1
        if status != 0:
            raise SippFailed(self.report())

    def report(self) -> str:
        """Return what the side saw, for a failing test."""
        return "\n".join(
            [
                f"=== SIPp {self.scenario}: exit status {self.process.status}",
                tail(self._errors, 40),
                "--- messages",
                tail(self._messages, 200),
                "--- screen",
                tail(self.process.log, 15),
            ]
        )

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()


def finish_all(*sides: Sipp) -> None:
    """Wait for every side; when one fails show what all of them saw."""
    try:
        for side in sides:
            side.finish()
    except SippFailed as error:
        raise SippFailed("\n".join(side.report() for side in sides)) from error
