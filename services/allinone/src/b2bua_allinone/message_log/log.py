"""The message log itself: a bounded queue that the edge fills, and a thread that empties it.

The edge pays for one tuple per message. When the thread does not keep up, messages are dropped and counted:
calls never wait for a log.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

import structlog

from b2bua_allinone.message_log.backends import Sink, open_sink
from b2bua_allinone.message_log.entries import RECEIVED, SENDING, Entry, entry_bytes, notice_bytes
from b2bua_allinone.message_log.settings import Backend, MessageLogSettings
from svckit.errors import StartError

MOST_QUEUED = 1_000
"""Messages that wait for the thread."""

# What comes in so many seconds is written together: one wake-up of the thread instead of many.
_GATHER = 0.01
# A reader of our standard error that does not read must not keep us from ending.
_PATIENCE = 0.3

_log = structlog.get_logger("message_log")


def check_message_log(settings: MessageLogSettings) -> None:
    """Find out whether the log can be written. Raises StartError."""
    if settings.backend is Backend.FILE:
        _open(open_sink, settings).close()


def _open(opener: Callable[[MessageLogSettings], Sink], settings: MessageLogSettings) -> Sink:
    try:
        return opener(settings)
    except OSError as error:
        raise StartError(f"cannot open the message log {settings}: {error.strerror}") from error


class _Reopen:
    """In the queue: the messages before it belong into the old file."""


class _End:
    """In the queue: nothing comes after it."""


_Item = Entry | _Reopen | _End


class MessageLog:
    """Implements `sip_edge.adapters.observed.MessageObserver`. From `start` to `stop`."""

    def __init__(
        self,
        settings: MessageLogSettings,
        *,
        clock: Callable[[], float] = time.time,
        open_sink: Callable[[MessageLogSettings], Sink] = open_sink,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._open_sink = open_sink
        self._queue: SimpleQueue[_Item] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._failing = False
        self.dropped = 0
        """Messages that were not written: the thread did not keep up."""
        self.failed = 0
        """Entries that the back-end did not take."""

    def start(self) -> None:
        """Open the back-end and begin to write. Raises StartError."""
        sink = _open(self._open_sink, self._settings)
        # A daemon: a back-end that blocks for ever must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, args=(sink,), name="message log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is there, if the back-end takes it promptly, and end."""
        if self._thread is not None:
            self._queue.put(_End())
            self._thread.join(_PATIENCE)
            self._thread = None

    def reopen(self) -> None:
        """Go on in a new file, after what is queued."""
        self._queue.put(_Reopen())

    def received(self, transport: str, data: bytes, peer: tuple[str, int]) -> None:
        """See `MessageObserver`."""
        if self._queue.qsize() >= MOST_QUEUED:
            self.dropped += 1
        else:
            self._queue.put(Entry(self._clock(), RECEIVED, transport, peer, data))

    def sending(self, transport: str, data: bytes, peer: tuple[str, int]) -> None:
        """See `MessageObserver`."""
        if self._queue.qsize() >= MOST_QUEUED:
            self.dropped += 1
        else:
            self._queue.put(Entry(self._clock(), SENDING, transport, peer, data))

    # -- the thread ------------------------------------------------------------------------

    def _run(self, sink: Sink) -> None:
        told = 0
        ended = False
        while not ended:
            batch = [self._queue.get()]
            if not isinstance(batch[0], _End):
                time.sleep(_GATHER)
            batch += self._waiting()
            if self.dropped != told:
                self._write(sink, [self._notice(self.dropped - told)])
                told = self.dropped
            ended = self._take(sink, batch)
        sink.close()

    def _waiting(self) -> list[_Item]:
        found: list[_Item] = []
        try:
            while len(found) < MOST_QUEUED:
                found.append(self._queue.get_nowait())
        except Empty:
            pass
        return found

    def _take(self, sink: Sink, batch: list[_Item]) -> bool:
        """Write a batch; returns whether it holds the end."""
        entries: list[bytes] = []
        for item in batch:
            match item:
                case Entry():
                    entries.append(entry_bytes(item, self._settings.relative_to))
                case _Reopen():
                    self._write(sink, entries)
                    entries = []
                    self._try(sink.reopen)
                case _End():
                    self._write(sink, entries)
                    return True
        self._write(sink, entries)
        return False

    def _write(self, sink: Sink, entries: list[bytes]) -> None:
        if entries and not self._try(lambda: sink.write(entries)):
            self.failed += len(entries)

    def _try(self, action: Callable[[], None]) -> bool:
        """Do something with the back-end; say once that it fails, not once per message."""
        try:
            action()
        except OSError as error:
            if not self._failing:
                _log.warning("message_log.failed", backend=str(self._settings), reason=error.strerror)
            self._failing = True
            return False
        self._failing = False
        return True

    def _notice(self, count: int) -> bytes:
        text = f"{count} messages are missing here: the log does not keep up"
        return notice_bytes(self._clock(), text, self._settings.relative_to)
