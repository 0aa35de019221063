"""What happens by itself: proofs of debts, their repetition, the call's own timers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import (
    authentication,
    authorization,
    hunting,
    keepalive,
    midcall_answers,
    own_answers,
    relays,
    release,
    session,
    timers,
    transfer_connect,
)
from call_control.domain.party import LOCAL_HOST
from call_control.domain.turn import Turn, lifetime_of_request, same_request

_NEVER = 1 << 62
_CURRENT = (record.LEG_STATE_INVITING, record.LEG_STATE_PROCEEDING)


def store_sent(turn: Turn, sent: edge.Sent) -> None:
    """Keep how a request left, and count its debt as paid if that is its proof."""
    call, branch = turn.call, sent.branch
    for leg in call.legs[1:]:
        if leg.invite_branch and same_request(leg.invite_branch, branch):
            leg.sent.CopyFrom(sent)
            leg.edge.CopyFrom(sent.edge)
            leg.listener = sent.listener
            leg.flow = sent.flow
            leg.local_uri = leg.local_uri.replace(LOCAL_HOST, sent.local_host)
            _pay_sent(turn, branch)
            for debt in call.debts[:]:
                cancel = debt.command.cancel
                if cancel.branch and same_request(cancel.branch, branch):
                    cancel.sent.CopyFrom(sent)
            turn.changed = True
            return
    relay = relays.of_branch(call, branch)
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
    for position, debt in enumerate(call.debts[:]):
        if debt.proof == record.PROOF_DONE and debt.id in ids:
            paid.append(position)
            answered.append(debt.command.respond.transaction)
    if not paid:
        return
    turn.pay(paid)
    if call.state != record.CALL_STATE_ENDED:
        for reference in answered:
            _close_if_final(turn, reference)


def _close_if_final(turn: Turn, reference: str) -> None:
    """A confirmed final answer ends its transaction; that of the opening INVITE waits for its ACK."""
    transaction = turn.transaction(reference) if reference else None
    if transaction is None or transaction.answer.status < 200:
        return
    if transaction.origin_in_dialog or transaction.leg:
        turn.close_transaction(reference)


def request_final(turn: Turn, leg: record.Leg, response: edge.ResponseEvent) -> None:
    """The final answer to our BYE: a challenge is answered once, else the leg is over whatever it is.

    Or to a request that was given up with the call: an INVITE needs no CANCEL any more.
    """
    if response.method == "INVITE":
        turn.settle_cancel(response.branch)
        return
    if authentication.retry(turn, leg, response.branch, response) is not None:
        return
    position = turn.debt_of_branch(response.branch)
    if position is not None:
        turn.pay((position,))
    if leg.state == record.LEG_STATE_RELEASING and response.method == "BYE":
        leg.state = record.LEG_STATE_ENDED
        turn.changed = True


# -- timers --------------------------------------------------------------------------------------


class Absences(Protocol):
    """What the process knows of edges that are not there as they were."""

    def is_away(self, ref: edge.EdgeRef) -> bool:
        """Whether the edge was away for longer than the policy allows."""

    def has_forgotten(self, ref: edge.EdgeRef) -> bool:
        """Whether the edge is there, but has lost the transactions that it had under this boot epoch."""


def on_timer(turn: Turn, absences: Absences) -> None:
    """Do what is due: the call's timers first, then debts that are unproved for too long."""
    call, now = turn.call, turn.now
    if _due(call.answer_by_ms, now):
        release.expire_unanswered(turn)
    if _due(call.ack_by_ms, now):
        release.expire_unacknowledged(turn)
    if _due(call.watch_at_ms, now):
        _watch(turn, absences)
    if _due(call.reap_by_ms, now):
        release.reap(turn)
    for relay in [relay for relay in call.relays[:] if _due(relay.ack_by_ms, now)]:
        midcall_answers.expire_relay(turn, relay)
    for timer in timers.take_due(call, now) if call.timers else ():
        turn.changed = True
        _EXPIRED[timer.kind](turn, call.legs[timer.leg], timer.at_ms)
    _reissue_due(turn)


#: What each timer of some calls does when it runs out.
_EXPIRED: Mapping[record.TimerKind, Callable[[Turn, record.Leg, int], None]] = {
    record.TIMER_KIND_NO_REPLY: hunting.attempt_expired,
    record.TIMER_KIND_NO_PROGRESS: hunting.attempt_expired,
    record.TIMER_KIND_NO_ANSWER: hunting.attempt_expired,
    record.TIMER_KIND_GROUP: hunting.group_expired,
    record.TIMER_KIND_CREDIT: release.credit_used_up,
    record.TIMER_KIND_KEEPALIVE: keepalive.due,
    record.TIMER_KIND_KEEPALIVE_GRACE: keepalive.grace_over,
    record.TIMER_KIND_SESSION_REFRESH: session.refresh_due,
    record.TIMER_KIND_SESSION_EXPIRED: session.expired,
    record.TIMER_KIND_TRANSFER_LIMIT: transfer_connect.limit_reached,
    record.TIMER_KIND_TRANSFER_OFFER: transfer_connect.offer_due,
}


def _due(deadline: int, now: int) -> bool:
    return 0 < deadline <= now


def _watch(turn: Turn, absences: Absences) -> None:
    """Give an attempt up whose edge stays away: it fails over as after a 408.

    An edge that was started anew before anything was heard sends the INVITE again, under the same branch:
    otherwise nobody would repeat it, and no timer B would end it.
    """
    call = turn.call
    call.watch_at_ms = turn.now + turn.policy.edge_absence_ms
    turn.changed = True
    for leg in call.legs[1:]:
        unheard = leg.state == record.LEG_STATE_INVITING and leg.HasField("sent")
        if unheard and absences.has_forgotten(leg.sent.edge):
            hunting.repeat_invite(turn, leg)
        if leg.state in _CURRENT and absences.is_away(leg.edge):
            hunting.abandon(turn, leg)
            if hunting.hunts(call) and not hunting.hunt(turn):
                hunting.fail_call(turn, 408, "Request Timeout")
            return


def _reissue_due(turn: Turn) -> None:
    """Issue again what is unproved for too long, first after twice the wait each time; drop the hopeless."""
    policy, expired = turn.policy, []
    for position, debt in enumerate(turn.call.debts[:]):
        if debt.deadline_ms > turn.now:
            continue
        turn.changed = True
        left = debt.expires_ms - turn.now
        if left <= 0:
            expired.append(position)
            continue
        _issue(turn, debt)
        age = lifetime_of_request(policy, debt.command.send_request.method, debt.proof) - left
        debt.deadline_ms = turn.now + min(max(policy.debt_retry_ms, age), policy.debt_retry_most_ms, left)
    _give_up(turn, expired)


def _issue(turn: Turn, debt: record.Debt) -> None:
    """Emit what a debt owes once more."""
    if debt.authorize_request_id:
        authorization.ask_again(turn)
    else:
        turn.issue(debt)


def _give_up(turn: Turn, positions: list[int]) -> None:
    """Nobody proved these within 64*T1: no peer waits for them any more."""
    lost: list[tuple[str, str]] = []
    cancelled: list[str] = []
    unconfirmed: list[str] = []
    if any(turn.call.debts[position].authorize_request_id for position in positions):
        authorization.expired(turn)
        return
    for position in positions:
        command = turn.call.debts[position].command
        lost.append((command.send_request.branch, command.send_request.method))
        cancelled.append(command.cancel.branch)
        unconfirmed.append(command.respond.transaction)
    turn.pay(positions)
    if turn.call.state != record.CALL_STATE_ENDED:
        for reference in unconfirmed:
            _close_if_final(turn, reference)
    for relay in [relays.of_branch(turn.call, branch) for branch in cancelled if branch]:
        # Nobody tells what became of a re-INVITE that was taken back: others may follow it now.
        if relay is not None:
            turn.call.relays.remove(relay)
    for branch, method in lost:
        relay = relays.of_branch(turn.call, branch) if branch else None
        if relay is not None:
            _lose_request(turn, relay)
        elif method == "INVITE":
            _lose_attempt(turn, branch)


def _lose_request(turn: Turn, relay: record.Relay) -> None:
    """A request inside a dialog that no edge told the end of: as after a 408."""
    timeout = edge.ResponseEvent(
        branch=relay.branch, status=408, reason="Request Timeout", method=relay.method, local=True
    )
    answers = own_answers.refused if relay.purpose else midcall_answers.relay_refused
    answers(turn, relay, timeout)


def _lose_attempt(turn: Turn, branch: str) -> None:
    """An INVITE that no edge could send: the attempt fails as after a 408."""
    for leg in turn.call.legs[:]:
        if leg.index and leg.state == record.LEG_STATE_INVITING and same_request(leg.invite_branch, branch):
            hunting.end_attempt(turn, leg, 408)
            if hunting.hunts(turn.call) and not hunting.hunt(turn):
                hunting.fail_call(turn, 408, "Request Timeout")


def reissue_all(turn: Turn) -> None:
    """A repeated event: its effects may have been lost with a pod, so issue every debt at once."""
    for debt in turn.call.debts[:]:
        _issue(turn, debt)


# -- deadlines and the end -----------------------------------------------------------------------


def next_deadline(call: record.Call) -> int | None:
    """Return when the call wants to be looked at, in milliseconds of the store's clock."""
    earliest = call.reap_by_ms or _NEVER
    for at_ms in (call.answer_by_ms, call.ack_by_ms, call.watch_at_ms):
        if 0 < at_ms < earliest:
            earliest = at_ms
    for debt in call.debts[:]:
        at_ms = debt.deadline_ms
        if 0 < at_ms < earliest:
            earliest = at_ms
    for relay in call.relays[:]:
        if 0 < relay.ack_by_ms < earliest:
            earliest = relay.ack_by_ms
    for timer in call.timers[:]:
        if 0 < timer.at_ms < earliest:
            earliest = timer.at_ms
    return earliest if earliest < _NEVER else None


def is_over(call: record.Call) -> bool:
    """Tell whether nothing is owed and nothing is awaited any more: the record may go."""
    return call.state == record.CALL_STATE_ENDED and not call.debts and not call.ack_by_ms


def tombstone(call: record.Call) -> record.Tombstone:
    """Return what is remembered of an ended call: its last answers, without bodies."""
    stone = record.Tombstone()
    stone.key = call.key
    stone.version = call.version
    stone.final_status = call.final_status
    for transaction in call.transactions[:]:
        answer = transaction.answer
        if answer.status >= 200:
            kept = stone.answers.add()
            kept.transaction = transaction.transaction
            kept.status = answer.status
            kept.reason = answer.reason
            kept.to_tag = answer.to_tag
    return stone
