"""A proxy changes three fields of a request and one of a response, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from sip_edge.domain.forwarding import request_bytes, response_bytes
from sipcore.message import Headers, Request, Response
from sipcore.names import canonical_name
from sipcore.parser import parse_datagram

VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=20).map(
    lambda text: text.strip(" \t")
)
OTHERS = st.tuples(
    st.sampled_from(
        ["Route", "Path", "Contact", "m", "X-a", "x-A", "Supported", "k", "Require", "To", "Expires"]
    ),
    VALUES,
)
VIAS = st.sampled_from([("Via", "SIP/2.0/UDP a"), ("v", "SIP/2.0/UDP b , SIP/2.0/TCP c"), ("VIA", "d")])
HOPS = st.sampled_from([("Max-Forwards", "70"), ("max-forwards", "1")])
BODIES = st.binary(max_size=20)
OURS = ("Via", "SIP/2.0/UDP ours")


@st.composite
def fields(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Header fields with a Via at the least, in any order."""
    chosen = [*draw(st.lists(OTHERS | VIAS, max_size=8)), draw(VIAS), *draw(st.lists(HOPS, max_size=1))]
    return draw(st.permutations(chosen))


@given(fields(), BODIES, st.sampled_from(["", "<sip:us;lr>"]))
def test_request_keeps_what_is_not_the_proxys(found: list[tuple[str, str]], body: bytes, path: str) -> None:
    asked = Request("REGISTER", "sip:r", Headers(found), body)
    data = request_bytes(asked, OURS[1], asked.headers.get_all("via"), path)
    forwarded = parse_datagram(data)
    kept = list(forwarded.headers.items())[:-1]
    assert kept.pop(0) == OURS
    if path:
        assert kept.pop(0) == ("Path", path)
    hops = asked.max_forwards
    if hops is None:
        assert kept.pop(0) == ("Max-Forwards", "70")
    else:
        assert forwarded.max_forwards == hops - 1
    assert [field for field in kept if not _hops(field)] == [field for field in found if not _hops(field)]
    assert forwarded.body == body


@given(fields(), BODIES)
def test_response_loses_one_via(found: list[tuple[str, str]], body: bytes) -> None:
    headers = Headers(found)
    relayed = parse_datagram(response_bytes(Response(200, "OK", headers, body)))
    assert relayed.headers.values("via") == headers.values("via")[1:]
    assert [f for f in relayed.headers.items()[:-1] if not _via(f)] == [f for f in found if not _via(f)]
    assert relayed.body == body


def _hops(field: tuple[str, str]) -> bool:
    return canonical_name(field[0]) == "max-forwards"


def _via(field: tuple[str, str]) -> bool:
    return canonical_name(field[0]) == "via"
