"""Numbers, display names and hosts of the parties: as people mean them, and as they stand in a URI.

A number is text without escapes; a user part is what stands before the "@" of a URI (RFC 3261 25.1). Whatever
a peer, a route or a translation brings in, what these functions return holds no control character.
"""

from __future__ import annotations

import re

from call_control.domain import party
from sipcore.errors import GrammarError
from sipcore.grammar import format_host, parse_host, quote, unquote
from sipcore.uri import escape_user, unescape

#: A user part that needs no escape, and is its own number: RFC 3261 25.1 without what begins a parameter.
_PLAIN_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,?/]*")
#: A display name that needs no quotes: tokens with single spaces between.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+(?: [A-Za-z0-9\-.!%*_+`'~]+)*")
#: C0 and C1 controls and the line ends of Unicode vanish; what UTF-8 cannot carry is replaced.
_PRINTABLE: dict[int, str | None] = {
    **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}


def printable(text: str) -> str:
    """Return the text without control characters; octets that are no UTF-8 become U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_PRINTABLE)


def has_controls(text: str) -> bool:
    """Say whether the text holds what `printable` would take away or replace."""
    return printable(text) != text


def number_of(uri: str) -> str:
    """Return the number in a SIP or tel URI: user part without parameters and password, escapes resolved."""
    user = party.user_of(uri)
    return user if _PLAIN_USER.fullmatch(user) else printable(unescape(user))


def user_part(number: str) -> str:
    """Return a number as the user part of a URI.

    What does not belong there is escaped, the ";" too: it would begin a parameter. Control characters are
    left out.
    """
    if _PLAIN_USER.fullmatch(number):
        return number
    return escape_user(printable(number)).replace(";", "%3B")


def name_of(value: str) -> str:
    """Return the display name in a From or To value, without quotes and escapes; empty if there is none."""
    return shown_name(party.display_of(value))


def shown_name(display: str) -> str:
    """Return a display name, as it stands in a value, without quotes and escapes."""
    return printable(unquote(display)) if display else ""


def display(name: str) -> str:
    """Return a display name as it stands before "<": in quotes where it needs them; empty for none."""
    name = printable(name)
    return name if not name or _PLAIN_NAME.fullmatch(name) else quote(name)


def host_of(uri: str) -> str:
    """Return the host of a SIP URI, IPv6 in brackets; empty if it has none (tel) or a malformed one."""
    scheme, _, rest = uri.partition(":")
    if scheme.lower() not in ("sip", "sips"):
        return ""
    address = rest.rpartition("@")[2].partition(";")[0].partition("?")[0]
    reference, bracket, _ = address.partition("]")
    host = reference + bracket if address.startswith("[") else address.partition(":")[0]
    return host if is_host(host) else ""


def is_host(text: str) -> bool:
    """Say whether the text can be the host of a URI: a name, an IPv4 address, an IPv6 one in brackets."""
    try:
        return format_host(parse_host(text)) == text
    except GrammarError:
        return False
