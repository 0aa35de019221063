"""A lane: requests to one Redis server, kept in order over lost connections.

Requests made in one turn of the event loop leave in one write. When the connection is lost, what was not
answered is sent again on the next one: every request is safe to repeat (a commit by its id). A request is
given up when it is `PATIENCE` old; then the server counts as away, and so it does when it cannot be connected
to. While it is away requests fail in the next turn of the loop.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from itertools import chain
from typing import Protocol

import hiredis

from call_control.adapters.redis_connection import PATIENCE, Connection, Reply, Request, fail

_FIRST_DELAY = 0.02
_LONGEST_DELAY = 1.0

# The server that says so cannot serve us now; the handshake of the next connection finds out more.
_WRONG_SERVER = frozenset({"READONLY", "LOADING", "MASTERDOWN", "NOAUTH"})
_FUNCTION_MISSING = "ERR Function not found"


def error_code(error: hiredis.ReplyError) -> str:
    """First word of an error reply."""
    return str(error).partition(" ")[0]


class Lane:
    """Requests to one server.

    `dial` connects and does the handshake in bounded time, or raises `OSError`. `on_up(lane)` is called at
    each connection, `on_down(lane)` when `available` becomes False. `redirect(request, error)` is offered
    each error reply, and says whether it took the request over.
    """

    def __init__(
        self,
        dial: Callable[[], Awaitable[Connection]],
        *,
        on_up: Callable[["Lane"], None],
        on_down: Callable[["Lane"], None],
        redirect: Callable[[Request, hiredis.ReplyError], bool] = lambda _request, _error: False,
    ) -> None:
        self.available = True
        self._dial = dial
        self._on_up = on_up
        self._on_down = on_down
        self._redirect = redirect
        self._loop = asyncio.get_running_loop()
        self._connection: Connection | None = None
        self._queue: list[Request] = []
        self._flushing = False
        self._closed = False
        self._failures = 0
        self._watch: asyncio.TimerHandle | None = None
        self._connecting: asyncio.Task[None] | None = None

    @property
    def run_id(self) -> str:
        """Run id of the server, empty while not connected."""
        return self._connection.run_id if self._connection is not None else ""

    async def open(self) -> None:
        """First connection. Raises `OSError`."""
        self._attach(await self._dial())

    def connect(self) -> None:
        """First connection in the background: for a server that may be down."""
        self._reconnect()

    async def close(self) -> None:
        """Disconnect; what is outstanding fails."""
        self._closed = True
        outstanding = self._take_outstanding()
        if self._watch is not None:
            self._watch.cancel()
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait((self._connecting,))
        fail(outstanding)

    def submit(self, request: Request) -> None:
        """Queue a request for the next flush; its callback never runs before this returns."""
        if not self.available or self._closed:
            self._loop.call_soon(fail, (request,))
            return
        request.deadline = self._loop.time() + PATIENCE
        self._queue.append(request)
        if self._watch is None or not self._flushing:
            self._schedule()

    def enqueue(self, *requests: Request) -> None:
        """Queue requests that already have their deadline."""
        self._queue.extend(requests)
        self._schedule()

    def _schedule(self) -> None:
        """See to it that what is queued is sent in the next turn of the loop, and not forgotten."""
        if self._watch is None:
            self._watch = self._loop.call_at(self._queue[0].deadline, self._expire)
        if self._connection is not None and not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def take_queue(self) -> list[Request]:
        """Take out what is not sent, for another lane."""
        queue, self._queue = self._queue, []
        return queue

    def _flush(self) -> None:
        self._flushing = False
        if self._connection is not None and self._queue:
            queue, self._queue = self._queue, []
            self._connection.send(queue)

    def _on_reply(self, request: Request, reply: Reply) -> None:
        if isinstance(reply, hiredis.ReplyError):
            self._on_error(request, reply)
            return
        self._failures = 0
        request.on_reply(reply, request.sent)

    def _on_error(self, request: Request, error: hiredis.ReplyError) -> None:
        if error_code(error) in _WRONG_SERVER or str(error).startswith(_FUNCTION_MISSING):
            if self._connection is not None:
                self._connection.waiting.appendleft(request)
            self._drop_connection()
        elif not self._redirect(request, error):
            request.on_reply(error, request.sent)

    def _drop_connection(self) -> None:
        """Leave this connection, keep what it has not answered, and seek another."""
        self._queue = self._take_outstanding()
        self._reconnect()

    def _take_outstanding(self) -> list[Request]:
        """Everything unanswered, oldest first; the connection goes."""
        queue, connection = self.take_queue(), self._connection
        if connection is None:
            return queue
        self._connection = None
        connection.abort()
        outstanding = [*connection.waiting, *queue]
        connection.waiting.clear()
        return outstanding

    def _expire(self) -> None:
        """Look whether the oldest request has waited too long."""
        self._watch = None
        waiting = self._connection.waiting if self._connection is not None else ()
        oldest = next(chain(waiting, self._queue), None)
        if oldest is None:
            return
        # The clock of the loop may be a millisecond behind its timers.
        if oldest.deadline > self._loop.time() + 0.002:
            self._watch = self._loop.call_at(oldest.deadline, self._expire)
            return
        outstanding = self._take_outstanding()
        self._down()
        self._reconnect()
        fail(outstanding)

    def _reconnect(self) -> None:
        if self._connecting is None and not self._closed:
            self._connecting = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        while not self._closed:
            if self._failures:
                longest = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(self._failures, 10))
                await asyncio.sleep(random.uniform(longest / 2, longest))
            self._failures += 1
            try:
                self._attach(await self._dial())
            except OSError:
                self._down()
            else:
                break
        self._connecting = None

    def _attach(self, connection: Connection) -> None:
        connection.attach(self._on_reply, self._drop_connection)
        self._connection = connection
        self.available = True
        self._on_up(self)
        self._flush()

    def _down(self) -> None:
        if self.available:
            self.available = False
            self._on_down(self)


class Lanes(Protocol):
    """The way to the right server for each request."""

    available: bool
    """Whether all servers can be reached."""

    async def open(self) -> None:
        """Connect. Raises `OSError`."""

    async def close(self) -> None:
        """Disconnect; what is outstanding fails."""

    def submit(self, request: Request) -> None:
        """Send a request to the server that holds its keys."""


class SingleLane:
    """The way to one server: plain Redis, or the primary that Sentinel names.

    `on_available` is called when `available` changes, `on_new_primary` when another process answers than
    before.
    """

    def __init__(
        self,
        dial: Callable[[], Awaitable[Connection]],
        *,
        on_available: Callable[[bool], None],
        on_new_primary: Callable[[], None],
    ) -> None:
        self.available = False
        self._on_available = on_available
        self._on_new_primary = on_new_primary
        self._run_id = ""
        self._lane = Lane(dial, on_up=self._up, on_down=self._down)
        self.submit = self._lane.submit

    async def open(self) -> None:
        """See `Lanes.open`."""
        await self._lane.open()

    async def close(self) -> None:
        """See `Lanes.close`."""
        await self._lane.close()

    def _up(self, lane: Lane) -> None:
        known, self._run_id = self._run_id, lane.run_id
        if not self.available:
            self.available = True
            self._on_available(True)
        if known and known != lane.run_id:
            self._on_new_primary()

    def _down(self, _lane: Lane) -> None:
        self.available = False
        self._on_available(False)
