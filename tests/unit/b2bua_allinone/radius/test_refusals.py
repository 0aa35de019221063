"""Choices that keep the program from starting say what to do instead."""

import pytest

from b2bua_allinone.radius.reading import read_command_line
from b2bua_allinone.radius.refusals import CONTRADICTIONS, LATER, NEVER, refusal

RUNS = ["-u", "-A", "0", "-s", "192.0.2.1"]


def test_a_profile_without_radius_runs() -> None:
    assert refusal(read_command_line(RUNS).options) is None


@pytest.mark.parametrize(
    "harmless", [["--ui=off"], ["-D"], ["-R", "/etc/r.conf"], ["-x", "Nop[]"], ["-M", "3"], ["--sip_proxy=h"]]
)
def test_what_has_no_effect_without_radius_is_taken(harmless: list[str]) -> None:
    assert refusal(read_command_line([*RUNS, *harmless]).options) is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--auth_enable=on"),
        (["-u"], "needs a route"),
        (["-u", "-s", "192.0.2.1"], "-A 0"),
        ([*RUNS, "-A", "2"], "-A 0"),
        ([*RUNS, "--start_acct_enable=on"], "-A 0"),
        ([*RUNS, "-r", "udp:127.0.0.1"], "RTPproxy works from a later release"),
        ([*RUNS, "--wss_socket=127.0.0.1:443:c:k"], "--wss_socket"),
        ([*RUNS, "-a", "[[WSS]]"], "[[WSS]]"),
        ([*RUNS, "-a", "[[PROXY]]"], "--sip_proxy"),
        ([*RUNS, "-a", "[[PROXY]]", "--sip_proxy=reg.example.com"], "--sip_proxy"),
        ([*RUNS, "--ui=on"], "-c"),
        ([*RUNS, "--xmpp_b2bua_id=1"], "instead"),
    ],
)
def test_the_line_says_what_to_do(arguments: list[str], said: str) -> None:
    line = refusal(read_command_line(arguments).options)
    assert line is not None
    assert said in line
    assert "\n" not in line


def test_every_row_applies_to_something() -> None:
    assert all(row.line for row in (*NEVER, *CONTRADICTIONS, *LATER))
