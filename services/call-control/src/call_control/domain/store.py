"""The store of calls as the domain sees it: one atomic commit per transition (design 6).

Times are integers: milliseconds since the epoch in the store's clock. A record is opaque bytes here; the
store knows its version, the id of the commit that wrote it, its next deadline, and what goes with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

CLAIM_MS = 1000
"""A claimed deadline comes due again after this time, unless the commit of its transition moves it."""


class StoreMismatch(Exception):
    """This pod is configured for another store than the one it found; it must not run."""


class Verdict(Enum):
    """What became of a commit or load."""

    COMMITTED = "committed"
    """Done; for a load: here is the record."""
    CONFLICT = "conflict"
    """The stored version is not the expected one; `record` holds what is stored. A version *below* the
    expected one means that the store lost writes."""
    MERGED = "merged"
    """Not created: another call holds the merge marker (RFC 3261 8.2.2.2)."""
    ENDED = "ended"
    """The call is over; `tombstone` holds what it left behind."""
    GONE = "gone"
    """There is neither record nor tombstone."""
    UNAVAILABLE = "unavailable"
    """The store did not answer in time. The commit may or may not have happened: repeating it with the same
    commit id is safe, and tells."""


@dataclass(slots=True, kw_only=True)
class Commit:
    """One transition of one call, written all or nothing. Nobody changes it; to freeze it costs 2 us each."""

    key: str
    """Key of the call."""
    expected: int
    """Version this transition started from; 0 creates the call. A commit writes version `expected` + 1."""
    commit_id: str
    """Unique per commit, the same when it is repeated: recognises a commit whose reply was lost."""
    record: bytes | None
    """The new record; None ends the call, leaving the tombstone."""
    tombstone: bytes | None = None
    """What an ended call leaves behind; given if and only if `record` is None."""
    deadline: int | None = None
    """When the call wants to be woken next; None: never. Ignored when the call ends."""
    merge_key: str = ""
    """On creation: set this marker, or be refused as MERGED if another call holds it."""
    drop_merge: bool = False
    """Remove the marker `merge_key` if this call holds it. Ending a call with a `merge_key` does so too."""
    active: bool | None = None
    """Add the call to the index of active calls (True), remove it (False), or leave that as it is (None).
    Ending a call removes it."""
    outbox: tuple[bytes, ...] = ()
    """Accounting records, appended in this order to the stream of the call's shard."""
    ttl_ms: int
    """How long what is written may live: the record (and marker), or the tombstone."""
    durable: bool = False
    """An answer or a stop, worth a wait until a replica has it too, where the store is set to do that."""
    restore: bool = False
    """Writes back what a store that lost writes has forgotten: `expected` is the version of the record (or
    tombstone) given, which is written *as that version* if the stored one is lower or missing. CONFLICT
    when the stored version is higher, or equal with other contents; equal contents are COMMITTED."""


class Outcome(NamedTuple):
    """The answer to a commit or load."""

    verdict: Verdict
    version: int
    """Version now stored; 0 if there is none or it is not known."""
    record: bytes | None
    """CONFLICT and loads: the stored record. A commit that succeeded does not repeat its own."""
    tombstone: bytes | None
    """ENDED: what the call left behind."""
    now: int
    """Store time of the answer."""


class Store(Protocol):
    """Holds the calls.

    Callbacks run on the event loop (memory: before the method returns), those of one shard in the order in
    which they were asked for; but GONE for an update may come later, because the store looks first whether it
    has lost more. They must not raise.
    """

    shards: int
    """Number of shards; fixed for the life of the store."""
    salt: bytes
    """Salt of shards, call keys and merge markers; known after `start`."""
    available: bool
    """False while the store is away: commits fail at once, new calls are to be refused."""
    on_available: Callable[[bool], None] | None
    """Called when `available` changes."""
    on_lost_writes: Callable[[], None] | None
    """Called when the store may have lost writes (another primary, a restart, a lower version), before the
    outcome that shows it is delivered: compare all that is cached, and write back with `Commit.restore` what
    is missing."""
    on_warning: Callable[[str], None] | None
    """Called with one line about a setting or an error of the store that its operator should know."""

    async def start(self) -> None:
        """Connect, and agree on salt and shard count. Raises `StoreMismatch`, or `ConnectionError` when the
        store cannot be reached."""

    async def close(self) -> None:
        """Give up what is outstanding (as UNAVAILABLE) and disconnect."""

    def now(self) -> int:
        """Store time. Never goes backwards."""

    def commit(self, commit: Commit, then: Callable[[Outcome], None]) -> None:
        """Write one transition. COMMITTED, CONFLICT, MERGED, ENDED, GONE or UNAVAILABLE."""

    def load(self, key: str, then: Callable[[Outcome], None]) -> None:
        """Read one call: COMMITTED with its record, ENDED with its tombstone, GONE or UNAVAILABLE."""

    def claim_due(self, shard: int, limit: int, then: Callable[[list[str]], None]) -> None:
        """`claim_due_many` for one shard."""

    def claim_due_many(self, shards: Sequence[int], limit: int, then: Callable[[list[str]], None]) -> None:
        """Claim up to `limit` calls per shard whose deadline has passed: each key goes to one claimer, and
        comes due again `CLAIM_MS` later. Empty while the store is away."""

    def lease(self, pod_id: str, ttl_ms: int, then: Callable[[tuple[int, ...]], None]) -> None:
        """Register the pod for `ttl_ms`, and lease it its fair share of the shards among the registered pods.

        Call it again well before `ttl_ms` has passed; the answer is the shards to sweep from now on. Only
        economy rests on leases: claiming shards that others hold is safe. All shards while leases cannot be
        read.
        """

    def release(self, pod_id: str) -> None:
        """Give up the pod's registration and leases, for a pod that is shutting down."""
