"""Logs: one JSON object per line, and no secrets in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from svckit.logging import REDACTED, configure_logging, redact

REGISTER = (
    "REGISTER sip:example.com SIP/2.0\r\n"
    'Authorization: Digest username="alice", response="6629fae49393a05397450978507c4ef1"\r\n'
    'proxy-authorization : Digest username="alice", response="6629fae49393a05397450978507c4ef1"\r\n'
    "Content-Length: 0\r\n\r\n"
)
SDP = "v=0\r\nk=base64:c2VjcmV0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\na=sendrecv\r\n"


@pytest.fixture(autouse=True)
def restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    "line",
    [
        {"authorization": "Digest abc"},
        {"Proxy-Authorization": "Digest abc"},
        {"proxy_authorization": "Digest abc"},
        {"identity_key": "abc"},
        {"headers": {"Authorization": "Digest abc", "Call-ID": "1"}},
        {"headers": [{"password": "abc"}]},
    ],
)
def test_values_of_secret_keys_are_removed(line: dict[str, object]) -> None:
    cleaned = json.dumps(redact(None, "info", dict(line)))
    assert "abc" not in cleaned
    assert REDACTED in cleaned


@pytest.mark.parametrize("text", [REGISTER, REGISTER.encode()])
def test_credentials_inside_of_a_message_are_removed(text: object) -> None:
    cleaned = str(redact(None, "info", {"message": text})["message"])
    assert "6629fae4" not in cleaned
    assert "alice" not in cleaned
    assert cleaned.count(REDACTED) == 2
    assert "Content-Length: 0" in cleaned


def test_media_keys_inside_of_a_body_are_removed() -> None:
    cleaned = str(redact(None, "info", {"body": SDP})["body"])
    assert "c2VjcmV0" not in cleaned
    assert "a=sendrecv" in cleaned


def test_other_values_pass_unchanged() -> None:
    line: dict[str, object] = {
        "call_id": "a=b:c@host",
        "leg": 1,
        "peer": "192.0.2.1:5060",
        "lag": 0.5,
        "to": None,
    }
    assert redact(None, "info", dict(line)) == line


def test_a_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    structlog.get_logger("demo").info("call.answered", call_key="0a1b", password="secret")
    structlog.get_logger("demo").debug("call.detail")
    (line,) = capsys.readouterr().out.splitlines()
    assert (
        json.loads(line).items()
        >= {
            "event": "call.answered",
            "level": "info",
            "call_key": "0a1b",
            "password": REDACTED,
        }.items()
    )


def test_foreign_code_logs_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("warning", "json")
    logging.getLogger("asyncio").error("Authorization: Digest %s", "abc")
    logging.getLogger("asyncio").info("not this")
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["event"] == f"Authorization: {REDACTED}"


def test_people_get_text(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "text")
    structlog.get_logger("demo").info("call.answered", call_key="0a1b")
    printed = capsys.readouterr().out
    assert "call.answered" in printed
    assert "call_key=0a1b" in printed
