"""The link of an edge to all call-control pods over gRPC: implements `ControlLink`."""

import asyncio
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import grpc
import structlog

from b2bua.callcontrol.v1.edge_link_pb2 import Greeting, Hello
from b2bua.edge.v1.edge_pb2 import Command, CommandRef, EdgeRef, Event
from sip_edge.adapters.discovery import pod_source
from sip_edge.adapters.link_settings import LinkSettings
from sip_edge.adapters.pod_connection import PodConnection
from sip_edge.adapters.pod_session import PodSession, Stream
from sip_edge.domain.delivery import Cause, Delivery, Refusal
from sip_edge.domain.greeting import Cluster, GreetingRefusedError

__all__ = ("CallControlLink", "LinkSettings", "LinkStats")

_log = structlog.get_logger(__name__)

_ORIGINS_LIMIT = 10_000


@dataclass(slots=True)
class LinkStats:
    """What the link did, for metrics."""

    refused: Mapping[Refusal, int]
    """Events given up, by reason."""
    redelivered: Mapping[Cause, int]
    """Events that went on to another pod, by cause."""
    events: int = 0
    """Events submitted."""
    commands: int = 0
    """Commands received."""
    callbacks_failed: int = 0
    """Commands and refusals that made the edge raise: a defect of the edge."""
    confirmations_dropped: int = 0
    """`done` for which no pod was there or too many waited; the command will be issued again."""
    sessions: int = 0
    """Sessions opened."""
    pods_refused: int = 0
    """Greetings that were not accepted."""


class CallControlLink:
    """All pods together. Every method is called on the event loop's thread; only `close` waits."""

    def __init__(
        self,
        *,
        edge: EdgeRef,
        key_fingerprint: str,
        pods: str | Sequence[str],
        on_command: Callable[[Command], None],
        on_greeting: Callable[[Greeting], None],
        on_refused: Callable[[Event, Refusal], None],
        also_accepted: Collection[str] = (),
        settings: LinkSettings | None = None,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        """Prepare a link; `start` connects it.

        `pods` is a list of `host:port` (or one text with commas), or `dns:///name:port` for all addresses of
        a name, watched; ValueError if it is neither. `on_command` gets each pod's commands in the order of
        its stream. `on_greeting` gets the first greeting accepted, and again what all pods want together when
        that grows. `on_refused` gets each event given up: `sip_edge.domain.delivery`.
        """
        self.settings = settings or LinkSettings()
        self._source = pod_source(pods, dns_interval=self.settings.dns_interval)
        self._edge = edge
        self._key_fingerprint = key_fingerprint
        self._cluster = Cluster(key_fingerprint, also_accepted)
        self._on_command = on_command
        self._on_greeting = on_greeting
        self._on_refused = on_refused
        self._credentials = credentials
        self._delivery = Delivery(
            on_refused=self._refuse,
            patience=self.settings.patience,
            expiry=self.settings.expiry,
            limit=self.settings.unacknowledged_limit,
        )
        self.stats = LinkStats(self._delivery.refused, self._delivery.redelivered)
        self._connections: dict[str, PodConnection] = {}  # by address
        self._pods: dict[str, PodConnection] = {}  # by name of the pod, admitted
        self._origins: dict[tuple[str, int], str] = {}  # pods of commands that came from elsewhere than home
        self._tasks: list[asyncio.Task[None]] = []
        self._settled = asyncio.Event()
        self._clock: Callable[[], float] = _not_started

    # Life

    async def start(self) -> None:
        """Look for pods and connect to them, in the background."""
        self._clock = asyncio.get_running_loop().time
        self._tasks = [
            asyncio.create_task(self._source.watch(self._on_addresses), name="pod discovery"),
            asyncio.create_task(self._tick(), name="link timer"),
        ]
        for task in self._tasks:
            task.add_done_callback(_log_defect)

    async def close(self) -> None:
        """Wait for what is not acknowledged, at most `settings.close_timeout`, and disconnect."""
        for connection in self._pods.values():
            if connection.session is not None:
                connection.session.hurry()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.close_timeout):
                self._settled.clear()
                await self._settled.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(connection.close() for connection in self._connections.values()))

    @property
    def ready(self) -> bool:
        """True if there is a pod to send to."""
        return self._delivery.live > 0

    @property
    def pods(self) -> int:
        """How many pods there are to send to."""
        return self._delivery.live

    @property
    def unacknowledged(self) -> int:
        """How many events wait for a pod's acknowledgement."""
        return len(self._delivery)

    # ControlLink

    def submit(self, event: Event) -> None:
        """Deliver an event at least once. It must not be changed any more."""
        self.stats.events += 1
        self._delivery.submit(event, self._clock())

    def done(self, refs: Sequence[CommandRef]) -> None:
        """Confirm commands to the pod that issued them; it repeats one whose confirmation gets lost."""
        for ref in refs:
            if not ref.id:
                continue  # not a pod's: the edge refused something by itself
            origin = self._origins.pop((ref.call_key, ref.id), None) or self._delivery.home(ref.call_key)
            connection = self._pods.get(origin) if origin is not None else None
            session = connection.session if connection is not None else None
            if session is None or not session.done(ref):
                self.stats.confirmations_dropped += 1

    def may_open_call(self) -> bool:
        """Tell whether some pod takes another new call."""
        return self._delivery.may_open_call()

    # What connections need

    def hello(self) -> Hello:
        """Return what to say at the start of a session, without the kind of the stream."""
        return Hello(edge=self._edge, key_fingerprint=self._key_fingerprint, session=random.getrandbits(63))

    def admit(self, connection: PodConnection, greeting: Greeting) -> PodConnection | None:
        """Check a greeting and reserve the pod for this connection; see `pod_connection.Exchange`."""
        try:
            news = self._cluster.accept(greeting)
        except GreetingRefusedError:
            self.stats.pods_refused += 1
            raise
        incumbent = self._pods.setdefault(greeting.pod_id, connection)
        if incumbent is not connection:
            return incumbent
        if news is not None:
            self._on_greeting(news)
        return None

    def release(self, connection: PodConnection) -> None:
        """Let another connection have the pod."""
        self._pods = {name: holder for name, holder in self._pods.items() if holder is not connection}
        self._connections = {
            address: known
            for address, known in self._connections.items()
            if known is not connection or connection.listed
        }

    def session(self, pod_id: str, in_progress: Stream, new_calls: Stream) -> PodSession:
        """Make the session of an admitted pod."""
        self.stats.sessions += 1
        return PodSession(
            pod_id,
            in_progress,
            new_calls,
            delivery=self._delivery,
            on_command=self._take_command,
            settings=self.settings,
        )

    def _take_command(self, pod_id: str, command: Command) -> None:
        self.stats.commands += 1
        if pod_id != self._delivery.home(command.call_key):
            self._origins[command.call_key, command.id] = pod_id
            if len(self._origins) > _ORIGINS_LIMIT:
                del self._origins[next(iter(self._origins))]
        try:
            self._on_command(command)
        except Exception:
            # One command that cannot be carried out must not break the stream of all the others.
            self.stats.callbacks_failed += 1
            _log.exception("link.command_failed", call_key=command.call_key, command=command.id)

    def _refuse(self, event: Event, reason: Refusal) -> None:
        try:
            self._on_refused(event, reason)
        except Exception:
            self.stats.callbacks_failed += 1
            _log.exception("link.refusal_failed", call_key=event.call_key)

    # Background

    def _on_addresses(self, addresses: frozenset[str]) -> None:
        for address in self._connections.keys() - addresses:
            if not self._connections[address].retire():
                del self._connections[address]
        for address in addresses:
            if address not in self._connections:
                self._connections[address] = PodConnection(address, self, self._credentials)
            self._connections[address].start()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self.settings.tick)
            now = self._clock()
            self._delivery.on_timer(now)
            if not len(self._delivery):
                self._settled.set()
            for pod_id, connection in self._pods.items():
                session = connection.session
                if session is not None and self._delivery.silence(pod_id, now) > self.settings.silence_limit:
                    session.drop("silent for too long")


def _log_defect(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.critical("link.defect", task=task.get_name(), exc_info=error)


def _not_started() -> float:
    raise RuntimeError("the link was not started")
