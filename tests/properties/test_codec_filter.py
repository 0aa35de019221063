"""Laws of the codec filter, against the plainest way to say what it does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sipcore.codec_filter import AllowedCodecs, filter_codecs, parse_allowed_pts
from sipcore.sdp import Media, NotAcceptable, parse_session

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
PTS = st.integers(0, 9).map(str)
CODECS = st.sampled_from(["a/1", "A/1", "b/8000", "c/48000/2"])
SECTIONS = st.builds(
    lambda port, transport, formats, lines: (
        f"m=audio {port} {transport} {' '.join(formats)}\r\n" + "".join(f"{line}\r\n" for line in lines)
    ),
    st.sampled_from([0, 4000, 5000]),
    st.sampled_from(["RTP/AVP", "rtp/avpf", "udptl"]),
    st.lists(PTS, min_size=1, max_size=6),
    st.lists(
        st.builds("a=rtpmap:{} {}".format, PTS, CODECS)
        | st.builds("a={}:{} x".format, st.sampled_from(["fmtp", "rtcp-fb", "rtpmap2"]), PTS)
        | st.sampled_from(["a=rtcp-fb:* nack", "b=AS:1", "x=9", "a=sendonly"]),
        max_size=6,
    ),
)
BODIES = st.lists(SECTIONS, max_size=3).map(lambda sections: (HEAD + "".join(sections)).encode())
ALLOWED = st.builds(AllowedCodecs, st.frozensets(PTS, max_size=6), st.frozensets(CODECS, max_size=2))


def is_filtered(media: Media) -> bool:
    return media.port != 0 and media.transport != "udptl"


def may_cross(media: Media, pt: str, allowed: AllowedCodecs) -> bool:
    return pt in allowed.payload_types or any((pt, codec) in media.rtpmap for codec in allowed.codecs)


@given(BODIES, ALLOWED)
def test_what_is_left(body: bytes, allowed: AllowedCodecs) -> None:
    before = parse_session(body).media
    expected = [
        tuple(pt for pt in media.formats if not is_filtered(media) or may_cross(media, pt, allowed))
        for media in before
    ]
    try:
        result = filter_codecs(body, allowed)
    except NotAcceptable:
        assert () in expected
        return
    after = parse_session(result).media
    assert [media.formats for media in after] == expected
    assert (result is body) == (expected == [media.formats for media in before])
    for old, new in zip(before, after, strict=True):
        gone = set(old.formats) - set(new.formats)
        marks = tuple(f"a={name}:{pt} " for name in ("rtpmap", "fmtp", "rtcp-fb") for pt in gone)
        assert new.lines[1:] == tuple(line for line in old.lines[1:] if not line.startswith(marks))


@given(BODIES, ALLOWED)
def test_filtering_again_changes_nothing(body: bytes, allowed: AllowedCodecs) -> None:
    try:
        once = filter_codecs(body, allowed)
    except NotAcceptable:
        return
    assert filter_codecs(once, allowed) is once


@given(st.binary(max_size=100), ALLOWED)
def test_any_octets_are_filtered_or_refused(body: bytes, allowed: AllowedCodecs) -> None:
    try:
        filter_codecs(body, allowed)
    except NotAcceptable as error:
        assert error.status == 488


@given(st.text(max_size=20) | st.text("0189,[]/ab ", max_size=20))
def test_any_option_is_read_or_refused(text: str) -> None:
    try:
        allowed = parse_allowed_pts(text)
    except ValueError:
        return
    again = ",".join([*allowed.payload_types, *[f"[{codec}]" for codec in allowed.codecs]])
    assert parse_allowed_pts(again) == allowed
