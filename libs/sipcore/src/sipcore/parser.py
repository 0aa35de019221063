"""Bytes to messages: datagrams and streams, and what every message must have.

Parsing checks the start line, the outline of every header field and the framing. The fields themselves are
read when they are asked for; :func:`validate_request` and :func:`validate_response` ask for those that every
message needs.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TypeAlias

from sipcore.errors import DropReason, GrammarError, PeerProtocolError
from sipcore.head import (
    BLANK_LINE,
    DEFAULT,
    Limits,
    read_fields,
    read_length,
    read_start_line,
    refusal,
    split_head,
)
from sipcore.message import Headers, Message, Request, Response
from sipcore.names import SPELLING
from sipcore.uri import Uri

__all__ = [
    "DEFAULT",
    "Limits",
    "Outcome",
    "Ping",
    "StreamParser",
    "parse_datagram",
    "validate_request",
    "validate_response",
]

_NO_MESSAGE = (b"", b"\r", b"\n", b"\x00")
"""First octets of keep-alives, and of datagrams with empty lines before the message."""

_ONCE = frozenset(
    ("from", "to", "call-id", "cseq", "max-forwards", "content-length", "content-type", "expires")
)
"""Fields that may occur only once (RFC 3261 20); the mandatory ones are found missing when read."""

_OPTIONAL: tuple[tuple[str, Callable[[Message], object]], ...] = (
    ("max-forwards", attrgetter("max_forwards")),
    ("contact", attrgetter("contact", "contacts")),
    ("record-route", attrgetter("record_routes")),
    ("route", attrgetter("routes")),
    ("require", attrgetter("require")),
    ("proxy-require", attrgetter("proxy_require")),
    ("expires", attrgetter("expires")),
)
"""Fields that need not be there, and the accessors that read them."""

_TARGET_REFRESHERS = ("INVITE", "UPDATE")
"""Methods whose Contact we will send requests to."""


def parse_datagram(data: bytes, limits: Limits = DEFAULT) -> Message:
    """Parse one datagram.

    The body ends where Content-Length says, or with the datagram when there is none (RFC 3261 18.3). Raises
    PeerProtocolError for a bad start line, a line that is no header field, a Content-Length beyond the
    datagram, and limits exceeded.
    """
    if data[:1] in _NO_MESSAGE:
        data = data.lstrip(b"\r\n")
        if not data.strip(b"\x00"):
            raise PeerProtocolError(400, "Bad Request - Empty", drop_reason=DropReason.KEEPALIVE)
    lines, body_at, fault = split_head(data, limits)
    headers, fault = read_fields(lines, limits, fault)
    message, fault = read_start_line(lines[0], headers, fault)
    body = data[body_at:]
    if "content-length" in headers.index:
        try:
            length = read_length(headers)
            if length > len(body):
                raise GrammarError("Body Shorter Than Content-Length")
            body = body[:length]
        except PeerProtocolError as error:
            fault = fault or error
    message.body = body
    if len(data) > limits.max_message or len(body) > limits.max_body:
        fault = _too_large(len(data), len(body), limits)
    if fault is not None:
        raise refusal(fault, message)
    return message


def validate_request(request: Request) -> None:
    """Check what every request must have (RFC 3261 8.1.1, 8.2, 16.3).

    Via, From, To, Call-ID and CSeq present and well formed; single-valued fields present only once; the
    method of CSeq the method of the request; a Request-URI of a scheme that we speak, without header fields;
    a Contact in an INVITE, and its URI sip or sips in INVITE and UPDATE. What is there of Max-Forwards,
    Contact, Route, Record-Route, Require, Proxy-Require and Expires is well formed too: after this no typed
    accessor raises, except ``contact_uri`` of other methods.

    Raises PeerProtocolError: 400, 416.
    """
    try:
        _check_common(request)
        if request.essentials.method != request.method:
            raise GrammarError("CSeq Method Differs")
        uri = request.request_uri
        if isinstance(uri, Uri) and uri.headers:
            raise GrammarError("Header In Request-URI")
        if request.method == "INVITE" and "contact" not in request.headers.index:
            raise GrammarError("Missing Contact")
    except PeerProtocolError as error:
        raise refusal(error, request) from error


def validate_response(response: Response) -> None:
    """Check what every response must have: Via, From, To, Call-ID and CSeq, well formed.

    As with requests, no typed accessor raises after this, except ``contact_uri`` of a 3xx, where any scheme
    is allowed. Raises PeerProtocolError that says to drop.
    """
    try:
        _check_common(response)
    except PeerProtocolError as error:
        raise refusal(error, response) from error


def _check_common(message: Message) -> None:
    index = message.headers.index
    if len(index) != len(message.headers):
        for key, values in index.items():
            if len(values) > 1 and key in _ONCE:
                raise GrammarError(f"Doubled {SPELLING[key]}")
    essentials = message.essentials
    single = len(index["via"]) == 1 and "," not in index["via"][0]
    if essentials.via.version != "2.0" or not (single or _are_versions_known(message)):
        raise GrammarError("Bad Via: version")
    for key, read in _OPTIONAL:
        if key in index:
            read(message)
    if essentials.method in _TARGET_REFRESHERS and (isinstance(message, Request) or message.status < 300):
        uri = message.contact_uri
        if uri is not None and not isinstance(uri, Uri):
            raise GrammarError("Bad Contact: scheme")


def _are_versions_known(message: Message) -> bool:
    return all(via.version == "2.0" for via in message.vias)


def _too_large(total: int, body: int, limits: Limits) -> PeerProtocolError | None:
    if body > limits.max_body:
        return PeerProtocolError(413, "Request Entity Too Large")
    if total > limits.max_message:
        return PeerProtocolError(513, "Message Too Large")
    return None


class Ping:
    """CRLFCRLF between messages; to be answered with CRLF (RFC 5626 3.5.1)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Ping()"


PING = Ping()
_KEEPALIVE = b"\r\n\r\n"
Outcome: TypeAlias = Message | Ping | PeerProtocolError


class StreamParser:
    """Cuts a stream into messages.

    A message that is wrong but can be framed comes out as its error, and the stream goes on. One that cannot
    be framed (no readable Content-Length, no SIP, a head without end) comes out as its error and closes the
    parser: the caller has to close the connection, and whatever else arrives is not looked at.
    """

    __slots__ = ("_buffer", "_fault", "_limits", "_message", "_need", "_scanned", "_skip", "closed")

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self.closed = False
        self._limits = limits
        self._buffer = bytearray()
        self._scanned = 0
        self._message: Message | None = None
        self._fault: PeerProtocolError | None = None
        self._need = 0
        self._skip = 0

    @property
    def partial(self) -> bool:
        """Whether a message has begun whose end is not here; line ends between messages are none."""
        return self._message is not None or self._skip > 0 or not _KEEPALIVE.startswith(self._buffer)

    def receive(self, data: bytes) -> list[Outcome]:
        """Take what arrived; return what is complete, in order."""
        outcomes: list[Outcome] = []
        self._buffer += data
        while not self.closed and (outcome := self._next()) is not None:
            outcomes.append(outcome)
        if self.closed:
            self._buffer.clear()
        return outcomes

    def _next(self) -> Outcome | None:
        if self._skip:
            skipped = min(self._skip, len(self._buffer))
            del self._buffer[:skipped]
            self._skip -= skipped
            if self._skip:
                return None
        if self._message is None:
            outcome = self._start()
            if outcome is not None or self._message is None:
                return outcome
        return self._finish()

    def _start(self) -> Outcome | None:
        """Read a head, if it is complete; the outcome, if it is settled without the body."""
        if self._strip_line_ends():
            return PING
        buffer = self._buffer
        blank = BLANK_LINE.search(buffer, max(0, self._scanned - 2))
        if blank is None:
            self._scanned = len(buffer)
            if len(buffer) <= self._limits.max_message:
                return None
            return self._close(
                PeerProtocolError(513, "Message Too Large", drop_reason=DropReason.UNANSWERABLE)
            )
        head = bytes(buffer[: blank.end()])
        del buffer[: blank.end()]
        self._scanned = 0
        return self._read_head(head)

    def _read_head(self, head: bytes) -> PeerProtocolError | None:
        """Keep the message that ``head`` begins until its body is here; the error, if it ends here."""
        limits = self._limits
        lines, _, fault = split_head(head, limits)
        headers, fault = read_fields(lines, limits, fault)
        message: Message | None = None
        try:
            message, fault = read_start_line(lines[0], headers, fault)
            length = read_length(headers)
        except PeerProtocolError as error:
            if message is not None:
                return self._close(refusal(fault or error, message))
            return self._refuse_start_line(error, headers)
        too_large = _too_large(len(head) + length, length, limits)
        if too_large is not None:
            self._skip = length
            return refusal(too_large, message)
        self._message, self._fault, self._need = message, fault, length
        return None

    def _refuse_start_line(self, error: PeerProtocolError, headers: Headers) -> PeerProtocolError:
        """Step over a bad response if its end is known; anything else ends the stream."""
        if error.drop_reason is not DropReason.BAD_RESPONSE:
            return self._close(error)
        try:
            self._skip = read_length(headers)
        except PeerProtocolError:
            return self._close(error)
        return error

    def _finish(self) -> Outcome | None:
        """Complete the message whose head is read, if its body is here."""
        message = self._message
        if message is None or len(self._buffer) < self._need:
            return None
        message.body = bytes(self._buffer[: self._need])
        del self._buffer[: self._need]
        fault, self._message, self._fault = self._fault, None, None
        return message if fault is None else refusal(fault, message)

    def _strip_line_ends(self) -> bool:
        """Drop empty lines before a message (RFC 3261 7.5); True when they are a keep-alive."""
        buffer = self._buffer
        while buffer[:1] == b"\n" or buffer[:2] == b"\r\n":
            if buffer[:4] == _KEEPALIVE:
                del buffer[:4]
                return True
            if len(buffer) < 4 and _KEEPALIVE.startswith(bytes(buffer)):
                return False
            del buffer[: 1 if buffer[:1] == b"\n" else 2]
        return False

    def _close(self, error: PeerProtocolError) -> PeerProtocolError:
        self.closed = True
        return error
