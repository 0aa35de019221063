"""Session descriptions in bodies of several parts, and what must not change around them."""

import pytest

from sipcore.codec_filter import filter_codecs, parse_allowed_pts
from sipcore.multipart import find_sdp, map_sdp
from sipcore.sdp import NotAcceptable, parse_session
from sipcore.sdp_changes import with_attribute

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8\r\n"
MIXED = "multipart/mixed;boundary=b1"
AROUND = (
    b"preamble with --b1 inside\r\n--b1x\r\n--b1 \t\r\nContent-Type: application/isup;version=itu-t92+\r\n"
    b"Content-Disposition: signal;handling=optional\r\n\r\n\x01\x00\xff\r\n\r\n\r\n"
    b"--b1\r\nContent-ID: <1@h>\r\nCONTENT-TYPE:\r\n  Application/SDP ; x=y\r\n\r\n",
    b"\r\n--b1\r\n\r\nno header\r\n--b1--\r\nepilogue\r\n--b1\r\nContent-Type: application/sdp\r\n\r\nv=0",
)


def upper(sdp: bytes) -> bytes:
    return sdp.upper()


def parts(*contents: bytes) -> bytes:
    return b"".join([b"--b1\r\n" + content + b"\r\n" for content in contents]) + b"--b1--\r\n"


SDP_PART = b"Content-Type: application/sdp\r\n\r\n" + SDP


@pytest.mark.parametrize(
    "content_type",
    ["application/sdp", "APPLICATION/Sdp", "application / sdp ;charset=utf-8", "application/sdp;;="],
)
def test_a_description_alone(content_type: str) -> None:
    assert map_sdp(content_type, SDP, upper) == SDP.upper()
    assert find_sdp(content_type, SDP) is SDP


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/sdpx", "application", "message/sipfrag", "/"]
)
def test_other_bodies_are_left_alone(content_type: str) -> None:
    body = parts(SDP_PART)
    assert map_sdp(content_type, body, upper) is body
    assert find_sdp(content_type, body) is None


def test_only_the_description_changes() -> None:
    before, after = AROUND
    body = before + SDP + after
    assert find_sdp(MIXED, body) == SDP
    assert map_sdp(MIXED, body, lambda _: b"new\r\n") == before + b"new\r\n" + after


def test_line_feeds_alone() -> None:
    body = b"--b1\nContent-Type: application/sdp\n\nv=0\n--b1--"
    assert map_sdp(MIXED, body, upper) == body.replace(b"v=0", b"V=0")


def test_nothing_changed_is_the_same_object() -> None:
    body = AROUND[0] + SDP + AROUND[1]
    assert map_sdp(MIXED, body, bytes) is body
    assert map_sdp("application/sdp", body, lambda sdp: sdp) is body


def test_no_description_inside() -> None:
    body = parts(b"Content-Type: text/plain\r\n\r\nx", b"\r\nv=0", b"Content-Type: application/sdp")
    assert map_sdp(MIXED, body, lambda sdp: sdp) is body
    assert find_sdp(MIXED, parts(b"\r\nv=0")) is None


@pytest.mark.parametrize(
    ("parameter", "boundary"),
    [
        ("boundary=b1", "b1"),
        ('BOUNDARY="b1"', "b1"),
        ("x=y; boundary = b1 ;z", "b1"),
        ('boundary="a b\'()+_,-./:=?"', "a b'()+_,-./:=?"),
        ('boundary="b\\1"', "b1"),
        ("boundary=a=b:c", "a=b:c"),
        (f"boundary={'x' * 70}", "x" * 70),
        ("boundary=.*", None),
        ('boundary=""', None),
        ('boundary="b1 "', None),
        ('boundary="b1', None),
        (f"boundary={'x' * 71}", None),
        ("boundary=b1;boundary=b2", None),
        ("boundary", None),
        ("charset=b1", None),
        ("", None),
        ('boundary="b\r\n1"', None),
        ('boundary="\u00e9"', None),
    ],
)
def test_boundaries(parameter: str, boundary: str | None) -> None:
    content_type = f"multipart/mixed;{parameter}"
    body = parts(SDP_PART).replace(b"--b1", f"--{boundary}".encode())
    if boundary is not None:
        assert find_sdp(content_type, body) == SDP
        return
    with pytest.raises(NotAcceptable, match="488") as caught:
        find_sdp(content_type, body)
    assert caught.value.why == "Multipart body without a readable boundary parameter"


def test_no_parameter_at_all() -> None:
    with pytest.raises(NotAcceptable):
        find_sdp("multipart/mixed", parts(SDP_PART))


def test_the_last_delimiter_may_be_missing() -> None:
    body = b"--b1\r\n" + SDP_PART
    assert map_sdp(MIXED, body, upper) == body.replace(SDP, SDP.upper())
    assert map_sdp(MIXED, b"--b1", upper) == b"--b1"


def test_parts_that_are_empty() -> None:
    body = b"--b1\r\n--b1\r\n\r\n--b1\r\n" + SDP_PART + b"\r\n--b1--"
    assert find_sdp(MIXED, body) == SDP


def test_each_description_changes() -> None:
    early = b"Content-Type: application/sdp\r\nContent-Disposition: early-session\r\n\r\n" + SDP
    body = parts(SDP_PART, early)
    assert map_sdp(MIXED, body, upper) == body.replace(SDP, SDP.upper())


@pytest.mark.parametrize("subtype", ["mixed", "alternative", "related", "Signed"])
def test_descriptions_inside_parts_inside(subtype: str) -> None:
    inner = b"--b2\r\n" + SDP_PART + b"\r\n--b2--"
    body = parts(b"\r\nhello", f'Content-Type: multipart/{subtype};boundary="b2"\r\n\r\n'.encode() + inner)
    assert map_sdp(MIXED, body, upper) == body.replace(SDP, SDP.upper())


def nested(depth: int) -> bytes:
    """A description inside `depth` multipart bodies."""
    body = SDP_PART
    for level in range(depth):
        mark = b"x" * (level + 1)
        body = b'Content-Type: multipart/mixed;boundary="' + mark + b'"\r\n\r\n--' + mark + b"\r\n" + body
    return body.partition(b"\r\n\r\n")[2]


def test_depth_is_bounded() -> None:
    assert find_sdp("multipart/mixed;boundary=xxxx", nested(4)) == SDP
    with pytest.raises(NotAcceptable) as caught:
        find_sdp("multipart/mixed;boundary=xxxxx", nested(5))
    assert caught.value.why == "Multipart body is nested too deep"


BROKEN = {
    "no delimiter": (SDP, "Multipart body without its boundary"),
    "another delimiter": (b"--b2\r\n" + SDP_PART, "Multipart body without its boundary"),
    "only the last delimiter": (b"--b1--\r\n" + SDP_PART, None),
    "65 parts": (parts(*[b"\r\n"] * 65), "Multipart body has too many parts"),
    "64 parts": (parts(*[b"\r\n"] * 63, SDP_PART), None),
    "two types": (
        parts(b"Content-Type: text/plain\r\n" + SDP_PART),
        "Multipart body has a part with a header field given twice",
    ),
    "base64": (
        parts(b"Content-Transfer-Encoding: Base64\r\n" + SDP_PART),
        "Multipart body has a part in a transfer encoding that SIP does not use",
    ),
    "base64 of something else": (
        parts(b"Content-Transfer-Encoding: base64\r\nContent-Type: application/isup\r\n\r\nAA==", SDP_PART),
        None,
    ),
    "binary": (parts(b"Content-Transfer-Encoding: BINARY\r\n" + SDP_PART), None),
}


@pytest.mark.parametrize(("body", "why"), BROKEN.values(), ids=BROKEN)
def test_bodies_that_cannot_be_taken_apart(body: bytes, why: str | None) -> None:
    if why is None:
        find_sdp(MIXED, body)
        return
    with pytest.raises(NotAcceptable) as caught:
        map_sdp(MIXED, body, upper)
    assert caught.value.why == why


def test_refusals_of_the_change_pass() -> None:
    allowed = parse_allowed_pts("3")
    with pytest.raises(NotAcceptable, match="488"):
        map_sdp(MIXED, parts(SDP_PART), lambda sdp: filter_codecs(sdp, allowed))


def test_the_codec_filter_inside() -> None:
    allowed = parse_allowed_pts("8")
    body = parts(b"\r\n0 8", SDP_PART)
    expected = body.replace(b"RTP/AVP 0 8", b"RTP/AVP 8")
    assert map_sdp(MIXED, body, lambda sdp: filter_codecs(sdp, allowed)) == expected


def test_an_attribute_inside_adds_no_empty_line() -> None:
    body = parts(SDP_PART.rstrip(b"\r\n"))
    changed = map_sdp(MIXED, body, lambda sdp: with_attribute(parse_session(sdp), "nated:yes").to_bytes())
    assert changed == body.replace(b"AVP 0 8", b"AVP 0 8\r\na=nated:yes")
