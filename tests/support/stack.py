"""The system under test as processes: all in one (``b2bua run``), or edges, call-control pods and Redis.

Both forms offer the same :class:`Stack`: an address for each wire, readiness, kill and restart, metrics.
"""

from __future__ import annotations

import itertools
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import redis

from b2bua.callcontrol.v1.call_pb2 import Call
from sip_edge.domain.delivery import SHARD_CHARACTERS
from sip_edge.domain.rendezvous import Rendezvous
from support.ports import bracketed, free_port, is_bound
from support.processes import BIN, Process, wait_until
from support.sipp import TCP4, TCP6, UDP4, UDP6, Wire

READY_WITHIN = 30.0
STARTS = 3
LINK_UP, LINK_LOST, STARTED = '"link.pod_up"', '"link.pod_away"', '"service.configured"'
TRACEBACK = "Traceback (most recent call last)"
IDENTITY_KEY = "a key for tests, shared by all pods of a stack"
TO_ITSELF = "itself"
"""A route: back to the first address of the stack."""
ALL_WIRES = (UDP4, TCP4, UDP6, TCP6)
CALL_KEYS = "b2bua:{s*}:call:*"
TOMBSTONES = "b2bua:{s*}:tomb:*"
DEADLINES = "b2bua:{s*}:due"
ADDRESS_IN_USE = ("address already in use", "eaddrinuse", "errno 98", "in use")


class NotStarted(AssertionError):
    """A process ended instead of becoming ready; the text holds its output."""


def fetch(address: str, path: str) -> str | None:
    """Return the body served under ``http://address/path``; None if nobody answers 200."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=2) as reply:
            return str(reply.read().decode())
    except (OSError, urllib.error.URLError):
        return None


def linked_peers(log: Path) -> set[str]:
    """Return the call-control addresses to which an edge, by its log, has a link."""
    linked: set[str] = set()
    for line in log.read_text(errors="replace").splitlines():
        if LINK_UP in line:
            linked.add(json.loads(line)["peer"])
        elif LINK_LOST in line:
            linked.discard(json.loads(line)["peer"])
        elif STARTED in line:
            linked.clear()
    return linked


@dataclass(slots=True)
class Part:
    """A process of the stack and what is needed to start it again as it was."""

    name: str
    argv: list[str]
    http: str
    log: Path
    env: dict[str, str] = field(default_factory=dict)
    ready_path: str = "/readyz"
    process: Process | None = None
    read: int = 0

    def new_output(self) -> str:
        """Return what was written since this was last asked."""
        if not self.log.exists():
            return ""
        with self.log.open(errors="replace") as log:
            log.seek(self.read)
            text = log.read()
            self.read = log.tell()
        return text

    def start(self) -> None:
        """Start the process; the output is appended to the same log."""
        self.process = Process(self.name, self.argv, log=self.log, env=self.env)

    def wait_ready(self, timeout: float = READY_WITHIN) -> None:
        """Wait until ``/readyz`` answers 200; raise :class:`NotStarted` if the process ends instead."""

        def ready() -> bool:
            if not self.running.running:
                raise NotStarted(self.running.report())
            return fetch(self.http, self.ready_path) is not None

        try:
            wait_until(ready, timeout=timeout, what=f"{self.name} is ready")
        except NotStarted:
            raise
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.running.report()}") from None

    @property
    def running(self) -> Process:
        """The current process; there is one from the first start on."""
        assert self.process is not None, f"{self.name} was never started"
        return self.process


class Stack:
    """A running system: its parts by service name, its SIP addresses, what it tells about itself."""

    def __init__(self, directory: Path, route: str, wires: Sequence[Wire]) -> None:
        self.directory = directory
        self.route = route
        self.wires = tuple(wires)
        self.parts: dict[str, list[Part]] = {}

    def start(self) -> None:
        """Start all parts and wait until each is ready; with new ports if one was taken meanwhile."""
        for attempt in itertools.count(1):
            self.parts = self._lay_out()
            try:
                self._start_parts()
                return
            except NotStarted as error:
                self.stop()
                taken = any(sign in str(error).lower() for sign in ADDRESS_IN_USE)
                if attempt == STARTS or not taken:
                    raise
            except BaseException:
                self.stop()
                raise

    def _start_parts(self) -> None:
        for part in self._all():
            part.start()
        for part in self._all():
            part.wait_ready()

    def _lay_out(self) -> dict[str, list[Part]]:
        raise NotImplementedError

    def _all(self) -> Iterator[Part]:
        for parts in self.parts.values():
            yield from parts

    def stop(self) -> None:
        """Stop every process, the last started first."""
        for part in reversed(list(self._all())):
            if part.process is not None:
                part.process.stop()

    @property
    def next_hop(self) -> str:
        """The route as the product's settings write it."""
        return self.sip_address(self.wires[0]) if self.route == TO_ITSELF else self.route

    def sip_address(self, wire: Wire, index: int = 0) -> str:
        """Return ``host:port`` on which the edge of that index (or the one process) hears the wire."""
        raise NotImplementedError

    def kill(self, service: str, index: int = 0) -> None:
        """SIGKILL a part."""
        self.parts[service][index].running.kill()

    def restart(self, service: str, index: int = 0) -> None:
        """Start a killed part again, on the same addresses, and wait until it is ready."""
        part = self.parts[service][index]
        part.start()
        part.wait_ready()

    def bring_back(self) -> None:
        """Start again, as they were, all parts that do not run, and wait until they are ready."""
        missing = [part for part in self._all() if part.process and not part.process.running]
        for part in missing:
            part.start()
        for part in missing:
            part.wait_ready()

    def metrics(self, service: str, index: int = 0) -> dict[str, float]:
        """Return the samples of ``/metrics``: name with labels -> value; empty if the part is away."""
        text = fetch(self.parts[service][index].http, "/metrics") or ""
        samples: dict[str, float] = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                samples[name] = float(value)
        return samples

    @property
    def pids(self) -> list[int]:
        """The pids of all parts that run."""
        return [part.running.pid for part in self._all() if part.process and part.process.running]

    def report(self) -> str:
        """Return the end of each part's output, for a failing test."""
        return "\n".join(part.running.report() for part in self._all() if part.process)

    def assert_no_traceback(self) -> None:
        """Raise if any part has written a traceback since this was last asked."""
        for part in self._all():
            if TRACEBACK in part.new_output():
                raise AssertionError(part.running.report())


class OneProcess(Stack):
    """``b2bua run`` with the memory store: the whole product in one process, service name ``b2bua``."""

    def __init__(
        self,
        directory: Path,
        route: str,
        wires: Sequence[Wire] = ALL_WIRES,
        *,
        env: Mapping[str, str] | None = None,
        t1: float = 0.5,
        registrar: bool = False,
    ) -> None:
        super().__init__(directory, route, wires)
        self._env = {"B2BUA_IDENTITY_KEY": IDENTITY_KEY, "B2BUA_DRAIN_SECONDS": "1", **(env or {})}
        self._registrar = registrar
        self.t1 = t1
        self._port = 0

    def _lay_out(self) -> dict[str, list[Part]]:
        self._port = free_port()
        http = f"127.0.0.1:{free_port()}"
        argv = [str(BIN / "b2bua"), "run"]
        for wire in self.wires:
            argv += ["--listen", f"{wire.transport}:{wire.address(self._port)}"]
        for route in self.next_hop.split():
            argv += ["--route", route]
        argv += ["--http", http, "--t1", str(self.t1)]
        if self._registrar:
            argv += ["--sip-proxy", self.next_hop]
        part = Part("b2bua", argv, http, self.directory / "b2bua.log", self._env)
        return {"b2bua": [part]}

    def sip_address(self, wire: Wire, index: int = 0) -> str:
        return wire.address(self._port)


class Simple(Stack):
    """``b2bua_simple``, started as Sippy's users do; it listens on one address, on UDP and TCP."""

    def __init__(self, directory: Path, route: str, wires: Sequence[Wire] = (UDP4, TCP4)) -> None:
        super().__init__(directory, route, wires)
        self._port = 0

    def _lay_out(self) -> dict[str, list[Part]]:
        self._port = free_port()
        host = bracketed(self.wires[0].host)
        argv = [str(BIN / "b2bua_simple"), "-f", "-l", host, "-p", str(self._port), "-n", self.next_hop]
        return {"b2bua_simple": [BoundPart("b2bua_simple", argv, self._port, self.directory)]}

    def sip_address(self, wire: Wire, index: int = 0) -> str:
        return wire.address(self._port)


class Radius(Stack):
    """``b2bua_radius`` without RADIUS, in the foreground, with a control socket: how harnesses start it."""

    def __init__(
        self,
        directory: Path,
        route: str,
        wires: Sequence[Wire] = (UDP4, TCP4),
        *,
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(directory, route, wires)
        self._options = tuple(options)
        self._env = {"SIPLOG_BEND": "none", **(env or {})}
        self._port = 0

    def _lay_out(self) -> dict[str, list[Part]]:
        self._port = free_port()
        argv = [str(BIN / "b2bua_radius"), "-f", "-u", "-A", "0", "-s", self.next_hop]
        argv += ["-l", bracketed(self.wires[0].host), "-p", str(self._port), "-c", str(self.control)]
        part = SocketPart("b2bua_radius", [*argv, *self._options], self.control, self.directory, self._env)
        return {"b2bua_radius": [part]}

    @property
    def control(self) -> Path:
        """The control socket."""
        return self.directory / "control.sock"

    def sip_address(self, wire: Wire, index: int = 0) -> str:
        return wire.address(self._port)


class Distributed(Stack):
    """Redis, call-control pods and edges: services ``redis``, ``call-control`` and ``sip-edge``."""

    def __init__(
        self,
        directory: Path,
        route: str,
        wires: Sequence[Wire] = ALL_WIRES,
        *,
        call_controls: int = 2,
        edges: int = 1,
        env: Mapping[str, str] | None = None,
        t1: float = 0.5,
        registrar: bool = False,
    ) -> None:
        super().__init__(directory, route, wires)
        self._registrar = registrar
        self._call_controls = call_controls
        self._edges = edges
        self._env = {"B2BUA_IDENTITY_KEY": IDENTITY_KEY, **(env or {})}
        self.t1 = t1
        self._redis_port = 0
        self._edge_ports: list[int] = []
        self._client: redis.Redis | None = None

    def _lay_out(self) -> dict[str, list[Part]]:
        self._redis_port = free_port()
        self._edge_ports = [free_port() for _ in range(self._edges)]
        pods = [f"127.0.0.1:{free_port()}" for _ in range(self._call_controls)]
        return {
            "redis": [redis_part(self.directory, self._redis_port)],
            "call-control": [self._call_control(index, address) for index, address in enumerate(pods)],
            "sip-edge": [self._edge(index, port, pods) for index, port in enumerate(self._edge_ports)],
        }

    def _start_parts(self) -> None:
        redis_server, *others = self._all()
        redis_server.start()
        redis_server.wait_ready()
        for part in others:
            part.start()
        for part in others:
            part.wait_ready()

        self._wait_linked()

    def restart(self, service: str, index: int = 0) -> None:
        super().restart(service, index)
        self._wait_linked()

    def bring_back(self) -> None:
        super().bring_back()
        self._wait_linked()

    def _wait_linked(self) -> None:
        """Wait until each edge that runs says that its link to each pod that runs is up."""
        running = [part for part in self._all() if part.process and part.process.running]
        pods = {part.env["CALL_CONTROL_LISTEN"] for part in running if part.name.startswith("call-control")}
        for edge in running:
            if edge.name.startswith("sip-edge"):
                wait_until(
                    lambda edge=edge: pods <= linked_peers(edge.log),  # type: ignore[misc]  # bound early
                    timeout=READY_WITHIN,
                    what=f"{edge.name} is linked to {sorted(pods)}",
                )

    def _call_control(self, index: int, listen: str) -> Part:
        http = f"127.0.0.1:{free_port()}"
        name = f"call-control-{index}"
        env = {
            "CALL_CONTROL_LISTEN": listen,
            "CALL_CONTROL_HTTP": http,
            "CALL_CONTROL_REDIS_URL": f"redis://127.0.0.1:{self._redis_port}/0",
            "CALL_CONTROL_ROUTE": self.next_hop,
            "CALL_CONTROL_T1_SECONDS": str(self.t1),
            "CALL_CONTROL_ID": name,
        }
        return Part(
            name,
            [str(BIN / "call-control")],
            http,
            self.directory / f"{name}.log",
            {**self._env, **env},
        )

    def _edge(self, index: int, port: int, pods: Sequence[str]) -> Part:
        http = f"127.0.0.1:{free_port()}"
        name = f"sip-edge-{index}"
        env = {
            "SIP_EDGE_LISTEN": ",".join(f"{wire.transport}:{wire.address(port)}" for wire in self.wires),
            "SIP_EDGE_CALL_CONTROL": ",".join(pods),
            "SIP_EDGE_HTTP": http,
            "SIP_EDGE_ID": name,
            "SIP_EDGE_T1": str(self.t1),
            "SIP_EDGE_SIP_PROXY": self.next_hop if self._registrar else "",
        }
        return Part(
            name,
            [str(BIN / "sip-edge")],
            http,
            self.directory / f"{name}.log",
            {**self._env, **env},
        )

    def stop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        super().stop()

    def sip_address(self, wire: Wire, index: int = 0) -> str:
        return wire.address(self._edge_ports[index])

    @property
    def redis(self) -> redis.Redis:
        """A client of the stack's Redis."""
        if self._client is None:
            self._client = redis.Redis(port=self._redis_port, decode_responses=True)
        return self._client

    def call_keys(self) -> list[str]:
        """Return the keys of all call records."""
        return list(self.redis.scan_iter(CALL_KEYS, count=1000))

    def owner(self, call_key: str) -> int:
        """Return the index of the call-control pod to which edges send the events of a call first."""
        names = [part.name for part in self.parts["call-control"]]
        return names.index(Rendezvous(names).order(call_key[:SHARD_CHARACTERS])[0])

    def tombstones(self) -> list[str]:
        """Return the keys of all tombstones."""
        return list(self.redis.scan_iter(TOMBSTONES, count=1000))

    def milliseconds_left(self, key: str) -> int:
        """Return the time to live of a key; negative if it has none, or is gone."""
        return self.redis.pttl(key)

    def deadlines(self) -> dict[str, float]:
        """Return every call with a deadline, and when it is due (ms since the epoch)."""
        found: dict[str, float] = {}
        for key in self.redis.scan_iter(DEADLINES, count=1000):
            found.update(cast("list[tuple[str, float]]", self.redis.zrange(key, 0, -1, withscores=True)))
        return found

    def wait_idle(self, timeout: float = 35.0, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until no call record and no deadline is left."""

        def idle() -> bool:
            meanwhile()
            return not self.call_keys() and not self.deadlines()

        try:
            wait_until(idle, timeout=timeout, what="no call is left")
        except AssertionError as error:
            left = "\n".join(self._record(key) for key in self.call_keys())
            raise AssertionError(f"{error}: deadlines {self.deadlines()}, records:\n{left}") from None

    def _record(self, key: str) -> str:
        """Return a stored call for people to read."""
        with redis.Redis(port=self._redis_port) as raw:
            stored = cast(bytes, raw.get(key)) or b""
            body = stored.partition(b"\n")[2]
            return f"{key} {Call.FromString(body)}"

    def wait_no_tombstone(self, timeout: float) -> None:
        """Wait until no tombstone is left."""
        wait_until(lambda: not self.tombstones(), timeout=timeout, what="no tombstone is left")


class BoundPart(Part):
    """A process without HTTP: it is ready when it listens on its TCP port."""

    def __init__(self, name: str, argv: list[str], port: int, directory: Path) -> None:
        super().__init__(name, argv, "", directory / f"{name}.log")
        self._port = port

    def wait_ready(self, timeout: float = READY_WITHIN) -> None:
        """Wait until the process listens."""

        def ready() -> bool:
            if not self.running.running:
                raise NotStarted(self.running.report())
            return is_bound("tcp", self._port)

        wait_until(ready, timeout=timeout, what=f"{self.name} is ready")


class SocketPart(Part):
    """A process that is ready when its control socket is there."""

    def __init__(
        self, name: str, argv: list[str], control: Path, directory: Path, env: Mapping[str, str]
    ) -> None:
        super().__init__(name, argv, "", directory / f"{name}.log", dict(env))
        self._control = control

    def wait_ready(self, timeout: float = READY_WITHIN) -> None:
        """Wait until the socket is there."""

        def ready() -> bool:
            if not self.running.running:
                raise NotStarted(self.running.report())
            return self._control.is_socket()

        wait_until(ready, timeout=timeout, what=f"{self.name} is ready")


def redis_part(directory: Path, port: int) -> BoundPart:
    """Return a Redis server with an append-only file, in the directory of the stack."""
    data = directory / f"redis-{port}"
    data.mkdir(parents=True)
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(data), "--save", ""]
    argv += ["--appendonly", "yes", "--appendfsync", "everysec"]
    return BoundPart("redis", argv, port, directory)
