"""Call control without its process: store, pod and sweeper. Used by the app and by the all-in-one."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from call_control.adapters.journal import FileJournal
from call_control.adapters.sweeper import Sweeper
from call_control.domain.policy import Policy
from call_control.domain.store import Store, StoreMismatch
from call_control.pod import Pod
from svckit.errors import StartError
from svckit.identity import Identity

#: A draining pod looks this often whether its commits are through, in seconds.
_DRAIN_POLL = 0.05
#: What nobody asked for in this many seconds leaves the cache; looked for this often.
_CACHE_SECONDS = 3_600
_CACHE_PERIOD = 60

_log = structlog.get_logger("call_control")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of the identity: the one that signs, and the one that is still accepted."""

    current: bytes
    previous: bytes | None = None


class CallControl:
    """The call-control of one process, on whatever store."""

    def __init__(
        self,
        *,
        store: Store,
        keys: Keys,
        policy: Policy,
        pod_id: str,
        journal: FileJournal | None = None,
        on_available: Callable[[bool], None] | None = None,
    ) -> None:
        """`journal` keeps what cannot be committed; `on_available` hears of the store going and coming."""
        self._store = store
        self._keys = keys
        self._policy = policy
        # Commit ids carry the process, so that a restarted pod never repeats one.
        self._pod_id = f"{pod_id}.{os.urandom(4).hex()}"
        self._name = pod_id
        self._journal = journal
        self._on_available = on_available
        self._pod: Pod | None = None
        self._identity: Identity | None = None
        self._sweeper: Sweeper | None = None

    async def start(self) -> None:
        """Connect to the store and begin to look after deadlines.

        Raises StartError when the store cannot be used.
        """
        self._store.on_warning = lambda text: _log.warning("store.warning", text=text)
        try:
            await self._store.start()
        except StoreMismatch as error:
            raise StartError(str(error)) from error
        except ConnectionError as error:
            raise StartError(f"cannot reach the store: {error}; is it running there?") from error
        self._identity = Identity(
            self._keys.current,
            salt=self._store.salt,
            shards=self._store.shards,
            previous=self._keys.previous,
        )
        self._pod = Pod(
            pod_id=self._pod_id,
            store=self._store,
            identity=self._identity,
            policy=self._policy,
            journal=self._journal,
        )
        self._store.on_lost_writes = self._pod.on_lost_writes
        self._store.on_available = self._availability_changed
        if self._journal is not None:
            self._pod.keep(self._journal.read())
            self._pod.on_available()
        self._sweeper = Sweeper(self._store, self._pod_id, self._pod.on_due)
        self._sweeper.start()

    def _availability_changed(self, available: bool) -> None:
        _log.log(logging.INFO if available else logging.WARNING, "store.available", available=available)
        if available:
            self.pod.on_available()
        if self._on_available is not None:
            self._on_available(available)

    async def keep_cache_small(self) -> None:
        """Drop idle calls from the cache; runs until cancelled, in the service's task group."""
        while True:
            await asyncio.sleep(_CACHE_PERIOD)
            self.pod.forget_idle(self._store.now() - _CACHE_SECONDS * 1_000)

    async def settle(self) -> None:
        """Return when no commit is under way."""
        while self.pod.in_flight:  # noqa: ASYNC110  # one look in 50 ms at the end of a life
            await asyncio.sleep(_DRAIN_POLL)

    async def stop(self) -> None:
        """Leave the shards to others and disconnect from the store."""
        if self._sweeper is not None:
            self._sweeper.stop()
        await self._store.close()

    @property
    def store_available(self) -> bool:
        """False while the store is away."""
        return self._store.available

    @property
    def identity(self) -> Identity:
        """The identity made of the store's salt; only after `start`."""
        assert self._identity is not None, "CallControl.start was not awaited"
        return self._identity

    @property
    def pod(self) -> Pod:
        """The engine; only after `start`."""
        assert self._pod is not None, "CallControl.start was not awaited"
        return self._pod

    @property
    def name(self) -> str:
        """Name of the pod as operators know it."""
        return self._name
