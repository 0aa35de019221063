"""Registrations, which belong to no call: a phone on one side, a registrar on the other."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from support.lines import Line
from support.sipp import TCP4, TCP6, UDP4, UDP6, Wire

OpenLine = Callable[..., Line]


@pytest.fixture(params=["one-process", "distributed", "simple"])
def through(request: pytest.FixtureRequest) -> str:
    """Each form of the product in turn, and the program of Sippy's name, which always passes REGISTER on."""
    return str(request.param)


@pytest.mark.parametrize(
    ("phone", "registrar"),
    [(UDP4, UDP4), (TCP4, UDP4), (UDP4, TCP4), (UDP6, UDP6), (TCP6, TCP6)],
    ids=lambda wire: str(wire),
)
def test_phone_registers(form: str, open_line: OpenLine, phone: Wire, registrar: Wire) -> None:
    """Challenge and credentials pass, Path and one hop less, the binding as it was; no 100 comes back."""
    line = open_line(form, callee=registrar, registrar=True)
    line.callee("registrar_challenges_then_accepts")
    heard = line.caller("phone_registers", phone)
    line.finish()
    assert heard.seen("SIP/2.0 100") == 0


def test_phone_registers_through_the_program_of_sippy(open_line: OpenLine) -> None:
    line = open_line("simple")
    line.callee("registrar_challenges_then_accepts")
    line.caller("phone_registers")
    line.finish()


def test_many_phones_at_once(form: str, open_line: OpenLine) -> None:
    line = open_line(form, registrar=True)
    line.callee("registrar_challenges_then_accepts", calls=60)
    line.caller("phone_registers", calls=60, rate=60)
    line.finish()


def test_silent_registrar(form: str, open_line: OpenLine) -> None:
    """408 after 64*T1."""
    line = open_line(form, t1=0.05, registrar=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", line.callee_port))
        line.caller("phone_registers_in_vain")
        line.finish()


def test_no_hop_left(through: str, open_line: OpenLine) -> None:
    line = open_line(through, registrar=through != "simple")
    line.caller("phone_registers_with_no_hop_left")
    line.finish()


def test_registrar_is_ourselves(through: str, open_line: OpenLine) -> None:
    """Our own request comes back: 482, and not a storm."""
    line = open_line(through, to_itself=True, registrar=through != "simple")
    line.caller("phone_registers_at_ourselves")
    line.finish()
