"""Two ends of a dialog that do whatever their tables allow agree on the session in the end."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from sipcore.errors import LocalProtocolError
from sipcore.offer_answer import TABLE, Meaning, Message, Refusal, Side, State, Step, step

INVITES = (Message.INVITE_SDP, Message.INVITE_BARE)
SETTLING = {
    State.BARE_INVITE_RECEIVED: Message.INVITE_2XX_SDP,
    State.INVITE_OFFER_RECEIVED: Message.INVITE_2XX_SDP,
    State.RELIABLE_OFFER_RECEIVED: Message.PRACK_SDP,
    State.FINAL_OFFER_RECEIVED: Message.ACK_SDP,
    State.EARLY_RECEIVED: Message.INVITE_2XX_BARE,
    State.REQUEST_OFFER_RECEIVED: Message.REQUEST_2XX_SDP,
    State.EARLY_SENT_OFFER_RECEIVED: Message.REQUEST_2XX_SDP,
    State.EARLY_RECEIVED_OFFER_RECEIVED: Message.REQUEST_2XX_SDP,
}
"""What a side that owes something does when nothing else happens."""


class End:
    """One side of a dialog, and what it has put on its way to the other."""

    def __init__(self) -> None:
        self.state = State.STABLE
        self.sent: deque[Message] = deque()

    def choices(self) -> list[Message]:
        """Messages that make sense now; the bare ones only where they carry something, or the lack of it."""
        found = []
        for message in Message:
            outcome = TABLE[self.state, Side.US, message]
            moves = isinstance(outcome, Step) and outcome.meaning is not Meaning.LATER
            if moves and (outcome != Step(self.state, Meaning.NONE)):
                found.append(message)
        return found

    def send(self, message: Message) -> None:
        outcome = step(self.state, Side.US, message)
        assert isinstance(outcome, Step)
        self.state = outcome.state
        self.sent.append(message)

    def receive(self, message: Message) -> None:
        outcome = step(self.state, Side.PEER, message)
        if isinstance(outcome, Refusal):
            self.sent.append(Message.INVITE_FAILED if message in INVITES else Message.REQUEST_FAILED)
        else:
            self.state = outcome.state


@given(st.data())
def test_two_ends_agree(data: st.DataObject) -> None:
    ends = (End(), End())
    for _ in range(data.draw(st.integers(0, 25))):
        me, other = data.draw(st.sampled_from([ends, ends[::-1]]))
        choices = me.choices()
        if other.sent and (not choices or data.draw(st.booleans())):
            me.receive(other.sent.popleft())
        elif choices:
            me.send(data.draw(st.sampled_from(choices)))
    for _ in range(200):
        busy = False
        for me, other in (ends, ends[::-1]):
            while other.sent:
                me.receive(other.sent.popleft())
                busy = True
        for me in ends:
            if not any(end.sent for end in ends) and me.state in SETTLING:
                me.send(SETTLING[me.state])
                busy = True
        if not busy:
            break
    assert [end.state for end in ends] == [State.STABLE, State.STABLE]


@given(
    st.sampled_from(State), st.lists(st.tuples(st.sampled_from(Side), st.sampled_from(Message)), max_size=20)
)
def test_a_refused_message_changes_nothing_and_no_peer_can_break_us(
    state: State, events: list[tuple[Side, Message]]
) -> None:
    for sender, message in events:
        try:
            outcome = step(state, sender, message)
        except LocalProtocolError:
            assert sender is Side.US
            continue
        if isinstance(outcome, Step):
            state = outcome.state
        else:
            assert outcome.status in (481, 491, 500)
