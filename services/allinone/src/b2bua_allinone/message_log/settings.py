"""Where the message log goes: the SIPLOG_* environment variables, or one word of `b2bua run`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from svckit.errors import SettingsError

DEFAULT_FILE = Path("/var/log/sip.log")


class Backend(StrEnum):
    """What takes the entries."""

    NONE = "none"
    STDERR = "stderr"
    SYSLOG = "syslog"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLogSettings:
    """What the message log is told."""

    backend: Backend = Backend.NONE
    file: Path = DEFAULT_FILE
    """Absolute: a daemon leaves the folder it was started in."""
    relative_to: float | None = None
    """Epoch seconds from which times count; None: the time of day is shown."""

    def __str__(self) -> str:
        return str(self.file) if self.backend is Backend.FILE else self.backend.value


OFF = MessageLogSettings()

# Messages are entries of level INFO: these thresholds let them through, those do not.
_LEVELS = {"DBUG": True, "INFO": True, "WARN": False, "ERR": False, "CRIT": False}
_TIME_FORMS = ("abs", "rel")


def from_environment(environment: Mapping[str, str], *, now: float) -> MessageLogSettings:
    """Read SIPLOG_*; `now` is the start of the process, in epoch seconds. Raises SettingsError."""
    level = environment.get("SIPLOG_LVL", "INFO")
    if level not in _LEVELS:
        raise SettingsError("SIPLOG_LVL", f"should be one of {', '.join(_LEVELS)}")
    form = environment.get("SIPLOG_TFORM", "abs")
    if form not in _TIME_FORMS:
        raise SettingsError("SIPLOG_TFORM", f"should be one of {', '.join(_TIME_FORMS)}")
    start = _seconds(environment["SIPLOG_TSTART"]) if "SIPLOG_TSTART" in environment else now
    if not _LEVELS[level]:
        return OFF
    name = environment.get("SIPLOG_BEND", Backend.STDERR)
    return MessageLogSettings(
        backend=Backend(name) if name in list(Backend) else Backend.FILE,
        file=Path(environment.get("SIPLOG_LOGFILE_FILE") or DEFAULT_FILE).absolute(),
        relative_to=start if form == "rel" else None,
    )


def from_word(text: str) -> MessageLogSettings:
    """Read `none`, `stderr`, `syslog`, or the name of a file. Raises ValueError."""
    if not text:
        raise ValueError("should be none, stderr, syslog or the name of a file")
    if text in (Backend.NONE, Backend.STDERR, Backend.SYSLOG):
        return MessageLogSettings(backend=Backend(text))
    return MessageLogSettings(backend=Backend.FILE, file=Path(text).absolute())


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds < 1e12:
        raise SettingsError("SIPLOG_TSTART", "should be a time in seconds since the epoch")
    return seconds
