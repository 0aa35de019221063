"""New work is refused while the sockets are behind, and only then."""

from __future__ import annotations

import asyncio
import math
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sip_edge.adapters.load import LoadWatch
from sip_edge.adapters.udp import UdpSocket
from sip_edge.domain import Lifecycle
from support.loops import until


@pytest.fixture
def sockets() -> list[Any]:
    return [SimpleNamespace(behind_since=math.inf), SimpleNamespace(behind_since=math.inf)]


async def test_follows_the_sockets(sockets: list[Any]) -> None:
    admission: Any = SimpleNamespace(state=Lifecycle.SERVING)
    watch = LoadWatch(asyncio.get_running_loop(), cast(list[UdpSocket], sockets), admission)
    watch.close()
    sockets[1].behind_since = 10.0
    watch.look(10.1)
    assert admission.state is Lifecycle.SERVING, "a burst is no overload"
    watch.look(10.3)
    assert admission.state is Lifecycle.OVERLOADED
    sockets[1].behind_since = math.inf
    watch.look(10.31)
    assert admission.state is Lifecycle.SERVING


@pytest.mark.parametrize("state", [Lifecycle.STARTING, Lifecycle.SHIFTING, Lifecycle.DRAINING])
async def test_leaves_the_other_states_alone(sockets: list[Any], state: Lifecycle) -> None:
    admission: Any = SimpleNamespace(state=state)
    watch = LoadWatch(asyncio.get_running_loop(), cast(list[UdpSocket], sockets), admission)
    watch.close()
    sockets[0].behind_since = 0.0
    for now in (1.0, 2.0):
        watch.look(now)
        assert admission.state is state
        sockets[0].behind_since = math.inf


async def test_looks_by_itself(sockets: list[Any]) -> None:
    admission: Any = SimpleNamespace(state=Lifecycle.SERVING)
    watch = LoadWatch(asyncio.get_running_loop(), cast(list[UdpSocket], sockets), admission)
    sockets[0].behind_since = 0.0
    await until(lambda: admission.state is Lifecycle.OVERLOADED)
    watch.close()
