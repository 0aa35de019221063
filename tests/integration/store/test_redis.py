"""What only a real Redis can show: keys, faults, restarts, several pods at start."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from call_control.adapters.redis_function import ShardKeys
from call_control.adapters.redis_store import RedisStore
from call_control.domain.store import StoreMismatch, Verdict
from support.ports import free_port
from support.redis_server import RedisServer, until, wait_until
from support.store_driver import Driver, RedisBench
from svckit.identity import shard_of_key, shard_tag


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A server that the test may pause, kill and restart."""
    with RedisServer() as server:
        yield server


@asynccontextmanager
async def started(server: RedisServer, url: str = "", shards: int = 64) -> AsyncIterator[Driver]:
    store = RedisStore(url or server.url, shards=shards)
    await store.start()
    try:
        yield Driver(RedisBench(store, server))
    finally:
        await store.close()


def count_calls(server: RedisServer) -> int:
    return len(server.ask("KEYS", "*:call:*"))


class TestKeys:
    """Names and lives of the keys."""

    async def test_call_occurs_in_the_keys_of_records_only(
        self, redis_server: RedisServer, redis_url: str
    ) -> None:
        async with started(redis_server, redis_url) as driver:
            one, two = driver.key("one"), driver.key("two")
            fields: dict[str, Any] = {"deadline": 1, "active": True, "outbox": (b"a",), "merge_key": "m"}
            await driver.commit(one, **fields)
            await driver.commit(two, **fields)
            await driver.end(two, 1)
            await driver.lease("pod")
        prefix = f"b2bua:{shard_tag(shard_of_key(one))}:"
        keys = {key.decode() for key in redis_server.ask("KEYS", "*")}
        assert [key for key in keys if ":call:" in key] == [f"{prefix}call:{one}"]
        own = {key.removeprefix(prefix) for key in keys if key.startswith(prefix)} - {f"tomb:{two}"}
        assert own >= {f"call:{one}", "due", "active", "merge:m", "outbox"}
        assert keys >= {"b2bua:cluster", "b2bua:{sweep}:pods", "b2bua:{sweep}:leases"}

    async def test_what_belongs_to_one_call_expires(self, redis_server: RedisServer, redis_url: str) -> None:
        async with started(redis_server, redis_url) as driver:
            key = driver.key()
            names = ShardKeys.of(shard_of_key(key))
            await driver.commit(key, ttl_ms=70_000, merge_key="m")
            for name in (names.call + key, names.merge + "m"):
                assert 60_000 < redis_server.ask("PTTL", name) <= 70_000
            await driver.end(key, 1, ttl_ms=32_000)
            assert 30_000 < redis_server.ask("PTTL", names.tomb + key) <= 32_000

    async def test_a_claim_sweeps_up_after_an_expired_record(
        self, redis_server: RedisServer, redis_url: str
    ) -> None:
        async with started(redis_server, redis_url) as driver:
            key = driver.key()
            names = ShardKeys.of(shard_of_key(key))
            await driver.commit(key, deadline=1, active=True)
            redis_server.ask("DEL", names.call + key)
            assert await driver.claim(key) == []
        assert redis_server.ask("EXISTS", names.due, names.active) == 0


class TestStart:
    """Pods agree on salt and shard count."""

    async def test_pods_that_start_together_agree_on_the_salt(
        self, redis_server: RedisServer, redis_url: str
    ) -> None:
        stores = [RedisStore(redis_url) for _ in range(5)]
        await asyncio.gather(*(store.start() for store in stores))
        assert len({store.salt for store in stores}) == 1
        assert len(stores[0].salt) == 16
        for store in stores:
            await store.close()

    async def test_another_shard_count_is_refused(self, redis_server: RedisServer, redis_url: str) -> None:
        async with started(redis_server, redis_url, shards=32):
            pass
        with pytest.raises(StoreMismatch, match="has 32 shards, this pod is configured for 64"):
            await RedisStore(redis_url).start()

    async def test_no_server(self) -> None:
        with pytest.raises(OSError):
            await RedisStore(f"redis://127.0.0.1:{free_port()}").start()

    async def test_password_and_database(self) -> None:
        with RedisServer("requirepass s3cret") as server_with_password:
            url = f"redis://:s3cret@127.0.0.1:{server_with_password.port}/2"
            store = RedisStore(url)
            await store.start()
            assert (await Driver(RedisBench(store, server_with_password)).commit("0" * 22)).version == 1
            await store.close()
            with pytest.raises(ConnectionError, match="NOAUTH"):
                await RedisStore(f"redis://127.0.0.1:{server_with_password.port}").start()

    async def test_unix_socket(self, tmp_path: Path) -> None:
        with RedisServer(f"unixsocket {tmp_path}/redis.sock") as server:
            async with started(server, f"unix://{tmp_path}/redis.sock?db=1") as driver:
                assert (await driver.commit(driver.key())).version == 1

    async def test_tls(self, tmp_path: Path) -> None:
        key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
        options = (
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=redis -addext subjectAltName=IP:127.0.0.1"
        )
        files = ["-keyout", str(key), "-out", str(certificate)]
        await asyncio.to_thread(
            subprocess.run, ["openssl", *options.split(), *files], check=True, capture_output=True
        )
        port = free_port()
        settings = (f"tls-port {port}", f"tls-cert-file {certificate}", f"tls-key-file {key}")
        with RedisServer(*settings, f"tls-ca-cert-file {certificate}", "tls-auth-clients no") as server:
            url = f"rediss://127.0.0.1:{port}"
            async with started(server, f"{url}?ssl_ca_certs={certificate}") as driver:
                assert (await driver.commit(driver.key())).version == 1
            with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
                await RedisStore(url).start()

    @pytest.mark.parametrize(
        "greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+one\r\n+two\r\n+three\r\n", b""]
    )
    async def test_what_is_no_redis_server_is_refused(self, greeting: bytes) -> None:
        class Stranger(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                assert isinstance(transport, asyncio.Transport)
                transport.write(greeting)

            def connection_lost(self, exc: Exception | None) -> None:
                hung_up.set()

        hung_up = asyncio.Event()
        stranger = await asyncio.get_running_loop().create_server(Stranger, "127.0.0.1", 0)
        async with stranger:
            port = stranger.sockets[0].getsockname()[1]
            with pytest.raises(ConnectionError, match="Redis"):
                await RedisStore(f"redis://127.0.0.1:{port}").start()
            await hung_up.wait()

    async def test_doubtful_settings_are_named(self, own_server: RedisServer) -> None:
        own_server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        warnings: list[str] = []
        store = RedisStore(own_server.url)
        store.on_warning = warnings.append
        await store.start()
        await store.close()
        assert [" appendonly off" in warnings[0], " allkeys-lru" in warnings[1]] == [True, True]
        assert len(warnings) == 2

    async def test_commits_go_on_when_memory_is_full_but_no_creations(self, own_server: RedisServer) -> None:
        warnings: list[str] = []
        async with started(own_server) as driver:
            driver.store.on_warning = warnings.append
            key = driver.key()
            await driver.commit(key)
            own_server.ask("CONFIG", "SET", "maxmemory", "1mb")
            assert (await driver.commit(driver.key("new"))).verdict is Verdict.UNAVAILABLE
            assert (await driver.commit(key, 1)).verdict is Verdict.COMMITTED
            assert (await driver.end(key, 2)).verdict is Verdict.COMMITTED
        assert "OOM" in warnings[0]


class TestAway:
    """Redis goes away, for a moment or for long."""

    async def test_a_stopped_server_costs_a_second_and_is_found_again(self, own_server: RedisServer) -> None:
        async with started(own_server) as driver:
            changes: list[bool] = []
            driver.store.on_available = changes.append
            await driver.commit(driver.key("before"))
            own_server.pause()
            began = time.monotonic()
            lost = await asyncio.gather(*(driver.commit(driver.key(str(number))) for number in range(5)))
            assert {outcome.verdict for outcome in lost} == {Verdict.UNAVAILABLE}
            assert 0.9 < time.monotonic() - began < 1.3
            assert not driver.store.available
            began = time.monotonic()
            assert (await driver.commit(driver.key())).verdict is Verdict.UNAVAILABLE
            assert (await driver.load(driver.key())).verdict is Verdict.UNAVAILABLE
            assert await driver.claim(driver.key()) == []
            assert len(await driver.lease("pod")) == 64
            assert time.monotonic() - began < 0.1
            own_server.resume()
            await until(lambda: driver.store.available, "the store to come back")
            assert changes == [False, True]
            # What became of the commits is not known; with their ids they can be repeated.
            for number in range(5):
                assert (await driver.commit(driver.key(str(number)))).verdict is Verdict.COMMITTED

    async def test_a_killed_server_is_noticed_without_any_commit(self, own_server: RedisServer) -> None:
        async with started(own_server) as driver:
            own_server.kill()
            await until(lambda: not driver.store.available, "the loss of the server to be noticed")

    async def test_a_lost_connection_is_not_seen_by_commits(self, own_server: RedisServer) -> None:
        async with started(own_server) as driver:
            keys = [driver.key(str(number)) for number in range(100)]
            pending = [asyncio.ensure_future(driver.commit(key, outbox=(b"a",))) for key in keys]
            await asyncio.sleep(0)
            await asyncio.to_thread(own_server.ask, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            outcomes = await asyncio.gather(*pending)
            assert {(outcome.verdict, outcome.version) for outcome in outcomes} == {(Verdict.COMMITTED, 1)}
            assert all(len(driver.bench.outbox(key)) == 1 for key in keys[:5])
            assert driver.store.available

    async def test_a_forgotten_library_is_loaded_again(self, own_server: RedisServer) -> None:
        async with started(own_server) as driver:
            own_server.ask("FUNCTION", "FLUSH")
            outcomes = await asyncio.gather(*(driver.commit(driver.key(str(number))) for number in range(3)))
            assert {outcome.verdict for outcome in outcomes} == {Verdict.COMMITTED}

    async def test_closing_answers_what_is_outstanding(self, own_server: RedisServer) -> None:
        async with started(own_server) as driver:
            own_server.pause()
            pending = asyncio.ensure_future(driver.commit(driver.key()))
            await asyncio.sleep(0.01)
            await driver.store.close()
            assert (await pending).verdict is Verdict.UNAVAILABLE
            own_server.resume()


class TestLostWrites:
    """The store tells when it may have forgotten something."""

    async def watch(
        self, server: RedisServer, lose: Callable[[Driver, str], Awaitable[object]]
    ) -> tuple[Verdict, Verdict]:
        """Lose the record of a call at version 2; the verdict of the next commit, and of its restoration."""
        lost: list[None] = []
        async with started(server) as driver:
            driver.store.on_lost_writes = lambda: lost.append(None)
            key = driver.key()
            await driver.commit(key)
            await driver.commit(key, 1)
            salt = driver.store.salt
            await lose(driver, key)
            verdict = (await driver.commit(key, 2)).verdict
            await until(lambda: lost, "the loss to be noticed")
            restored = await driver.commit(key, 2, record=b"cached", restore=True)
            assert driver.store.salt == salt
            assert server.ask("HGET", "b2bua:cluster", "salt") == salt
            return verdict, restored.verdict

    async def test_a_server_that_restarted_empty(self, own_server: RedisServer) -> None:
        async def restart(driver: Driver, _key: str) -> None:
            own_server.kill()
            await until(lambda: not driver.store.available, "the server to be away")
            await asyncio.to_thread(own_server.start)
            await until(lambda: driver.store.available, "the server to be back")

        assert await self.watch(own_server, restart) == (Verdict.GONE, Verdict.COMMITTED)

    async def test_a_flushed_database(self, own_server: RedisServer) -> None:
        async def flush(_driver: Driver, _key: str) -> None:
            own_server.ask("FLUSHALL")

        assert await self.watch(own_server, flush) == (Verdict.GONE, Verdict.COMMITTED)

    async def test_each_pod_learns_of_a_flush_before_it_learns_that_its_call_is_gone(
        self, own_server: RedisServer
    ) -> None:
        async with started(own_server) as one, started(own_server) as two:
            for number, driver in enumerate((one, two)):
                await driver.commit(driver.key(str(number)))
            own_server.ask("FLUSHALL")
            for number, driver in enumerate((one, two)):
                order: list[str] = []
                driver.store.on_lost_writes = partial(order.append, "lost")
                order.append((await driver.commit(driver.key(str(number)), 1)).verdict.value)
                assert order == ["lost", "gone"]
                order.append((await driver.commit(driver.key(str(number)), 1)).verdict.value)
                assert order == ["lost", "gone", "gone"]

    async def test_a_lower_version(self, own_server: RedisServer) -> None:
        async def roll_back(_driver: Driver, key: str) -> None:
            own_server.ask("SET", ShardKeys.of(shard_of_key(key)).call + key, b"0000000001other\nrecord")

        assert await self.watch(own_server, roll_back) == (Verdict.CONFLICT, Verdict.COMMITTED)

    async def test_another_salt_stops_the_pod(self, own_server: RedisServer) -> None:
        warnings: list[str] = []
        async with started(own_server) as driver:
            driver.store.on_warning = warnings.append
            own_server.ask("HSET", "b2bua:cluster", "salt", "of another store")
            await driver.commit(driver.key(), 2)
            await until(lambda: not driver.store.available, "the salt to be compared")
            assert (await driver.commit(driver.key())).verdict is Verdict.UNAVAILABLE
        assert "another salt" in warnings[0]


async def test_the_time_is_that_of_redis(redis_server: RedisServer, redis_url: str) -> None:
    async with started(redis_server, redis_url) as driver:
        await driver.load(driver.key())
        seconds, micros = redis_server.ask("TIME")
        assert abs(driver.store.now() - (seconds * 1000 + micros // 1000)) < 50


async def test_durable_commits_wait_for_the_replica_unless_it_is_away(own_server: RedisServer) -> None:
    with RedisServer(f"replicaof 127.0.0.1 {own_server.port}") as replica:
        wait_until(lambda: replica.ask("INFO")["master_link_status"] == "up", "the replica")
        store = RedisStore(own_server.url, wait_replicas=1, wait_ms=800)
        await store.start()
        try:
            await _durable_commits(store, own_server, replica)
        finally:
            await store.close()


async def _durable_commits(store: RedisStore, primary: RedisServer, replica: RedisServer) -> None:
    warnings: list[str] = []
    store.on_warning = warnings.append
    driver = Driver(RedisBench(store, primary))
    key = driver.key()
    name = ShardKeys.of(shard_of_key(key)).call + key
    for version in range(5):
        assert (await driver.commit(key, version, durable=True)).version == version + 1
        assert warnings == []
        assert int(replica.ask("GETRANGE", name, 0, 9)) == version + 1
    replica.pause()
    for version in (5, 6):
        assert (await driver.commit(key, version, durable=True)).version == version + 1
    assert "not 1 replicas have the last commit" in warnings[0]
    # The second one after the replica went was not waited for.
    assert primary.ask("INFO", "commandstats")["cmdstat_wait"]["calls"] == 6
