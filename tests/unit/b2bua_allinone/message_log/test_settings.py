"""The SIPLOG_* variables, with the reference's defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from b2bua_allinone.message_log.settings import (
    OFF,
    Backend,
    MessageLogSettings,
    from_environment,
    from_word,
)
from svckit.errors import SettingsError


def read(**environment: str) -> MessageLogSettings:
    return from_environment(environment, now=1_000.0)


def test_nothing_set_is_the_terminal() -> None:
    assert read() == MessageLogSettings(backend=Backend.STDERR)


@pytest.mark.parametrize(
    ("environment", "settings"),
    [
        ({"SIPLOG_BEND": "none"}, OFF),
        ({"SIPLOG_BEND": "syslog"}, MessageLogSettings(backend=Backend.SYSLOG)),
        ({"SIPLOG_BEND": "file"}, MessageLogSettings(backend=Backend.FILE, file=Path("/var/log/sip.log"))),
        ({"SIPLOG_BEND": "whatever"}, MessageLogSettings(backend=Backend.FILE)),
        (
            {"SIPLOG_BEND": "file", "SIPLOG_LOGFILE_FILE": "/x"},
            MessageLogSettings(backend=Backend.FILE, file=Path("/x")),
        ),
        ({"SIPLOG_LVL": "DBUG"}, MessageLogSettings(backend=Backend.STDERR)),
        ({"SIPLOG_LVL": "WARN"}, OFF),
        ({"SIPLOG_LVL": "CRIT", "SIPLOG_BEND": "file"}, OFF),
        ({"SIPLOG_TFORM": "rel"}, MessageLogSettings(backend=Backend.STDERR, relative_to=1_000.0)),
        (
            {"SIPLOG_TFORM": "rel", "SIPLOG_TSTART": "12.5"},
            MessageLogSettings(backend=Backend.STDERR, relative_to=12.5),
        ),
        ({"SIPLOG_TSTART": "12.5"}, MessageLogSettings(backend=Backend.STDERR)),
    ],
)
def test_variables(environment: dict[str, str], settings: MessageLogSettings) -> None:
    assert read(**environment) == settings


def test_a_file_is_named_from_where_the_program_started() -> None:
    assert read(SIPLOG_BEND="file", SIPLOG_LOGFILE_FILE="sip.log").file == Path.cwd() / "sip.log"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIPLOG_LVL", "LOUD"),
        ("SIPLOG_TFORM", "iso"),
        ("SIPLOG_TSTART", "yesterday"),
        ("SIPLOG_TSTART", "nan"),
        ("SIPLOG_TSTART", "-1"),
    ],
)
def test_a_wrong_value_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: should be"):
        read(**{name: value})


@pytest.mark.parametrize(
    ("word", "shown"),
    [("none", "none"), ("stderr", "stderr"), ("syslog", "syslog"), ("/log/sip", "/log/sip")],
)
def test_one_word(word: str, shown: str) -> None:
    assert str(from_word(word)) == shown


def test_no_word() -> None:
    with pytest.raises(ValueError, match="should be none"):
        from_word("")
