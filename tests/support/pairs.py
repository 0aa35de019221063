"""A caller and a callee on sockets, with the product between them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from support.lines import Line
from support.sipp import UDP4
from support.ua import Callee, CalleeCall, Caller, address_of


@dataclass
class Pair:
    """A caller and a callee at the two ends of a line."""

    line: Line
    caller: Caller
    callee: Callee

    @classmethod
    @contextlib.contextmanager
    def on(cls, line: Line) -> Iterator[Pair]:
        """Open both; afterwards the product has forgotten the call."""
        host, _, port = line.stack.sip_address(UDP4).rpartition(":")
        ends = cls(line, Caller((host, int(port))), Callee(port=line.callee_port))
        yield ends
        ends.caller.close()
        ends.callee.close()
        line.finish()

    def ringing(self) -> CalleeCall:
        """Call until it rings."""
        self.caller.invite()
        call = self.callee.call(self.caller)
        call.ring()
        self.caller.hear_status(180)
        return call

    def established(self) -> CalleeCall:
        """Call until both sides have heard that they are connected."""
        call = self.ringing()
        call.pick_up()
        self.caller.hear_status(200)
        self.caller.acknowledge()
        call.hear_ack()
        return call

    @contextlib.contextmanager
    def another(self, user: str) -> Iterator[Pair]:
        """A second line of the caller, to somebody else at the callee's place."""
        caller = Caller(self.caller.next_hop or address_of(self.caller.target), user=user)
        yield Pair(self.line, caller, self.callee)
        caller.close()

    def hang_up(self, call: CalleeCall) -> None:
        """End the call from the caller's side."""
        bye = self.caller.begin("BYE")
        call.hear_bye()
        self.caller.settle(bye)

    def acks(self) -> int:
        """Return how many ACKs the callee has heard."""
        return sum(message.start_line.startswith("ACK ") for message in self.callee.seen)
