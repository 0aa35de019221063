"""The Redis function library that makes a commit atomic: its text, its arguments, its replies.

All keys of one shard carry the same hash tag, so that a function may touch them together on Redis Cluster.
`:call:` occurs in the keys of records and in no other key.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple, cast

import hiredis

from call_control.domain.store import CLAIM_MS, Commit, Outcome, Verdict
from svckit.identity import shard_tag

CLUSTER_KEY = "b2bua:cluster"
"""Hash with salt, shard count and a random birth mark, written once in the life of a store."""
_LEASE_TAG = "{sweep}"
_LEASE_KEYS = (f"b2bua:{_LEASE_TAG}:pods", f"b2bua:{_LEASE_TAG}:leases")
LEASE_ROUTE = _LEASE_KEYS[0]
"""A key in the Cluster slot of the leases."""

# The same numbers as in store.lua.
_ENDS, _RESTORES, _MARKS, _UNMARKS, _ACTIVATES, _DEACTIVATES = 1, 2, 4, 8, 16, 32
_VERDICTS = (Verdict.COMMITTED, Verdict.CONFLICT, Verdict.MERGED, Verdict.ENDED, Verdict.GONE)

# Written in C: packing a commit of 2.5 KB takes 2 us.
pack = cast("Callable[[tuple[str | bytes | int, ...]], bytes]", hiredis.pack_command)


class ShardKeys(NamedTuple):
    """Names of the keys of one shard; those that end with a colon are prefixes."""

    call: str
    tomb: str
    due: str
    active: str
    merge: str
    outbox: str

    @classmethod
    def of(cls, shard: int) -> "ShardKeys":
        """Names for shard number `shard`."""
        prefix = f"b2bua:{shard_tag(shard)}:"
        return cls(
            call=f"{prefix}call:",
            tomb=f"{prefix}tomb:",
            due=f"{prefix}due",
            active=f"{prefix}active",
            merge=f"{prefix}merge:",
            outbox=f"{prefix}outbox",
        )


@cache
def _library() -> tuple[str, str]:
    """Digest and text of the library. Its names hold the digest: pods of two releases do not disturb
    each other, and loading it twice is harmless."""
    text = resources.files(__package__).joinpath("store.lua").read_text("ascii")
    digest = hashlib.blake2b(text.encode("ascii"), digest_size=4).hexdigest()
    return digest, text.replace("@DIGEST@", digest)


def library_source() -> str:
    """Text of the library, for FUNCTION LOAD."""
    return _library()[1]


class Packer:
    """Packs calls of the functions into bytes for the wire."""

    __slots__ = ("_claim", "_commit", "_create", "_keys", "_lease", "_load", "_shards")

    def __init__(self, shards: int) -> None:
        digest = _library()[0]
        self._create = f"b2bua_create_{digest}"
        self._commit = f"b2bua_commit_{digest}"
        self._load = f"b2bua_load_{digest}"
        self._claim = f"b2bua_claim_{digest}"
        self._lease = f"b2bua_lease_{digest}"
        self._shards = shards
        self._keys = tuple(ShardKeys.of(shard) for shard in range(shards))

    def commit(self, shard: int, commit: Commit) -> bytes:
        """FCALL for a commit."""
        keys, key, flags = self._keys[shard], commit.key, 0
        body = commit.record
        if body is None:
            flags = _ENDS | _DEACTIVATES
            body = commit.tombstone or b""
        elif commit.active is not None:
            flags = _ACTIVATES if commit.active else _DEACTIVATES
        if commit.restore:
            flags |= _RESTORES
        if commit.merge_key:
            if commit.drop_merge or commit.record is None:
                flags |= _UNMARKS
            elif not commit.expected or commit.restore:
                flags |= _MARKS
        version = commit.expected if commit.restore else commit.expected + 1
        deadline = "" if commit.deadline is None or commit.record is None else commit.deadline
        function = self._commit if commit.expected else self._create
        written = b"%010d%s\n%s" % (version, commit.commit_id.encode(), body)
        names: tuple[str | int, ...] = (3, keys.call + key, keys.tomb + key, keys.due)
        if flags or commit.outbox:
            names = (6, *names[1:], keys.active, keys.merge + commit.merge_key, keys.outbox)
        arguments = (key, commit.expected, commit.commit_id, commit.ttl_ms, flags, deadline, written)
        return pack(("FCALL", function, *names, *arguments, *commit.outbox))

    def load(self, shard: int, key: str) -> bytes:
        """FCALL for a load."""
        keys = self._keys[shard]
        return pack(("FCALL", self._load, 2, keys.call + key, keys.tomb + key))

    def claim(self, shards: Sequence[int], limit: int) -> bytes:
        """FCALL that claims what is due in some shards (on Redis Cluster: of one slot)."""
        due = [self._keys[shard].due for shard in shards]
        return pack(("FCALL", self._claim, len(due), *due, limit, CLAIM_MS))

    def lease(self, pod_id: str, ttl_ms: int) -> bytes:
        """FCALL that leases shards; a `ttl_ms` of 0 gives them up."""
        return pack(("FCALL", self._lease, 2, *_LEASE_KEYS, pod_id, ttl_ms, self._shards))


def reply_micros(reply: Sequence[object]) -> int:
    """Redis TIME in a reply of one of the functions, microseconds; 0 if it tells none."""
    return cast("int", reply[2])


def read_outcome(reply: Sequence[object], now: int) -> Outcome:
    """The outcome that a reply to a load, or to a commit that wrote nothing, tells."""
    verdict = _VERDICTS[cast("int", reply[0])]
    version = cast("int", reply[1])
    if len(reply) < 4:
        return Outcome(verdict, version, None, None, now)
    body = cast("bytes", reply[3])
    if verdict is Verdict.ENDED:
        return Outcome(verdict, version, None, body, now)
    return Outcome(verdict, version, body, None, now)


def read_keys(reply: Sequence[object]) -> list[str]:
    """The call keys in the reply to a claim."""
    return [key.decode("ascii") for key in cast("Iterable[bytes]", reply[3:])]


def read_shards(reply: Sequence[object]) -> tuple[int, ...]:
    """The shards in the reply to a lease."""
    return cast("tuple[int, ...]", tuple(reply[3:]))
