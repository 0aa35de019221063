"""Finding the server: what is said when it is not there."""

import asyncio
import socket

import pytest

from call_control.adapters.redis_dialer import Dialer
from call_control.adapters.redis_url import parse_redis_url


def test_a_sentinel_that_does_not_answer_is_one_short_line() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        target = parse_redis_url(f"redis+sentinel://127.0.0.1:{port}/calls?sentinel_password=hush")
        with pytest.raises(ConnectionError) as caught:
            asyncio.run(Dialer(target, client_name="test", on_warning=print).dial())
    assert str(caught.value) == (
        f"Redis sentinel 127.0.0.1:{port}/calls: no Sentinel answers and knows 'calls'"
    )
