"""What takes the entries of the message log. All of this runs on the log's own thread."""

from __future__ import annotations

import os
import syslog
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from b2bua_allinone.message_log.settings import Backend, MessageLogSettings

_FILE_MODE = 0o640
_STDERR = 2


class Sink(Protocol):
    """Takes entries. Its methods raise OSError."""

    def write(self, entries: Sequence[bytes]) -> None:
        """Write entries, in this order."""

    def reopen(self) -> None:
        """The file was moved away: write to a new one of the same name."""

    def close(self) -> None:
        """Nothing more comes."""


class StderrSink:
    """Standard error; of a daemon that is its log file."""

    def write(self, entries: Sequence[bytes]) -> None:
        """See `Sink`."""
        _write_all(_STDERR, entries)

    def reopen(self) -> None:
        """Whoever owns standard error does that."""

    def close(self) -> None:
        """It is not ours to close."""


class FileSink:
    """A file that is appended to; several processes may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = _open(path)

    def write(self, entries: Sequence[bytes]) -> None:
        """See `Sink`."""
        _write_all(self._descriptor, entries)

    def reopen(self) -> None:
        """See `Sink`; the old file stays in use when there can be no new one."""
        fresh = _open(self._path)
        os.close(self._descriptor)
        self._descriptor = fresh

    def close(self) -> None:
        """See `Sink`."""
        os.close(self._descriptor)


class SyslogSink:
    """The system's log, as facility DAEMON and level INFO."""

    def __init__(self) -> None:
        syslog.openlog("b2bua", syslog.LOG_PID, syslog.LOG_DAEMON)

    def write(self, entries: Sequence[bytes]) -> None:
        """See `Sink`."""
        for entry in entries:
            syslog.syslog(syslog.LOG_INFO, entry.decode("utf-8", "backslashreplace"))

    def reopen(self) -> None:
        """There is no file."""

    def close(self) -> None:
        """See `Sink`."""
        syslog.closelog()


def open_sink(settings: MessageLogSettings) -> Sink:
    """Open what the settings name. Raises OSError."""
    match settings.backend:
        case Backend.STDERR:
            return StderrSink()
        case Backend.SYSLOG:
            return SyslogSink()
        case _:
            return FileSink(settings.file)


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _FILE_MODE)


def _write_all(descriptor: int, entries: Sequence[bytes]) -> None:
    """In one call, so that entries of processes that share a file do not mix."""
    rest = memoryview(b"".join(entries))
    while rest:
        rest = rest[os.write(descriptor, rest) :]
