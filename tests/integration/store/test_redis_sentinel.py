"""The store behind Sentinel: it follows a fail-over, and says that writes may be lost."""

import asyncio

from call_control.adapters.redis_store import RedisStore
from call_control.domain.store import Verdict
from support.redis_server import sentinel_group, until, wait_until, wait_until_replicated
from support.store_driver import Driver, RedisBench


async def test_fail_over() -> None:
    with sentinel_group() as group:
        store = RedisStore(group.url)
        lost: list[None] = []
        store.on_lost_writes = lambda: lost.append(None)
        await store.start()
        driver = Driver(RedisBench(store, group.replica))
        key = driver.key()
        assert (await driver.commit(key)).verdict is Verdict.COMMITTED
        await asyncio.to_thread(wait_until_replicated, group.primary, group.replica)
        group.primary.kill()
        await until(lambda: not store.available, "the loss of the primary to be noticed")
        await until(lambda: store.available, "the new primary")
        assert (await driver.commit(key, 1)).version == 2
        assert lost
        assert group.replica.ask("ROLE")[0] == b"master"
        await store.close()


async def test_a_planned_fail_over_is_followed_and_what_it_lost_is_told() -> None:
    """Sentinel promotes the replica before it stops the primary: commits in between are gone."""
    with sentinel_group() as group:
        store = RedisStore(group.url)
        lost: list[None] = []
        store.on_lost_writes = lambda: lost.append(None)
        await store.start()
        driver = Driver(RedisBench(store, group.replica))
        key, version = driver.key(), 0
        # Sentinel refuses until it has looked at the replica for the first time.
        await asyncio.to_thread(
            wait_until, lambda: group.sentinel.ask("SENTINEL", "FAILOVER", "calls"), "the fail-over to begin"
        )
        switched = False
        while not switched:
            outcome = await driver.commit(key, version, f"id {version}")
            if outcome.verdict is Verdict.COMMITTED:
                version = outcome.version
            elif outcome.verdict is not Verdict.UNAVAILABLE:
                assert lost
                assert outcome.version < version
                version = outcome.version
            await asyncio.sleep(0.01)
            switched = (await asyncio.to_thread(group.replica.ask, "ROLE"))[
                0
            ] == b"master" and store.available
        assert version
        await store.close()
