"""SIP without I/O: messages, transactions and dialogs (RFC 3261 and friends).

Nothing here opens a socket, reads a clock or draws a random number: bytes, times and identifiers are
arguments.
"""

from sipcore.errors import DropReason, GrammarError, LocalProtocolError, PeerProtocolError
from sipcore.headers import (
    CSeq,
    NameAddr,
    Parameterized,
    Reason,
    Via,
    parse_cseq,
    parse_name_addr,
    parse_parameterized,
    parse_reason,
    parse_via,
)
from sipcore.message import Headers, Message, Request, Response
from sipcore.parser import Limits, Ping, StreamParser, parse_datagram, validate_request, validate_response
from sipcore.serializer import serialize, serialize_request, serialize_response
from sipcore.uri import AnyUri, TelUri, Uri, escape_user, parse_uri, unescape

__all__ = [
    "AnyUri",
    "CSeq",
    "DropReason",
    "GrammarError",
    "Headers",
    "Limits",
    "LocalProtocolError",
    "Message",
    "NameAddr",
    "Parameterized",
    "PeerProtocolError",
    "Ping",
    "Reason",
    "Request",
    "Response",
    "StreamParser",
    "TelUri",
    "Uri",
    "Via",
    "escape_user",
    "parse_cseq",
    "parse_datagram",
    "parse_name_addr",
    "parse_parameterized",
    "parse_reason",
    "parse_uri",
    "parse_via",
    "serialize",
    "serialize_request",
    "serialize_response",
    "unescape",
    "validate_request",
    "validate_response",
]
