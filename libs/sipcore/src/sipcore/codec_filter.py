"""The codec filter: which payload types may cross, by number or by name (the option ``allowed_pts``)."""

from __future__ import annotations

import re
from typing import NamedTuple

from sipcore.sdp import Media, NotAcceptable, parse_session
from sipcore.sdp_changes import with_formats

__all__ = ["PROHIBITED", "RTP_TRANSPORTS", "AllowedCodecs", "filter_codecs", "parse_allowed_pts"]

PROHIBITED = "offered media prohibited by the policy"
"""The text in the Reason header of the refusal."""

RTP_TRANSPORTS = frozenset(
    ("RTP/AVP", "RTP/SAVP", "RTP/AVPF", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF")
)
"""Transports whose formats are RTP payload types (RFC 3551, 3711, 4585, 5124, 5764), in upper case."""

_MAX_PAYLOAD_TYPE = 127
_NUMBER = re.compile(r"[0-9]{1,3}")
_CODEC = re.compile(r"[^\s\[\],/;]+/[0-9]{1,10}(?:/[0-9]{1,5})?")


class AllowedCodecs(NamedTuple):
    """What may cross."""

    payload_types: frozenset[str]
    """Payload types, as they stand in ``m=``."""
    codecs: frozenset[str]
    """``name/rate[/channels]``, as it has to stand in a=rtpmap."""


def parse_allowed_pts(text: str) -> AllowedCodecs:
    """Read the option: payload types and ``[name/rate[/channels]]``, separated by commas.

    ``0,8,[telephone-event/8000]``. Raises ValueError that says which entry is wrong.
    """
    payload_types = set()
    codecs = set()
    for entry in text.split(","):
        entry = entry.strip(" ")
        if _NUMBER.fullmatch(entry) is not None and int(entry) <= _MAX_PAYLOAD_TYPE:
            payload_types.add(str(int(entry)))
        elif entry[:1] == "[" and entry[-1:] == "]" and _CODEC.fullmatch(entry[1:-1]) is not None:
            codecs.add(entry[1:-1])
        else:
            raise ValueError(
                f"{entry[:40]!r} is neither a payload type (0 to {_MAX_PAYLOAD_TYPE})"
                " nor a codec in brackets, such as [telephone-event/8000]"
            )
    return AllowedCodecs(frozenset(payload_types), frozenset(codecs))


def filter_codecs(body: bytes, allowed: AllowedCodecs) -> bytes:
    """The session description without the payload types that are not allowed; ``body`` itself if all are.

    The order of the others stays. The rtpmap, fmtp and rtcp-fb lines of a payload type go with it. Sections
    that are refused already (port 0) and those of other transports than RTP are left alone. A codec by name
    is allowed where an a=rtpmap of the section has exactly that text: names of static payload types without
    a=rtpmap are not guessed.

    Raises NotAcceptable when a section would be left without a format, and when the description is malformed.
    """
    session = parse_session(body)
    changed = session
    for index, media in enumerate(session.media):
        if media.port and media.transport.upper() in RTP_TRANSPORTS:
            kept = _kept(media, allowed)
            if not kept:
                raise NotAcceptable(PROHIBITED)
            if len(kept) < len(media.formats):
                changed = with_formats(changed, index, kept)
    return body if changed is session else changed.to_bytes()


def _kept(media: Media, allowed: AllowedCodecs) -> list[str]:
    by_name = {pt for pt, codec in media.rtpmap if codec in allowed.codecs} if allowed.codecs else frozenset()
    return [pt for pt in media.formats if pt in allowed.payload_types or pt in by_name]
