"""A call-control pod: the engine, its connection to the store, its sweeper, and its journal."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from call_control.domain.policy import Policy
from call_control.domain.store import Commit
from call_control.pod import Pod
from sipcore.testing.clock import Clock
from support.simulation.process import Process
from support.simulation.store import SharedStore, StoreConnection
from support.simulation.streams import Streams
from support.simulation.trace import Trace
from svckit.identity import Identity

_SWEEP_PERIOD = 0.1
_SWEEPS_PER_LEASE = 10
_LEASE_TTL_MS = 4_000
_CLAIM_LIMIT = 200


class KeptJournal:
    """A journal that outlives its process, as a file does."""

    def __init__(self) -> None:
        self.kept: dict[str, Commit] = {}

    def append(self, commit: Commit) -> None:
        """See `Journal.append`."""
        self.kept[commit.key] = commit

    def clear(self) -> None:
        """See `Journal.clear`."""
        self.kept.clear()


class SimulatedPod:
    """One pod over all its lives. `engine`, `store` and `process` are those of the present life."""

    engine: Pod
    store: StoreConnection
    process: Process

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        trace: Trace,
        shared: SharedStore,
        identity: Identity,
        policy: Policy,
        chance: Random,
        credits: int,
    ) -> None:
        self.name = name
        self.boots = 0
        self.watch: Callable[[SimulatedPod], None] = lambda pod: None
        """Called at each start, before anything happens."""
        self._clock = clock
        self._trace = trace
        self._shared = shared
        self._identity = identity
        self._policy = policy
        self._chance = chance
        self._credits = credits
        self._journal = KeptJournal()
        self._sessions: dict[str, Streams] = {}
        self._shards: tuple[int, ...] = ()
        self._claiming = False
        self.start()

    def start(self) -> None:
        """Begin a life."""
        self.boots += 1
        self._trace.note(self.name, "start", self.boots)
        self.process = Process(self._clock)
        self.store = StoreConnection(self._shared, self.process, self._chance, self.name)
        life = f"{self.name}.{self.boots}"
        self.engine = Pod(
            pod_id=life, store=self.store, identity=self._identity, policy=self._policy, journal=self._journal
        )
        self.store.on_lost_writes = self.engine.on_lost_writes
        self.store.on_available = self._availability_changed
        self._sessions = {}
        self._claiming = False
        self._shards = ()
        self.engine.keep(list(self._journal.kept.values()))
        self.engine.on_available()
        self.watch(self)
        self._sweep(life, 0)

    def kill(self, noticed_after: float = 0.0) -> None:
        """End it at once; edges notice after some seconds."""
        if not self.process.alive:
            return
        self._trace.note(self.name, "killed")
        self.process.kill()
        self.store.end()
        for streams in self._sessions.values():
            streams.break_(edge_notices=noticed_after)

    @property
    def unsaved(self) -> list[str]:
        """Keys of the calls whose end waits in the journal."""
        return sorted(self._journal.kept)

    # -- edges -----------------------------------------------------------------------------

    def attached(self, streams: Streams) -> None:
        """An edge has opened both streams."""
        before = self._sessions.get(streams.edge.name)
        if before is not None:
            self.lost(before)
        self._sessions[streams.edge.name] = streams
        self._grant(streams)
        self.engine.attach(streams.port)

    def lost(self, streams: Streams) -> None:
        """The streams of an edge have broken."""
        streams.port.end()
        if self._sessions.get(streams.edge.name) is streams:
            del self._sessions[streams.edge.name]
            self.engine.detach(streams.port)

    def _grant(self, streams: Streams) -> None:
        streams.port.grant(self._credits if self.store.available else 0)

    # -- store -----------------------------------------------------------------------------

    def _availability_changed(self, available: bool) -> None:
        if available:
            self.engine.on_available()
        for streams in self._sessions.values():
            self._grant(streams)

    def _sweep(self, life: str, tick: int) -> None:
        self.process.later(_SWEEP_PERIOD, self._sweep, life, tick + 1)
        if tick % _SWEEPS_PER_LEASE == 0:
            self.store.lease(life, _LEASE_TTL_MS, self._leased)
        if self._shards and not self._claiming and self._shared.anything_due():
            self._claiming = True
            self.store.claim_due_many(self._shards, _CLAIM_LIMIT, self._claimed)

    def _leased(self, shards: tuple[int, ...]) -> None:
        self._shards = shards

    def _claimed(self, keys: list[str]) -> None:
        self._claiming = False
        if keys:
            self._trace.note(self.name, "due", " ".join(key[:8] for key in keys))
            self.engine.on_due(keys)
