"""How large the record of a call is, and that it stays so however long the call goes on."""

from __future__ import annotations

from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from sipcore.session_timer import Wish
from support.call_driver import ANSWER, OFFER, CallDriver, size_without_bodies


def size(driver: CallDriver) -> int:
    assert driver.call is not None
    return size_without_bodies(driver.call)


def test_plain_call_is_small() -> None:
    driver = CallDriver()
    driver.ringing()
    assert size(driver) < 1_300
    driver.response(200, driver.leg(1).invite_branch, body=ANSWER)
    assert size(driver) < 1_600
    driver.confirm_all()
    driver.in_dialog("ACK", 1)
    assert size(driver) < 700


def accept_all(driver: CallDriver) -> None:
    for invite in driver.distinct("INVITE"):
        headers = (("Session-Expires", "90;refresher=uac"),)
        driver.tell(
            driver.event(
                response=edge.ResponseEvent(
                    branch=invite.branch,
                    status=200,
                    reason="OK",
                    to_tag=invite.to_tag,
                    cseq=invite.cseq,
                    method="INVITE",
                    headers=[sip_pb2.Header(name=name, value=value) for name, value in headers],
                    body=ANSWER,
                )
            )
        )


def test_reinvites_refreshes_and_keepalives_leave_nothing_behind() -> None:
    driver = CallDriver(session=Wish(interval=90, we_refresh=True), ingress_keepalive_ms=20_000)
    driver.confirmed()
    sizes = []
    for number in range(100):
        leg, cseq = number % 2, number + 2
        body = sip_pb2.Body(data=b"v=0 %d" % number, content_type=OFFER.content_type)
        driver.in_dialog("INVITE", cseq, leg=leg, body=body)
        accept_all(driver)
        driver.in_dialog("ACK", cseq, leg=leg)
        driver.confirm_all()
        driver.pass_time(4.0)
        accept_all(driver)
        driver.confirm_all()
        sizes.append(size(driver))
    assert max(sizes[50:]) <= max(sizes[:50]) + 40


def test_an_attempt_that_is_over_costs_little() -> None:
    driver = CallDriver(*(f"192.0.2.{number}" for number in range(1, 33)))
    driver.invite()
    sizes = []
    for _ in range(30):
        invite = driver.distinct("INVITE")[-1]
        driver.sent(invite.branch)
        driver.response(180, invite.branch)
        driver.response(486, invite.branch)
        driver.confirm_all()
        sizes.append(size(driver))
    assert (sizes[-1] - sizes[9]) / 20 < 240
