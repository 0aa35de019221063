"""The two protocol errors: we broke the rules, or the peer did.

Everything that reads the peer's bytes raises :class:`PeerProtocolError` and nothing else. It carries the
status worth answering with, a reason phrase that may stand in a status line as it is (it never quotes the
peer), and, for a request, what could be parsed of it, so that the answer can be built. What cannot be
answered says why it is discarded.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sipcore.message import Request


class LocalProtocolError(Exception):
    """Our own code asked for something that SIP does not allow; nothing was sent."""


class DropReason(Enum):
    """Why bytes that broke the rules are discarded instead of answered."""

    KEEPALIVE = "keepalive"
    """Only line ends or NULs: a keep-alive, no message (RFC 5626 3.5)."""

    NOT_SIP = "not_sip"
    """The first line is neither a request line nor a status line."""

    BAD_RESPONSE = "bad_response"
    """A malformed response; responses are never answered (RFC 3261 8.1.3)."""

    BAD_ACK = "bad_ack"
    """A malformed ACK; ACK is never answered (RFC 3261 17)."""

    UNANSWERABLE = "unanswerable"
    """A request without a readable Via, From, To, Call-ID or CSeq: there is nothing to build a response from.
    """


class PeerProtocolError(Exception):
    """The peer broke the rules.

    ``status`` and ``reason`` are the status line to answer with. ``drop_reason`` is set when no answer may or
    can be sent. ``message`` is the request as far as it could be parsed, if there is one.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        *,
        message: Request | None = None,
        drop_reason: DropReason | None = None,
    ) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.message = message
        self.drop_reason = drop_reason

    @property
    def drop(self) -> bool:
        """True when nothing may be sent in reply."""
        return self.drop_reason is not None


class GrammarError(PeerProtocolError):
    """A value does not follow its grammar; ``why`` says how, in words of ours, without the header field's
    name.
    """

    def __init__(self, why: str) -> None:
        super().__init__(400, f"Bad Request - {why}")
        self.why = why

    def within(self, name: str) -> PeerProtocolError:
        """The same fault, told as one of the header field or element ``name``."""
        return PeerProtocolError(400, f"Bad Request - Bad {name}: {self.why}")
