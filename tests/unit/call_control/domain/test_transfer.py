"""REFER and BYE with Also, passed on."""

import pytest

from support.call_driver import CallDriver, value_of

TARGET = "<sip:3003@192.0.2.30?Replaces=abc%40x>"


@pytest.mark.parametrize(("leg", "cseq"), [(0, 2), (1, 1)])
def test_a_refer_releases_its_sender_and_sends_the_other_side_to_the_target(leg: int, cseq: int) -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog("REFER", cseq, leg=leg, headers=(("Refer-To", TARGET),))
    commands = driver.commands()
    assert [one.respond.status for one in commands if one.HasField("respond")] == [202]
    sent = {one.send_request.method: one.send_request for one in commands if one.HasField("send_request")}
    assert set(sent) == {"REFER", "BYE"}
    assert sent["BYE"].from_tag == driver.identity.tag(driver.key, leg)
    assert sent["REFER"].from_tag == driver.identity.tag(driver.key, 1 - leg)
    assert value_of(sent["REFER"].headers, "Refer-To") == TARGET
    assert (value_of(sent["REFER"].headers, "Referred-By") or "").startswith("<sip:")
    driver.response(202, sent["REFER"].branch, method="REFER", cseq=sent["REFER"].cseq)
    (bye,) = driver.requests("BYE")
    assert bye.from_tag == driver.identity.tag(driver.key, 1 - leg)
    for request in (sent["BYE"], bye):
        driver.response(200, request.branch, method="BYE", cseq=request.cseq)
    driver.pass_time(40)
    assert driver.call is None


def test_a_refer_without_target_is_refused_and_the_call_goes_on() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog("REFER", 2)
    (answer,) = driver.commands()
    assert (answer.respond.status, answer.respond.reason) == (400, "Bad Request")


def test_a_refer_that_nobody_answers_ends_with_a_bye() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog("REFER", 2, headers=(("Refer-To", TARGET),))
    driver.port.take()
    driver.pass_time(40)
    assert driver.requests("BYE")[-1].from_tag == driver.identity.tag(driver.key, 1)
    driver.pass_time(80)
    assert driver.call is None


def test_a_bye_with_also_transfers_too() -> None:
    driver = CallDriver()
    driver.confirmed()
    driver.in_dialog("BYE", 2, headers=(("Also", TARGET),))
    commands = driver.commands()
    assert [one.respond.status for one in commands if one.HasField("respond")] == [200]
    (refer,) = [one.send_request for one in commands if one.HasField("send_request")]
    assert (refer.method, value_of(refer.headers, "Refer-To")) == ("REFER", TARGET)
