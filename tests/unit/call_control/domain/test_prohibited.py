"""Codecs that the policy does not allow (behaviour: allowed_pts)."""

from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from sipcore.codec_filter import parse_allowed_pts
from support.call_driver import CallDriver, value_of

ALLOWED = parse_allowed_pts("0,101")
WHY = 'SIP;cause=488;text="offered media prohibited by the policy"'


def sdp(*formats: int) -> sip_pb2.Body:
    lines = ["v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0"]
    lines.append(f"m=audio 4000 RTP/AVP {' '.join(map(str, formats))}")
    return sip_pb2.Body(data="\r\n".join([*lines, ""]).encode(), content_type="application/sdp")


GOOD, MIXED, BAD = sdp(0), sdp(0, 8), sdp(8, 18)


def driver_with(*routes: str) -> CallDriver:
    return CallDriver(*routes, allowed_codecs=ALLOWED)


def statuses(commands: list[edge.Command]) -> list[int]:
    return [one.respond.status for one in commands if one.HasField("respond")]


def methods(commands: list[edge.Command]) -> list[str]:
    return [
        one.send_request.method or one.WhichOneof("kind") or ""
        for one in commands
        if not one.HasField("respond")
    ]


def test_an_offer_loses_what_is_not_allowed() -> None:
    driver = driver_with()
    driver.invite(body=MIXED)
    assert driver.requests("INVITE")[0].body == GOOD


def test_an_offer_of_nothing_else_is_refused() -> None:
    driver = driver_with()
    driver.invite(body=BAD)
    (answer,) = driver.commands()
    assert (answer.respond.status, answer.respond.reason) == (488, "Not Acceptable Here")
    assert value_of(answer.respond.headers, "Reason") == WHY


def test_other_bodies_cross_untouched() -> None:
    driver = driver_with()
    isup = sip_pb2.Body(data=b"\x01\x00", content_type="application/isup")
    driver.invite(body=isup)
    assert driver.requests("INVITE")[0].body == isup


def placed(driver: CallDriver) -> str:
    driver.invite(body=GOOD)
    (invite,) = driver.requests("INVITE")
    driver.sent(invite.branch)
    return invite.branch


def test_an_answer_loses_what_is_not_allowed() -> None:
    driver = driver_with()
    driver.response(200, placed(driver), body=MIXED)
    assert driver.commands("respond")[0].respond.body == GOOD


def test_a_provisional_that_is_prohibited_ends_the_attempt() -> None:
    driver = driver_with("192.0.2.1", "192.0.2.2")
    driver.response(183, placed(driver), body=BAD)
    assert methods(driver.commands()) == ["cancel", "INVITE"]


def test_an_answer_that_is_prohibited_ends_the_attempt() -> None:
    driver = driver_with("192.0.2.1")
    driver.response(200, placed(driver), body=BAD)
    commands = driver.commands()
    assert (methods(commands), statuses(commands)) == (["ACK", "BYE"], [488])


def up(driver: CallDriver) -> None:
    driver.response(200, placed(driver), body=GOOD)
    driver.confirm_all()
    driver.in_dialog("ACK", 1)
    driver.port.take()


def test_a_reinvite_that_is_prohibited_leaves_the_call_as_it_was() -> None:
    driver = driver_with()
    up(driver)
    driver.in_dialog("INVITE", 2, body=BAD)
    commands = driver.commands()
    assert (methods(commands), statuses(commands)) == ([], [488])
    driver.in_dialog("INVITE", 3, body=sdp(101))
    assert len(driver.requests("INVITE")) == 1


def test_an_answer_to_a_reinvite_that_is_prohibited_ends_the_call() -> None:
    driver = driver_with()
    up(driver)
    driver.in_dialog("INVITE", 2, body=sdp(101))
    (invite,) = driver.requests("INVITE")
    driver.response(200, invite.branch, cseq=invite.cseq, body=BAD)
    commands = driver.commands()
    assert (methods(commands), statuses(commands)) == (["ACK", "BYE", "BYE"], [502])


def test_the_callers_late_answer_that_is_prohibited_ends_the_call() -> None:
    driver = driver_with()
    driver.invite(body=None)
    (invite,) = driver.requests("INVITE")
    driver.sent(invite.branch)
    driver.response(200, invite.branch, body=GOOD)
    driver.confirm_all()
    driver.port.take()
    driver.in_dialog("ACK", 1, body=BAD)
    assert sorted(methods(driver.commands())) == ["ACK", "BYE", "BYE"]


def test_a_call_from_behind_a_nat_is_marked() -> None:
    driver = CallDriver()
    request = driver.request("INVITE", 1, body=GOOD, branch="z9hG4bKcaller")
    request.request_uri = "sip:nat-2002@192.0.2.100"
    event = driver.event(request=request)
    event.opens_call = True
    driver.tell(event)
    (invite,) = driver.requests("INVITE")
    assert invite.request_uri == "sip:2002@192.0.2.1"
    assert invite.body.data == GOOD.data + b"a=nated:yes\r\n"


def transferred_to(driver: CallDriver) -> edge.SendRequest:
    """Bring a call up whose caller transfers it, and return the INVITE to the target."""
    branch = placed(driver)
    driver.response(200, branch, body=GOOD)
    driver.in_dialog("ACK", 1)
    driver.port.take()
    driver.in_dialog("REFER", 2, headers=(("Refer-To", "sip:3003@example.org"), ("Refer-Sub", "false")))
    (invite,) = driver.requests("INVITE")
    return invite


def test_the_offer_of_a_target_that_is_prohibited_ends_the_transfer() -> None:
    driver = CallDriver(allowed_codecs=ALLOWED, transfer="perform")
    invite = transferred_to(driver)
    driver.response(200, invite.branch, cseq=invite.cseq, to_tag="target", body=BAD)
    assert methods(driver.commands()) == ["ACK", "BYE"]
    assert driver.call is not None
    assert not driver.call.HasField("transfer")


def test_the_answer_of_a_transferee_that_is_prohibited_ends_the_transfer() -> None:
    driver = CallDriver(allowed_codecs=ALLOWED, transfer="perform")
    invite = transferred_to(driver)
    driver.response(200, invite.branch, cseq=invite.cseq, to_tag="target", body=MIXED)
    (reinvite,) = driver.requests("INVITE")
    assert reinvite.body == GOOD
    driver.response(200, reinvite.branch, cseq=reinvite.cseq, body=BAD)
    # The target is hung up, and the transferee gets its old session back.
    assert methods(driver.commands()) == ["ACK", "ACK", "BYE", "INVITE"]
