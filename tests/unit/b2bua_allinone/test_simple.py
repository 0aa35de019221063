"""The command line of `b2bua_simple`: Sippy's options and defaults."""

import re

import pytest

from b2bua_allinone.simple import Options, UsageError, main, parse_options


def test_the_defaults_are_those_of_the_reference() -> None:
    options = parse_options([])
    assert options == Options()
    assert (options.port, options.next_hop) == (5060, "192.168.0.102:5060")
    assert str(options.log_file) == "/var/log/sippy.log"
    assert "udp:[::]:5060" in options.listeners


def test_an_explicit_address_is_the_only_one() -> None:
    options = parse_options(["-f", "-l", "[::1]", "-p", "5070", "-n", "[::1]:5062"])
    assert options.foreground
    assert options.listeners == "udp:[::1]:5070,tcp:[::1]:5070"


def test_the_second_leg_may_have_a_call_id_of_its_own() -> None:
    assert (parse_options([]).call_id, parse_options(["--call-id=fresh"]).call_id) == ("same", "fresh")


@pytest.mark.parametrize("anywhere", ["*", "0.0.0.0", "::", "[::]"])
def test_every_way_to_say_everywhere(anywhere: str) -> None:
    assert parse_options(["-l", anywhere]).listeners == Options().listeners


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-z"], "-z"),
        (["-p"], "-p"),
        (["-p", "x"], "-p 'x' should be a port"),
        (["-p", "0"], "-p '0' should be a port"),
        (["-p", "99999"], "-p '99999' should be a port"),
        (["-l", "host.example"], "-l 'host.example' should be an IP address"),
        (["-l", "::1"], "-l '::1' should be an IP address, IPv6 in brackets"),
        (["-l", "[127.0.0.1]"], "-l '[127.0.0.1]' should be"),
        (["--call-id", "other"], "--call-id 'other' should be one of same, suffixed, hidden, fresh"),
        (["stray"], "stray"),
    ],
)
def test_a_wrong_option_is_a_usage_error(arguments: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        parse_options(arguments)


@pytest.mark.parametrize("arguments", [["-z"], ["-f", "-n", "no such host"], ["-f", "-n", "h:0"]])
def test_the_usage_goes_to_stdout_with_status_one(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert "usage: b2bua_simple" in capsys.readouterr().out


@pytest.mark.parametrize("question", ["--help", "--version"])
def test_questions_are_answered(question: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([question])
    assert ended.value.code == 0
    assert "b2bua_simple" in capsys.readouterr().out
