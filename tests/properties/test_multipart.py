"""Laws of multipart bodies: what is put together is found, and nothing around it changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sipcore.multipart import find_sdp, map_sdp
from sipcore.sdp import NotAcceptable

BOUNDARIES = st.text("abAB09'()+_,-./:=?", min_size=1, max_size=8)
ENDS = st.sampled_from([b"\r\n", b"\n"])
TEXTS = st.lists(st.sampled_from([b"\r\n", b"\n", b"--", b"a", b"A", b" ", b"\xff", b"\0"]), max_size=8).map(
    b"".join
)
TYPES = st.sampled_from([b"", b"application/sdp", b"text/plain", b"Application/SDP;x=y"])


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """The Content-Type and the pieces of a body; each second piece is a description."""
    boundary = draw(BOUNDARIES)
    mark = b"--" + boundary.encode()
    texts = TEXTS.filter(lambda text: mark not in text)
    pieces = [draw(texts)]
    pieces[0] += draw(ENDS) if pieces[0] else b""
    for _ in range(draw(st.integers(1, 4))):
        kind, end, content = draw(TYPES), draw(ENDS), draw(texts)
        pieces[-1] += mark + draw(st.sampled_from([b"", b" \t"])) + end
        pieces[-1] += b"Content-Type: " + kind + end + end if kind else end
        if b"sdp" in kind.lower():
            pieces += [content, b""]
        else:
            pieces[-1] += content
        pieces[-1] += end
    pieces[-1] += mark + b"--" + draw(st.sampled_from([b"", b"\r\n"]))
    return f'multipart/mixed; boundary="{boundary}"', pieces


@given(bodies(), st.binary(max_size=8))
def test_descriptions_change_and_nothing_else(made: tuple[str, list[bytes]], new: bytes) -> None:
    content_type, pieces = made
    body = b"".join(pieces)
    found: list[bytes] = []

    def change(sdp: bytes) -> bytes:
        found.append(sdp)
        return new

    result = map_sdp(content_type, body, change)
    assert found == pieces[1::2]
    assert find_sdp(content_type, body) == (found[0] if found else None)
    pieces[1::2] = [new] * len(found)
    assert result == b"".join(pieces)
    assert map_sdp(content_type, body, bytes) is body


PIECES = st.sampled_from(
    [
        b"--x",
        b"--",
        b"\r\n",
        b"\n",
        b"\r",
        b"Content-Type:",
        b"application/sdp",
        b"multipart/mixed;boundary=x",
        b" ",
    ]
)
BODIES = st.lists(PIECES | st.binary(max_size=3), max_size=30).map(b"".join)


@given(
    st.sampled_from(["multipart/mixed;boundary=x", "multipart/x;boundary", "application/sdp"]) | st.text(),
    BODIES,
)
def test_any_octets_are_taken_apart_or_refused(content_type: str, body: bytes) -> None:
    try:
        assert map_sdp(content_type, body, lambda sdp: sdp) is body
        map_sdp(content_type, body, lambda sdp: sdp + b"x")
    except NotAcceptable as error:
        assert error.status == 488
        assert error.why.isascii() and error.why.isprintable()
