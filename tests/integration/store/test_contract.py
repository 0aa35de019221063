"""The store contract, against every implementation."""

import asyncio
from functools import partial

import pytest

from call_control.domain.store import Commit, Outcome, Verdict
from support.store_driver import Driver
from svckit.identity import shard_of_key


async def test_create_then_load(driver: Driver) -> None:
    key = driver.key()
    created = await driver.commit(key, record=b"first")
    loaded = await driver.load(key)
    assert (created.verdict, created.version) == (Verdict.COMMITTED, 1)
    assert (loaded.verdict, loaded.version, loaded.record) == (Verdict.COMMITTED, 1, b"first")


async def test_load_of_nothing(driver: Driver) -> None:
    outcome = await driver.load(driver.key())
    assert (outcome.verdict, outcome.version) == (Verdict.GONE, 0)


async def test_any_bytes_survive(driver: Driver) -> None:
    key, record = driver.key(), bytes(range(256)) * 16
    await driver.commit(key, record=record)
    assert (await driver.load(key)).record == record


async def test_versions_count_commits(driver: Driver) -> None:
    key = driver.key()
    versions = [(await driver.commit(key, expected)).version for expected in range(5)]
    assert versions == [1, 2, 3, 4, 5]


async def test_conflict_shows_the_newer_record(driver: Driver) -> None:
    key = driver.key()
    await driver.commit(key)
    await driver.commit(key, 1, "winner", record=b"winner")
    lost = await driver.commit(key, 1, "loser", record=b"loser")
    assert (lost.verdict, lost.version, lost.record) == (Verdict.CONFLICT, 2, b"winner")
    assert (await driver.load(key)).record == b"winner"


async def test_creation_of_an_existing_call_conflicts(driver: Driver) -> None:
    key = driver.key()
    await driver.commit(key, commit_id="one")
    again = await driver.commit(key, commit_id="two")
    assert (again.verdict, again.version, again.record) == (Verdict.CONFLICT, 1, b"record 1")


@pytest.mark.parametrize("expected", [0, 3])
async def test_a_lost_reply_is_recognised(driver: Driver, expected: int) -> None:
    key = driver.key()
    for version in range(expected):
        await driver.commit(key, version)
    for _ in range(2):
        outcome = await driver.commit(key, expected, "same", outbox=(b"accounting",))
        assert (outcome.verdict, outcome.version) == (Verdict.COMMITTED, expected + 1)
    assert driver.bench.outbox(key) == [b"accounting"]


async def test_a_lost_reply_of_an_end_is_recognised(driver: Driver) -> None:
    key = driver.key()
    await driver.commit(key)
    for _ in range(2):
        outcome = await driver.end(key, 1, "same", outbox=(b"stop",))
        assert (outcome.verdict, outcome.version) == (Verdict.COMMITTED, 2)
    assert driver.bench.outbox(key) == [b"stop"]


async def test_a_commit_overtaken_after_its_lost_reply_conflicts(driver: Driver) -> None:
    key = driver.key()
    await driver.commit(key, 0, "mine")
    await driver.commit(key, 1, "other")
    outcome = await driver.commit(key, 0, "mine")
    assert (outcome.verdict, outcome.version) == (Verdict.CONFLICT, 2)


async def test_an_ended_call_leaves_its_tombstone(driver: Driver) -> None:
    key = driver.key()
    await driver.commit(key)
    await driver.end(key, 1)
    loaded = await driver.load(key)
    late = await driver.commit(key, 1, "late")
    reopened = await driver.commit(key, 0, "reopened")
    for outcome in (loaded, late, reopened):
        assert (outcome.verdict, outcome.version) == (Verdict.ENDED, 2)
        assert (outcome.record, outcome.tombstone) == (None, b"last words")


async def test_a_tombstone_expires(driver: Driver) -> None:
    key = driver.key()
    await driver.commit(key)
    await driver.end(key, 1, ttl_ms=50)
    await driver.bench.pass_time(60)
    assert (await driver.load(key)).verdict is Verdict.GONE
    assert (await driver.commit(key, commit_id="anew")).verdict is Verdict.COMMITTED


async def test_update_of_nothing_is_gone(driver: Driver) -> None:
    outcome = await driver.commit(driver.key(), 4)
    assert (outcome.verdict, outcome.version) == (Verdict.GONE, 0)


async def test_merged_request_is_refused_while_the_marker_stands(driver: Driver) -> None:
    one, two = driver.key("one", same_shard_as="c"), driver.key("two", same_shard_as="c")
    await driver.commit(one, merge_key="marker")
    assert (await driver.commit(two, merge_key="marker")).verdict is Verdict.MERGED
    assert (await driver.load(two)).verdict is Verdict.GONE
    await driver.commit(one, 1, merge_key="marker")
    assert (await driver.commit(two, merge_key="marker")).verdict is Verdict.MERGED
    await driver.commit(one, 2, merge_key="marker", drop_merge=True)
    assert (await driver.commit(two, merge_key="marker")).verdict is Verdict.COMMITTED


async def test_the_end_of_a_call_drops_its_marker_only(driver: Driver) -> None:
    one, two, three = (driver.key(name, same_shard_as="c") for name in ("one", "two", "three"))
    await driver.commit(one, merge_key="marker")
    await driver.commit(two, merge_key="other")
    await driver.end(two, 1, merge_key="marker")
    assert (await driver.commit(three, merge_key="marker")).verdict is Verdict.MERGED
    await driver.end(one, 1, merge_key="marker")
    assert (await driver.commit(three, merge_key="marker")).verdict is Verdict.COMMITTED


async def test_a_repeated_creation_is_not_merged_with_itself(driver: Driver) -> None:
    key = driver.key()
    await driver.commit(key, 0, "same", merge_key="marker")
    assert (await driver.commit(key, 0, "same", merge_key="marker")).verdict is Verdict.COMMITTED


async def test_a_due_call_is_claimed_once_and_again_after_a_second(driver: Driver) -> None:
    key = driver.key()
    await driver.commit(key, deadline=driver.store.now() - 5)
    assert await driver.claim(key) == [key]
    assert await driver.claim(key) == []
    await driver.bench.pass_time(1001)
    assert await driver.claim(key) == [key]


async def test_two_claimers_at_once_share_what_is_due(driver: Driver) -> None:
    keys = [driver.key(str(number), same_shard_as="c") for number in range(30)]
    for key in keys:
        await driver.commit(key, deadline=driver.store.now() - 5)
    claims = await asyncio.gather(*(driver.claim(key, limit=20) for key in keys[:2]))
    assert [len(claim) for claim in claims] == [20, 10]
    assert sorted(claims[0] + claims[1]) == sorted(keys)


async def test_claims_cover_many_shards_with_a_limit_for_each(driver: Driver) -> None:
    keys = [driver.key(str(number)) for number in range(40)]
    for key in keys:
        await driver.commit(key, deadline=driver.store.now() - 5)
    first = await driver.claim(*keys, limit=1)
    assert len(first) == len({shard_of_key(key) for key in keys})
    rest = await driver.claim(*keys)
    assert sorted(first + rest) == sorted(keys)


async def test_a_call_has_one_deadline_the_last_one_set(driver: Driver) -> None:
    key = driver.key()
    past, future = driver.store.now() - 5, driver.store.now() + 60_000
    await driver.commit(key, deadline=past)
    await driver.commit(key, 1, deadline=future)
    assert await driver.claim(key) == []
    await driver.commit(key, 2, deadline=past)
    assert await driver.claim(key) == [key]


@pytest.mark.parametrize("how", ["no deadline", "end"])
async def test_a_commit_removes_the_deadline(driver: Driver, how: str) -> None:
    key = driver.key()
    past = driver.store.now() - 5
    await driver.commit(key, deadline=past)
    if how == "end":
        await driver.end(key, 1, deadline=past)
    else:
        await driver.commit(key, 1, deadline=None)
    assert await driver.claim(key) == []


async def test_a_refused_commit_changes_nothing(driver: Driver) -> None:
    key = driver.key()
    await driver.commit(key, active=True)
    await driver.commit(key, 1)
    refused = await driver.commit(
        key, 1, "late", deadline=driver.store.now() - 5, active=False, outbox=(b"never",)
    )
    assert refused.verdict is Verdict.CONFLICT
    assert await driver.claim(key) == []
    assert driver.bench.active(key)
    assert driver.bench.outbox(key) == []


async def test_index_of_active_calls(driver: Driver) -> None:
    key, other = driver.key("one"), driver.key("two")
    await driver.commit(key, active=True)
    await driver.commit(other)
    assert driver.bench.active(key)
    assert not driver.bench.active(other)
    await driver.commit(key, 1)
    assert driver.bench.active(key)
    await driver.commit(key, 2, active=False)
    assert not driver.bench.active(key)
    await driver.commit(key, 3, active=True)
    await driver.end(key, 4)
    assert not driver.bench.active(key)


async def test_accounting_records_are_appended_in_order(driver: Driver) -> None:
    key = driver.key()
    await driver.commit(key, outbox=(b"start a", b"start b"))
    await driver.commit(key, 1)
    await driver.end(key, 2, outbox=(b"stop \x00\xff",))
    assert driver.bench.outbox(key) == [b"start a", b"start b", b"stop \x00\xff"]


async def test_callbacks_come_in_the_order_of_the_commits(driver: Driver) -> None:
    keys = [driver.key(str(number)) for number in range(50)]
    order: list[str] = []
    done = asyncio.get_running_loop().create_future()

    def note(key: str, outcome: Outcome) -> None:
        assert outcome.verdict is Verdict.COMMITTED
        order.append(key)
        if len(order) == len(keys):
            done.set_result(None)

    for key in keys:
        driver.store.commit(
            Commit(key=key, expected=0, commit_id="c", record=b"r", ttl_ms=1000),
            partial(note, key),
        )
    await done
    assert order == keys


async def test_time_goes_on(driver: Driver) -> None:
    key = driver.key()
    before = driver.store.now()
    outcome = await driver.commit(key)
    assert before <= outcome.now <= driver.store.now()


class TestRestore:
    """Writing back what a store has lost."""

    async def test_missing_record(self, driver: Driver) -> None:
        key, due = driver.key(), driver.store.now() - 5
        outcome = await driver.commit(
            key, 7, record=b"cached", restore=True, deadline=due, active=True, outbox=(b"start",)
        )
        assert (outcome.verdict, outcome.version) == (Verdict.COMMITTED, 7)
        loaded = await driver.load(key)
        assert (loaded.version, loaded.record) == (7, b"cached")
        assert await driver.claim(key) == [key]
        assert driver.bench.active(key)
        assert driver.bench.outbox(key) == [b"start"]
        assert (await driver.commit(key, 7)).version == 8

    async def test_older_record(self, driver: Driver) -> None:
        key = driver.key()
        await driver.commit(key)
        await driver.commit(key, 3, record=b"cached", restore=True)
        loaded = await driver.load(key)
        assert (loaded.version, loaded.record) == (3, b"cached")

    async def test_newer_record_wins(self, driver: Driver) -> None:
        key = driver.key()
        await driver.commit(key)
        await driver.commit(key, 1)
        outcome = await driver.commit(key, 1, record=b"cached", restore=True)
        assert (outcome.verdict, outcome.version, outcome.record) == (Verdict.CONFLICT, 2, b"record 2")

    async def test_same_version(self, driver: Driver) -> None:
        key = driver.key()
        await driver.commit(key, record=b"cached")
        same = await driver.commit(key, 1, record=b"cached", restore=True, outbox=(b"again",))
        other = await driver.commit(key, 1, record=b"of another history", restore=True)
        assert (same.verdict, same.version) == (Verdict.COMMITTED, 1)
        assert driver.bench.outbox(key) == []
        assert (other.verdict, other.record) == (Verdict.CONFLICT, b"cached")

    async def test_a_tombstone_wins_over_a_lower_version(self, driver: Driver) -> None:
        key = driver.key()
        await driver.commit(key)
        await driver.end(key, 1)
        outcome = await driver.commit(key, 1, restore=True)
        assert (outcome.verdict, outcome.tombstone) == (Verdict.ENDED, b"last words")

    async def test_tombstone(self, driver: Driver) -> None:
        key = driver.key()
        await driver.commit(key, active=True, deadline=driver.store.now() - 5)
        for _ in range(2):
            outcome = await driver.end(key, 2, restore=True)
            assert (outcome.verdict, outcome.version) == (Verdict.COMMITTED, 2)
        assert (await driver.load(key)).verdict is Verdict.ENDED
        assert await driver.claim(key) == []
        assert not driver.bench.active(key)

    async def test_marker(self, driver: Driver) -> None:
        one, two = driver.key("one", same_shard_as="c"), driver.key("two", same_shard_as="c")
        await driver.commit(one, 5, restore=True, merge_key="marker")
        assert (await driver.commit(two, merge_key="marker")).verdict is Verdict.MERGED


class TestLeases:
    """Sweepers of several pods share the shards."""

    async def test_one_pod_has_all(self, driver: Driver) -> None:
        assert sorted(await driver.lease("a")) == list(range(64))

    async def test_pods_share_evenly_and_without_overlap(self, driver: Driver) -> None:
        pods = ("a", "b", "c")
        for _ in range(2):
            for pod in pods:
                await driver.lease(pod)
        shares = [await driver.lease(pod) for pod in pods]
        assert sorted(shard for share in shares for shard in share) == list(range(64))
        assert max(map(len, shares)) <= 22

    async def test_a_pod_that_leaves_is_replaced_at_once(self, driver: Driver) -> None:
        for pod in ("a", "b", "a", "b"):
            await driver.lease(pod)
        driver.store.release("a")
        assert sorted(await driver.lease("b")) == list(range(64))

    async def test_a_pod_that_died_is_replaced(self, driver: Driver) -> None:
        await driver.lease("a", ttl_ms=50)
        assert await driver.lease("b") == ()
        await driver.bench.pass_time(60)
        assert sorted(await driver.lease("b")) == list(range(64))
