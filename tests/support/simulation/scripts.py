"""What people do in a call: pairs of scripts by name, and how each may end when nothing fails.

To add one, write a function that draws its times from a `Random` and put it into `SCENARIOS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType

from sipcore.testing.builders import sdp
from sipcore.testing.call import Call
from sipcore.testing.script import CallState, Script, Step
from sipcore.uri import Uri, parse_uri
from support.simulation.network import TARGET

#: Policy of the simulated call-control, in seconds; short, so that runs are.
ANSWER_TIMEOUT = 110.0
MAX_CALL = 180.0

_REFUSALS = (404, 480, 486, 500, 503)
_WITHOUT_PART = Script()
_DEAD = Script(trying=False, ring_after=None, answer_after=None, steps=(Step(0.0, Call.vanish, early=True),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Both sides of one call."""

    caller: Script
    callee: Script
    target: Script = _WITHOUT_PART
    """What the one does to whom the call is transferred."""
    statuses: frozenset[int] = frozenset({200})
    """How the caller's INVITE may end."""
    vanishes: bool = False
    """A side stops answering: the other learns of it by timers only."""


# -- steps -----------------------------------------------------------------------------------------


def info(call: Call) -> None:
    """A key is pressed; each one is another."""
    if call.state is CallState.ESTABLISHED:
        call.info(f"Signal={_number(call)}\r\nDuration=160\r\n".encode())


def message(call: Call) -> None:
    """A text is sent; each one is another."""
    if call.state is CallState.ESTABLISHED:
        call.request("MESSAGE", f"text {_number(call)}".encode(), content_type="text/plain")


def reinvite(call: Call) -> None:
    """Another address for the media."""
    _reinvite(call, sdp(port=40_100 + 2 * _number(call), version=3))


def refresh(call: Call) -> None:
    """The same offer as at the beginning."""
    _reinvite(call, None)


def ask_for_offer(call: Call) -> None:
    """A re-INVITE without a body: the other side makes the offer."""
    _reinvite(call, b"")


def hold(call: Call) -> None:
    """Put the other side on hold."""
    _reinvite(call, sdp(version=4, direction="sendonly"))


def resume(call: Call) -> None:
    """Take the other side back."""
    _reinvite(call, sdp(version=5))


def update(call: Call) -> None:
    """Another address for the media, without an INVITE."""
    if call.state is CallState.ESTABLISHED and not call.offering:
        call.update(sdp(port=40_200 + 2 * _number(call), version=6))


def transfer(call: Call) -> None:
    """Ask that the other side has somebody else instead."""
    if call.state is CallState.ESTABLISHED:
        dialled = parse_uri((call.remote if call.is_caller else call.local).strip("<>"))
        assert isinstance(dialled, Uri)
        call.refer(f"sip:{dialled.user}@{TARGET[0]}:{TARGET[1]}")


def _reinvite(call: Call, body: bytes | None) -> None:
    if call.state is CallState.ESTABLISHED and not call.offering:
        call.reinvite(body)


def _number(call: Call) -> int:
    """A number that this side of the call has not used yet."""
    return sum(record.call_id == call.call_id for record in call.agent.records)


# -- scenarios ---------------------------------------------------------------------------------------


def _answered(draw: Random, caller: Script, callee: Script) -> Scenario:
    """A call that is answered; whoever has nothing better to do hangs up."""
    callee = replace(
        callee,
        ring_after=draw.choice((None, 0.0, 0.1, 0.4)),
        ring_status=draw.choice((180, 180, 183)),
        answer_after=draw.choice((0.0, 0.3, 0.5, 1.0, 3.0)),
    )
    return Scenario(caller=caller, callee=callee)


def _hangs_up(draw: Random) -> float:
    return draw.choice((0.0, 0.2, 1.0, 1.0, 4.0, 12.0))


def caller_hangs_up(draw: Random) -> Scenario:
    return _answered(draw, Script(hangup_after=_hangs_up(draw)), Script())


def callee_hangs_up(draw: Random) -> Scenario:
    return _answered(draw, Script(), Script(hangup_after=_hangs_up(draw)))


def both_hang_up(draw: Random) -> Scenario:
    after = _hangs_up(draw)
    return _answered(draw, Script(hangup_after=after), Script(hangup_after=after + draw.choice((0.0, 0.01))))


def refused(draw: Random) -> Scenario:
    status = draw.choice(_REFUSALS)
    callee = Script(ring_after=draw.choice((None, 0.1)), answer_after=draw.choice((0.0, 0.5)), status=status)
    return Scenario(caller=Script(), callee=callee, statuses=frozenset({status}))


def rings_for_ever(draw: Random) -> Scenario:
    return Scenario(caller=Script(), callee=Script(answer_after=None), statuses=frozenset({487}))


def rings_long(draw: Random) -> Scenario:
    return Scenario(caller=Script(hangup_after=1.0), callee=Script(answer_after=draw.uniform(10.0, 20.0)))


def cancelled_ringing(draw: Random) -> Scenario:
    caller = Script(cancel_after=draw.choice((1.0, 2.0, 6.0)))
    return Scenario(caller=caller, callee=Script(answer_after=None), statuses=frozenset({487}))


def cancelled_at_once(draw: Random) -> Scenario:
    callee = Script(ring_after=None, answer_after=draw.choice((None, 5.0)))
    return Scenario(
        caller=Script(cancel_after=draw.choice((0.0, 0.02))), callee=callee, statuses=frozenset({487, 200})
    )


def cancel_crosses_answer(draw: Random) -> Scenario:
    answer = draw.choice((0.0, 0.2, 0.5))
    caller = Script(cancel_after=max(0.0, answer + draw.uniform(-0.05, 0.05)), hangup_after=1.0)
    return Scenario(caller=caller, callee=Script(answer_after=answer), statuses=frozenset({200, 487}))


def cancelled_any_time(draw: Random) -> Scenario:
    caller = Script(cancel_after=draw.uniform(0.0, 4.0), hangup_after=draw.uniform(0.0, 2.0))
    callee = Script(ring_after=draw.uniform(0.0, 1.0), answer_after=draw.uniform(0.0, 4.0))
    return Scenario(caller=caller, callee=callee, statuses=frozenset({200, 487}))


def hangs_up_early(draw: Random) -> Scenario:
    caller = Script(
        steps=(Step(draw.uniform(0.2, 3.0), Call.hang_up_early, early=True),),
        cancel_after=6.0,
        hangup_after=1.0,
    )
    # A BYE that crosses a 2xx which is lost leaves the caller without one: we take it for the ACK.
    callee = Script(answer_after=draw.choice((None, 20.0)))
    return Scenario(caller=caller, callee=callee, statuses=frozenset({200, 487}))


def late_offer(draw: Random) -> Scenario:
    return _answered(draw, Script(offer=b"", hangup_after=_hangs_up(draw)), Script())


def talks(draw: Random) -> Scenario:
    """Requests inside the dialog from either side, some of them at the same time."""
    return _answered(
        draw, Script(steps=_talk(draw), hangup_after=draw.choice((3.0, 8.0))), Script(steps=_talk(draw))
    )


def _talk(draw: Random) -> tuple[Step, ...]:
    what = (info, info, message, reinvite, refresh, ask_for_offer, hold, resume)
    when = (0.0, 0.1, 0.5, 0.5, 1.0, 2.0, 2.5)
    return tuple(Step(draw.choice(when), draw.choice(what)) for _ in range(draw.randint(0, 4)))


def glare(draw: Random) -> Scenario:
    steps = (Step(0.5, reinvite),)
    return _answered(draw, Script(steps=steps, hangup_after=15.0), Script(steps=steps))


def holds_and_resumes(draw: Random) -> Scenario:
    steps = (Step(0.5, hold), Step(2.0, resume))
    sides = [Script(steps=steps), Script()]
    draw.shuffle(sides)
    return _answered(draw, replace(sides[0], hangup_after=5.0), sides[1])


def refuses_reinvite(draw: Random) -> Scenario:
    return _answered(
        draw, Script(steps=(Step(0.5, reinvite),), hangup_after=3.0), Script(reinvite_status=488)
    )


def reinvite_crosses_bye(draw: Random) -> Scenario:
    sides = [Script(steps=(Step(1.0, reinvite),)), Script(hangup_after=1.0 + draw.uniform(-0.02, 0.03))]
    draw.shuffle(sides)
    return _answered(draw, *sides)


def caller_vanishes(draw: Random) -> Scenario:
    vanish = Step(draw.uniform(0.0, 3.0), Call.vanish, early=True)
    scenario = _answered(draw, Script(steps=(vanish,)), Script(hangup_after=draw.choice((None, 5.0))))
    return replace(scenario, vanishes=True)


def callee_vanishes(draw: Random) -> Scenario:
    vanish = Step(draw.uniform(0.0, 3.0), Call.vanish, early=True)
    scenario = _answered(
        draw, Script(hangup_after=draw.choice((None, 5.0))), Script(steps=(vanish, Step(1.0, info)))
    )
    return replace(scenario, vanishes=True, statuses=frozenset({200, 408, 487}))


def callee_is_dead(draw: Random) -> Scenario:
    return Scenario(caller=Script(), callee=_DEAD, vanishes=True, statuses=frozenset({408, 487}))


def repeats_invite(draw: Random) -> Scenario:
    """The INVITE comes over a second path while it rings (RFC 3261 8.2.2.2)."""
    repeat = Step(2.0, Call.repeat_in_new_transaction, early=True)
    return Scenario(caller=Script(steps=(repeat,), hangup_after=1.0), callee=Script(answer_after=4.0))


def repeats_request(draw: Random) -> Scenario:
    steps = (Step(0.5, info), Step(draw.choice((0.6, 1.5, 3.0)), Call.repeat_in_new_transaction))
    sides = [Script(steps=steps), Script()]
    draw.shuffle(sides)
    return _answered(draw, replace(sides[0], hangup_after=6.0), sides[1])


def transfers(draw: Random) -> Scenario:
    """One side transfers the other; it hangs up, or waits until it is hung up on."""
    when = draw.choice((0.0, 0.2, 1.0, 2.0))
    waits = draw.choice((None, 0.0, 0.02, 0.3, 0.6, 2.0))
    transferor = Script(steps=(Step(when, transfer),), hangup_after=None if waits is None else when + waits)
    transferee = Script(hangup_after=draw.choice((when, when + 0.3, when + 1.0, 8.0, 8.0, 8.0, 12.0)))
    target = Script(
        ring_after=draw.choice((None, 0.0, 0.1)),
        answer_after=draw.choice((0.0, 0.2, 0.5, 1.0)),
        status=draw.choice((200, 200, 200, 200, *_REFUSALS)),
        hangup_after=draw.choice((None, 0.0, 1.0, 4.0)),
    )
    sides = [transferor, transferee]
    draw.shuffle(sides)
    return replace(_answered(draw, *sides), target=target)


def transfers_while_talking(draw: Random) -> Scenario:
    """Both sides do other things at the same time, and may both transfer."""
    steps = [_talk(draw), (Step(draw.choice((0.0, 0.5, 1.0)), transfer), *_talk(draw))]
    if draw.random() < 0.2:
        steps[0] += (Step(draw.choice((0.5, 1.0)), transfer),)
    draw.shuffle(steps)
    caller = Script(steps=steps[0], hangup_after=draw.choice((4.0, 8.0)))
    scenario = _answered(draw, caller, Script(steps=steps[1], hangup_after=10.0))
    return replace(scenario, target=Script(steps=_talk(draw), hangup_after=draw.choice((None, 2.0))))


def updates(draw: Random) -> Scenario:
    """New offers by UPDATE, also while an INVITE or another UPDATE is under way."""
    what = (update, update, update, reinvite, info)
    sides = [
        Script(
            steps=tuple(Step(draw.choice((0.0, 0.5, 0.5, 1.0)), draw.choice(what)) for _ in range(count)),
            hangup_after=draw.choice((1.0, 5.0)),
        )
        for count in (draw.randint(1, 3), draw.randint(0, 2))
    ]
    draw.shuffle(sides)
    return _answered(draw, *sides)


SCENARIOS: Mapping[str, Callable[[Random], Scenario]] = MappingProxyType(
    {
        function.__name__.replace("_", " "): function
        for function in (
            caller_hangs_up,
            callee_hangs_up,
            both_hang_up,
            refused,
            rings_for_ever,
            rings_long,
            cancelled_ringing,
            cancelled_at_once,
            cancel_crosses_answer,
            cancelled_any_time,
            hangs_up_early,
            late_offer,
            talks,
            glare,
            holds_and_resumes,
            refuses_reinvite,
            reinvite_crosses_bye,
            caller_vanishes,
            callee_vanishes,
            callee_is_dead,
            repeats_invite,
            repeats_request,
            transfers,
            transfers_while_talking,
            updates,
        )
    }
)


def earlier_route(draw: Random, position: int) -> Script:
    """What a callee does that is not the last one of the list: it does not take the call.

    Only the first one may be dead: more of them would use up the patience with the call.
    """
    if not position and draw.random() < 0.2:
        return _DEAD
    return Script(ring_after=draw.choice((None, 0.1)), answer_after=0.2, status=draw.choice(_REFUSALS))
