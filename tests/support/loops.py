"""Running a test on each of the event loops that the services support."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

LOOPS: list[Any] = [
    pytest.param(asyncio.new_event_loop, id="asyncio"),
    pytest.param(uvloop.new_event_loop, id="uvloop"),
]

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def run(factory: LoopFactory, main: Coroutine[Any, Any, None]) -> None:
    """Run `main` on a loop of this kind; an error in a callback of the loop fails the test."""
    problems: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: problems.append(context))
        runner.run(main)
    assert not problems, problems


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Let the loop turn until `condition()` holds; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for lies behind a socket
            await asyncio.sleep(0.001)
