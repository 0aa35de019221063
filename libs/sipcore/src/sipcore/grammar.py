"""The pieces of RFC 3261 25.1 that header fields and URIs share.

Every function here is linear in the length of its text: the patterns are single character classes, and the
scanners never look at a character twice. White space means SP and HTAB only; ``str.strip()`` without an
argument would also take away what Unicode calls space and break the promise that values survive byte for
byte.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import TypeAlias

from sipcore.errors import GrammarError

WSP = " \t"

Params: TypeAlias = tuple[tuple[str, str | None], ...]
"""Parameters in order: name as on the wire, raw value (quotes included) or None for a bare name."""

TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
"""token, RFC 3261 25.1."""

_PARAM_VALUE = re.compile(r"[!#-+\-./0-:=?-\[\]-~]+")
"""Unquoted parameter value: token / host, and the other visible characters that separate nothing here.

Wider than RFC 3261 on purpose: base64 with "=" and addresses without brackets are common and harmless.
"""

_HOST_NAME = re.compile(r"[A-Za-z0-9\-._]+")
"""hostname and IPv4address; the underscore is not in the RFC, but it is in many zones."""

_QUOTE_OR_ESCAPE = re.compile(r'["\\]')
_COMMA_SCAN = re.compile(r'[",<]')
_SEMICOLON_SCAN = re.compile(r'[";]')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MUST_ESCAPE = re.compile(r'["\\\x00]')

_USUAL_PARAMS = frozenset(("branch", "rport", "received", "tag", "expires"))
"""Names that are known to be tokens."""

_USUAL_METHODS = frozenset(("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "PRACK"))
"""The tokens that are asked about most."""

_MEMO_LENGTH = 64
"""Longer hosts are parsed anew each time, so that the memo stays small whatever peers send."""


def is_token(text: str) -> bool:
    """Whether ``text`` is a token (RFC 3261 25.1): method, option tag, name of a parameter or field."""
    return text in _USUAL_METHODS or TOKEN.fullmatch(text) is not None


def parse_number(text: str, limit: int) -> int:
    """A run of ASCII digits as a number of at most ``limit``; leading zeros are allowed."""
    if not (text.isdigit() and text.isascii()):
        raise GrammarError("not a number")
    if len(text) > 10:
        text = text.lstrip("0") or "0"
        if len(text) > 10:
            raise GrammarError("number out of range")
    number = int(text)
    if number > limit:
        raise GrammarError("number out of range")
    return number


def parse_port(text: str) -> int | None:
    """The text after the colon of a host: 1..65535, or None when nothing follows the colon.

    A port written twice (``5060:5060``) is taken for the one port it means.
    """
    if not text:
        return None
    first, colon, second = text.partition(":")
    if colon and first == second:
        text = first
    try:
        port = parse_number(text, 65535)
    except GrammarError as error:
        raise GrammarError("bad port") from error
    if port == 0:
        raise GrammarError("bad port")
    return port


def parse_host(text: str) -> str:
    """A host without its port: a name, an IPv4 address, or an IPv6 reference, which loses its brackets."""
    if text[:1] == "[":
        if text[-1:] != "]":
            raise GrammarError("bad IPv6 reference")
        return _checked_ipv6(text[1:-1])
    if _HOST_NAME.fullmatch(text) is None:
        raise GrammarError("bad host" if text else "no host")
    if text[-1].isdigit() and text.rpartition(".")[2].isdigit():
        _check_ipv4(text)
    return text


def parse_host_port(text: str) -> tuple[str, int | None]:
    """``host [":" port]`` (RFC 3261 25.1) with optional white space around the colon."""
    if len(text) <= _MEMO_LENGTH:
        return _remembered_host_port(text)
    return _host_port(text)


def format_host(host: str) -> str:
    """A host as it stands in a URI or a Via: an IPv6 address gets its brackets."""
    return f"[{host}]" if ":" in host else host


def format_host_port(host: str, port: int | None) -> str:
    """``host[:port]`` for URIs and Via; the one place that prints a host."""
    if ":" in host:
        host = f"[{host}]"
    return host if port is None else f"{host}:{port}"


def quoted_end(text: str, start: int) -> int:
    """The index after the quoted string that opens at ``start``."""
    at = start + 1
    end = text.find('"', at)
    if end > 0 and text.find("\\", at, end) < 0:
        return end + 1
    while (found := _QUOTE_OR_ESCAPE.search(text, at)) is not None:
        if found.group() == '"':
            return found.end()
        at = found.end() + 1
    raise GrammarError("unterminated quoted string")


def quote(text: str) -> str:
    """``text`` as a quoted string (RFC 3261 25.1)."""
    return f'"{_MUST_ESCAPE.sub(_escape, text)}"'


def unquote(text: str) -> str:
    """The content of a quoted string, escapes resolved; any other text as it is."""
    if text[:1] != '"':
        return text
    inner = text[1:-1]
    return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner


def split_commas(text: str) -> list[str]:
    """The elements of a comma-separated list, without white space; commas in quotes or <> do not count."""
    if "," not in text:
        return [text]
    elements = []
    start = at = 0
    while (found := _COMMA_SCAN.search(text, at)) is not None:
        mark = found.group()
        if mark == ",":
            elements.append(text[start : found.start()].strip(WSP))
            start = at = found.end()
        elif mark == '"':
            at = quoted_end(text, found.start())
        else:
            at = angle_end(text, found.start())
    elements.append(text[start:].strip(WSP))
    return elements


def angle_end(text: str, start: int) -> int:
    """The index after the ``<...>`` that opens at ``start``."""
    end = text.find(">", start)
    if end < 0:
        raise GrammarError("unterminated <")
    return end + 1


def parse_params(text: str) -> Params:
    """``name[=value];...``: what follows the first semicolon (generic-param, RFC 3261 25.1).

    Empty parameters, names given twice and values that are neither quoted strings nor visible text are
    refused.
    """
    parts = text.split(";") if '"' not in text else _split_semicolons(text)
    params = tuple([_param(part) for part in parts])
    if len(params) > 1 and len({name.lower() for name, _ in params}) != len(params):
        raise GrammarError("parameter given twice")
    return params


def format_params(params: Params) -> str:
    """Parameters with a semicolon before each."""
    return "".join([f";{name}" if value is None else f";{name}={value}" for name, value in params])


def find_param(params: Params, name: str) -> str | None:
    """The value of parameter ``name`` (lower case), unquoted; "" when it has none; None when it is absent."""
    for key, value in params:
        if key == name or key.lower() == name:
            if value is None:
                return ""
            return unquote(value) if value[:1] == '"' else value
    return None


def _param(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if name not in _USUAL_PARAMS:
        name = name.strip(WSP)
        if TOKEN.fullmatch(name) is None:
            raise GrammarError("bad parameter name" if name else "empty parameter")
    if not equals:
        return name, None
    if _PARAM_VALUE.fullmatch(value) is not None:
        return name, value
    value = value.strip(WSP)
    if _PARAM_VALUE.fullmatch(value) is not None:
        return name, value
    if value[:1] == '"' and quoted_end(value, 0) == len(value):
        return name, value
    raise GrammarError("bad parameter value")


def _split_semicolons(text: str) -> list[str]:
    parts = []
    start = at = 0
    while (found := _SEMICOLON_SCAN.search(text, at)) is not None:
        if found.group() == ";":
            parts.append(text[start : found.start()])
            start = at = found.end()
        else:
            at = quoted_end(text, found.start())
    parts.append(text[start:])
    return parts


def _host_port(text: str) -> tuple[str, int | None]:
    if text[:1] == "[":
        reference, bracket, rest = text.partition("]")
        rest = rest.strip(WSP)
        if rest and rest[0] != ":":
            raise GrammarError("bad IPv6 reference")
        return parse_host(reference + bracket), parse_port(rest[1:].strip(WSP))
    host, _, port = text.partition(":")
    return parse_host(host.strip(WSP)), parse_port(port.strip(WSP))


_remembered_host_port = lru_cache(maxsize=4096)(_host_port)


def _checked_ipv6(text: str) -> str:
    try:
        if IPv6Address(text).scope_id is not None:
            raise GrammarError("bad IPv6 reference")
    except AddressValueError as error:
        raise GrammarError("bad IPv6 reference") from error
    return text


def _check_ipv4(text: str) -> None:
    octets = text.split(".")
    if len(octets) != 4:
        raise GrammarError("bad IPv4 address")
    for octet in octets:
        if not octet.isdigit() or len(octet) > 3 or int(octet) > 255:
            raise GrammarError("bad IPv4 address")


def _escape(found: re.Match[str]) -> str:
    return "\\" + found.group()
