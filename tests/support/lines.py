"""Lines: a way for calls through one of the forms of the product, with SIPp at both ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from support.ports import free_port
from support.sipp import UDP4, Sipp, Wire, finish_all
from support.stack import TO_ITSELF, Distributed, OneProcess, Radius, Simple, Stack

IDLE_WITHIN = 10.0
FORMS: dict[str, Callable[..., Stack]] = {
    "one-process": OneProcess,
    "distributed": Distributed,
    "simple": Simple,
    "radius": Radius,
}
"""The forms of the product by the name that tests give them."""


@dataclass
class Line:
    """A way through the product: a stack, the wire of its callee, and a place for what the sides saw."""

    stack: Stack
    callee_wire: Wire
    callee_port: int
    directory: Path = field(default_factory=Path)
    _sides: list[Sipp] = field(default_factory=list)

    def callee(self, scenario: str, *options: str, port: int = 0, calls: int = 1) -> Sipp:
        """Start the callee's side where the route leads, or on another port."""
        side = Sipp(
            scenario,
            self.callee_wire,
            self.directory,
            port=port or self.callee_port,
            options=options,
            calls=calls,
        )
        self._sides.append(side)
        return side

    def caller(self, scenario: str, wire: Wire = UDP4, *, calls: int = 1, rate: int = 10) -> Sipp:
        """Start the caller's side."""
        target = self.stack.sip_address(wire)
        side = Sipp(scenario, wire, self.directory, target=target, calls=calls, rate=rate)
        self._sides.append(side)
        return side

    def finish(self) -> None:
        """Wait until both sides have seen what they expect, and the product has forgotten the call."""
        finish_all(*self._sides)
        if isinstance(self.stack, Distributed):
            self.stack.wait_idle(IDLE_WITHIN)
        self.stack.assert_no_traceback()

    def stop(self) -> None:
        """End the sides."""
        for side in self._sides:
            side.stop()

    def report(self) -> str:
        """Return what the processes of the stack wrote."""
        return self.stack.report()


class Lines:
    """The stacks of this session, one for each form and wire of its callee."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lines: dict[tuple[str, str, float, bool, str], Line] = {}

    def get(
        self,
        form: str,
        directory: Path,
        *,
        callee: Wire = UDP4,
        t1: float = 0.5,
        to_itself: bool = False,
        registrar: bool = False,
        transfer: str = "pass",
    ) -> Line:
        """Return a line for one test through the stack of that kind.

        With ``registrar`` the callee's side gets registrations too; it always does from ``simple``.
        """
        kind = form, "itself" if to_itself else str(callee), t1, registrar, transfer
        if kind not in self._lines:
            self._lines[kind] = self._open(kind, callee, to_itself)
        open_line = self._lines[kind]
        return Line(open_line.stack, callee, open_line.callee_port, directory)

    def _open(self, kind: tuple[str, str, float, bool, str], callee: Wire, to_itself: bool) -> Line:
        form, _, t1, registrar, transfer = kind
        name = "-".join(map(str, kind))
        port = free_port()
        route = callee.address(port) + (";transport=tcp" if callee.transport == "tcp" else "")
        env = {"B2BUA_TRANSFER": transfer, "CALL_CONTROL_TRANSFER": transfer}
        options: dict[str, object] = {}
        if form not in ("simple", "radius"):
            options = {"t1": t1, "registrar": registrar, "env": env}
        stack = FORMS[form](self._directory / name, TO_ITSELF if to_itself else route, **options)
        stack.start()
        return Line(stack, callee, port)

    def stop(self) -> None:
        """Stop every stack."""
        for line in self._lines.values():
            line.stack.stop()
