"""Becoming a daemon, its log file and its pid file. All of it before there is a loop or a thread."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from svckit.errors import StartError

_LOG_MODE = 0o640
_PID_MODE = 0o644
# What a daemon makes is its owner's and its group's business.
_UMASK = 0o027


class DaemonLog:
    """The file that standard output and standard error of a daemon are appended to."""

    def __init__(self, path: Path) -> None:
        """The file is named relative to where the program was started."""
        self._path = path.absolute()

    def check(self) -> None:
        """Find out whether it can be written, while there is a terminal to say so. Raises StartError."""
        os.close(self._open())

    def redirect(self) -> None:
        """Send standard output and standard error there; again after the file was moved away.

        Raises StartError, and leaves things as they are.
        """
        log = self._open()
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _LOG_MODE)
        except OSError as error:
            raise StartError(f"cannot write the log file {self._path}: {error.strerror}") from error


class PidFile:
    """Holds the process id of a daemon for as long as it runs."""

    def __init__(self, path: Path) -> None:
        """The file is named relative to where the program was started."""
        self._path = path.absolute()
        self._text = ""

    def check(self) -> None:
        """Find out whether it can be written, while there is a terminal to say so. Raises StartError."""
        os.close(self._open(os.O_APPEND))

    def write(self) -> None:
        """Write the id of this process, and a line end. Raises StartError."""
        self._text = f"{os.getpid()}\n"
        with open(self._open(os.O_TRUNC), "w") as file:  # noqa: PTH123  # it is open already
            file.write(self._text)

    def remove(self) -> None:
        """Remove it, unless another process has written its own id there."""
        try:
            if self._text and self._path.read_text() == self._text:
                self._path.unlink()
        except OSError:
            # Somebody was faster, or the folder is closed to us by now: it is a file without meaning.
            return

    def _open(self, flag: int) -> int:
        try:
            return os.open(self._path, os.O_WRONLY | os.O_CREAT | flag, _PID_MODE)
        except OSError as error:
            raise StartError(f"cannot write the pid file {self._path}: {error.strerror}") from error


def become_daemon(log: DaemonLog) -> None:
    """Fork twice, leave the terminal and the folder, append output to the log.

    Only the daemon returns from this; the caller's process ends with status 0. Raises StartError for a log
    that cannot be written, in the caller's process.
    """
    log.check()
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    os.chdir("/")
    os.umask(_UMASK)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    log.redirect()
