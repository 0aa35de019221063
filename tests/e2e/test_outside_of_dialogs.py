"""Each method outside of dialogs, through both forms: what the edge says by itself."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.lines import Line
from support.sipp import UDP4
from support.ua import Endpoint, Message, compose

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, MESSAGE, NOTIFY, SUBSCRIBE, REFER"
NOT_HERE = (501, "Not Implemented")
WITHOUT_TAG = {
    "BYE": NOT_HERE,
    "INFO": NOT_HERE,
    "REFER": NOT_HERE,
    "UPDATE": NOT_HERE,
    "PRACK": NOT_HERE,
    "MESSAGE": NOT_HERE,
    "PUBLISH": NOT_HERE,
    "REGISTER": NOT_HERE,
    "SUBSCRIBE": NOT_HERE,
    "FROBNICATE": NOT_HERE,
    "OPTIONS": (200, "OK"),
    "NOTIFY": (200, "OK"),
    "PING": (200, "OK"),
    "CANCEL": (481, "Call Leg/Transaction Does Not Exist"),
}
WITH_TAG = [method for method in (*WITHOUT_TAG, "INVITE") if method != "FROBNICATE"]


@pytest.fixture
def stranger() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


def send(
    line: Line, stranger: Endpoint, method: str, *, to_tag: str = "", require: str = "", contact: bool = True
) -> tuple[str, Callable[[], None]]:
    """Send a request that belongs to nothing; return its branch, and what sends it again."""
    host, _, port = line.stack.sip_address(UDP4).rpartition(":")
    branch = f"z9hG4bK{secrets.token_hex(8)}"
    headers = [
        ("Via", f"SIP/2.0/UDP {stranger.hostport};branch={branch}"),
        ("Max-Forwards", "70"),
        ("From", "<sip:stranger@127.0.0.1>;tag=s1"),
        ("To", "<sip:somebody@127.0.0.1>" + (f";tag={to_tag}" if to_tag else "")),
        ("Call-ID", secrets.token_hex(8)),
        ("CSeq", f"1 {method}"),
    ]
    if contact:
        headers.append(("Contact", f"<sip:stranger@{stranger.hostport}>"))
    if require:
        headers.append(("Require", require))
    data = compose(f"{method} sip:somebody@{host}:{port} SIP/2.0", headers)

    def again() -> None:
        stranger.send(data, (host, int(port)))

    again()
    return branch, again


def ask(line: Line, stranger: Endpoint, method: str, **fields: Any) -> Message:
    """Send a request that belongs to nothing; return its final answer."""
    branch, again = send(line, stranger, method, **fields)
    return stranger.take(
        lambda message: message.branch == branch and message.status >= 200,
        f"final answer to {method}",
        timeout=10,
        repeat=again,
    )


@pytest.mark.parametrize("method", WITHOUT_TAG)
def test_without_tag(line: Line, stranger: Endpoint, method: str) -> None:
    status, reason = WITHOUT_TAG[method]
    answer = ask(line, stranger, method)
    assert answer.start_line == f"SIP/2.0 {status} {reason}"
    assert answer.to_tag
    assert answer.header("allow") == (ALLOW if status == 501 or method == "OPTIONS" else "")


@pytest.mark.parametrize("method", WITH_TAG)
def test_with_a_tag_of_nobody(line: Line, stranger: Endpoint, method: str) -> None:
    answer = ask(line, stranger, method, to_tag="nobody")
    assert answer.start_line == "SIP/2.0 481 Call Leg/Transaction Does Not Exist"


@pytest.mark.parametrize("to_tag", ["", "nobody"])
def test_ack_is_ignored(line: Line, stranger: Endpoint, to_tag: str) -> None:
    """The answer to what is sent after it comes first, and is the only one."""
    send(line, stranger, "ACK", to_tag=to_tag)
    ask(line, stranger, "PING")
    assert [message.method for message in stranger.seen] == ["PING"]


def test_options_says_what_is_supported(line: Line, stranger: Endpoint) -> None:
    answer = ask(line, stranger, "OPTIONS")
    assert answer.header("accept") == "application/sdp"
    assert set(answer.header("supported").split(", ")) == {"100rel", "norefersub", "replaces", "timer"}


def test_unknown_extension(line: Line, stranger: Endpoint) -> None:
    answer = ask(line, stranger, "OPTIONS", require="100rel, teleport")
    assert answer.start_line == "SIP/2.0 420 Bad Extension"
    assert answer.header("unsupported") == "teleport"


def test_invite_without_contact(line: Line, stranger: Endpoint) -> None:
    answer = ask(line, stranger, "INVITE", contact=False)
    assert answer.start_line == "SIP/2.0 400 Bad Request - Missing Contact"
