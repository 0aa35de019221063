"""Calls by SIPp through one process, and through an edge, two call-control pods and Redis."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import pytest

from support.lines import Line
from support.ports import free_port
from support.sipp import TCP4, TCP6, UDP4, UDP6, Wire
from support.turning_proxy import TurningProxy

OpenLine = Callable[..., Line]

FLOWS = [
    ("caller_hangs_up", "callee_answers"),
    ("caller_is_hung_up", "callee_hangs_up"),
    ("caller_finds_busy", "callee_is_busy"),
    ("caller_gives_up_while_ringing", "callee_rings_on"),
    ("caller_gives_up_before_ringing", "callee_wakes_up_late"),
    ("caller_reinvites", "callee_is_reinvited"),
    ("caller_is_reinvited", "callee_reinvites"),
    ("caller_through_retrying_proxy", "callee_refuses_then_answers"),
]
WIRES = [
    (UDP4, UDP4),
    (TCP4, TCP4),
    (UDP6, UDP6),
    (TCP6, TCP6),
    (UDP4, TCP4),
    (TCP6, UDP4),
]


@pytest.mark.parametrize(("caller", "callee"), FLOWS)
def test_over_udp(line: Line, caller: str, callee: str) -> None:
    line.callee(callee)
    line.caller(caller)
    line.finish()


@pytest.mark.parametrize(("caller", "callee"), FLOWS)
def test_over_tcp(form: str, open_line: OpenLine, caller: str, callee: str) -> None:
    line = open_line(form, callee=TCP4)
    line.callee(callee)
    line.caller(caller, TCP4)
    line.finish()


@pytest.mark.parametrize(("caller_wire", "callee_wire"), WIRES, ids=lambda wire: str(wire))
@pytest.mark.parametrize(("caller", "callee"), FLOWS[:2])
def test_between_wires(
    form: str, open_line: OpenLine, caller: str, callee: str, caller_wire: Wire, callee_wire: Wire
) -> None:
    line = open_line(form, callee=callee_wire)
    line.callee(callee)
    line.caller(caller, caller_wire)
    line.finish()


def test_many_calls_at_once(line: Line) -> None:
    line.callee("callee_answers", calls=60)
    line.caller("caller_hangs_up", calls=60, rate=60)
    line.finish()


def test_cancel_carries_the_callers_reason(line: Line) -> None:
    callee = line.callee("callee_rings_on")
    line.caller("caller_gives_up_while_ringing")
    line.finish()
    assert "gave up" in callee.messages()


def test_cancelled_call_has_one_tag(line: Line) -> None:
    """180, the 200 to CANCEL and the 487 come from the same dialog, and say so."""
    line.callee("callee_rings_on")
    caller = line.caller("caller_gives_up_while_ringing")
    line.finish()
    pattern = r"SIP/2\.0 (180|200|487) .*?\nTo: [^\r\n]*;tag=([^;\s]+)"
    answers = re.findall(pattern, caller.messages(), flags=re.DOTALL)
    assert {status for status, _ in answers} == {"180", "200", "487"}
    assert len({tag for _, tag in answers}) == 1


def test_nobody_answers(form: str, open_line: OpenLine) -> None:
    """A callee who never says a word: 408 after 64*T1."""
    line = open_line(form, t1=0.05)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", line.callee_port))
        line.caller("caller_waits_in_vain")
        line.finish()


def test_callee_repeats_its_responses(line: Line) -> None:
    """Repeated 180s and 200s: each 200 gets its ACK, the caller hears one answer, the call goes on."""
    callee = line.callee("callee_repeats_itself", "-nr")
    caller = line.caller("caller_hangs_up")
    line.finish()
    assert callee.seen("\nACK sip:") == 2
    assert caller.seen("\nCSeq: 1 ACK") == 1


def test_request_merged_by_a_proxy(line: Line) -> None:
    """The same request on two branches makes one call; the second is refused with 482."""
    callee = line.callee("callee_rings_a_while")
    line.caller("caller_through_forking_proxy")
    line.finish()
    assert callee.seen("\nINVITE sip:") == 1


def test_route_back_to_ourselves_runs_out_of_hops(form: str, open_line: OpenLine) -> None:
    """The second call, which is our own request come back, may go no further: 483 for both."""
    line = open_line(form, to_itself=True)
    line.caller("caller_with_one_hop_left")
    line.finish()


@pytest.mark.parametrize("through", ["one-process", "distributed", "simple"])
@pytest.mark.parametrize(("caller", "callee"), FLOWS[:4])
def test_spiral(open_line: OpenLine, through: str, caller: str, callee: str) -> None:
    """Our own request comes back with another target: two calls, not a loop."""
    line = open_line(through)
    behind = free_port()
    with TurningProxy(line.callee_port, ("127.0.0.1", behind)) as proxy:
        line.callee(callee, port=behind)
        line.caller(caller)
        line.finish()
        assert proxy.turned == 1


@pytest.mark.parametrize(("caller", "callee"), FLOWS)
def test_through_the_program_of_sippy(open_line: OpenLine, caller: str, callee: str) -> None:
    line = open_line("simple")
    line.callee(callee)
    line.caller(caller)
    line.finish()


def test_reliable_ringing_is_repeated_until_it_is_acknowledged(line: Line) -> None:
    """The callee's 183 is acknowledged at once, the caller's comes again at 0.5 and 1.5 s."""
    line.callee("callee_rings_reliably")
    caller = line.caller("caller_acknowledges_ringing_late")
    line.finish()
    assert caller.seen("SIP/2.0 183") == 3
