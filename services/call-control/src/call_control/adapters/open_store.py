"""From the setting to the store: `memory`, or a Redis URL."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, PlainSerializer

from call_control.adapters.memory_store import MemoryStore
from call_control.adapters.redis_store import RedisStore
from call_control.adapters.redis_url import parse_redis_url, without_passwords
from call_control.domain.store import Store
from svckit.errors import SettingsError

MEMORY = "memory"


def _understood(url: str) -> str:
    if url != MEMORY:
        parse_redis_url(url)
    return url


StoreSetting = Annotated[
    str, AfterValidator(_understood), PlainSerializer(without_passwords, return_type=str)
]
"""`memory`, or a URL that `parse_redis_url` understands; passwords are masked when shown."""


def open_store(url: str, *, shards: int, setting: str, wait_replicas: int = 0) -> Store:
    """Return the store that a setting names, not yet connected.

    `wait_replicas`: how many replicas of Redis must have an answer or the end of a call.

    Raises SettingsError naming `setting` for a URL that is not understood.
    """
    if url == MEMORY:
        return MemoryStore(shards=shards)
    try:
        return RedisStore(url, shards=shards, wait_replicas=wait_replicas)
    except ValueError as error:
        raise SettingsError(setting, str(error)) from error
