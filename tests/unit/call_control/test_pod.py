"""The engine of a pod: what it commits, and what of it survives the loss of a pod or of writes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial

import pytest
from structlog.testing import capture_logs

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain.store import Commit, Outcome, Verdict
from call_control.pod import Pod
from support.call_driver import ANSWER, CallDriver, RecordingPort


class TestReportsThatARequestLeft:
    def test_first_one_costs_no_commit(self) -> None:
        driver = CallDriver()
        driver.invite()
        driver.sent(driver.requests("INVITE")[0].branch)
        assert driver.pod.counters.commits == 1

    def test_pod_that_sweeps_hears_of_it_through_the_store(self) -> None:
        """It is another one than the pod that the reports go to; a callee that only said 100 rings on."""
        driver = CallDriver()
        driver.invite()
        branch = driver.requests("INVITE")[0].branch
        driver.sent(branch)
        sweeper = driver.new_pod()
        for _ in range(40):
            driver.pass_time(1.0, sweeper)
            if driver.requests("INVITE"):
                driver.sent(branch)
        assert driver.commands("respond") == []
        call = driver.call
        assert call is not None
        assert call.legs[1].sent.branch == branch


class TestOldRecordInTheCache:
    """Another pod has gone on with a call that is cached here."""

    def test_event_that_means_nothing_to_it_is_applied_to_the_new_one(self) -> None:
        driver = CallDriver("192.0.2.1", "192.0.2.2")
        driver.invite()
        first = driver.requests("INVITE")[0].branch
        driver.sent(first)
        other = driver.new_pod()
        refusal = edge.ResponseEvent(branch=first, status=486, reason="Busy Here", to_tag="b", cseq=1)
        driver.tell(driver.event(response=refusal), other)
        second = driver.requests("INVITE")[0].branch
        driver.response(200, second)
        assert [one.respond.status for one in driver.commands("respond")] == [200]

    def test_end_is_seen(self) -> None:
        driver = CallDriver()
        driver.ringing()
        branch = driver.leg(1).invite_branch
        other = driver.new_pod()
        cancel = driver.request("CANCEL", 1, branch="z9hG4bKcaller")
        driver.tell(driver.event(request=cancel), other)
        driver.pod, first = other, driver.pod
        driver.confirm_all()
        driver.response(487, branch)
        driver.confirm_all()
        driver.pod = first
        driver.port.take()
        driver.in_dialog("ACK", 1)
        assert driver.pod.cached_calls == 0


class TestEndWithoutTheStore:
    def partitioned(self) -> tuple[CallDriver, Pod]:
        """A call that rings for a pod which cannot reach the store, and is up for another one."""
        driver = CallDriver()
        branch = driver.ringing()
        first = driver.pod
        driver.pod = driver.new_pod()
        driver.response(200, branch, body=ANSWER, reason="OK")
        driver.confirm_all()
        driver.in_dialog("ACK", 1)
        driver.pod = first
        driver.store.available = False
        return driver, first

    def test_is_left_to_a_pod_that_can_commit(self) -> None:
        driver, _ = self.partitioned()
        driver.port.take()
        bye = driver.in_dialog("BYE", 2)
        assert driver.port.refused == [bye.id]
        assert driver.port.take() == []

    def test_numbers_its_commands_as_nobody_else_does(self) -> None:
        driver, _ = self.partitioned()
        given = {command.id for command in driver.port.take()}
        driver.tell(driver.in_dialog("BYE", 2))
        commands = driver.commands()
        assert [one.respond.status for one in commands if one.respond.status] == [200, 487]
        assert given.isdisjoint(command.id for command in commands)

    def test_ends_what_another_pod_has_made_of_the_call(self) -> None:
        driver, _ = self.partitioned()
        driver.tell(driver.in_dialog("BYE", 2))
        driver.port.take()
        driver.store.available = True
        driver.pod.on_available()
        byes = driver.requests("BYE")
        assert len(byes) == 2
        assert driver.call is not None
        assert driver.call.state == record.CALL_STATE_ENDED

    def test_that_is_complete_is_written_over_what_another_pod_has_made_of_the_call(self) -> None:
        driver = CallDriver()
        driver.confirmed()
        first, driver.pod = driver.pod, driver.new_pod()
        driver.pass_time(2.0, driver.pod)
        driver.in_dialog("INFO", 2)
        driver.pod = first
        driver.store.available = False
        driver.tell(driver.in_dialog("BYE", 3))
        commands = driver.port.take()
        (bye,) = [one.send_request for one in commands if one.send_request.method == "BYE"]
        driver.response(200, bye.branch, method="BYE", cseq=bye.cseq)
        driver.pod.on_done(driver.port, [edge.CommandRef(call_key=driver.key, id=one.id) for one in commands])
        assert driver.pod.cached_calls == 0
        driver.store.available = True
        driver.port.take()
        driver.pod.on_available()
        assert driver.call is None
        assert driver.requests("BYE") == []


class TestCommandsForAnEdgeThatIsAway:
    def test_invite_waits_for_it(self) -> None:
        """It may have left, with its report lost: from another edge it would be a merged request."""
        driver = CallDriver()
        driver.invite()
        driver.port.take()
        other = RecordingPort("edge-b")
        pod = driver.new_pod(other)
        driver.pass_time(2.0, pod)
        assert other.take() == []
        pod.attach(driver.port)
        driver.pass_time(2.0, pod)
        assert len(driver.requests("INVITE")) == 1

    def test_new_invite_is_given_to_one_that_is_there(self) -> None:
        driver = CallDriver()
        driver.confirmed()
        driver.pod.detach(driver.port)
        other = RecordingPort("edge-b")
        driver.pod.attach(other)
        driver.in_dialog("INVITE", 2, body=ANSWER)
        (command,) = other.take()
        assert command.edge.edge_id == "edge-b"
        driver.pod.attach(driver.port)
        driver.pass_time(2.0)
        assert driver.requests("INVITE") == []

    def test_invite_waits_for_its_edge_when_it_is_lost_during_the_commit(self) -> None:
        """Another pod that has it may have issued the INVITE meanwhile."""
        driver = CallDriver()
        other = RecordingPort("edge-b")
        driver.pod.attach(other)
        write = driver.store.commit

        def lose(commit: Commit, then: Callable[[Outcome], None]) -> None:
            driver.pod.detach(driver.port)
            write(commit, then)

        driver.store.commit = lose  # type: ignore[method-assign]  # the connection breaks meanwhile
        driver.invite()
        assert other.take() == []

    def test_attempt_that_was_given_up_with_it_does_not_end_the_next_one(self) -> None:
        driver = CallDriver("192.0.2.1", "192.0.2.2")
        driver.ringing()
        driver.pod.detach(driver.port)
        driver.port = RecordingPort("edge-b")
        driver.pod.attach(driver.port)
        driver.pass_time(33.0)
        second = driver.requests("INVITE")[-1].branch
        driver.sent(second)
        driver.response(180, second)
        driver.pass_time(40.0)
        assert not [one for one in driver.commands("respond") if one.respond.status >= 300]

    def test_invite_that_nobody_looks_after_is_begun_again(self) -> None:
        """The edge was started anew before the callee said anything: no timer B runs any more."""
        driver = CallDriver("192.0.2.1", "192.0.2.2")
        driver.invite()
        (first,) = driver.requests("INVITE")
        driver.sent(first.branch)
        driver.pod.detach(driver.port)
        driver.port = RecordingPort(boot=2)
        driver.pod.attach(driver.port)
        driver.pass_time(40.0)
        invites = driver.requests("INVITE")
        assert {(one.branch, one.target.uri) for one in invites} == {(first.branch, "sip:192.0.2.1")}
        assert (invites[0].cseq, invites[0].body) == (first.cseq, first.body)

    def test_all_else_goes_by_another_one(self) -> None:
        driver = CallDriver()
        driver.confirmed()
        driver.pod.detach(driver.port)
        other = RecordingPort("edge-b")
        driver.pod.attach(other)
        driver.in_dialog("BYE", 2)
        assert [one.WhichOneof("kind") for one in other.take()] == ["respond", "send_request"]


class TestInviteAtASecondEdge:
    def copy(self, driver: CallDriver) -> RecordingPort:
        """The INVITE that opened the call comes to another edge; what that is told."""
        event = driver.event(request=driver.request("INVITE", 1, branch="z9hG4bKcaller"))
        event.opens_call = True
        event.edge.edge_id = "edge-b"
        other = RecordingPort("edge-b")
        driver.pod.attach(other)
        driver.pod.on_event(other, event)
        return other

    def test_gets_the_answer_that_the_first_one_has_confirmed(self) -> None:
        driver = CallDriver()
        driver.ringing()
        driver.cancel()
        driver.confirm_all()
        assert [one.respond.status for one in self.copy(driver).take()] == [487]

    def test_is_forgotten_when_the_call_is_up(self) -> None:
        driver = CallDriver()
        driver.confirmed()
        (command,) = self.copy(driver).take()
        assert command.stop.forget

    def test_is_forgotten_when_the_call_is_over(self) -> None:
        driver = CallDriver()
        driver.confirmed()
        driver.in_dialog("BYE", 2)
        (bye,) = driver.requests("BYE")
        driver.response(200, bye.branch, method="BYE", cseq=bye.cseq)
        driver.pass_time(2.0)
        for number in range(1, 20):
            driver.pod.on_done(driver.port, [edge.CommandRef(call_key=driver.key, id=number)])
        assert driver.call is None
        (command,) = self.copy(driver).take()
        assert command.stop.forget


class TestDebts:
    def test_edge_that_is_back_hears_of_them_in_time(self) -> None:
        """The caller's 2xx was lost with the edge, which is away for 20 s: the caller still waits for it."""
        driver = CallDriver()
        driver.answered()
        driver.pod.detach(driver.port)
        driver.pass_time(20.0)
        driver.port.take()
        driver.pod.attach(driver.port)
        driver.pass_time(5.0)
        assert 200 in [one.respond.status for one in driver.commands("respond")]


class TestCancelBeforeItsInvite:
    def test_is_applied_behind_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both were offered again, and wait for the store to say that there is no such call yet."""
        driver = CallDriver()
        loads: list[Callable[[], None]] = []
        load = driver.store.load
        monkeypatch.setattr(driver.store, "load", lambda key, then: loads.append(lambda: load(key, then)))
        driver.cancel()
        invite = driver.event(request=driver.request("INVITE", 1, branch="z9hG4bKcaller"))
        invite.opens_call = invite.redelivered = True
        driver.tell(invite)
        loads.pop()()
        assert [one.respond.status for one in driver.commands("respond")] == [487]


class TestNewCallThatMayBeCommitted:
    def test_is_never_said_to_be_declined(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The reply of the store got lost: the edge would refuse the caller, while the callee is called."""
        driver = CallDriver()
        write = driver.store.commit

        def commit(commit: Commit, then: Callable[[Outcome], None]) -> None:
            write(commit, lambda outcome: then(outcome._replace(verdict=Verdict.UNAVAILABLE)))

        monkeypatch.setattr(driver.store, "commit", commit)
        invite = driver.invite()
        assert driver.port.unsure == [invite.id]
        assert driver.port.refused == []

    def test_is_declined_while_the_store_is_away(self) -> None:
        driver = CallDriver()
        driver.store.available = False
        invite = driver.invite()
        assert driver.port.refused == [invite.id]


class TestMergeMarker:
    def over_another_path(self, driver: CallDriver, number: int = 0, edge_id: str = "") -> edge.Event:
        other = driver.event(request=driver.request("INVITE", 1, branch="z9hG4bKother"))
        other.id = number or other.id
        other.edge.edge_id = edge_id or other.edge.edge_id
        other.opens_call = True
        other.request.merge_key = "merge-1"
        other.call_key = driver.identity.call_key("call-1", "caller-tag", 1, "192.0.2.9", "z9hG4bKother")
        return other

    def same_request_over_another_path(self, driver: CallDriver) -> int:
        driver.port.take()
        driver.tell(self.over_another_path(driver))
        (answer,) = driver.commands("respond") or [edge.Command()]
        return answer.respond.status

    def test_is_gone_when_the_end_is_written_back_to_a_store_that_lost_it(self) -> None:
        driver = CallDriver()
        driver.ringing()
        replica = copy.deepcopy(driver.store)
        driver.cancel()
        driver.confirm_all()
        branch = driver.leg(1).invite_branch
        driver.response(487, branch)
        driver.confirm_all()
        assert driver.call is None
        vars(driver.store).update(vars(replica))
        driver.pod.on_lost_writes()
        assert driver.call is None
        assert self.same_request_over_another_path(driver) != 482

    def test_refuses_copies_at_other_edges_that_came_while_the_store_was_asked(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that nobody answered was offered again when the first call was over, and opened another."""
        driver = CallDriver()
        driver.invite()
        replies: list[Callable[[], None]] = []
        write = driver.store.commit

        def commit(commit: Commit, then: Callable[[Outcome], None]) -> None:
            write(commit, lambda outcome: replies.append(partial(then, outcome)))

        monkeypatch.setattr(driver.store, "commit", commit)
        ports = [RecordingPort(f"edge-{letter}") for letter in "bc"]
        for number, port in enumerate(ports, 70):
            driver.pod.attach(port)
            driver.pod.on_event(port, self.over_another_path(driver, number, port.edge_id))
        replies.pop(0)()
        assert replies == []
        assert [one.respond.status for port in ports for one in port.take()] == [482, 482]
        assert [port.acknowledged for port in ports] == [[70], [71]]


def test_skipped_route_is_told_to_the_operator() -> None:
    """Once the call is committed, with its key and the caller's Call-ID."""
    driver = CallDriver("192.0.2.1;expires=0", "192.0.2.2")
    with capture_logs() as logs:
        driver.invite()
    (line,) = logs
    assert (line["log_level"], line["call_key"]) == ("warning", driver.key)
    assert driver.call is not None
    assert line["call_id"] == driver.call.legs[0].call_id
    assert line["note"].startswith("route 1 skipped: ")
