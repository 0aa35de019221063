"""Session timers of each leg (RFC 4028)."""

import pytest

from b2bua.callcontrol.v1 import call_pb2 as record
from sipcore.session_timer import Wish
from support.call_driver import ANSWER, CallDriver, Headers, value_of

ASK = Wish(interval=600, we_refresh=True)
TIMED = (("Supported", "timer"), ("Session-Expires", "200;refresher=uac"))


def up(driver: CallDriver, *, invite: Headers = (), answer: Headers = ()) -> None:
    """Bring a call up whose INVITE and 2xx say these things."""
    driver.invite(headers=invite)
    (sent,) = driver.distinct("INVITE")
    driver.sent(sent.branch)
    driver.response(200, sent.branch, body=ANSWER, headers=answer)
    driver.confirm_all()
    driver.in_dialog("ACK", 1)


def test_what_the_caller_asks_for_is_granted() -> None:
    driver = CallDriver()
    driver.invite(headers=TIMED)
    (sent,) = driver.distinct("INVITE")
    driver.response(200, sent.branch, body=ANSWER)
    (answer,) = driver.commands("respond")
    assert value_of(answer.respond.headers, "Session-Expires") == "200;refresher=uac"
    assert value_of(answer.respond.headers, "Require") == "timer"
    assert (driver.leg(0).session_interval_s, driver.leg(0).session_refresher) == (200, False)


def test_an_interval_too_small_is_refused() -> None:
    driver = CallDriver()
    driver.invite(headers=(("Supported", "timer"), ("Session-Expires", "30")))
    (answer,) = driver.commands("respond")
    assert (answer.respond.status, value_of(answer.respond.headers, "Min-SE")) == (422, "90")
    assert driver.distinct("INVITE") == []


def test_a_malformed_interval_is_a_bad_request() -> None:
    driver = CallDriver()
    driver.invite(headers=(("Session-Expires", "soon"),))
    (answer,) = driver.commands("respond")
    assert answer.respond.status == 400


def test_nothing_is_asked_for_by_default() -> None:
    driver = CallDriver()
    driver.invite()
    (sent,) = driver.distinct("INVITE")
    assert value_of(sent.headers, "Session-Expires") is None
    assert value_of(sent.headers, "Supported") is None


def test_we_ask_the_callee_and_refresh_with_the_same_offer() -> None:
    driver = CallDriver(session=ASK)
    up(driver, answer=(("Session-Expires", "600;refresher=uac"), ("Require", "timer")))
    driver.port.take()
    driver.pass_time(299)
    assert driver.distinct("INVITE") == []
    driver.pass_time(1.2)
    refresh = driver.distinct("INVITE")[0]
    assert value_of(refresh.headers, "Session-Expires") == "600;refresher=uac"
    assert value_of(refresh.headers, "Supported") == "timer"
    assert refresh.body.data == b"v=0 offer"
    assert refresh.contact
    driver.response(
        200,
        refresh.branch,
        cseq=refresh.cseq,
        body=ANSWER,
        headers=(("Session-Expires", "600;refresher=uac"),),
    )
    assert [one.cseq for one in driver.requests("ACK")] == [refresh.cseq]
    driver.confirm_all()
    driver.pass_time(300.2)
    assert len(driver.distinct("INVITE")) == 1


def test_update_refreshes_where_the_peer_takes_it() -> None:
    driver = CallDriver(session=ASK)
    up(driver, answer=(("Session-Expires", "600;refresher=uac"), ("Allow", "INVITE, UPDATE, BYE")))
    driver.port.take()
    driver.pass_time(300.2)
    (refresh,) = driver.distinct("UPDATE")
    assert not refresh.HasField("body")
    driver.response(405, refresh.branch, method="UPDATE", cseq=refresh.cseq)
    assert len(driver.distinct("INVITE")) == 1


def test_a_422_is_met_with_what_the_callee_wants() -> None:
    driver = CallDriver(session=ASK)
    driver.invite()
    (first,) = driver.distinct("INVITE")
    driver.response(422, first.branch, headers=(("Min-SE", "900"),))
    (second,) = driver.distinct("INVITE")
    assert value_of(second.headers, "Session-Expires") == "900;refresher=uac"
    assert value_of(second.headers, "Min-SE") == "900"
    assert second.cseq == first.cseq + 1
    driver.response(422, second.branch, headers=(("Min-SE", "1800"),))
    assert driver.commands("respond")[0].respond.status == 422


def test_a_session_that_nobody_refreshes_ends_on_both_sides() -> None:
    driver = CallDriver()
    up(driver, invite=TIMED)
    driver.port.take()
    driver.pass_time(167)
    assert driver.distinct("BYE") == []
    driver.pass_time(2)
    assert len(driver.distinct("BYE")) == 2


def test_the_callers_refresh_is_answered_here_and_moves_the_end() -> None:
    driver = CallDriver()
    up(driver, invite=TIMED)
    driver.pass_time(100)
    driver.port.take()
    driver.in_dialog("UPDATE", 2, headers=TIMED)
    (answer,) = driver.commands()
    assert (answer.respond.status, answer.respond.contact) == (200, True)
    assert value_of(answer.respond.headers, "Session-Expires") == "200;refresher=uac"
    driver.pass_time(160)
    assert driver.distinct("BYE") == []


@pytest.mark.parametrize("status", [408, 481])
def test_a_refresh_that_meets_no_dialog_ends_the_call(status: int) -> None:
    driver = CallDriver(session=ASK)
    up(driver, answer=(("Session-Expires", "600;refresher=uac"),))
    driver.port.take()
    driver.pass_time(300.2)
    refresh = driver.distinct("INVITE")[0]
    driver.response(status, refresh.branch, cseq=refresh.cseq)
    assert len(driver.distinct("BYE")) == 2


def test_an_answer_without_timer_ends_the_timer() -> None:
    driver = CallDriver(session=ASK)
    up(driver, answer=(("Session-Expires", "600;refresher=uac"),))
    driver.port.take()
    driver.pass_time(300.2)
    refresh = driver.distinct("INVITE")[0]
    driver.response(200, refresh.branch, cseq=refresh.cseq, body=ANSWER)
    assert driver.call is not None
    assert [timer.kind for timer in driver.call.timers if timer.leg == 1] == []
    assert driver.call.state == record.CALL_STATE_CONFIRMED


def test_interval_that_cannot_be_read_is_none() -> None:
    driver = CallDriver(session=ASK)
    up(driver, answer=(("Session-Expires", "soon"),))
    assert driver.leg(1).session_interval_s == 0
    assert driver.call is not None
    assert {timer.leg for timer in driver.call.timers} == {0}


def test_refresh_that_is_too_short_asks_for_more() -> None:
    driver = CallDriver(session=ASK)
    up(driver)
    driver.port.take()
    driver.pass_time(301.0)
    (refresh,) = driver.distinct("INVITE")
    driver.response(422, refresh.branch, cseq=refresh.cseq, headers=(("Min-SE", "900"),))
    driver.pass_time(2.0)
    (again,) = driver.distinct("INVITE")
    assert value_of(again.headers, "Session-Expires") == "900;refresher=uac"


def test_session_that_runs_out_before_the_answer_leaves_no_caller_waiting() -> None:
    driver = CallDriver()
    driver.invite(headers=(("Supported", "100rel, timer"),))
    branch = driver.requests("INVITE")[0].branch
    driver.response(183, branch, headers=(("Require", "100rel"), ("RSeq", "1")), body=ANSWER)
    (ring,) = [one.respond for one in driver.commands("respond")]
    driver.in_dialog("PRACK", 2, headers=(("RAck", f"{ring.rseq} 1 INVITE"),))
    driver.in_dialog("UPDATE", 3, headers=(("Supported", "timer"), ("Session-Expires", "90;refresher=uac")))
    driver.confirm_all()
    driver.port.take()
    driver.pass_time(61.0)
    assert [one.respond.status for one in driver.commands("respond")] == []
    assert driver.call is not None
    assert driver.call.state == record.CALL_STATE_RINGING
