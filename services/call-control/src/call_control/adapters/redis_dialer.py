"""Connects to a Redis server: finds it, logs in, checks that it is fit, loads the function library."""

from collections.abc import Callable
from typing import Any

import hiredis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.sentinel import Sentinel
from redis.exceptions import RedisError

from call_control.adapters.redis_connection import Connection, dial
from call_control.adapters.redis_function import library_source
from call_control.adapters.redis_url import Target, Topology

Address = tuple[str, int]


class Dialer:
    """Makes connections to the servers of one store. `on_warning` gets a line per doubtful setting, once."""

    def __init__(self, target: Target, *, client_name: str, on_warning: Callable[[str], None]) -> None:
        self._target = target
        self._client_name = client_name
        self._on_warning = on_warning
        self._warned: set[str] = set()
        # Read once: a renewed certificate takes a restart.
        self._ssl = target.ssl_context()

    async def dial(self) -> Connection:
        """Connect to the one server of the store, or to the primary. Raises `OSError`."""
        if self._target.topology is Topology.SENTINEL:
            return await self.dial_node(await self._primary())
        return await self.dial_node(self._target.addresses[0] if self._target.addresses else ("", 0))

    async def dial_node(self, address: Address) -> Connection:
        """Connect to one server. Raises `OSError`."""
        connection = await dial(*address, self._target.path, self._ssl)
        try:
            await self._handshake(connection, address)
        except hiredis.ReplyError as error:
            connection.abort()
            raise ConnectionError(f"Redis at {self._where(address)}: {error}") from error
        except BaseException:
            connection.abort()
            raise
        return connection

    async def cluster_slots(self) -> dict[int, Address]:
        """The primary of each slot of the Redis Cluster. Raises `OSError`."""
        target = self._target
        nodes = [ClusterNode(host, port) for host, port in target.addresses]
        try:
            cluster = RedisCluster(
                startup_nodes=nodes,
                username=target.username or None,
                password=target.password or None,
                socket_timeout=1.0,
                socket_connect_timeout=1.0,
                require_full_coverage=False,
                **self._redis_tls(),
            )
            try:
                await cluster.initialize()
                cache = cluster.nodes_manager.slots_cache
                return {slot: (nodes[0].host, int(nodes[0].port)) for slot, nodes in cache.items()}
            finally:
                await cluster.aclose()
        except RedisError as error:
            raise ConnectionError(f"Redis {target}: {error}") from error

    async def _primary(self) -> Address:
        target = self._target
        credentials = {"username": target.sentinel_username, "password": target.sentinel_password}
        sentinel = Sentinel(  # type: ignore[no-untyped-call]  # redis-py leaves it without annotations
            list(target.addresses),
            socket_timeout=0.5,
            sentinel_kwargs={name: value for name, value in credentials.items() if value}
            | {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
            | self._redis_tls(),
        )
        try:
            host, port = await sentinel.discover_master(target.master)
        except RedisError as error:
            raise ConnectionError(f"Redis {target}: {error}") from error
        finally:
            for client in sentinel.sentinels:
                await client.aclose()
        return str(host), int(port)

    def _redis_tls(self) -> dict[str, Any]:
        """TLS settings of the clients of redis-py that find the server."""
        target = self._target
        if not target.tls:
            return {}
        return {
            "ssl": True,
            "ssl_ca_certs": target.ca_file or None,
            "ssl_certfile": target.certificate_file or None,
            "ssl_keyfile": target.key_file or None,
            "ssl_check_hostname": target.check_hostname,
        }

    async def _handshake(self, connection: Connection, address: Address) -> None:
        target = self._target
        if target.password:
            login = (target.username, target.password) if target.username else (target.password,)
            await connection.ask("AUTH", *login)
        if target.db:
            await connection.ask("SELECT", target.db)
        await connection.ask("CLIENT", "SETNAME", self._client_name)
        info = _parse_info(await connection.ask("INFO"))
        where = self._where(address)
        if info.get("role") != "master":
            raise ConnectionError(f"Redis at {where} is not a primary")
        if info.get("loading") == "1":
            raise ConnectionError(f"Redis at {where} is still loading its data")
        self._warn_of_settings(where, info)
        connection.run_id = info["run_id"]
        try:
            await connection.ask("FUNCTION", "LOAD", library_source())
        except hiredis.ReplyError as error:
            # The name of the library holds the digest of its text, so the loaded one is the same.
            if "already exists" not in str(error):
                raise

    def _warn_of_settings(self, where: str, info: dict[str, str]) -> None:
        if info.get("aof_enabled") != "1":
            self._warn(f"Redis at {where} has appendonly off: a restart forgets calls in progress")
        policy = info.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            self._warn(f"Redis at {where} has maxmemory-policy {policy}: it may evict calls; use noeviction")

    def _warn(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            self._on_warning(text)

    def _where(self, address: Address) -> str:
        return self._target.path or f"{address[0]}:{address[1]}"


def _parse_info(reply: object) -> dict[str, str]:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else ""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
