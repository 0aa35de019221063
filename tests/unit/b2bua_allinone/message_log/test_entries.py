"""The form of an entry: what users grep for."""

from __future__ import annotations

import re
import time

import pytest

from b2bua_allinone.message_log.entries import RECEIVED, SENDING, Entry, entry_bytes, time_text

MESSAGE = b"OPTIONS sip:h SIP/2.0\r\n\r\n"


@pytest.mark.parametrize(
    ("peer", "what", "said"),
    [
        (("192.0.2.1", 5060), RECEIVED, b"RECEIVED message from udp:192.0.2.1:5060:"),
        (("192.0.2.1", 5070), SENDING, b"SENDING message to udp:192.0.2.1:5070:"),
        (("2001:db8::1", 5060), RECEIVED, b"RECEIVED message from udp:[2001:db8::1]:5060:"),
    ],
)
def test_an_entry(peer: tuple[str, int], what: str, said: bytes) -> None:
    text = entry_bytes(Entry(3_723.25, what, "udp", peer, MESSAGE), relative_to=0.0)
    assert text == b"01:02:03.250/GLOBAL/b2bua: " + said + b"\n" + MESSAGE + b"\n"


def test_the_time_of_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    try:
        assert time_text(1_000_000_000.5, None) == "09 Sep 01:46:40.500"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_time_of_day_is_local() -> None:
    assert re.fullmatch(r"\d\d [A-Z][a-z]{2} \d\d:\d\d:\d\d\.\d{3}", time_text(time.time(), None))


@pytest.mark.parametrize(
    ("at", "text"), [(99.0, "00:00:00.000"), (100.0, "00:00:00.000"), (460_000.125, "127:45:00.125")]
)
def test_the_time_since_a_start(at: float, text: str) -> None:
    assert time_text(at, 100.0) == text
