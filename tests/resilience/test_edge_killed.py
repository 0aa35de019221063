"""SIGKILL of an edge: calls go on through it once it is back on its address, or through another."""

from __future__ import annotations

import pytest

from support.scenes import Scene
from support.ua import CalleeCall, Caller


def ringing(scene: Scene) -> tuple[Caller, CalleeCall]:
    """Return a call that rings."""
    caller = scene.caller()
    caller.invite()
    call = scene.callee.call(caller)
    call.ring()
    caller.hear_status(180)
    return caller, call


def established(scene: Scene) -> tuple[Caller, CalleeCall]:
    """Return a call that is up."""
    caller, call = ringing(scene)
    answer(caller, call)
    return caller, call


def answer(caller: Caller, call: CalleeCall) -> None:
    """Answer and acknowledge."""
    call.pick_up()
    caller.hear_status(200)
    caller.acknowledge()
    call.hear_ack()


def hang_up(first: Caller | CalleeCall, second: Caller | CalleeCall) -> None:
    """End the call from the first side."""
    bye = first.begin("BYE")
    second.hear_bye()
    first.settle(bye)


@pytest.mark.parametrize("hanging_up", ["caller", "callee"])
def test_hanging_up_after_the_edge_is_back(scene: Scene, hanging_up: str) -> None:
    caller, call = established(scene)
    scene.stack.kill("sip-edge")
    scene.stack.restart("sip-edge")
    hang_up(*((caller, call) if hanging_up == "caller" else (call, caller)))
    scene.assert_all_over()


def test_hanging_up_while_the_edge_is_away(scene: Scene) -> None:
    caller, call = established(scene)
    scene.stack.kill("sip-edge")
    bye = caller.begin("BYE")
    scene.stack.restart("sip-edge")
    caller.repeat(bye)
    call.hear_bye()
    caller.settle(bye)
    scene.assert_all_over()


def test_answer_after_the_edge_is_back(scene: Scene) -> None:
    caller, call = ringing(scene)
    scene.stack.kill("sip-edge")
    scene.stack.restart("sip-edge")
    answer(caller, call)
    hang_up(caller, call)
    assert len(scene.callee.invites(caller)) == 1
    assert len(caller.final_tags) == 1
    scene.assert_all_over()


def test_answer_while_the_edge_is_away(scene: Scene) -> None:
    """The callee repeats its 200 until the edge is back and acknowledges."""
    caller, call = ringing(scene)
    scene.stack.kill("sip-edge")
    call.pick_up()
    scene.stack.restart("sip-edge")
    call.hear_ack()
    caller.hear_status(200)
    caller.acknowledge()
    hang_up(call, caller)
    scene.assert_all_over()


def test_busy_after_the_edge_is_back(scene: Scene) -> None:
    caller, call = ringing(scene)
    scene.stack.kill("sip-edge")
    scene.stack.restart("sip-edge")
    call.respond(486, "Busy Here")
    caller.acknowledge_failure(caller.hear_status(486))
    scene.assert_all_over()


@pytest.mark.parametrize("hanging_up", ["caller", "callee"])
def test_other_edge_takes_over(wide_scene: Scene, hanging_up: str) -> None:
    """INVITE through A, its responses to B, A killed: the BYE of each side goes through B."""
    scene = wide_scene
    other = scene.edge(1)
    caller = scene.caller()
    caller.invite()
    call = scene.callee.call(caller)
    call.next_hop = other
    call.ring()
    caller.hear_status(180)
    answer(caller, call)
    scene.stack.kill("sip-edge", 0)
    caller.next_hop = other
    hang_up(*((caller, call) if hanging_up == "caller" else (call, caller)))
    assert len(scene.callee.invites(caller)) == 1
    assert len(caller.final_tags) == 1
    scene.assert_all_over()


def test_one_invite_at_two_edges_is_one_call(wide_scene: Scene) -> None:
    """Both edges answer the caller, with the same answer; one ACK stops both."""
    scene = wide_scene
    caller = scene.caller()
    caller.invite()
    caller.endpoint.send(caller.invite_data, scene.edge(1))
    call = scene.callee.call(caller)
    call.ring()
    caller.hear_status(180)
    call.pick_up()
    sources = {caller.hear_status(200).source, caller.hear_status(200).source}
    assert sources == {scene.edge(0), scene.edge(1)}
    caller.acknowledge()
    call.hear_ack()
    hang_up(caller, call)
    caller.endpoint.drain(0.5)
    heard = len(caller.endpoint.seen)
    caller.endpoint.drain(1.0)
    assert len(caller.endpoint.seen) == heard, "an edge goes on repeating its 200"
    assert len(scene.callee.invites(caller)) == 1
    assert len(caller.final_tags) == 1
    scene.assert_all_over()
