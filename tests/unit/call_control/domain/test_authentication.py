"""Challenges of the callee: answered, passed on, or left alone."""

import pytest

from b2bua.edge.v1 import edge_pb2 as edge
from sipcore.auth import parse_credentials, verify_password
from support.call_driver import ANSWER, OFFER, CallDriver, Headers, value_of

ROUTE = "192.0.2.1;auth=ann:s3cr:et"
KINDS = [(401, "WWW-Authenticate", "Authorization"), (407, "Proxy-Authenticate", "Proxy-Authorization")]
ALGORITHMS = ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"]


def challenge(nonce: str = "n1", *, algorithm: str = "MD5", qop: str = "auth", stale: bool = False) -> str:
    stale_text = ",stale=true" if stale else ""
    return f'Digest realm="r",nonce="{nonce}",algorithm={algorithm},qop="{qop}",opaque="o"{stale_text}'


def proves(request: edge.SendRequest, name: str, *, method: str = "") -> bool:
    value = value_of(request.headers, name)
    credentials = parse_credentials(value) if value else None
    if credentials is None:
        return False
    assert credentials.uri == request.request_uri
    return verify_password(credentials, "s3cr:et", method=method or request.method, body=request.body.data)


@pytest.mark.parametrize(("status", "asks", "answers"), KINDS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("qop", ["auth", "auth-int"])
def test_the_route_answers_a_challenge(
    status: int, asks: str, answers: str, algorithm: str, qop: str
) -> None:
    driver = CallDriver(ROUTE, "192.0.2.2")
    driver.invite()
    (first,) = driver.requests("INVITE")
    headers = ((asks, challenge(algorithm=algorithm, qop=qop)),)
    driver.response(status, first.branch, headers=headers)
    (second,) = driver.requests("INVITE")
    assert proves(second, answers)
    assert (second.call_id, second.from_tag, second.to_tag) == (first.call_id, first.from_tag, "")
    assert (second.cseq, second.max_forwards, second.body) == (first.cseq + 1, 70, first.body)
    assert driver.identity.read_branch(second.branch) != driver.identity.read_branch(first.branch)


def test_the_second_challenge_is_a_failure() -> None:
    driver = CallDriver(ROUTE)
    driver.invite()
    for nonce in ("n1", "n2"):
        (invite,) = driver.requests("INVITE")
        driver.response(401, invite.branch, headers=(("WWW-Authenticate", challenge(nonce)),), reason="No")
    (answer,) = driver.commands()
    assert (answer.respond.status, value_of(answer.respond.headers, "WWW-Authenticate")) == (401, None)


def test_a_stale_nonce_is_not_a_wrong_password() -> None:
    driver = CallDriver(ROUTE)
    driver.invite()
    headers: list[Headers] = [
        (("WWW-Authenticate", challenge("n1")),),
        (("WWW-Authenticate", challenge("n2", stale=True)),),
    ]
    for fields in headers:
        (invite,) = driver.requests("INVITE")
        driver.response(401, invite.branch, headers=fields)
    (invite,) = driver.requests("INVITE")
    assert proves(invite, "Authorization")


def test_a_proxy_and_the_callee_may_both_ask() -> None:
    driver = CallDriver(ROUTE)
    driver.invite()
    for status, asks, _ in reversed(KINDS):
        (invite,) = driver.requests("INVITE")
        driver.response(status, invite.branch, headers=((asks, challenge(asks)),))
    (invite,) = driver.requests("INVITE")
    assert proves(invite, "Authorization") and proves(invite, "Proxy-Authorization")


def test_an_unsupported_challenge_is_skipped_in_favour_of_the_next() -> None:
    driver = CallDriver(ROUTE)
    driver.invite()
    (invite,) = driver.requests("INVITE")
    values = ('Digest realm="r",nonce="n",algorithm=ROT13', 'Basic realm="r"', challenge("n3"))
    driver.response(401, invite.branch, headers=tuple(("WWW-Authenticate", value) for value in values))
    assert proves(driver.requests("INVITE")[0], "Authorization")


def challenged_call(driver: CallDriver) -> edge.SendRequest:
    """Bring a call up whose INVITE was challenged, and return the INVITE that was accepted."""
    driver.invite()
    (first,) = driver.requests("INVITE")
    driver.response(401, first.branch, headers=(("WWW-Authenticate", challenge()),))
    (second,) = driver.requests("INVITE")
    driver.sent(second.branch)
    driver.response(200, second.branch, body=ANSWER, cseq=second.cseq)
    return second


def test_the_ack_carries_what_its_invite_carried() -> None:
    driver = CallDriver(ROUTE)
    invite = challenged_call(driver)
    (ack,) = driver.requests("ACK")
    assert value_of(ack.headers, "Authorization") == value_of(invite.headers, "Authorization")


def test_later_requests_prove_themselves_at_once_and_count() -> None:
    driver = CallDriver(ROUTE)
    challenged_call(driver)
    driver.confirm_all()
    driver.in_dialog("ACK", 1)
    driver.port.take()
    driver.in_dialog("INFO", 2, body=OFFER)
    (info,) = driver.requests("INFO")
    assert proves(info, "Authorization")
    assert "nc=00000002" in (value_of(info.headers, "Authorization") or "")


@pytest.mark.parametrize("method", ["INVITE", "UPDATE", "INFO", "MESSAGE"])
def test_a_crossing_request_is_sent_again_with_credentials(method: str) -> None:
    driver = CallDriver(ROUTE)
    driver.confirmed()
    driver.in_dialog(method, 2, body=ANSWER)
    (first,) = driver.requests(method)
    headers = (("WWW-Authenticate", challenge()),)
    driver.response(401, first.branch, method=method, cseq=first.cseq, headers=headers)
    (second,) = driver.requests(method)
    assert proves(second, "Authorization")
    assert (second.cseq, second.body) == (first.cseq + 1, first.body)
    driver.response(200, second.branch, method=method, cseq=second.cseq, body=OFFER)
    assert [one.respond.status for one in driver.commands("respond")] == [200]


def test_a_bye_is_sent_again_with_credentials() -> None:
    driver = CallDriver(ROUTE)
    driver.confirmed()
    driver.in_dialog("BYE", 2)
    (first,) = driver.requests("BYE")
    headers = (("WWW-Authenticate", challenge()),)
    driver.response(401, first.branch, method="BYE", cseq=first.cseq, headers=headers)
    (second,) = driver.requests("BYE")
    assert proves(second, "Authorization")
    driver.response(401, second.branch, method="BYE", cseq=second.cseq, headers=headers)
    driver.pass_time(40)
    assert driver.call is None


@pytest.mark.parametrize(("status", "asks", "answers"), KINDS)
def test_a_keepalive_is_sent_again_with_credentials(status: int, asks: str, answers: str) -> None:
    driver = CallDriver(ROUTE, egress_keepalive_ms=30_000)
    driver.confirmed()
    driver.pass_time(30.1)
    (first,) = driver.distinct("INVITE")
    driver.response(status, first.branch, cseq=first.cseq, headers=((asks, challenge()),))
    (second,) = driver.distinct("INVITE")
    assert proves(second, answers)
    assert second.cseq == first.cseq + 1
    driver.response(200, second.branch, cseq=second.cseq, body=ANSWER)
    driver.confirm_all()
    driver.port.take()
    driver.pass_time(30.1)
    assert len(driver.distinct("INVITE")) == 1


@pytest.mark.parametrize(("status", "asks", "answers"), KINDS)
def test_pass_through_takes_challenge_and_credentials_across(status: int, asks: str, answers: str) -> None:
    driver = CallDriver(pass_authentication=True)
    driver.invite(headers=((answers, 'Digest username="caller"'),))
    (invite,) = driver.requests("INVITE")
    assert value_of(invite.headers, answers) == 'Digest username="caller"'
    values = (challenge("a"), challenge("b"))
    driver.response(status, invite.branch, headers=tuple((asks, value) for value in values))
    (answer,) = driver.commands()
    assert answer.respond.status == status
    assert [one.value for one in answer.respond.headers if one.name == asks] == list(values)


@pytest.mark.parametrize("route", ["192.0.2.1", "192.0.2.1;auth=nopass", ROUTE])
@pytest.mark.parametrize("passes", [True, False])
def test_without_pass_through_nothing_crosses(route: str, passes: bool) -> None:
    if passes and route == "192.0.2.1":
        return
    driver = CallDriver(route, pass_authentication=passes)
    driver.invite(headers=(("Authorization", 'Digest username="caller"'),))
    (invite,) = driver.requests("INVITE")
    assert value_of(invite.headers, "Authorization") is None
    if route != ROUTE:
        driver.response(401, invite.branch, headers=(("WWW-Authenticate", challenge()),))
        (answer,) = driver.commands()
        assert (answer.respond.status, value_of(answer.respond.headers, "WWW-Authenticate")) == (401, None)


def test_time_to_answer_goes_on_through_a_challenge() -> None:
    driver = CallDriver(ROUTE + ";expires=5")
    driver.invite()
    (first,) = driver.requests("INVITE")
    driver.response(401, first.branch, headers=(("WWW-Authenticate", challenge()),))
    (second,) = driver.requests("INVITE")
    driver.sent(second.branch)
    driver.response(180, second.branch)
    driver.pass_time(6.0)
    assert [one.cancel.branch for one in driver.commands("cancel")][:1] == [second.branch]


def test_challenge_of_any_length_does_not_fill_the_record() -> None:
    driver = CallDriver(ROUTE)
    driver.invite()
    (first,) = driver.requests("INVITE")
    driver.response(401, first.branch, headers=(("WWW-Authenticate", challenge("n" * 8_000)),))
    assert [one.respond.status for one in driver.commands("respond")] == [401]


def test_challenges_of_two_requests_at_once_are_counted_apart() -> None:
    driver = CallDriver(ROUTE)
    driver.confirmed()
    driver.in_dialog("INFO", 2)
    (info,) = driver.requests("INFO")
    driver.in_dialog("BYE", 3)
    (bye,) = driver.requests("BYE")
    for request in (info, bye):
        headers = (("WWW-Authenticate", challenge(f"n-{request.method}")),)
        driver.response(401, request.branch, method=request.method, cseq=request.cseq, headers=headers)
    (again,) = driver.requests("BYE")
    assert proves(again, "Authorization")


@pytest.mark.parametrize("method", ["INFO", "MESSAGE"])
def test_challenges_that_cross_are_both_answered(method: str) -> None:
    driver = CallDriver(ROUTE)
    driver.confirmed()
    for cseq in (2, 3):
        driver.in_dialog(method, cseq)
    sent = driver.requests(method)
    for request in sent:
        headers = (("Proxy-Authenticate", challenge(f"n{request.cseq}")),)
        driver.response(407, request.branch, method=method, cseq=request.cseq, headers=headers)
    assert [proves(one, "Proxy-Authorization") for one in driver.requests(method)] == [True, True]
