"""The engine of a call-control process: events in, one commit per call in flight, effects out.

Nothing here does I/O or knows asyncio: edges are `EdgePort`s, the store answers by callback. With
the memory store an event is through when `on_event` returns.

A call's record is decoded for each turn from the stored bytes and never kept decoded: what this
process holds of a call is a cache of those bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from b2bua.aaa.v1 import aaa_pb2 as aaa
from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control import turns
from call_control.connected_edges import ConnectedEdges
from call_control.domain import orphans, upkeep
from call_control.domain.kinds import Kind, Subject
from call_control.domain.policy import Policy
from call_control.domain.ports import Authorizer, EdgePort, Journal, NobodyAuthorizes, NoJournal
from call_control.domain.store import Commit, Outcome, Store, Verdict
from call_control.domain.turn import Turn
from call_control.slots import Arrival, Slot
from svckit.descriptors import hold
from svckit.identity import Identity

hold(record.Call.DESCRIPTOR, edge.Event.DESCRIPTOR, edge.Command.DESCRIPTOR)

_OWES_NOTHING: frozenset[int] = frozenset()
_COMMITTED = Verdict.COMMITTED

#: Commands that leave without a commit are numbered so far from all others that no pod gives their numbers
#: to other commands: an edge carries out each number once.
_APART = 1 << 16


_log = structlog.get_logger("call_control")


#: One for all the slots in which nothing waits.
_NOTHING: frozenset[int] = frozenset()


@dataclass(slots=True)
class Counters:
    """What the process did, for metrics."""

    events: int = 0
    commits: int = 0
    conflicts: int = 0
    unavailable: int = 0
    merged: int = 0
    restored: int = 0
    journaled: int = 0
    timers: int = 0
    opened: int = 0
    failed: int = 0
    ended: dict[int, int] = field(default_factory=dict)
    """Ended calls by the SIP status that stands for the end."""


class Pod:
    """Call control of one process. All methods run on one thread and return at once."""

    def __init__(
        self,
        *,
        pod_id: str,
        store: Store,
        identity: Identity,
        policy: Policy,
        journal: Journal | None = None,
        authorizer: Authorizer | None = None,
    ) -> None:
        """`pod_id` is unique among the processes of a store at one time, restarts included."""
        self._pod_id = pod_id
        self._store = store
        self._identity = identity
        self._policy = policy
        self._slots: dict[str, Slot] = {}
        self._edges = ConnectedEdges(patience_ms=policy.edge_absence_ms, now=store.now)
        self._commits = 0
        self._epoch = 0
        self._journal = journal or NoJournal()
        self._authorizer = authorizer or NobodyAuthorizes()
        self._unsaved: dict[str, Commit] = {}
        self._stones: dict[str, tuple[int, Commit]] = {}
        self.counters = Counters()

    # -- edges -----------------------------------------------------------------------------

    def attach(self, port: EdgePort) -> None:
        """An edge connected; another port of the same edge is replaced."""
        self._edges.attach(port)

    def detach(self, port: EdgePort) -> None:
        """An edge went away."""
        self._edges.detach(port, self._store.now())

    @property
    def cached_calls(self) -> int:
        """Calls whose record is cached here."""
        return len(self._slots)

    @property
    def in_flight(self) -> int:
        """Calls with a commit or load under way."""
        return sum(slot.busy for slot in self._slots.values())

    @property
    def undeliverable(self) -> int:
        """Commands that found no edge; they are owed, and issued again."""
        return self._edges.undeliverable

    def active_keys(self) -> list[str]:
        """Keys of the cached calls that are not over."""
        return [slot.key for slot in self._slots.values() if slot.known and not slot.closing]

    def records(self, text: str = "") -> Iterator[record.Call]:
        """The cached calls that hold a text, ended ones included, decoded one by one for this look."""
        wanted = text.encode("utf-8", "surrogateescape")
        for slot in list(self._slots.values()):
            if slot.stored and wanted in slot.stored:
                yield record.Call.FromString(slot.stored)

    def on_event(self, port: EdgePort, event: edge.Event) -> None:
        """Take an event of an edge; it is acknowledged (or `busy`) through the port."""
        self.counters.events += 1
        key = event.call_key
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = Slot(key)
        elif event.WhichOneof("kind") == "sent" and not slot.has_heard(event.sent.sent):
            slot.sents.append(event.sent.sent)
            port.acknowledge((event.id,))
            return
        slot.queue.append((port, event))
        if slot.busy:
            return
        if slot.known:
            self._turn(slot)
        else:
            self._run(slot)

    def on_done(self, port: EdgePort, refs: Sequence[edge.CommandRef]) -> None:
        """Commands were carried out: proofs, kept until the next commit of their call."""
        for ref in refs:
            slot = self._slots.get(ref.call_key)
            if slot is None:
                continue
            slot.done |= {ref.id}
            if slot.closing and not slot.busy and slot.owed <= slot.done:
                self._run(slot)

    def on_due(self, keys: Iterable[str]) -> None:
        """The deadlines of these calls have passed (the sweeper claimed them)."""
        for key in keys:
            slot = self._slots.get(key)
            if slot is None:
                slot = self._slots[key] = Slot(key)
            slot.timer = True
            self.counters.timers += 1
            if not slot.busy:
                self._run(slot)

    def on_authorized(self, reply: aaa.AuthorizeResponse, call_key: str) -> None:
        """Take the reply of an authorisation; one that nobody waits for any more changes nothing."""
        slot = self._slots.get(call_key)
        if slot is None:
            slot = self._slots[call_key] = Slot(call_key)
        slot.replies.append(reply)
        if not slot.busy:
            self._run(slot)

    def disconnect(self, call_key: str) -> None:
        """End a call by our own decision: 500 to a caller that waits, BYE or CANCEL to everybody else.

        A call that is over, or unknown to the store, stays as it is.
        """
        slot = self._slots.get(call_key)
        if slot is None:
            slot = self._slots[call_key] = Slot(call_key)
        slot.disconnecting = slot.timer = True
        if not slot.busy:
            self._run(slot)

    def on_lost_writes(self) -> None:
        """The store may have lost writes: write back what is cached and newer."""
        self._epoch += 1
        for slot in list(self._slots.values()):
            if slot.stored and not slot.busy:
                self._restore(slot)
        now = self._store.now()
        for expires, commit in list(self._stones.values()):
            if expires > now:
                self._save(replace(commit, expected=commit.expected + 1, restore=True))

    def forget_idle(self, before: int) -> int:
        """Drop from the cache what was last used before a time; the store has it. Returns how many.

        Without this the calls that other pods took over would stay here for ever.
        """
        idle = [
            slot.key
            for slot in self._slots.values()
            if slot.used < before and not (slot.busy or slot.queue or slot.timer)
        ]
        for key in idle:
            del self._slots[key]
        return len(idle)

    # -- turns -----------------------------------------------------------------------------

    def _run(self, slot: Slot) -> None:
        if slot.known or (slot.queue and _is_new_call(slot.queue[0][1])):
            self._turn(slot)
            return
        slot.busy = True
        self._store.load(slot.key, partial(self._loaded, slot))

    def _loaded(self, slot: Slot, outcome: Outcome) -> None:
        slot.busy = False
        match outcome.verdict:
            case Verdict.COMMITTED:
                slot.known, slot.stored, slot.epoch = True, outcome.record or b"", self._epoch
                self._turn(slot, fresh=True)
            case Verdict.UNAVAILABLE:
                self._busy(slot, slot.queue)
            case Verdict.ENDED:
                self._drop(slot, outcome.tombstone)
            case _:
                # A CANCEL that was offered again may have come before its INVITE.
                slot.queue.sort(key=lambda arrival: not arrival[1].opens_call)
                if slot.queue and slot.queue[0][1].opens_call:
                    self._turn(slot)
                else:
                    self._drop(slot, None)

    def _turn(self, slot: Slot, *, fresh: bool = False) -> None:
        """Apply what waits to the record. `fresh`: it comes from the store just now, and is not old."""
        arrivals, slot.queue = slot.queue, []
        turn = self._begin(slot)
        call = turn.call
        slot.used = turn.now
        before = call.state
        timer, slot.timer = slot.timer, False
        done, slot.done = slot.done, _NOTHING
        sents, slot.sents = slot.sents, []
        try:
            turns.advance(
                turn,
                self._identity,
                sents=sents,
                done=done,
                events=[event for _, event in arrivals],
                absences=self._edges.absences(turn.now) if timer else None,
                over=slot.over,
                orders=_take_orders(slot) if slot.replies or slot.disconnecting else (),
            )
        except Exception:
            self.counters.failed += 1
            _log.exception("call.failed", call_key=slot.key)
            if not slot.stored:
                self._refuse(slot, arrivals)
                return
            turn = self._failed(slot, [event for _, event in arrivals])
        if turn.changed:
            if turn.invites:
                self._edges.place_invites(turn)
            self._commit(slot, turn, arrivals, before, timer)
            return
        slot.done |= done
        slot.sents = sents
        if arrivals and slot.stored and not fresh and not turn.emissions:
            slot.queue[:0] = arrivals
            self._compare(slot, call.version)
            return
        if turn.emissions or turn.inquiries:
            self._effect(turn)
        _acknowledge(arrivals)

    def _commit(
        self, slot: Slot, turn: Turn, arrivals: list[Arrival], before: record.CallState, timer: bool
    ) -> None:
        """Ask the store to keep what a turn made of a call that was in the state `before`."""
        call = turn.call
        counters = self.counters
        counters.commits += 1
        if not call.version:
            counters.opened += 1
        self._commits += 1
        commit_id = f"{self._pod_id}:{self._commits}"
        if call.state == record.CALL_STATE_ENDED:
            commit = self._end_of(slot.key, call, commit_id, before)
        else:
            commit = self._transition_of(slot.key, call, commit_id, before)
        slot.busy = True
        slot.asked = self._store.available
        self._store.commit(commit, partial(self._committed, slot, turn, arrivals, commit, timer))

    def _transition_of(self, key: str, call: record.Call, commit_id: str, before: record.CallState) -> Commit:
        """Return the commit of a call that goes on, and count its version."""
        expected = call.version
        call.version = expected + 1
        return Commit(
            key=key,
            expected=expected,
            commit_id=commit_id,
            record=call.SerializeToString(),
            deadline=upkeep.next_deadline(call),
            merge_key="" if expected else call.merge_key,
            active=None if expected else True,
            durable=call.state == record.CALL_STATE_ANSWERED != before,
            ttl_ms=2 * self._policy.max_call_ms,
        )

    def _end_of(self, key: str, call: record.Call, commit_id: str, before: record.CallState) -> Commit:
        """Return the commit of a call that has ended; of one that owes nothing only a tombstone stays."""
        expected = call.version
        call.version = expected + 1
        over = upkeep.is_over(call)
        ends = before != record.CALL_STATE_ENDED
        return Commit(
            key=key,
            expected=expected,
            commit_id=commit_id,
            record=None if over else call.SerializeToString(),
            tombstone=upkeep.tombstone(call).SerializeToString() if over else None,
            deadline=None if over else upkeep.next_deadline(call),
            merge_key=call.merge_key,
            drop_merge=True,
            active=False if ends else None,
            durable=ends,
            ttl_ms=self._policy.tombstone_ms if over else 2 * self._policy.max_call_ms,
        )

    def _compare(self, slot: Slot, version: int) -> None:
        """Events mean nothing to the record of this version: another pod may have gone on since."""
        slot.busy = True
        self._store.load(slot.key, partial(self._compared, slot, version))

    def _compared(self, slot: Slot, version: int, outcome: Outcome) -> None:
        slot.busy = False
        if outcome.verdict is Verdict.UNAVAILABLE:
            self._busy(slot, slot.queue)
        elif outcome.verdict is Verdict.ENDED:
            self._drop(slot, outcome.tombstone)
        else:
            if outcome.version > version:
                slot.stored, slot.epoch = outcome.record or b"", self._epoch
            self._turn(slot, fresh=True)

    def _failed(self, slot: Slot, events: list[edge.Event]) -> Turn:
        """Return the turn that ends a call of which another one was not possible."""
        turn = self._begin(slot)
        try:
            turns.end_failed(turn, self._identity, events)
        except Exception:
            _log.exception("call.buried", call_key=slot.key)
            turn = self._begin(slot)
            turns.bury(turn)
        return turn

    def _begin(self, slot: Slot) -> Turn:
        stored = slot.stored
        call = record.Call.FromString(stored) if stored else record.Call()
        return Turn(call, self._store.now(), self._policy, self._identity)

    def _committed(
        self, slot: Slot, turn: Turn, arrivals: list[Arrival], commit: Commit, timer: bool, outcome: Outcome
    ) -> None:
        slot.busy = False
        if outcome.verdict is _COMMITTED:
            for note in turn.notes:
                call_id = turn.call.legs[0].call_id if turn.call.legs else ""
                _log.warning("call.note", call_key=slot.key, call_id=call_id, note=note)
            self._settle(slot, turn, commit)
            if turn.emissions or turn.inquiries:
                self._effect(turn)
            _acknowledge(arrivals)
        elif outcome.verdict is Verdict.MERGED:
            self.counters.merged += 1
            self._refuse_merged(slot, [*arrivals, *slot.queue])
            return
        elif outcome.verdict is Verdict.UNAVAILABLE:
            # First every other pod is asked: perhaps the store is away from here only. If none can commit,
            # the events come back to the first pod in their order, whose record is the newest.
            events = {turns.fingerprint(event) for _, event in arrivals}
            tried = slot.key in self._unsaved or events <= slot.declined
            slot.declined |= events
            if tried and slot.stored and turn.call.state == record.CALL_STATE_ENDED:
                self._end_without_store(slot, turn, arrivals, commit)
            else:
                self._busy(slot, arrivals, unsure=slot.asked)
            return
        else:
            slot.queue[:0] = arrivals
            slot.timer = slot.timer or timer
            self.counters.conflicts += 1
            self._overtaken(slot, commit, outcome)
            return
        waits = slot.queue or slot.timer or slot.replies
        if waits or (slot.closing and slot.done and slot.owed <= slot.done):
            self._run(slot)

    def _settle(self, slot: Slot, turn: Turn, commit: Commit) -> None:
        slot.known = True
        slot.epoch = self._epoch
        slot.declined = _NOTHING
        if turn.call.state == record.CALL_STATE_ENDED:
            self._settle_end(slot, turn, commit)
        else:
            slot.closing = False
            slot.owed = _OWES_NOTHING
        if commit.record is not None:
            slot.stored = commit.record

    def _settle_end(self, slot: Slot, turn: Turn, commit: Commit) -> None:
        """A call has ended, or is closer to owing nothing any more."""
        call = turn.call
        if not slot.closing:
            status = call.final_status
            self.counters.ended[status] = self.counters.ended.get(status, 0) + 1
        slot.closing = True
        slot.disconnecting = False
        slot.owed = frozenset([debt.id for debt in call.debts[:]])
        if commit.record is not None:
            return
        self._remember(commit, turn.now)
        if slot.queue:
            slot.known, slot.stored = False, b""
        else:
            self._slots.pop(slot.key, None)

    def _overtaken(self, slot: Slot, commit: Commit, outcome: Outcome) -> None:
        """Another pod took the call over, ended it, or the store lost what we wrote."""
        lost = outcome.version < commit.expected and slot.epoch != self._epoch
        if outcome.verdict is Verdict.CONFLICT and outcome.version > commit.expected:
            slot.known, slot.stored, slot.epoch = True, outcome.record or b"", self._epoch
            self._turn(slot, fresh=True)
        elif outcome.verdict is Verdict.CONFLICT or (outcome.verdict is Verdict.GONE and lost):
            self._restore(slot)
        else:
            self._drop(slot, outcome.tombstone)

    def _restore(self, slot: Slot) -> None:
        """Write a cached record back to a store that has an older one, or none."""
        call = record.Call.FromString(slot.stored)
        ended = call.state == record.CALL_STATE_ENDED
        self._commits += 1
        self.counters.restored += 1
        commit = Commit(
            key=slot.key,
            expected=call.version,
            commit_id=f"{self._pod_id}:{self._commits}",
            record=slot.stored,
            deadline=upkeep.next_deadline(call),
            merge_key=call.merge_key,
            drop_merge=ended,
            active=not ended,
            ttl_ms=2 * self._policy.max_call_ms,
            restore=True,
        )
        slot.busy = True
        self._store.commit(commit, partial(self._restored, slot))

    def _restored(self, slot: Slot, outcome: Outcome) -> None:
        slot.busy = False
        slot.epoch = self._epoch
        if outcome.verdict is Verdict.CONFLICT:
            slot.stored = outcome.record or b""
        elif outcome.verdict is Verdict.ENDED:
            self._drop(slot, outcome.tombstone)
            return
        elif outcome.verdict is Verdict.UNAVAILABLE:
            self._busy(slot, slot.queue)
            return
        if slot.queue or slot.timer:
            self._run(slot)

    # -- while the store is away -----------------------------------------------------------

    def _end_without_store(self, slot: Slot, turn: Turn, arrivals: list[Arrival], commit: Commit) -> None:
        """Let people hang up although the store is away: the state waits in the journal."""
        turn.renumber_debts(record.Call.FromString(slot.stored).last_debt, _APART)
        if commit.record is not None:
            commit = replace(commit, record=turn.call.SerializeToString())
        kept = replace(commit, expected=commit.expected + 1, restore=True)
        self._unsaved[slot.key] = kept
        self._journal.append(kept)
        self.counters.journaled += 1
        self._settle(slot, turn, commit)
        self._edges.emit(turn.emissions)
        _acknowledge(arrivals)
        if slot.queue:
            self._run(slot)

    def keep(self, commits: Iterable[Commit]) -> None:
        """Take over what an earlier process of this pod left in its journal."""
        self._unsaved.update((commit.key, commit) for commit in commits)

    def on_available(self) -> None:
        """The store is back: write to it what it missed."""
        for commit in list(self._unsaved.values()):
            self._save(commit)

    def _save(self, commit: Commit) -> None:
        """Write back a state that the store missed or lost."""
        self._commits += 1
        numbered = replace(commit, commit_id=f"{self._pod_id}:{self._commits}")
        self._store.commit(numbered, partial(self._saved, commit))

    def _remember(self, commit: Commit, now: int) -> None:
        """Keep the end of a call as long as its tombstone: a store that rolls back would revive it."""
        stones = self._stones
        stones[commit.key] = (now + commit.ttl_ms, commit)
        while (oldest := next(iter(stones))) and stones[oldest][0] <= now:
            del stones[oldest]

    def _saved(self, commit: Commit, outcome: Outcome) -> None:
        if outcome.verdict is Verdict.UNAVAILABLE:
            return
        self.counters.restored += 1
        if self._unsaved.get(commit.key) is commit:
            del self._unsaved[commit.key]
        if not self._unsaved:
            self._journal.clear()
        if outcome.verdict is Verdict.CONFLICT and outcome.record:
            if commit.record is None:
                # Everybody was told and has answered: the newer record has nothing to add.
                self._save(replace(commit, expected=outcome.version + 1))
            else:
                self._end_newer(commit.key, outcome.record)

    def _end_newer(self, key: str, newer: bytes) -> None:
        """Another pod has gone on with a call that was ended here: people were told, so it ends."""
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = Slot(key)
        slot.over = True
        if not slot.busy:
            slot.known, slot.stored, slot.epoch = True, newer, self._epoch
            self._run(slot)

    # -- calls that are no more ------------------------------------------------------------

    def _drop(self, slot: Slot, tombstone: bytes | None) -> None:
        """The call is over or unknown: answer what waits for it, and forget it."""
        self._slots.pop(slot.key, None)
        stone = record.Tombstone.FromString(tombstone) if tombstone is not None else None
        for _, event in slot.queue:
            leg = turns.leg_of(event, self._identity)
            if stone is None:
                self._edges.emit(orphans.unknown(event, self._policy, self._identity, leg))
            else:
                self._edges.emit(orphans.remembered(event, stone, self._policy, self._identity, leg))
        _acknowledge(slot.queue)

    def _refuse(self, slot: Slot, arrivals: list[Arrival]) -> None:
        """Nothing could be made of these, and there is no call yet: 500 to whoever waits for an answer."""
        self._slots.pop(slot.key, None)
        for _, event in arrivals:
            if event.WhichOneof("kind") == "request":
                self._edges.emit(orphans.answer(event, 500, "Server Internal Error"))
        _acknowledge(arrivals)

    def _refuse_merged(self, slot: Slot, arrivals: list[Arrival]) -> None:
        """RFC 3261 8.2.2.2: the same request reached us over two paths; the first one counts."""
        self._slots.pop(slot.key, None)
        for _, event in arrivals:
            if event.opens_call:
                self._edges.emit(orphans.answer(event, 482, "Loop Detected"))
        _acknowledge(arrivals)

    def _busy(self, slot: Slot, arrivals: list[Arrival], *, unsure: bool = False) -> None:
        """The store is away: the edges keep their events and offer them again.

        `unsure`: the store was asked, so that a call may have been created without our knowing.
        """
        self.counters.unavailable += 1
        refused = [*arrivals, *(slot.queue if slot.queue is not arrivals else ())]
        slot.queue = []
        if not slot.stored:
            self._slots.pop(slot.key, None)
        for port, event in refused:
            port.busy((event.id,), unsure=unsure and event.opens_call)

    # -- effects ---------------------------------------------------------------------------

    def _effect(self, turn: Turn) -> None:
        """Let happen what a turn owes, once it is committed."""
        self._edges.emit(turn.emissions)
        for inquiry in turn.inquiries:
            self._authorizer.authorize(inquiry)


def _is_new_call(event: edge.Event) -> bool:
    """Tell whether an event opens a call that no other pod can know."""
    return event.opens_call and not event.redelivered


def _take_orders(slot: Slot) -> list[Subject]:
    """Return what waits beside events: replies of authorisation, the order to end the call."""
    orders = [Subject(Kind.AUTHORIZED, reply=reply) for reply in slot.replies]
    slot.replies = []
    if slot.disconnecting:
        orders.append(turns.DISCONNECT)
    return orders


def _acknowledge(arrivals: Sequence[Arrival]) -> None:
    for port, event in arrivals:
        port.acknowledge((event.id,))
