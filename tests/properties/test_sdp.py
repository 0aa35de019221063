"""Laws of session descriptions: any octets are a description or a 488, and changes touch what they name."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st

from sipcore.sdp import (
    Connection,
    Direction,
    Hold,
    NotAcceptable,
    Session,
    answer_direction,
    hold_of,
    parse_session,
)
from sipcore.sdp_changes import (
    held,
    with_attribute,
    with_connection,
    with_direction,
    with_formats,
    with_media_address,
    with_origin_version,
)

ENDS = st.sampled_from(["\r\n", "\n"])
VALUES = st.text(
    st.characters(exclude_characters="\r\n\x00", exclude_categories=["Cs"])
    | st.sampled_from("\udc80\udcff \t\x85\u2028"),
    max_size=12,
)
WORDS = st.text("abcXYZ019./-_", min_size=1, max_size=6)
ADDRESSES = st.sampled_from(
    ["IN IP4 192.0.2.1", "IN IP4 0.0.0.0", "IN IP6 ::", "IN IP6 2001:db8::1", "IN IP4 h.example.com"]
)
OTHER_LINES = st.builds(lambda kind, value: f"{kind}={value}", st.sampled_from("ibkxyzZ?"), VALUES)
ATTRIBUTES = st.one_of(
    st.sampled_from(
        ["a=sendonly", "a=inactive", "a=sendrecv", "a=rtcp:7 IN IP4 192.0.2.1", "a=rtcp:x", "a="]
    ),
    st.builds(
        lambda name, pt, text: f"a={name}:{pt} {text}",
        st.sampled_from(["rtpmap", "fmtp", "rtcp-fb"]),
        st.integers(0, 5),
        VALUES,
    ),
    VALUES.map(lambda value: f"a={value}"),
)


@st.composite
def descriptions(draw: st.DrawFn) -> bytes:
    """A well-formed description, with lines that nobody knows and line ends of both kinds."""
    lines = ["v=0", f"o={draw(WORDS)} {draw(WORDS)} {draw(WORDS)} {draw(ADDRESSES)}", f"s={draw(VALUES)}"]
    lines += draw(st.lists(OTHER_LINES, max_size=3))
    lines += [f"c={draw(ADDRESSES)}", *[f"t={draw(VALUES)}" for _ in range(draw(st.integers(1, 2)))]]
    lines += draw(st.lists(ATTRIBUTES, max_size=3))
    for _ in range(draw(st.integers(0, 3))):
        count = draw(st.sampled_from(["", "", "/2"]))
        formats = " ".join(map(str, draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))))
        transport = draw(st.sampled_from(["RTP/AVP", "UDP/TLS/RTP/SAVPF", "udptl"]))
        lines.append(f"m=audio {draw(st.sampled_from([0, 4000, 65535]))}{count} {transport} {formats}")
        lines += draw(st.lists(OTHER_LINES | ATTRIBUTES | ADDRESSES.map("c={}".format), max_size=6))
    text = "".join([line + draw(ENDS) for line in lines])
    if draw(st.booleans()):
        text = text.rstrip("\r\n")
    return text.encode("utf-8", "surrogateescape")


RELAY = Connection("IN", "IP6", "2001:db8::99")
CHANGES: dict[str, Callable[[Session], Session]] = {
    "version": lambda it: with_origin_version(it, 10**39),
    "held": held,
    "connection": lambda it: with_connection(it, RELAY),
    "attribute": lambda it: with_attribute(it, "nated:yes"),
    "direction": lambda it: with_direction(it, -1, Direction.SENDONLY) if it.media else it,
    "address": lambda it: with_media_address(it, -1, RELAY, 2000) if it.media else it,
    "formats": lambda it: with_formats(it, -1, it.media[-1].formats[:1]) if it.media else it,
}


def read_everything(session: Session) -> None:
    """Ask for all there is; after parsing nothing of it may raise."""
    for level in (session, *session.media):
        for name in dir(type(level)):
            if not name.startswith("_"):
                getattr(level, name)
    for media in session.media:
        hold_of(media)


@given(descriptions())
def test_what_was_not_changed_is_as_it_was(body: bytes) -> None:
    session = parse_session(body)
    assert session.to_bytes() == body
    read_everything(session)


@given(st.binary(max_size=200) | descriptions(), st.data())
@example(b"v=0\no=a b c d e f\ns=\nt=\nm=a 0/1 b", None)
def test_any_octets_are_a_description_or_a_488(body: bytes, data: st.DataObject | None) -> None:
    if data is not None:
        at = data.draw(st.integers(0, len(body)))
        junk = st.sampled_from(
            [b"", b"\r", b"\n", b"\0", b"=", b" ", b"m=", b"c=", b"9" * 40, b"\xff", b"\xe2\x80\xa8"]
        )
        body = body[:at] + data.draw(junk) + body[at + data.draw(st.integers(0, 3)) :]
    try:
        session = parse_session(body)
    except NotAcceptable as error:
        assert error.status == 488
        assert error.why.isascii() and error.why.isprintable()
    else:
        assert session.to_bytes() == body
        read_everything(session)


@given(descriptions(), st.lists(st.sampled_from(sorted(CHANGES)), max_size=4))
def test_a_changed_description_is_what_its_octets_say(body: bytes, names: list[str]) -> None:
    session = parse_session(body)
    for name in names:
        session = CHANGES[name](session)
        assert parse_session(session.to_bytes()) == session
    assert session.to_bytes().endswith(b"\n") == body.endswith(b"\n")


@given(descriptions(), st.sampled_from(sorted(CHANGES)))
def test_a_change_made_twice_is_made_once(body: bytes, name: str) -> None:
    once = CHANGES[name](parse_session(body))
    if name != "attribute":
        assert CHANGES[name](once) == once


@given(descriptions(), st.sampled_from(sorted(CHANGES)))
def test_lines_of_types_that_no_change_names_stay(body: bytes, name: str) -> None:
    def untouched(text: bytes) -> list[bytes]:
        return [
            line.rstrip(b"\r")
            for line in text.split(b"\n")
            if line[:2] not in (b"o=", b"c=", b"m=", b"a=", b"")
        ]

    assert untouched(CHANGES[name](parse_session(body)).to_bytes()) == untouched(body)


@given(descriptions())
def test_held_holds_every_section_in_use(body: bytes) -> None:
    for media in held(parse_session(body)).media:
        assert hold_of(media) is (Hold.ADDRESS if media.port else Hold.NONE)


@given(st.sampled_from(Direction), st.sampled_from(Direction))
def test_an_answer_never_does_more_than_offered_or_wanted(offered: Direction, wanted: Direction) -> None:
    answer = answer_direction(offered, wanted)
    assert answer.sends == (wanted.sends and offered.receives)
    assert answer.receives == (wanted.receives and offered.sends)
