"""REFER carried out by us: the target is called, the transferee gets it, the transferor may go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

import pytest

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain.routing.pass_headers import parse_pass_headers
from support.call_driver import ANSWER, OFFER, CallDriver, Headers, value_of

TARGET_OFFER = sip_pb2.Body(data=b"v=0 target", content_type="application/sdp")
TRANSFEREES_ANSWER = sip_pb2.Body(data=b"v=0 transferee", content_type="application/sdp")
NEW_OFFER = sip_pb2.Body(data=b"v=0 other", content_type="application/sdp")
REFER_TO = ("Refer-To", "<sip:3003@192.0.2.30>")
TARGET = 2
#: (transferor's leg, CSeq number of its REFER)
SIDES = [(0, 2), (1, 1)]


class Transfer(NamedTuple):
    """A transfer under way, as the peers see it."""

    driver: CallDriver
    transferor: int
    cseq: int

    @property
    def transferee(self) -> int:
        return 1 - self.transferor


def begin(
    transferor: int = 0,
    cseq: int = 2,
    routes: Sequence[str] = ("192.0.2.1",),
    headers: Headers = (),
    refer_to: str = REFER_TO[1],
    **policy: object,
) -> Transfer:
    """Bring a call up and have one side send a REFER."""
    driver = CallDriver(*routes, transfer="perform", **policy)
    driver.confirmed()
    refer_to_header = (("Refer-To", refer_to),) if refer_to else ()
    driver.in_dialog("REFER", cseq, leg=transferor, headers=(*refer_to_header, *headers))
    return Transfer(driver, transferor, cseq)


def of(commands: Sequence[edge.Command], method: str) -> list[edge.SendRequest]:
    """The requests of a method among commands."""
    return [one.send_request for one in commands if one.send_request.method == method]


def statuses(commands: Sequence[edge.Command]) -> list[int]:
    """The statuses of the answers among commands."""
    return [one.respond.status for one in commands if one.HasField("respond")]


def told(notify: edge.SendRequest) -> tuple[str, str]:
    """What a NOTIFY says: the status line, and whether there is more to come."""
    state = value_of(notify.headers, "Subscription-State") or ""
    return notify.body.data.decode(), state.partition(";")[0]


def leg_of(driver: CallDriver, request: edge.SendRequest) -> int:
    """The leg that a request leaves on."""
    read = driver.identity.read_tag(request.from_tag)
    assert read is not None
    return read[1]


def dialled(transfer: Transfer) -> edge.SendRequest:
    """Answer the first NOTIFY; return the INVITE to the target."""
    commands = transfer.driver.commands()
    (invite,) = of(commands, "INVITE")
    for notify in of(commands, "NOTIFY"):
        transfer.driver.response(200, notify.branch, method="NOTIFY", cseq=notify.cseq)
    return invite


def picked_up(transfer: Transfer) -> tuple[edge.SendRequest, edge.SendRequest]:
    """Let the target answer; return the INVITEs to the target and to the transferee."""
    driver = transfer.driver
    invite = dialled(transfer)
    driver.response(200, invite.branch, cseq=invite.cseq, to_tag="target", body=TARGET_OFFER)
    (reinvite,) = driver.requests("INVITE")
    return invite, reinvite


def connected(transfer: Transfer) -> list[edge.Command]:
    """Bring the transfer through; return what was told last."""
    _, reinvite = picked_up(transfer)
    transfer.driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=TRANSFEREES_ANSWER)
    return transfer.driver.commands()


def finish(driver: CallDriver, leg: int = TARGET) -> None:
    """One side hangs up; all are gone in the end."""
    driver.in_dialog("BYE", 900, leg=leg)
    driver.pass_time(80)
    assert driver.call is None
    assert driver.store.active == set()


def state_of(driver: CallDriver) -> record.Call:
    assert driver.call is not None
    return driver.call


# -- through ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("leg", "cseq"), SIDES)
def test_a_refer_is_accepted_and_the_target_called(leg: int, cseq: int) -> None:
    driver = begin(leg, cseq).driver
    commands = driver.commands()
    assert statuses(commands) == [202]
    assert commands[0].respond.contact
    (notify,) = of(commands, "NOTIFY")
    assert leg_of(driver, notify) == leg
    assert told(notify) == ("SIP/2.0 100 Trying\r\n", "active")
    assert value_of(notify.headers, "Event") == "refer"
    assert notify.body.content_type == "message/sipfrag;version=2.0"
    (invite,) = of(commands, "INVITE")
    assert invite.request_uri == "sip:3003@192.0.2.1"
    assert not invite.body.data
    assert leg_of(driver, invite) == TARGET
    assert "1001" in invite.from_value if leg else "2002" in invite.from_value


@pytest.mark.parametrize(("leg", "cseq"), SIDES)
def test_target_and_transferee_are_connected_and_the_transferor_is_released(leg: int, cseq: int) -> None:
    transfer = begin(leg, cseq)
    driver = transfer.driver
    invite = dialled(transfer)
    driver.response(180, invite.branch, cseq=invite.cseq, to_tag="target", reason="Ringing")
    (ringing,) = driver.requests("NOTIFY")
    assert told(ringing) == ("SIP/2.0 180 Ringing\r\n", "active")
    driver.response(200, ringing.branch, method="NOTIFY", cseq=ringing.cseq)
    driver.response(200, invite.branch, cseq=invite.cseq, to_tag="target", body=TARGET_OFFER)
    commands = driver.commands()
    (reinvite,) = of(commands, "INVITE")
    assert not of(commands, "ACK")
    assert leg_of(driver, reinvite) == transfer.transferee
    assert reinvite.body == TARGET_OFFER
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=TRANSFEREES_ANSWER)
    commands = driver.commands()
    to_target, to_transferee = sorted(of(commands, "ACK"), key=lambda one: -leg_of(driver, one))
    assert (to_target.body, leg_of(driver, to_target)) == (TRANSFEREES_ANSWER, TARGET)
    assert leg_of(driver, to_transferee) == transfer.transferee
    assert not of(commands, "BYE")
    (last,) = of(commands, "NOTIFY")
    assert told(last) == ("SIP/2.0 200 OK\r\n", "terminated")
    assert value_of(last.headers, "Subscription-State") == "terminated;reason=noresource"
    driver.response(200, last.branch, method="NOTIFY", cseq=last.cseq)
    (bye,) = driver.requests("BYE")
    assert leg_of(driver, bye) == leg
    driver.response(200, bye.branch, method="BYE", cseq=bye.cseq)
    assert state_of(driver).state == record.CALL_STATE_CONFIRMED
    driver.in_dialog("BYE", 1, leg=TARGET)
    (bye,) = driver.requests("BYE")
    assert leg_of(driver, bye) == transfer.transferee
    driver.pass_time(80)
    assert driver.call is None


def test_requests_cross_between_transferee_and_target_afterwards() -> None:
    transfer = begin()
    driver = transfer.driver
    connected(transfer)
    driver.in_dialog("INFO", 1, leg=TARGET)
    (info,) = driver.requests("INFO")
    assert leg_of(driver, info) == 1
    driver.in_dialog("INVITE", 2, leg=1, body=NEW_OFFER)
    (reinvite,) = driver.requests("INVITE")
    assert (leg_of(driver, reinvite), reinvite.body) == (TARGET, NEW_OFFER)
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, to_tag="target", body=ANSWER)
    (answer,) = driver.commands("respond")
    assert (answer.respond.status, answer.respond.body) == (200, ANSWER)
    driver.in_dialog("ACK", 2, leg=1)
    finish(driver, leg=1)


def test_the_same_offer_of_the_target_again_is_answered_with_the_transferees_answer() -> None:
    transfer = begin()
    connected(transfer)
    transfer.driver.in_dialog("INVITE", 1, leg=TARGET, body=TARGET_OFFER)
    (answer,) = transfer.driver.commands("respond")
    assert answer.respond.body == TRANSFEREES_ANSWER


def test_each_leg_has_its_times() -> None:
    transfer = begin(headers=(("Refer-Sub", "false"),))
    driver = transfer.driver
    driver.time[0] += 1_000
    invite = dialled(transfer)
    driver.response(180, invite.branch, cseq=invite.cseq, to_tag="target")
    driver.time[0] += 1_000
    driver.response(200, invite.branch, cseq=invite.cseq, to_tag="target", body=TARGET_OFFER)
    (reinvite,) = driver.distinct("INVITE")
    driver.time[0] += 1_000
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=TRANSFEREES_ANSWER)
    driver.time[0] += 5_000
    driver.in_dialog("BYE", 1, leg=TARGET)
    legs = state_of(driver).legs
    start = 1_000_000
    assert [leg.setup_time_ms - start for leg in legs] == [0, 0, 0]
    assert [leg.connect_time_ms - start for leg in legs] == [0, 0, 2_000]
    assert [leg.end_time_ms - start for leg in legs] == [3_000, 8_000, 8_000]
    assert legs[TARGET].alerting_time_ms - start == 1_000


def test_a_second_transfer_by_the_transferee() -> None:
    transfer = begin()
    driver = transfer.driver
    for notify in of(connected(transfer), "NOTIFY"):
        driver.response(200, notify.branch, method="NOTIFY", cseq=notify.cseq)
    again = Transfer(driver, 1, 5)
    driver.in_dialog("REFER", 5, leg=1, headers=(("Refer-To", "sip:4004@example.org"),))
    invite = dialled(again)
    assert (invite.request_uri, leg_of(driver, invite)) == ("sip:4004@192.0.2.1", 3)
    driver.response(200, invite.branch, cseq=invite.cseq, to_tag="fourth", body=TARGET_OFFER)
    (reinvite,) = driver.requests("INVITE")
    assert leg_of(driver, reinvite) == TARGET
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=TRANSFEREES_ANSWER)
    notify = driver.requests("NOTIFY")[-1]
    driver.response(200, notify.branch, method="NOTIFY", cseq=notify.cseq)
    assert [leg_of(driver, bye) for bye in driver.requests("BYE")] == [1]
    assert sorted(state_of(driver).connected) == [2, 3]
    finish(driver, leg=3)


# -- what the REFER says ---------------------------------------------------------------------------


def test_without_subscription_nobody_is_told_and_the_transferor_hung_up_at_once() -> None:
    transfer = begin(headers=(("Refer-Sub", "false"),))
    driver = transfer.driver
    (answer,) = [one.respond for one in driver.port.commands if one.HasField("respond")]
    assert value_of(answer.headers, "Refer-Sub") == "false"
    commands = connected(transfer)
    assert [leg_of(driver, bye) for bye in of(commands, "BYE")] == [0]
    assert not of(commands, "NOTIFY")
    finish(driver)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), "<sip:1001@example.org>"),
        ((("Referred-By", "<sip:boss@example.org>;cid=1@x"),), "<sip:boss@example.org>"),
    ],
)
def test_the_target_hears_who_transfers(given: Headers, expected: str) -> None:
    (invite,) = begin(headers=given).driver.requests("INVITE")
    assert value_of(invite.headers, "Referred-By") == expected


def test_replaces_of_a_foreign_dialog_is_passed_to_the_target() -> None:
    refer_to = "<sip:3003@x?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>"
    (invite,) = begin(refer_to=refer_to).driver.requests("INVITE")
    assert value_of(invite.headers, "Replaces") == "a@b;to-tag=1;from-tag=2"


def test_replaces_of_a_call_of_ours_leads_back_to_us() -> None:
    driver = CallDriver(transfer="perform")
    driver.confirmed()
    dialog = driver.dialog(0)
    refer_to = f"<sip:3003@192.0.2.100?Replaces={quote(dialog)}>"
    driver.in_dialog("REFER", 2, headers=(("Refer-To", refer_to),))
    (invite,) = driver.requests("INVITE")
    assert invite.target.ourselves
    assert value_of(invite.headers, "Replaces") == dialog
    driver.response(200, invite.branch, cseq=invite.cseq, to_tag="ours", body=TARGET_OFFER)
    (reinvite,) = driver.requests("INVITE")
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=TRANSFEREES_ANSWER)
    # Inside the dialog too.
    assert [ack.target.ourselves for ack in driver.requests("ACK") if ack.body.data] == [True]


def test_several_routes_are_tried_as_for_any_call() -> None:
    transfer = begin(routes=("192.0.2.1", "192.0.2.2;hs_scodes=404"))
    driver = transfer.driver
    invite = dialled(transfer)
    assert invite.request_uri == "sip:3003@192.0.2.1"
    driver.response(503, invite.branch, cseq=invite.cseq)
    (second,) = driver.requests("INVITE")
    assert (second.request_uri, leg_of(driver, second)) == ("sip:3003@192.0.2.2", 3)
    driver.response(200, second.branch, cseq=second.cseq, to_tag="target", body=TARGET_OFFER)
    (reinvite,) = driver.requests("INVITE")
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=TRANSFEREES_ANSWER)
    assert list(state_of(driver).connected) == [1, 3]


def test_the_place_in_the_refer_to_counts_only_if_the_operator_says_so() -> None:
    refer_to = "<sip:3003@192.0.2.30:5070;transport=tcp>"
    (invite,) = begin(refer_to=refer_to, transfer_direct=True).driver.requests("INVITE")
    assert invite.request_uri == "sip:3003@192.0.2.30:5070"
    assert invite.target.uri == "sip:192.0.2.30:5070;transport=tcp"
    (invite,) = begin(refer_to="<sip:3003@example.org>", transfer_direct=True).driver.requests("INVITE")
    assert invite.request_uri == "sip:3003@192.0.2.1"


@pytest.mark.parametrize(
    ("refer_to", "status"),
    [
        ("", 400),
        ("<sip:3003@x", 400),
        ("http://example.org", 416),
        ("<sip:3003@x;method=BYE>", 603),
        ("<sip:example.org>", 603),
    ],
)
def test_a_refer_that_names_nobody_is_refused_and_the_call_goes_on(refer_to: str, status: int) -> None:
    driver = begin(refer_to=refer_to).driver
    assert statuses(driver.commands()) == [status]
    driver.in_dialog("INFO", 3)
    assert len(driver.requests("INFO")) == 1


def test_two_refer_to_are_one_too_many() -> None:
    assert statuses(begin(headers=(REFER_TO,)).driver.commands()) == [400]


@pytest.mark.parametrize(("leg", "cseq"), SIDES)
def test_the_callers_header_fields_go_to_the_target_of_the_caller_only(leg: int, cseq: int) -> None:
    driver = CallDriver(transfer="perform", pass_headers=parse_pass_headers("X-*"))
    driver.invite(headers=(("X-Account", "7"),))
    branch = driver.requests("INVITE")[0].branch
    driver.response(200, branch, body=ANSWER)
    driver.in_dialog("ACK", 1)
    driver.port.take()
    driver.in_dialog("REFER", cseq, leg=leg, headers=(REFER_TO,))
    (invite,) = driver.requests("INVITE")
    assert value_of(invite.headers, "X-Account") == ("7" if leg else None)


# -- failures of the target ------------------------------------------------------------------------


def test_a_busy_target_leaves_the_call_as_it_was() -> None:
    transfer = begin()
    driver = transfer.driver
    invite = dialled(transfer)
    driver.response(486, invite.branch, cseq=invite.cseq, reason="Busy Here")
    commands = driver.commands()
    (last,) = of(commands, "NOTIFY")
    assert told(last) == ("SIP/2.0 486 Busy Here\r\n", "terminated")
    assert not of(commands, "BYE")
    driver.response(200, last.branch, method="NOTIFY", cseq=last.cseq)
    assert not driver.commands()
    driver.in_dialog("INFO", 3)
    assert len(driver.requests("INFO")) == 1
    call = state_of(driver)
    assert not call.HasField("transfer")
    assert not call.HasField("subscription")
    assert not call.timers
    assert call.release_source == record.RELEASE_SOURCE_UNSPECIFIED
    driver.in_dialog("REFER", 4, headers=(REFER_TO,))
    commands = driver.commands()
    assert statuses(commands) == [202]
    assert value_of(of(commands, "NOTIFY")[0].headers, "Event") == "refer;id=4"


def test_a_target_that_never_answers() -> None:
    transfer = begin(answer_timeout_ms=60_000)
    driver = transfer.driver
    invite = dialled(transfer)
    driver.sent(invite.branch)
    driver.response(180, invite.branch, cseq=invite.cseq, to_tag="target")
    driver.port.take()
    driver.pass_time(59)
    assert not driver.commands("cancel")
    driver.pass_time(3)
    commands = driver.commands()
    assert commands[-1].call_key == driver.key
    assert "cancel" in [one.WhichOneof("kind") for one in commands]
    assert told(of(commands, "NOTIFY")[-1])[1] == "terminated"
    driver.response(200, invite.branch, cseq=invite.cseq, to_tag="target", body=TARGET_OFFER)
    commands = driver.commands()
    assert [leg_of(driver, one) for one in (*of(commands, "ACK"), *of(commands, "BYE"))] == [TARGET, TARGET]
    assert state_of(driver).state == record.CALL_STATE_CONFIRMED


def test_the_edge_of_the_target_stays_away() -> None:
    transfer = begin()
    driver = transfer.driver
    dialled(transfer)
    driver.pass_time(40)
    last = [told(one) for one in driver.requests("NOTIFY")][-1]
    assert last == ("SIP/2.0 408 Request Timeout\r\n", "terminated")


@pytest.mark.parametrize("body", [None, TARGET_OFFER])
def test_a_2xx_that_is_of_no_use(body: sip_pb2.Body | None) -> None:
    transfer = begin()
    driver = transfer.driver
    invite = dialled(transfer)
    driver.response(200, invite.branch, cseq=invite.cseq, to_tag="" if body else "target", body=body)
    commands = driver.commands()
    assert [one.send_request.method for one in commands] == ["ACK", "BYE", "NOTIFY"]
    assert told(of(commands, "NOTIFY")[0])[0][8:11] == ("502" if body else "488")


def test_the_target_hangs_up_before_it_is_connected() -> None:
    transfer = begin()
    driver = transfer.driver
    _, reinvite = picked_up(transfer)
    driver.in_dialog("BYE", 1, leg=TARGET)
    commands = driver.commands()
    assert statuses(commands) == [200]
    assert [one.cancel.branch for one in commands if one.HasField("cancel")] == [reinvite.branch]
    assert told(of(commands, "NOTIFY")[0]) == ("SIP/2.0 487 Request Terminated\r\n", "terminated")
    driver.in_dialog("INVITE", 3, body=NEW_OFFER)
    assert statuses(driver.commands()) == [491]
    driver.response(487, reinvite.branch, cseq=reinvite.cseq)
    driver.in_dialog("INVITE", 4, body=NEW_OFFER)
    assert len(driver.requests("INVITE")) == 1


def test_a_transferee_that_took_the_offer_of_a_lost_target_gets_its_session_back() -> None:
    transfer = begin()
    driver = transfer.driver
    _, reinvite = picked_up(transfer)
    driver.in_dialog("BYE", 1, leg=TARGET)
    driver.port.take()
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=TRANSFEREES_ANSWER)
    commands = driver.commands()
    assert len(of(commands, "ACK")) == 1
    (again,) = of(commands, "INVITE")
    assert (leg_of(driver, again), again.body) == (1, OFFER)
    driver.response(200, again.branch, cseq=again.cseq, body=NEW_OFFER)
    (to_transferor,) = driver.requests("INVITE")
    assert (leg_of(driver, to_transferor), to_transferor.body) == (0, NEW_OFFER)
    driver.response(200, to_transferor.branch, cseq=to_transferor.cseq, body=OFFER)
    assert not state_of(driver).relays[1:]
    finish(driver, leg=0)


# -- the transferee --------------------------------------------------------------------------------


def test_a_transferee_that_refuses_the_target_keeps_its_session() -> None:
    transfer = begin()
    driver = transfer.driver
    _, reinvite = picked_up(transfer)
    driver.response(488, reinvite.branch, cseq=reinvite.cseq, reason="Not Acceptable Here")
    commands = driver.commands()
    assert [(one.method, leg_of(driver, one)) for one in (*of(commands, "ACK"), *of(commands, "BYE"))] == [
        ("ACK", TARGET),
        ("BYE", TARGET),
    ]
    assert told(of(commands, "NOTIFY")[0])[0] == "SIP/2.0 488 Not Acceptable Here\r\n"
    driver.in_dialog("INFO", 3)
    assert [leg_of(driver, one) for one in driver.requests("INFO")] == [1]


def test_a_transferee_with_an_offer_of_its_own_gets_the_targets_later() -> None:
    transfer = begin()
    driver = transfer.driver
    _, reinvite = picked_up(transfer)
    driver.response(491, reinvite.branch, cseq=reinvite.cseq)
    driver.in_dialog("INVITE", 1, leg=1, body=NEW_OFFER)
    crossing = driver.requests("INVITE")[-1]
    driver.response(200, crossing.branch, cseq=crossing.cseq, body=ANSWER)
    driver.in_dialog("ACK", 1, leg=1)
    driver.port.take()
    driver.pass_time(5)
    again = driver.requests("INVITE")[-1]
    assert (leg_of(driver, again), again.body) == (1, TARGET_OFFER)
    driver.response(200, again.branch, cseq=again.cseq, body=TRANSFEREES_ANSWER)
    assert [one.body for one in driver.requests("ACK") if leg_of(driver, one) == TARGET] == [
        TRANSFEREES_ANSWER
    ]


def test_the_target_answers_while_an_offer_crosses() -> None:
    transfer = begin()
    driver = transfer.driver
    invite = dialled(transfer)
    driver.in_dialog("INVITE", 3, body=NEW_OFFER)
    (crossing,) = driver.requests("INVITE")
    driver.response(200, invite.branch, cseq=invite.cseq, to_tag="target", body=TARGET_OFFER)
    assert not driver.requests("INVITE")
    driver.response(200, crossing.branch, cseq=crossing.cseq, body=ANSWER)
    driver.in_dialog("ACK", 3)
    driver.pass_time(1)
    assert driver.requests("INVITE")[-1].body == TARGET_OFFER


def test_the_transferee_answers_without_a_body() -> None:
    transfer = begin()
    driver = transfer.driver
    _, reinvite = picked_up(transfer)
    driver.response(200, reinvite.branch, cseq=reinvite.cseq)
    commands = driver.commands()
    assert told(of(commands, "NOTIFY")[0])[0][8:11] == "488"
    assert [leg_of(driver, one) for one in of(commands, "BYE")] == [TARGET]
    assert [one.body for one in of(commands, "INVITE")] == [OFFER]


@pytest.mark.parametrize("status", [408, 481])
def test_a_transferee_whose_dialog_is_gone_ends_everything(status: int) -> None:
    transfer = begin()
    driver = transfer.driver
    _, reinvite = picked_up(transfer)
    driver.response(status, reinvite.branch, cseq=reinvite.cseq)
    assert sorted(leg_of(driver, one) for one in driver.distinct("BYE")) == [0, 1, TARGET]
    driver.pass_time(80)
    assert driver.call is None


@pytest.mark.parametrize(("leg", "cseq"), SIDES)
def test_the_transferee_hangs_up_while_the_target_rings(leg: int, cseq: int) -> None:
    transfer = begin(leg, cseq)
    driver = transfer.driver
    invite = dialled(transfer)
    driver.response(180, invite.branch, cseq=invite.cseq, to_tag="target")
    driver.port.take()
    driver.in_dialog("BYE", 7, leg=transfer.transferee)
    commands = driver.commands()
    assert [one.cancel.branch for one in commands if one.HasField("cancel")] == [invite.branch]
    assert [leg_of(driver, one) for one in of(commands, "BYE")] == [leg]
    driver.pass_time(80)
    assert driver.call is None


# -- the transferor --------------------------------------------------------------------------------


@pytest.mark.parametrize(("leg", "cseq"), SIDES)
@pytest.mark.parametrize("when", ["dialling", "ringing", "connecting"])
def test_a_transferor_that_hangs_up_early_does_not_end_the_transfer(leg: int, cseq: int, when: str) -> None:
    transfer = begin(leg, cseq)
    driver = transfer.driver
    invite = dialled(transfer)
    if when == "ringing":
        driver.response(180, invite.branch, cseq=invite.cseq, to_tag="target")
    if when != "connecting":
        driver.in_dialog("BYE", cseq + 1, leg=leg)
        driver.in_dialog("INFO", 8, leg=transfer.transferee)
        assert statuses(driver.commands())[-1] == 480
    driver.response(200, invite.branch, cseq=invite.cseq, to_tag="target", body=TARGET_OFFER)
    (reinvite,) = driver.requests("INVITE")
    if when == "connecting":
        driver.in_dialog("BYE", cseq + 1, leg=leg)
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=TRANSFEREES_ANSWER)
    commands = driver.commands()
    assert not of(commands, "BYE")
    assert not of(commands, "NOTIFY")
    assert sorted(state_of(driver).connected) == sorted([transfer.transferee, TARGET])
    driver.in_dialog("BYE", 9, leg=transfer.transferee)
    assert [leg_of(driver, one) for one in driver.requests("BYE")] == [TARGET]
    driver.pass_time(80)
    assert driver.call is None


def test_nobody_is_left_when_the_target_fails_after_the_transferor_hung_up() -> None:
    transfer = begin()
    driver = transfer.driver
    invite = dialled(transfer)
    driver.in_dialog("BYE", 3)
    driver.port.take()
    driver.response(486, invite.branch, cseq=invite.cseq)
    assert [leg_of(driver, one) for one in driver.requests("BYE")] == [1]
    driver.pass_time(80)
    assert driver.call is None


def test_a_bye_with_also_is_a_transfer_whose_transferor_has_left() -> None:
    driver = CallDriver(transfer="perform")
    driver.confirmed()
    driver.in_dialog("BYE", 2, headers=(("Also", REFER_TO[1]),))
    commands = driver.commands()
    assert statuses(commands) == [200]
    (invite,) = of(commands, "INVITE")
    assert invite.request_uri == "sip:3003@192.0.2.1"
    driver.response(200, invite.branch, cseq=invite.cseq, to_tag="target", body=TARGET_OFFER)
    (reinvite,) = driver.requests("INVITE")
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=TRANSFEREES_ANSWER)
    assert sorted(state_of(driver).connected) == [1, TARGET]
    finish(driver)


def test_byes_that_cross_after_the_transfer() -> None:
    transfer = begin()
    driver = transfer.driver
    (last,) = of(connected(transfer), "NOTIFY")
    driver.response(200, last.branch, method="NOTIFY", cseq=last.cseq)
    (bye,) = driver.requests("BYE")
    driver.in_dialog("BYE", 3)
    assert statuses(driver.commands()) == [200]
    driver.response(481, bye.branch, method="BYE", cseq=bye.cseq)
    driver.in_dialog("INFO", 4)
    assert statuses(driver.commands()) == [481]
    assert state_of(driver).state == record.CALL_STATE_CONFIRMED
    finish(driver)


def test_a_transferor_that_hangs_up_instead_of_answering_the_last_notify() -> None:
    transfer = begin()
    driver = transfer.driver
    connected(transfer)
    driver.in_dialog("BYE", 3)
    assert statuses(driver.commands()) == [200]
    driver.pass_time(40)
    assert not driver.requests("BYE")
    assert state_of(driver).state == record.CALL_STATE_CONFIRMED


def test_a_transferor_that_answers_no_notify_is_hung_up_all_the_same() -> None:
    transfer = begin()
    driver = transfer.driver
    connected(transfer)
    driver.pass_time(40)
    assert {leg_of(driver, one) for one in driver.requests("BYE")} == {0}
    assert state_of(driver).state == record.CALL_STATE_CONFIRMED


def test_one_notify_at_a_time_tells_the_latest() -> None:
    driver = begin().driver
    commands = driver.commands()
    (invite,), (first,) = of(commands, "INVITE"), of(commands, "NOTIFY")
    for status in (180, 183, 183):
        driver.response(status, invite.branch, cseq=invite.cseq, to_tag="target", reason="Later")
    assert not driver.requests("NOTIFY")
    driver.response(200, first.branch, method="NOTIFY", cseq=first.cseq)
    (second,) = driver.requests("NOTIFY")
    assert told(second)[0] == "SIP/2.0 183 Later\r\n"
    driver.response(183, invite.branch, cseq=invite.cseq, to_tag="target", reason="Later")
    driver.response(200, second.branch, method="NOTIFY", cseq=second.cseq)
    assert not driver.commands()


def test_a_transferor_that_knows_of_no_subscription_is_told_no_more() -> None:
    driver = begin().driver
    commands = driver.commands()
    (invite,), (notify,) = of(commands, "INVITE"), of(commands, "NOTIFY")
    driver.response(481, notify.branch, method="NOTIFY", cseq=notify.cseq)
    driver.response(180, invite.branch, cseq=invite.cseq, to_tag="target")
    assert not driver.requests("NOTIFY")


# -- glare -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("leg", "cseq"), [(0, 3), (1, 1)])
def test_a_second_refer_waits_its_turn(leg: int, cseq: int) -> None:
    driver = begin().driver
    driver.port.take()
    driver.in_dialog("REFER", cseq, leg=leg, headers=(REFER_TO,))
    assert statuses(driver.commands()) == [491]


def test_a_refer_before_the_callers_ack_is_refused() -> None:
    driver = CallDriver(transfer="perform")
    driver.answered()
    driver.port.take()
    driver.in_dialog("REFER", 1, leg=1, headers=(REFER_TO,))
    assert statuses(driver.commands()) == [491]


def test_the_old_session_may_change_while_the_target_rings() -> None:
    transfer = begin()
    driver = transfer.driver
    dialled(transfer)
    driver.in_dialog("INVITE", 3, body=NEW_OFFER)
    (hold,) = driver.requests("INVITE")
    assert leg_of(driver, hold) == 1


def test_no_offer_crosses_while_the_transferee_looks_at_the_targets() -> None:
    transfer = begin()
    driver = transfer.driver
    picked_up(transfer)
    for leg, cseq in ((0, 3), (1, 1), (TARGET, 1)):
        driver.in_dialog("INVITE", cseq, leg=leg, body=NEW_OFFER)
        assert statuses(driver.commands()) == [491]


def test_a_transferor_whose_reinvite_is_pending_hangs_up() -> None:
    transfer = begin()
    driver = transfer.driver
    invite = dialled(transfer)
    driver.in_dialog("INVITE", 3, body=NEW_OFFER)
    (crossing,) = driver.requests("INVITE")
    driver.in_dialog("BYE", 4)
    commands = driver.commands()
    assert sorted(statuses(commands)) == [200, 487]
    assert [one.cancel.branch for one in commands if one.HasField("cancel")] == [crossing.branch]
    driver.response(200, invite.branch, cseq=invite.cseq, to_tag="target", body=TARGET_OFFER)
    assert not driver.requests("INVITE")
    driver.response(487, crossing.branch, cseq=crossing.cseq)
    driver.pass_time(1)
    assert driver.requests("INVITE")[-1].body == TARGET_OFFER


# -- timers ----------------------------------------------------------------------------------------


def test_a_transfer_does_not_lengthen_the_talk_time() -> None:
    driver = CallDriver("192.0.2.1;credit-time=60", transfer="perform")
    driver.confirmed()
    driver.pass_time(40)
    driver.port.take()
    driver.in_dialog("REFER", 2, headers=(REFER_TO,))
    connected(Transfer(driver, 0, 2))
    driver.pass_time(19)
    assert state_of(driver).state == record.CALL_STATE_CONFIRMED
    driver.port.take()
    driver.pass_time(2)
    assert {leg_of(driver, one) for one in driver.requests("BYE")} >= {1, TARGET}


def test_keepalives_go_to_those_who_are_connected() -> None:
    transfer = begin(ingress_keepalive_ms=10_000, egress_keepalive_ms=10_000, keepalive_method="OPTIONS")
    driver = transfer.driver
    for notify in of(connected(transfer), "NOTIFY"):
        driver.response(200, notify.branch, method="NOTIFY", cseq=notify.cseq)
    driver.port.take()
    driver.pass_time(10)
    assert {leg_of(driver, one) for one in driver.requests("OPTIONS")} == {1, TARGET}


def test_a_transferor_that_is_lost_does_not_end_the_transfer() -> None:
    transfer = begin(ingress_keepalive_ms=10_000, keepalive_method="OPTIONS")
    driver = transfer.driver
    invite = dialled(transfer)
    driver.response(180, invite.branch, cseq=invite.cseq, to_tag="target")
    driver.pass_time(10)
    (options,) = driver.requests("OPTIONS")
    driver.response(481, options.branch, method="OPTIONS", cseq=options.cseq)
    assert [leg_of(driver, one) for one in driver.requests("BYE")] == [0]
    driver.response(200, invite.branch, cseq=invite.cseq, to_tag="target", body=TARGET_OFFER)
    (reinvite,) = driver.requests("INVITE")
    assert leg_of(driver, reinvite) == 1


# -- pods die --------------------------------------------------------------------------------------


def test_another_pod_at_each_step_goes_on() -> None:
    transfer = begin()
    driver = transfer.driver
    driver.pod = driver.new_pod()
    invite = dialled(transfer)
    driver.pod = driver.new_pod()
    driver.response(200, invite.branch, cseq=invite.cseq, to_tag="target", body=TARGET_OFFER)
    driver.port.take()
    driver.pod = driver.new_pod()
    driver.pass_time(1.5)
    (reinvite,) = driver.distinct("INVITE")
    assert reinvite.body == TARGET_OFFER
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=TRANSFEREES_ANSWER)
    driver.port.take()
    driver.pod = driver.new_pod()
    driver.pass_time(1.5)
    commands = driver.commands()
    assert TRANSFEREES_ANSWER in [one.body for one in of(commands, "ACK")]
    assert told(of(commands, "NOTIFY")[0])[1] == "terminated"
