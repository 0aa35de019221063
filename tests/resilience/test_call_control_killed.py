"""SIGKILL of the pod that owns a call, in each state of the call: it goes on through the other pod."""

from __future__ import annotations

import pytest

from support.scenes import Scene
from support.ua import CalleeCall, Caller, sdp

MOMENTS = ("invited", "ringing", "answered", "established", "hanging up")


class Assassin:
    """Kills the owner of the call at one moment of it."""

    def __init__(self, scene: Scene, moment: str) -> None:
        self._scene = scene
        self._moment = moment

    def at(self, moment: str) -> None:
        """Kill if this is the moment."""
        if moment == self._moment:
            self._scene.stack.kill("call-control", self._scene.owner())


def set_up(scene: Scene, assassin: Assassin) -> tuple[Caller, CalleeCall]:
    """Bring a call up."""
    caller = scene.caller()
    caller.invite()
    call = scene.callee.call(caller)
    assassin.at("invited")
    call.ring()
    caller.hear_status(180)
    assassin.at("ringing")
    call.pick_up()
    caller.hear_status(200)
    assassin.at("answered")
    caller.acknowledge()
    call.hear_ack()
    assassin.at("established")
    return caller, call


def assert_one_call(scene: Scene, caller: Caller) -> None:
    """The callee was invited once, and the caller answered once."""
    assert len(scene.callee.invites(caller)) == 1
    assert len(caller.final_tags) == 1


@pytest.mark.parametrize("hanging_up", ["caller", "callee"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_answered_call(scene: Scene, moment: str, hanging_up: str) -> None:
    assassin = Assassin(scene, moment)
    caller, call = set_up(scene, assassin)
    first, second = (caller, call) if hanging_up == "caller" else (call, caller)
    bye = first.begin("BYE")
    heard = second.hear("BYE")
    assassin.at("hanging up")
    second.answer(heard, 200, "OK")
    first.settle(bye)
    assert_one_call(scene, caller)
    scene.assert_all_over()


@pytest.mark.parametrize("inviting", ["caller", "callee"])
def test_reinvite_after_the_kill(scene: Scene, inviting: str) -> None:
    caller, call = set_up(scene, Assassin(scene, "established"))
    first, second = (caller, call) if inviting == "caller" else (call, caller)
    pending = first.begin("INVITE", body=sdp("held"))
    second.answer(second.hear("INVITE"), 200, "OK", body=sdp("holding"))
    assert "holding" in first.settle(pending).body
    first.acknowledge()
    second.hear("ACK")
    bye = caller.begin("BYE")
    call.hear_bye()
    caller.settle(bye)
    scene.assert_all_over()


@pytest.mark.parametrize("moment", ["referred", "target rings", "target answered", "connected"])
def test_transfer(scene: Scene, moment: str) -> None:
    assassin = Assassin(scene, moment)
    caller, call = set_up(scene, assassin)
    refer = caller.begin("REFER", extra=[("Refer-To", "<sip:carol@elsewhere.invalid>")])
    target = scene.callee.call(caller, user="carol")
    assassin.at("referred")
    caller.settle(refer, 202)
    target.ring()
    caller.hear_progress("100 Trying")
    caller.hear_progress("180 Ringing")
    assassin.at("target rings")
    target.pick_up()
    offer = call.hear("INVITE")
    assassin.at("target answered")
    call.answer(offer, 200, "OK", body=sdp("transferee"))
    assert target.hear_ack().body == sdp("transferee")
    assassin.at("connected")
    call.hear("ACK")
    caller.hear_progress("200 OK")
    caller.hear_bye()
    bye = target.begin("BYE")
    call.hear_bye()
    target.settle(bye)
    scene.assert_all_over()


def test_busy_after_the_kill(scene: Scene) -> None:
    caller = scene.caller()
    caller.invite()
    call = scene.callee.call(caller)
    Assassin(scene, "invited").at("invited")
    call.respond(486, "Busy Here")
    caller.acknowledge_failure(caller.hear_status(486))
    call.hear_ack()
    assert_one_call(scene, caller)
    scene.assert_all_over()


@pytest.mark.parametrize("moment", ["ringing", "cancelling"])
def test_cancelled_call(scene: Scene, moment: str) -> None:
    assassin = Assassin(scene, moment)
    caller = scene.caller()
    caller.invite()
    call = scene.callee.call(caller)
    call.ring()
    caller.hear_status(180)
    assassin.at("ringing")
    caller.cancel()
    caller.hear_status(200, method="CANCEL")
    cancel = call.hear("CANCEL")
    assassin.at("cancelling")
    call.answer(cancel, 200, "OK")
    call.respond(487, "Request Terminated")
    call.hear_ack()
    caller.acknowledge_failure(caller.hear_status(487))
    assert_one_call(scene, caller)
    scene.assert_all_over()


@pytest.mark.timeout(120)
def test_with_usual_timers_nothing_remains(patient_scene: Scene) -> None:
    """Records and deadlines go with the call, tombstones 64*T1 later."""
    caller, call = set_up(patient_scene, Assassin(patient_scene, "ringing"))
    bye = caller.begin("BYE")
    call.hear_bye()
    caller.settle(bye)
    patient_scene.assert_all_over()
    patient_scene.stack.wait_no_tombstone(64 * 0.5 + 2)
