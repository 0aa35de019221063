"""Keep-alives on either leg."""

import pytest

from b2bua.edge.v1 import edge_pb2 as edge
from support.call_driver import ANSWER, CallDriver, value_of

#: (field of the policy, leg, body that its peer was sent last)
SIDES = [("ingress_keepalive_ms", 0, b"v=0 answer"), ("egress_keepalive_ms", 1, b"v=0 offer")]


def asked(driver: CallDriver) -> edge.SendRequest:
    """Let the period pass and return the request that asks."""
    driver.port.take()
    driver.pass_time(32.2)
    (request,) = driver.distinct("INVITE")
    return request


@pytest.mark.parametrize(("field", "leg", "body"), SIDES)
def test_a_leg_is_asked_with_its_session_as_it_is(field: str, leg: int, body: bytes) -> None:
    driver = CallDriver(**{field: 32_000})
    driver.confirmed()
    request = asked(driver)
    assert request.body.data == body
    assert request.call_id == driver.leg(leg).call_id
    assert request.from_tag == driver.identity.tag(driver.key, leg)


@pytest.mark.parametrize(("field", "leg", "body"), SIDES)
@pytest.mark.parametrize("status", [200, 500, 606])
def test_any_answer_of_the_peer_is_a_sign_of_life(field: str, leg: int, body: bytes, status: int) -> None:
    driver = CallDriver(**{field: 32_000})
    driver.confirmed()
    request = asked(driver)
    driver.response(status, request.branch, cseq=request.cseq)
    assert len(driver.distinct("ACK")) == (status == 200)
    assert asked(driver).cseq == request.cseq + 1


@pytest.mark.parametrize("status", [408, 481, 486])
def test_a_peer_that_never_answered_one_gets_ten_minutes(status: int) -> None:
    driver = CallDriver(ingress_keepalive_ms=32_000)
    driver.confirmed()
    request = asked(driver)
    driver.response(status, request.branch, cseq=request.cseq)
    driver.pass_time(599)
    assert driver.distinct("INVITE") == []
    driver.pass_time(2)
    assert len(driver.distinct("BYE")) == 2


@pytest.mark.parametrize("status", [408, 481, 486])
def test_a_peer_that_has_answered_before_is_gone(status: int) -> None:
    driver = CallDriver(ingress_keepalive_ms=32_000)
    driver.confirmed()
    request = asked(driver)
    driver.response(200, request.branch, cseq=request.cseq)
    request = asked(driver)
    driver.response(status, request.branch, cseq=request.cseq)
    assert len(driver.distinct("BYE")) == 2


def test_options_can_ask_instead() -> None:
    driver = CallDriver(egress_keepalive_ms=32_000, keepalive_method="OPTIONS")
    driver.confirmed()
    driver.pass_time(32.2)
    (request,) = driver.distinct("OPTIONS")
    assert not request.HasField("body")
    driver.response(481, request.branch, method="OPTIONS", cseq=request.cseq)
    assert len(driver.distinct("BYE")) == 2


def test_a_reinvite_of_the_peer_meets_491_meanwhile_and_works_afterwards() -> None:
    driver = CallDriver(ingress_keepalive_ms=32_000)
    driver.confirmed()
    request = asked(driver)
    driver.in_dialog("INVITE", 2)
    assert driver.commands("respond")[0].respond.status == 491
    driver.response(200, request.branch, cseq=request.cseq)
    driver.port.take()
    driver.in_dialog("INVITE", 3)
    assert len(driver.distinct("INVITE")) == 1


@pytest.mark.parametrize(
    ("field", "leg", "earliest", "latest"),
    [
        ("egress_keepalive_ms", 1, 2.1, 4.0),
        ("ingress_keepalive_ms", 0, 0.0, 2.0),
    ],
)
def test_glare_backs_off_and_tries_again(field: str, leg: int, earliest: float, latest: float) -> None:
    """RFC 3261 14.1: the owner of the Call-ID waits longer than the other side ever does."""
    driver = CallDriver(**{field: 32_000})
    driver.confirmed()
    request = asked(driver)
    driver.response(491, request.branch, cseq=request.cseq)
    driver.pass_time(max(earliest - 0.01, 0.0))
    assert driver.distinct("INVITE") == []
    driver.pass_time(latest - earliest + 0.02)
    (again,) = driver.distinct("INVITE")
    assert (again.cseq, again.branch == request.branch) == (request.cseq + 1, False)


def test_nobody_is_asked_by_default() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.pass_time(3600)
    assert driver.distinct("INVITE") == []


def test_keepalive_goes_on_with_the_session_timer() -> None:
    """RFC 4028 7.4: a re-INVITE that does not speak of it would end it."""
    driver = CallDriver(ingress_keepalive_ms=32_000)
    driver.invite(headers=(("Supported", "timer"), ("Session-Expires", "200;refresher=uac")))
    driver.response(200, driver.distinct("INVITE")[0].branch, body=ANSWER)
    driver.confirm_all()
    driver.in_dialog("ACK", 1)
    request = asked(driver)
    assert value_of(request.headers, "Session-Expires") == "200;refresher=uas"
    answer = (("Session-Expires", "200;refresher=uas"), ("Require", "timer"))
    driver.response(200, request.branch, cseq=request.cseq, headers=answer)
    driver.pass_time(160.0)
    assert driver.distinct("BYE") == []


def test_leg_without_a_session_is_asked_with_options() -> None:
    """A re-INVITE would bring an offer that nobody answers."""
    driver = CallDriver(egress_keepalive_ms=32_000)
    driver.invite(body=None)
    driver.response(200, driver.distinct("INVITE")[0].branch)
    driver.confirm_all()
    driver.in_dialog("ACK", 1)
    driver.port.take()
    driver.pass_time(32.2)
    assert [one.send_request.method for one in driver.commands("send_request")] == ["OPTIONS"]
