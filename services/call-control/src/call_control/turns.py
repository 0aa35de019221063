"""What one turn does to the record of a call, and what becomes of a call whose turn raises."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable
from functools import lru_cache

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain import midcall, opening, release, table, upkeep
from call_control.domain.kinds import Kind, Subject
from call_control.domain.turn import Turn
from svckit.identity import Identity

DISCONNECT = Subject(Kind.DISCONNECT)

#: Requests that nobody can refuse.
_UNREFUSABLE = frozenset({"ACK", "CANCEL"})


def advance(
    turn: Turn,
    identity: Identity,
    *,
    sents: Iterable[edge.Sent],
    done: Collection[int],
    events: Collection[edge.Event],
    absences: upkeep.Absences | None,
    over: bool = False,
    orders: Iterable[Subject] = (),
) -> None:
    """Apply all that waits for a call: proofs, events, orders, and with `absences` what is due.

    A call that is `over` already ends before anything else.
    """
    for sent in sents:
        upkeep.store_sent(turn, sent)
    if done:
        upkeep.pay_done(turn, done)
    # Proofs ride on commits that happen anyway: beside an event they do not cause one.
    turn.changed = turn.changed and (absences is not None or not events)
    if over:
        table.apply_order(turn, DISCONNECT)
    for event in events:
        _apply(turn, event, identity)
    for order in orders:
        table.apply_order(turn, order)
    if absences is not None:
        upkeep.on_timer(turn, absences)
        # Only a commit moves a deadline: without one the call would be woken each second for ever.
        turn.changed = True


def _apply(turn: Turn, event: edge.Event, identity: Identity) -> None:
    call = turn.call
    if not call.key:
        opening.open_call(turn, event)
        call.seen_events.append(fingerprint(event))
        return
    what = event.WhichOneof("kind")
    if what == "sent":
        upkeep.store_sent(turn, event.sent.sent)
    else:
        table.apply(turn, event, what, fingerprint(event), _leg_of(event, what, identity))


def end_failed(turn: Turn, identity: Identity, events: Iterable[edge.Event]) -> None:
    """End a call whose turn raised: 500 to whoever waits for an answer, both legs are released."""
    for event in events:
        request = event.request
        refusable = event.WhichOneof("kind") == "request" and request.origin.method not in _UNREFUSABLE
        leg = turn.leg(leg_of(event, identity)) if refusable else None
        if leg is not None and turn.transaction(request.transaction) is None:
            midcall.refuse(turn, leg, request, event.edge, 500, "Server Internal Error")
        turn.call.seen_events.append(fingerprint(event))
    release.disconnect(turn)
    turn.changed = True


def bury(turn: Turn) -> None:
    """Let go of a call that cannot even be ended: its peers hear 481 when they speak of it."""
    call = turn.call
    call.state = record.CALL_STATE_ENDED
    call.final_status = 500
    call.ack_by_ms = 0
    del call.debts[:]
    turn.changed = True


def leg_of(event: edge.Event, identity: Identity) -> int:
    """Return the leg that the tag or branch of an event names, or -1."""
    return _leg_of(event, event.WhichOneof("kind"), identity)


def _leg_of(event: edge.Event, what: str | None, identity: Identity) -> int:
    if what == "response":
        branch = identity.read_branch(event.response.branch)
        return branch.leg if branch is not None else -1
    to_tag = event.request.to_tag
    tag = identity.read_tag(to_tag) if to_tag else None
    return tag[1] if tag is not None else -1


def fingerprint(event: edge.Event) -> int:
    """Return 64 bits that name an event: 32 of its edge and boot, 32 of its counter."""
    origin = event.edge
    return _process_bits(origin.edge_id, origin.boot) | (event.id & 0xFFFFFFFF)


@lru_cache(256)
def _process_bits(edge_id: str, boot: int) -> int:
    """Return 32 bits that stand for the process of an edge, shifted to the upper half."""
    return ((zlib.crc32(edge_id.encode()) ^ boot ^ (boot >> 32)) & 0xFFFFFFFF) << 32
