"""Messages to bytes.

One join and one encoding per message. Line ends can only come from the join: a single look at all the lines
together proves that no name or value brought its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from sipcore.errors import LocalProtocolError
from sipcore.grammar import is_token
from sipcore.message import Message, Request
from sipcore.names import CANONICAL, canonical_name

_USUAL = frozenset([name for name, key in CANONICAL.items() if key != "content-length"])
"""Field names that need no look: tokens, and not the field that is ours."""


def serialize_request(method: str, uri: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
    """The bytes of a request; Content-Length is ours and comes last.

    Raises LocalProtocolError when a part could not be read back as what it is: a line end anywhere, white
    space in the method or the URI, a field name that is no token.
    """
    return compose([request_line(method, uri)], headers, body)


def serialize_response(
    status: int, reason: str, headers: Iterable[tuple[str, str]], body: bytes = b""
) -> bytes:
    """The bytes of a response; Content-Length is ours and comes last.

    Raises LocalProtocolError as :func:`serialize_request`, and for a status outside 100..699.
    """
    return compose([status_line(status, reason)], headers, body)


def serialize(message: Message) -> bytes:
    """The bytes of a message."""
    if isinstance(message, Request):
        return serialize_request(message.method, message.uri, message.headers.items(), message.body)
    return serialize_response(message.status, message.reason, message.headers.items(), message.body)


def request_line(method: str, uri: str) -> str:
    """The first line of a request. Raises LocalProtocolError when it could not be read back."""
    if not is_token(method):
        raise LocalProtocolError("method is not a token")
    if not uri or " " in uri or "\t" in uri:
        raise LocalProtocolError("Request-URI is empty or holds white space")
    return f"{method} {uri} SIP/2.0"


def status_line(status: int, reason: str) -> str:
    """The first line of a response. Raises LocalProtocolError when the status is not 100..699."""
    if not 100 <= status <= 699:
        raise LocalProtocolError("status is not 100..699")
    return f"SIP/2.0 {status} {reason}"


def compose(lines: list[str], headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """The bytes of a message that begins with ``lines``: the first line, and fields whose names are right.

    For who writes many messages with the same lines. Appends to ``lines``: the further header fields, and
    Content-Length. Raises LocalProtocolError for a line end anywhere, and for a field name that is no token.
    """
    for name, value in headers:
        if name not in _USUAL:
            key = canonical_name(name)
            if key is None:
                raise LocalProtocolError("header field name is not a token")
            if key == "content-length":
                continue
        lines.append(f"{name}: {value}")
    lines += (f"Content-Length: {len(body)}", "", "")
    unbroken = "".join(lines)
    if "\n" in unbroken or "\r" in unbroken:
        raise LocalProtocolError("line end in a header field or in the start line")
    try:
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body
    except UnicodeEncodeError as error:
        raise LocalProtocolError("text that UTF-8 cannot carry") from error
