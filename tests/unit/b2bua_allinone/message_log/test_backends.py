"""Back-ends of the message log."""

from __future__ import annotations

import syslog
from pathlib import Path

import pytest

from b2bua_allinone.message_log.backends import FileSink, open_sink
from b2bua_allinone.message_log.settings import Backend, MessageLogSettings


def test_a_file_is_appended_to_and_may_be_moved_away(tmp_path: Path) -> None:
    path = tmp_path / "sip.log"
    path.write_bytes(b"before\n")
    sink = open_sink(MessageLogSettings(backend=Backend.FILE, file=path))
    sink.write([b"one\n", b"two\n"])
    path.rename(tmp_path / "sip.log.1")
    sink.write([b"three\n"])
    sink.reopen()
    sink.write([b"four\n"])
    sink.close()
    assert (tmp_path / "sip.log.1").read_bytes() == b"before\none\ntwo\nthree\n"
    assert path.read_bytes() == b"four\n"


def test_a_file_is_not_for_everybody(tmp_path: Path) -> None:
    FileSink(tmp_path / "sip.log").close()
    assert not (tmp_path / "sip.log").stat().st_mode & 0o007


def test_the_old_file_stays_when_there_can_be_no_new_one(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    sink = FileSink(folder / "sip.log")
    folder.rename(tmp_path / "moved")
    with pytest.raises(OSError, match="No such file"):
        sink.reopen()
    sink.write([b"one\n"])
    sink.close()
    assert (tmp_path / "moved" / "sip.log").read_bytes() == b"one\n"


def test_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    sink = open_sink(MessageLogSettings(backend=Backend.STDERR))
    sink.write([b"one\n", b"two\n"])
    sink.reopen()
    sink.close()
    assert capfd.readouterr().err == "one\ntwo\n"


def test_the_log_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[tuple[int, str]] = []
    monkeypatch.setattr(syslog, "syslog", lambda level, text: lines.append((level, text)))
    sink = open_sink(MessageLogSettings(backend=Backend.SYSLOG))
    sink.write([b"one \xff\n"])
    sink.reopen()
    sink.close()
    assert lines == [(syslog.LOG_INFO, "one \\xff\n")]
