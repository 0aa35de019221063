"""Takes out of a message what lets its reader act in somebody's name, or listen to the call."""

from __future__ import annotations

import re

from sipcore.auth import mask_credentials

MASK = b"***"

# RFC 3261 20.7, 20.28, with folded lines (7.3.1). Whatever spelling and spacing a parser might accept: empty
# lines between folds too, which end the head for us but perhaps not for whoever wrote them.
_CREDENTIALS = re.compile(
    rb"(?im)^((?:proxy-)?authorization[ \t]*:[ \t]*)((?:[^\r\n]|\r(?!\n)|(?:\r?\n)+[ \t])*)",
)
_FOLD = re.compile(rb"(?:\r?\n)+[ \t]+")
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
    value = _FOLD.sub(b" ", field.group(2)).decode("latin-1")
    return field.group(1) + mask_credentials(value).encode("latin-1")
