"""What goes wrong in a run, and the table of what each fault excuses.

Nothing is excused that does not stand in `EXCUSES`, and only for calls that a fault met: those that lived
while it lasted (or shortly after), on the part that it hit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Fault(Enum):
    """The kinds of faults."""

    PACKETS = "packets lost, repeated or overtaken"
    """What is repeated arrives in the end: see `sipcore.testing.wire.Faults.most_losses`."""
    SPREAD = "each packet for the shared address goes to another edge"
    FEW_CREDITS = "pods take few new calls at a time"
    POD_KILLED = "a pod dies, and is back later"
    POD_PAUSED = "a pod stands still"
    NO_POD = "an edge has no pod that works"
    """Never planned: the sum of other faults."""
    EDGE_KILLED = "an edge dies, and is back at its address within 20 s"
    EDGE_LOST = "an edge dies for good"
    EDGE_PAUSED = "an edge stands still"
    STREAM_BROKEN = "the streams between an edge and a pod break"
    """Planned, or done by an edge whose pod is silent for longer than it waits."""
    STREAM_STALLED = "nothing comes through the streams between an edge and a pod for a while"
    STORE_CUT = "the connection of a pod to the store breaks"
    STORE_SLOW = "the store is slow for one pod"
    STORE_AWAY_SHORTLY = "the store is away for less than a second"
    STORE_AWAY = "the store is away for longer"
    STORE_ROLLED_BACK = "the store loses what was written lately"
    RECORDS_LOST = "the store loses what was written lately, and a pod that wrote it has died meanwhile"
    """Never planned: nobody can write it back."""


class May(Enum):
    """What may happen to a call that a fault met."""

    BE_REFUSED = "a new call is refused with 503 or 500 for which there was a callee"
    HEAR_NOTHING = "the caller gets no final answer"
    LOSE_THE_ANSWER = "a refusal of an INVITE is lost on the way, with the edge that would have repeated it"
    FAIL = "a call that is being set up ends with another status than its callee meant"
    BE_TORN_DOWN = "a call that is up is ended by us"
    END_ONE_SIDED = "one side hears nothing of the end"
    GO_UNANSWERED = "a request inside a dialog gets no answer"
    BE_CALLED_TWICE = "a callee gets an INVITE again when it has forgotten the first one"
    BE_ASKED_TWICE = "a request inside a dialog that was answered is sent again by another edge, and refused"
    BE_HUNG_UP_TWICE = "a BYE of ours comes in two transactions"
    BE_ANSWERED_TWICE = "copies of an INVITE at two edges are answered differently"
    LEAVE_A_TRANSACTION = "an edge that missed the answer keeps its transaction for ten minutes"
    BE_OUT_OF_ORDER = (
        "a request inside a dialog is overtaken by a later one, or its copy, and refused with 500"
    )


class Phase(Enum):
    """Calls that an excuse is good for, by how far they were when the fault came."""

    NEW = "the INVITE came not more than 3 s before it, or later"
    DIALLING = "an INVITE of ours had come to a callee, and nothing but 100 back"
    REFUSING = "a refusal of ours had left by that edge, and not arrived"
    ASKING = "an INVITE of a party came not more than 3 s before it, or later"
    SETUP = "not established yet"
    SETUP_OR_ASKING = "one of the two"
    ANY = "any"


EXCUSES: Mapping[Fault, Mapping[May, Phase]] = MappingProxyType(
    {
        Fault.PACKETS: {May.BE_OUT_OF_ORDER: Phase.ANY},
        # One edge may have no pod, or get a copy when the answer of the other is forgotten.
        Fault.SPREAD: {May.BE_ANSWERED_TWICE: Phase.ANY, May.BE_OUT_OF_ORDER: Phase.ANY},
        # A refusal is stateless: the next copy may find a pod.
        Fault.FEW_CREDITS: {May.BE_REFUSED: Phase.ANY, May.BE_ANSWERED_TWICE: Phase.NEW},
        # A pod that is back answers by the edges that are connected again; others do not hear of it.
        # It sends requests by these as well, and again by the edge of the leg when that one is back: the
        # record cannot tell that another edge has sent them already.
        Fault.POD_KILLED: {
            May.LEAVE_A_TRANSACTION: Phase.ANY,
            May.BE_ASKED_TWICE: Phase.ANY,
            May.BE_HUNG_UP_TWICE: Phase.ANY,
            May.BE_OUT_OF_ORDER: Phase.ANY,
        },
        # It wakes up with an INVITE that another pod has refused as merged meanwhile, which leaves no trace.
        Fault.POD_PAUSED: {May.BE_CALLED_TWICE: Phase.NEW, May.BE_OUT_OF_ORDER: Phase.ANY},
        Fault.NO_POD: {May.BE_REFUSED: Phase.NEW, May.BE_ANSWERED_TWICE: Phase.NEW},
        Fault.EDGE_KILLED: {
            # It has told the caller 100, and knew alone of the INVITE.
            May.HEAR_NOTHING: Phase.NEW,
            May.GO_UNANSWERED: Phase.ASKING,
            # Its transaction alone repeats a refusal, and the party repeats no INVITE that got 100.
            May.LOSE_THE_ANSWER: Phase.REFUSING,
            # It sent our INVITE, and could not tell any more: nobody can send the CANCEL.
            May.END_ONE_SIDED: Phase.DIALLING,
            # The callee's answer was acknowledged, and had not reached a pod.
            May.BE_CALLED_TWICE: Phase.SETUP,
            May.BE_ASKED_TWICE: Phase.ANY,
            # A 2xx that comes again after the end finds nobody who knows its ACK, and is hung up.
            May.BE_HUNG_UP_TWICE: Phase.ANY,
            May.BE_OUT_OF_ORDER: Phase.ANY,
        },
        Fault.EDGE_LOST: {
            May.HEAR_NOTHING: Phase.SETUP,
            May.FAIL: Phase.SETUP,
            May.BE_TORN_DOWN: Phase.SETUP,
            May.END_ONE_SIDED: Phase.SETUP,
            # Inside a dialog as well, when it has told the party 100, and knew alone of the INVITE.
            May.GO_UNANSWERED: Phase.SETUP_OR_ASKING,
            May.LOSE_THE_ANSWER: Phase.REFUSING,
            # Another edge sends our requests again: not under the address of the lost one.
            May.BE_HUNG_UP_TWICE: Phase.ANY,
            May.BE_CALLED_TWICE: Phase.ANY,
            May.BE_ASKED_TWICE: Phase.ANY,
            May.BE_OUT_OF_ORDER: Phase.ANY,
        },
        Fault.EDGE_PAUSED: {May.BE_OUT_OF_ORDER: Phase.ANY},
        # The answer leaves by an edge that is connected, and the other one does not hear of it. So do
        # requests that the other one has sent, and could not report.
        Fault.STREAM_BROKEN: {
            May.LEAVE_A_TRANSACTION: Phase.ANY,
            May.BE_ASKED_TWICE: Phase.ANY,
            May.BE_HUNG_UP_TWICE: Phase.ANY,
            May.BE_OUT_OF_ORDER: Phase.ANY,
        },
        Fault.STREAM_STALLED: {May.BE_CALLED_TWICE: Phase.NEW, May.BE_OUT_OF_ORDER: Phase.ANY},
        Fault.STORE_CUT: {May.BE_OUT_OF_ORDER: Phase.ANY},
        # The pod waits a second for the store before it declines: longer than a new call may wait in a queue.
        Fault.STORE_SLOW: {
            May.BE_REFUSED: Phase.NEW,
            May.BE_HUNG_UP_TWICE: Phase.ANY,
            May.BE_OUT_OF_ORDER: Phase.ANY,
        },
        Fault.STORE_AWAY_SHORTLY: {May.BE_OUT_OF_ORDER: Phase.ANY},
        # A call that was ended meanwhile by an old record is ended once more by the newer one.
        Fault.STORE_AWAY: {
            May.BE_REFUSED: Phase.NEW,
            May.BE_ANSWERED_TWICE: Phase.NEW,
            May.BE_HUNG_UP_TWICE: Phase.ANY,
            May.BE_OUT_OF_ORDER: Phase.ANY,
        },
        # The merge marker is lost until it is written back.
        Fault.STORE_ROLLED_BACK: {May.BE_CALLED_TWICE: Phase.NEW, May.BE_OUT_OF_ORDER: Phase.ANY},
        Fault.RECORDS_LOST: dict.fromkeys(May, Phase.ANY),
    }
)

#: While these last, edges keep what came to them: an edge that dies then takes more along.
HOLDING_BACK = frozenset({Fault.STORE_AWAY, Fault.STORE_SLOW, Fault.NO_POD, Fault.POD_PAUSED})

#: An edge that stays away takes its own address along: whoever knows only that one speaks to nobody.
WITHOUT_SHARED_ADDRESS: Mapping[Fault, Mapping[May, Phase]] = MappingProxyType(
    {
        Fault.EDGE_LOST: dict.fromkeys((May.BE_TORN_DOWN, May.END_ONE_SIDED, May.GO_UNANSWERED), Phase.ANY),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suffered:
    """A fault that has happened."""

    fault: Fault
    start: float
    end: float
    edge: str = ""
    """The edge that it hit; empty for a fault of what all calls use."""


#: A fault is felt for so long after its end: by then every repetition of our own has come.
AFTERMATH = 35.0
#: Pods have written back what a store has lost within this time.
_WRITTEN_BACK = 1.0


def excuses(suffered: Suffered, phases: frozenset[Phase], *, shared_address: bool) -> frozenset[May]:
    """What a fault excuses in a call that it met, by how far the call was."""
    granted = EXCUSES[suffered.fault]
    if not shared_address:
        granted = {**granted, **WITHOUT_SHARED_ADDRESS.get(suffered.fault, {})}
    return frozenset(may for may, phase in granted.items() if phase in phases)


@dataclass(frozen=True, slots=True, kw_only=True)
class Impairment:
    """A time in which a pod is of no use to an edge."""

    edge: str
    """Empty: to all."""
    pod: str
    start: float
    end: float


def lost_records(suffered: Iterable[Suffered]) -> list[Suffered]:
    """The times at which a store was rolled back to before the last commits of a pod that is dead."""
    suffered = list(suffered)
    deaths = [one.start for one in suffered if one.fault is Fault.POD_KILLED]
    return [
        Suffered(fault=Fault.RECORDS_LOST, start=one.start, end=one.end)
        for one in suffered
        if one.fault is Fault.STORE_ROLLED_BACK
        and any(one.start <= death <= one.end + _WRITTEN_BACK for death in deaths)
    ]


def without_pods(
    impairments: Iterable[Impairment], edges: Iterable[str], pods: Collection[str]
) -> list[Suffered]:
    """The times in which an edge had no pod at all."""
    impairments = list(impairments)
    found = []
    for edge in edges:
        mine = [one for one in impairments if one.edge in ("", edge)]
        for one in mine:
            # A time without any pod begins when the last of them is lost.
            lost = [other for other in mine if other.start <= one.start < other.end]
            if {other.pod for other in lost} >= set(pods):
                end = min(max(other.end for other in lost if other.pod == pod) for pod in pods)
                found.append(Suffered(fault=Fault.NO_POD, start=one.start, end=end, edge=edge))
    return found
