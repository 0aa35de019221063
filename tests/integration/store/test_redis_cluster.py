"""The store on a Redis Cluster of three primaries."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.crc import key_slot

from call_control.adapters.redis_function import ShardKeys
from call_control.adapters.redis_store import RedisStore
from call_control.domain.store import Verdict
from support.redis_server import RedisServer, redis_cluster, until, wait_until_replicated
from support.store_driver import Driver, RedisBench
from svckit.identity import shard_of_key


@pytest.fixture(scope="module")
def servers() -> Iterator[list[RedisServer]]:
    with redis_cluster() as servers:
        yield servers


@pytest.fixture
async def driver(servers: list[RedisServer]) -> AsyncIterator[Driver]:
    for server in servers:
        server.ask("FLUSHALL")
    store = RedisStore(f"redis+cluster://127.0.0.1:{servers[0].port},127.0.0.1:{servers[1].port}")
    await store.start()
    yield Driver(RedisBench(store, servers[0]))
    await store.close()


def owner(servers: list[RedisServer], key: str) -> RedisServer:
    slot = slot_of(key)
    ranges = servers[0].ask("CLUSTER", "SLOTS")
    (port,) = (primary[1] for first, last, primary in ranges if first <= slot <= last)
    return next(server for server in servers if server.port == port)


def slot_of(key: str) -> int:
    return key_slot(ShardKeys.of(shard_of_key(key)).due.encode())


def node_id(server: RedisServer) -> str:
    return server.ask("CLUSTER", "MYID").decode()  # type: ignore[no-any-return]  # the reply of a command


async def test_calls_live_on_all_nodes(driver: Driver, servers: list[RedisServer]) -> None:
    keys = [driver.key(str(number)) for number in range(60)]
    due = driver.store.now() - 5
    outcomes = await asyncio.gather(*(driver.commit(key, deadline=due) for key in keys))
    assert {outcome.verdict for outcome in outcomes} == {Verdict.COMMITTED}
    assert sorted(await driver.claim(*keys)) == sorted(keys)
    counts = [len(server.ask("KEYS", "*:call:*")) for server in servers]
    assert sum(counts) == 60
    assert min(counts) > 0
    ended = await asyncio.gather(*(driver.end(key, 1) for key in keys))
    assert {outcome.version for outcome in ended} == {2}
    assert sorted(await driver.lease("pod")) == list(range(64))


async def test_a_slot_that_moved_is_followed(driver: Driver, servers: list[RedisServer]) -> None:
    key = driver.key()
    await driver.commit(key)
    slot, source = slot_of(key), owner(servers, key)
    target = next(server for server in servers if server is not source)
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", node_id(source))
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", node_id(target))
    names = source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100)
    source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *names)
    # The slot is between its owners: the old one says ASK, the new one TRYAGAIN, because some keys of the
    # commit do not exist. The commit waits.
    pending = asyncio.ensure_future(driver.commit(key, 1))
    await asyncio.sleep(0.2)
    assert not pending.done()
    for server in (target, source, *servers):
        server.ask("CLUSTER", "SETSLOT", slot, "NODE", node_id(target))
    # It has a new owner: MOVED.
    assert (await pending).version == 2
    outcomes = [await driver.commit(key, version) for version in (2, 3)]
    assert [outcome.version for outcome in outcomes] == [3, 4]
    assert (await driver.load(key)).version == 4
    await until(lambda: driver.store.available, "the store to know the new owner")


async def test_a_node_that_stops_takes_only_its_shards(driver: Driver, servers: list[RedisServer]) -> None:
    keys = [driver.key(str(number)) for number in range(30)]
    victim = owner(servers, keys[0])
    hit = [key for key in keys if owner(servers, key) is victim]
    victim.pause()
    try:
        outcomes = dict(zip(keys, await asyncio.gather(*(driver.commit(key) for key in keys)), strict=True))
    finally:
        victim.resume()
    assert 0 < len(hit) < 30
    for key, outcome in outcomes.items():
        assert outcome.verdict is (Verdict.UNAVAILABLE if key in hit else Verdict.COMMITTED)
    await until(lambda: driver.store.available, "the store to come back")
    assert (await driver.commit(hit[0])).verdict is Verdict.COMMITTED


async def test_a_primary_that_dies_is_replaced_by_its_replica() -> None:
    with redis_cluster(replica=True) as servers:
        store = RedisStore(f"redis+cluster://127.0.0.1:{servers[0].port},127.0.0.1:{servers[1].port}")
        lost: list[None] = []
        store.on_lost_writes = lambda: lost.append(None)
        await store.start()
        driver = Driver(RedisBench(store, servers[1]))
        keys = [driver.key(str(number)) for number in range(30)]
        assert {(await driver.commit(key)).verdict for key in keys} == {Verdict.COMMITTED}
        hit = next(key for key in keys if owner(servers, key) is servers[0])
        spared = next(key for key in keys if owner(servers, key) is servers[1])
        await asyncio.to_thread(wait_until_replicated, servers[0], servers[-1])
        servers[0].kill()
        await until(lambda: not store.available, "the loss of the primary to be noticed")
        assert (await driver.commit(hit, 1)).verdict is Verdict.UNAVAILABLE
        await until(lambda: store.available, "the replica to take over")
        assert (await driver.commit(hit, 1)).version == 2
        assert (await driver.commit(spared, 1)).version == 2
        assert lost
        await store.close()
