"""300, 301 and 302 with a Contact."""

import pytest

from support.call_driver import CallDriver, value_of

CONTACTS = (
    "<sip:3003@192.0.2.30:5070>;q=0.5",
    '"New" <sip:4004@192.0.2.40;transport=tcp>;q=0.9',
    "<mailto:a@b>",
)


def redirected(driver: CallDriver, status: int, contacts: tuple[str, ...] = CONTACTS) -> None:
    driver.invite()
    (invite,) = driver.requests("INVITE")
    driver.response(status, invite.branch, contacts=contacts, reason="Moved")


@pytest.mark.parametrize(("status", "count"), [(300, 3), (301, 1), (302, 1)])
def test_the_caller_is_told_even_if_routes_remain(status: int, count: int) -> None:
    driver = CallDriver("192.0.2.1", "192.0.2.2")
    redirected(driver, status)
    (answer,) = driver.commands()
    assert (answer.respond.status, answer.respond.reason) == (status, "Moved")
    assert [one.value for one in answer.respond.headers if one.name == "Contact"] == list(CONTACTS[:count])


def test_a_redirection_is_followed_best_contact_first_then_the_other_routes() -> None:
    driver = CallDriver("192.0.2.1;redirect=follow;ash=X-A%3Ab", "192.0.2.2")
    redirected(driver, 302)
    placed = []
    for _ in range(3):
        (invite,) = driver.distinct("INVITE")
        placed.append((invite.request_uri, invite.target.uri, value_of(invite.headers, "X-A")))
        driver.response(486, invite.branch)
    assert placed == [
        ("sip:4004@192.0.2.40", "sip:192.0.2.40;transport=tcp", "b"),
        ("sip:3003@192.0.2.30:5070", "sip:192.0.2.30:5070", "b"),
        ("sip:2002@192.0.2.2", "sip:192.0.2.2", None),
    ]


def test_following_is_a_policy_too_and_a_route_may_differ() -> None:
    driver = CallDriver("192.0.2.1;redirect=relay", follow_redirects=True)
    redirected(driver, 302)
    assert [one.respond.status for one in driver.commands()] == [302]


def test_contacts_that_cannot_be_called_leave_the_next_route() -> None:
    driver = CallDriver("192.0.2.1;redirect=follow", "192.0.2.2")
    redirected(driver, 302, ("<mailto:a@b>", "garbage"))
    assert driver.distinct("INVITE")[0].target.uri == "sip:192.0.2.2"


def test_a_circle_of_redirections_ends() -> None:
    driver = CallDriver("192.0.2.1;redirect=follow")
    driver.invite()
    for _ in range(100):
        invites = driver.distinct("INVITE")
        if not invites:
            break
        driver.response(302, invites[0].branch, contacts=("<sip:2002@192.0.2.1>",), reason="Moved")
    assert driver.call is None or driver.call.state == 5
    assert len(invites) == 0


def test_callees_that_redirect_in_circles_do_not_fill_the_record() -> None:
    driver = CallDriver("192.0.2.1;redirect=follow")
    driver.invite()
    eight = tuple(f"<sip:{number}@192.0.2.{number}>" for number in range(8))
    for _ in range(20):
        (invite,) = driver.distinct("INVITE")
        driver.response(302, invite.branch, contacts=eight)
    assert driver.call is not None
    assert len(driver.call.routes) <= 64
