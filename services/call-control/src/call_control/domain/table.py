"""The call table: (state of the call, kind of event) -> handler. The one place that couples the legs.

Every pair is decided: `CALL_TABLE` holds what is done, `IGNORED` what is known to mean nothing in
a state. tests/unit/call_control/domain/test_table.py walks the whole product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import (
    answering,
    authorization,
    hunting,
    media,
    midcall,
    midcall_answers,
    own_answers,
    release,
    reliable,
    replacing,
    transfer,
    transfer_connect,
    upkeep,
)
from call_control.domain.kinds import Kind, Subject, classify
from call_control.domain.prohibited import PROHIBITED
from call_control.domain.turn import Turn
from sipcore.sdp import NotAcceptable

Handler = Callable[[Turn, edge.Event, Subject], None]

#: How many fingerprints of events a record remembers.
_REMEMBERED_EVENTS = 16

ROUTING = record.CALL_STATE_ROUTING
TRYING = record.CALL_STATE_TRYING
RINGING = record.CALL_STATE_RINGING
ANSWERED = record.CALL_STATE_ANSWERED
CONFIRMED = record.CALL_STATE_CONFIRMED
ENDED = record.CALL_STATE_ENDED

STATES = (ROUTING, TRYING, RINGING, ANSWERED, CONFIRMED, ENDED)
_UNANSWERED = release.SETTING_UP
_UP = (ANSWERED, CONFIRMED)


def _invite_again(turn: Turn, event: edge.Event, subject: Subject) -> None:
    """The INVITE at another edge: it joins the transaction and gets the last answer."""
    transaction = turn.invite_transaction
    if transaction is None:
        # It has its 2xx and its ACK: a late copy, which the edge shall forget.
        turn.repeat(
            edge.Command(stop=edge.Stop(transaction=event.request.transaction, forget=True), edge=event.edge)
        )
        return
    _join(turn, transaction, event)


def _join(turn: Turn, transaction: record.ServerTransaction, event: edge.Event) -> None:
    """A request at a second edge: it gets the last answer, owed or not, and all later ones."""
    if event.edge not in transaction.edges:
        transaction.edges.append(event.edge)
        turn.changed = True
    reference = transaction.transaction
    owed = any(debt.command.respond.transaction == reference for debt in turn.call.debts[:])
    if transaction.HasField("answer") and not owed:
        turn.repeat(edge.Command(respond=transaction.answer, edge=event.edge), transaction.origin)
    upkeep.reissue_all(turn)


def _cancelled(turn: Turn, event: edge.Event, subject: Subject) -> None:
    release.cancelled(turn, event.request, event.edge)


def _cancel_too_late(turn: Turn, event: edge.Event, subject: Subject) -> None:
    if not event.request.cancel_answered:
        midcall.refuse(
            turn, turn.ingress, event.request, event.edge, 481, "Call Leg/Transaction Does Not Exist"
        )


def _self_cancelled(turn: Turn, event: edge.Event, subject: Subject) -> None:
    release.self_cancelled(turn)


def _early_bye(turn: Turn, event: edge.Event, subject: Subject) -> None:
    turn.ingress.remote_cseq = event.request.origin.cseq
    release.hung_up_early(turn, event.request, event.edge)


def _authorized(turn: Turn, event: edge.Event, subject: Subject) -> None:
    assert subject.reply is not None
    authorization.answered(turn, subject.reply)


def _disconnect(turn: Turn, event: edge.Event, subject: Subject) -> None:
    release.disconnect(turn)


def _response(handler: Callable[[Turn, record.Leg, edge.ResponseEvent], None]) -> Handler:
    def handle(turn: Turn, event: edge.Event, subject: Subject) -> None:
        assert subject.leg is not None
        handler(turn, subject.leg, event.response)

    return handle


def _ack(turn: Turn, event: edge.Event, subject: Subject) -> None:
    answering.acknowledged(turn, event.request, event.edge)


def _ack_after_end(turn: Turn, event: edge.Event, subject: Subject) -> None:
    release.acknowledged_after_end(turn, event.edge)


def _ack_missing(turn: Turn, event: edge.Event, subject: Subject) -> None:
    """A hint only: another edge may have seen the ACK. It counts when our own timer agrees."""
    if turn.call.ack_by_ms and turn.now >= turn.call.ack_by_ms - turn.policy.debt_retry_ms:
        release.expire_unacknowledged(turn)


def _prack_missing(turn: Turn, event: edge.Event, subject: Subject) -> None:
    """Our reliable provisional was repeated in vain: the INVITE fails (RFC 3262 3)."""
    missing, transaction = event.provisional_unacknowledged, turn.invite_transaction
    if transaction is not None and transaction.prack_awaited and transaction.rseq == missing.rseq:
        release.disconnect(turn)


def _reinvite_unacknowledged(turn: Turn, event: edge.Event, subject: Subject) -> None:
    if subject.relay is not None:
        midcall_answers.expire_relay(turn, subject.relay)


def _replacing(turn: Turn, event: edge.Event, subject: Subject) -> None:
    replacing.invited(turn, event.request, event.edge)


def _not_replaced(status: int, reason: str) -> Handler:
    def handle(turn: Turn, event: edge.Event, subject: Subject) -> None:
        replacing.refuse(turn, event.request, event.edge, status, reason)

    return handle


def _in_dialog(
    handler: Callable[[Turn, record.Leg, edge.RequestEvent, edge.EdgeRef], None],
) -> Handler:
    def handle(turn: Turn, event: edge.Event, subject: Subject) -> None:
        assert subject.leg is not None
        subject.leg.remote_cseq = event.request.origin.cseq
        handler(turn, subject.leg, event.request, event.edge)

    return handle


def _refused(status: int, reason: str) -> Handler:
    def handle(turn: Turn, event: edge.Event, subject: Subject) -> None:
        assert subject.leg is not None
        midcall.refuse(turn, subject.leg, event.request, event.edge, status, reason)

    return handle


def _repeated_request(turn: Turn, event: edge.Event, subject: Subject) -> None:
    """An open request at another edge: that edge gets the last and all later answers."""
    transaction = turn.transaction(event.request.transaction)
    if transaction is not None:
        _join(turn, transaction, event)


def _reinvite_cancelled(turn: Turn, event: edge.Event, subject: Subject) -> None:
    assert subject.relay is not None
    midcall.reinvite_cancelled(turn, subject.relay, event.request, event.edge)
    if subject.relay.HasField("replaced"):
        replacing.refused(turn, turn.call.legs[subject.relay.from_leg], 487)


def _relay_request(
    handler: Callable[[Turn, record.Relay, edge.RequestEvent, edge.EdgeRef], None],
) -> Handler:
    def handle(turn: Turn, event: edge.Event, subject: Subject) -> None:
        assert subject.relay is not None
        handler(turn, subject.relay, event.request, event.edge)

    return handle


def _relay_response(handler: Callable[[Turn, record.Relay, edge.ResponseEvent], None]) -> Handler:
    def handle(turn: Turn, event: edge.Event, subject: Subject) -> None:
        assert subject.relay is not None
        handler(turn, subject.relay, event.response)

    return handle


_NO_DIALOG = _refused(481, "Call Leg/Transaction Does Not Exist")
_OLD = _refused(500, "Server Internal Error")
_GONE = _refused(500, "Disconnected")
_PENDING = _refused(491, "Request Pending")
_HUNG_UP = _in_dialog(transfer.hung_up)


def _bye_after_end(turn: Turn, event: edge.Event, subject: Subject) -> None:
    """Both hang up, or a peer that still waited for its BYE does: nothing more is owed to it then."""
    assert subject.leg is not None
    midcall.refuse(turn, subject.leg, event.request, event.edge, 200, "OK")
    if subject.leg.state == record.LEG_STATE_CONFIRMED:
        release.leave(turn, subject.leg, event.request)


def _bye_before_the_answer(turn: Turn, event: edge.Event, subject: Subject) -> None:
    """Of a callee: one whose answer is held may hang up, one that never answered has no dialog to end."""
    assert subject.leg is not None
    _BYE_BEFORE_THE_ANSWER.get(subject.leg.state, _NO_DIALOG)(turn, event, subject)


_BYE_BEFORE_THE_ANSWER: Mapping[record.LegState, Handler] = {
    record.LEG_STATE_CONFIRMED: _HUNG_UP,
    record.LEG_STATE_RELEASING: _bye_after_end,
    record.LEG_STATE_ENDED: _bye_after_end,
}


_REPEATED_SUCCESS = _response(answering.answered_again)


def _rows() -> Mapping[tuple[record.CallState, Kind], Handler]:
    rows: dict[tuple[record.CallState, Kind], Handler] = {}

    def row(kind: Kind, handler: Handler, *states: record.CallState) -> None:
        for state in states or STATES:
            rows[state, kind] = handler

    row(Kind.INVITE_AGAIN, _invite_again)
    row(Kind.REPLACING, _replacing, CONFIRMED)
    # A dialog that is not up yet was begun by the other side, or leads to somebody who may still refuse.
    row(Kind.REPLACING, _not_replaced(*replacing.NO_DIALOG), *_UNANSWERED)
    row(Kind.REPLACING, _not_replaced(*replacing.PENDING), ANSWERED)
    row(Kind.REPLACING, _not_replaced(*replacing.DECLINED), ENDED)
    row(Kind.CANCEL, _cancelled, *_UNANSWERED)
    row(Kind.CANCEL, _cancel_too_late, ANSWERED, CONFIRMED, ENDED)
    row(Kind.SELF_CANCELLED, _self_cancelled, *_UNANSWERED, ANSWERED)
    row(Kind.EARLY_BYE, _early_bye, *_UNANSWERED)
    row(Kind.PROVISIONAL, _response(answering.provisional), *_UNANSWERED)
    row(Kind.SUCCESS, _response(answering.answered), *_UNANSWERED)
    row(Kind.SUCCESS, _response(answering.answered_late), *_UP, ENDED)
    row(Kind.LATE_SUCCESS, _response(answering.answered_late))
    row(Kind.SUCCESS_AGAIN, _REPEATED_SUCCESS)
    row(Kind.FAILURE, _response(hunting.failed), *_UNANSWERED)
    row(Kind.FAILURE, _response(answering.failed_late), *_UP, ENDED)
    row(Kind.LATE_FAILURE, _response(answering.failed_late))
    row(Kind.TARGET_PROVISIONAL, _response(transfer_connect.provisional), CONFIRMED)
    row(Kind.TARGET_SUCCESS, _response(transfer_connect.answered), CONFIRMED)
    row(Kind.TARGET_FAILURE, _response(hunting.failed), CONFIRMED)
    row(Kind.ACK, _ack, ANSWERED)
    row(Kind.ACK, _ack_after_end, ENDED)
    row(Kind.PRACK_MISSING, _prack_missing, *_UNANSWERED)
    row(Kind.ACK_MISSING, _ack_missing, ANSWERED, ENDED)
    row(Kind.ACK_MISSING, _reinvite_unacknowledged, CONFIRMED)
    row(Kind.BYE, _HUNG_UP, *_UP)
    row(Kind.BYE, _bye_before_the_answer, *_UNANSWERED)
    row(Kind.BYE, _bye_after_end, ENDED)
    row(Kind.STRANGER, _NO_DIALOG)
    row(Kind.LATE_CANCEL, _cancel_too_late)
    row(Kind.REINVITE, _in_dialog(midcall.reinvited), CONFIRMED)
    row(Kind.REINVITE, _PENDING, *_UNANSWERED, ANSWERED)
    row(Kind.RELAYED_REQUEST, _in_dialog(midcall.relayed), *_UP)
    row(Kind.OPTIONS, _in_dialog(midcall.options), *_UP)
    row(Kind.OTHER_REQUEST, _in_dialog(midcall.unsupported), *_UP)
    row(Kind.UPDATE, _in_dialog(midcall.updated), *_UNANSWERED, *_UP)
    row(Kind.PRACK, _in_dialog(reliable.acknowledged), *_UNANSWERED, *_UP)
    row(Kind.REFER, _in_dialog(transfer.referred), *_UP)
    for kind in (Kind.RELAYED_REQUEST, Kind.OPTIONS, Kind.OTHER_REQUEST, Kind.REFER):
        row(kind, _NO_DIALOG, *_UNANSWERED)
        row(kind, _GONE, ENDED)
    for kind in (Kind.REINVITE, Kind.UPDATE, Kind.PRACK):
        row(kind, _GONE, ENDED)
    row(Kind.OWN_PROVISIONAL, _relay_response(own_answers.provisional))
    row(Kind.OWN_SUCCESS, _relay_response(own_answers.accepted))
    row(Kind.OWN_FAILURE, _relay_response(own_answers.refused))
    row(Kind.REPEATED_REQUEST, _repeated_request)
    row(Kind.OLD_REQUEST, _OLD)
    row(Kind.RELEASED_LEG, _NO_DIALOG, *_UNANSWERED, *_UP)
    row(Kind.RELEASED_LEG, _GONE, ENDED)
    row(Kind.REINVITE_CANCEL, _reinvite_cancelled, *_UP)
    row(Kind.REINVITE_ACK, _relay_request(midcall_answers.reinvite_acknowledged), *_UP)
    row(Kind.RELAY_PROVISIONAL, _relay_response(midcall_answers.relay_provisional), *_UNANSWERED, *_UP)
    row(Kind.RELAY_SUCCESS, _relay_response(midcall_answers.relay_accepted), *_UNANSWERED, *_UP)
    row(Kind.RELAY_FAILURE, _relay_response(midcall_answers.relay_refused), *_UNANSWERED, *_UP)
    row(Kind.STRAY_SUCCESS, _response(midcall_answers.acknowledge_stray))
    row(Kind.AUTHORIZED, _authorized, ROUTING)
    row(Kind.DISCONNECT, _disconnect, *_UNANSWERED, *_UP)
    row(Kind.REQUEST_FINAL, _response(upkeep.request_final))
    return rows


CALL_TABLE = _rows()

#: Pairs that mean nothing: the event comes too late or too early to change anything.
IGNORED = frozenset(
    {(state, Kind.NOTHING) for state in STATES}
    | {(state, Kind.AUTHORIZED) for state in STATES if state != ROUTING}
    | {(ENDED, Kind.DISCONNECT)}
    | {(state, Kind.SELF_CANCELLED) for state in (CONFIRMED, ENDED)}
    | {(state, Kind.EARLY_BYE) for state in (ANSWERED, CONFIRMED, ENDED)}
    | {(state, Kind.PROVISIONAL) for state in (ANSWERED, CONFIRMED, ENDED)}
    # Only an answered and acknowledged call is transferred.
    | {
        (state, kind)
        for state in (*_UNANSWERED, ANSWERED, ENDED)
        for kind in (Kind.TARGET_PROVISIONAL, Kind.TARGET_SUCCESS, Kind.TARGET_FAILURE)
    }
    | {(state, Kind.ACK) for state in (*_UNANSWERED, CONFIRMED)}
    | {(state, Kind.PRACK_MISSING) for state in (*_UP, ENDED)}
    | {(state, Kind.ACK_MISSING) for state in _UNANSWERED}
    | {(state, kind) for state in (*_UNANSWERED, ENDED) for kind in (Kind.REINVITE_CANCEL, Kind.REINVITE_ACK)}
    | {(ENDED, kind) for kind in (Kind.RELAY_PROVISIONAL, Kind.RELAY_SUCCESS, Kind.RELAY_FAILURE)}
)


#: Responses that may be the first to tell how their request left.
_TELL_SENT = frozenset(
    {Kind.PROVISIONAL, Kind.TARGET_PROVISIONAL, Kind.RELAY_PROVISIONAL, Kind.OWN_PROVISIONAL}
)


def _keep_sent(turn: Turn, subject: Subject, sent: edge.Sent) -> None:
    """Keep what a SentEvent has not told already: it may have been lost with a pod."""
    holder = subject.relay or subject.leg
    if holder is not None and not holder.HasField("sent"):
        upkeep.store_sent(turn, sent)


def apply(turn: Turn, event: edge.Event, what: str | None, fingerprint: int, leg_index: int) -> Kind:
    """Apply one event to the call of a turn and return what it meant.

    `what` is the field of the event that is set. `fingerprint` names it (edge, boot, id); one that the record
    has seen changes nothing and makes every debt be issued at once. `leg_index`: which leg its tag or branch
    names, or -1.
    """
    call = turn.call
    seen = call.seen_events
    if fingerprint in seen[:]:
        upkeep.reissue_all(turn)
        return Kind.NOTHING
    refusal: NotAcceptable | None = None
    if turn.policy.allowed_codecs is not None:
        try:
            event = media.screened_event(event, turn.policy.allowed_codecs)
        except NotAcceptable as error:
            refusal = error
    subject = classify(turn, event, what, leg_index)
    kind = subject.kind
    if kind in _TELL_SENT and event.response.HasField("sent"):
        _keep_sent(turn, subject, event.response.sent)
    handler = CALL_TABLE.get((call.state, kind))
    if refusal is not None and kind in PROHIBITED and call.state != ENDED:
        PROHIBITED[kind](turn, event, subject, refusal)
    elif handler is not None:
        handler(turn, event, subject)
    if turn.changed:
        seen.append(fingerprint)
        if len(seen) > _REMEMBERED_EVENTS:
            del seen[0]
    return kind


def apply_order(turn: Turn, subject: Subject) -> None:
    """Apply what is not told by an edge: the reply of an authorisation, an order to disconnect."""
    handler = CALL_TABLE.get((turn.call.state, subject.kind))
    if handler is not None:
        handler(turn, edge.Event(), subject)
