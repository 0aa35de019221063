"""The head of a message: where it ends, its start line and its header fields.

Tolerated, because it is met and does no harm: line ends of LF alone, a datagram whose line ends are all CR
alone, folded header fields, white space before the colon, no reason phrase.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from sipcore.errors import DropReason, GrammarError, PeerProtocolError
from sipcore.grammar import WSP, is_token
from sipcore.headers import parse_content_length
from sipcore.message import Headers, Message, Request, Response
from sipcore.names import CANONICAL, canonical_name

_FOLD = (" ", "\t")
"""First characters of a line that continues the one before."""

BLANK_LINE = re.compile(rb"\n\r?\n")
"""The end of a head; its first octet is the last one of the line before."""

_REMEMBERED_LENGTH = 64
"""Longest status line, or length of a body, that is remembered: peers say the same few."""

_SIP_VERSION = re.compile(r"SIP/[0-9]+\.[0-9]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one message may cost. Sizes are in octets."""

    max_message: int = 65535
    """Head and body together; more is answered with 513."""
    max_headers: int = 200
    """Header fields."""
    max_line: int = 8192
    """One line of the head."""
    max_body: int = 65535
    """Body; more is answered with 413."""


DEFAULT = Limits()


def refusal(fault: PeerProtocolError, message: Message) -> PeerProtocolError:
    """``fault`` with the message it was found in, or with the reason why it cannot be answered."""
    if isinstance(message, Response):
        return PeerProtocolError(fault.status, fault.reason, drop_reason=DropReason.BAD_RESPONSE)
    drop_reason = None
    if message.method == "ACK":
        drop_reason = DropReason.BAD_ACK
    elif not _is_answerable(message):
        drop_reason = DropReason.UNANSWERABLE
    return PeerProtocolError(fault.status, fault.reason, message=message, drop_reason=drop_reason)


def split_head(data: bytes, limits: Limits) -> tuple[list[str], int, PeerProtocolError | None]:
    """The lines of the head, still folded, where the body starts, and the first fault of the lines.

    The first line is the start line. Octets that are not UTF-8 survive as surrogate escapes.
    """
    fault: PeerProtocolError | None = None
    end = data.find(b"\r\n\r\n")
    text = data[:end].decode("utf-8", "surrogateescape") if end >= 0 else ""
    lines = text.split("\r\n")
    unbroken = "".join(lines)
    if text and "\n" not in unbroken and "\r" not in unbroken:
        body_at = end + 4
    else:
        text, body_at, fault = _odd_head(data)
        lines = text.split("\n")
    if len(text) > limits.max_line and any(len(line) > limits.max_line for line in lines):
        fault = fault or GrammarError("Line Too Long")
    if "\x00" in text and _has_bare_nul(text):
        fault = fault or GrammarError("NUL")
    return lines, body_at, fault


def read_fields(
    lines: list[str], limits: Limits, fault: PeerProtocolError | None
) -> tuple[Headers, PeerProtocolError | None]:
    """The header fields of a head, whose first line is the start line, and the first fault so far.

    A line that is no header field is left out.
    """
    index: dict[str, list[str]] = {}
    for line in islice(lines, 1, None):
        name, colon, value = line.partition(":")
        key = CANONICAL.get(name) or canonical_name(name.rstrip(WSP))
        if key is None or not colon:
            return _read_odd_fields(lines, limits, fault)
        value = value.strip(WSP)
        if key in index:
            index[key].append(value)
        else:
            index[key] = [value]
    if len(lines) - 1 > limits.max_headers:
        fault = fault or GrammarError("Too Many Header Fields")
    return Headers.adopt(lines[1:], index), fault


def _read_odd_fields(
    lines: list[str], limits: Limits, fault: PeerProtocolError | None
) -> tuple[Headers, PeerProtocolError | None]:
    """As ``read_fields``, of a head with folded lines or lines that are no header fields."""
    start_line, *unfolded = _unfold(lines)
    fields = [line for line in unfolded if _is_field(line)]
    if len(fields) != len(unfolded):
        fault = fault or GrammarError("Bad Header Line")
    return read_fields([start_line, *fields], limits, fault)


def read_start_line(
    line: str, headers: Headers, fault: PeerProtocolError | None
) -> tuple[Message, PeerProtocolError | None]:
    """The message that ``line`` begins, without body, and the first fault so far.

    Raises PeerProtocolError that says to drop when the line is no request line and no good status line.
    """
    if line[:4] == "SIP/" or line[:4].upper() == "SIP/":
        read = _remembered_status_line if len(line) <= _REMEMBERED_LENGTH else _read_status_line
        status, reason = read(line)
        return Response(status, reason, headers), fault
    parts = line.split(" ")
    if len(parts) == 3 and parts[2] == "SIP/2.0" and parts[1] and "\t" not in line and is_token(parts[0]):
        return Request(parts[0], parts[1], headers), fault
    return _odd_request_line(line, headers, fault)


def read_length(headers: Headers) -> int:
    """Content-Length, which must be there exactly once."""
    lengths = headers.index.get("content-length", ())
    if len(lengths) != 1:
        raise GrammarError("Doubled Content-Length" if lengths else "Missing Content-Length")
    text = lengths[0]
    try:
        return _remembered_length(text) if len(text) <= _REMEMBERED_LENGTH else parse_content_length(text)
    except GrammarError as error:
        raise error.within("Content-Length") from error


def _read_status_line(line: str) -> tuple[int, str]:
    """Status and reason phrase; raises PeerProtocolError that says to drop."""
    version, _, rest = line.partition(" ")
    code, _, reason = rest.partition(" ")
    if version.upper() == "SIP/2.0" and len(code) == 3 and code.isascii() and code.isdigit():
        status = int(code)
        if 100 <= status <= 699:
            return status, reason.strip(WSP)
    raise PeerProtocolError(400, "Bad Request - Bad Status Line", drop_reason=DropReason.BAD_RESPONSE)


_remembered_length = lru_cache(maxsize=512)(parse_content_length)
_remembered_status_line = lru_cache(maxsize=512)(_read_status_line)


def _odd_request_line(
    line: str, headers: Headers, fault: PeerProtocolError | None
) -> tuple[Message, PeerProtocolError | None]:
    method, _, rest = line.rstrip(WSP).partition(" ")
    uri, _, version = rest.rpartition(" ")
    if _SIP_VERSION.fullmatch(version) is None:
        raise PeerProtocolError(400, "Bad Request - Not SIP", drop_reason=DropReason.NOT_SIP)
    if version.upper() != "SIP/2.0":
        fault = PeerProtocolError(505, "Version Not Supported")
    elif not is_token(method) or not uri or " " in uri or "\t" in uri or line[-1] in WSP:
        fault = fault or GrammarError("Bad Request Line")
    return Request(method, uri, headers), fault


def _odd_head(data: bytes) -> tuple[str, int, PeerProtocolError | None]:
    """A head with other line ends than CRLF, made ``\\n``, where the body starts, and its first fault."""
    fault: PeerProtocolError | None = None
    blank = BLANK_LINE.search(data)
    if blank is not None:
        head, body_at = data[: blank.start()], blank.end()
    elif b"\n" not in data and b"\r\r" in data:
        head, _, _ = data.partition(b"\r\r")
        body_at = len(head) + 2
        head = head.replace(b"\r", b"\n")
    else:
        head, body_at = data.rstrip(b"\r\n"), len(data)
        fault = GrammarError("No Empty Line After Header Fields")
    text = head.removesuffix(b"\r").decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    if "\r" in text:
        fault = fault or GrammarError("Stray CR")
        text = text.replace("\r", " ")
    return text, body_at, fault


def _unfold(lines: list[str]) -> list[str]:
    """Join continuation lines (RFC 3261 7.3.1): the line end and the white space around it become one SP.

    A continuation of the start line is no header field: its place stays empty. No line begins with white
    space in the end, except perhaps the start line.
    """
    unfolded = [lines[0]]
    run: list[str] = []
    for line in islice(lines, 1, None):
        if line[:1] not in _FOLD:
            if run:
                unfolded.append(" ".join(run))
            run = [line.rstrip(WSP)]
        elif run and run[0]:
            run.append(line.strip(WSP))
        else:
            unfolded.append("")
    if run:
        unfolded.append(" ".join(run))
    return unfolded


def _is_field(line: str) -> bool:
    name, colon, _ = line.partition(":")
    return bool(colon) and canonical_name(name.rstrip(WSP)) is not None


def _has_bare_nul(text: str) -> bool:
    """Whether there is a NUL that no backslash escapes (quoted-pair, RFC 3261 25.1)."""
    rest = text.replace("\\\\", "")
    return rest.count("\x00") != rest.count("\\\x00")


def _is_answerable(request: Request) -> bool:
    """Whether a response can be built: a readable top Via, From, To and Call-ID, and a CSeq to copy.

    The CSeq need not be readable: RFC 3261 8.2.6.2 copies it, and a number out of range deserves its 400.
    """
    try:
        _ = request.via, request.from_tag, request.to_tag, request.call_id
    except PeerProtocolError:
        return False
    return bool(request.headers.get("cseq"))
