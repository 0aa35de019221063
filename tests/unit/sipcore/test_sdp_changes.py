"""Changes to session descriptions: the lines that change, and no others."""

import pytest

from sipcore.errors import LocalProtocolError
from sipcore.sdp import Connection, Direction, Hold, Media, Origin, Session, hold_of, parse_session
from sipcore.sdp_changes import (
    held,
    with_attribute,
    with_connection,
    with_direction,
    with_formats,
    with_media_address,
    with_origin,
    with_origin_version,
)

TEXT = """v=0
o=bob 7 41 IN IP4 192.0.2.1
s=-
i=one
c=IN IP4 192.0.2.1
b=AS:1
b=TIAS:2
t=0 0
x=unknown
m=audio 4000/2 RTP/AVP 0 101 96
i=talk
b=AS:64
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=rtcp:4003 IN IP4 192.0.2.1
a=fmtp:101 0-15
a=sendrecv
m=video 0 RTP/AVP 31
c=IN IP6 2001:db8::1
a=rtpmap:31 H261/90000
"""
RELAY = Connection("IN", "IP4", "198.51.100.7")


def session(text: str = TEXT) -> Session:
    return parse_session(text.replace("\n", "\r\n").encode())


def text_of(changed: Session) -> str:
    body = changed.to_bytes()
    assert parse_session(body) == changed, "what a change says is what the wire says"
    assert body.count(b"\n") == body.count(b"\r\n")
    return body.decode().replace("\r\n", "\n")


def replaced(*pairs: tuple[str, str]) -> str:
    text = TEXT
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def test_origin_version() -> None:
    assert text_of(with_origin_version(session(), 42)) == replaced(("bob 7 41", "bob 7 42"))


def test_origin() -> None:
    origin = Origin("-", "5", "1", "IN", "IP6", "2001:db8::9")
    changed = with_origin(session(), origin)
    assert changed.origin == origin
    assert text_of(changed) == replaced(("bob 7 41 IN IP4 192.0.2.1", "- 5 1 IN IP6 2001:db8::9"))


def test_held() -> None:
    changed = held(session())
    assert text_of(changed) == replaced(
        ("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0"), ("c=IN IP6 2001:db8::1", "c=IN IP6 ::")
    )
    assert [hold_of(media) for media in changed.media] == [Hold.ADDRESS, Hold.NONE]


def test_held_is_read_with_odd_spacing() -> None:
    wide = parse_session(TEXT.replace("c=IN IP6 2001:db8::1", "c=IN  ip6 2001:db8::1 ").encode())
    assert b"c=IN IP6 ::\n" in held(wide).to_bytes()


def test_an_attribute_goes_to_the_end_of_the_last_section() -> None:
    assert text_of(with_attribute(session(), "nated:yes")) == TEXT + "a=nated:yes\n"


def test_an_attribute_goes_to_the_end_of_the_text_without_media() -> None:
    alone = TEXT.partition("m=")[0]
    assert text_of(with_attribute(session(alone), "nated:yes")) == alone + "a=nated:yes\n"


@pytest.mark.parametrize("text", [TEXT, TEXT.partition("m=")[0]], ids=["media", "no media"])
def test_a_missing_line_end_stays_missing(text: str) -> None:
    body = text.rstrip("\n").encode()
    assert with_attribute(parse_session(body), "x").to_bytes() == body + b"\na=x"


def test_an_attribute_goes_before_empty_lines() -> None:
    assert text_of(with_attribute(session(TEXT + "\n\n"), "x")) == TEXT + "a=x\n\n\n"


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_new_lines_end_as_the_others(end: bytes) -> None:
    body = TEXT.encode().replace(b"\n", end)
    assert with_attribute(parse_session(body), "x").to_bytes() == body + b"a=x" + end


def test_relay_address() -> None:
    changed = with_media_address(session(), 0, RELAY, 35000)
    assert text_of(changed) == replaced(
        ("m=audio 4000/2 ", "m=audio 35000 "),
        ("i=talk\n", "i=talk\nc=IN IP4 198.51.100.7\n"),
        ("a=rtcp:4003 IN IP4 192.0.2.1", "a=rtcp:35001"),
    )


def test_relay_address_with_its_own_rtcp_port() -> None:
    changed = with_media_address(session(), 0, RELAY, 35000, 35000)
    assert "a=rtcp:35000\n" in text_of(changed)


def test_relay_address_of_a_refused_section() -> None:
    changed = with_media_address(session(), 1, RELAY, 35000)
    assert text_of(changed) == replaced(("c=IN IP6 2001:db8::1", "c=IN IP4 198.51.100.7"))


def test_one_address_takes_the_place_of_several() -> None:
    layered = session(TEXT + "c=IN IP6 2001:db8::2\n")
    assert text_of(with_media_address(layered, 1, RELAY, 1)) == replaced(
        ("c=IN IP6 2001:db8::1", "c=IN IP4 198.51.100.7")
    )


def test_session_address() -> None:
    changed = with_connection(session(), RELAY)
    assert text_of(changed) == replaced(("c=IN IP4 192.0.2.1", "c=IN IP4 198.51.100.7"))
    assert changed.media[0].connection == RELAY


def test_session_address_where_there_was_none() -> None:
    text = replaced(
        ("c=IN IP4 192.0.2.1\n", ""), ("/2 RTP/AVP 0 101 96\ni=talk\n", " RTP/AVP 0\nc=IN IP4 h\n")
    )
    changed = with_connection(session(text), RELAY)
    assert text_of(changed) == text.replace("i=one\n", "i=one\nc=IN IP4 198.51.100.7\n")


def test_direction() -> None:
    changed = with_direction(session(), 0, Direction.SENDONLY)
    assert text_of(changed) == replaced(("a=sendrecv", "a=sendonly"))
    assert text_of(with_direction(session(), 1, Direction.INACTIVE)) == TEXT + "a=inactive\n"


def test_direction_of_a_last_line_without_end() -> None:
    cut = parse_session((TEXT + "a=sendrecv").encode())
    assert with_direction(cut, 1, Direction.SENDONLY).to_bytes() == (TEXT + "a=sendonly").encode()


def test_formats() -> None:
    changed = with_formats(session(), 0, ["96", "0"])
    assert text_of(changed) == replaced(
        ("0 101 96", "96 0"), ("a=rtpmap:101 telephone-event/8000\n", ""), ("a=fmtp:101 0-15\n", "")
    )


def test_lines_about_formats_that_were_never_there_stay() -> None:
    text = TEXT + "a=rtpmap:99 x/1\na=rtcp-fb:* nack\na=rtcp-fb:31 nack\na=rtpmaps:31 x\na=fmtp: 31 x\nb=31\n"
    text = text.replace("AVP 31", "AVP 31 32")
    changed = text_of(with_formats(session(text), 1, ["32"]))
    assert changed == text.replace("31 32", "32").replace("a=rtpmap:31 H261/90000\n", "").replace(
        "a=rtcp-fb:31 nack\n", ""
    ).replace("a=fmtp: 31 x\n", "")


@pytest.mark.parametrize(
    "change",
    [
        lambda it: with_attribute(it, "x\r\na=y"),
        lambda it: with_attribute(it, "x\0"),
        lambda it: with_attribute(it, ""),
        lambda it: with_attribute(it, "\ud800"),
        lambda it: with_origin_version(it, -1),
        lambda it: with_origin(it, Origin("-", "1", "1", "IN", "IP4", "h h")),
        lambda it: with_origin(it, Origin("-\n", "1", "1", "IN", "IP4", "h")),
        lambda it: with_connection(it, Connection("IN", "IP4", "")),
        lambda it: with_media_address(it, 0, Connection("IN", "IP4", "h\n"), 4000),
        lambda it: with_media_address(it, 0, RELAY, 0),
        lambda it: with_media_address(it, 0, RELAY, 65535),
        lambda it: with_media_address(it, 0, RELAY, 4000, 0),
        lambda it: with_formats(it, 0, []),
        lambda it: with_formats(it, 0, ["0 8"]),
    ],
)
def test_what_would_break_the_text_is_our_mistake(change: object) -> None:
    assert callable(change)
    with pytest.raises(LocalProtocolError):
        change(session())


def test_the_old_value_is_as_it_was() -> None:
    before = session()
    for change in (held(before), with_attribute(before, "x"), with_media_address(before, 0, RELAY, 2)):
        assert change != before
    assert text_of(before) == TEXT


def test_only_the_section_that_changes_is_new() -> None:
    before = session()
    kept: Media = before.media[1]
    assert with_media_address(before, 0, RELAY, 2).media[1] is kept
