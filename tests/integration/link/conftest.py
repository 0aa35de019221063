"""Pods and edges that are stopped at the end of each test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from integration.link.fakes import EdgeEnd, PodServer


class Scene:
    """Starts pods and edges."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    async def pod(self, pod_id: str, **how: object) -> PodServer:
        server = PodServer(pod_id, **how)  # type: ignore[arg-type]  # handed through
        await server.start()
        self._stack.push_async_callback(server.stop)
        return server

    async def edge(self, *pods: PodServer, **how: object) -> EdgeEnd:
        edge = EdgeEnd(*(pod.address for pod in pods), **how)  # type: ignore[arg-type]  # handed through
        await edge.link.start()
        self._stack.push_async_callback(edge.link.close)
        return edge


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        yield Scene(stack)
