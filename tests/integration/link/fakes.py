"""A pod and an edge whose only real parts are the streams between them."""

import asyncio
import time
from collections.abc import Callable, Sequence

import grpc

from b2bua.callcontrol.v1.edge_link_pb2 import Greeting
from b2bua.edge.v1.edge_pb2 import Command, CommandRef, EdgeRef, Event
from call_control.adapters.edge_streams import EdgeStreams, StreamSettings
from call_control.domain.credits import Credits
from call_control.domain.ports import EdgePort
from call_control.rpc import EdgeLinkServicer
from sip_edge.adapters.call_control import CallControlLink, LinkSettings
from sip_edge.domain.delivery import Refusal
from svckit import rpc

KEY = "fingerprint"
QUICK = LinkSettings(patience=0.3, tick=0.02, retry_least=0.05, retry_most=0.1, close_timeout=0.2)
"""Times that keep the tests short without changing what they test."""


async def until(condition: Callable[[], object], what: str, seconds: float = 5.0) -> None:
    """Wait for a condition; fail with `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        await asyncio.sleep(0.005)


def greeting(pod_id: str, *, salt: bytes = b"salt", shards: int = 64, key: str = KEY) -> Greeting:
    return Greeting(pod_id=pod_id, salt=salt, shards=shards, key_fingerprint=key, wanted_headers=["subject"])


class FakePod:
    """A call-control engine that answers each event with one command, or as `answer` says."""

    def __init__(self, pod_id: str) -> None:
        self.pod_id = pod_id
        self.ports: list[EdgePort] = []
        self.events: list[Event] = []
        self.done: list[CommandRef] = []
        self.answer: Callable[[EdgePort, Event], None] = self.commit

    def attach(self, port: EdgePort) -> None:
        self.ports.append(port)

    def detach(self, port: EdgePort) -> None:
        self.ports.remove(port)

    def on_event(self, port: EdgePort, event: Event) -> None:
        self.events.append(event)
        self.answer(port, event)

    def on_done(self, port: EdgePort, refs: Sequence[CommandRef]) -> None:
        self.done.extend(refs)

    def commit(self, port: EdgePort, event: Event) -> None:
        port.send([Command(id=event.id, call_key=event.call_key)])
        port.acknowledge([event.id])

    def decline(self, port: EdgePort, event: Event) -> None:
        port.busy([event.id])

    def say_nothing(self, port: EdgePort, event: Event) -> None:
        pass

    @property
    def ids(self) -> list[int]:
        return [event.id for event in self.events]


class PodServer:
    """A pod behind real streams on a loopback port."""

    def __init__(
        self, pod_id: str, *, hello: Greeting | None = None, settings: StreamSettings | None = None
    ) -> None:
        self.pod = FakePod(pod_id)
        self.credits = Credits()
        self.streams = EdgeStreams(
            pod=self.pod, greeting=hello or greeting(pod_id), credits=self.credits, settings=settings
        )
        self.port = 0
        self._server: grpc.aio.Server | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = rpc.server()
        EdgeLinkServicer(self.streams).add_to_server(self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()
        await self.streams.start()

    async def stop(self) -> None:
        """Break all streams at once; may be started again on the same port."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop(None)
            await self.streams.close()


class EdgeEnd:
    """The edge's end of the link, and what came out of it."""

    def __init__(
        self, *addresses: str, key: str = KEY, settings: LinkSettings = QUICK, pods: str = ""
    ) -> None:
        self.commands: list[Command] = []
        self.greetings: list[Greeting] = []
        self.refused: list[tuple[int, Refusal]] = []
        self._ids = 0
        self.ref = EdgeRef(edge_id="edge-0", boot=7)
        self.link = CallControlLink(
            edge=self.ref,
            key_fingerprint=key,
            pods=pods or list(addresses),
            on_command=self.commands.append,
            on_greeting=self.greetings.append,
            on_refused=lambda event, reason: self.refused.append((event.id, reason)),
            settings=settings,
        )

    def submit(self, call_key: str, *, opens_call: bool = False) -> Event:
        self._ids += 1
        event = Event(id=self._ids, call_key=call_key, opens_call=opens_call, edge=self.ref)
        self.link.submit(event)
        return event
