"""One pipelined connection to one Redis server.

redis-py finds the server (Sentinel, Cluster slots) but does not carry the commits. Our CPU per commit with a
record of 2.5 KB, when 1, 3, 8 or 32 of them gather in a turn of the loop: 130, 58, 32, 27 us with redis-py's
pipeline, 60, 24, 15, 10 us with this, where some 45 are the system calls of a batch. A pod with 100 calls per
second gathers one or two. Here a request is bytes packed by hiredis, written together with its
neighbours; replies are matched in order, and the next batch does not wait for the last.
"""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import hiredis

from call_control.adapters.redis_function import pack

PATIENCE = 1.0
"""Seconds after which a request, or the making of a connection, is given up."""

_INCOMPLETE = object()


class Unanswered(Exception):
    """The server did not answer in time, or the connection to it was lost."""


Reply = object
"""int, bytes, None, list of these, `hiredis.ReplyError`, or `Unanswered`."""


class Request:
    """One packed command, and who wants the reply."""

    __slots__ = ("deadline", "on_reply", "payload", "route", "sent")

    def __init__(self, payload: bytes, route: int, on_reply: Callable[[Reply, float], None]) -> None:
        self.payload = payload
        self.route = route
        """Slot of its keys on Redis Cluster."""
        self.on_reply = on_reply
        """Called with the reply, and the monotonic time at which the request was sent."""
        self.deadline = 0.0
        """Time of the loop at which it is given up; set by the lane."""
        self.sent = 0.0


class Connection(asyncio.Protocol):
    """Writes requests, and hands their replies over in the same order.

    `on_reply(request, reply)` is called for each request, `on_lost()` once when the connection has gone for
    another reason than `abort`; then `waiting` still holds what was not answered.
    """

    __slots__ = ("_on_lost", "_on_reply", "_reader", "_transport", "run_id", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Request] = deque()
        """Requests that are sent and not answered, oldest first."""
        self.run_id = ""
        """Tells one server process from another; known after the handshake."""
        self._reader = hiredis.Reader(notEnoughData=_INCOMPLETE)
        self._transport: asyncio.Transport | None = None
        self._on_reply: Callable[[Request, Reply], None] = _deliver
        self._on_lost: Callable[[], None] | None = None

    def attach(self, on_reply: Callable[[Request, Reply], None], on_lost: Callable[[], None]) -> None:
        """Take the connection over after its handshake. Raises `ConnectionError` if it is already lost."""
        if self._transport is None:
            raise ConnectionError("connection to Redis lost during its handshake")
        self._on_reply = on_reply
        self._on_lost = on_lost

    def send(self, requests: Sequence[Request]) -> None:
        """Write requests in one piece. They are answered, or remain in `waiting` when the connection goes."""
        now = time.monotonic()
        for request in requests:
            request.sent = now
        self.waiting.extend(requests)
        if self._transport is not None:
            self._transport.write(b"".join([request.payload for request in requests]))

    async def ask(self, *command: str | bytes | int) -> Reply:
        """One command of a handshake. Raises the `hiredis.ReplyError` it is answered with, or
        `ConnectionError`."""
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

        def settle(reply: Reply, _sent: float) -> None:
            if not answer.done():
                answer.set_result(reply)

        self.send((Request(pack(command), 0, settle),))
        if self._transport is None:
            raise ConnectionError("connection to Redis lost")
        reply = await answer
        if isinstance(reply, hiredis.ReplyError):
            raise reply
        if isinstance(reply, Unanswered):
            raise ConnectionError("connection to Redis lost")
        return reply

    def abort(self) -> None:
        """Drop the connection at once, silently."""
        self._on_lost = None
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: connected."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """asyncio: some bytes of replies."""
        reader, waiting = self._reader, self.waiting
        reader.feed(data)
        while self._transport is not None:
            try:
                reply = reader.gets()
            except hiredis.ProtocolError:
                # Not a Redis server: nothing that it says can be trusted.
                self._transport.abort()
                return
            if reply is _INCOMPLETE:
                return
            if not waiting:
                self._transport.abort()
                return
            self._on_reply(waiting.popleft(), reply)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection has gone."""
        self._transport = None
        on_lost, self._on_lost = self._on_lost, None
        if on_lost is not None:
            on_lost()
        elif self._on_reply is _deliver:
            fail(self.waiting)


def _deliver(request: Request, reply: Reply) -> None:
    request.on_reply(reply, request.sent)


def fail(requests: Iterable[Request]) -> None:
    """Tell the owners of some requests that there is no answer."""
    for request in requests:
        request.on_reply(Unanswered(), request.sent)


async def dial(host: str, port: int, path: str, context: ssl.SSLContext | None) -> Connection:
    """Connect, without any handshake. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    if path:
        _, connection = await loop.create_unix_connection(Connection, path)
    else:
        _, connection = await loop.create_connection(Connection, host, port, ssl=context)
    return connection
