"""Redis is away, or comes back empty: talking goes on, hanging up works, new calls are refused."""

from __future__ import annotations

import itertools

import pytest

from support.processes import wait_until
from support.scenes import Scene
from support.ua import CalleeCall, Caller, Endpoint, compose


def bring_redis_back(scene: Scene) -> None:
    """Start Redis again, and wait until the edge says by its answer to OPTIONS that it takes calls."""
    scene.stack.restart("redis")
    probe, numbers = Endpoint(), itertools.count()
    try:
        wait_until(lambda: ask(probe, scene, next(numbers)) == 200, timeout=20, what="calls are taken again")
    finally:
        probe.close()


def ask(probe: Endpoint, scene: Scene, number: int) -> int:
    """Return the status of the edge's answer to OPTIONS."""
    call_id = f"probe-{number}-{probe.port}"
    headers = [
        ("Via", f"SIP/2.0/UDP {probe.hostport};branch=z9hG4bK{call_id}"),
        ("From", f"<sip:probe@{probe.hostport}>;tag=probe"),
        ("To", "<sip:edge@127.0.0.1>"),
        ("Call-ID", call_id),
        ("CSeq", "1 OPTIONS"),
        ("Max-Forwards", "70"),
    ]
    request = compose("OPTIONS sip:edge@127.0.0.1 SIP/2.0", headers)
    probe.send(request, scene.edge())
    answer = probe.take(
        lambda message: message.call_id == call_id,
        "answer to OPTIONS",
        timeout=10,
        repeat=lambda: probe.send(request, scene.edge()),
    )
    return answer.status


def established(scene: Scene) -> tuple[Caller, CalleeCall]:
    """Return a call that is up."""
    caller = scene.caller()
    caller.invite()
    call = scene.callee.call(caller)
    call.ring()
    caller.hear_status(180)
    call.pick_up()
    caller.hear_status(200)
    caller.acknowledge()
    call.hear_ack()
    return caller, call


@pytest.mark.parametrize("hanging_up", ["caller", "callee"])
def test_hanging_up_works_while_redis_is_away(scene: Scene, hanging_up: str) -> None:
    caller, call = established(scene)
    scene.stack.kill("redis")
    first, second = (caller, call) if hanging_up == "caller" else (call, caller)
    bye = first.begin("BYE")
    first.settle(bye)
    second.hear_bye()
    bring_redis_back(scene)
    scene.assert_all_over()


def test_new_calls_are_refused_while_redis_is_away(scene: Scene) -> None:
    scene.stack.kill("redis")
    caller = scene.caller()
    caller.invite()
    refusal = caller.hear_status(503)
    assert int(refusal.header("retry-after")) > 0
    caller.acknowledge_failure(refusal)
    bring_redis_back(scene)
    scene.assert_all_over()


def test_a_call_outlives_a_redis_that_comes_back_empty(scene: Scene) -> None:
    caller, call = established(scene)
    scene.stack.redis.flushall()
    invite = caller.begin("INVITE", body="v=0\r\ns=again\r\n")
    asked = call.hear("INVITE")
    call.answer(asked, 200, "OK", body="v=0\r\ns=yes\r\n")
    caller.settle(invite)
    bye = call.begin("BYE")
    call.settle(bye)
    caller.hear_bye()
    scene.assert_all_over()
