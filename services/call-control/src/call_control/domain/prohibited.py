"""Session descriptions that the policy does not allow, or that cannot be read (behaviour: codec filter).

The row says what becomes of the message that brought one; a kind without a row has no offer or answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import answering, hunting, media, midcall_answers, own_answers, release
from call_control.domain.kinds import Kind, Subject
from call_control.domain.turn import Turn
from sipcore.sdp import NotAcceptable

Handler = Callable[[Turn, edge.Event, Subject, NotAcceptable], None]


def _refuse_request(turn: Turn, event: edge.Event, subject: Subject, refusal: NotAcceptable) -> None:
    """488 to the requester; the call goes on as it was."""
    assert subject.leg is not None
    subject.leg.remote_cseq = event.request.origin.cseq
    transaction = turn.open_transaction(subject.leg, event.request, event.edge)
    status, reason, headers = media.answer_to(refusal)
    turn.answer(transaction, status, reason, headers=headers)


def _hang_up(turn: Turn, event: edge.Event, subject: Subject, refusal: NotAcceptable) -> None:
    """Nothing can refuse an ACK: hang up on both sides."""
    transaction = turn.transaction(subject.relay.transaction) if subject.relay else turn.invite_transaction
    if transaction is not None:
        turn.stop_others(transaction, event.edge)
        turn.close_transaction(transaction.transaction)
    release.release_all(turn, 488, record.RELEASE_SOURCE_INTERNAL)


def _refuse_provisional(turn: Turn, event: edge.Event, subject: Subject, refusal: NotAcceptable) -> None:
    """CANCEL to the callee, then as after a 488 of it."""
    assert subject.leg is not None
    hunting.abandon(turn, subject.leg, _reason(refusal))
    hunting.go_on(turn, *media.answer_to(refusal), after=subject.leg)


def _refuse_success(turn: Turn, event: edge.Event, subject: Subject, refusal: NotAcceptable) -> None:
    """ACK and BYE to the callee, then as after a 488 of it."""
    assert subject.leg is not None
    answering.turn_down(turn, subject.leg, event.response, _reason(refusal))
    hunting.go_on(turn, *media.answer_to(refusal), after=subject.leg)


def _refuse_relayed(turn: Turn, event: edge.Event, subject: Subject, refusal: NotAcceptable) -> None:
    """The session cannot be what the requester wanted, nor what it was: 502, and the end of the call."""
    assert subject.relay is not None
    if subject.relay.state != record.RELAY_STATE_PENDING:
        # The requester has its final answer already.
        midcall_answers.relay_accepted(turn, subject.relay, event.response)
        return
    midcall_answers.turn_down(turn, subject.relay, event.response, _reason(refusal))


def _refuse_own(turn: Turn, event: edge.Event, subject: Subject, refusal: NotAcceptable) -> None:
    """An answer to an offer that we took there ourselves: as if there were none."""
    assert subject.relay is not None
    response = edge.ResponseEvent()
    response.CopyFrom(event.response)
    response.ClearField("body")
    own_answers.accepted(turn, subject.relay, response)


def _reason(refusal: NotAcceptable) -> list[sip_pb2.Header]:
    return [sip_pb2.Header(name="Reason", value=str(refusal.header))]


PROHIBITED: Mapping[Kind, Handler] = {
    Kind.REINVITE: _refuse_request,
    Kind.UPDATE: _refuse_request,
    Kind.PRACK: _refuse_request,
    Kind.ACK: _hang_up,
    Kind.REINVITE_ACK: _hang_up,
    Kind.PROVISIONAL: _refuse_provisional,
    Kind.SUCCESS: _refuse_success,
    Kind.TARGET_SUCCESS: _refuse_success,
    Kind.RELAY_SUCCESS: _refuse_relayed,
    Kind.OWN_SUCCESS: _refuse_own,
}
