"""Kinds of option values: how a text is read, what it should have been, and how it is written back.

The same reading serves the command line and the INI file. What goes wrong is told by `without_passwords`: a
route may be given to the wrong option.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from b2bua_allinone.control.address import parse_control_address
from call_control.domain.routing.entry import parse_route_list
from call_control.domain.routing.hooks import parse_call_hook
from call_control.domain.routing.pass_headers import parse_pass_headers
from call_control.domain.routing.translation import parse_translation
from sipcore.codec_filter import parse_allowed_pts
from svckit.listen import parse_host_port

ANYWHERE = ("*", "0.0.0.0", "::", "[::]")
"""Ways to say "every IPv4 and IPv6 interface"."""

WSS_ENTRY, PROXY_ENTRY = "[[WSS]]", "[[PROXY]]"
"""In a list of addresses: calls that came over a WebSocket, and calls from the helper proxy."""

_TRUE = ("1", "yes", "true", "on")
_FALSE = ("0", "no", "false", "off")
_DIGITS = re.compile(r"-?[0-9]{1,9}")
_SECURE_WEBSOCKET = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^:\[\]]+):[0-9]{1,5}:[^:]+:[^:]+")
_PASSWORD = re.compile(r"(?i)(auth\s*=\s*)[^;\s]*")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value. `read` raises ValueError with what is wrong, or without text."""

    symbol: str
    """How the list of options names the value."""
    expected: str
    """What a value should be: "should be ..."."""
    read: Callable[[str], object]
    write: Callable[[object], str] = str


def _read_boolean(text: str) -> bool:
    word = text.lower()
    if word not in _TRUE + _FALSE:
        raise ValueError
    return word in _TRUE


def _read_integer(text: str) -> int:
    if _DIGITS.fullmatch(text) is None:
        raise ValueError
    return int(text)


def _within(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = _read_integer(text)
        if not lowest <= number <= highest:
            raise ValueError
        return number

    return read


def _read_text(text: str) -> str:
    if not text:
        raise ValueError
    return text


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(",") if (word := part.strip()))


def _read_codecs(text: str) -> tuple[str, ...]:
    parse_allowed_pts(text)
    return _words(text)


def _read_networks(text: str) -> tuple[str, ...]:
    words = _words(text)
    for word in words:
        if word not in (WSS_ENTRY, PROXY_ENTRY):
            ip_network(word)
    return words


def _write_words(value: object) -> str:
    assert isinstance(value, tuple)
    return ",".join(value)


def _read_address(text: str) -> str:
    """An address to listen on, IPv6 in brackets; empty for all of them."""
    if text in ANYWHERE:
        return ""
    bracketed = text.startswith("[") and text.endswith("]")
    try:
        address = ip_address(text[1:-1] if bracketed else text)
    except ValueError:
        raise ValueError from None
    if bracketed != (address.version == 6):
        raise ValueError
    return text


def _read_hostport(text: str) -> str:
    return str(parse_host_port(text, default_port=5060))


def _read_headers(text: str) -> tuple[str, ...]:
    parse_pass_headers(text)
    return _words(text)


def _read_translation(text: str) -> str:
    parse_translation(text)
    return text


def _read_routine(text: str) -> str:
    parse_call_hook(text)
    return text


def _read_secure_websocket(text: str) -> str:
    if _SECURE_WEBSOCKET.fullmatch(text) is None:
        raise ValueError
    return text


def _read_control_socket(text: str) -> str:
    parse_control_address(text)
    return text


def without_passwords(text: str) -> str:
    """A text that may be shown: what follows `auth=` is gone."""
    return _PASSWORD.sub(r"\1***", text)


def _read_routes(text: str) -> tuple[str, ...]:
    """Routes as they were given, for `parse_route_list`: white space separates them."""
    if not parse_route_list(text):
        raise ValueError
    return tuple(text.split())


def _write_routes(value: object) -> str:
    assert isinstance(value, tuple)
    return " ".join(value)


BOOLEAN = Kind("on|off", "on or off (also yes, no, true, false, 1, 0)", _read_boolean)
SECONDS = Kind("SECONDS", "a number of seconds, 0 or more", _within(0, 999_999_999))
SECONDS_OR_OFF = Kind("SECONDS", "a number of seconds, 0 or less for off", _read_integer)
POSITIVE_SECONDS = Kind("SECONDS", "a number of seconds above 0", _within(1, 999_999_999))
COUNT = Kind("N", "a number of 1 or more", _within(1, 100_000))
INTEGER = Kind("N", "a whole number", _read_integer)
PORT = Kind("PORT", "a port from 1 to 65535", _within(1, 65535))
TEXT = Kind("TEXT", "a text", _read_text)
FILE = Kind("FILE", "the name of a file", _read_text)
NETWORKS = Kind("LIST", "IP addresses or networks separated by commas", _read_networks, _write_words)
LIST = Kind("LIST", "words separated by commas", _words, _write_words)
ADDRESS = Kind(
    "ADDRESS", "an IP address, IPv6 in brackets, or * for all", _read_address, lambda value: str(value or "*")
)
HOST_PORT = Kind("HOST[:PORT]", "host, host:port or [IPv6]:port", _read_hostport)
HEADERS = Kind("LIST", "header names, X-* or *, separated by commas", _read_headers, _write_words)
CODECS = Kind(
    "LIST", "payload types from 0 to 127 and [name/rate], separated by commas", _read_codecs, _write_words
)
ROUTES = Kind("ROUTE", "a route such as 192.0.2.10:5060;expires=30", _read_routes, _write_routes)
TRANSLATION = Kind("RULES", "s/regex/replacement/ or s/regex/replacement/g, joined by ;", _read_translation)
ROUTINE = Kind("NAME[ARG]", "HDR2Xattrs[header] or Nop[]", _read_routine)
CONTROL_SOCKET = Kind("SOCKET", "a path, unix:path or tcp:host[:port]", _read_control_socket)
SECURE_WEBSOCKET = Kind("HOST:PORT:CERT:KEY", "host:port:certificate:key", _read_secure_websocket)
