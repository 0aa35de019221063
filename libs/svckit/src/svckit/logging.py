"""Structured logs on stdout: one JSON object per line, or text on a terminal.

Each line is an event name (`call.answered`) and values. Use the keys of `KEYS` for what they name. What must
never be read in a log is removed by `redact`, whoever wrote it.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

KEYS = ("call_key", "call_id", "leg", "branch", "peer", "edge", "trace_id")
"""How a line names the call it is about."""

REDACTED = "[redacted]"

_SECRET_KEYS = frozenset(
    {"authorization", "proxy-authorization", "password", "secret", "identity_key", "identity_key_previous"}
)
# RFC 3261 20.7, 20.28: credentials; the value runs to the end of the header line.
_CREDENTIALS = re.compile(r"(?im)^((?:proxy-)?authorization\s*:).*$")
# RFC 4568 9.1 a=crypto and RFC 8866 5.12 k= carry media keys.
_MEDIA_KEYS = re.compile(r"(?im)^(a=crypto:\d+\s+\S+|k=\w+):?.*$")

Line = MutableMapping[str, Any]


def redact(_logger: object, _method: str, line: Line) -> Line:
    """structlog processor: removes credentials and media keys, in values of any depth."""
    for key, value in line.items():
        line[key] = _clean(key, value)
    return line


def _clean(key: str, value: object) -> object:
    if key.lower().replace("_", "-") in _SECRET_KEYS or key.lower() in _SECRET_KEYS:
        return REDACTED
    match value:
        case bytes():
            return _clean_text(value.decode("utf-8", "backslashreplace"))
        case str():
            return _clean_text(value)
        case dict():
            return {name: _clean(str(name), inner) for name, inner in value.items()}
        case list() | tuple():
            return [_clean("", inner) for inner in value]
        case _:
            return value


def _clean_text(text: str) -> str:
    if ":" not in text and "=" not in text:
        return text
    text = _CREDENTIALS.sub(rf"\1 {REDACTED}", text)
    return _MEDIA_KEYS.sub(rf"\1:{REDACTED}", text)


def configure_logging(level: str, form: Literal["auto", "json", "text"]) -> None:
    """Set up structlog, and the standard library's logging for foreign code, for the whole process.

    Lines below `level` cost one comparison.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    as_text = form == "text" or (form == "auto" and sys.stdout.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    render: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
        if as_text
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.INFO))
