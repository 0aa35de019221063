"""ACKs for 2xx responses: no transactions, but sent again with each repetition (RFC 3261 13.2.2.4)."""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain.drop_reasons import Counters, DropReason
from sip_edge.domain.ports import Endpoint, Query
from sip_edge.domain.remembered import Remembered
from sip_edge.domain.roads import Road, Roads
from sip_edge.domain.wires import Wires
from sip_edge.domain.writing import request_bytes
from sipcore.errors import LocalProtocolError


class _Ack(NamedTuple):
    road: Road
    data: bytes


class Acks:
    """Sends what call-control gave as ACK, and remembers it for 64 * T1."""

    __slots__ = ("_counters", "_remembered", "_roads", "_wires")

    def __init__(self, *, span: float, roads: Roads, wires: Wires, counters: Counters) -> None:
        self._roads: Final = roads
        self._wires: Final = wires
        self._counters: Final = counters
        self._remembered: Final[Remembered[tuple[str, str], _Ack]] = Remembered(span)

    def send(
        self, request: edge_pb2.SendRequest, invite_branch: str, done: Callable[[], None], now: float
    ) -> None:
        """Send an ACK and call `done`; `invite_branch` is empty when it is not to be remembered."""
        targets = self._roads.find(request.target)
        if isinstance(targets, Query):
            self._roads.ask(targets, partial(self._found, request, invite_branch, done))
        else:
            self._found(request, invite_branch, done, targets, now)

    def repeat(self, invite_branch: str, to_tag: str) -> bool:
        """A 2xx came: acknowledge it if that was done before."""
        ack = self._remembered.get((invite_branch, to_tag))
        if ack is None:
            return False
        self._counters.drop(DropReason.RESPONSE_REPEATED)
        self._put(ack)
        return True

    def _found(
        self,
        request: edge_pb2.SendRequest,
        invite_branch: str,
        done: Callable[[], None],
        targets: list[Endpoint],
        now: float,
    ) -> None:
        ack = self._write(request, targets)
        if ack is None or not self._put(ack):
            self._counters.drop(DropReason.UNREACHABLE)
            return
        if invite_branch:
            self._remembered.put((invite_branch, request.to_tag), ack, now)
        done()

    def _write(self, request: edge_pb2.SendRequest, targets: list[Endpoint]) -> _Ack | None:
        for endpoint in targets:
            road = self._roads.to(endpoint, request.target)
            if road is None:
                continue
            try:
                return _Ack(road, request_bytes(request, request.branch, road.local))
            except LocalProtocolError:
                self._counters.drop(DropReason.UNSENDABLE)
                return None
        return None

    def _put(self, ack: _Ack) -> bool:
        self._counters.sent_requests["ACK"] += 1
        return self._wires.request(ack.road, ack.data)
