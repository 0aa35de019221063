"""SIP, SIPS and tel URIs (RFC 3261 19.1, RFC 3966)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from urllib.parse import quote as _percent_quote
from urllib.parse import unquote as _percent_unquote

from sipcore.errors import GrammarError, PeerProtocolError
from sipcore.grammar import Params, find_param, format_host_port, format_params, parse_host_port

_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/%#]+")
"""user, RFC 3261 25.1, and "#", which dial pads send unescaped."""

_PASSWORD = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,%]*")
_URI_PARAM = re.compile(r"[A-Za-z0-9\-_.!~*'()\[\]/:&+$%]+")
_URI_HEADER = re.compile(r"[A-Za-z0-9\-_.!~*'()\[\]/?:+$%]*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*")
_TEL_NUMBER = re.compile(r"[+0-9A-Fa-f*#\-.()]+")
_HEX_PAIR = re.compile(r"[0-9A-Fa-f][0-9A-Fa-f]")

_SAFE_IN_USER = "!*'()&=+$,;?/"
_VISUAL_SEPARATORS = str.maketrans("", "", "-.()")


class Uri(NamedTuple):
    """A sip or sips URI. Parts are as on the wire, escapes included; ``str()`` gives back the same URI."""

    scheme: str
    """"sip" or "sips"."""
    user: str
    """User part, still escaped; "" if there is none."""
    password: str | None
    host: str
    """Name or address; an IPv6 address stands without brackets."""
    port: int | None
    params: Params = ()
    headers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        password = "" if self.password is None else f":{self.password}"
        userinfo = f"{self.user}{password}@" if self.user else ""
        headers = "?" + "&".join([f"{name}={value}" for name, value in self.headers]) if self.headers else ""
        address = format_host_port(self.host, self.port)
        return f"{self.scheme}:{userinfo}{address}{format_params(self.params)}{headers}"

    def param(self, name: str) -> str | None:
        """Value of the URI parameter ``name`` (lower case); "" when it has none; None when it is absent."""
        return find_param(self.params, name)

    @property
    def transport(self) -> str | None:
        """The transport parameter in lower case, or None."""
        value = find_param(self.params, "transport")
        return value.lower() if value else None


class TelUri(NamedTuple):
    """A tel URI (RFC 3966)."""

    number: str
    """The number as on the wire, with its visual separators and, if global, its "+"."""
    params: Params = ()

    def __str__(self) -> str:
        return f"tel:{self.number}{format_params(self.params)}"

    @property
    def scheme(self) -> str:
        """ "tel"."""
        return "tel"

    @property
    def digits(self) -> str:
        """The number without visual separators."""
        return self.number.translate(_VISUAL_SEPARATORS)

    def param(self, name: str) -> str | None:
        """Value of the parameter ``name`` (lower case); "" when it has none; None when it is absent."""
        return find_param(self.params, name)


AnyUri: TypeAlias = Uri | TelUri


def parse_uri(text: str) -> AnyUri:
    """Parse a sip, sips or tel URI.

    Raises PeerProtocolError 416 when the scheme is another one, 400 when the URI is malformed.
    """
    return _remembered_uri(text) if len(text) <= _REMEMBERED_LENGTH else _parse_uri(text)


def _parse_uri(text: str) -> AnyUri:
    scheme, colon, rest = text.partition(":")
    lower = scheme.lower()
    if lower in ("sip", "sips"):
        return _parse_sip(lower, rest)
    if lower == "tel":
        return _parse_tel(rest)
    if colon and _SCHEME.fullmatch(scheme) is not None:
        raise PeerProtocolError(416, "Unsupported URI Scheme")
    raise GrammarError("not a URI")


def escape_user(text: str) -> str:
    """Text as the user part of a URI: what is not allowed there becomes %XX of its UTF-8 octets."""
    return _percent_quote(text, safe=_SAFE_IN_USER, errors="surrogateescape")


def unescape(text: str) -> str:
    """A user part with its %XX resolved; octets that are not UTF-8 become surrogate escapes."""
    return _percent_unquote(text, errors="surrogateescape") if "%" in text else text


def _parse_sip(scheme: str, rest: str) -> Uri:
    userinfo, at, tail = rest.rpartition("@")
    user, colon, password = userinfo.partition(":")
    if at:
        _check(_USER, user, "bad user in URI")
        _check(_PASSWORD, password, "bad password in URI")
    tail, question, header_text = tail.partition("?")
    address, semicolon, param_text = tail.partition(";")
    host, port = parse_host_port(address)
    if address[-1:] in " \t" or address[:1] in " \t":
        raise GrammarError("white space in URI")
    params = _uri_params(param_text) if semicolon else ()
    headers = _uri_headers(header_text) if question else ()
    return Uri(scheme, user, password if colon else None, host, port, params, headers)


def _parse_tel(rest: str) -> TelUri:
    number, semicolon, param_text = rest.partition(";")
    if _TEL_NUMBER.fullmatch(number) is None or "+" in number[1:]:
        raise GrammarError("bad telephone number")
    if not number.translate(_VISUAL_SEPARATORS).lstrip("+"):
        raise GrammarError("bad telephone number")
    return TelUri(number, _uri_params(param_text) if semicolon else ())


def _uri_params(text: str) -> Params:
    params: list[tuple[str, str | None]] = []
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        _check(_URI_PARAM, name, "bad parameter in URI")
        if equals:
            _check(_URI_PARAM, value, "bad parameter in URI")
        params.append((name, value if equals else None))
    if len(params) > 1 and len({name.lower() for name, _ in params}) != len(params):
        raise GrammarError("parameter given twice in URI")
    return tuple(params)


def _uri_headers(text: str) -> tuple[tuple[str, str], ...]:
    headers = []
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        if not name or not equals:
            raise GrammarError("bad header in URI")
        _check(_URI_HEADER, name, "bad header in URI")
        _check(_URI_HEADER, value, "bad header in URI")
        headers.append((name, value))
    return tuple(headers)


def _check(pattern: re.Pattern[str], text: str, why: str) -> None:
    if pattern.fullmatch(text) is None:
        raise GrammarError(why)
    if "%" in text and not all(_HEX_PAIR.match(part) for part in text.split("%")[1:]):
        raise GrammarError("bad escape in URI")


# See sipcore.headers: the URIs of a dialog come again in each of its messages.
_REMEMBERED_LENGTH = 200

_remembered_uri = lru_cache(4096)(_parse_uri)
