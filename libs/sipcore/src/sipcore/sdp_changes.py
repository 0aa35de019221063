"""Changes to session descriptions: each gives a new value, in which only the lines named here differ.

Values put in come from us. One that would break out of its line, or out of its field, raises
LocalProtocolError.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sipcore.errors import LocalProtocolError
from sipcore.sdp import Connection, Direction, Media, Origin, Session, media_of, session_of, value_of

__all__ = [
    "held",
    "with_attribute",
    "with_connection",
    "with_direction",
    "with_formats",
    "with_media_address",
    "with_origin",
    "with_origin_version",
]

_BEFORE_CONNECTION = frozenset(("v=", "o=", "s=", "i=", "u=", "e=", "p=", "m="))
"""The types of lines that come before ``c=`` (RFC 8866 5, 9)."""

_PER_FORMAT = ("a=rtpmap:", "a=fmtp:", "a=rtcp-fb:")
_DIRECTION_LINES = frozenset(f"a={direction.value}" for direction in Direction)


def with_origin(session: Session, origin: Origin) -> Session:
    """The session with another ``o=`` (RFC 8866 5.2)."""
    line = f"o={' '.join([_checked(origin.user, spaces=True), *[_checked(field) for field in origin[1:]]])}"
    lines = [line if old[:2] == "o=" else old for old in session.lines]
    return replace(session, lines=_settled(session, session.lines, lines), origin=origin)


def with_origin_version(session: Session, version: int) -> Session:
    """The session with this version in its ``o=``; it has to grow with each change (RFC 3264 8)."""
    if version < 0:
        raise LocalProtocolError("the version of a session is not negative")
    return with_origin(session, session.origin._replace(version=str(version)))


def with_connection(session: Session, connection: Connection) -> Session:
    """The session with this ``c=`` at session level, for the media sections that have none of their own."""
    lines = _settled(session, session.lines, _connected(session.lines, connection))
    return session_of(lines, [media.lines for media in session.media])


def held(session: Session) -> Session:
    """The session on hold as RFC 2543 had it: each ``c=`` with the address 0.0.0.0 or :: (RFC 3264 8.4).

    For peers that do not know directions. The version of ``o=`` is the caller's business.
    """
    lines, *sections = [
        _settled(session, old, [_held_line(line) if line[:2] == "c=" else line for line in old])
        for old in [session.lines, *[media.lines for media in session.media]]
    ]
    return session_of(lines, sections)


def with_attribute(session: Session, text: str) -> Session:
    """The session with ``a=text`` as the last line of its last section, or of the text without media."""
    line = f"a={_checked(text, spaces=True)}"
    if not session.media:
        return replace(session, lines=_settled(session, session.lines, _appended(session.lines, line)))
    return _with_section(session, -1, _appended(session.media[-1].lines, line))


def with_direction(session: Session, index: int, direction: Direction) -> Session:
    """The session with this direction said in its section ``index``, once, whatever was said before."""
    kept = [line for line in session.media[index].lines if line.rstrip(" \r\n") not in _DIRECTION_LINES]
    return _with_section(session, index, _appended(kept, f"a={direction.value}"))


def with_media_address(
    session: Session, index: int, connection: Connection, port: int, rtcp_port: int | None = None
) -> Session:
    """The session with section ``index`` at another address and port: those of a media relay.

    The section gets a ``c=`` of its own. Port 0 stays 0 (a refused section, RFC 3264 6), a count of ports
    goes. ``a=rtcp``, where there is one, becomes ``rtcp_port``, or else the port above, without an address:
    RTCP goes where the media go (RFC 3605 2.1).
    """
    if rtcp_port is None:
        rtcp_port = port + 1
    if not (0 < port <= 65535 and 0 < rtcp_port <= 65535):
        raise LocalProtocolError("a port is 1..65535")
    media = session.media[index]
    lines = [f"a=rtcp:{rtcp_port}" if line[:7] == "a=rtcp:" else line for line in media.lines]
    if media.port:
        lines[0] = _media_line(media, str(port), media.formats)
    return _with_section(session, index, _connected(lines, connection))


def with_formats(session: Session, index: int, formats: Sequence[str]) -> Session:
    """The session with these of its formats in section ``index``, in this order.

    The rtpmap, fmtp and rtcp-fb lines of formats that are gone go with them; lines about formats that were
    not there before stay as they are.
    """
    if not formats:
        raise LocalProtocolError("a media section has at least one format")
    media = session.media[index]
    gone = frozenset(media.formats).difference(formats)
    ports = str(media.port) if media.count == 1 else f"{media.port}/{media.count}"
    first = _media_line(media, ports, formats)
    return _with_section(
        session, index, [first, *[line for line in media.lines[1:] if not _is_about(line, gone)]]
    )


def _with_section(session: Session, index: int, lines: Sequence[str]) -> Session:
    """Only the section that changes is read again."""
    sections = list(session.media)
    settled = _settled(session, sections[index].lines, lines)
    sections[index] = media_of(settled, session.connection, session.direction)
    return replace(session, media=tuple(sections))


def _settled(session: Session, old: Sequence[str], lines: Sequence[str]) -> tuple[str, ...]:
    """The lines with the session's line end where one is missing, but the last one as it was in ``old``."""
    end = "\n" if session.lines[0][-2:-1] != "\r" and session.lines[0][-1:] == "\n" else "\r\n"
    settled = [line if line[-1:] == "\n" else line + end for line in lines]
    if old[-1][-1:] != "\n":
        settled[-1] = settled[-1].rstrip("\r\n")
    return tuple(settled)


def _appended(lines: Sequence[str], line: str) -> list[str]:
    """The line after the others, but before empty ones at the end."""
    at = len(lines)
    while at and not lines[at - 1].strip("\r\n"):
        at -= 1
    return [*lines[:at], line, *lines[at:]]


def _connected(lines: Sequence[str], connection: Connection) -> list[str]:
    """The lines with this ``c=`` in place of all there were, or at its place in the order (RFC 8866 9)."""
    line = f"c={' '.join([_checked(field) for field in connection])}"
    at = next((number for number, old in enumerate(lines) if old[:2] == "c="), None)
    if at is None:
        at = 1 + max(number for number, old in enumerate(lines) if old[:2] in _BEFORE_CONNECTION)
    return [*lines[:at], line, *[old for old in lines[at:] if old[:2] != "c="]]


def _held_line(line: str) -> str:
    return "c=IN IP6 ::" if "IP6" in value_of(line).upper().split(" ") else "c=IN IP4 0.0.0.0"


def _media_line(media: Media, ports: str, formats: Sequence[str]) -> str:
    return f"m={' '.join([media.kind, ports, media.transport, *map(_checked, formats)])}"


def _is_about(line: str, formats: Collection[str]) -> bool:
    """Whether this is an rtpmap, fmtp or rtcp-fb line of one of these formats."""
    mark = line.partition(":")[0] + ":"
    return mark in _PER_FORMAT and value_of(line, len(mark)).strip(" ").partition(" ")[0] in formats


def _checked(text: str, *, spaces: bool = False) -> str:
    if not text or any(mark in text for mark in ("\r", "\n", "\0")) or (" " in text and not spaces):
        raise LocalProtocolError("text that would break a line of the session description")
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise LocalProtocolError("text that is no octets") from error
    return text
