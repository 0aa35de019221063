"""From the command line of `b2bua_radius` to its exit status, as far as that goes without serving."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from b2bua_allinone.radius.program import main
from support.ports import free_port

RUNS = ["-u", "-A", "0", "-s", "192.0.2.1"]


def test_a_wrong_option_is_one_line_then_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--sip_port=many"]) == 1
    out, err = capsys.readouterr()
    assert err == "b2bua_radius: --sip_port should be a port from 1 to 65535\n"
    assert out.startswith("usage: b2bua_radius") and "--static_route=ROUTE" in out


@pytest.mark.parametrize("arguments", [[], ["-u"], [*RUNS, "--ui=on"], [*RUNS, "-r", "udp:127.0.0.1"]])
def test_what_is_not_done_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("b2bua_radius: -") and len(err.splitlines()) == 1


@pytest.mark.parametrize("question", ["--help", "--version"])
def test_questions_are_answered(question: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([question]) == 0
    assert "b2bua_radius" in capsys.readouterr().out


def test_options_are_written_before_the_program_starts(tmp_path: Path) -> None:
    assert main(["-u", "-p", "5070", "-W", str(tmp_path / "x.ini")]) == 1
    assert "sip_port = 5070\n" in (tmp_path / "x.ini").read_text()


class TestBeforeTheFork:
    """What keeps a daemon from starting is said on the terminal, and in the exit status."""

    def start(self, tmp_path: Path, *arguments: str) -> int:
        files = ("-L", str(tmp_path / "x.log"), "-P", str(tmp_path / "x.pid"), "-c", str(tmp_path / "c.sock"))
        return main([*RUNS, "-l", "127.0.0.1", *files, *arguments])

    def test_a_second_instance(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            assert self.start(tmp_path, "-p", str(port)) == 1
        assert f"cannot listen on udp:127.0.0.1:{port}" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("option", "said"),
        [("-L", "cannot write the log file"), ("-P", "cannot write the pid file"), ("-c", "control socket")],
    )
    def test_a_place_that_cannot_be_written(
        self, tmp_path: Path, option: str, said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        port = str(free_port())
        assert self.start(tmp_path, "-p", port, option, str(tmp_path / "absent" / "x")) == 1
        err = capsys.readouterr().err
        assert said in err and len(err.splitlines()) == 1

    @pytest.mark.parametrize(
        ("name", "value"),
        [("SIPLOG_LVL", "LOUD"), ("SIPLOG_TFORM", "x"), ("B2BUA_NONSENSE", "1")],
    )
    def test_a_wrong_variable(
        self,
        tmp_path: Path,
        name: str,
        value: str,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv(name, value)
        assert self.start(tmp_path) == 1
        assert capsys.readouterr().err.startswith(f"b2bua_radius: {name}:")
