"""Drives a store in tests: awaitable calls, and a look behind the contract."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from call_control.adapters.memory_store import MemoryStore
from call_control.adapters.redis_function import ShardKeys
from call_control.adapters.redis_store import RedisStore
from call_control.domain.store import Commit, Outcome, Store
from support.redis_server import RedisServer
from svckit.identity import Identity, shard_of_key


async def answer(ask: Callable[[Callable[[Any], None]], None]) -> Any:
    """What a callback gets."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    ask(future.set_result)
    return await future


class Bench(Protocol):
    """A store, and a look behind it."""

    @property
    def store(self) -> Store: ...

    async def pass_time(self, ms: int) -> None: ...
    def active(self, key: str) -> bool: ...
    def outbox(self, key: str) -> list[bytes]: ...


class Driver:
    """Speaks to a store in awaitable calls; fields of a commit have defaults."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.store = bench.store
        self._identity = Identity(b"test", salt=self.store.salt, shards=self.store.shards)

    def key(self, name: str = "call", *, same_shard_as: str = "") -> str:
        """A call key."""
        call_id = same_shard_as or name
        return self._identity.call_key(call_id, "tag", 1, "192.0.2.1", f"z9hG4bK{name}")

    async def commit(self, key: str, expected: int = 0, commit_id: str = "", **fields: Any) -> Outcome:
        """One commit; by default of a record that names its version."""
        values: dict[str, Any] = {"record": f"record {expected + 1}".encode(), "ttl_ms": 60_000} | fields
        outcome: Outcome = await answer(
            lambda then: self.store.commit(
                Commit(key=key, expected=expected, commit_id=commit_id or f"id {expected}", **values), then
            )
        )
        return outcome

    async def end(self, key: str, expected: int, commit_id: str = "end", **fields: Any) -> Outcome:
        """A commit that ends the call."""
        values = {"tombstone": b"last words"} | fields
        return await self.commit(key, expected, commit_id, record=None, **values)

    async def load(self, key: str) -> Outcome:
        """One load."""
        outcome: Outcome = await answer(lambda then: self.store.load(key, then))
        return outcome

    async def claim(self, *keys: str, limit: int = 100) -> list[str]:
        """What is due in the shards of some calls."""
        shards = sorted({shard_of_key(key) for key in keys})
        claimed: list[str] = await answer(lambda then: self.store.claim_due_many(shards, limit, then))
        return claimed

    async def lease(self, pod: str, ttl_ms: int = 10_000) -> tuple[int, ...]:
        """The shards leased to a pod."""
        shards: tuple[int, ...] = await answer(lambda then: self.store.lease(pod, ttl_ms, then))
        return shards


class MemoryBench:
    """A memory store on a clock that only moves when told."""

    def __init__(self) -> None:
        self.time = 1_700_000_000_000
        self.store = MemoryStore(clock=lambda: self.time)

    async def pass_time(self, ms: int) -> None:
        self.time += ms

    def active(self, key: str) -> bool:
        return key in self.store.active

    def outbox(self, key: str) -> list[bytes]:
        return [record for owner, record in self.store.outbox if owner == key]


class RedisBench:
    """A Redis store, and its server."""

    def __init__(self, store: RedisStore, server: RedisServer) -> None:
        self.store = store
        self.server = server

    async def pass_time(self, ms: int) -> None:
        await asyncio.sleep(ms / 1000)

    def active(self, key: str) -> bool:
        return bool(self.server.ask("SISMEMBER", ShardKeys.of(shard_of_key(key)).active, key))

    def outbox(self, key: str) -> list[bytes]:
        with self.server.client() as client:
            entries = client.xrange(ShardKeys.of(shard_of_key(key)).outbox)
        return [fields[b"r"] for _, fields in entries if fields[b"k"] == key.encode()]
