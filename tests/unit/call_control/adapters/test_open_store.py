"""From the setting to the store."""

import pytest

from call_control.adapters.memory_store import MemoryStore
from call_control.adapters.open_store import open_store
from call_control.adapters.redis_store import RedisStore
from svckit.errors import SettingsError


def test_memory_and_redis() -> None:
    assert isinstance(open_store("memory", shards=8, setting="--store"), MemoryStore)
    assert isinstance(open_store("redis://127.0.0.1/0", shards=8, setting="--store"), RedisStore)


@pytest.mark.parametrize("url", ["mysql://x", "", "redis://"])
def test_anything_else_is_an_error_of_the_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="--store"):
        open_store(url, shards=8, setting="--store")
