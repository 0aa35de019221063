"""Whatever stands in a Contact: it is replaced by what can be read, or left alone."""

from hypothesis import given
from hypothesis import strategies as st

from sip_edge.domain.nat import is_private, reachable
from sipcore.errors import PeerProtocolError
from sipcore.uri import Uri, parse_uri

SOURCE = ("203.0.113.9", 40000)
HOSTS = st.one_of(
    st.ip_addresses().map(str),
    st.sampled_from(["10.0.0.5", "100.64.0.1", "fe80::1", "a.invalid", "255.255.255.255", "phone.example"]),
)


@given(st.text(max_size=60) | st.text("sip:@[]10.;?x ", max_size=30))
def test_any_text_is_taken(text: str) -> None:
    told = reachable(text, SOURCE)
    assert told is None or "203.0.113.9:40000" in told
    is_private(text)


@given(
    st.sampled_from(["sip", "sips"]),
    st.sampled_from(["", "alice", "a%40b", "alice;x=1"]),
    HOSTS,
    st.none() | st.integers(1, 65535),
    st.sampled_from([(), (("transport", "udp"),), (("lr", None), ("x", "10.0.0.1"))]),
)
def test_only_the_address_changes(
    scheme: str, user: str, host: str, port: int | None, params: tuple[tuple[str, str | None], ...]
) -> None:
    uri = Uri(scheme, user, None, host, port, params)
    told = reachable(str(uri), SOURCE)
    if is_private(host) or host == "255.255.255.255":
        assert told is not None
        assert parse_uri(told) == uri._replace(host=SOURCE[0], port=SOURCE[1])
    else:
        assert told is None


@given(st.text(max_size=40))
def test_what_was_valid_stays_valid(text: str) -> None:
    try:
        parse_uri(text)
    except PeerProtocolError:
        return
    told = reachable(text, SOURCE)
    if told is not None:
        parse_uri(told)
