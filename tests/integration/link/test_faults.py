"""What becomes of events when the process of a pod dies or hangs."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from integration.link import pod_main
from integration.link.conftest import Scene
from integration.link.fakes import EdgeEnd, until
from sip_edge.adapters.call_control import LinkSettings
from sip_edge.domain.rendezvous import Rendezvous

TESTS = Path(__file__).parents[2]


class PodProcess:
    """A pod in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, pod_id: str, port: int) -> None:
        self.process = process
        self.pod_id = pod_id
        self.address = f"127.0.0.1:{port}"

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    async def stop(self) -> None:
        """Hold it still. The signal takes a moment, in which a pod on another core still answers."""
        self.signal(signal.SIGSTOP)
        await until(self._is_stopped, f"{self.pod_id} stands still")

    def _is_stopped(self) -> bool:
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/stat")
        return all(thread.read_text().rpartition(")")[2].split()[0] == "T" for thread in threads)


class Fleet:
    """Two pods, in the order in which an event of `key` visits them, and an edge connected to both."""

    def __init__(self, pods: list[PodProcess], edge: EdgeEnd) -> None:
        self.key = "07call"
        order = Rendezvous(pod.pod_id for pod in pods).order(self.key[:2])
        self.first, self.second = sorted(pods, key=lambda pod: order.index(pod.pod_id))
        self.edge = edge

    async def settle(self, within: float) -> float:
        """Wait until everything is acknowledged; return how long that took."""
        began = time.monotonic()
        await until(lambda: not self.edge.link.unacknowledged, "acknowledgements", within)
        return time.monotonic() - began


async def start_pod(pod_id: str) -> PodProcess:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(pod_main.__file__),
        pod_id,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])},
    )
    assert process.stdout is not None
    while not (line := await process.stdout.readline()).strip().isdigit():
        assert line, "the pod did not start"
    return PodProcess(process, pod_id, int(line))


@pytest.fixture
async def fleet(scene: Scene) -> AsyncIterator[Fleet]:
    pods = await asyncio.gather(start_pod("pod-a"), start_pod("pod-b"))
    try:
        edge = await scene.edge(pods=",".join(pod.address for pod in pods), settings=LinkSettings())
        await until(lambda: edge.link.stats.sessions == 2, "both pods")
        await until(edge.link.may_open_call, "credits")
        yield Fleet(list(pods), edge)
    finally:
        for pod in pods:
            with suppress(ProcessLookupError):
                pod.process.kill()
            await pod.process.communicate()


async def test_events_of_a_killed_pod_go_to_the_other_at_once(fleet: Fleet) -> None:
    await fleet.first.stop()  # so that it has them and answers none
    for number in range(20):
        fleet.edge.submit(fleet.key if number % 2 else f"07new{number}", opens_call=not number % 2)
    await asyncio.sleep(0.1)
    fleet.first.signal(signal.SIGKILL)
    took = await fleet.settle(within=5.0)
    assert took < 0.7, "noticed by the broken connection, not by the missing acknowledgement"
    assert {command.id for command in fleet.edge.commands} == set(range(1, 21))
    assert fleet.edge.refused == []


async def test_events_of_a_stopped_pod_go_to_the_other_within_two_seconds(fleet: Fleet) -> None:
    await fleet.first.stop()
    for _ in range(20):
        fleet.edge.submit(fleet.key)
    took = await fleet.settle(within=5.0)
    assert 0.9 < took < 2.0
    fleet.edge.submit(fleet.key)
    assert await fleet.settle(within=5.0) < 0.5, "nothing more goes to the silent pod"


async def test_a_stopped_pod_that_goes_on_is_used_again(fleet: Fleet) -> None:
    link = fleet.edge.link
    await fleet.first.stop()
    fleet.edge.submit(fleet.key)
    await fleet.settle(within=5.0)
    assert link._delivery.home(fleet.key) == fleet.second.pod_id
    fleet.first.signal(signal.SIGCONT)
    await until(lambda: link._delivery.home(fleet.key) == fleet.first.pod_id, "the first pod again")
    fleet.edge.submit(fleet.key)
    await fleet.settle(within=5.0)
