"""Locating SIP servers, without a name server: rows of (records, what is query, addresses)."""

from __future__ import annotations

import pytest

from sip_edge.adapters.rfc3263 import (
    Family,
    Found,
    Kind,
    Look,
    Naptr,
    Question,
    Records,
    Srv,
    next_hops,
)
from sip_edge.domain.ports import Endpoint, Query


def sip(host: str, port: int | None, transport: str | None) -> Query:
    return Query("sip", host, port, transport)


BOTH = (Family.IPV4, Family.IPV6)


def zone(records: dict[tuple[str, Kind], Records]) -> Look:
    """A look-up that knows everything: what is not in `records` does not exist."""
    return lambda question: records.get((question.name, question.kind), ())


def locate(
    query: Query,
    records: dict[tuple[str, Kind], Records],
    families: tuple[Family, ...] = BOTH,
    draws: tuple[float, ...] = (0.0,) * 20,
) -> list[Endpoint]:
    numbers = iter(draws)
    found = next_hops(
        query,
        zone(records),
        families=families,
        transports=("udp", "tcp"),
        random=lambda: next(numbers),
    )
    assert found.missing == ()
    return list(found.hops)


RECORDS: dict[tuple[str, Kind], Records] = {
    ("plain.test", Kind.A): ("192.0.2.1",),
    ("plain.test", Kind.AAAA): ("2001:db8::1",),
    ("_sip._udp.srv.test", Kind.SRV): (Srv(2, 0, 5070, "b.test"), Srv(1, 0, 5080, "a.test")),
    ("_sip._tcp.srv.test", Kind.SRV): (Srv(1, 0, 5090, "a.test"),),
    ("a.test", Kind.A): ("192.0.2.10",),
    ("b.test", Kind.A): ("192.0.2.20",),
    ("srv.test", Kind.A): ("192.0.2.99",),
    ("naptr.test", Kind.NAPTR): (
        Naptr(20, 1, "s", "SIP+D2U", "_sip._udp.srv.test"),
        Naptr(10, 2, "S", "sip+d2t", "_sip._tcp.srv.test"),
        Naptr(5, 1, "s", "SIPS+D2T", "_sips._tcp.srv.test"),
        Naptr(5, 1, "u", "E2U+sip", ""),
    ),
    ("none.test", Kind.A): ("192.0.2.50",),
    ("_sip._udp.none.test", Kind.SRV): (Srv(0, 0, 0, ""),),
}


@pytest.mark.parametrize(
    ("query", "hops"),
    [
        pytest.param(sip("192.0.2.7", None, None), [Endpoint("192.0.2.7", 5060, "udp")], id="number"),
        pytest.param(sip("192.0.2.7", 99, "tcp"), [Endpoint("192.0.2.7", 99, "tcp")], id="number-all-said"),
        pytest.param(
            sip("[2001:DB8::7]", 99, None), [Endpoint("2001:db8::7", 99, "udp")], id="ipv6-reference"
        ),
        pytest.param(sip("2001:db8::7", None, "tcp"), [Endpoint("2001:db8::7", 5060, "tcp")], id="ipv6-bare"),
        pytest.param(
            sip("PLAIN.test.", 5099, None),
            [Endpoint("192.0.2.1", 5099, "udp"), Endpoint("2001:db8::1", 5099, "udp")],
            id="port-means-no-srv",
        ),
        pytest.param(
            sip("plain.test", None, "tcp"),
            [Endpoint("192.0.2.1", 5060, "tcp"), Endpoint("2001:db8::1", 5060, "tcp")],
            id="no-srv",
        ),
        pytest.param(
            sip("srv.test", None, "udp"),
            [Endpoint("192.0.2.10", 5080, "udp"), Endpoint("192.0.2.20", 5070, "udp")],
            id="srv-by-priority",
        ),
        pytest.param(sip("srv.test", 5060, "udp"), [Endpoint("192.0.2.99", 5060, "udp")], id="srv-not-asked"),
        pytest.param(
            sip("srv.test", None, None),
            [
                Endpoint("192.0.2.10", 5080, "udp"),
                Endpoint("192.0.2.20", 5070, "udp"),
                Endpoint("192.0.2.10", 5090, "tcp"),
            ],
            id="no-naptr-all-transports",
        ),
        pytest.param(sip("naptr.test", None, None), [Endpoint("192.0.2.10", 5090, "tcp")], id="naptr"),
        pytest.param(sip("none.test", None, "udp"), [], id="service-refused-by-a-dot"),
        pytest.param(sip("unknown.test", None, None), [], id="unknown"),
        pytest.param(sip("192.0.2.7", None, "tls"), [], id="transport-we-lack"),
        pytest.param(Query("sips", "plain.test", None, None), [], id="sips-needs-tls"),
        pytest.param(sip("", None, None), [], id="empty"),
        pytest.param(sip("1.2.3.4.5", None, None), [], id="almost-a-number"),
    ],
)
def test_locates(query: Query, hops: list[Endpoint]) -> None:
    assert locate(query, RECORDS) == hops


def test_prefers_the_family_that_comes_first() -> None:
    hops = locate(sip("plain.test", 1, "udp"), RECORDS, (Family.IPV6, Family.IPV4))
    assert [hop.ip for hop in hops] == ["2001:db8::1", "192.0.2.1"]
    assert locate(sip("plain.test", 1, "udp"), RECORDS, (Family.IPV6,)) == hops[:1]


def test_draws_by_weight_among_equal_priorities() -> None:
    name = ("_sip._udp.w.test", Kind.SRV)
    records: dict[tuple[str, Kind], Records] = {
        name: (Srv(1, 10, 1, "192.0.2.1"), Srv(1, 90, 2, "192.0.2.2"), Srv(1, 0, 3, "192.0.2.3"))
    }

    def first(*draws: float) -> int:
        return locate(sip("w.test", None, "udp"), records, draws=draws)[0].port

    assert first(0.0, 0.5, 0.5) == 3  # only the very bottom is for weight 0
    assert first(0.05, 0.5, 0.5) == 1
    assert first(0.5, 0.5, 0.5) == 2
    assert first(0.999, 0.5, 0.5) == 2


def test_spreads_over_the_addresses_of_a_host() -> None:
    records: dict[tuple[str, Kind], Records] = {
        ("many.test", Kind.A): ("192.0.2.1", "192.0.2.2", "192.0.2.3")
    }
    hops = locate(sip("many.test", 5060, "udp"), records, draws=(0.4,))
    assert [hop.ip for hop in hops] == ["192.0.2.2", "192.0.2.3", "192.0.2.1"]


def test_asks_for_what_it_lacks_in_few_rounds() -> None:
    known: dict[Question, Records] = {}
    rounds = []
    found = Found((), ())
    for _ in range(4):
        found = next_hops(
            sip("srv.test", None, None),
            known.get,
            families=BOTH,
            transports=("udp", "tcp"),
            random=lambda: 0.0,
        )
        rounds.append({question.kind for question in found.missing})
        if not found.missing:
            break
        known.update(
            {question: RECORDS.get((question.name, question.kind), ()) for question in found.missing}
        )
    assert rounds == [{Kind.NAPTR, Kind.SRV}, {Kind.A, Kind.AAAA}, set()]
    assert len(found.hops) == 3
