"""Boards: stacks with several routes, and ladders played on them by SIPp."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.ladder import Row, render
from support.lines import IDLE_WITHIN
from support.ports import free_port
from support.processes import wait_until
from support.sipp import UDP4, Sipp, finish_all
from support.stack import Distributed, OneProcess, Stack

CALLEES = 3


@dataclass(frozen=True, slots=True)
class Kind:
    """How a stack is set up: its routes ({1} is the address of callee 1), T1, and settings by name.

    Settings have the names that both forms share.
    """

    routes: str = "{1}"
    t1: float = 0.5
    settings: Mapping[str, str] = field(default_factory=dict)

    def start(self, form: str, directory: Path, ports: list[int]) -> Stack:
        """Start a stack of this kind."""
        addresses = [UDP4.address(port) for port in ports]
        routes = self.routes.format("", *addresses)
        prefix, make = {
            "one-process": ("B2BUA_", OneProcess),
            "distributed": ("CALL_CONTROL_", Distributed),
        }[form]
        env = {prefix + name: value for name, value in self.settings.items()}
        stack = make(directory, routes, [UDP4], t1=self.t1, env=env)
        stack.start()
        return stack


KINDS = {
    "plain": Kind(),
    "hunt": Kind("{1};hs_scodes=486 {2}"),
    "timed": Kind("{1};nr_expires=1;np_expires=2;expires=3 {2}", t1=0.06),
    "three": Kind("{1} {2} {3}"),
    "redirects": Kind("{1};redirect=follow {3}"),
    "exhausted": Kind("{1};credit-time=0 {2};expires=0"),
    "short": Kind("{1};expires=1;hs_scodes=408,487"),
    "credentials": Kind("{1};auth=alice:open-sesame"),
    "credit": Kind("{1};credit-time=1"),
    "impatient": Kind("{1} {2}", t1=0.02),
}
"""By the name that ladders give them."""


class Board:
    """A stack of one kind, and the ports of its callees."""

    def __init__(self, form: str, kind: str, directory: Path) -> None:
        self.ports = [free_port() for _ in range(CALLEES)]
        self.stack = KINDS[kind].start(form, directory, self.ports)

    def play(self, row: Row, directory: Path) -> None:
        """Play all ladders of a row, and wait until the product has forgotten the call."""
        sides: list[Sipp] = []
        with contextlib.ExitStack() as at_end:
            ears = {}
            for number, port in enumerate(self.ports, 1):
                name = f"callee {number}"
                if name in row.sides and not row.hears_only(name):
                    sides.append(self._start(row, name, directory, port))
                    at_end.callback(sides[-1].stop)
                else:
                    ears[name] = at_end.enter_context(_listening(port))
            sides.append(self._start(row, "caller", directory, 0))
            at_end.callback(sides[-1].stop)
            finish_all(*sides)
            for name, ear in ears.items():
                assert _heard(ear) is (name in row.sides), (
                    f"{name} has heard {'no' if name in row.sides else 'a'} word"
                )
            self._wait_idle(row)
        self.stack.assert_no_traceback()

    def _wait_idle(self, row: Row) -> None:
        """Wait until nothing of the call is left that could reach the sides of the next one."""
        if isinstance(self.stack, Distributed):
            self.stack.wait_idle(IDLE_WITHIN)
        elif any(row.hears_only(side) for side in row.sides) or row.kind == "impatient":
            # The one process tells about itself every second only.
            wait_until(self._has_no_call, timeout=IDLE_WITHIN, what="no call is left")

    def _has_no_call(self) -> bool:
        return self.stack.metrics("b2bua").get("calls_cached") == 0

    def _start(self, row: Row, side: str, directory: Path, port: int) -> Sipp:
        scenario = directory / f"{side.replace(' ', '-')}.xml"
        scenario.write_text(render(row, side))
        keys = [x for n, p in enumerate(self.ports, 1) for x in ("-key", f"callee{n}", UDP4.address(p))]
        target = self.stack.sip_address(UDP4) if side == "caller" else ""
        return Sipp(str(scenario), UDP4, directory, port=port, target=target, timeout=10, options=keys)

    def report(self) -> str:
        """Return what the processes of the stack wrote."""
        return self.stack.report()


class Boards:
    """The boards of a session, each started when first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._boards: dict[tuple[str, str], Board] = {}

    def get(self, form: str, kind: str) -> Board:
        """Return the board of a form and kind."""
        if (form, kind) not in self._boards:
            self._boards[form, kind] = Board(form, kind, self._directory / f"{form}-{kind}")
        return self._boards[form, kind]

    def stop(self) -> None:
        """Stop all stacks."""
        for board in self._boards.values():
            board.stack.stop()


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind((UDP4.host, port))
        ear.setblocking(False)
        yield ear


def _heard(ear: socket.socket) -> bool:
    try:
        ear.recv(65535)
    except BlockingIOError:
        return False
    return True
