"""Reliable provisional responses (RFC 3262): RSeq, RAck and the rules of both sides, but no timers."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from typing import NamedTuple

from sipcore.errors import GrammarError, LocalProtocolError
from sipcore.grammar import WSP, parse_number
from sipcore.headers import CSeq, parse_cseq

OPTION_TAG = "100rel"
"""In Supported or Require of an INVITE, and in Require of each reliable provisional response (RFC 3262 3)."""

MAX_RSEQ = 2**32 - 1
"""RFC 3262 7.1."""
MAX_FIRST_RSEQ = 2**31 - 1
"""The first RSeq of a transaction is drawn from 1 to this (RFC 3262 3)."""
NO_RSEQ = 0
"""The last RSeq of a dialog in which no reliable provisional response has been accepted yet."""


class RAck(NamedTuple):
    """RAck (RFC 3262 7.2): which response a PRACK acknowledges."""

    rseq: int
    cseq: CSeq
    """CSeq of that response."""

    def __str__(self) -> str:
        return f"{self.rseq} {self.cseq}"


def parse_rseq(text: str) -> int:
    """RSeq, 1..2**32-1. Raises GrammarError."""
    number = parse_number(text, MAX_RSEQ)
    if number == 0:
        raise GrammarError("number out of range")
    return number


def parse_rack(text: str) -> RAck:
    """``776656 1 INVITE``. Raises GrammarError."""
    rseq, _, cseq = text.replace("\t", " ").partition(" ")
    return RAck(parse_rseq(rseq), parse_cseq(cseq.strip(WSP)))


def is_sent_reliably(status: int, supported: Collection[str], require: Collection[str], wanted: bool) -> bool:
    """Whether this response to an INVITE is to be sent reliably (RFC 3262 3).

    ``supported`` and ``require`` are the INVITE's option tags in lower case; ``wanted`` says that we would
    like it to be. A peer that requires it gets it always, one that does not support it never, and 100 is hop
    by hop.
    """
    if not 101 <= status <= 199:
        return False
    return OPTION_TAG in require or (wanted and OPTION_TAG in supported)


class RSeqOrder(Enum):
    """How a reliable provisional response compares to the last one accepted in its dialog (RFC 3262 4)."""

    NEXT = "next"
    """Take it, answer it with PRACK, and remember its number."""
    REPEATED = "repeated"
    """A copy of what was accepted: drop it. If the PRACK was lost, its transaction repeats it."""
    AHEAD = "ahead"
    """One before it is missing: drop it, it will come again."""


def rseq_order(last: int, number: int) -> RSeqOrder:
    """``last`` is the number of the last one accepted, or NO_RSEQ: the first may have any number."""
    if last == NO_RSEQ or number == last + 1:
        return RSeqOrder.NEXT
    return RSeqOrder.REPEATED if number <= last else RSeqOrder.AHEAD


class ReliableSequence(NamedTuple):
    """The reliable provisional responses that a UAS sends to one INVITE: one at a time (RFC 3262 3).

    ``ReliableSequence(first, cseq)`` begins one.
    """

    next_rseq: int
    """RSeq of the next response; at first 1..2**31-1, drawn by the caller."""
    cseq: int
    """CSeq number of the INVITE."""
    waiting: bool = False
    """Whether the last response still waits for its PRACK."""

    @property
    def may_send(self) -> bool:
        """Whether the next one may be sent now."""
        return not self.waiting

    @property
    def sent_rseq(self) -> int:
        """RSeq of the response that was sent last."""
        return self.next_rseq - 1

    def sent(self) -> ReliableSequence:
        """The sequence after a response with ``next_rseq``.

        Raises LocalProtocolError while the last one waits for its PRACK.
        """
        if self.waiting:
            raise LocalProtocolError("a reliable provisional response still waits for its PRACK")
        return ReliableSequence(self.next_rseq + 1, self.cseq, True)

    def acknowledged(self, rack: RAck) -> ReliableSequence | None:
        """The sequence after a PRACK with this RAck; None: it acknowledges nothing, and is answered 481."""
        if not self.waiting or rack != RAck(self.sent_rseq, CSeq(self.cseq, "INVITE")):
            return None
        return ReliableSequence(self.next_rseq, self.cseq, False)
