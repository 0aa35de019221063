"""Offer and answer: each pair is decided, and the exchanges of the RFCs go as they say."""

import pytest

from sipcore.errors import LocalProtocolError
from sipcore.offer_answer import TABLE, Meaning, Message, Outcome, Refusal, Side, State, Step, step

S = State
M = Message
US = Side.US
PEER = Side.PEER

STATES = {
    "S": S.STABLE, "Bs": S.BARE_INVITE_SENT, "Br": S.BARE_INVITE_RECEIVED,
    "Is": S.INVITE_OFFER_SENT, "Ir": S.INVITE_OFFER_RECEIVED,
    "Rs": S.RELIABLE_OFFER_SENT, "Rr": S.RELIABLE_OFFER_RECEIVED,
    "Fs": S.FINAL_OFFER_SENT, "Fr": S.FINAL_OFFER_RECEIVED,
    "Es": S.EARLY_SENT, "Er": S.EARLY_RECEIVED, "Qs": S.REQUEST_OFFER_SENT, "Qr": S.REQUEST_OFFER_RECEIVED,
    "Ess": S.EARLY_SENT_OFFER_SENT, "Esr": S.EARLY_SENT_OFFER_RECEIVED,
    "Ers": S.EARLY_RECEIVED_OFFER_SENT, "Err": S.EARLY_RECEIVED_OFFER_RECEIVED,
}  # fmt: skip
MEANINGS = {
    ".": Meaning.NONE, "o": Meaning.OFFER, "a": Meaning.ANSWER, "p": Meaning.PREVIEW, "i": Meaning.IGNORED,
    "m": Meaning.MISSING, "r": Meaning.ROLLBACK, "l": Meaning.LATER,
}  # fmt: skip
REFUSALS = {
    "481": Refusal(481, "Call Leg/Transaction Does Not Exist"),
    "491": Refusal(491, "Request Pending"),
    "500": Refusal(500, "Server Internal Error", retry_after=True),
}

# Columns in the order of Message; capitals and "2xx" are with, small letters and "-" without a description.
# A cell is the next state ("=" for the same) and the meaning, or the status, or "--" for a mistake of ours.
GRIDS = {
    US: """
     INV    inv    18x    rel    2xx    2xx-   fail   ACK    ack    PRACK  prack  UPD    Q2xx   Q2xx-  Qfail
S    Is:o   Bs:.   --     --     --     --     --     --     =:.    Qs:o   =:.    Qs:o   --     =:.    =:.
Bs   491    491    --     --     --     --     --     --     =:.    491    =:.    491    --     =:.    =:.
Br   491    491    =:p    Rs:o   Fs:o   S:m    S:.    --     =:.    --     --     491    --     =:.    =:.
Is   491    491    --     --     --     --     --     --     =:.    491    =:.    491    --     =:.    =:.
Ir   491    491    =:p    Er:a   S:a    S:m    S:r    --     =:.    --     --     491    --     =:.    =:.
Rs   491    491    =:i    =:i    =:l    =:l    S:r    --     =:.    --     --     491    --     =:.    =:.
Rr   491    491    --     --     --     --     --     --     =:.    Es:a   Es:m   491    --     =:.    =:.
Fs   491    491    --     --     --     --     --     --     =:.    491    =:.    491    --     =:.    =:.
Fr   491    491    --     --     --     --     --     S:a    S:m    S:a    =:.    491    --     =:.    =:.
Es   491    491    --     --     --     --     --     --     =:.    Ess:o  =:.    Ess:o  --     =:.    =:.
Er   491    491    =:i    =:i    S:i    S:.    S:r    --     =:.    --     --     Ers:o  --     =:.    =:.
Qs   491    491    --     --     --     --     --     --     =:.    491    =:.    491    --     =:.    =:.
Qr   491    491    --     --     --     --     --     --     =:.    491    =:.    491    S:a    S:m    S:r
Ess  491    491    --     --     --     --     --     --     =:.    491    =:.    491    --     =:.    =:.
Esr  491    491    --     --     --     --     --     --     =:.    491    =:.    491    Es:a   Es:m   Es:r
Ers  491    491    =:i    =:i    Qs:i   Qs:.   Qs:r   --     =:.    --     --     491    --     =:.    =:.
Err  491    491    =:i    =:i    Qr:i   Qr:.   Qr:r   --     =:.    --     --     491    Er:a   Er:m   Er:r
    """,
    PEER: """
     INV    inv    18x    rel    2xx    2xx-   fail   ACK    ack    PRACK  prack  UPD    Q2xx   Q2xx-  Qfail
S    Ir:o   Br:.   =:i    =:i    =:i    =:.    =:.    =:i    =:.    Qr:o   =:.    Qr:o   =:i    =:.    =:.
Bs   491    491    =:p    Rr:o   Fr:o   S:m    S:.    =:i    =:.    481    481    491    =:i    =:.    =:.
Br   491    491    =:i    =:i    =:i    =:.    =:.    =:i    =:.    500    =:.    500    =:i    =:.    =:.
Is   491    491    =:p    Es:a   S:a    S:m    S:r    =:i    =:.    481    481    491    =:i    =:.    =:.
Ir   491    491    =:i    =:i    =:i    =:.    =:.    =:i    =:.    500    =:.    500    =:i    =:.    =:.
Rs   491    491    =:i    =:i    =:i    =:.    =:.    =:i    =:.    Er:a   Er:m   491    =:i    =:.    =:.
Rr   491    491    =:i    =:i    Fr:i   Fr:.   S:r    =:i    =:.    481    481    500    =:i    =:.    =:.
Fs   491    491    =:i    =:i    =:i    =:.    =:.    S:a    S:m    S:a    =:.    491    =:i    =:.    =:.
Fr   500    500    =:i    =:i    =:i    =:.    =:.    =:i    =:.    500    =:.    500    =:i    =:.    =:.
Es   491    491    =:i    =:i    S:i    S:.    S:r    =:i    =:.    481    481    Esr:o  =:i    =:.    =:.
Er   491    491    =:i    =:i    =:i    =:.    =:.    =:i    =:.    Err:o  =:.    Err:o  =:i    =:.    =:.
Qs   491    491    =:i    =:i    =:i    =:.    =:.    =:i    =:.    491    =:.    491    S:a    S:m    S:r
Qr   500    500    =:i    =:i    =:i    =:.    =:.    =:i    =:.    500    =:.    500    =:i    =:.    =:.
Ess  491    491    =:i    =:i    Qs:i   Qs:.   Qs:r   =:i    =:.    481    481    491    Es:a   Es:m   Es:r
Esr  491    491    =:i    =:i    Qr:i   Qr:.   Qr:r   =:i    =:.    481    481    500    =:i    =:.    =:.
Ers  491    491    =:i    =:i    =:i    =:.    =:.    =:i    =:.    491    =:.    491    Er:a   Er:m   Er:r
Err  491    491    =:i    =:i    =:i    =:.    =:.    =:i    =:.    500    =:.    500    =:i    =:.    =:.
    """,
}


def expected(cell: str, state: State) -> Outcome | None:
    """The outcome that a cell stands for."""
    if cell == "--":
        return None
    if cell in REFUSALS:
        return REFUSALS[cell]
    after, _, meaning = cell.partition(":")
    return Step(state if after == "=" else STATES[after], MEANINGS[meaning])


@pytest.mark.parametrize("sender", Side)
def test_every_pair_is_decided(sender: Side) -> None:
    columns, *rows = [line.split() for line in GRIDS[sender].strip().splitlines()]
    assert len(columns) == len(Message)
    assert [STATES[row[0]] for row in rows] == list(State)
    for state, (_, *cells) in zip(State, rows, strict=True):
        for message, cell in zip(Message, cells, strict=True):
            assert TABLE[state, sender, message] == expected(cell, state), (state, sender, message)


def test_the_table_has_no_other_pairs() -> None:
    assert set(TABLE) == {
        (state, sender, message) for state in State for sender in Side for message in Message
    }


@pytest.mark.parametrize(("state", "sender", "message"), [pair for pair in TABLE if TABLE[pair] is None])
def test_mistakes_of_ours_are_told(state: State, sender: Side, message: Message) -> None:
    assert sender is US, "a peer can send anything at any time"
    with pytest.raises(LocalProtocolError, match=message.name):
        step(state, sender, message)


def run(state: State, *messages: tuple[Side, Message]) -> list[tuple[State, Meaning]]:
    """The states and meanings that follow each other."""
    passed = []
    for sender, message in messages:
        outcome = step(state, sender, message)
        assert isinstance(outcome, Step), outcome
        state = outcome.state
        passed.append((state, outcome.meaning))
    return passed


OFFER, ANSWER, NONE = Meaning.OFFER, Meaning.ANSWER, Meaning.NONE

PATTERNS = {
    "INVITE and 2xx": [
        (US, M.INVITE_SDP, S.INVITE_OFFER_SENT, OFFER),
        (PEER, M.UNRELIABLE_SDP, S.INVITE_OFFER_SENT, Meaning.PREVIEW),
        (PEER, M.INVITE_2XX_SDP, S.STABLE, ANSWER),
        (US, M.ACK_BARE, S.STABLE, NONE),
    ],
    "2xx and ACK": [
        (US, M.INVITE_BARE, S.BARE_INVITE_SENT, NONE),
        (PEER, M.INVITE_2XX_SDP, S.FINAL_OFFER_RECEIVED, OFFER),
        (US, M.ACK_SDP, S.STABLE, ANSWER),
    ],
    "2xx, and an ACK without answer": [
        (PEER, M.INVITE_BARE, S.BARE_INVITE_RECEIVED, NONE),
        (US, M.INVITE_2XX_SDP, S.FINAL_OFFER_SENT, OFFER),
        (PEER, M.ACK_BARE, S.STABLE, Meaning.MISSING),
    ],
    "INVITE and reliable response": [
        (PEER, M.INVITE_SDP, S.INVITE_OFFER_RECEIVED, OFFER),
        (US, M.RELIABLE_SDP, S.EARLY_RECEIVED, ANSWER),
        (PEER, M.PRACK_BARE, S.EARLY_RECEIVED, NONE),
        (US, M.UNRELIABLE_SDP, S.EARLY_RECEIVED, Meaning.IGNORED),
        (US, M.INVITE_2XX_BARE, S.STABLE, NONE),
        (PEER, M.ACK_BARE, S.STABLE, NONE),
    ],
    "reliable response and PRACK": [
        (US, M.INVITE_BARE, S.BARE_INVITE_SENT, NONE),
        (PEER, M.RELIABLE_SDP, S.RELIABLE_OFFER_RECEIVED, OFFER),
        (US, M.PRACK_SDP, S.EARLY_SENT, ANSWER),
        (PEER, M.INVITE_2XX_SDP, S.STABLE, Meaning.IGNORED),
    ],
    "PRACK and its 2xx": [
        (US, M.INVITE_SDP, S.INVITE_OFFER_SENT, OFFER),
        (PEER, M.RELIABLE_SDP, S.EARLY_SENT, ANSWER),
        (US, M.PRACK_SDP, S.EARLY_SENT_OFFER_SENT, OFFER),
        (PEER, M.REQUEST_2XX_SDP, S.EARLY_SENT, ANSWER),
    ],
    "UPDATE before the 2xx": [
        (US, M.INVITE_SDP, S.INVITE_OFFER_SENT, OFFER),
        (PEER, M.RELIABLE_SDP, S.EARLY_SENT, ANSWER),
        (PEER, M.UPDATE_SDP, S.EARLY_SENT_OFFER_RECEIVED, OFFER),
        (US, M.REQUEST_2XX_SDP, S.EARLY_SENT, ANSWER),
        (PEER, M.INVITE_2XX_BARE, S.STABLE, NONE),
    ],
    "UPDATE that the 2xx overtakes": [
        (PEER, M.INVITE_SDP, S.INVITE_OFFER_RECEIVED, OFFER),
        (US, M.RELIABLE_SDP, S.EARLY_RECEIVED, ANSWER),
        (PEER, M.UPDATE_SDP, S.EARLY_RECEIVED_OFFER_RECEIVED, OFFER),
        (US, M.INVITE_2XX_BARE, S.REQUEST_OFFER_RECEIVED, NONE),
        (US, M.REQUEST_2XX_SDP, S.STABLE, ANSWER),
    ],
    "UPDATE in a call": [
        (PEER, M.UPDATE_SDP, S.REQUEST_OFFER_RECEIVED, OFFER),
        (US, M.REQUEST_2XX_SDP, S.STABLE, ANSWER),
    ],
    "UPDATE refused with 488": [
        (PEER, M.UPDATE_SDP, S.REQUEST_OFFER_RECEIVED, OFFER),
        (US, M.REQUEST_FAILED, S.STABLE, Meaning.ROLLBACK),
    ],
    "re-INVITE refused with 488": [
        (US, M.INVITE_SDP, S.INVITE_OFFER_SENT, OFFER),
        (PEER, M.INVITE_FAILED, S.STABLE, Meaning.ROLLBACK),
        (US, M.INVITE_SDP, S.INVITE_OFFER_SENT, OFFER),
    ],
    "a 2xx before the PRACK": [
        (US, M.INVITE_BARE, S.BARE_INVITE_SENT, NONE),
        (PEER, M.RELIABLE_SDP, S.RELIABLE_OFFER_RECEIVED, OFFER),
        (PEER, M.INVITE_2XX_BARE, S.FINAL_OFFER_RECEIVED, NONE),
        (US, M.PRACK_SDP, S.STABLE, ANSWER),
        (US, M.ACK_BARE, S.STABLE, NONE),
    ],
    "our 2xx waits for the PRACK": [
        (PEER, M.INVITE_BARE, S.BARE_INVITE_RECEIVED, NONE),
        (US, M.RELIABLE_SDP, S.RELIABLE_OFFER_SENT, OFFER),
        (US, M.INVITE_2XX_BARE, S.RELIABLE_OFFER_SENT, Meaning.LATER),
        (PEER, M.PRACK_SDP, S.EARLY_RECEIVED, ANSWER),
        (US, M.INVITE_2XX_BARE, S.STABLE, NONE),
    ],
}  # fmt: skip


@pytest.mark.parametrize("rows", PATTERNS.values(), ids=PATTERNS)
def test_patterns(rows: list[tuple[Side, Message, State, Meaning]]) -> None:
    messages = [(sender, message) for sender, message, _, _ in rows]
    assert run(S.STABLE, *messages) == [(state, meaning) for _, _, state, meaning in rows]


GLARE = {
    "re-INVITE against re-INVITE": ([(US, M.INVITE_SDP)], M.INVITE_SDP, 491),
    "a second re-INVITE": ([(PEER, M.INVITE_SDP)], M.INVITE_SDP, 491),
    "re-INVITE before the ACK to our offer": (
        [(PEER, M.INVITE_BARE), (US, M.INVITE_2XX_SDP)],
        M.INVITE_SDP,
        491,
    ),
    "re-INVITE against UPDATE": ([(US, M.UPDATE_SDP)], M.INVITE_BARE, 491),
    "re-INVITE after UPDATE": ([(PEER, M.UPDATE_SDP)], M.INVITE_SDP, 500),
    "UPDATE against UPDATE": ([(US, M.UPDATE_SDP)], M.UPDATE_SDP, 491),
    "a second UPDATE": ([(PEER, M.UPDATE_SDP)], M.UPDATE_SDP, 500),
    "UPDATE against INVITE": ([(US, M.INVITE_SDP)], M.UPDATE_SDP, 491),
    "UPDATE after INVITE": ([(PEER, M.INVITE_SDP)], M.UPDATE_SDP, 500),
    "UPDATE against a reliable offer": ([(PEER, M.INVITE_BARE), (US, M.RELIABLE_SDP)], M.UPDATE_SDP, 491),
    "PRACK of nothing": ([(US, M.INVITE_SDP)], M.PRACK_SDP, 481),
}


@pytest.mark.parametrize(("before", "message", "status"), GLARE.values(), ids=GLARE)
def test_glare(before: list[tuple[Side, Message]], message: Message, status: int) -> None:
    state = run(S.STABLE, *before)[-1][0]
    outcome = step(state, PEER, message)
    assert isinstance(outcome, Refusal)
    assert outcome.status == status
    assert outcome.retry_after == (status == 500)


def steps() -> list[tuple[State, Side, Message, Step]]:
    return [(*key, outcome) for key, outcome in TABLE.items() if isinstance(outcome, Step)]


def test_meanings_agree_with_states() -> None:
    for state, sender, message, (after, meaning) in steps():
        where = (state, sender, message)
        if meaning is Meaning.OFFER:
            assert (state.offerer, after.offerer) == (None, sender), where
        elif meaning is Meaning.ANSWER:
            assert (state.offerer, after.offerer) == (sender.other, None), where
        elif meaning not in (Meaning.MISSING, Meaning.ROLLBACK):
            assert state.offerer == after.offerer, where


def test_invites_open_and_close() -> None:
    for state, sender, message, (after, meaning) in steps():
        where = (state, sender, message)
        if message in (M.INVITE_SDP, M.INVITE_BARE):
            assert (state.inviter, after.inviter) == (None, sender), where
        elif (
            message in (M.INVITE_2XX_SDP, M.INVITE_2XX_BARE, M.INVITE_FAILED)
            and state.inviter is sender.other
        ):
            assert after.inviter is None or meaning is Meaning.LATER, where
        else:
            assert state.inviter == after.inviter, where


def test_a_bare_message_is_no_offer_and_no_answer() -> None:
    for state, sender, message, (_, meaning) in steps():
        if not message.name.endswith("SDP"):
            assert meaning in (NONE, Meaning.MISSING, Meaning.ROLLBACK, Meaning.LATER), (
                state,
                sender,
                message,
            )


def test_every_state_is_reached_and_can_become_stable() -> None:
    nexts = {state: {after for start, _, _, (after, _) in steps() if start is state} for state in State}
    for state in State:
        reached = {state}
        while (more := set().union(*[nexts[one] for one in reached])) - reached:
            reached |= more
        assert reached == set(State)
