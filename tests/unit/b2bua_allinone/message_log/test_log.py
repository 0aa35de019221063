"""The message log: in order, bounded, and in nobody's way."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from b2bua_allinone.message_log import log as log_module
from b2bua_allinone.message_log.backends import Sink
from b2bua_allinone.message_log.log import MOST_QUEUED, MessageLog, check_message_log
from b2bua_allinone.message_log.settings import Backend, MessageLogSettings
from svckit.errors import StartError

PEER = ("192.0.2.1", 5060)
SETTINGS = MessageLogSettings(backend=Backend.FILE, file=Path("/nowhere"), relative_to=0.0)


class FakeSink:
    """Keeps what is written, may block or fail."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.free = threading.Event()
        self.free.set()
        self.entered = threading.Event()
        self.fails = False
        self.closed = False

    def write(self, entries: Sequence[bytes]) -> None:
        self.entered.set()
        self.free.wait(10)
        if self.fails:
            raise OSError(28, "No space left on device")
        self.written += entries

    def reopen(self) -> None:
        self.written.append(b"reopened")

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def sink() -> FakeSink:
    """What the log writes to."""
    return FakeSink()


@pytest.fixture
def log(sink: FakeSink) -> Iterator[MessageLog]:
    """A log that runs."""
    found = MessageLog(SETTINGS, clock=lambda: 1.0, open_sink=lambda settings: sink)
    found.start()
    yield found
    sink.free.set()
    found.stop()


def test_messages_come_in_order(log: MessageLog, sink: FakeSink) -> None:
    log.received("udp", b"one", PEER)
    log.sending("tcp", b"two", PEER)
    log.stop()
    assert [entry.split(b"\n")[0] for entry in sink.written] == [
        b"00:00:01.000/GLOBAL/b2bua: RECEIVED message from udp:192.0.2.1:5060:",
        b"00:00:01.000/GLOBAL/b2bua: SENDING message to tcp:192.0.2.1:5060:",
    ]
    assert sink.closed


def test_a_new_file_begins_after_what_was_queued(log: MessageLog, sink: FakeSink) -> None:
    log.received("udp", b"one", PEER)
    log.reopen()
    log.received("udp", b"two", PEER)
    log.stop()
    assert [entry.splitlines()[-1] for entry in sink.written] == [b"one", b"reopened", b"two"]


def test_what_the_log_cannot_take_is_dropped_and_counted(log: MessageLog, sink: FakeSink) -> None:
    sink.free.clear()
    log.received("udp", b"first", PEER)
    assert sink.entered.wait(5)
    for _ in range(MOST_QUEUED + 7):
        log.received("udp", b"more", PEER)
    assert log.dropped == 7
    sink.free.set()
    log.stop()
    assert b"7 messages are missing here" in sink.written[1]
    assert len(sink.written) == 1 + 1 + MOST_QUEUED


def test_a_back_end_that_fails_is_counted_and_used_again(log: MessageLog, sink: FakeSink) -> None:
    sink.fails = True
    sink.free.clear()
    log.received("udp", b"lost", PEER)
    assert sink.entered.wait(5)
    sink.entered.clear()
    sink.free.set()
    log.sending("udp", b"also lost", PEER)
    assert sink.entered.wait(5)
    sink.fails = False
    log.sending("udp", b"written", PEER)
    log.stop()
    assert log.failed + len(sink.written) == 3
    assert log.failed >= 1
    assert b"written" in sink.written[-1]


def test_a_back_end_that_blocks_does_not_keep_the_process(
    log: MessageLog, sink: FakeSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "_PATIENCE", 0.01)
    sink.free.clear()
    log.received("udp", b"one", PEER)
    assert sink.entered.wait(5)
    log.stop()
    assert sink.written == []


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    settings = MessageLogSettings(backend=Backend.FILE, file=tmp_path / "absent" / "sip.log")
    with pytest.raises(StartError, match=r"cannot open the message log .*sip\.log: No such file"):
        MessageLog(settings).start()
    with pytest.raises(StartError, match="cannot open the message log"):
        check_message_log(settings)


def test_only_a_file_needs_a_check() -> None:
    check_message_log(MessageLogSettings(backend=Backend.STDERR))


def test_stopping_what_never_started() -> None:
    MessageLog(SETTINGS).stop()


def test_the_sink_is_a_sink(sink: FakeSink) -> None:
    used: Sink = sink
    assert used is sink
