"""Bytes to messages: datagrams and streams, and what every message must have.

Parsing checks the start line, the outline of every header field and the framing. The fields themselves are
read when they are asked for; :func:`validate_request` and :func:`validate_response` ask for those that every
message needs.
"""

from __future__ import annotations

from typing import TypeAlias

from sipcore.errors import DropReason, GrammarError, PeerProtocolError
from sipcore.head import BLANK_LINE, DEFAULT, Limits, parse_head, read_length, refusal, split_head
from sipcore.message import Message, Request, Response
from sipcore.names import SPELLING

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

_ONCE = ("from", "to", "call-id", "cseq", "max-forwards", "content-length", "content-type", "expires")
"""Fields that may occur only once (RFC 3261 20); the mandatory ones are found missing when read."""


def parse_datagram(data: bytes, limits: Limits = DEFAULT) -> Message:
    """Parse one datagram.

    The body ends where Content-Length says, or with the datagram when there is none (RFC 3261 18.3). Raises
    PeerProtocolError for a bad start line, a line that is no header field, a Content-Length beyond the
    datagram, and limits exceeded.
    """
    if data[:1] in (b"\r", b"\n", b"\x00"):
        data = data.lstrip(b"\r\n")
        if not data.strip(b"\x00"):
            raise PeerProtocolError(400, "Bad Request", drop_reason=DropReason.KEEPALIVE)
    text, body_at, fault = split_head(data)
    message, fault = parse_head(text, limits, fault)
    body = data[body_at:]
    lengths = message.headers._index.get("content-length")
    if lengths is not None:
        try:
            length = read_length(message.headers)
            if length > len(body):
                raise GrammarError("Body shorter than Content-Length")
            body = body[:length]
        except PeerProtocolError as error:
            fault = fault or error
    if len(data) > limits.max_message:
        fault = PeerProtocolError(513, "Message Too Large")
    elif len(body) > limits.max_body:
        fault = PeerProtocolError(413, "Request Entity Too Large")
    message.body = body
    if fault is not None:
        raise refusal(fault, message)
    return message


def validate_request(request: Request) -> None:
    """Check what every request must have (RFC 3261 8.1.1, 8.2, 16.3).

    Via, From, To, Call-ID and CSeq present and well formed; single-valued fields present only once; the
    method of CSeq the method of the request; Max-Forwards, if present, in range; a Request-URI of a scheme
    that we speak. Raises PeerProtocolError: 400, 416.
    """
    try:
        _check_common(request)
        if request.cseq.method != request.method:
            raise GrammarError("CSeq method differs")
        uri = request.request_uri
        if uri.scheme != "tel" and "?" in request.uri.rpartition("@")[2]:
            raise GrammarError("Header in Request-URI")
        _ = request.max_forwards
    except PeerProtocolError as error:
        raise refusal(error, request) from error


def validate_response(response: Response) -> None:
    """Check what every response must have: Via, From, To, Call-ID and CSeq, well formed.

    Raises PeerProtocolError that says to drop.
    """
    try:
        _check_common(response)
    except PeerProtocolError as error:
        raise refusal(error, response) from error


def _check_common(message: Message) -> None:
    index = message.headers._index
    for key in _ONCE:
        values = index.get(key)
        if values is not None and len(values) != 1:
            raise GrammarError(f"Doubled {SPELLING[key]}")
    _ = message.vias, message.via, message.from_, message.to, message.call_id, message.cseq


class Ping:
    """CRLFCRLF between messages; to be answered with CRLF (RFC 5626 3.5.1)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Ping()"


PING = Ping()
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
            return self._close(PeerProtocolError(513, "Message Too Large")) if self._is_too_long() else None
        head = bytes(buffer[: blank.end()])
        del buffer[: blank.end()]
        self._scanned = 0
        try:
            text, _, fault = split_head(head)
            message, fault = parse_head(text, self._limits, fault)
        except PeerProtocolError as error:
            return self._close(error)
        try:
            length = read_length(message.headers)
        except PeerProtocolError as error:
            return self._close(refusal(fault or error, message))
        if len(head) + length > self._limits.max_message or length > self._limits.max_body:
            self._skip = length
            return refusal(PeerProtocolError(413, "Request Entity Too Large"), message)
        self._message, self._fault, self._need = message, fault, length
        return None

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
            if buffer[:4] == b"\r\n\r\n":
                del buffer[:4]
                return True
            if bytes(buffer) in (b"\r\n", b"\r\n\r"):
                return False
            del buffer[: 1 if buffer[:1] == b"\n" else 2]
        return False

    def _is_too_long(self) -> bool:
        return len(self._buffer) > self._limits.max_message

    def _close(self, error: PeerProtocolError) -> PeerProtocolError:
        self.closed = True
        return error
