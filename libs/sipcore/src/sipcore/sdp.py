"""Session descriptions (SDP, RFC 4566 and its successor RFC 8866) as values that keep what they do not know.

A description is its lines, as they came: order, repetitions, unknown types, line ends and octets that are not
UTF-8 survive. What a B2BUA acts on is read once, while parsing; after that nothing raises. Changes are in
:mod:`sipcore.sdp_changes`.

Text is ``str`` as in messages: octets that are not UTF-8 are surrogate escapes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from itertools import pairwise
from typing import NamedTuple

from sipcore.errors import GrammarError, PeerProtocolError
from sipcore.grammar import parse_number
from sipcore.headers import Reason

__all__ = [
    "DEFAULT_LIMITS",
    "ICE_ATTRIBUTES",
    "Attribute",
    "Connection",
    "Description",
    "Direction",
    "Hold",
    "Media",
    "NotAcceptable",
    "Origin",
    "Rtcp",
    "SdpLimits",
    "Session",
    "answer_direction",
    "hold_of",
    "media_of",
    "parse_session",
    "session_of",
]

ICE_ATTRIBUTES = frozenset(
    (
        "candidate",
        "end-of-candidates",
        "ice-lite",
        "ice-mismatch",
        "ice-options",
        "ice-pacing",
        "ice-pwd",
        "ice-ufrag",
        "remote-candidates",
    )
)
"""Attributes of ICE (RFC 8839 5, RFC 8840 8.2)."""

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_MAX_PORT = 65535
_DISCARD = 9


class NotAcceptable(PeerProtocolError):
    """A session description that cannot be accepted: to be answered with 488.

    ``why`` is the text for the Reason header; it never quotes the peer.
    """

    def __init__(self, why: str) -> None:
        super().__init__(488, "Not Acceptable Here")
        self.why = why

    @property
    def header(self) -> Reason:
        """The Reason header of the answer, and of the BYE when an answer cannot be refused (RFC 3326)."""
        return Reason("SIP", 488, self.why)


class SdpLimits(NamedTuple):
    """What one session description may cost; its octets are bounded by the message."""

    max_lines: int = 2000
    max_sections: int = 128


DEFAULT_LIMITS = SdpLimits()


class Direction(Enum):
    """Who sends media, seen from the author of the description (RFC 8866 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """Whether the author sends."""
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        """Whether the author wants to receive."""
        return self in (Direction.SENDRECV, Direction.RECVONLY)


class Hold(Enum):
    """How the author of a media section puts the other side on hold."""

    NONE = "none"
    ADDRESS = "address"
    """The address 0.0.0.0 or ::, as RFC 2543 had it (RFC 3264 8.4); it goes before the direction."""
    SENDONLY = "sendonly"
    """The author sends (music, say) and does not listen."""
    INACTIVE = "inactive"


class Origin(NamedTuple):
    """The fields of ``o=`` (RFC 8866 5.2). Numbers stay text: they may have more digits than any machine."""

    user: str
    session_id: str
    version: str
    net_type: str
    addr_type: str
    address: str

    def __str__(self) -> str:
        return " ".join(self)


class Connection(NamedTuple):
    """The fields of ``c=`` (RFC 8866 5.7)."""

    net_type: str
    addr_type: str
    """"IP4", "IP6", or whatever the peer wrote."""
    address: str
    """Address or name, with the TTL and count of a multicast address if it has them."""

    def __str__(self) -> str:
        return " ".join(self)

    @property
    def host(self) -> str:
        """The address or name alone."""
        return self.address.partition("/")[0]

    @property
    def is_ipv6(self) -> bool:
        """Whether the address type is IP6."""
        return self.addr_type.upper() == "IP6"

    @property
    def is_unspecified(self) -> bool:
        """Whether this is 0.0.0.0 or ::, in any spelling."""
        host = self.host
        try:
            if ":" not in host:
                return IPv4Address(host).is_unspecified
            address = IPv6Address(host)
        except AddressValueError:
            return False
        return address.is_unspecified or (
            address.ipv4_mapped is not None and address.ipv4_mapped == _ANY_IPV4
        )


_ANY_IPV4 = IPv4Address(0)


class Rtcp(NamedTuple):
    """The attribute ``a=rtcp`` (RFC 3605 2.1)."""

    port: int
    connection: Connection | None
    """None when RTCP goes to the address of the media."""


class Attribute(NamedTuple):
    """One ``a=`` line."""

    name: str
    value: str | None
    """None when there is no colon."""


@dataclass(frozen=True, slots=True)
class Description:
    """What the session level and the media sections have in common: lines, with their line ends."""

    lines: tuple[str, ...]

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes of this level, in order."""
        return tuple([_attribute(line) for line in self.lines if line[:2] == "a="])

    def attribute(self, name: str) -> str | None:
        """The value of the first attribute ``name``; "" when it has none; None when it is absent."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute.value or ""
        return None

    def per_format(self, name: str) -> tuple[tuple[str, str], ...]:
        """Format and text of each attribute ``name`` that begins with a format: rtpmap, fmtp, rtcp-fb."""
        mark = f"a={name}:"
        size = len(mark)
        pairs = [
            value_of(line, size).strip(" ").partition(" ") for line in self.lines if line.startswith(mark)
        ]
        return tuple([(pt, text.strip(" ")) for pt, _, text in pairs])

    @property
    def setup(self) -> str | None:
        """The role in the connection, at this level: active, passive, actpass, holdconn (RFC 4145 4)."""
        return self.attribute("setup")

    @property
    def ice(self) -> tuple[Attribute, ...]:
        """The attributes of ICE at this level."""
        return tuple([attribute for attribute in self.attributes if attribute.name in ICE_ATTRIBUTES])


@dataclass(frozen=True, slots=True)
class Media(Description):
    """A media section: ``m=`` and the lines up to the next one (RFC 8866 5.14)."""

    kind: str
    """"audio", "video", "image", ..."""
    port: int
    """0 when the section is refused or switched off (RFC 3264 6, 8.2)."""
    count: int
    """How many ports: 2 in ``m=audio 4000/2``, else 1."""
    transport: str
    """"RTP/AVP", "udptl", ... as the peer wrote it."""
    formats: tuple[str, ...]
    """Payload types of RTP; names in other transports."""
    connection: Connection | None
    """The first ``c=`` of the section, else the one of the session; None only when the port is 0."""
    direction: Direction
    """The direction of the section, else of the session, else sendrecv."""

    @property
    def rtcp(self) -> Rtcp | None:
        """Where RTCP goes, if that is said, and said in the form of RFC 3605."""
        value = self.attribute("rtcp")
        return None if value is None else _rtcp(value)

    @property
    def rtpmap(self) -> tuple[tuple[str, str], ...]:
        """Payload type and ``name/rate[/channels]`` of each a=rtpmap (RFC 8866 6.6)."""
        return self.per_format("rtpmap")

    @property
    def fmtp(self) -> tuple[tuple[str, str], ...]:
        """Format and parameters of each a=fmtp (RFC 8866 6.15)."""
        return self.per_format("fmtp")

    @property
    def rtcp_fb(self) -> tuple[tuple[str, str], ...]:
        """Payload type, or "*", and the feedback of each a=rtcp-fb (RFC 4585 4.2)."""
        return self.per_format("rtcp-fb")


@dataclass(frozen=True, slots=True)
class Session(Description):
    """A session description. ``lines`` are those before the first ``m=``."""

    origin: Origin
    connection: Connection | None
    """The ``c=`` of the session level."""
    direction: Direction
    """The direction of sections that say none."""
    media: tuple[Media, ...]

    def to_bytes(self) -> bytes:
        """The description as on the wire: what was parsed, octet for octet, where nothing was changed."""
        levels: list[Description] = [self, *self.media]
        return "".join([line for level in levels for line in level.lines]).encode("utf-8", "surrogateescape")


def parse_session(body: bytes, limits: SdpLimits = DEFAULT_LIMITS) -> Session:
    """Read a session description.

    Lines end with CRLF or LF, the last one may lack its end; empty lines are kept and mean nothing. Raises
    NotAcceptable when a mandatory line is missing, when a line that is read here is malformed, and when
    limits are exceeded. Other lines are not looked into.
    """
    if body.count(b"\n") >= limits.max_lines:
        raise NotAcceptable("Session description has too many lines")
    if b"\x00" in body or body.count(b"\r") != body.count(b"\r\n"):
        raise NotAcceptable("Session description has a NUL or a stray CR")
    lines = _LINE.findall(body.decode("utf-8", "surrogateescape"))
    for line in lines:
        if line[1:2] != "=" and line not in ("\r\n", "\n"):
            raise NotAcceptable("Session description has a line without type")
    starts = [number for number, line in enumerate(lines) if line[:2] == "m="]
    if len(starts) > limits.max_sections:
        raise NotAcceptable("Session description has too many media sections")
    bounds = [*starts, len(lines)]
    sections = [lines[start:end] for start, end in pairwise(bounds)]
    return session_of(lines[: bounds[0]], sections)


def session_of(lines: Sequence[str], sections: Sequence[Sequence[str]]) -> Session:
    """The session with these lines at its own level, and these in its media sections.

    Raises NotAcceptable as :func:`parse_session`.
    """
    for kind in "vos":
        _check_once(lines, kind)
    if not any(line[:2] == "t=" for line in lines):
        raise NotAcceptable('Mandatory "t=" session header is missing')
    origin = _origin(next(line for line in lines if line[:2] == "o="))
    connection = _first_connection(lines)
    direction = _direction(lines) or Direction.SENDRECV
    media = tuple([media_of(section, connection, direction) for section in sections])
    return Session(tuple(lines), origin, connection, direction, media)


def media_of(lines: Sequence[str], connection: Connection | None, direction: Direction) -> Media:
    """The media section of these lines in a session of this connection and direction.

    Raises NotAcceptable as :func:`parse_session`.
    """
    fields = _words(lines[0])
    if len(fields) < 3:
        raise NotAcceptable('Bad "m=" media header')
    kind, ports, transport, *formats = fields
    port_text, slash, count_text = ports.partition("/")
    try:
        port = parse_number(port_text, _MAX_PORT)
        count = parse_number(count_text, _MAX_PORT) if slash else 1
    except GrammarError as error:
        raise NotAcceptable(f'Bad "m=" media header: {error.why} in its port') from error
    if count == 0 or (port and not formats):
        raise NotAcceptable('Bad "m=" media header: ' + ("no format" if count else "no port"))
    own = _first_connection(lines) or connection
    if own is None and port:
        raise NotAcceptable('Mandatory "c=" media header is missing')
    return Media(
        tuple(lines), kind, port, count, transport, tuple(formats), own, _direction(lines) or direction
    )


def hold_of(media: Media) -> Hold:
    """Whether and how the author of this section holds the other side (RFC 3264 8.4, RFC 6337 5.3 and 5.4).

    A section that is switched off (port 0) holds nobody. Nor does the address 0.0.0.0 with port 9: so writes
    who finds the address by ICE later on (RFC 9429 5.2.1).
    """
    if media.port == 0:
        return Hold.NONE
    if media.port != _DISCARD and media.connection is not None and media.connection.is_unspecified:
        return Hold.ADDRESS
    return _HOLDS.get(media.direction, Hold.NONE)


_HOLDS = {Direction.SENDONLY: Hold.SENDONLY, Direction.INACTIVE: Hold.INACTIVE}


def answer_direction(offered: Direction, wanted: Direction = Direction.SENDRECV) -> Direction:
    """The direction to answer with: as much of ``wanted`` as the offer allows (RFC 3264 6.1).

    The answerer sends only if the offerer receives, and the other way round: sendonly is answered recvonly.
    """
    return _DIRECTIONS[offered.receives and wanted.sends, offered.sends and wanted.receives]


_DIRECTIONS = {(direction.sends, direction.receives): direction for direction in Direction}
_BY_LINE = {f"a={direction.value}": direction for direction in Direction}


def value_of(line: str, start: int = 2) -> str:
    """The line from ``start`` on, without its line end."""
    return line[start:].rstrip("\r\n")


def _words(line: str) -> list[str]:
    """The fields of a line; peers put more than one space between them, or one at the end."""
    return [word for word in value_of(line).split(" ") if word]


def _check_once(lines: Sequence[str], kind: str) -> None:
    found = sum(line[0] == kind and line[1:2] == "=" for line in lines)
    if found == 0:
        raise NotAcceptable(f'Mandatory "{kind}=" session header is missing')
    if found > 1:
        raise NotAcceptable(f'Session header "{kind}=" is there twice')


def _origin(line: str) -> Origin:
    """A user name with spaces is against the RFC, but some devices have their product's name there."""
    words = _words(line)
    if len(words) < 6:
        raise NotAcceptable('Bad "o=" session header')
    return Origin(" ".join(words[:-5]), *words[-5:])


def _first_connection(lines: Sequence[str]) -> Connection | None:
    """Every ``c=`` is checked, the first counts: more of them are layers of a multicast session."""
    first = None
    for line in lines:
        if line[:2] == "c=":
            words = _words(line)
            if len(words) != 3:
                raise NotAcceptable('Bad "c=" header')
            first = first or Connection(*words)
    return first


def _direction(lines: Sequence[str]) -> Direction | None:
    for line in lines:
        if line[:2] == "a=" and (found := _BY_LINE.get(line.rstrip(" \r\n"))) is not None:
            return found
    return None


def _attribute(line: str) -> Attribute:
    name, colon, value = value_of(line).partition(":")
    return Attribute(name, value if colon else None)


def _rtcp(value: str) -> Rtcp | None:
    port, *words = [word for word in value.split(" ") if word] or [""]
    try:
        number = parse_number(port, _MAX_PORT)
    except GrammarError:
        return None
    if words and len(words) != 3:
        return None
    return Rtcp(number, Connection(*words) if words else None)
