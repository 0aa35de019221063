"""The store in Redis: plain, behind Sentinel, or a Cluster (design 6).

A commit is one call of a Redis function (store.lua). Commits and loads made in one turn of the event loop
leave in one write; replies come back in order. When Redis is away, what is outstanding ends as UNAVAILABLE
within a second, and new commits in the next turn of the loop; connecting goes on in the background.
"""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

import hiredis
from redis.crc import key_slot

from call_control.adapters.redis_cluster import ClusterLanes
from call_control.adapters.redis_connection import Reply, Request, Unanswered
from call_control.adapters.redis_dialer import Dialer
from call_control.adapters.redis_function import (
    CLUSTER_KEY,
    LEASE_ROUTE,
    Packer,
    pack,
    read_keys,
    read_outcome,
    read_shards,
    reply_micros,
)
from call_control.adapters.redis_lane import Lanes, SingleLane, error_code
from call_control.adapters.redis_url import Topology, parse_redis_url
from call_control.adapters.store_clock import StoreClock
from call_control.domain.store import Commit, Outcome, StoreMismatch, Verdict
from svckit.identity import MAX_SHARDS, shard_of_key, shard_tag

_SALT_BYTES = 16
_BIRTH_BYTES = 8
_CLUSTER_SLOT = key_slot(CLUSTER_KEY.encode())
_LEASE_SLOT = key_slot(LEASE_ROUTE.encode())
_WARNING_SECONDS = 10.0
_NO_WAIT_SECONDS = 10.0
_SUSPICION_SECONDS = 1.0


class RedisStore:
    """`Store` in Redis at `url` (see redis_url.py).

    `shards` must be what the store was first started with. With `wait_replicas`, a durable commit is answered
    when that many replicas have it, or after `wait_ms`: a fail-over then loses no answer and no stop, but
    every commit behind it waits as well. Raises `ValueError` for a bad URL or count.
    """

    def __init__(
        self,
        url: str,
        *,
        shards: int = 64,
        client_name: str = "call-control",
        wait_replicas: int = 0,
        wait_ms: int = 20,
    ) -> None:
        if not 1 <= shards <= MAX_SHARDS:
            raise ValueError(f"shard count must be 1..{MAX_SHARDS}, not {shards}")
        self.shards = shards
        self.salt = b""
        self.available = False
        self.on_available: Callable[[bool], None] | None = None
        self.on_lost_writes: Callable[[], None] | None = None
        self.on_warning: Callable[[str], None] | None = None
        self._target = parse_redis_url(url)
        self._dialer = Dialer(self._target, client_name=client_name, on_warning=self._warn)
        self._packer = Packer(shards)
        self._clock = StoreClock()
        self._lanes: Lanes | None = None
        self._birth = b""
        self._mismatch: StoreMismatch | None = None
        clustered = self._target.topology is Topology.CLUSTER
        self._routes = [key_slot(shard_tag(shard).encode()) if clustered else 0 for shard in range(shards)]
        self._warned: dict[str, float] = {}
        self._suspicious_until = 0.0
        self._wait_replicas = wait_replicas
        self._wait = pack(("WAIT", wait_replicas, wait_ms))
        self._wait_again = 0.0

    async def start(self) -> None:
        """See `Store.start`."""
        if self._target.topology is Topology.CLUSTER:
            routes = {*self._routes, _CLUSTER_SLOT, _LEASE_SLOT}
            self._lanes = ClusterLanes(
                self._dialer, routes, on_available=self._changed, on_new_primary=self._new_primary
            )
        else:
            self._lanes = SingleLane(
                self._dialer.dial, on_available=self._changed, on_new_primary=self._new_primary
            )
        try:
            await self._lanes.open()
            await self._agree()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """See `Store.close`."""
        self.available = False
        if self._lanes is not None:
            await self._lanes.close()

    def now(self) -> int:
        """See `Store.now`."""
        return self._clock.now()

    def commit(self, commit: Commit, then: Callable[[Outcome], None]) -> None:
        """See `Store.commit`."""
        shard = shard_of_key(commit.key)
        payload = self._packer.commit(shard, commit)
        if commit.durable and self._wait_replicas and time.monotonic() >= self._wait_again:
            durable = _Durable(then)
            self._submit(payload, shard, partial(self._committed, commit.expected, durable.written))
            self._submit(self._wait, shard, partial(self._copied, durable))
        else:
            self._submit(payload, shard, partial(self._committed, commit.expected, then))

    def load(self, key: str, then: Callable[[Outcome], None]) -> None:
        """See `Store.load`."""
        shard = shard_of_key(key)
        self._submit(self._packer.load(shard, key), shard, partial(self._answered, 0, then))

    def claim_due(self, shard: int, limit: int, then: Callable[[list[str]], None]) -> None:
        """See `Store.claim_due`."""
        self.claim_due_many((shard,), limit, then)

    def claim_due_many(self, shards: Sequence[int], limit: int, then: Callable[[list[str]], None]) -> None:
        """See `Store.claim_due_many`."""
        if self._target.topology is not Topology.CLUSTER and shards:
            groups: Sequence[Sequence[int]] = (shards,)
        else:
            groups = [(shard,) for shard in shards]
        if not groups:
            asyncio.get_running_loop().call_soon(then, [])
            return
        claim = _Claim(len(groups), then)
        for group in groups:
            self._submit(self._packer.claim(group, limit), group[0], partial(self._claimed, claim))

    def lease(self, pod_id: str, ttl_ms: int, then: Callable[[tuple[int, ...]], None]) -> None:
        """See `Store.lease`."""
        self._submit_to(_LEASE_SLOT, self._packer.lease(pod_id, ttl_ms), partial(self._leased, then))

    def release(self, pod_id: str) -> None:
        """See `Store.release`."""
        self._submit_to(_LEASE_SLOT, self._packer.lease(pod_id, 0), partial(self._leased, _nobody))

    def _submit(self, payload: bytes, shard: int, on_reply: Callable[[Reply, float], None]) -> None:
        self._submit_to(self._routes[shard], payload, on_reply)

    def _submit_to(self, route: int, payload: bytes, on_reply: Callable[[Reply, float], None]) -> None:
        lanes = self._lanes
        if lanes is None or self._mismatch is not None:
            asyncio.get_running_loop().call_soon(on_reply, Unanswered(), 0.0)
        else:
            lanes.submit(Request(payload, route, on_reply))

    def _fields(self, reply: Reply, sent: float) -> Sequence[object] | None:
        """The fields of a reply of one of our functions; None if there was none, or an error."""
        if isinstance(reply, list):
            micros = reply_micros(reply)
            if micros:
                self._clock.observe(sent, time.monotonic(), micros)
            return reply
        if isinstance(reply, hiredis.ReplyError):
            self._warn_seldom(f"Redis {self._target}: {reply}", error_code(reply))
        return None

    def _committed(self, expected: int, then: Callable[[Outcome], None], reply: Reply, sent: float) -> None:
        if type(reply) is int:
            then(Outcome(Verdict.COMMITTED, reply, None, None, self._clock.now()))
        else:
            self._answered(expected, then, reply, sent)

    def _answered(self, expected: int, then: Callable[[Outcome], None], reply: Reply, sent: float) -> None:
        """A load is answered, or a commit that wrote nothing."""
        fields = self._fields(reply, sent)
        if fields is None:
            then(Outcome(Verdict.UNAVAILABLE, 0, None, None, self._clock.now()))
            return
        outcome = read_outcome(fields, self._clock.now())
        if outcome.version < expected:
            if outcome.verdict is Verdict.GONE:
                self._ask_identity(partial(self._gone, outcome, then))
                return
            self._suspect()
        then(outcome)

    def _gone(self, outcome: Outcome, then: Callable[[Outcome], None], error: Exception | None) -> None:
        """A call that was here is not: whoever asked learns first whether all of the store is lost."""
        self._identity_checked(error)
        then(outcome if error is None else Outcome(Verdict.UNAVAILABLE, 0, None, None, outcome.now))

    def _copied(self, durable: "_Durable", reply: Reply, _sent: float) -> None:
        if not isinstance(reply, int) or reply < self._wait_replicas:
            # A replica that is away must not slow down every answer and stop until it is back.
            self._wait_again = time.monotonic() + _NO_WAIT_SECONDS
            self._warn_seldom(
                f"Redis {self._target}: not {self._wait_replicas} replicas have the last commit", "WAIT"
            )
        durable.copied()

    def _claimed(self, claim: "_Claim", reply: Reply, sent: float) -> None:
        fields = self._fields(reply, sent)
        claim.add(read_keys(fields) if fields is not None else [])

    def _leased(self, then: Callable[[tuple[int, ...]], None], reply: Reply, sent: float) -> None:
        fields = self._fields(reply, sent)
        # Without leases every pod sweeps every shard: they are there for economy only.
        then(read_shards(fields) if fields is not None else tuple(range(self.shards)))

    async def _agree(self) -> None:
        """Settle salt and shard count with the store. Raises `StoreMismatch` or `ConnectionError`."""
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settle(error: Exception | None) -> None:
            if settled.done():
                return
            if error is None:
                settled.set_result(None)
            else:
                settled.set_exception(error)

        self._ask_identity(settle)
        await settled

    def _ask_identity(self, then: Callable[[Exception | None], None]) -> None:
        """Write salt, shard count and birth mark unless they are there; compare what is there with ours."""
        salt, birth = self.salt or os.urandom(_SALT_BYTES), os.urandom(_BIRTH_BYTES)
        for field, value in (("salt", salt), ("shards", self.shards), ("birth", birth)):
            self._submit_to(_CLUSTER_SLOT, pack(("HSETNX", CLUSTER_KEY, field, value)), _ignore)
        self._submit_to(
            _CLUSTER_SLOT,
            pack(("HMGET", CLUSTER_KEY, "salt", "shards", "birth")),
            lambda reply, _sent: then(self._identity_read(reply)),
        )

    def _identity_read(self, reply: Reply) -> Exception | None:
        if not isinstance(reply, list) or None in reply:
            return ConnectionError(f"Redis {self._target}: {reply}")
        salt, shards, birth = cast("tuple[bytes, bytes, bytes]", reply)
        if int(shards) != self.shards:
            found = f"the store at {self._target} has {int(shards)} shards"
            return StoreMismatch(f"{found}, this pod is configured for {self.shards}")
        if self.salt and salt != self.salt:
            return StoreMismatch(f"the store at {self._target} was created anew with another salt; restart")
        self.salt = salt
        known, self._birth = self._birth, birth
        if known and known != birth:
            # Somebody emptied the store, and somebody, perhaps another pod, has begun it anew.
            self._lost_writes()
        return None

    def _identity_checked(self, error: Exception | None) -> None:
        if isinstance(error, StoreMismatch):
            self._mismatch = error
            self._changed(False)
            self._warn(str(error))

    def _suspect(self) -> None:
        """A lower version than we have seen proves that writes were lost, and others with it."""
        now = time.monotonic()
        if now >= self._suspicious_until:
            self._suspicious_until = now + _SUSPICION_SECONDS
            self._lost_writes()

    def _changed(self, available: bool) -> None:
        available = available and self._mismatch is None
        if available != self.available:
            self.available = available
            if self.on_available is not None:
                self.on_available(available)

    def _new_primary(self) -> None:
        self._ask_identity(self._identity_checked)
        self._lost_writes()

    def _lost_writes(self) -> None:
        if self.on_lost_writes is not None:
            self.on_lost_writes()

    def _warn_seldom(self, text: str, topic: str) -> None:
        now = time.monotonic()
        if now >= self._warned.get(topic, 0.0):
            self._warned[topic] = now + _WARNING_SECONDS
            self._warn(text)

    def _warn(self, text: str) -> None:
        if self.on_warning is not None:
            self.on_warning(text)


class _Durable:
    """Holds back the outcome of a commit until the wait for replicas is over."""

    __slots__ = ("_copied", "_outcome", "_then")

    def __init__(self, then: Callable[[Outcome], None]) -> None:
        self._then = then
        self._outcome: Outcome | None = None
        self._copied = False

    def written(self, outcome: Outcome) -> None:
        """The primary has answered."""
        self._outcome = outcome
        if self._copied:
            self._then(outcome)

    def copied(self) -> None:
        """The replicas have it, or will not be waited for."""
        self._copied = True
        if self._outcome is not None:
            self._then(self._outcome)


class _Claim:
    """Collects what was claimed in several shards."""

    __slots__ = ("_keys", "_missing", "_then")

    def __init__(self, parts: int, then: Callable[[list[str]], None]) -> None:
        self._keys: list[str] = []
        self._missing = parts
        self._then = then

    def add(self, keys: list[str]) -> None:
        self._keys += keys
        self._missing -= 1
        if not self._missing:
            self._then(self._keys)


def _ignore(_reply: Reply, _sent: float) -> None:
    """The reply to HSETNX says less than the HMGET behind it."""


def _nobody(_shards: tuple[int, ...]) -> None:
    """Nobody wants to know what is left after a release."""
