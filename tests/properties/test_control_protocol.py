"""The control socket takes whatever comes, in whatever pieces, and answers in lines."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from b2bua_allinone.control.protocol import LONGEST_LINE, ControlSession
from support.control import RINGING, WAITING, FakeCalls

COMMANDS = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [b"l", b"LT", b"llt", b"d", b"d *", b"d 1@192.0.2.1", b"r 12", b"r 12 1", b"q", b"", b"\r"]
    ),
    st.just(b"x" * (LONGEST_LINE + 1)),
)


def replies(stream: bytes, cuts: random.Random | None) -> bytes:
    session = ControlSession(FakeCalls(RINGING, WAITING))
    found = b""
    while stream and not session.closed:
        cut = cuts.randint(1, 4_000) if cuts is not None else len(stream)
        found += b"".join(session.receive(stream[:cut]))
        stream = stream[cut:]
    return found


@given(st.lists(COMMANDS, max_size=8), st.randoms(use_true_random=False))
def test_pieces_do_not_matter(commands: list[bytes], cuts: random.Random) -> None:
    stream = b"".join(command + b"\n" for command in commands)
    assert replies(stream, cuts) == replies(stream, None)


@given(st.binary(max_size=200))
def test_replies_are_lines_of_ascii(data: bytes) -> None:
    found = replies(data + b"\n", None)
    assert found.isascii()
    assert not found or found.endswith(b"\n")
    assert all(line.isprintable() for line in found.decode().splitlines())
