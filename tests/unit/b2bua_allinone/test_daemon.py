"""The log file and the pid file of a daemon."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from b2bua_allinone.daemon import DaemonLog, PidFile
from svckit.errors import StartError


def test_the_pid_file_holds_a_line_and_goes_with_the_process(tmp_path: Path) -> None:
    path = tmp_path / "b2bua.pid"
    path.write_text("12345678\n")
    pid_file = PidFile(path)
    pid_file.write()
    assert path.read_text() == f"{os.getpid()}\n"
    pid_file.remove()
    assert not path.exists()
    pid_file.remove()


def test_the_pid_of_a_successor_stays(tmp_path: Path) -> None:
    pid_file = PidFile(tmp_path / "b2bua.pid")
    pid_file.write()
    (tmp_path / "b2bua.pid").write_text("1\n")
    pid_file.remove()
    assert (tmp_path / "b2bua.pid").read_text() == "1\n"


def test_a_pid_file_that_was_never_written_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "b2bua.pid").write_text("1\n")
    PidFile(tmp_path / "b2bua.pid").remove()
    assert (tmp_path / "b2bua.pid").exists()


def test_checking_does_not_forget_who_runs(tmp_path: Path) -> None:
    (tmp_path / "b2bua.pid").write_text("1\n")
    PidFile(tmp_path / "b2bua.pid").check()
    assert (tmp_path / "b2bua.pid").read_text() == "1\n"


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"cannot write the pid file .*x\.pid: No such file"):
        PidFile(tmp_path / "absent" / "x.pid").check()
    with pytest.raises(StartError, match=r"cannot write the log file .*x\.log: No such file"):
        DaemonLog(tmp_path / "absent" / "x.log").check()


def test_files_are_named_from_where_the_program_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pid_file, log = PidFile(Path("x.pid")), DaemonLog(Path("x.log"))
    monkeypatch.chdir("/")
    pid_file.write()
    log.check()
    assert (tmp_path / "x.pid").exists() and (tmp_path / "x.log").exists()
    pid_file.remove()


def test_output_goes_on_in_a_new_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.log"
    kept = os.dup(1), os.dup(2)
    try:
        log = DaemonLog(path)
        log.redirect()
        os.write(1, b"one\n")
        path.rename(tmp_path / "x.log.1")
        log.redirect()
        os.write(2, b"two\n")
    finally:
        for number, descriptor in enumerate(kept, 1):
            os.dup2(descriptor, number)
            os.close(descriptor)
    assert (tmp_path / "x.log.1").read_text() == "one\n"
    assert path.read_text() == "two\n"
