"""What the builders make is legal, and is what the RFC says it is."""

import pytest

from sipcore.message import Response
from sipcore.parser import parse_datagram, validate_request, validate_response
from sipcore.testing import builders


def response(data: bytes) -> Response:
    parsed = parse_datagram(data)
    assert isinstance(parsed, Response)
    validate_response(parsed)
    return parsed


def test_an_invite_is_complete() -> None:
    request = builders.as_request(builders.invite())
    validate_request(request)
    assert request.contact is not None
    assert request.headers.get("content-type") == "application/sdp"
    assert request.body == builders.sdp()


def test_an_invite_without_offer() -> None:
    request = builders.as_request(builders.invite(body=b""))
    assert request.body == b""
    assert request.headers.get("content-type") is None


def test_a_request_takes_what_it_is_given() -> None:
    data = builders.request(
        "INFO",
        "sip:x@192.0.2.9",
        to_tag="b2",
        cseq=7,
        branch="z9hG4bK-x",
        via="SIP/2.0/TCP 192.0.2.7:5070",
        rport=False,
        routes=("<sip:p1;lr>", "<sip:p2;lr>"),
        headers=(("X-Note", "kept"),),
        body=b"hello",
        content_type="text/plain",
    )
    request = builders.as_request(data)
    validate_request(request)
    assert (request.method, request.uri, request.to_tag, request.cseq.number) == (
        "INFO",
        "sip:x@192.0.2.9",
        "b2",
        7,
    )
    assert (request.via.branch, request.via.transport, request.via.wants_rport) == ("z9hG4bK-x", "TCP", False)
    assert request.routes == ("<sip:p1;lr>", "<sip:p2;lr>")
    assert request.headers.get("x-note") == "kept"
    assert request.headers.get("content-type") == "text/plain"


def test_a_response_brings_back_what_identifies_the_request() -> None:
    sent = builders.as_request(builders.invite(headers=(("Record-Route", "<sip:p2;lr>, <sip:p1;lr>"),)))
    got = response(
        builders.response_to(sent, 200, to_tag="b1", contact="sip:bob@192.0.2.2", body=builders.sdp())
    )
    assert (got.vias, got.from_, got.call_id, got.cseq) == (sent.vias, sent.from_, sent.call_id, sent.cseq)
    assert got.to_tag == "b1"
    assert got.record_routes == ("<sip:p2;lr>", "<sip:p1;lr>")
    assert got.reason == "OK"


@pytest.mark.parametrize("status", [100, 486])
def test_record_route_only_comes_back_where_a_dialog_begins(status: int) -> None:
    sent = builders.invite(headers=(("Record-Route", "<sip:p1;lr>"),))
    assert response(builders.response_to(sent, status)).record_routes == ()


def test_a_tag_in_the_request_is_left_alone() -> None:
    assert response(builders.response_to(builders.invite(to_tag="b1"), 200, to_tag="b2")).to_tag == "b1"


def test_the_topmost_via_can_be_replaced() -> None:
    got = response(builders.response_to(builders.invite(), 200, "Fine", via="SIP/2.0/UDP a;branch=z9hG4bK-2"))
    assert [via.branch for via in got.vias] == ["z9hG4bK-2"]
    assert got.reason == "Fine"


def test_the_ack_for_a_refusal_follows_the_invite() -> None:
    sent = builders.as_request(builders.request("INVITE", cseq=3, routes=("<sip:p1;lr>",)))
    refusal = response(builders.response_to(sent, 486, to_tag="b1"))
    ack = builders.as_request(builders.ack_to(sent, refusal))
    validate_request(ack)
    assert (ack.method, str(ack.cseq), ack.uri) == ("ACK", "3 ACK", sent.uri)
    assert ack.vias == (sent.via,)
    assert ack.routes == sent.routes
    assert ack.to_tag == "b1"


def test_a_cancel_follows_the_invite() -> None:
    sent = builders.as_request(builders.invite())
    cancel = builders.as_request(builders.cancel_of(sent))
    validate_request(cancel)
    assert (cancel.method, str(cancel.cseq), cancel.to_tag) == ("CANCEL", "1 CANCEL", "")
    assert cancel.via == sent.via


def test_a_response_is_no_request() -> None:
    with pytest.raises(TypeError):
        builders.as_request(builders.response_to(builders.invite(), 200))


def test_sdp_can_be_ipv6() -> None:
    assert b"c=IN IP6 2001:db8::1" in builders.sdp("2001:db8::1")
