"""Reliable provisional responses: what is sent so, what is accepted, what a PRACK acknowledges."""

from itertools import product

import pytest

from sipcore import CSeq, GrammarError, LocalProtocolError
from sipcore.reliability import (
    NO_RSEQ,
    RAck,
    ReliableSequence,
    RSeqOrder,
    is_sent_reliably,
    parse_rack,
    parse_rseq,
    rseq_order,
)


def test_rseq() -> None:
    assert [parse_rseq(text) for text in ("1", "0007", "4294967295")] == [1, 7, 2**32 - 1]


@pytest.mark.parametrize("text", ["", "0", "-1", "4294967296", "9" * 40, "1 ", "x", "1;a", "\u0661"])
def test_bad_rseq(text: str) -> None:
    with pytest.raises(GrammarError):
        parse_rseq(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("776656 1 INVITE", RAck(776656, CSeq(1, "INVITE"))),
        ("1\t \t2  INVITE", RAck(1, CSeq(2, "INVITE"))),
        ("4294967295 2147483647 X", RAck(2**32 - 1, CSeq(2**31 - 1, "X"))),
    ],
)
def test_rack(text: str, value: RAck) -> None:
    assert parse_rack(text) == value
    assert parse_rack(str(value)) == value


@pytest.mark.parametrize(
    "text",
    ["", "1", "1 2", "1 INVITE", "0 1 INVITE", "1 x INVITE", "1 2 INV ITE", " 1 2 INVITE", "1 2147483648 X"],
)
def test_bad_rack(text: str) -> None:
    with pytest.raises(GrammarError):
        parse_rack(text)


@pytest.mark.parametrize(
    ("supported", "required", "wanted", "reliable"),
    [
        (False, False, False, False),
        (False, False, True, False),
        (True, False, False, False),
        (True, False, True, True),
        (False, True, False, True),
        (False, True, True, True),
        (True, True, False, True),
        (True, True, True, True),
    ],
)
def test_what_is_sent_reliably(supported: bool, required: bool, wanted: bool, reliable: bool) -> None:
    tags = {False: ("timer",), True: ("timer", "100rel")}
    for status, sometimes in (
        (100, False),
        (101, True),
        (180, True),
        (199, True),
        (200, False),
        (486, False),
    ):
        expected = reliable and sometimes
        assert is_sent_reliably(status, tags[supported], tags[required], wanted) == expected


@pytest.mark.parametrize(
    ("last", "number", "order"),
    [
        (NO_RSEQ, 1, RSeqOrder.NEXT),
        (NO_RSEQ, 4000, RSeqOrder.NEXT),
        (7, 8, RSeqOrder.NEXT),
        (7, 7, RSeqOrder.REPEATED),
        (7, 1, RSeqOrder.REPEATED),
        (7, 9, RSeqOrder.AHEAD),
    ],
)
def test_order(last: int, number: int, order: RSeqOrder) -> None:
    assert rseq_order(last, number) == order


def test_one_at_a_time() -> None:
    sequence = ReliableSequence(100, 5)
    assert sequence.may_send
    assert sequence.acknowledged(RAck(99, CSeq(5, "INVITE"))) is None

    sent = sequence.sent()
    assert (sent.sent_rseq, sent.may_send) == (100, False)
    with pytest.raises(LocalProtocolError):
        sent.sent()
    for rseq, cseq, method in product((100, 101), (5, 6), ("INVITE", "UPDATE")):
        right = (rseq, cseq, method) == (100, 5, "INVITE")
        assert (sent.acknowledged(RAck(rseq, CSeq(cseq, method))) is not None) == right

    acknowledged = sent.acknowledged(RAck(100, CSeq(5, "INVITE")))
    assert acknowledged == ReliableSequence(101, 5)
    assert acknowledged.acknowledged(RAck(100, CSeq(5, "INVITE"))) is None
    assert acknowledged.sent().sent_rseq == 101
