"""Real Redis processes for tests: single servers, a primary with replica and Sentinel, a Cluster.

Every process listens on a free port of the loopback, keeps its files in a directory of its own, and is
stopped by its pid. The `redis_server` fixture is one server per test session, which under pytest-xdist means
one per worker; the function-scoped `redis_url` is that server, emptied. Import both in a conftest.
"""

import asyncio
import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from support.ports import free_port

_PATIENCE = 20.0


def wait_until(condition: Callable[[], object], what: str, patience: float = _PATIENCE) -> None:
    """Poll until `condition` is true; an error of Redis or the system counts as false."""
    end = time.monotonic() + patience
    while True:
        with contextlib.suppress(redis.RedisError, OSError):
            if condition():
                return
        if time.monotonic() > end:
            raise TimeoutError(f"waited {patience} s for {what}")
        time.sleep(0.02)


async def until(condition: Callable[[], object], what: str, patience: float = _PATIENCE) -> None:
    """`wait_until` for a running event loop; `condition` must not block."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {patience} s for {what}")
        await asyncio.sleep(0.01)


class RedisServer:
    """One redis-server process. `options` are lines of its configuration file, over the defaults here."""

    def __init__(self, *options: str, port: int = 0, sentinel: bool = False) -> None:
        self.port = port or free_port()
        self._directory = Path(tempfile.mkdtemp(prefix="b2bua-redis-"))
        self._sentinel = sentinel
        self._process: subprocess.Popen[bytes] | None = None
        lines = [f"port {self.port}", "bind 127.0.0.1", f"dir {self._directory}", "protected-mode no"]
        if not sentinel:
            lines += ['save ""', "appendonly no", "repl-diskless-sync-delay 0"]
        self._config = self._directory / "redis.conf"
        self._config.write_text("\n".join([*lines, *options, ""]))
        self.start()

    @property
    def url(self) -> str:
        """URL of database 0."""
        return f"redis://127.0.0.1:{self.port}"

    def client(self, **settings: Any) -> redis.Redis:
        """A synchronous client; close it."""
        return redis.Redis(
            host="127.0.0.1", port=self.port, socket_timeout=5, retry=Retry(NoBackoff(), 0), **settings
        )

    def ask(self, *command: str | bytes | int) -> Any:
        """One command on a connection of its own."""
        with self.client() as client:
            return client.execute_command(*command)

    def start(self) -> None:
        """Start the process (again), and wait until it answers."""
        arguments = ["redis-server", str(self._config), *(["--sentinel"] if self._sentinel else [])]
        log = (self._directory / "log").open("ab")
        with log:
            self._process = subprocess.Popen(arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            wait_until(self._answers, f"redis-server on port {self.port}")
        except BaseException:
            self.close()
            raise

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"redis-server ended at once: {(self._directory / 'log').read_text()}")
        try:
            return bool(self.ask("PING"))
        except redis.AuthenticationError:
            return True

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        if self._process is not None:
            self._process.send_signal(number)

    def pause(self) -> None:
        """SIGSTOP: connections stay, nothing is answered."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def close(self) -> None:
        """Kill the process and remove its files."""
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


_CLUSTER_NODE = ("cluster-enabled yes", "cluster-node-timeout 1000", "cluster-config-file nodes.conf")


@contextlib.contextmanager
def redis_cluster(nodes: int = 3, *, replica: bool = False) -> Iterator[list[RedisServer]]:
    """A Redis Cluster of primaries that share the slots evenly; `replica` adds one of the first."""
    with contextlib.ExitStack() as stack:
        # The default bus port, 10000 higher, may be in use as the source port of some connection.
        bus_ports = [free_port() for _ in range(nodes + replica)]

        def node(bus_port: int) -> RedisServer:
            return stack.enter_context(RedisServer(*_CLUSTER_NODE, f"cluster-port {bus_port}"))

        servers = [node(bus_port) for bus_port in bus_ports[:nodes]]
        for number, server in enumerate(servers):
            first, last = 16384 * number // nodes, 16384 * (number + 1) // nodes - 1
            server.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
            server.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            server.ask("CLUSTER", "MEET", "127.0.0.1", servers[0].port, bus_ports[0])
        if replica:
            servers.append(node(bus_ports[-1]))
            servers[-1].ask("CLUSTER", "MEET", "127.0.0.1", servers[0].port, bus_ports[0])
        wait_until(lambda: all(_cluster_is_whole(server, len(servers)) for server in servers), "the cluster")
        if replica:
            servers[-1].ask("CLUSTER", "REPLICATE", servers[0].ask("CLUSTER", "MYID"))
            wait_until(lambda: servers[-1].ask("INFO")["master_link_status"] == "up", "the replica")
        yield servers


def wait_until_replicated(primary: RedisServer, replica: RedisServer) -> None:
    """Wait until the replica has all that the primary has: replication lags behind the answers."""
    wait_until(lambda: replica.ask("ROLE")[4] >= primary.ask("ROLE")[1], "the replica to have everything")


def _cluster_is_whole(server: RedisServer, nodes: int) -> bool:
    info: list[bytes] = server.ask("CLUSTER", "INFO").splitlines()
    return {b"cluster_state:ok", b"cluster_known_nodes:%d" % nodes} <= set(info)


class SentinelGroup:
    """A primary, its replica, and one Sentinel that watches them under the name `calls`."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.primary = stack.enter_context(RedisServer())
        self.replica = stack.enter_context(RedisServer(f"replicaof 127.0.0.1 {self.primary.port}"))
        wait_until(lambda: self.replica.ask("INFO")["master_link_status"] == "up", "the replica")
        self.sentinel = stack.enter_context(
            RedisServer(
                f"sentinel monitor calls 127.0.0.1 {self.primary.port} 1",
                "sentinel down-after-milliseconds calls 500",
                "sentinel failover-timeout calls 2000",
                sentinel=True,
            )
        )
        wait_until(self._sees_the_replica, "the Sentinel to see the replica")

    @property
    def url(self) -> str:
        """Store URL of the group."""
        return f"redis+sentinel://127.0.0.1:{self.sentinel.port}/calls"

    def _sees_the_replica(self) -> bool:
        with self.sentinel.client() as client:
            return bool(client.sentinel_slaves("calls"))


@contextlib.contextmanager
def sentinel_group() -> Iterator[SentinelGroup]:
    """A `SentinelGroup`, stopped at the end."""
    with contextlib.ExitStack() as stack:
        yield SentinelGroup(stack)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One Redis server for the tests of this process; a test that pauses or kills one starts its own."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """URL of the session's Redis server, emptied."""
    redis_server.ask("FLUSHALL")
    return redis_server.url
