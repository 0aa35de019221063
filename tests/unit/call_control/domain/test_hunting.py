"""From route to route: the failover matrix, and the timers of an attempt."""

import pytest
from structlog.testing import capture_logs

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.edge.v1 import edge_pb2 as edge
from support.call_driver import ANSWER, CallDriver, value_of

SECOND = "192.0.2.2"


def placed(driver: CallDriver) -> edge.SendRequest:
    """Return the INVITE that was placed since the last look."""
    (invite,) = driver.distinct("INVITE")
    return invite


def answers(driver: CallDriver) -> list[tuple[int, str]]:
    """Return the final answers that the caller got since the last look."""
    return [
        (one.respond.status, one.respond.reason)
        for one in driver.commands("respond")
        if one.respond.status >= 200
    ]


# -- final failures ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [303, 399, 400, 404, 408, 486, 488, 500, 503, 600, 603])
def test_a_failure_is_followed_by_the_next_route(status: int) -> None:
    driver = CallDriver("192.0.2.1", SECOND)
    driver.invite()
    driver.response(status, placed(driver).branch)
    assert placed(driver).target.uri == f"sip:{SECOND}"


@pytest.mark.parametrize("status", [300, 301, 302])
def test_a_redirection_without_contact_is_a_failure(status: int) -> None:
    driver = CallDriver("192.0.2.1", SECOND)
    driver.invite()
    driver.response(status, placed(driver).branch)
    assert placed(driver).target.uri == f"sip:{SECOND}"


def test_the_caller_hears_the_last_failure_with_its_reason() -> None:
    driver = CallDriver("192.0.2.1", SECOND)
    driver.invite()
    driver.response(503, placed(driver).branch)
    headers = (("Reason", 'Q.850;cause=17;text="busy"'), ("Retry-After", "30"), ("X-Own", "1"))
    driver.response(486, placed(driver).branch, reason="Busy Here", headers=headers)
    (answer,) = driver.commands("respond")
    assert (answer.respond.status, answer.respond.reason) == (486, "Busy Here")
    assert [(one.name, one.value) for one in answer.respond.headers] == list(headers[:2])
    assert not answer.respond.HasField("body")


@pytest.mark.parametrize(("codes", "hunts_on"), [("486,600", False), ("404", True)])
def test_hunt_stop_ends_the_hunt_with_its_statuses(codes: str, hunts_on: bool) -> None:
    driver = CallDriver(f"192.0.2.1;hs_scodes={codes}", SECOND)
    driver.invite()
    driver.response(486, placed(driver).branch, reason="Busy Here")
    told = driver.commands()
    assert [one.WhichOneof("kind") for one in told] == ["send_request" if hunts_on else "respond"]


@pytest.mark.parametrize("provisional", [180, 183])
def test_ringing_does_not_end_the_hunt(provisional: int) -> None:
    driver = CallDriver("192.0.2.1", SECOND)
    driver.invite()
    invite = placed(driver)
    driver.response(provisional, invite.branch, body=ANSWER)
    driver.response(486, invite.branch)
    assert placed(driver).target.uri == f"sip:{SECOND}"


def test_every_attempt_offers_what_the_caller_offered_on_a_leg_of_its_own() -> None:
    driver = CallDriver("192.0.2.1", SECOND)
    driver.invite()
    first = placed(driver)
    driver.response(486, first.branch)
    second = placed(driver)
    assert second.body == first.body
    assert second.from_tag != first.from_tag
    assert driver.identity.read_tag(second.from_tag) == (driver.key, 2)


# -- failures before anybody was reached ---------------------------------------------------------


def test_an_unresolvable_route_does_not_hide_what_a_peer_said() -> None:
    driver = CallDriver("192.0.2.1", "nowhere.example")
    driver.invite()
    driver.response(486, placed(driver).branch, reason="Busy Here")
    driver.response(503, placed(driver).branch, to_tag="", local_cause=edge.LOCAL_CAUSE_UNRESOLVED)
    assert answers(driver) == [(486, "Busy Here")]


def test_without_any_route_that_resolves_the_caller_gets_500() -> None:
    driver = CallDriver("nowhere.example", "neither.example")
    driver.invite()
    for _ in range(2):
        driver.response(503, placed(driver).branch, to_tag="", local_cause=edge.LOCAL_CAUSE_UNRESOLVED)
    assert answers(driver) == [(500, "Internal Server Error (2)")]


def test_a_route_that_leads_nowhere_is_logged() -> None:
    driver = CallDriver("nowhere.example;auth=u:hush", "192.0.2.1:5070;transport=tcp")
    driver.invite()
    with capture_logs() as logs:
        for cause in (edge.LOCAL_CAUSE_UNRESOLVED, edge.LOCAL_CAUSE_UNREACHABLE):
            driver.response(503, placed(driver).branch, to_tag="", local_cause=cause)
    assert [(log["event"], log["note"]) for log in logs] == [
        ("call.note", "route 1 to sip:nowhere.example has no address that a listener can send to"),
        ("call.note", "route 2 to sip:192.0.2.1:5070;transport=tcp takes no INVITE at any address"),
    ]


def test_nobody_answered_is_what_the_last_route_said() -> None:
    driver = CallDriver("192.0.2.1", SECOND)
    driver.invite()
    driver.response(486, placed(driver).branch)
    timeout = edge.LOCAL_CAUSE_TIMEOUT
    driver.response(408, placed(driver).branch, to_tag="", reason="Request Timeout", local_cause=timeout)
    assert answers(driver) == [(408, "Request Timeout")]


def test_routes_without_credit_or_time_leave_nothing_to_try() -> None:
    driver = CallDriver("192.0.2.1;credit-time=0", "192.0.2.2;expires=0")
    driver.invite()
    assert answers(driver) == [(500, "Internal Server Error (3)")]


def test_a_number_is_wanted_where_the_policy_says_so() -> None:
    driver = CallDriver(wants_called_number=True)
    request = driver.request("INVITE", 1, branch="z9hG4bKcaller")
    request.request_uri = "sip:192.0.2.100"
    event = driver.event(request=request)
    event.opens_call = True
    driver.tell(event)
    assert answers(driver) == [(500, "Internal Server Error (1)")]


# -- timers of an attempt ------------------------------------------------------------------------

#: (route, statuses heard, seconds until the attempt is given up)
EXPIRIES = [
    ("192.0.2.1;expires=10", (), 10),
    ("192.0.2.1;expires=10", (100, 180), 10),
    ("192.0.2.1;np_expires=5", (), 5),
    ("192.0.2.1;np_expires=5", (100,), 5),
    ("192.0.2.1;np_expires=5;expires=10", (180,), 10),
    ("192.0.2.1;nr_expires=3", (), 3),
    ("192.0.2.1;nr_expires=3;np_expires=5;expires=10", (100,), 5),
    ("192.0.2.1;nr_expires=3;np_expires=5;expires=10", (183,), 10),
    ("192.0.2.1;nr_expires=3;expires=10", (100,), 10),
]


@pytest.mark.parametrize(("route", "heard", "seconds"), EXPIRIES)
def test_an_attempt_that_takes_too_long_is_cancelled_and_the_next_one_placed(
    route: str, heard: tuple[int, ...], seconds: int
) -> None:
    driver = CallDriver(route, SECOND)
    driver.invite()
    invite = placed(driver)
    driver.sent(invite.branch)
    for status in heard:
        driver.response(status, invite.branch)
    driver.confirm_all()
    driver.port.take()
    driver.pass_time(seconds - 0.1)
    assert driver.commands() == []
    driver.pass_time(0.2)
    told = driver.commands()
    assert [one.cancel.branch for one in told if one.HasField("cancel")] == [invite.branch]
    assert [one.send_request.target.uri for one in told if one.HasField("send_request")] == [f"sip:{SECOND}"]


def test_after_the_last_route_the_caller_hears_disconnected() -> None:
    driver = CallDriver("192.0.2.1;expires=10;hs_scodes=408,487")
    driver.invite()
    driver.pass_time(10.1)
    assert answers(driver) == [(500, "Disconnected")]


def test_the_100_is_only_asked_for_when_a_timer_needs_it() -> None:
    with_timer, without = CallDriver("192.0.2.1;nr_expires=3"), CallDriver()
    for driver in (with_timer, without):
        driver.invite()
    assert [placed(driver).report_trying for driver in (with_timer, without)] == [True, False]


def test_an_answer_ends_the_timers_of_the_attempt() -> None:
    driver = CallDriver("192.0.2.1;expires=10;gt=10,1", SECOND)
    driver.confirmed()
    driver.pass_time(30)
    assert driver.commands() == []
    assert driver.call is not None
    assert len(driver.call.routes) == 1


def test_a_2xx_for_an_attempt_that_was_given_up_is_hung_up_on() -> None:
    driver = CallDriver("192.0.2.1;expires=10", SECOND)
    driver.invite()
    first = placed(driver)
    driver.pass_time(10.1)
    driver.port.take()
    driver.response(200, first.branch, body=ANSWER)
    assert [one.method for one in (c.send_request for c in driver.commands())] == ["ACK", "BYE"]


# -- groups --------------------------------------------------------------------------------------


def test_a_group_that_takes_too_long_is_left_for_the_next_one() -> None:
    driver = CallDriver("192.0.2.1;gt=10,2", SECOND, "192.0.2.3")
    driver.invite()
    driver.pass_time(10.1)
    assert [one.target.uri for one in driver.distinct("INVITE")] == ["sip:192.0.2.1", "sip:192.0.2.3"]


def test_the_time_of_a_group_counts_from_its_first_attempt() -> None:
    driver = CallDriver("192.0.2.1;gt=10,2", SECOND, "192.0.2.3")
    driver.invite()
    driver.pass_time(6)
    driver.response(486, placed(driver).branch)
    driver.pass_time(4.1)
    assert [one.target.uri for one in driver.distinct("INVITE")] == [f"sip:{SECOND}", "sip:192.0.2.3"]


def test_one_past_the_last_route_lets_the_attempt_go_on_and_nothing_follow() -> None:
    driver = CallDriver("192.0.2.1;gt=10,3", SECOND, "192.0.2.3")
    driver.invite()
    invite = placed(driver)
    driver.sent(invite.branch)
    driver.pass_time(10.1)
    assert driver.commands("cancel") == []
    driver.response(486, invite.branch, reason="Busy Here")
    assert answers(driver) == [(486, "Busy Here")]


def test_a_hunt_that_is_past_the_group_goes_on() -> None:
    driver = CallDriver("192.0.2.1;gt=10,1", SECOND, "192.0.2.3")
    driver.invite()
    for _ in range(2):
        invite = placed(driver)
        driver.response(486, invite.branch)
    last = placed(driver)
    driver.sent(last.branch)
    driver.pass_time(12)
    assert driver.commands("cancel") == []


# -- credit --------------------------------------------------------------------------------------


def test_the_call_ends_when_its_credit_is_used_up() -> None:
    driver = CallDriver("192.0.2.1;credit-time=60")
    driver.confirmed()
    answered_at = driver.leg(1).connect_time_ms
    driver.pass_time(59.9)
    assert driver.requests("BYE") == []
    driver.pass_time(0.2)
    byes = driver.distinct("BYE")
    assert len(byes) == 2
    assert all(value_of(bye.headers, "Reason") is None for bye in byes)
    assert driver.call is not None
    assert driver.call.release_source == record.RELEASE_SOURCE_INTERNAL
    assert driver.leg(1).end_time_ms == answered_at + 60_000


def test_credit_is_capped() -> None:
    driver = CallDriver("192.0.2.1;credit-time=60", max_credit_ms=30_000)
    driver.confirmed()
    driver.pass_time(30.1)
    assert len(driver.distinct("BYE")) == 2


def test_after_a_late_offer_credit_counts_from_the_callers_ack() -> None:
    driver = CallDriver("192.0.2.1;credit-time=60")
    driver.invite(body=None)
    invite = placed(driver)
    driver.sent(invite.branch)
    driver.response(200, invite.branch, body=ANSWER)
    driver.confirm_all()
    driver.pass_time(5)
    driver.in_dialog("ACK", 1, body=ANSWER)
    driver.confirm_all()
    driver.port.take()
    driver.pass_time(59.9)
    assert driver.requests("BYE") == []
    driver.pass_time(0.2)
    assert len(driver.distinct("BYE")) == 2


# -- what the attempt looks like -----------------------------------------------------------------


def test_an_outbound_proxy_gets_every_request_of_the_leg() -> None:
    driver = CallDriver("192.0.2.1;op=[2001:db8::9]:5070")
    driver.invite()
    invite = placed(driver)
    assert invite.request_uri == "sip:2002@192.0.2.1"
    driver.sent(invite.branch)
    driver.response(200, invite.branch, body=ANSWER)
    ack = driver.requests("ACK")[0]
    driver.confirm_all()
    driver.in_dialog("ACK", 1)
    driver.in_dialog("BYE", 2)
    bye = driver.requests("BYE")[0]
    assert {one.target.uri for one in (invite, ack, bye)} == {"sip:[2001:db8::9]:5070"}
    assert not invite.route and not ack.route and not bye.route


def test_headers_of_the_route_are_in_every_request_but_ack_and_cancel() -> None:
    driver = CallDriver("192.0.2.1;ash=X-Carrier%3A%20one")
    driver.invite()
    invite = placed(driver)
    driver.sent(invite.branch)
    driver.response(200, invite.branch, body=ANSWER)
    ack = driver.requests("ACK")[0]
    driver.confirm_all()
    driver.in_dialog("ACK", 1)
    driver.in_dialog("INFO", 2)
    info = driver.requests("INFO")[0]
    driver.in_dialog("BYE", 3)
    bye = driver.requests("BYE")[0]
    assert [value_of(one.headers, "x-carrier") for one in (invite, ack, info, bye)] == [
        "one",
        None,
        "one",
        "one",
    ]


def test_identity_of_the_route() -> None:
    driver = CallDriver(
        "44@192.0.2.1:5070;cli=77;cnam=A%20%22B%22;from_domain=example.net;to_domain={request_host}"
    )
    driver.invite()
    invite = placed(driver)
    assert invite.request_uri == "sip:44@192.0.2.1:5070"
    assert invite.from_value == r'"A \"B\"" <sip:77@example.net>'
    assert invite.to_value == "<sip:44@192.0.2.100>"
    assert invite.contact_user == "77"


def test_call_ids_of_attempts_differ() -> None:
    driver = CallDriver("192.0.2.1", SECOND)
    driver.invite()
    first = placed(driver)
    driver.response(486, first.branch)
    assert (first.call_id, placed(driver).call_id) == ("call-1", "call-1")
