"""Stores under test: each test of the contract runs against memory and against a real Redis."""

from collections.abc import AsyncIterator

import pytest

from call_control.adapters.redis_store import RedisStore
from support.redis_server import RedisServer, redis_server, redis_url
from support.store_driver import Driver, MemoryBench, RedisBench

__all__ = ["redis_server", "redis_url"]


@pytest.fixture(params=["memory", "redis"])
async def driver(request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    """A started store of each kind."""
    if request.param == "memory":
        yield Driver(MemoryBench())
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    store = RedisStore(request.getfixturevalue("redis_url"))
    await store.start()
    yield Driver(RedisBench(store, server))
    await store.close()
