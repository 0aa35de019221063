"""Connects to a Redis server: finds it, logs in, checks that it is fit, loads the function library."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, cast

import hiredis
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.exceptions import RedisError

from call_control.adapters.redis_connection import PATIENCE, Connection, dial
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
        return await self._connect(address, partial(self._prepare, address))

    async def cluster_slots(self, known: Iterable[Address] = ()) -> dict[int, Address]:
        """The primary of each slot of the Redis Cluster, as the first of its nodes that answers sees it; the
        nodes already known are asked first. Raises `OSError`."""
        # redis-py's RedisCluster could tell too, but leaves connections open when a node does not answer.
        slots: dict[int, Address] = {}
        failure = ConnectionError(f"Redis {self._target}: no node known")
        for address in dict.fromkeys((*known, *self._target.addresses)):
            try:
                connection = await self._connect(address, partial(self._read_slots, address, slots))
            except OSError as error:
                failure = ConnectionError(str(error))
            else:
                connection.abort()
                return slots
        raise failure

    async def _connect(
        self, address: Address, prepare: Callable[[Connection], Awaitable[None]]
    ) -> Connection:
        """Connect, log in and prepare the connection within `PATIENCE`. Raises `OSError`."""
        try:
            async with asyncio.timeout(PATIENCE):
                connection = await dial(*address, self._target.path, self._ssl)
                try:
                    await self._log_in(connection)
                    await prepare(connection)
                except BaseException:
                    connection.abort()
                    raise
                return connection
        except TimeoutError as error:
            raise ConnectionError(f"Redis at {self._where(address)} does not answer") from error
        except hiredis.ReplyError as error:
            raise ConnectionError(f"Redis at {self._where(address)}: {error}") from error
        except OSError as error:
            raise ConnectionError(f"Redis at {self._where(address)}: {error.strerror or error}") from error

    async def _read_slots(self, address: Address, slots: dict[int, Address], connection: Connection) -> None:
        reply = cast(
            "list[tuple[int, int, tuple[bytes | None, int]]]", await connection.ask("CLUSTER", "SLOTS")
        )
        for first, last, (host, port, *_), *_ in reply:
            # A node that does not know its own name means the one by which we reached it.
            owner = (host.decode() if host else address[0], port)
            slots.update(dict.fromkeys(range(first, last + 1), owner))

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
        except MasterNotFoundError as error:
            # Its own text shows the insides of redis-py's clients.
            raise ConnectionError(
                f"Redis {target}: no Sentinel answers and knows {target.master!r}"
            ) from error
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

    async def _log_in(self, connection: Connection) -> None:
        target = self._target
        if target.password:
            login = (target.username, target.password) if target.username else (target.password,)
            await connection.ask("AUTH", *login)
        if target.db:
            await connection.ask("SELECT", target.db)
        await connection.ask("CLIENT", "SETNAME", self._client_name)

    async def _prepare(self, address: Address, connection: Connection) -> None:
        """Check that the server can hold calls, and load the function library."""
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
