"""Several branches of a fork that ring reliably."""

from __future__ import annotations

from b2bua.edge.v1 import edge_pb2 as edge
from support.call_driver import ANSWER, OFFER, CallDriver, Headers, value_of


def reliably(number: int) -> Headers:
    return (("Require", "100rel"), ("RSeq", str(number)))


def ringing(driver: CallDriver, *rings: tuple[str, int]) -> list[edge.SendRequest]:
    """Branches ring, each with its tag and a number; return the PRACKs."""
    branch = driver.leg(1).invite_branch
    for tag, number in rings:
        driver.response(180, branch, to_tag=tag, headers=reliably(number))
    return driver.requests("PRACK")


def test_each_branch_counts_by_itself_and_repetitions_count_nothing() -> None:
    driver = CallDriver(reliable="always")
    driver.invite()
    pracks = ringing(driver, ("a", 5), ("b", 9), ("a", 5), ("b", 9), ("a", 6), ("b", 11), ("b", 10))
    told = [(one.to_tag, (value_of(one.headers, "RAck") or "").split(" ")[0]) for one in pracks]
    assert told == [("a", "5"), ("b", "9"), ("a", "6"), ("b", "10")]


def test_number_of_branches_is_bounded() -> None:
    driver = CallDriver(reliable="always")
    driver.invite()
    ringing(driver, *((f"branch-{number}", 1) for number in range(50)))
    assert len(driver.leg(1).early.others) == 8


def test_answer_of_the_caller_goes_to_the_branch_that_has_made_the_offer() -> None:
    driver = CallDriver()
    driver.invite(body=None, headers=(("Supported", "100rel"),))
    branch = driver.requests("INVITE")[0].branch
    driver.response(183, branch, to_tag="a", headers=reliably(1), body=OFFER)
    (ring,) = [one.respond for one in driver.commands("respond")]
    driver.response(180, branch, to_tag="b", headers=reliably(1))
    driver.port.take()
    driver.in_dialog("PRACK", 2, body=ANSWER, headers=(("RAck", f"{ring.rseq} 1 INVITE"),))
    (prack,) = driver.requests("PRACK")
    assert (prack.to_tag, prack.body) == ("a", ANSWER)


def test_branch_that_spoke_before_is_no_stranger() -> None:
    driver = CallDriver(reliable="always")
    driver.invite()
    ringing(driver, ("a", 1), ("b", 1))
    driver.port.take()
    for tag in ("a", "b", "c"):
        request = driver.request("UPDATE", 1 if tag == "a" else 2, leg=1)
        request.from_tag = tag
        request.transaction = tag
        driver.tell(driver.event(request=request))
    assert [one.respond.status for one in driver.commands("respond")] == [200, 200, 481]
