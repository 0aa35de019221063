"""Whatever is lost, repeated or reordered, each reliable provisional response is taken once and in order."""

from hypothesis import given
from hypothesis import strategies as st

from sipcore import CSeq, GrammarError
from sipcore.reliability import (
    MAX_FIRST_RSEQ,
    MAX_RSEQ,
    NO_RSEQ,
    RAck,
    ReliableSequence,
    RSeqOrder,
    parse_rack,
    rseq_order,
)


@given(st.integers(1, MAX_FIRST_RSEQ), st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=60))
def test_taken_once_and_in_order(first: int, steps: list[tuple[bool, int]]) -> None:
    """In each step the UAS sends what it may, and the wire delivers any message of the past, or none."""
    uas = ReliableSequence(first, 1)
    responses: list[int] = []
    pracks: list[RAck] = []
    last = NO_RSEQ
    taken: list[int] = []
    for to_uac, pick in steps:
        if uas.may_send:
            uas = uas.sent()
            responses.append(uas.sent_rseq)
        if to_uac and pick < len(responses):
            number = responses[-1 - pick]
            if rseq_order(last, number) is RSeqOrder.NEXT:
                last = number
                taken.append(number)
                pracks.append(RAck(number, CSeq(1, "INVITE")))
        elif not to_uac and pick < len(pracks):
            uas = uas.acknowledged(pracks[-1 - pick]) or uas
    assert taken == responses[: len(taken)]
    assert len(responses) - len(taken) <= 1


@given(st.integers(1, MAX_RSEQ), st.integers(0, 2**31 - 1), st.sampled_from(["INVITE", "x.y"]))
def test_rack_is_read_as_it_was_written(rseq: int, cseq: int, method: str) -> None:
    value = RAck(rseq, CSeq(cseq, method))
    assert parse_rack(str(value)) == value


@given(st.text() | st.text("0123456789 \tINVITE;"))
def test_any_text_is_a_value_or_an_error(text: str) -> None:
    try:
        value = parse_rack(text)
    except GrammarError:
        return
    assert parse_rack(str(value)) == value
