"""One address of a call-control pod: connected, and connected again whenever that breaks."""

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

import grpc
import structlog

from b2bua.callcontrol.v1.edge_link_pb2 import (
    STREAM_KIND_IN_PROGRESS,
    STREAM_KIND_NEW_CALLS,
    ConnectResponse,
    Greeting,
    Hello,
)
from sip_edge.adapters.link_settings import LinkSettings
from sip_edge.adapters.pod_session import PodSession, Stream, StreamEndedError, open_stream
from sip_edge.domain.greeting import GreetingRefusedError
from svckit.rpc import CHANNEL_OPTIONS

_log = structlog.get_logger(__name__)

_OPTIONS = (*CHANNEL_OPTIONS, ("grpc.enable_http_proxy", 0))

_STREAM_ERRORS = (
    StreamEndedError,
    grpc.RpcError,
    grpc.aio.BaseError,
    asyncio.InvalidStateError,
    TimeoutError,
)
"""What the end of a stream looks like in the task that reads or writes it."""


class Exchange(Protocol):
    """What a connection needs of the link that owns it."""

    settings: LinkSettings

    def hello(self) -> Hello:
        """Return what to say at the start of a session, without the kind of the stream."""

    def admit(self, connection: "PodConnection", greeting: Greeting) -> "PodConnection | None":
        """Check a greeting and reserve the pod for this connection.

        Returns the connection that has the pod already (over another address), or None.
        Raises GreetingRefusedError.
        """

    def release(self, connection: "PodConnection") -> None:
        """Undo the reservation."""

    def session(self, pod_id: str, in_progress: Stream, new_calls: Stream) -> PodSession:
        """Make the session of an admitted pod."""


class PodConnection:
    """Keeps at most one session with the pod behind an address."""

    def __init__(self, address: str, exchange: Exchange, credentials: grpc.ChannelCredentials | None) -> None:
        self.address = address
        self.session: PodSession | None = None
        """The session while both streams are open."""
        self._exchange = exchange
        self._credentials = credentials
        self._ended = asyncio.Event()
        self.listed = True
        self._failures = 0
        self._complaint = ""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect, and keep connected while the address is listed."""
        self.listed = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"pod {self.address}")

    def retire(self) -> bool:
        """The address is not listed any more: an open session may last, but is not opened again.

        False if there is no session, and the connection has ended for good.
        """
        self.listed = False
        if self.session is None and self._task is not None:
            self._task.cancel()
        return self.session is not None

    async def close(self) -> None:
        """Disconnect for good."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def wait_ended(self) -> None:
        """Return at the end of the present session."""
        await self._ended.wait()

    async def _run(self) -> None:
        while self.listed:
            self._failures += 1
            channel = self._channel()
            try:
                await self._connect(channel)
            except* GreetingRefusedError as refusal:
                self._complain(_log.error, "link.pod_refused", refusal)
            except* _STREAM_ERRORS as end:
                self._complain(_log.warning, "link.pod_away", end)
            except* Exception as defect:
                # The next session may go better, and without one nothing goes at all.
                _log.critical("link.defect", peer=self.address, exc_info=defect)
            finally:
                await channel.close()
            if self.listed:
                await asyncio.sleep(self._pause())

    async def _connect(self, channel: grpc.aio.Channel) -> None:
        hello = self._exchange.hello()
        patience = self._exchange.settings.greeting_timeout
        hello.kind = STREAM_KIND_IN_PROGRESS
        in_progress, first = await open_stream(channel, hello, patience)
        incumbent = self._exchange.admit(self, first.greeting)
        if incumbent is not None:
            in_progress.cancel()
            await incumbent.wait_ended()
            return
        self._ended.clear()
        try:
            hello.kind = STREAM_KIND_NEW_CALLS
            new_calls, _ = await open_stream(channel, hello, patience)
            await self._live(self._exchange.session(first.greeting.pod_id, in_progress, new_calls), first)
        finally:
            self._exchange.release(self)
            self._ended.set()

    async def _live(self, session: PodSession, first: ConnectResponse) -> None:
        self._failures = 0
        self._complaint = ""
        self.session = session
        _log.info("link.pod_up", pod=session.pod_id, peer=self.address)
        try:
            await session.run(first)
        finally:
            self.session = None
            _log.info("link.pod_down", pod=session.pod_id, peer=self.address)

    def _channel(self) -> grpc.aio.Channel:
        if self._credentials is None:
            return grpc.aio.insecure_channel(self.address, options=_OPTIONS)
        return grpc.aio.secure_channel(self.address, self._credentials, options=_OPTIONS)

    def _pause(self) -> float:
        settings = self._exchange.settings
        most = min(settings.retry_most, settings.retry_least * 2 ** min(self._failures, 16))
        return random.uniform(settings.retry_least, most)

    def _complain(self, log: Callable[..., object], event: str, group: BaseExceptionGroup[Exception]) -> None:
        """Log why the pod is not used, once per reason."""
        reason = _describe(group)
        if reason != self._complaint:
            self._complaint = reason
            log(event, peer=self.address, reason=reason)


def _describe(group: BaseExceptionGroup[Exception]) -> str:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, grpc.aio.AioRpcError):
        return f"{first.code().name}: {first.details()}"
    return str(first) or type(first).__name__
