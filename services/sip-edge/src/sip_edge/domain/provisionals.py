"""Reliable provisionals that wait for their PRACK (RFC 3262 3): one at most for each INVITE.

Call-control sends them one after the other and answers the PRACKs; the edge only repeats.
"""

import math
from typing import Final, NamedTuple

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain.deadlines import Deadlines
from sip_edge.domain.events import Events
from sip_edge.domain.origin import Origin
from sip_edge.domain.wires import Wires
from sipcore.errors import PeerProtocolError
from sipcore.message import Request
from sipcore.reliability import parse_rack
from sipcore.timers import Timers
from sipcore.transaction import Action, ReliableProvisional


class _Acknowledged(NamedTuple):
    """What a PRACK has in common with the provisional that it acknowledges."""

    call_id: str
    our_tag: str
    peer_tag: str
    rseq: int
    cseq: int


class Provisional:
    """One provisional, as it left."""

    __slots__ = ("_owner", "call_key", "data", "key", "look_at", "machine", "origin", "status", "transaction")

    def __init__(
        self,
        transaction: str,
        call_key: str,
        origin: Origin,
        respond: edge_pb2.Respond,
        data: bytes,
        owner: "Provisionals",
    ) -> None:
        self.transaction: Final = transaction
        self.call_key: Final = call_key
        self.origin: Final = origin
        self.status: Final = respond.status
        self.data: Final = data
        our_tag = origin.to_tag or respond.to_tag
        self.key: Final = _Acknowledged(origin.call_id, our_tag, origin.from_tag, respond.rseq, origin.cseq)
        self.machine: Final = ReliableProvisional(owner.timers)
        self._owner: Final = owner
        self.look_at = math.inf

    @property
    def deadline(self) -> float:
        """When something happens by itself."""
        return self.machine.deadline

    def expire(self, now: float) -> None:
        """See `Timed`."""
        self._owner.expire(self, now)


class Provisionals:
    """Repeats them until the PRACK, the final answer, a newer one, or the end of patience.

    The transaction of the INVITE need not be here: another edge may have received it, or this one before a
    restart. A final answer that then leaves by another edge does not end the repeats, but a PRACK, a Stop and
    the time do, and after a final answer nobody minds them.
    """

    __slots__ = ("_by_key", "_by_transaction", "_deadlines", "_events", "_wires", "timers")

    def __init__(self, timers: Timers, *, wires: Wires, events: Events, deadlines: Deadlines) -> None:
        self.timers: Final = timers
        self._wires: Final = wires
        self._events: Final = events
        self._deadlines: Final = deadlines
        self._by_key: dict[_Acknowledged, Provisional] = {}
        self._by_transaction: dict[str, Provisional] = {}

    def sent(
        self,
        transaction: str,
        call_key: str,
        origin: Origin,
        respond: edge_pb2.Respond,
        data: bytes,
        now: float,
    ) -> None:
        """A reliable provisional has left; an older one of the same INVITE is repeated no more."""
        self.overtake(transaction, now)
        provisional = Provisional(transaction, call_key, origin, respond, data, self)
        provisional.machine.start(now)
        self._by_key[provisional.key] = self._by_transaction[transaction] = provisional
        self._deadlines.arm(provisional, now)

    def acknowledge(self, prack: Request, now: float) -> None:
        """A PRACK came in: stop the provisional that it is for, if it is here."""
        rack = prack.headers.get("rack")
        if not self._by_key or rack is None:
            return
        try:
            rseq, cseq = parse_rack(rack)
        except PeerProtocolError:
            # Call-control refuses it.
            return
        key = _Acknowledged(prack.call_id, prack.to_tag, prack.from_tag, rseq, cseq.number)
        provisional = self._by_key.get(key)
        if provisional is not None and cseq.method == "INVITE":
            self._perform(provisional, provisional.machine.on_prack(now))

    def overtake(self, transaction: str, now: float) -> bool:
        """The INVITE has been answered further, or its PRACK came elsewhere. False: nothing waited."""
        provisional = self._by_transaction.get(transaction)
        if provisional is None:
            return False
        self._perform(provisional, provisional.machine.on_overtaken(now))
        return True

    def expire(self, provisional: Provisional, now: float) -> None:
        """Its deadline has passed."""
        self._perform(provisional, provisional.machine.on_timer(now))

    def _perform(self, provisional: Provisional, actions: tuple[Action, ...]) -> None:
        transaction = provisional.transaction
        for action in actions:
            if action is Action.SEND_RESPONSE:
                self._wires.answer(provisional.origin, provisional.status, provisional.data)
            elif action is Action.PRACK_MISSING:
                self._events.provisional_unacknowledged(
                    provisional.call_key, transaction, provisional.key.rseq
                )
            elif action is Action.TERMINATE:
                self._by_key.pop(provisional.key, None)
                self._by_transaction.pop(transaction, None)
