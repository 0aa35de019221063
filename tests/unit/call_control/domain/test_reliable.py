"""Reliable provisionals (RFC 3262) on either side, and where only one side wants them."""

import pytest

from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from support.call_driver import ANSWER, OFFER, CallDriver, Headers, value_of

SUPPORTED: Headers = (("Supported", "100rel"),)
REQUIRED: Headers = (("Require", "100rel"),)


def reliably(number: int) -> Headers:
    return (("Require", "100rel"), ("RSeq", str(number)))


def placed(driver: CallDriver, headers: Headers = (), body: sip_pb2.Body | None = OFFER) -> edge.SendRequest:
    driver.invite(headers=headers, body=body)
    (invite,) = driver.requests("INVITE")
    driver.sent(invite.branch)
    return invite


def rung(driver: CallDriver) -> list[edge.Respond]:
    return [one.respond for one in driver.commands("respond")]


def prack(driver: CallDriver, cseq: int, ring: edge.Respond, body: sip_pb2.Body | None = None) -> None:
    """The caller acknowledges a provisional."""
    driver.in_dialog("PRACK", cseq, headers=(("RAck", f"{ring.rseq} 1 INVITE"),), body=body)


@pytest.mark.parametrize(
    ("caller", "policy", "asked"),
    [
        ((), "supported", None),
        (SUPPORTED, "supported", "100rel"),
        (REQUIRED, "supported", "100rel"),
        ((), "always", "100rel"),
    ],
)
def test_the_callee_is_asked_for_them_if_the_caller_takes_them(
    caller: Headers, policy: str, asked: str | None
) -> None:
    invite = placed(CallDriver(reliable=policy), caller)
    assert value_of(invite.headers, "Supported") == asked


def test_both_sides_reliable() -> None:
    driver = CallDriver()
    invite = placed(driver, SUPPORTED)
    driver.response(183, invite.branch, headers=reliably(7), body=ANSWER)
    commands = driver.commands()
    (sent,) = [one.send_request for one in commands if one.HasField("send_request")]
    assert (sent.method, sent.to_tag, value_of(sent.headers, "RAck")) == (
        "PRACK",
        "callee-tag",
        f"7 {invite.cseq} INVITE",
    )
    assert sent.cseq == invite.cseq + 1
    (ring,) = [one.respond for one in commands if one.HasField("respond")]
    assert (ring.status, value_of(ring.headers, "Require")) == (183, "100rel")
    assert value_of(ring.headers, "RSeq") == str(ring.rseq)
    assert 1 <= ring.rseq < 2**31
    driver.response(200, sent.branch, method="PRACK", cseq=sent.cseq)
    prack(driver, 2, ring)
    assert [one.status for one in rung(driver)] == [200]


def test_the_next_one_waits_for_the_prack_and_only_the_latest_is_sent() -> None:
    driver = CallDriver()
    invite = placed(driver, REQUIRED)
    driver.response(180, invite.branch)
    (first,) = rung(driver)
    driver.response(181, invite.branch)
    driver.response(183, invite.branch, body=ANSWER)
    assert rung(driver) == []
    prack(driver, 2, first)
    ok, second = rung(driver)
    assert (ok.status, second.status, second.rseq, second.body) == (200, 183, first.rseq + 1, ANSWER)


def test_the_answer_waits_for_the_prack() -> None:
    driver = CallDriver()
    invite = placed(driver, REQUIRED)
    driver.response(183, invite.branch, body=ANSWER)
    (ring,) = rung(driver)
    driver.response(200, invite.branch, body=ANSWER, reason="OK")
    commands = driver.commands()
    assert [one.send_request.method for one in commands] == ["ACK"]
    prack(driver, 2, ring)
    assert [(one.status, one.contact) for one in rung(driver)] == [(200, False), (200, True)]
    driver.confirm_all()
    driver.in_dialog("ACK", 1)
    driver.in_dialog("BYE", 3)
    assert len(driver.requests("BYE")) == 1


def test_a_refusal_does_not_wait() -> None:
    driver = CallDriver()
    invite = placed(driver, REQUIRED)
    driver.response(183, invite.branch)
    rung(driver)
    driver.response(486, invite.branch)
    assert [one.status for one in rung(driver)] == [486]


def test_a_caller_that_does_not_know_them_gets_plain_ones() -> None:
    driver = CallDriver(reliable="always")
    invite = placed(driver)
    driver.response(183, invite.branch, headers=reliably(1), body=ANSWER)
    commands = driver.commands()
    assert [one.send_request.method for one in commands if one.HasField("send_request")] == ["PRACK"]
    (ring,) = [one.respond for one in commands if one.HasField("respond")]
    assert (ring.status, ring.rseq, value_of(ring.headers, "Require")) == (183, 0, None)


def test_a_caller_that_requires_them_gets_them_from_a_callee_that_does_not() -> None:
    driver = CallDriver()
    invite = placed(driver, REQUIRED)
    driver.response(180, invite.branch)
    (ring,) = rung(driver)
    assert ring.rseq > 0


@pytest.mark.parametrize("number", [7, 9, 6])
def test_repetitions_and_gaps_are_not_acknowledged(number: int) -> None:
    driver = CallDriver()
    invite = placed(driver, SUPPORTED)
    driver.response(183, invite.branch, headers=reliably(7))
    driver.port.take()
    driver.response(180, invite.branch, headers=reliably(number))
    assert driver.commands() == []


@pytest.mark.parametrize("rack", ["1 1 INVITE", "x", "", "99999999999 1 INVITE"])
def test_a_prack_for_nothing_is_refused(rack: str) -> None:
    driver = CallDriver()
    invite = placed(driver, REQUIRED)
    driver.response(180, invite.branch)
    driver.port.take()
    driver.in_dialog("PRACK", 2, headers=(("RAck", rack),))
    assert [one.status for one in rung(driver)] == [481]


def test_the_callers_answer_to_a_late_offer_goes_on_in_the_prack() -> None:
    driver = CallDriver()
    invite = placed(driver, SUPPORTED, body=None)
    driver.response(183, invite.branch, headers=reliably(1), body=OFFER)
    commands = driver.commands()
    assert [one.WhichOneof("kind") for one in commands] == ["respond"]
    prack(driver, 2, commands[0].respond, ANSWER)
    (sent,) = driver.requests("PRACK")
    assert sent.body == ANSWER


def test_an_update_crosses_before_the_answer_once_both_sides_have_a_dialog() -> None:
    driver = CallDriver()
    invite = placed(driver, SUPPORTED)
    driver.in_dialog("UPDATE", 2, body=OFFER)
    assert [one.status for one in rung(driver)] == [491]
    driver.response(183, invite.branch, headers=reliably(1), body=ANSWER)
    (ring,) = rung(driver)
    prack(driver, 3, ring)
    driver.port.take()
    driver.in_dialog("UPDATE", 4, body=OFFER)
    (update,) = driver.requests("UPDATE")
    assert (update.to_tag, update.body, update.contact) == ("callee-tag", OFFER, True)
    driver.response(200, update.branch, method="UPDATE", cseq=update.cseq, body=ANSWER)
    assert [(one.status, one.body) for one in rung(driver)] == [(200, ANSWER)]


class TestAnswerThatIsHeld:
    """The callee has answered, but the caller has not acknowledged the last provisional yet."""

    @staticmethod
    def held(driver: CallDriver) -> edge.Respond:
        """Bring the call there; return the provisional that waits."""
        invite = placed(driver, REQUIRED)
        driver.response(180, invite.branch)
        (ring,) = rung(driver)
        driver.response(200, invite.branch, body=ANSWER)
        assert rung(driver) == []
        driver.confirm_all()
        driver.port.take()
        return ring

    @staticmethod
    def told(driver: CallDriver) -> list[tuple[str, int]]:
        """Finals of the INVITE by status, and requests by leg."""
        return [
            ("", one.respond.status)
            if one.HasField("respond")
            else (one.send_request.method, int(one.send_request.to_tag == "callee-tag"))
            for one in driver.commands()
            if not one.respond.transaction.endswith(("BYE", "ACK"))
        ]

    def test_callee_hangs_up(self) -> None:
        driver = CallDriver()
        self.held(driver)
        driver.in_dialog("BYE", 1, leg=1)
        assert self.told(driver) == [("", 500)]
        driver.pass_time(100.0)
        assert driver.call is None

    def test_caller_cancels(self) -> None:
        driver = CallDriver()
        self.held(driver)
        driver.cancel()
        assert self.told(driver) == [("", 487), ("BYE", 1)]

    def test_caller_hangs_up(self) -> None:
        driver = CallDriver()
        self.held(driver)
        driver.in_dialog("BYE", 2)
        assert self.told(driver) == [("", 487), ("BYE", 1)]

    def test_prack_never_comes(self) -> None:
        driver = CallDriver(answer_timeout_ms=60_000)
        self.held(driver)
        driver.pass_time(60.0)
        assert {("", 487), ("BYE", 1)} <= set(self.told(driver))

    def test_ack_before_it_means_nothing(self) -> None:
        driver = CallDriver()
        ring = self.held(driver)
        driver.in_dialog("ACK", 1)
        prack(driver, 2, ring)
        assert [one.status for one in rung(driver)] == [200, 200]

    def test_callee_that_asks_for_more_meets_491(self) -> None:
        driver = CallDriver()
        self.held(driver)
        driver.in_dialog("UPDATE", 1, leg=1, body=OFFER)
        assert self.told(driver) == [("", 491)]


def test_provisional_that_was_repeated_in_vain_fails_the_invite() -> None:
    driver = CallDriver()
    invite = placed(driver, REQUIRED)
    driver.response(180, invite.branch)
    (ring,) = rung(driver)
    missing = edge.ProvisionalUnacknowledgedEvent(transaction=ring.transaction, rseq=ring.rseq)
    driver.tell(driver.event(provisional_unacknowledged=missing))
    respond, cancel = driver.commands()
    assert (respond.respond.status, cancel.cancel.branch) == (500, invite.branch)


def test_answer_that_only_the_callee_sent_reliably_goes_into_the_2xx() -> None:
    """RFC 3261 13.2.1: for this caller the 183 was a preview."""
    driver = CallDriver(reliable="always")
    invite = placed(driver)
    driver.response(183, invite.branch, headers=reliably(1), body=ANSWER)
    driver.port.take()
    driver.response(200, invite.branch)
    (answer,) = rung(driver)
    assert (answer.status, answer.body) == (200, ANSWER)


def test_preview_of_an_attempt_that_failed_is_no_answer_of_the_next() -> None:
    driver = CallDriver("192.0.2.1", "192.0.2.2", reliable="always")
    invite = placed(driver)
    driver.response(183, invite.branch, headers=reliably(1), body=ANSWER)
    driver.response(486, invite.branch)
    driver.port.take()
    driver.response(200, driver.leg(2).invite_branch)
    (answer,) = rung(driver)
    assert not answer.HasField("body")


def test_answer_of_a_provisional_that_was_held_is_not_lost() -> None:
    driver = CallDriver()
    invite = placed(driver, SUPPORTED)
    driver.response(180, invite.branch, headers=reliably(1))
    (first,) = rung(driver)
    driver.response(183, invite.branch, headers=reliably(2), body=ANSWER)
    driver.response(180, invite.branch, headers=reliably(3))
    driver.response(200, invite.branch)
    prack(driver, 2, first)
    _, answer = rung(driver)
    assert (answer.status, answer.body) == (200, ANSWER)


def test_provisional_that_waited_for_the_prack_dies_with_its_attempt() -> None:
    driver = CallDriver("192.0.2.1", "192.0.2.2")
    invite = placed(driver, REQUIRED)
    driver.response(180, invite.branch)
    (first,) = rung(driver)
    driver.response(183, invite.branch, body=ANSWER)
    driver.response(486, invite.branch)
    prack(driver, 2, first)
    assert [one.status for one in rung(driver)] == [200]


def test_unreliable_repetition_is_not_sent_reliably_again() -> None:
    driver = CallDriver()
    invite = placed(driver, REQUIRED)
    driver.response(180, invite.branch)
    (first,) = rung(driver)
    prack(driver, 2, first)
    driver.port.take()
    driver.response(180, invite.branch)
    assert driver.commands() == []


def test_callee_is_not_asked_for_an_offer_that_no_prack_would_answer() -> None:
    driver = CallDriver(reliable="always")
    invite = placed(driver, body=None)
    assert value_of(invite.headers, "Supported") is None


def test_update_before_the_answer_of_the_callee_does_not_cross() -> None:
    """RFC 3311 5.1: the offer of the INVITE still waits."""
    driver = CallDriver()
    invite = placed(driver, SUPPORTED)
    driver.response(180, invite.branch, headers=reliably(1))
    (ring,) = rung(driver)
    prack(driver, 2, ring)
    driver.port.take()
    driver.in_dialog("UPDATE", 3, body=OFFER)
    (command,) = driver.commands()
    assert command.respond.status == 491


def test_prack_of_the_callee_acknowledges_nothing() -> None:
    driver = CallDriver()
    invite = placed(driver, REQUIRED)
    driver.response(180, invite.branch)
    (ring,) = rung(driver)
    driver.in_dialog("PRACK", 1, leg=1, headers=(("RAck", f"{ring.rseq} 1 INVITE"),))
    assert [one.status for one in rung(driver)] == [481]
