"""What a pod could not commit while the store was away, on its disk.

Only the end of calls goes in here: people hang up although Redis is away. The file is empty, or not
there, in all other times. Entries are frames of a length (4 bytes) and a protobuf JournalEntry; a
frame that a crash cut short is the last one, and is left out.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import structlog
from google.protobuf.message import DecodeError

from b2bua.callcontrol.v1 import call_pb2 as record
from call_control.domain.store import Commit
from svckit.errors import StartError

_LENGTH = 4
_log = structlog.get_logger("call_control.journal")


class FileJournal:
    """The journal of one pod. The file is made when it is first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def append(self, commit: Commit) -> None:
        """Keep a commit that the store did not take. A full disk is told in the log; the call ends anyway."""
        entry = _entry(commit).SerializeToString()
        try:
            if self._file < 0:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.write(self._file, len(entry).to_bytes(_LENGTH, "big") + entry)
        except OSError as error:
            _log.error("journal.failed", path=str(self._path), problem=error.strerror, call_key=commit.key)

    def read(self) -> list[Commit]:
        """Return what an earlier process left behind: the last commit of each call, to be restored.

        A damaged file is kept under another name, and told in the log; what stands before the damage counts.
        Raises StartError when the journal could not be written: it is needed when the store is away, which is
        no time to find that out.
        """
        newest: dict[str, Commit] = {}
        try:
            for entry in _entries(self._usable()):
                newest[entry.key] = _commit(entry)
        except OSError as error:
            raise StartError(f"cannot use the journal {self._path}: {error.strerror}") from error
        except DecodeError:
            kept = self._path.replace(self._path.with_suffix(".damaged"))
            _log.error("journal.damaged", path=str(self._path), kept_as=str(kept), entries_read=len(newest))
        return list(newest.values())

    def _usable(self) -> bytes:
        """Return what the file holds, nothing if it is not there but could be made. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            data = b""
        written = self._path if self._path.exists() else self._path.parent
        if not os.access(written, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return data

    def clear(self) -> None:
        """Everything is in the store: forget it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._path.unlink(missing_ok=True)


def _entry(commit: Commit) -> record.JournalEntry:
    return record.JournalEntry(
        key=commit.key,
        version=commit.expected,
        record=commit.record,
        tombstone=commit.tombstone,
        outbox=commit.outbox,
        deadline_ms=commit.deadline or 0,
        ttl_ms=commit.ttl_ms,
        merge_key=commit.merge_key,
    )


def _commit(entry: record.JournalEntry) -> Commit:
    return Commit(
        key=entry.key,
        expected=entry.version,
        commit_id=f"journal:{entry.key}:{entry.version}",
        record=entry.record if entry.HasField("record") else None,
        tombstone=entry.tombstone if entry.HasField("tombstone") else None,
        outbox=tuple(entry.outbox),
        deadline=entry.deadline_ms or None,
        ttl_ms=entry.ttl_ms,
        merge_key=entry.merge_key,
        drop_merge=bool(entry.merge_key),
        active=False,
        restore=True,
    )


def _entries(data: bytes) -> Iterator[record.JournalEntry]:
    position = 0
    while position + _LENGTH <= len(data):
        length = int.from_bytes(data[position : position + _LENGTH], "big")
        position += _LENGTH
        if position + length > len(data):
            return
        yield record.JournalEntry.FromString(data[position : position + length])
        position += length
