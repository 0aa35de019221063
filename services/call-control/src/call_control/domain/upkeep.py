"""What happens by itself: proofs of debts, their repetition, the call's own timers."""

from __future__ import annotations

from collections.abc import Collection, Container

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import release
from call_control.domain.midcall import expire_relay, relay_of_branch
from call_control.domain.party import LOCAL_HOST
from call_control.domain.setup import fail_call, hunt
from call_control.domain.turn import Turn, same_request

_SETTING_UP = (record.CALL_STATE_TRYING, record.CALL_STATE_RINGING)
_UNFINISHED_LEG = (
    record.LEG_STATE_INVITING,
    record.LEG_STATE_PROCEEDING,
    record.LEG_STATE_CANCELLING,
)


def store_sent(turn: Turn, sent: edge.Sent) -> None:
    """Keep how a request left, and count its debt as paid if that is its proof."""
    call = turn.call
    for leg in call.legs:
        if leg.index and leg.invite_branch and same_request(leg.invite_branch, sent.branch):
            leg.sent.CopyFrom(sent)
            leg.edge.CopyFrom(sent.edge)
            leg.listener = sent.listener
            leg.flow = sent.flow
            leg.local_uri = leg.local_uri.replace(LOCAL_HOST, sent.local_host)
            _pay_sent(turn, sent.branch)
            for debt in call.debts:
                if debt.command.cancel.branch and same_request(debt.command.cancel.branch, sent.branch):
                    debt.command.cancel.sent.CopyFrom(sent)
            turn.changed = True
            return
    relay = relay_of_branch(call, sent.branch)
    if relay is not None:
        relay.sent.CopyFrom(sent)
        turn.changed = True


def _pay_sent(turn: Turn, branch: str) -> None:
    position = turn.debt_of_branch(branch)
    if position is not None and turn.call.debts[position].proof == record.PROOF_SENT:
        turn.pay((position,))


def pay_done(turn: Turn, ids: Collection[int]) -> None:
    """Count the debts as paid that an edge reports as carried out."""
    call = turn.call
    paid, answered = [], []
    for position, debt in enumerate(call.debts):
        if debt.id in ids and debt.proof == record.PROOF_DONE:
            paid.append(position)
            answered.append(debt.command.respond.transaction)
    turn.pay(paid)
    if call.state != record.CALL_STATE_ENDED:
        for reference in answered:
            _close_if_final(turn, reference)


def _close_if_final(turn: Turn, reference: str) -> None:
    """A confirmed final answer ends its transaction; that of the opening INVITE waits for its ACK."""
    transaction = turn.transaction(reference) if reference else None
    if transaction is not None and transaction.answer.status >= 200 and transaction.origin_in_dialog:
        turn.close_transaction(reference)


def request_final(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """The final answer to our BYE: whatever it is, the leg is over."""
    position = turn.debt_of_branch(response.branch)
    if position is not None:
        turn.pay((position,))
    if leg.state == record.LEG_STATE_RELEASING:
        leg.state = record.LEG_STATE_ENDED
        turn.changed = True


# -- timers --------------------------------------------------------------------------------------


def on_timer(turn: Turn, absent_edges: Container[str]) -> None:
    """Do what is due: the call's timers first, then debts that are unproved for too long.

    `absent_edges` are the ids of edges that were away for longer than the policy allows.
    """
    call, now = turn.call, turn.now
    if _due(call.answer_by_ms, now):
        release.expire_unanswered(turn)
    if _due(call.ack_by_ms, now):
        release.expire_unacknowledged(turn)
    if _due(call.watch_at_ms, now):
        _watch(turn, absent_edges)
    if _due(call.reap_by_ms, now):
        release.reap(turn)
    for relay in [relay for relay in call.relays if _due(relay.ack_by_ms, now)]:
        expire_relay(turn, relay)
    _reissue_due(turn)


def _due(deadline: int, now: int) -> bool:
    return 0 < deadline <= now


def _watch(turn: Turn, absent_edges: Container[str]) -> None:
    """Give an attempt up whose edge stays away: it fails over as after a 408 (design.md 5)."""
    call = turn.call
    call.watch_at_ms = turn.now + turn.policy.edge_absence_ms
    turn.changed = True
    for leg in call.legs[1:]:
        if leg.state in _UNFINISHED_LEG and leg.edge.edge_id in absent_edges:
            release.release_leg(turn, leg)
            if call.state in _SETTING_UP and not hunt(turn):
                fail_call(turn, 408, "Request Timeout")
            return


def _reissue_due(turn: Turn) -> None:
    """Issue again what is unproved for too long, each time after twice the wait; drop the hopeless."""
    policy, expired = turn.policy, []
    for position, debt in enumerate(turn.call.debts):
        if debt.deadline_ms > turn.now:
            continue
        turn.changed = True
        left = debt.expires_ms - turn.now
        if left <= 0 and not _endless(debt):
            expired.append(position)
            continue
        turn.issue(debt)
        age = policy.ack_timeout_ms + policy.debt_retry_ms - left
        wait = max(policy.debt_retry_ms, min(age, policy.ack_timeout_ms))
        debt.deadline_ms = turn.now + (wait if _endless(debt) else min(wait, left))
    _give_up(turn, expired)


def _endless(debt: record.Debt) -> bool:
    """A re-INVITE lasts as long as its client transaction does; its edge tells the end."""
    return debt.proof == record.PROOF_FINAL and debt.command.send_request.method == "INVITE"


def _give_up(turn: Turn, positions: list[int]) -> None:
    """Nobody proved these within 64*T1: no peer waits for them any more."""
    for position in positions:
        command = turn.call.debts[position].command
        if command.send_request.method == "INVITE":
            _lose_attempt(turn, command.send_request.branch)
    turn.pay(positions)


def _lose_attempt(turn: Turn, branch: str) -> None:
    """An INVITE that no edge could send: the attempt fails as after a 408."""
    for leg in turn.call.legs:
        if leg.index and leg.state == record.LEG_STATE_INVITING and same_request(leg.invite_branch, branch):
            leg.state = record.LEG_STATE_ENDED
            if turn.call.state in _SETTING_UP and not hunt(turn):
                fail_call(turn, 408, "Request Timeout")


def reissue_all(turn: Turn) -> None:
    """A repeated event: its effects may have been lost with a pod, so issue every debt at once."""
    for debt in turn.call.debts:
        turn.issue(debt)


# -- deadlines and the end -----------------------------------------------------------------------


def next_deadline(call: record.Call) -> int | None:
    """Return when the call wants to be looked at, in milliseconds of the store's clock."""
    deadlines = [call.answer_by_ms, call.ack_by_ms, call.watch_at_ms, call.reap_by_ms]
    if call.relays:
        deadlines += [relay.ack_by_ms for relay in call.relays]
    deadlines += [debt.deadline_ms for debt in call.debts]
    return min(filter(None, deadlines), default=None)


def is_over(call: record.Call) -> bool:
    """Tell whether nothing is owed and nothing is awaited any more: the record may go."""
    return call.state == record.CALL_STATE_ENDED and not call.debts and not call.ack_by_ms


def tombstone(call: record.Call) -> record.Tombstone:
    """Return what is remembered of an ended call: its last answers, without bodies."""
    stone = record.Tombstone(key=call.key, version=call.version, final_status=call.final_status)
    for transaction in call.transactions:
        if transaction.answer.status >= 200:
            stone.answers.add(
                transaction=transaction.transaction,
                status=transaction.answer.status,
                reason=transaction.answer.reason,
                to_tag=transaction.answer.to_tag,
            )
    return stone
