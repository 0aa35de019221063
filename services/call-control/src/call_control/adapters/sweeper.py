"""Wakes the calls whose deadline has passed: asks the store for the shards leased to this pod."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from call_control.domain.store import Store

#: How often due calls are claimed, in seconds. Deadlines are at most 250 ms late.
PERIOD = 0.1
#: How many calls of a shard are claimed at a time.
_LIMIT = 200
#: A lease outlives three renewals that fail.
_LEASE_TTL_MS = 4_000
_RENEWAL_PERIODS = 10


class Sweeper:
    """Claims due calls of the leased shards and hands their keys on, several times a second."""

    def __init__(self, store: Store, pod_id: str, on_due: Callable[[Sequence[str]], None]) -> None:
        self._store = store
        self._pod_id = pod_id
        self._on_due = on_due
        self._shards: tuple[int, ...] = ()
        self._timer: asyncio.TimerHandle | None = None
        self._ticks = 0
        self._claiming = False

    def start(self) -> None:
        """Begin; must be called on the event loop."""
        self._tick()

    def stop(self) -> None:
        """End, and leave the shards to others at once."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._store.release(self._pod_id)

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(PERIOD, self._tick)
        if self._ticks % _RENEWAL_PERIODS == 0:
            self._store.lease(self._pod_id, _LEASE_TTL_MS, self._leased)
        self._ticks += 1
        if self._shards and not self._claiming:
            self._claiming = True
            self._store.claim_due_many(self._shards, _LIMIT, self._claimed)

    def _leased(self, shards: tuple[int, ...]) -> None:
        self._shards = shards

    def _claimed(self, keys: list[str]) -> None:
        self._claiming = False
        if keys:
            self._on_due(keys)
