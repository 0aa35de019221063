"""Dialog rules: route sets, where a request goes, remote target, CSeq (RFC 3261 12, 16.12.1)."""

import pytest

from sipcore.dialog import (
    NO_CSEQ,
    CSeqOrder,
    aim,
    cseq_order,
    is_loose,
    refreshed_target,
    route_set_uac,
    route_set_uas,
    uri_of,
)

LOOSE_1 = "<sip:edge-one.example.com;lr>"
LOOSE_2 = "<sip:edge-two.example.net;lr;ftag=77>"
STRICT = "<sip:old.example.org;transport=tcp>"
TARGET = "sip:bea@192.0.2.44:5070;transport=udp"


def test_both_sides_walk_the_same_proxies_in_opposite_order() -> None:
    # The proxy next to the called side has put itself on top.
    record_route = [LOOSE_2, LOOSE_1]
    assert route_set_uas(record_route) == (LOOSE_2, LOOSE_1)
    assert route_set_uac(record_route) == (LOOSE_1, LOOSE_2)


def test_without_routes_the_request_goes_to_the_remote_target() -> None:
    assert aim((), TARGET) == (TARGET, (), TARGET)


def test_through_loose_routers_the_request_uri_stays_the_target() -> None:
    """The two-proxy walk of RFC 3261 16.12.1.1: both proxies speak `lr`."""
    request_uri, route, next_hop = aim((LOOSE_1, LOOSE_2), TARGET)
    assert request_uri == TARGET
    assert route == (LOOSE_1, LOOSE_2)
    assert next_hop == "sip:edge-one.example.com;lr"


def test_a_strict_router_first_takes_the_request_uri() -> None:
    """The walk of RFC 3261 16.12.1.2 seen from the sender: the target travels as the last route."""
    request_uri, route, next_hop = aim((STRICT, LOOSE_1, LOOSE_2), TARGET)
    assert request_uri == "sip:old.example.org;transport=tcp"
    assert route == (LOOSE_1, LOOSE_2, f"<{TARGET}>")
    assert next_hop == request_uri


def test_a_strict_router_behind_a_loose_one_changes_nothing_for_the_sender() -> None:
    assert aim((LOOSE_1, STRICT), TARGET) == (TARGET, (LOOSE_1, STRICT), "sip:edge-one.example.com;lr")


def test_one_strict_router_alone() -> None:
    assert aim((STRICT,), TARGET).route == (f"<{TARGET}>",)


def test_a_request_uri_takes_no_headers_and_no_method_from_a_strict_route() -> None:
    request_uri, _, _ = aim(("<sip:a;b@old.example.org;method=INVITE;maddr=192.0.2.9?Subject=x>",), TARGET)
    assert request_uri == "sip:a;b@old.example.org;maddr=192.0.2.9"


@pytest.mark.parametrize(
    ("uri", "loose"),
    [
        ("sip:p.example.com;lr", True),
        ("sip:p.example.com;LR", True),
        ("sip:p.example.com;transport=tcp;lr=on", True),
        ("sip:[2001:db8::1]:5060;lr", True),
        ("sip:p.example.com", False),
        ("sip:p.example.com;lrx", False),
        ("sip:p.example.com;x=lr", False),
        ("sip:user;lr@p.example.com", False),
        ("sip:user?;lr@p.example.com;lr", True),
        ("sip:p.example.com?Route=;lr", False),
    ],
)
def test_loose_is_said_by_the_uri_parameter_lr(uri: str, loose: bool) -> None:
    assert is_loose(uri) is loose


@pytest.mark.parametrize(
    ("value", "uri"),
    [
        ("<sip:p.example.com;lr>;foo=bar", "sip:p.example.com;lr"),
        ("Proxy <sip:p.example.com>", "sip:p.example.com"),
        (' "a \\" < b" < sip:p.example.com;lr >', "sip:p.example.com;lr"),
        ('"never ends <sip:p.example.com>', "sip:p.example.com"),
        ("sip:p.example.com;tag=1", "sip:p.example.com"),
        ("<sip:p.example.com", "sip:p.example.com"),
    ],
)
def test_the_uri_is_found_in_a_route_value(value: str, uri: str) -> None:
    assert uri_of(value) == uri


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_target_refresh_replaces_the_remote_target(method: str) -> None:
    assert refreshed_target(method, "sip:new@192.0.2.1", TARGET) == "sip:new@192.0.2.1"
    assert refreshed_target(method, "", TARGET) == TARGET


@pytest.mark.parametrize("method", ["BYE", "INFO", "ACK", "PRACK", "MESSAGE"])
def test_other_requests_leave_the_remote_target_alone(method: str) -> None:
    assert refreshed_target(method, "sip:new@192.0.2.1", TARGET) == TARGET


@pytest.mark.parametrize(
    ("last", "number", "order"),
    [
        (NO_CSEQ, 0, CSeqOrder.NEW),
        (7, 8, CSeqOrder.NEW),
        (7, 4000, CSeqOrder.NEW),
        (7, 7, CSeqOrder.REPEATED),
        (7, 6, CSeqOrder.OLD),
    ],
)
def test_cseq_numbers_of_a_peer_only_grow(last: int, number: int, order: CSeqOrder) -> None:
    assert cseq_order(last, number) is order
