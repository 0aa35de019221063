"""The line protocol of the control socket: replies as harnesses of the reference expect them."""

from __future__ import annotations

import pytest

from b2bua_allinone.control.protocol import LONGEST_LINE, CallLine, ControlSession
from support.control import RINGING, WAITING, FakeCalls


def say(data: bytes, calls: FakeCalls | None = None) -> str:
    return b"".join(ControlSession(calls or FakeCalls()).receive(data)).decode("ascii")


def test_no_calls() -> None:
    assert say(b"l\n") == "In-memory calls:\nTotal: 0\n"


def test_calls_with_both_legs_and_with_one() -> None:
    assert say(b"L\r\n", FakeCalls(RINGING, WAITING)) == (
        "In-memory calls:\n"
        "1@192.0.2.1: ARComplete (Ringing(UAS) udp:192.0.2.1:5060 alice 200"
        " -> Ringing(UAC) tcp:192.0.2.2:5070 alice 9200)\n"
        "2@192.0.2.1: WaitRoute (Trying(UAS) udp:[2001:db8::1]:5060 bob 300 -> N/A)\n"
        "Total: 2\n"
    )


def test_transactions() -> None:
    assert say(b"lt\n") == (
        "In-memory server transactions:\ns1 INVITE PROCEEDING\ns61 INVITE PROCEEDING\n"
        "In-memory client transactions:\nc1 BYE TRYING\nc61 BYE TRYING\n"
    )


def test_old_transactions_with_their_age() -> None:
    assert say(b"llt\n") == (
        "In-memory server transactions:\ns61 INVITE PROCEEDING 61\n"
        "In-memory client transactions:\nc61 BYE TRYING 61\n"
    )


@pytest.mark.parametrize(
    ("command", "reply", "asked"),
    [
        (b"d 1@192.0.2.1\n", "OK\n", ["1@192.0.2.1"]),
        (b"D 1@192.0.2.1\n", "OK\n", ["1@192.0.2.1"]),
        (b"d 9@h\n", "ERROR: no call with id of 9@h has been found\n", ["9@h"]),
        (b"d *\n", "OK\n", ["*"]),
        (b"d\n", "ERROR: syntax error: d <call-id>\n", []),
        (b"d a b\n", "ERROR: syntax error: d <call-id>\n", []),
        (b"r 12\n", "OK\n", [("12", None)]),
        (b"r 12 1\n", "OK\n", [("12", 1)]),
        (b"r 13\n", "ERROR: no call with id of 13 has been found\n", [("13", None)]),
        (b"r\n", "ERROR: syntax error: r <id> [<media-index>]\n", []),
        (b"r 12 x\n", "ERROR: syntax error: r <id> [<media-index>]\n", []),
        (b"r 12 99999\n", "ERROR: syntax error: r <id> [<media-index>]\n", []),
        (b"nonsense\n", "ERROR: unknown command\n", []),
        (b"\xff\xfe\n", "ERROR: unknown command\n", []),
        (b"\n \r\n\n", "", []),
    ],
)
def test_commands(command: bytes, reply: str, asked: list[object]) -> None:
    calls = FakeCalls(RINGING)
    assert say(command, calls) == reply
    assert calls.asked == asked


def test_q_closes_and_nothing_after_it_is_read() -> None:
    calls = FakeCalls()
    session = ControlSession(calls)
    assert b"".join(session.receive(b"d *\nQ\nd *\n")) == b"OK\n"
    assert session.closed
    assert calls.asked == ["*"]


def test_a_command_may_come_in_pieces() -> None:
    session = ControlSession(FakeCalls())
    assert [b"".join(session.receive(piece)) for piece in (b"d", b" *", b"\nl")] == [b"", b"", b"OK\n"]
    assert b"".join(session.receive(b"\n")).endswith(b"Total: 0\n")


@pytest.mark.parametrize("data", [b"d " + b"x" * LONGEST_LINE, b"d " + b"x" * LONGEST_LINE + b"\nl\n"])
def test_a_line_without_end_closes(data: bytes) -> None:
    session = ControlSession(FakeCalls())
    assert b"".join(session.receive(data)) == b"ERROR: the line is too long\n"
    assert session.closed


def test_commands_before_a_line_without_end_are_answered() -> None:
    session = ControlSession(FakeCalls())
    assert b"".join(session.receive(b"d *\n" + b"x" * (LONGEST_LINE + 1))).startswith(b"OK\nERROR")


def test_nothing_from_the_wire_looks_like_a_line_of_ours() -> None:
    evil = CallLine(call_id="a\nTotal: 9\x1b[2J\u00e9", state="ARComplete", ingress=None, egress=None)
    lines = say(b"l\n", FakeCalls(evil)).splitlines()
    assert lines == ["In-memory calls:", "a?Total: 9?[2J\\xe9: ARComplete (N/A -> N/A)", "Total: 1"]


def test_ending_all_calls_pauses_after_each() -> None:
    pieces = list(ControlSession(FakeCalls(RINGING, WAITING)).receive(b"d *\n"))
    assert pieces == [b"", b"", b"OK\n"]


def test_long_lists_come_out_in_pieces() -> None:
    pieces = list(ControlSession(FakeCalls(*[RINGING] * 1_000)).receive(b"l\n"))
    assert len(pieces) == 1_002
