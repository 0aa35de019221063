"""Patterns of wanted headers choose what a plain comparison, field by field, would choose."""

from hypothesis import given
from hypothesis import strategies as st

from sip_edge.domain.wanted import Wanted
from sipcore.message import Headers
from sipcore.names import SPELLING, canonical_name

NAMES = st.one_of(
    st.sampled_from(sorted(SPELLING.values())),
    st.sampled_from(["v", "I", "k", "x", "X-A", "x-a", "x-ab", "P-Foo", "p-foo", "Y"]),
    st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,6}", fullmatch=True),
)
PATTERNS = st.one_of(
    st.sampled_from(["*", "x-*", "x-a*", "p-*", "s*", "x-a", "subject", "via", "call-id"]),
    st.sampled_from(sorted(SPELLING)),
)
NEVER_BY_PATTERN = {
    *("via", "from", "to", "call-id", "cseq", "contact", "max-forwards", "expires", "route", "record-route"),
    *("content-length", "content-type", "content-disposition", "content-encoding", "content-language"),
    "mime-version",
}


def _wanted(name: str, patterns: list[str]) -> bool:
    canonical = canonical_name(name) or name
    if canonical in patterns:
        return True
    prefixes = [pattern[:-1] for pattern in patterns if pattern.endswith("*")]
    return canonical not in NEVER_BY_PATTERN and any(map(canonical.startswith, prefixes))


@given(st.lists(NAMES, max_size=12), st.lists(PATTERNS, max_size=4))
def test_selection_is_field_by_field(names: list[str], patterns: list[str]) -> None:
    fields = [(name, str(number)) for number, name in enumerate(names)]
    chosen = Wanted(patterns).select(Headers(fields))
    assert list(chosen) == [(name, value) for name, value in fields if _wanted(name, patterns)]
