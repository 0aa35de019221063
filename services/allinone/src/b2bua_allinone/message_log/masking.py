"""Takes out of a message what lets its reader act in somebody's name, or listen to the call."""

from __future__ import annotations

import re

MASK = b"***"

# RFC 3261 20.7, 20.28, with folded lines (7.3.1). Whatever spelling and spacing a parser might accept.
_CREDENTIALS = re.compile(
    rb"(?im)^((?:proxy-)?authorization[ \t]*:[ \t]*)((?:[^\r\n]|\r(?!\n)|\r?\n[ \t])*)",
)
_DIGEST = re.compile(rb"(?i)digest(?=[ \t\r\n])")
# What an attacker needs to find the password, or to answer in its owner's name; quoted or not.
_PARAMETER = re.compile(
    rb'(?is)\b(response|nonce|cnonce|opaque)([ \t\r\n]*=[ \t\r\n]*)("(?:[^"\\]|\\.)*"?|[^,\s]*)'
)
# RFC 4568 9.1, RFC 4567 3, RFC 8839 5.4, RFC 4566 5.12: keys of media and of their transport.
_MEDIA_KEY = re.compile(rb"(?im)^(a=(?:crypto|key-mgmt|ice-pwd):|k=)[^\r\n]*")
# Nothing that commands a terminal or ends a C string; line ends and tabs stay.
_CONTROL = bytes(code if code >= 32 or code in (9, 10, 13) else 0x3F for code in range(256)).replace(
    b"\x7f", b"?"
)


def mask(message: bytes) -> bytes:
    """Return the message as it may be shown. Linear in its length; never raises."""
    masked = _CREDENTIALS.sub(_mask_credentials, message)
    return _MEDIA_KEY.sub(rb"\1" + MASK, masked).translate(_CONTROL)


def _mask_credentials(field: re.Match[bytes]) -> bytes:
    value = field.group(2)
    if _DIGEST.match(value) is None:
        return field.group(1) + MASK
    return field.group(1) + _PARAMETER.sub(rb'\1\2"' + MASK + b'"', value)
