"""One store for all pods, and the connection of each pod to it: slow, cut, or with a reply that gets lost.

`MemoryStore` has the contract of Redis. A connection adds what `RedisStore` adds to it: requests and replies
take time and stay in order; what a lost connection leaves unanswered is sent again on the next one, under the
same commit id; what is a second old is given up, and the store counts as away until it can be connected to.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from call_control.adapters.memory_store import MemoryStore
from call_control.domain.store import Commit, Outcome, Verdict
from sipcore.testing.clock import Clock
from support.simulation.process import Process
from support.simulation.trace import Trace

#: Store time at the start of a run, in milliseconds.
EPOCH_MS = 1_700_000_000_000
#: As many as show that calls are kept apart; each costs time in every look for deadlines.
SHARDS = 4
#: Seconds that a request or a reply takes.
USUAL_DELAY = 0.0005
_PATIENCE = 1.0
_RECONNECT = (0.02, 0.3)
_NO_PROOF = frozenset({Verdict.UNAVAILABLE, Verdict.GONE})


class SharedStore:
    """What all pods write to. Stands still while `up` is False."""

    def __init__(self, clock: Clock, trace: Trace) -> None:
        self.clock = clock
        self.trace = trace
        self.up = True
        self.run = 1
        """Another number after a fail-over: another server answers."""
        self.connections: list[StoreConnection] = []
        self.memory = MemoryStore(
            shards=SHARDS, salt=b"s" * 16, clock=lambda: EPOCH_MS + round(clock.time() * 1_000)
        )

    def go_away(self) -> None:
        """Every connection breaks, and none can be made."""
        self.trace.note("store", "away")
        self.up = False
        for connection in tuple(self.connections):
            connection.cut()

    def come_back(self) -> None:
        """It can be connected to again."""
        self.trace.note("store", "back")
        self.up = True

    def snapshot(self) -> MemoryStore:
        """What a replica knows by now."""
        return copy.deepcopy(self.memory)

    def roll_back(self, replica: MemoryStore) -> None:
        """A fail-over to a replica that is behind: what was written since is lost."""
        self.trace.note("store", "rolled back")
        self.memory = replica
        self.run += 1
        for connection in tuple(self.connections):
            connection.cut()

    @property
    def keys(self) -> list[str]:
        """Keys of the calls that have a record."""
        return sorted(self.memory._records)

    def left(self) -> list[str]:
        """What is there beside tombstones, in words."""
        memory = self.memory
        found = [f"record of {key}" for key in self.keys]
        found += [f"marker {marker} of {key}" for marker, key in sorted(memory._merges.items())]
        found += [f"active {key}" for key in sorted(memory.active)]
        found += [f"deadline of {key}" for shard in memory._deadlines for key in sorted(shard._due)]
        return found

    def anything_due(self) -> bool:
        """Whether a look for deadlines would find something: spares the simulation most looks."""
        now = self.memory.now()
        return any(shard._heap and shard._heap[0][0] <= now for shard in self.memory._deadlines)


class _Request:
    """Something asked of the store, until it is answered."""

    __slots__ = ("answer", "deadline", "failed", "perform")

    def __init__(
        self,
        perform: Callable[[MemoryStore], Any],
        answer: Callable[[Any], None],
        failed: Callable[[], Any],
        deadline: float,
    ) -> None:
        self.perform, self.answer, self.failed, self.deadline = perform, answer, failed, deadline


class StoreConnection:
    """The `Store` of one life of a pod."""

    def __init__(self, shared: SharedStore, process: Process, chance: Random, name: str) -> None:
        self.shards = shared.memory.shards
        self.salt = shared.memory.salt
        self.available = True
        self.on_available: Callable[[bool], None] | None = None
        self.on_lost_writes: Callable[[], None] | None = None
        self.on_warning: Callable[[str], None] | None = None
        self.delay = USUAL_DELAY
        """Seconds that a request or a reply takes."""
        self.before_commit: Callable[[Commit], None] = _nothing
        self.after_commit: Callable[[Commit], None] = _nothing
        self.after_reply: Callable[[Commit], None] = _nothing
        """Where a commit stands, for whoever wants to kill the pod just there."""
        self._shared = shared
        self._process = process
        self._chance = chance
        self._name = name
        self._waiting: deque[_Request] = deque()
        self._life = 0
        self._connected = True
        self._run = shared.run
        self._arrives = self._replies = 0.0
        self._watching = False
        self._now = 0
        shared.connections.append(self)

    # -- Store -----------------------------------------------------------------------------

    async def start(self) -> None:
        """Connected from the beginning."""

    async def close(self) -> None:
        """The process ends anyway."""

    def now(self) -> int:
        """Time of the store."""
        self._now = max(self._now, EPOCH_MS + round(self._shared.clock.time() * 1_000))
        return self._now

    def commit(self, commit: Commit, then: Callable[[Outcome], None]) -> None:
        """See `Store.commit`."""

        def perform(memory: MemoryStore) -> Outcome:
            self.before_commit(commit)
            outcome = _result(lambda answer: memory.commit(commit, answer))
            self._shared.trace.note(self._name, outcome.verdict.value, commit)
            self.after_commit(commit)
            return outcome

        def answer(outcome: Outcome) -> None:
            proves_loss = outcome.version < commit.expected and outcome.verdict not in _NO_PROOF
            if proves_loss and self.on_lost_writes is not None:
                self.on_lost_writes()
            then(outcome)
            self.after_reply(commit)

        self._ask(perform, answer, self._unavailable)

    def load(self, key: str, then: Callable[[Outcome], None]) -> None:
        """See `Store.load`."""
        self._ask(lambda memory: _result(lambda answer: memory.load(key, answer)), then, self._unavailable)

    def claim_due(self, shard: int, limit: int, then: Callable[[list[str]], None]) -> None:
        """See `Store.claim_due`."""
        self.claim_due_many((shard,), limit, then)

    def claim_due_many(self, shards: Sequence[int], limit: int, then: Callable[[list[str]], None]) -> None:
        """See `Store.claim_due_many`."""
        self._ask(
            lambda memory: _result(lambda answer: memory.claim_due_many(shards, limit, answer)), then, list
        )

    def lease(self, pod_id: str, ttl_ms: int, then: Callable[[tuple[int, ...]], None]) -> None:
        """See `Store.lease`."""
        self._ask(
            lambda memory: _result(lambda answer: memory.lease(pod_id, ttl_ms, answer)),
            then,
            lambda: tuple(range(self.shards)),
        )

    def release(self, pod_id: str) -> None:
        """See `Store.release`."""
        self._ask(lambda memory: memory.release(pod_id), _nothing, lambda: None)

    # -- the lane --------------------------------------------------------------------------

    def cut(self) -> None:
        """The connection breaks: requests and replies on their way are lost."""
        if self._connected:
            self._connected = False
            self._life += 1
            self._process.later(self._chance.uniform(*_RECONNECT), self._reconnect)

    def end(self) -> None:
        """The process is dead."""
        if self in self._shared.connections:
            self._shared.connections.remove(self)

    def _unavailable(self) -> Outcome:
        return Outcome(Verdict.UNAVAILABLE, 0, None, None, self.now())

    def _ask(
        self, perform: Callable[[MemoryStore], Any], answer: Callable[[Any], None], failed: Callable[[], Any]
    ) -> None:
        if not self.available:
            self._process.later(0.0, lambda: answer(failed()))
            return
        request = _Request(perform, answer, failed, self._shared.clock.time() + _PATIENCE)
        self._waiting.append(request)
        if not self._watching:
            self._watch()
        if self._connected:
            self._send(request)

    def _send(self, request: _Request) -> None:
        clock = self._shared.clock
        self._arrives = max(self._arrives, clock.time() + self.delay)
        clock.call_at(self._arrives, self._arrived, request, self._life)

    def _arrived(self, request: _Request, life: int) -> None:
        if life != self._life or not self._process.alive:
            return
        result = request.perform(self._shared.memory)
        if not self._process.alive:
            return
        clock = self._shared.clock
        self._replies = max(self._replies, clock.time() + self.delay)
        clock.call_at(self._replies, self._process.do, self._replied, request, result, life)

    def _replied(self, request: _Request, result: Any, life: int) -> None:
        if life != self._life:
            return
        assert self._waiting.popleft() is request
        request.answer(result)

    def _watch(self) -> None:
        self._watching = True
        delay = self._waiting[0].deadline - self._shared.clock.time()
        self._process.later(max(delay, 0.0) + 0.001, self._look)

    def _look(self) -> None:
        """Give the store up when the oldest request has waited too long."""
        self._watching = False
        if not self._waiting:
            return
        if self._waiting[0].deadline > self._shared.clock.time():
            self._watch()
            return
        outstanding, self._waiting = self._waiting, deque()
        self.cut()
        self._changed(False)
        for request in outstanding:
            request.answer(request.failed())

    def _reconnect(self) -> None:
        if not self._shared.up:
            self._process.later(self._chance.uniform(*_RECONNECT), self._reconnect)
            return
        self._arrives = self._replies = 0.0
        # What these ask goes behind what waits already.
        self._changed(True)
        known, self._run = self._run, self._shared.run
        if known != self._run and self.on_lost_writes is not None:
            self.on_lost_writes()
        self._connected = True
        for request in self._waiting:
            self._send(request)

    def _changed(self, available: bool) -> None:
        if available != self.available:
            self.available = available
            self._shared.trace.note(self._name, "store", "back" if available else "away")
            if self.on_available is not None:
                self.on_available(available)


def _result(ask: Callable[[Callable[[Any], None]], None]) -> Any:
    """What a store that answers at once answers."""
    found: list[Any] = []
    ask(found.append)
    return found[0]


def _nothing(_: Any) -> None:
    """Nobody cares."""
