"""What commands look like as SIP, and where answers go."""

import pytest

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain.origin import Arrival, Origin, reference
from sip_edge.domain.ports import Address
from sip_edge.domain.writing import with_local_host
from sipcore.message import Request
from sipcore.testing.builders import as_request, cancel_of, invite, request
from support.edge_world import UDP


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("<sip:a@@local>", "<sip:a@h>"),
        ('"A" <sip:a@@local;user=phone>', '"A" <sip:a@h;user=phone>'),
        ("sip:a@@local", "sip:a@h"),
        ("<sip:a@@local:5070>", "<sip:a@h:5070>"),
        ("<sip:@local>", "<sip:h>"),
        ('"x@local" <sip:a@@local>', '"x@local" <sip:a@h>'),
        ("<sip:a@local>", "<sip:a@local>"),
        ('"@local" <sip:a@x>', '"@local" <sip:a@x>'),
        ("<sip:a@@localhost>", "<sip:a@@localhost>"),
        ("<sip:a@localhost>", "<sip:a@localhost>"),
        ("<sip:a@local.example>", "<sip:a@local.example>"),
        ("<sip:a@b.example>", "<sip:a@b.example>"),
    ],
)
def test_local_host(value: str, written: str) -> None:
    assert with_local_host(value, "h") == written


def test_reference_is_shared_by_what_belongs_together() -> None:
    asked, cancel = as_request(invite()), as_request(cancel_of(invite()))
    assert reference(asked) == reference(cancel) == "z9hG4bK-1 192.0.2.1:5060"


def test_reference_of_rfc_2543_needs_more_than_the_branch() -> None:
    first, second = (as_request(invite(branch="1", cseq=cseq)) for cseq in (1, 2))
    assert reference(first) != reference(second)


def test_origin_survives_the_way_through_a_command() -> None:
    data = invite(to_tag="t", headers=[("Record-Route", "<sip:p1;lr>")])
    arrival = Arrival(UDP, ("203.0.113.9", 40000))
    here = Origin.of_request(as_request(data), arrival)
    told = edge_pb2.Origin()
    here.fill(told, transport="udp")
    there = Origin.of_proto(told)
    for name in Origin.__slots__:
        mine, theirs = getattr(here, name), getattr(there, name)
        assert (list(mine) if name == "record_route" else mine) == theirs, name
    assert here.answer(200, "OK", "x", []) == there.answer(200, "OK", "x", [])


@pytest.mark.parametrize("source", [("192.0.2.1", 5060), ("203.0.113.9", 40000)])
@pytest.mark.parametrize(
    "via",
    [
        "SIP/2.0/UDP 192.0.2.1;branch={};rport",
        "SIP/2.0/UDP 192.0.2.1:5070;received=192.0.2.3;branch={};x=1",
        "SIP / 2.0 / UDP [2001:db8::1];Branch={};rport=1",
        'SIP/2.0/TLS h.example;branch={};x=";branch=0"',
        "SIP/2.0/UDP 10.0.0.1",
    ],
)
def test_origin_fills_in_the_via(via: str, source: Address) -> None:
    for branch in ("z9hG4bK-1", "0", "z9hG4bK-2"):
        asked = as_request(request("BYE")).headers
        asked.set("Via", via.format(branch))
        bye = Request("BYE", "sip:h", asked)
        origin = Origin.of_request(bye, Arrival(UDP, source))
        stored = bye.via.with_source(*source)
        assert origin.via == [str(stored)]
        assert origin.reply_to == (source[0], stored.reply_port)


def test_origin_keeps_all_vias_in_their_order() -> None:
    data = request("BYE", via="SIP/2.0/UDP p.example").replace(
        b"Max-Forwards",
        b"Via: SIP/2.0/UDP b.example;branch=2, SIP/2.0/UDP c.example;branch=3\r\nMax-Forwards",
    )
    origin = Origin.of_request(as_request(data), Arrival(UDP, ("192.0.2.1", 5060)))
    assert origin.via == [
        "SIP/2.0/UDP p.example;branch=z9hG4bK-1;rport=5060;received=192.0.2.1",
        "SIP/2.0/UDP b.example;branch=2, SIP/2.0/UDP c.example;branch=3",
    ]
    combined = data.replace(b"\r\nVia: SIP/2.0/UDP b", b", SIP/2.0/UDP b")
    origin = Origin.of_request(as_request(combined), Arrival(UDP, ("192.0.2.1", 5060)))
    assert origin.via == [
        "SIP/2.0/UDP p.example;branch=z9hG4bK-1;rport=5060;received=192.0.2.1, "
        "SIP/2.0/UDP b.example;branch=2, SIP/2.0/UDP c.example;branch=3"
    ]
