"""Laws of the parser: it gives back what was written, and any bytes are a message or the peer's error."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sipcore import (
    GrammarError,
    Headers,
    Limits,
    Message,
    NameAddr,
    PeerProtocolError,
    Ping,
    Request,
    Response,
    StreamParser,
    parse_datagram,
    parse_name_addr,
    serialize,
    serialize_request,
    validate_request,
    validate_response,
)
from sipcore.grammar import quote, split_commas, unquote
from sipcore.headers import parse_tag
from support.sip_rows import ROWS

TOKEN_ALPHABET = "ABCxyz019-.!%*_+`'~"
TOKENS = st.text(TOKEN_ALPHABET, min_size=1, max_size=12)
TEXT = st.text(
    st.characters(exclude_characters="\r\n\x00", exclude_categories=["Cs"]) | st.sampled_from("\udc80\udcff"),
    max_size=30,
)
"""What UTF-8 and single octets can carry."""


def settled(text: str) -> str:
    """Text as it comes back from the wire: octets that make up UTF-8 are read as such, white space is cut."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape").strip(" \t")


FIELDS = st.lists(
    st.tuples(TOKENS.filter(lambda name: name.lower() not in ("l", "content-length")), TEXT.map(settled)),
    max_size=8,
)
BODIES = st.binary(max_size=60)


def with_length(fields: list[tuple[str, str]], body: bytes) -> Headers:
    return Headers([*fields, ("Content-Length", str(len(body)))])


REQUESTS = st.builds(
    lambda method, uri, fields, body: Request(method, uri, with_length(fields, body), body),
    TOKENS,
    st.text("abc:@;=?&%[]<>\u00e9", min_size=1, max_size=20),
    FIELDS,
    BODIES,
)
RESPONSES = st.builds(
    lambda status, reason, fields, body: Response(status, reason, with_length(fields, body), body),
    st.integers(100, 699),
    TEXT.map(settled),
    FIELDS,
    BODIES,
)
MESSAGES = st.one_of(REQUESTS, RESPONSES)


@st.composite
def mutilated(draw: st.DrawFn) -> bytes:
    """A good message with a few octets changed, dropped or put in."""
    wire = bytearray(draw(st.sampled_from(ROWS)).wire)
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(wire)))
        gone = draw(st.integers(0, 4))
        wire[at : at + gone] = draw(
            st.sampled_from(
                [
                    b"",
                    b"\r",
                    b"\n",
                    b"\r\n",
                    b'"',
                    b"<",
                    b">",
                    b"\\",
                    b",",
                    b";",
                    b":",
                    b" ",
                    b"\x00",
                    b"\xff",
                ]
            )
            | st.binary(max_size=3)
        )
    return bytes(wire)


@given(MESSAGES)
def test_what_is_written_is_read(message: Message) -> None:
    wire = serialize(message)
    assert parse_datagram(wire) == message
    assert serialize(parse_datagram(wire)) == wire


@given(st.lists(MESSAGES, max_size=4), st.data())
def test_a_stream_cut_anywhere_gives_the_same_messages(messages: list[Message], data: st.DataObject) -> None:
    wire = b"".join(serialize(message) for message in messages)
    parser = StreamParser()
    outcomes: list[object] = []
    while wire:
        size = data.draw(st.integers(1, len(wire)))
        outcomes += parser.receive(wire[:size])
        wire = wire[size:]
    assert outcomes == messages


@given(
    st.lists(
        st.sampled_from(['"', "\\", "<", ">", ";", "=", "tag", "sip:", "tel:", "a", " ", "\t", ",", "\x07"])
    )
)
@example(["a", " ", "<", "sip:", "a", ">", ";", "tag", "=", "a"])
@example(['"', "a", '"', " ", "<", "sip:", "a", ">"])
@example(["<", "sip:", ">"])
def test_a_tag_is_read_alone_as_with_the_rest(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        tag = parse_name_addr(text).tag
    except GrammarError as error:
        with pytest.raises(GrammarError, match=f"^{re.escape(str(error))}$"):
            parse_tag(text)
    else:
        assert parse_tag(text) == tag


UNCHECKED = {"contact_uri"}
"""Only the methods that set a remote target have the URI of their Contact checked."""


def read_everything(message: Message) -> None:
    """Ask for all there is; after validation nothing of it may raise."""
    for name in dir(type(message)):
        if not name.startswith("_") and name not in UNCHECKED:
            getattr(message, name)
    if isinstance(message, Request):
        _ = message.via.with_source("192.0.2.1", 5060).reply_address()
    form, branch = message.via_form
    assert form.with_branch(branch) == message.via and branch == message.via.branch
    assert message.essentials == (
        form,
        branch,
        message.from_tag,
        message.to_tag,
        message.call_id,
        *message.cseq,
    )


@given(st.binary(max_size=400) | mutilated())
@example(b"SIP/2.0 200 OK\n \n\n")
@example(b"A b SIP/2.0\n \n \nX: y\n\n")
@example(b"A b SIP/2.0\r\n\r \r\n\r\n")
def test_any_datagram_is_a_message_or_an_error(data: bytes) -> None:
    try:
        message = parse_datagram(data)
        if isinstance(message, Request):
            validate_request(message)
        else:
            validate_response(message)
        read_everything(message)
    except PeerProtocolError as error:
        assert 400 <= error.status <= 599
        assert error.reason.isprintable() and error.reason.isascii()
        assert error.drop or error.message is not None
        if error.message is not None:
            serialize_request("X", "sip:h", error.message.headers.items())


@given(st.lists(st.binary(max_size=100) | mutilated(), max_size=4))
def test_any_stream_is_messages_pings_and_errors(pieces: list[bytes]) -> None:
    parser = StreamParser(Limits(max_message=2000, max_body=500))
    for piece in pieces:
        for outcome in parser.receive(piece):
            assert isinstance(outcome, Request | Response | Ping | PeerProtocolError)


@given(st.text(max_size=20))
def test_quoting(text: str) -> None:
    assert unquote(quote(text)) == text


@given(st.lists(st.tuples(st.text(max_size=8), TOKENS), min_size=1, max_size=4))
def test_lists_of_addresses(parts: list[tuple[str, str]]) -> None:
    addresses = [
        NameAddr(display, f"sip:{user}@h;x=1,2", (("q", quote(display)),)) for display, user in parts
    ]
    text = ", ".join(map(str, addresses))
    assert [parse_name_addr(part) for part in split_commas(text)] == addresses
