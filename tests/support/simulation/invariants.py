"""What must hold after each run. Each function yields a sentence for everything that is wrong.

A call is judged by its history; `excused` there says what its faults excuse, and nothing else does.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator

from sipcore.testing.script import Kind
from support.simulation.faults import EXCUSES, May
from support.simulation.history import History, Message, Side, histories
from support.simulation.world import World

_RELAYED = ("INFO", "MESSAGE")
#: Answers to requests inside a dialog that end nothing, for those that are not answered 200: done, refused
#: by script, glare, a transfer while another one is under way.
_GOOD = {
    "INVITE": frozenset({200, 488, 491}),
    "UPDATE": frozenset({200, 491}),
    "REFER": frozenset({202, 491}),
}
#: What a request gets that meets the end of its call.
_ENDING = frozenset({408, 481, 487, 491, 500})
#: What a request gets besides, the other side of which is being replaced by the target of a transfer.
_EXCHANGED = frozenset({480, 487})
_UNAVAILABLE = frozenset({500, 503})


def violations(world: World) -> list[str]:
    """Everything that is wrong with a run that is over."""
    found = [sentence for check in OF_THE_WORLD for sentence in check(world)]
    for history in histories(world):
        found += [f"{history.name}: {sentence}" for check in OF_A_CALL for sentence in check(history)]
    return found


# -- of each call ------------------------------------------------------------------------------------


def invite_gets_one_final_answer(history: History) -> Iterator[str]:
    """Each INVITE transaction of a party that still listens: one final answer, and not two different ones."""
    for side in history.sides:
        finals: dict[str, set[tuple[int, str]]] = {}
        for kind in (Kind.RESPONSE_RECEIVED, Kind.UNMATCHED):
            for one in side.all(kind, "INVITE"):
                if one.status >= 200:
                    finals.setdefault(one.branch, set()).add((one.status, one.to_tag))
        for branch, different in finals.items():
            if May.BE_OUT_OF_ORDER in history.excused:
                # A late copy at another edge, when the first one is answered and forgotten.
                different = {final for final in different if final[0] != 500} or different
            if len(different) > 1 and May.BE_ANSWERED_TWICE not in history.excused:
                yield f"{side.name} got several final answers to one INVITE ({branch}): {sorted(different)}"
        if side.vanished:
            continue
        unanswered = [one for one in side.all(Kind.REQUEST_SENT, "INVITE") if one.branch not in finals]
        if May.LOSE_THE_ANSWER in history.excused:
            unanswered = [one for one in unanswered if one.branch not in history.refused_in_vain]
        excuse = May.HEAR_NOTHING if side is history.caller else May.GO_UNANSWERED
        if unanswered and not {excuse, May.GO_UNANSWERED} & history.excused:
            yield f"{side.name} got no final answer to INVITE {unanswered[0].cseq} ({unanswered[0].branch})"


def call_ends_as_meant(history: History) -> Iterator[str]:
    """The caller's status is one that the scripts lead to."""
    caller = history.caller
    status, meant = caller.call.status, history.scenario.statuses
    if status in meant or caller.vanished or not status:
        return
    if caller.all(Kind.TIMED_OUT, "INVITE"):
        return  # another invariant's business
    if status in _UNAVAILABLE and May.BE_REFUSED in history.excused:
        return
    if May.FAIL in history.excused or May.HEAR_NOTHING in history.excused:
        return
    yield f"the INVITE ended with {status} instead of {sorted(meant)}"


def everybody_knows_that_it_is_over(history: History) -> Iterator[str]:
    """No party is still in a call, or waits for anything of it."""
    for side in history.sides:
        lonely = May.HEAR_NOTHING if side is history.caller else May.END_ONE_SIDED
        if {lonely, May.END_ONE_SIDED} & history.excused:
            continue
        if not side.over:
            yield f"{side.name} is still {side.call.state.value}"
        if side.call.agent.is_busy_with(side.call.call_id):
            yield f"{side.name} still has a transaction"


def answered_call_ends_by_bye_on_both_sides(history: History) -> Iterator[str]:
    """Whoever was in an answered call has sent or got a BYE."""
    if May.END_ONE_SIDED in history.excused:
        return
    sides = list(history.answered)
    if 200 <= history.caller.call.status < 300:
        sides.append(history.caller)
        if not history.answered:
            yield "the caller got a 2xx that no callee gave"
    for side in sides:
        if side.vanished:
            continue
        if not side.all(Kind.REQUEST_SENT, "BYE") and not side.all(Kind.REQUEST_RECEIVED, "BYE"):
            yield f"{side.name} was in the call, and neither sent nor got a BYE"


def nobody_is_hung_up_on_without_a_cause(history: History) -> Iterator[str]:
    """A BYE of ours follows a BYE or CANCEL of the other side, a silence, or a timer that is due."""
    if May.BE_TORN_DOWN in history.excused:
        return
    for side in history.sides:
        for bye in side.all(Kind.REQUEST_RECEIVED, "BYE")[:1]:
            if not any(history.causes_before(bye.time, at=side)):
                yield f"{side.name} got a BYE at {bye.time - history.world.start:.3f} without a cause"
        for missing in side.all(Kind.ACK_MISSING):
            if not any(history.causes_before(missing.time, at=side)):
                yield f"{side.name} got no ACK for its 2xx"


def request_arrives_once(history: History) -> Iterator[str]:
    """One CSeq number, one transaction: nothing is sent to a party twice under two branches."""
    for side in history.sides:
        # A CANCEL is owed until the INVITE has its final answer, and harms nobody that has forgotten it.
        repeatable = {"CANCEL", "BYE"} if May.BE_HUNG_UP_TWICE in history.excused else {"CANCEL"}
        if May.BE_CALLED_TWICE in history.excused:
            repeatable.add("INVITE")
        if May.BE_ASKED_TWICE in history.excused:
            repeatable |= {*_RELAYED, "UPDATE", "REFER", "NOTIFY"}
        requests = [one for one in side.all(Kind.REQUEST_RECEIVED) if one.method not in repeatable]
        if May.BE_ASKED_TWICE in history.excused:
            # An INVITE inside a dialog is one of these: it has a tag of the party.
            requests = [one for one in requests if one.method != "INVITE" or not one.to_tag]
        seen = Counter((one.method, one.cseq) for one in requests)
        for (method, cseq), times in seen.items():
            if times > 1:
                yield f"{side.name} got {method} {cseq} in {times} transactions"
        if side.all(Kind.RESPONSE_SENT, status=482):
            yield f"{side.name} got a merged request"


def relayed_request_crosses_once(history: History) -> Iterator[str]:
    """An INFO or MESSAGE that arrives was sent by the other side, and arrives once."""
    for method in _RELAYED:
        for side in history.sides:
            others = [other for other in history.sides if other is not side]
            sent = Counter(body for other in others for body in _bodies(other, method))
            arrived = Counter(one.body for one in side.all(Kind.REQUEST_RECEIVED, method))
            for body, times in arrived.items():
                if times > max(sent[body], 1) and May.BE_ASKED_TWICE not in history.excused:
                    yield f"{side.name} got the {method} {body!r} {times} times"
                if not sent[body]:
                    yield f"{side.name} got the {method} {body!r} that nobody sent"


def _bodies(side: Side, method: str) -> set[bytes]:
    return {one.body for one in side.all(Kind.REQUEST_SENT, method)}


def request_in_dialog_is_answered(history: History) -> Iterator[str]:
    """A request inside a dialog gets its answer, and a good one as long as nobody hangs up."""
    for side in history.sides:
        if side.vanished:
            continue
        for one in side.all(Kind.TIMED_OUT):
            silent_peer = history.scenario.vanishes and one.method in _RELAYED
            if one.method == "INVITE" or silent_peer or May.GO_UNANSWERED in history.excused:
                continue
            yield f"{side.name} got no answer to {one.method}"
        repeated = _repeated(side)
        for one in side.all(Kind.RESPONSE_RECEIVED):
            if one.status >= 200 and one.branch not in repeated and _is_bad(history, side, one):
                yield f"{side.name} got {one.status} to {one.method} {one.cseq}"


def _repeated(side: Side) -> set[str]:
    """Branches of requests that repeat another one: 482 and 500 are right for those."""
    branches: dict[tuple[str, int], list[str]] = {}
    for one in side.all(Kind.REQUEST_SENT):
        branches.setdefault((one.method, one.cseq), []).append(one.branch)
    return {branch for same in branches.values() if len(same) > 1 for branch in same[1:]}


def _is_bad(history: History, side: Side, answer: Message) -> bool:
    opened_call = side is history.caller and answer.method == "INVITE" and answer.cseq == 1
    if opened_call or answer.method == "CANCEL":
        return False
    if answer.status in _GOOD.get(answer.method, (200,)):
        return False
    if answer.status == 500 and May.BE_OUT_OF_ORDER in history.excused:
        return False
    hung_up = any(one.time <= answer.time for one in side.all(Kind.REQUEST_SENT, "BYE"))
    ended = hung_up or any(history.causes_before(answer.time, at=side))
    if answer.status in _ENDING and ended:
        return False
    if answer.status in _EXCHANGED and history.transfers_before(answer.time):
        return False
    return May.GO_UNANSWERED not in history.excused


def transferor_hears_of_the_end(history: History) -> Iterator[str]:
    """Who asked for a transfer that we carry out is told how it ended, unless somebody hangs up before us."""
    if history.world.plan.transfer != "perform" or May.BE_TORN_DOWN in history.excused:
        return
    hung_up = [one.time for side in history.sides for one in side.all(Kind.REQUEST_SENT, "BYE")]
    for side in history.sides:
        for bye in side.all(Kind.REQUEST_RECEIVED, "BYE")[:1]:
            accepted = {one.cseq for one in side.all(Kind.RESPONSE_RECEIVED, "REFER", 202)}
            told = [one for one in side.all(Kind.REQUEST_RECEIVED, "NOTIFY") if b"terminated" in one.data]
            if len(accepted) > len(told) and not any(time <= bye.time for time in hung_up):
                yield f"{side.name} was not told how its transfer ended"


def one_attempt_per_route(history: History) -> Iterator[str]:
    """Each callee is called once, and the target once for each transfer."""
    if May.BE_CALLED_TWICE in history.excused:
        return
    for name, times in Counter(side.name for side in history.callees).items():
        transfers = history.transfers_before(math.inf) if name == history.world.target.name else 1
        if times > transfers:
            yield f"{name} was called {times} times"


OF_A_CALL: tuple[Callable[[History], Iterator[str]], ...] = (
    invite_gets_one_final_answer,
    call_ends_as_meant,
    everybody_knows_that_it_is_over,
    answered_call_ends_by_bye_on_both_sides,
    nobody_is_hung_up_on_without_a_cause,
    request_arrives_once,
    relayed_request_crosses_once,
    request_in_dialog_is_answered,
    transferor_hears_of_the_end,
    one_attempt_per_route,
)


# -- of the whole ------------------------------------------------------------------------------------


def store_is_empty(world: World) -> Iterator[str]:
    """No record, marker, deadline or index entry is left."""
    for what in world.store.left():
        yield f"the store still has: {what}"


def pods_are_idle(world: World) -> Iterator[str]:
    """No pod waits for anything or keeps anything of a call."""
    for pod in world.pods:
        if pod.process.alive and pod.engine.cached_calls:
            yield f"{pod.name} still has {pod.engine.cached_calls} calls in work"
        for key in pod.unsaved:
            yield f"{pod.name} still has the end of {key} in its journal"


def edges_are_idle(world: World) -> Iterator[str]:
    """No edge has a transaction or an event that nobody took."""
    granted = {may for one in world.suffered for may in EXCUSES[one.fault]}
    for edge in world.living_edges:
        if edge.core.open_transactions and May.LEAVE_A_TRANSACTION not in granted:
            yield f"{edge.name} still has {edge.core.open_transactions} transactions"
        if len(edge.delivery):
            yield f"{edge.name} still has {len(edge.delivery)} events that no pod took"


def agents_understand_everything(world: World) -> Iterator[str]:
    """Whatever we send can be read."""
    for agent in world.agents:
        for record in agent.happened(Kind.UNREADABLE):
            yield f"{agent.name} cannot read {record.data[:80]!r}"


def nothing_is_accounted_without_aaa(world: World) -> Iterator[str]:
    """The outbox stays empty while no aaa is configured."""
    if world.store.memory.outbox:
        yield f"the outbox holds {len(world.store.memory.outbox)} records that nobody asked for"


OF_THE_WORLD: tuple[Callable[[World], Iterator[str]], ...] = (
    store_is_empty,
    pods_are_idle,
    edges_are_idle,
    agents_understand_everything,
    nothing_is_accounted_without_aaa,
)
