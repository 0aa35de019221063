"""A distributed stack with user agents on sockets at both ends, for tests that kill its parts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from support.ports import free_port
from support.processes import wait_until
from support.sipp import UDP4
from support.stack import Distributed
from support.ua import Address, Callee, Caller


@dataclass
class Scene:
    """A distributed stack with a callee behind it, and the callers of one test."""

    stack: Distributed
    callee: Callee
    _callers: list[Caller] = field(default_factory=list)

    def edge(self, index: int = 0) -> Address:
        """Return the address of an edge."""
        host, _, port = self.stack.sip_address(UDP4, index).rpartition(":")
        return host, int(port)

    def caller(self, edge: int = 0) -> Caller:
        """Return a new caller at an edge."""
        caller = Caller(self.edge(edge))
        self._callers.append(caller)
        return caller

    def owner(self) -> int:
        """Return the index of the pod that owns the only call there is."""
        keys = wait_until(self.stack.call_keys, timeout=5, what="a call record")
        assert len(keys) == 1, keys
        return self.stack.owner(keys[0].rpartition(":")[2])

    def assert_all_over(self) -> None:
        """No record and no deadline remains, and each tombstone is about to vanish by itself."""
        self.stack.wait_idle(meanwhile=self._hear)
        longest = int(64 * self.stack.t1 * 1000)
        for key in self.stack.tombstones():
            assert 0 < self.stack.milliseconds_left(key) <= longest, key
        self.stack.assert_no_traceback()

    def _hear(self) -> None:
        """Let the callers acknowledge what is repeated to them."""
        for caller in self._callers:
            caller.endpoint.drain(0.005)

    def report(self) -> str:
        """Return what the processes of the stack wrote."""
        return self.stack.report()

    def close(self) -> None:
        """Close the callers' sockets and bring back what was killed."""
        for caller in self._callers:
            caller.close()
        self._callers.clear()
        self.stack.bring_back()


@contextlib.contextmanager
def running_scene(directory: Path, *, edges: int, t1: float) -> Iterator[Scene]:
    """Run a scene: two call-control pods, Redis, and ``edges`` edges with timer T1 of ``t1`` seconds.

    Transfers are carried out.
    """
    callee = Callee(port=free_port())
    stack = Distributed(
        directory, callee.hostport, [UDP4], edges=edges, t1=t1, env={"CALL_CONTROL_TRANSFER": "perform"}
    )
    try:
        stack.start()
        yield Scene(stack, callee)
    finally:
        stack.stop()
        callee.close()
