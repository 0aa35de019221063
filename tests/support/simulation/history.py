"""What became of one call, put together from what its parties noted and from what passed the network."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from sipcore.testing.call import Call
from sipcore.testing.script import CallState, Ending, Kind, Record
from sipcore.testing.wire import Fate
from support.simulation.faults import AFTERMATH, HOLDING_BACK, Fault, May, Phase, Suffered, excuses
from support.simulation.network import EDGES, SHARED
from support.simulation.plan import PlannedCall
from support.simulation.scripts import MAX_CALL
from support.simulation.world import World

#: Seconds before and after a fault that belong to the phases.
_NEW, _DIALLING, _JUST_ESTABLISHED, _JUST_AFTER = 3.0, 2.0, 1.0, 3.0
_CALL_ID = re.compile(rb"\r\nCall-ID: ([^\r]+)")
_CSEQ = re.compile(rb"\r\nCSeq: (\d+)")
_BRANCH = re.compile(rb"branch=([^;,\r]+)")
_REFUSAL = re.compile(rb"SIP/2.0 [3-6]\d\d .*?\r\nCSeq: \d+ INVITE\r\n", re.DOTALL)
#: A refusal is repeated for so long (RFC 3261 17.2.1, timer H).
_REPEATED = 32.0
_TO_TAG = re.compile(rb"\r\nTo: [^\r]*;tag=([^;\r]+)")


class _Refusal(NamedTuple):
    """A final answer of ours to an INVITE, on its way."""

    time: float
    edge: str
    branch: str
    lost: bool


@dataclass(slots=True)
class _Passed:
    """The packets of a Call-ID."""

    first: float
    last: float
    edges: set[str] = field(default_factory=set)
    refusals: list[_Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Message:
    """A record of a party, read as far as needed."""

    time: float
    kind: Kind
    method: str
    status: int
    cseq: int
    branch: str
    to_tag: str
    data: bytes

    @property
    def body(self) -> bytes:
        """Its body."""
        return self.data.partition(b"\r\n\r\n")[2]


class Side:
    """One party of a call."""

    def __init__(self, name: str, call: Call, records: list[Record]) -> None:
        self.name = name
        self.call = call
        self.messages = [_read(record) for record in records]

    def all(self, kind: Kind, method: str = "", status: int = 0) -> list[Message]:
        """What happened of a kind."""
        return [
            one
            for one in self.messages
            if one.kind is kind and method in ("", one.method) and status in (0, one.status)
        ]

    @property
    def vanished(self) -> bool:
        """Whether it stopped to speak and to answer."""
        return self.call.ending is Ending.VANISHED

    @property
    def over(self) -> bool:
        """Whether the call is over for it."""
        return self.call.state is CallState.ENDED


class History:
    """A call with both sides, and what its faults excuse."""

    def __init__(self, world: World, planned: PlannedCall, call: Call, passed: _Passed) -> None:
        self.world = world
        self.planned = planned
        self.scenario = planned.scenario
        self.name = f"call {planned.number} ({planned.name}, {call.call_id})"
        self.started = world.start + planned.at
        self.edges = passed.edges
        self._refusals = passed.refusals
        self._last = passed.last
        self.caller = _side(world.callers[planned.caller].name, call)
        self.callees = [
            _side(agent.name, one)
            for agent in (*world.callees, world.target)
            for one in agent.calls
            if one.call_id == call.call_id
        ]

    @property
    def sides(self) -> list[Side]:
        """All parties."""
        return [self.caller, *self.callees]

    @property
    def answered(self) -> list[Side]:
        """The callees that accepted the call."""
        return [side for side in self.callees if 200 <= side.call.status < 300]

    @cached_property
    def established(self) -> float | None:
        """When the caller's ACK was sent, if it ever was."""
        sent = self.caller.all(Kind.ACK_SENT)
        return sent[0].time if sent else None

    @cached_property
    def met(self) -> frozenset[Fault]:
        """The faults that came near this call."""
        return frozenset(one.fault for one in self.world.suffered if self._meets(one))

    @cached_property
    def excused(self) -> frozenset[May]:
        """What may have happened to it."""
        granted: set[May] = set()
        for one in self.world.suffered:
            if self._meets(one):
                shared = self.world.plan.shared_address
                granted |= excuses(one, self._phases(one), shared_address=shared)
        return frozenset(granted)

    @property
    def refused_in_vain(self) -> frozenset[str]:
        """Branches of INVITEs whose refusal never arrived."""
        arrived = {one.branch for one in self._refusals if not one.lost}
        return frozenset(one.branch for one in self._refusals) - arrived

    def _phases(self, suffered: Suffered) -> frozenset[Phase]:
        """How far the call was when a fault came."""
        until = suffered.end + _JUST_AFTER
        held_back = [
            one.start
            for one in self.world.suffered
            if one.fault in HOLDING_BACK and one.start <= suffered.start <= one.end + _JUST_AFTER
        ]
        start = min([suffered.start, *held_back])
        dialled = [one.time for side in self.callees for one in side.all(Kind.REQUEST_RECEIVED, "INVITE")]
        answers = self.caller.all(Kind.RESPONSE_RECEIVED, "INVITE")
        heard = [one.time for one in answers if 180 <= one.status < 300]
        asked = [one.time for one in self.caller.all(Kind.REQUEST_SENT, "INVITE") if one.cseq == 1]
        invites = [one.time for side in self.sides for one in side.all(Kind.REQUEST_SENT, "INVITE")]
        refused = [
            one.time
            for one in self._refusals
            if one.edge == suffered.edge and one.branch in self.refused_in_vain
        ]
        holds = {
            Phase.REFUSING: any(suffered.start - _REPEATED <= time <= suffered.start for time in refused),
            Phase.ASKING: any(start - _NEW <= time <= until for time in invites),
            Phase.NEW: any(start - _NEW <= time <= until for time in asked),
            Phase.DIALLING: any(start - _DIALLING <= time <= until for time in dialled)
            or (bool(dialled) and not any(time <= start for time in heard)),
            Phase.SETUP: self.established is None or self.established > start - _JUST_ESTABLISHED,
            Phase.ANY: True,
        }
        holds[Phase.SETUP_OR_ASKING] = holds[Phase.SETUP] or holds[Phase.ASKING]
        return frozenset(phase for phase, true in holds.items() if true)

    def causes_before(self, time: float, *, at: Side) -> Iterator[str]:
        """Why a party may have been hung up on by then."""
        if time - self.started >= MAX_CALL - 1.0:
            yield "the longest call"
        for side in self.sides:
            if side.vanished:
                yield f"{side.name} vanished"
            if any(one.time <= time for one in side.all(Kind.REQUEST_SENT, "BYE")):
                yield f"BYE of {side.name}"
            # Passed on, a REFER ends the call for both sides; carried out, for its sender.
            referring = self.world.plan.transfer == "pass" or side is at
            if referring and any(one.time <= time for one in side.all(Kind.REQUEST_SENT, "REFER")):
                yield f"REFER of {side.name}"
        if any(one.time <= time for one in self.caller.all(Kind.TIMED_OUT, "INVITE")):
            yield "the caller gave up"
        if at.name == self.world.target.name and self._offer_is_refused(time):
            yield "the offer of the target was refused"
        if any(one.time <= time for one in self.caller.all(Kind.REQUEST_SENT, "CANCEL")):
            yield "CANCEL"
        if at is not self.caller and self.caller.call.status >= 300:
            yield "the caller was refused"

    def transfers_before(self, time: float) -> int:
        """How many transfers were asked for until then."""
        return sum(one.time <= time for side in self.sides for one in side.all(Kind.REQUEST_SENT, "REFER"))

    def _offer_is_refused(self, time: float) -> bool:
        in_the_call = [self.caller, *self.answered]
        refusals = [one for side in in_the_call for one in side.all(Kind.RESPONSE_SENT, "INVITE")]
        return any(one.status >= 300 and one.time <= time for one in refusals)

    def _meets(self, suffered: Suffered) -> bool:
        last = self._last + 1.0 if all(side.over for side in self.sides) else math.inf
        in_time = suffered.start <= last and self.started <= suffered.end + AFTERMATH
        return in_time and (not suffered.edge or suffered.edge in self.edges)


def histories(world: World) -> list[History]:
    """All calls of a run, in the order of their beginning."""
    names = {address: f"edge-{number}" for number, address in enumerate(EDGES)}
    passed: dict[str, _Passed] = {}
    for passage in world.wire.log:
        found = _CALL_ID.search(passage.data)
        if found is None:
            continue
        one = passed.setdefault(found.group(1).decode(), _Passed(passage.time, passage.time))
        one.last = passage.time
        refusal = passage.source in names and _REFUSAL.match(passage.data)
        if refusal and (branch := _BRANCH.search(passage.data)):
            lost = passage.fate is not Fate.DELIVERED
            edge, of = names[passage.source], branch.group(1).decode()
            one.refusals.append(_Refusal(passage.time, edge, of, lost))
        for address in (passage.source, passage.destination):
            if address == SHARED:
                one.edges |= {edge.name for edge in world.edges}
            elif address in names:
                one.edges.add(names[address])
    nothing = _Passed(world.start, world.start)
    return [
        History(world, planned, call, passed.get(call.call_id, nothing)) for planned, call in world.placed
    ]


def _side(name: str, call: Call) -> Side:
    return Side(name, call, [one for one in call.agent.records if one.call_id == call.call_id])


def _read(record: Record) -> Message:
    data = record.data
    cseq, branch, to_tag = _CSEQ.search(data), _BRANCH.search(data), _TO_TAG.search(data)
    return Message(
        record.time,
        record.kind,
        record.method,
        record.status,
        int(cseq.group(1)) if cseq else 0,
        branch.group(1).decode() if branch else "",
        to_tag.group(1).decode() if to_tag else "",
        data,
    )
