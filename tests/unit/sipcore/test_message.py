"""Header fields as a collection, and accessors that remember until the headers change."""

import pytest

from sipcore import Headers, PeerProtocolError, Request, Response


def test_lookup_is_by_any_spelling() -> None:
    headers = Headers([("v", "1"), ("X-One", "a, b"), ("VIA", "2"), ("x-one", "c, ,")])
    assert [headers.get(name) for name in ("via", "Via", "v", "x-one", "X-ONE", "none")] == [
        "1", "1", "1", "a, b", "a, b", None,
    ]  # fmt: skip
    assert headers.get_all("via") == ["1", "2"]
    assert headers.values("x-one") == ["a", "b", "c"]
    assert (headers.count("via"), headers.count("none"), len(headers)) == (2, 0, 4)
    assert "VIA" in headers and "none" not in headers
    assert repr(Headers([("a", "b")])) == "Headers([('a', 'b')])"


def test_changes() -> None:
    headers = Headers([("a", "1"), ("v", "2"), ("b", "3"), ("Via", "4")])
    headers.set("VIA", "5")
    assert headers.items() == [("a", "1"), ("VIA", "5"), ("b", "3")]
    headers.set("c", "6")
    headers.remove("a")
    headers.remove("none")
    headers.add("via", "7")
    assert headers.items() == [("VIA", "5"), ("b", "3"), ("c", "6"), ("via", "7")]
    assert headers.get_all("v") == ["5", "7"]
    assert headers == Headers(headers.items()) and headers != Headers() and headers != 1


def test_typed_values_are_remembered_until_the_headers_change() -> None:
    message = Request("INVITE", "sip:h", Headers([("CSeq", "1 INVITE"), ("From", "<sip:a@b>;tag=1")]))
    assert message.cseq is message.cseq and message.request_uri is message.request_uri
    message.headers.set("CSeq", "2 INVITE")
    assert message.cseq.number == 2
    message.headers.remove("cseq")
    with pytest.raises(PeerProtocolError, match="Missing CSeq"):
        _ = message.cseq


def test_absent_fields() -> None:
    message = Response(200, "OK", Headers())
    assert (message.contact, message.contact_uri, message.contacts, message.max_forwards) == (
        None,
        None,
        (),
        None,
    )
    assert (message.vias, message.routes, message.require, message.supported, message.allow) == ((),) * 5


def test_faults_name_the_field() -> None:
    message = Response(
        200, "OK", Headers([("CSeq", "x"), ("Contact", "<sip:h:0>"), ("Allow", "INVITE, a b")])
    )
    with pytest.raises(PeerProtocolError) as caught:
        _ = message.cseq
    assert (caught.value.status, caught.value.reason) == (400, "Bad Request - Bad CSeq: bad method")
    with pytest.raises(PeerProtocolError) as caught:
        _ = message.contact_uri
    assert caught.value.reason == "Bad Request - Bad Contact: bad port"
    assert message.allow == ("INVITE",)


def test_first_elements() -> None:
    message = Response(
        200,
        "OK",
        Headers([("Via", "SIP/2.0/UDP a, SIP/2.0/UDP b"), ("m", "<sip:c>, <sip:d>"), ("m", "<sip:e>")]),
    )
    assert message.via.host == "a" and [via.host for via in message.vias] == ["a", "b"]
    assert message.contact is not None and message.contact.uri == "sip:c"
    assert [contact.uri for contact in message.contacts] == ["sip:c", "sip:d", "sip:e"]


def test_equality_and_representation() -> None:
    request = Request("BYE", "sip:h", Headers([("a", "b")]), b"x")
    response = Response(200, "OK", Headers())
    assert request == Request("BYE", "sip:h", Headers([("a", "b")]), b"x")
    assert (
        request != Request("BYE", "sip:h", Headers([("a", "b")]))
        and request != response
        and response != request
    )
    assert repr(request) == "Request('BYE', 'sip:h', Headers([('a', 'b')]), b'x')"
    assert repr(response) == "Response(200, 'OK', Headers([]), b'')"
