"""Calls that wait for an authorisation."""

import pytest

from b2bua.aaa.v1 import aaa_pb2 as aaa
from b2bua.callcontrol.v1 import call_pb2 as record
from call_control.domain.routing.translation import parse_translation
from support.call_driver import CallDriver, value_of


def waiting(**policy: object) -> CallDriver:
    """A call that waits for its routes; without any of the operator's."""
    driver = CallDriver(authorize=True, **{"routes": (), **policy})
    driver.invite(headers=(("Authorization", 'Digest username="ann"'),))
    assert driver.call is not None
    assert driver.call.state == record.CALL_STATE_ROUTING
    return driver


def reply(driver: CallDriver, decision: aaa.Decision = aaa.DECISION_ACCEPT, **fields: object) -> None:
    request_id = driver.authorizer.asked[-1].request_id
    answer = aaa.AuthorizeResponse(request_id=request_id, decision=decision, **fields)  # type: ignore[arg-type]
    driver.pod.on_authorized(answer, driver.key)


def test_it_is_asked_what_the_caller_says() -> None:
    driver = waiting(translate_in=parse_translation("s/^2/002/"))
    (asked,) = driver.authorizer.asked
    assert (asked.call_key, asked.call_id, asked.calling_number) == (driver.key, "call-1", "1001")
    assert (asked.called_number, asked.method) == ("002002", "INVITE")
    assert asked.authorization == 'Digest username="ann"'
    assert driver.commands() == []


def test_the_call_goes_where_the_reply_says() -> None:
    driver = waiting()
    reply(
        driver,
        routes=["192.0.2.8;bad", "44@192.0.2.9"],
        calling_number="77",
        display_name="",
        credit_seconds=60,
        state=b"class",
    )
    (invite,) = driver.requests("INVITE")
    assert (invite.request_uri, invite.from_value) == ("sip:44@192.0.2.9", "<sip:77@@local>")
    assert driver.call is not None
    assert (driver.call.state, driver.call.aaa_state) == (record.CALL_STATE_TRYING, b"class")
    assert (driver.call.routes[0].number, driver.call.routes[0].credit_ms) == (2, 60_000)


def test_routes_of_the_operator_come_first() -> None:
    driver = CallDriver("192.0.2.1", authorize=True)
    driver.invite()
    reply(driver, routes=["192.0.2.9"])
    assert driver.requests("INVITE")[0].request_uri == "sip:2002@192.0.2.1"


def test_an_accepted_call_without_routes_gets_500() -> None:
    driver = waiting()
    reply(driver)
    (answer,) = driver.commands()
    assert (answer.respond.status, answer.respond.reason) == (500, "Internal Server Error (2)")


@pytest.mark.parametrize(
    ("decision", "fields", "expected"),
    [
        (aaa.DECISION_REJECT, {}, (403, "Auth Failed", None, None)),
        (aaa.DECISION_REJECT, {"status": 480, "reason": "No"}, (480, "No", None, None)),
        (aaa.DECISION_CHALLENGE, {"challenges": ["Digest r"]}, (401, "Unauthorized", "Digest r", None)),
        (aaa.DECISION_UNAVAILABLE, {}, (503, "Service Unavailable", None, "5")),
    ],
)
def test_the_caller_hears_why_not(
    decision: aaa.Decision, fields: dict[str, object], expected: tuple[int, str, str | None, str | None]
) -> None:
    driver = waiting()
    reply(driver, decision, **fields)
    (answer,) = driver.commands("respond")
    told = answer.respond
    assert expected == (
        told.status,
        told.reason,
        value_of(told.headers, "WWW-Authenticate"),
        value_of(told.headers, "Retry-After"),
    )


def test_it_is_asked_again_under_the_same_id_until_it_replies() -> None:
    driver = waiting()
    driver.pass_time(4)
    ids = {one.request_id for one in driver.authorizer.asked}
    assert (len(ids), len(driver.authorizer.asked) > 2) == (1, True)
    reply(driver, routes=["192.0.2.9"])
    reply(driver, aaa.DECISION_REJECT)
    assert len(driver.requests("INVITE")) == 1


def test_another_pod_takes_the_reply() -> None:
    driver = waiting()
    other = driver.new_pod()
    answer = aaa.AuthorizeResponse(
        request_id=driver.authorizer.asked[0].request_id, decision=aaa.DECISION_ACCEPT, routes=["192.0.2.9"]
    )
    other.on_authorized(answer, driver.key)
    assert len(driver.requests("INVITE")) == 1


def test_nobody_replies() -> None:
    driver = waiting()
    driver.pass_time(40)
    assert driver.commands("respond")[-1].respond.status == 503


def test_the_caller_gives_up() -> None:
    driver = waiting()
    driver.cancel()
    (answer,) = driver.commands("respond")
    assert answer.respond.status == 487
    reply(driver, routes=["192.0.2.9"])
    assert driver.requests("INVITE") == []
    driver.confirm_all()
    driver.pass_time(70)
    assert driver.call is None


def test_a_reply_for_a_call_that_is_gone_changes_nothing() -> None:
    driver = CallDriver()
    driver.pod.on_authorized(
        aaa.AuthorizeResponse(request_id="x", decision=aaa.DECISION_ACCEPT), "00" + "x" * 20
    )
    assert driver.commands() == []


@pytest.mark.parametrize(("leg", "cseq", "calling"), [(0, 2, "44"), (1, 1, "77")])
def test_a_transfer_goes_the_way_that_the_reply_gave(leg: int, cseq: int, calling: str) -> None:
    driver = waiting(transfer="perform")
    reply(driver, routes=["44@192.0.2.9;auth=u:p"], calling_number="77", display_name="", credit_seconds=60)
    (invite,) = driver.requests("INVITE")
    driver.response(200, invite.branch, cseq=invite.cseq)
    driver.in_dialog("ACK", 1)
    driver.port.take()
    driver.in_dialog("REFER", cseq, leg=leg, headers=(("Refer-To", "sip:3003@example.org"),))
    (invite,) = driver.requests("INVITE")
    assert (invite.request_uri, invite.from_value) == ("sip:3003@192.0.2.9", f"<sip:{calling}@@local>")
    assert driver.call is not None
    assert driver.call.routes[-1].username == "u"
