"""Session descriptions in bodies: alone, or as a part of a multipart body (RFC 2046 5.1, RFC 5621).

Only the octets of a description that changes are put in anew. Preamble, epilogue, delimiters, the header
fields of the parts and all other parts stay octet for octet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sipcore.errors import PeerProtocolError
from sipcore.grammar import find_param, parse_params
from sipcore.sdp import NotAcceptable

__all__ = ["find_sdp", "map_sdp"]

_SDP = ("application", "sdp")
_MAX_PARTS = 64
_MAX_DEPTH = 4
"""Multipart bodies inside each other (RFC 5621 4); the octets are looked at once for each."""

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
"""boundary, RFC 2046 5.1.1."""

_EMPTY_LINE = re.compile(rb"\r?\n\r?\n")
_FIRST_LINE_EMPTY = re.compile(rb"\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_ENCODINGS = (b"7bit", b"8bit", b"binary")
"""Content-Transfer-Encodings that change nothing; SIP needs no other (RFC 3261 7.4.2)."""


class _Part(NamedTuple):
    """Where a part's content is, and what the part says it is."""

    start: int
    end: int
    content_type: str
    """"" when the part does not say: then it is plain text (RFC 2046 5.1)."""


def map_sdp(content_type: str, body: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The body with ``change`` applied to its session descriptions.

    ``content_type`` is the value of the message's Content-Type, "" if there is none. Each application/sdp
    part of a multipart body is changed, so that nobody can hide one behind another (RFC 3959 has two). Any
    other body comes back as it is; so does, as the same object, one in which ``change`` changed nothing.

    Raises NotAcceptable for a multipart body that cannot be taken apart, and whatever ``change`` raises.
    """
    return _mapped(content_type, body, change, 0)


def find_sdp(content_type: str, body: bytes) -> bytes | None:
    """The first session description in the body, or None.

    Raises NotAcceptable for a multipart body that cannot be taken apart.
    """
    found: list[bytes] = []

    def keep(sdp: bytes) -> bytes:
        found.append(sdp)
        return sdp

    map_sdp(content_type, body, keep)
    return found[0] if found else None


def _mapped(content_type: str, body: bytes, change: Callable[[bytes], bytes], depth: int) -> bytes:
    kind, subtype = _media_type(content_type)
    if (kind, subtype) == _SDP:
        return change(body)
    if kind != "multipart":
        return body
    if depth == _MAX_DEPTH:
        raise NotAcceptable("Multipart body is nested too deep")
    pieces = []
    done = 0
    for part in _parts(body, _boundary(content_type)):
        old = body[part.start : part.end]
        new = _mapped(part.content_type, old, change, depth + 1)
        if new != old:
            pieces += [body[done : part.start], new]
            done = part.end
    return b"".join([*pieces, body[done:]]) if pieces else body


def _media_type(content_type: str) -> tuple[str, str]:
    """Type and subtype in lower case. Parameters do not count: a malformed one hides no description."""
    kind, _, subtype = content_type.partition(";")[0].lower().partition("/")
    return kind.strip(" \t"), subtype.strip(" \t")


def _boundary(content_type: str) -> bytes:
    try:
        params = parse_params(content_type.partition(";")[2])
    except PeerProtocolError as error:
        raise NotAcceptable("Multipart body without a readable boundary parameter") from error
    boundary = find_param(params, "boundary")
    if boundary is None or _BOUNDARY.fullmatch(boundary) is None:
        raise NotAcceptable("Multipart body without a readable boundary parameter")
    return boundary.encode("ascii")


def _parts(body: bytes, boundary: bytes) -> Iterator[_Part]:
    """The parts between the delimiters. A body that ends without its last delimiter ends its last part.

    The line end before a delimiter belongs to the delimiter (RFC 2046 5.1.1).
    """
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:(?=\r?\n)|\Z)")
    start = None
    count = 0
    for found in delimiter.finditer(body):
        if start is not None:
            yield _part(body, start, found.start())
        if found.group(1) is not None:
            return
        if (count := count + 1) > _MAX_PARTS:
            raise NotAcceptable("Multipart body has too many parts")
        line_end = _FIRST_LINE_EMPTY.match(body, found.end())
        start = found.end() if line_end is None else line_end.end()
    if start is None:
        raise NotAcceptable("Multipart body without its boundary")
    yield _part(body, start, len(body))


def _part(body: bytes, start: int, end: int) -> _Part:
    """The part whose header begins at ``start``; one without header begins with an empty line."""
    end = max(start, end)
    blank = _FIRST_LINE_EMPTY.match(body, start, end)
    if blank is not None:
        return _Part(blank.end(), end, "")
    blank = _EMPTY_LINE.search(body, start, end)
    header = body[start : end if blank is None else blank.start()]
    fields: dict[bytes, bytes] = {}
    for line in _FOLD.sub(b" ", header).split(b"\n"):
        name, _, value = line.partition(b":")
        name = name.strip().lower()
        if name in fields and name.startswith(b"content-"):
            raise NotAcceptable("Multipart body has a part with a header field given twice")
        fields[name] = value.strip()
    content_type = fields.get(b"content-type", b"").decode("utf-8", "surrogateescape")
    encoding = fields.get(b"content-transfer-encoding", b"binary").lower()
    kind, subtype = _media_type(content_type)
    if encoding not in _ENCODINGS and (kind == "multipart" or (kind, subtype) == _SDP):
        raise NotAcceptable("Multipart body has a part in a transfer encoding that SIP does not use")
    return _Part(end if blank is None else blank.end(), end, content_type)
