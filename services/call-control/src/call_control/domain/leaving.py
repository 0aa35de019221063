"""One side of an answered call is gone: who else goes with it.

Without a transfer that ends the call. While one is under way the transferor may leave before it is through,
and after it the transferor has no part in the call any more.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import release, transfer_end
from call_control.domain.turn import Turn


class Part(Enum):
    """The part of a leg in an answered call."""

    SIDE = auto()
    """Connected to another: the call is theirs."""
    TRANSFEROR = auto()
    """Connected still, but the call will go on without it."""
    TARGET = auto()
    """The target of a transfer, answered but not yet connected."""
    BYSTANDER = auto()
    """Connected to nobody: hung up already, or about to be."""


def part_of(call: record.Call, leg: record.Leg) -> Part:
    """Tell what part a leg has."""
    if leg.state != record.LEG_STATE_CONFIRMED:
        return Part.BYSTANDER
    if call.HasField("transfer"):
        if leg.index == call.transfer.transferor:
            return Part.TRANSFEROR
        connecting = call.transfer.state == record.TRANSFER_STATE_CONNECTING
        if connecting and leg.index == call.transfer.target:
            return Part.TARGET
    return Part.BYSTANDER if call.connected and leg.index not in call.connected else Part.SIDE


def hung_up(turn: Turn, leg: record.Leg, request: edge.RequestEvent, reporter: edge.EdgeRef) -> None:
    """A BYE of any leg of an answered call."""
    part = part_of(turn.call, leg)
    if part is Part.SIDE:
        release.hung_up(turn, leg, request, reporter)
        return
    release.dismissed(turn, leg, request, reporter)
    _GONE[part](turn, leg)


def lost(turn: Turn, leg: record.Leg, status: int) -> None:
    """The peer of a leg is gone without a BYE; `status` stands for why. It gets one from us."""
    part = part_of(turn.call, leg)
    if part is Part.SIDE:
        release.release_all(turn, status, record.RELEASE_SOURCE_INTERNAL)
        return
    release.dismiss(turn, leg)
    _GONE[part](turn, leg)


def _transferor_gone(turn: Turn, leg: record.Leg) -> None:
    """The transfer goes on; the transferee waits for the target."""
    turn.call.connected[:] = [turn.call.transfer.transferee]


def _target_gone(turn: Turn, leg: record.Leg) -> None:
    transfer_end.failed(turn, 487, "Request Terminated")


def _bystander_gone(turn: Turn, leg: record.Leg) -> None:
    """Nobody misses it."""


_GONE: dict[Part, Callable[[Turn, record.Leg], None]] = {
    Part.TRANSFEROR: _transferor_gone,
    Part.TARGET: _target_gone,
    Part.BYSTANDER: _bystander_gone,
}
