"""The store of one process: the same contract as Redis, in dictionaries.

For the all-in-one, for tests and for the simulation, where several pods share one `MemoryStore`. Nothing here
survives the process.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from call_control.domain.store import CLAIM_MS, Commit, Outcome, Verdict
from svckit.identity import MAX_SHARDS, shard_of_key


def _wall_clock() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class _Stored:
    """A record or a tombstone."""

    version: int
    commit_id: str
    body: bytes
    expires: int


_COMMITTED = Verdict.COMMITTED


class _Deadlines:
    """The next deadline of each call of one shard: one per call."""

    __slots__ = ("_due", "_heap")

    def __init__(self) -> None:
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def set(self, key: str, deadline: int) -> None:
        self._due[key] = deadline
        heappush(self._heap, (deadline, key))
        if len(self._heap) > 2 * len(self._due) + 64:
            # Most entries were overtaken by later commits of the same calls.
            self._heap = [(when, key) for key, when in self._due.items()]
            heapify(self._heap)

    def remove(self, key: str) -> None:
        self._due.pop(key, None)

    def claim(self, limit: int, now: int) -> list[str]:
        claimed: list[str] = []
        heap = self._heap
        while heap and heap[0][0] <= now and len(claimed) < limit:
            deadline, key = heappop(heap)
            if self._due.get(key) == deadline:
                claimed.append(key)
                # Marks it as taken, so that an equal entry further down is not claimed as well.
                self._due[key] = now + CLAIM_MS
        for key in claimed:
            heappush(heap, (now + CLAIM_MS, key))
        return claimed


class _Expiring:
    """Values by key that vanish at a given time."""

    __slots__ = ("_heap", "_values")

    def __init__(self) -> None:
        self._values: dict[str, _Stored] = {}
        self._heap: list[tuple[int, str]] = []

    def get(self, key: str, now: int) -> _Stored | None:
        stored = self._values.get(key)
        return stored if stored is not None and stored.expires > now else None

    def set(self, key: str, stored: _Stored, now: int) -> None:
        heap = self._heap
        while heap and heap[0][0] <= now:
            self._forget(heappop(heap)[1], now)
        self._values[key] = stored
        heappush(heap, (stored.expires, key))

    def remove(self, key: str) -> None:
        self._values.pop(key, None)

    def _forget(self, key: str, now: int) -> None:
        stored = self._values.get(key)
        if stored is not None and stored.expires <= now:
            del self._values[key]


class MemoryStore:
    """`Store` in memory. `clock` gives the time in ms since the epoch; `available` may be set by a test."""

    def __init__(
        self, *, shards: int = 64, salt: bytes | None = None, clock: Callable[[], int] = _wall_clock
    ) -> None:
        if not 1 <= shards <= MAX_SHARDS:
            raise ValueError(f"shard count must be 1..{MAX_SHARDS}, not {shards}")
        self.shards = shards
        self.salt = salt or os.urandom(16)
        self.available = True
        self.on_available: Callable[[bool], None] | None = None
        self.on_lost_writes: Callable[[], None] | None = None
        self.on_warning: Callable[[str], None] | None = None
        self._clock = clock
        self._now = 0
        # Records need no expiry of their own: the reap deadline ends every call.
        self._records: dict[str, _Stored] = {}
        self._tombstones = _Expiring()
        self._merges: dict[str, str] = {}
        self._deadlines = [_Deadlines() for _ in range(shards)]
        self._pods: dict[str, int] = {}
        self._leases: dict[int, str] = {}
        self.active: set[str] = set()
        """Keys of the active calls."""
        self.outbox: list[tuple[str, bytes]] = []
        """Accounting records with the key of their call, oldest first; the reader takes them out."""

    async def start(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to disconnect from."""

    def now(self) -> int:
        """Time of the clock, held still where that goes backwards."""
        now = self._clock()
        if now > self._now:
            self._now = now
        return self._now

    def commit(self, commit: Commit, then: Callable[[Outcome], None]) -> None:
        """See `Store.commit`; `then` is called before this returns."""
        now = self.now()
        if not self.available:
            then(Outcome(Verdict.UNAVAILABLE, 0, None, None, now))
            return
        refusal = self._restore_refusal(commit, now) if commit.restore else self._refusal(commit, now)
        if refusal is None:
            version = commit.expected + (not commit.restore)
            self._write(commit, version, now)
            refusal = Outcome(_COMMITTED, version, None, None, now)
        then(refusal)

    def load(self, key: str, then: Callable[[Outcome], None]) -> None:
        """See `Store.load`; `then` is called before this returns."""
        now = self.now()
        if not self.available:
            then(Outcome(Verdict.UNAVAILABLE, 0, None, None, now))
            return
        stored = self._records.get(key)
        if stored is not None:
            then(Outcome(Verdict.COMMITTED, stored.version, stored.body, None, now))
        else:
            then(self._absent(key, now))

    def claim_due(self, shard: int, limit: int, then: Callable[[list[str]], None]) -> None:
        """See `Store.claim_due`."""
        self.claim_due_many((shard,), limit, then)

    def claim_due_many(self, shards: Sequence[int], limit: int, then: Callable[[list[str]], None]) -> None:
        """See `Store.claim_due_many`; `then` is called before this returns."""
        keys: list[str] = []
        if self.available:
            now = self.now()
            for shard in shards:
                keys += self._deadlines[shard].claim(limit, now)
        then(keys)

    def lease(self, pod_id: str, ttl_ms: int, then: Callable[[tuple[int, ...]], None]) -> None:
        """See `Store.lease`; `then` is called before this returns."""
        if not self.available:
            then(tuple(range(self.shards)))
            return
        now = self.now()
        self._pods[pod_id] = now + ttl_ms
        self._pods = {pod: until for pod, until in self._pods.items() if until > now}
        self._leases = {shard: pod for shard, pod in self._leases.items() if pod in self._pods}
        share = -(-self.shards // len(self._pods))
        held = [shard for shard, pod in self._leases.items() if pod == pod_id]
        for shard in held[share:]:
            del self._leases[shard]
        free = [shard for shard in range(self.shards) if shard not in self._leases]
        for shard in free[: max(0, share - len(held))]:
            self._leases[shard] = pod_id
        then(tuple(shard for shard, pod in self._leases.items() if pod == pod_id))

    def release(self, pod_id: str) -> None:
        """See `Store.release`."""
        self._pods.pop(pod_id, None)
        self._leases = {shard: pod for shard, pod in self._leases.items() if pod != pod_id}

    def _absent(self, key: str, now: int) -> Outcome:
        tombstone = self._tombstones.get(key, now)
        if tombstone is None:
            return Outcome(Verdict.GONE, 0, None, None, now)
        return Outcome(Verdict.ENDED, tombstone.version, None, tombstone.body, now)

    def _refusal(self, commit: Commit, now: int) -> Outcome | None:
        """The outcome of a commit that writes nothing; None if it is to be written."""
        key, written = commit.key, commit.expected + 1
        stored = self._records.get(key)
        if stored is not None:
            if stored.version == commit.expected:
                return None
            if stored.version == written and stored.commit_id == commit.commit_id:
                return Outcome(Verdict.COMMITTED, written, None, None, now)
            return Outcome(Verdict.CONFLICT, stored.version, stored.body, None, now)
        tombstone = self._tombstones.get(key, now)
        if tombstone is not None and tombstone.commit_id == commit.commit_id:
            return Outcome(Verdict.COMMITTED, tombstone.version, None, None, now)
        if tombstone is not None or commit.expected:
            return self._absent(key, now)
        if commit.merge_key and self._merges.get(commit.merge_key, key) != key:
            return Outcome(Verdict.MERGED, 0, None, None, now)
        return None

    def _restore_refusal(self, commit: Commit, now: int) -> Outcome | None:
        stored = self._records.get(commit.key)
        if stored is not None:
            if stored.version < commit.expected:
                return None
            if stored.version == commit.expected and stored.body == commit.record:
                return Outcome(Verdict.COMMITTED, stored.version, None, None, now)
            return Outcome(Verdict.CONFLICT, stored.version, stored.body, None, now)
        tombstone = self._tombstones.get(commit.key, now)
        if tombstone is None or tombstone.version < commit.expected:
            return None
        if tombstone.version == commit.expected and tombstone.body == commit.tombstone:
            return Outcome(Verdict.COMMITTED, tombstone.version, None, None, now)
        return Outcome(Verdict.ENDED, tombstone.version, None, tombstone.body, now)

    def _write(self, commit: Commit, version: int, now: int) -> None:
        key, body, expires = commit.key, commit.record, now + commit.ttl_ms
        deadlines = self._deadlines[shard_of_key(key)]
        if body is not None:
            if not commit.expected or commit.restore:
                self._tombstones.remove(key)
            self._records[key] = _Stored(version, commit.commit_id, body, expires)
        else:
            self._records.pop(key, None)
            tombstone = _Stored(version, commit.commit_id, commit.tombstone or b"", expires)
            self._tombstones.set(key, tombstone, now)
        if body is None or commit.deadline is None:
            deadlines.remove(key)
        else:
            deadlines.set(key, commit.deadline)
        if commit.merge_key:
            self._write_merge(commit)
        if body is None or commit.active is False:
            self.active.discard(key)
        elif commit.active:
            self.active.add(key)
        if commit.outbox:
            self.outbox += [(key, accounting) for accounting in commit.outbox]

    def _write_merge(self, commit: Commit) -> None:
        if commit.drop_merge or commit.record is None:
            if self._merges.get(commit.merge_key) == commit.key:
                del self._merges[commit.merge_key]
        elif not commit.expected or commit.restore:
            self._merges[commit.merge_key] = commit.key
