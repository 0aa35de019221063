"""Values of the header fields that a B2BUA acts on, and their grammar (RFC 3261 20 and 25.1).

All values are immutable tuples; ``str()`` prints them in wire form. Parsers raise PeerProtocolError 400.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from sipcore.errors import GrammarError
from sipcore.grammar import (
    TOKEN,
    WSP,
    Params,
    angle_end,
    find_param,
    format_host_port,
    format_params,
    is_token,
    parse_host,
    parse_host_port,
    parse_number,
    parse_params,
    quote,
    quoted_end,
    split_commas,
    unquote,
)

MAX_CSEQ = 2**31 - 1
"""RFC 3261 8.1.1.5."""
MAX_DELTA_SECONDS = 2**32 - 1
"""RFC 3261 20.19."""
MAX_CONTENT_LENGTH = 2**31 - 1
MAX_FORWARDS = 255
"""RFC 3261 20.22."""

_CALL_ID = re.compile(r"[!-~]+")
"""callid is word ["@" word] (RFC 3261 25.1); every other visible character is let through as well, it is
opaque.
"""

_DISPLAY_WORDS = re.compile(r'[^",;<>\\:\x00-\x08\x0a-\x1f\x7f]*')
"""display-name without quotes: tokens and LWS; other letters are common and mean no harm."""

_URI_TEXT = re.compile(r"[^\x00-\x20<>\x7f]+")
"""What a URI of any scheme may hold after its colon; its own grammar is looked at when it is used."""

_USUAL_TAGGED = re.compile(
    r"""(?:"[^"\\]*"[ \t]*|[^",;<>\\:\x00-\x08\x0a-\x1f\x7f]*)<sips?:[^\x00-\x20<>\x7f]+>"""
    r"(?:;tag=([A-Za-z0-9\-.!%*_+`'~]+))?"
)
"""From and To as nearly everybody writes them; a subset of what the parser takes."""

_USUAL_CSEQ = re.compile(r"([0-9]{1,9}) ([A-Z]+)")

_OWN_SCHEMES = ("sip", "sips", "tel")
_TRANSPORTS = {
    f"SIP/2.0/{transport}": transport for transport in ("UDP", "TCP", "TLS", "SCTP", "WS", "WSS", "TLS-SCTP")
}
_ANY_BRANCH = ("branch", "0")
"""Stands for the branch in a Via that is remembered."""
_DEFAULT_PORTS = {"TLS": 5061, "WSS": 443, "WS": 80}


class Via(NamedTuple):
    """One element of Via (RFC 3261 20.42)."""

    transport: str
    """Upper case: "UDP", "TCP", ..."""
    host: str
    """sent-by host; an IPv6 address stands without brackets."""
    port: int | None
    params: Params = ()
    version: str = "2.0"
    """Any other is readable, so that its sender can be told, but refused by validation."""

    def __str__(self) -> str:
        sent_by = format_host_port(self.host, self.port)
        return f"SIP/{self.version}/{self.transport} {sent_by}{format_params(self.params)}"

    def param(self, name: str) -> str | None:
        """Value of parameter ``name`` (lower case); "" when it has none; None when it is absent."""
        return find_param(self.params, name)

    @property
    def branch(self) -> str:
        """The branch parameter; "" if there is none."""
        return find_param(self.params, "branch") or ""

    @property
    def sent_by(self) -> str:
        """Host and port as the peer wrote them; part of the transaction key (RFC 3261 17.2.3)."""
        return format_host_port(self.host, self.port)

    @property
    def received(self) -> str | None:
        """The received parameter, without brackets, or None."""
        value = find_param(self.params, "received")
        return value.strip("[]") if value else None

    @property
    def wants_rport(self) -> bool:
        """Whether the rport parameter is there, with or without a value (RFC 3581 3)."""
        return find_param(self.params, "rport") is not None

    @property
    def rport(self) -> int | None:
        """The value of rport, or None."""
        value = find_param(self.params, "rport")
        return int(value) if value else None

    @property
    def maddr(self) -> str | None:
        """The maddr parameter, or None."""
        return find_param(self.params, "maddr") or None

    @property
    def ttl(self) -> int | None:
        """The ttl parameter, or None."""
        value = find_param(self.params, "ttl")
        return int(value) if value else None

    def with_source(self, ip: str, port: int) -> Via:
        """This Via as a server stores it for a request that came from ``ip`` and ``port``.

        RFC 3581 4: when rport was asked for, it gets the source port and received is always set. RFC 3261
        18.2.1: otherwise received is set only if sent-by is not the source address. Values the peer put there
        are replaced.
        """
        wants_rport = False
        params: list[tuple[str, str | None]] = []
        for name, value in self.params:
            lower = name.lower()
            if lower == "rport":
                wants_rport = True
                params.append((name, str(port)))
            elif lower != "received":
                params.append((name, value))
        if wants_rport or self.host != ip:
            params.append(("received", ip))
        return Via(self.transport, self.host, self.port, tuple(params), self.version)

    def reply_address(self) -> tuple[str, int]:
        """Where an unreliable transport sends the response (RFC 3261 18.2.2, RFC 3581 4), maddr aside.

        To be asked of a Via that went through :meth:`with_source`.
        """
        return self.received or self.host, self.reply_port

    @property
    def reply_port(self) -> int:
        """The port of :meth:`reply_address`."""
        return self.rport or self.port or _DEFAULT_PORTS.get(self.transport, 5060)


class ViaForm:
    """One element of Via without its branch: what a peer writes alike into each of its requests.

    Equal only to itself; forms of usual shape are shared, so what depends on them can be remembered.
    """

    __slots__ = ("sent_by", "shared", "version", "via")

    def __init__(self, via: Via, *, shared: bool) -> None:
        self.via: Final = via
        """If it is shared with the branch "0", otherwise with its own."""
        self.sent_by: Final = via.sent_by
        self.version: Final = via.version
        self.shared: Final = shared
        """Whether equal texts give this form, whatever their branch."""

    def with_branch(self, branch: str) -> Via:
        """The element that was read as this form and ``branch``."""
        if not self.shared:
            return self.via
        transport, host, port, others, version = self.via
        params = tuple([("branch", branch) if param == _ANY_BRANCH else param for param in others])
        return Via(transport, host, port, params, version)


class NameAddr(NamedTuple):
    """A name-addr or addr-spec with header parameters: From, To, Contact, Route, Refer-To, ..."""

    display: str
    """Display name, unquoted; "" if there is none."""
    uri: str
    """The URI as on the wire; "*" for the Contact of that form."""
    params: Params = ()

    def __str__(self) -> str:
        if self.uri == "*":
            return "*"
        display = f"{quote(self.display)} " if self.display else ""
        return f"{display}<{self.uri}>{format_params(self.params)}"

    def param(self, name: str) -> str | None:
        """Value of parameter ``name`` (lower case), unquoted; "" when it has none; None when it is absent."""
        return find_param(self.params, name)

    @property
    def tag(self) -> str:
        """The tag parameter; "" if there is none."""
        return find_param(self.params, "tag") or ""


class CSeq(NamedTuple):
    """CSeq (RFC 3261 20.16)."""

    number: int
    method: str

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


class Parameterized(NamedTuple):
    """A value with parameters: Content-Type, Content-Disposition, Session-Expires, Event, ..."""

    value: str
    params: Params = ()

    def __str__(self) -> str:
        return f"{self.value}{format_params(self.params)}"

    def param(self, name: str) -> str | None:
        """Value of parameter ``name`` (lower case), unquoted; "" when it has none; None when it is absent."""
        return find_param(self.params, name)


class Reason(NamedTuple):
    """One element of Reason (RFC 3326)."""

    protocol: str
    """"Q.850", "SIP", ..., as the peer wrote it."""
    cause: int | None
    text: str
    """Unquoted; "" if there is none."""

    def __str__(self) -> str:
        cause = "" if self.cause is None else f";cause={self.cause}"
        text = f";text={quote(self.text)}" if self.text else ""
        return f"{self.protocol}{cause}{text}"


def parse_via(text: str) -> Via:
    """One element of Via; ``SIP / 2.0 / UDP`` with white space is the same as without."""
    form, branch = read_via(text)
    return form.with_branch(branch)


def parse_first_via(text: str) -> Via:
    """The first element of a Via field."""
    form, branch = read_first_via(text)
    return form.with_branch(branch)


def read_via(text: str) -> tuple[ViaForm, str]:
    """One element of Via as its form and its branch, "" if there is none."""
    before, mark, rest = text.partition(";branch=")
    branch, semicolon, after = rest.partition(";")
    if not mark or len(text) > _REMEMBERED_LENGTH or '"' in text or TOKEN.fullmatch(branch) is None:
        via = _parse_via(text)
        return ViaForm(via, shared=False), via.branch
    return _remembered_form(f"{before};branch=0{semicolon}{after}"), branch


def read_first_via(text: str) -> tuple[ViaForm, str]:
    """The first element of a Via field as its form and its branch."""
    return read_via(split_commas(text)[0] if "," in text else text)


def _parse_via(text: str) -> Via:
    protocol, semicolon, param_text = text.partition(";")
    name, _, sent_by = protocol.partition(" ")
    transport = _TRANSPORTS.get(name)
    version = "2.0"
    if transport is None:
        version, transport, sent_by = _odd_protocol(protocol)
    host, port = parse_host_port(sent_by.strip(WSP))
    if not semicolon:
        return Via(transport, host, port, (), version)
    params = parse_params(param_text)
    for name, value in params:
        check = _VIA_CHECKS.get(name) or _VIA_CHECKS.get(name.lower())
        if check is not None:
            check(value)
    return Via(transport, host, port, params, version)


def parse_name_addr(text: str) -> NameAddr:
    """One name-addr or addr-spec with its header parameters.

    Without angle brackets everything after the first semicolon is header parameters, and a URI that holds a
    comma or a question mark is refused (RFC 3261 20).
    """
    return _remembered_name_addr(text) if len(text) <= _REMEMBERED_LENGTH else _parse_name_addr(text)


def parse_tag(text: str) -> str:
    """The tag of a From or To; "" if there is none. All of the value is checked, as in parse_name_addr."""
    return _remembered_tag(text) if len(text) <= _REMEMBERED_LENGTH else _parse_name_addr(text).tag


def _parse_tag(text: str) -> str:
    usual = _USUAL_TAGGED.fullmatch(text)
    return _parse_name_addr(text).tag if usual is None else usual[1] or ""


def _parse_name_addr(text: str) -> NameAddr:
    first = text[:1]
    if first == '"':
        at = quoted_end(text, 0)
        display = unquote(text[:at])
        gap = text[at:].lstrip(WSP)
        if gap[:1] != "<":
            raise GrammarError("no URI")
        at = len(text) - len(gap)
    elif first == "<":
        display, at = "", 0
    else:
        at = text.find("<")
        if at < 0:
            return _bare_address(text)
        display = text[:at].strip(WSP)
        if _DISPLAY_WORDS.fullmatch(display) is None:
            raise GrammarError("bad display name")
    end = angle_end(text, at)
    uri = text[at + 1 : end - 1].strip(WSP)
    _check_uri_outline(uri)
    return NameAddr(display, uri, _params_after(text, end))


def parse_cseq(text: str) -> CSeq:
    """``56 INVITE``; the number is 0..2**31-1."""
    return _remembered_cseq(text) if len(text) <= _REMEMBERED_LENGTH else _parse_cseq(text)


def _parse_cseq(text: str) -> CSeq:
    usual = _USUAL_CSEQ.fullmatch(text)
    if usual is not None:
        return CSeq(int(usual[1]), usual[2])
    number, _, method = text.partition(" ")
    if not number.isdigit() or method[:1] in WSP:
        number, _, method = text.replace("\t", " ").partition(" ")
        method = method.strip(WSP)
    if not is_token(method):
        raise GrammarError("bad method")
    return CSeq(parse_number(number, MAX_CSEQ), method)


def parse_call_id(text: str) -> str:
    """A Call-ID: any visible characters."""
    if _CALL_ID.fullmatch(text) is None:
        raise GrammarError("bad character" if text else "empty")
    return text


def parse_token(text: str) -> str:
    """One element of a list of tokens (Require, Supported, Allow, ...)."""
    if not is_token(text):
        raise GrammarError("not a token")
    return text


def parse_parameterized(text: str) -> Parameterized:
    """``value;name=value;...`` with a value that is not empty."""
    value, semicolon, param_text = text.partition(";")
    value = value.strip(WSP)
    if not value:
        raise GrammarError("empty")
    return Parameterized(value, parse_params(param_text) if semicolon else ())


def parse_reason(text: str) -> Reason:
    """One element of Reason: protocol, cause and text; other parameters are left out."""
    protocol, params = parse_parameterized(text)
    if not is_token(protocol):
        raise GrammarError("bad protocol")
    cause = find_param(params, "cause")
    return Reason(
        protocol, None if cause is None else parse_number(cause, 999), find_param(params, "text") or ""
    )


def parse_delta_seconds(text: str) -> int:
    """Seconds, 0..2**32-1 (Expires, Min-SE, ...)."""
    return parse_number(text, MAX_DELTA_SECONDS)


def parse_retry_after(text: str) -> int:
    """The seconds of Retry-After (RFC 3261 20.33); its comment and parameters are not looked at."""
    return parse_delta_seconds(text.partition(";")[0].partition("(")[0].strip(WSP))


def parse_content_length(text: str) -> int:
    """Octets of the body; what is beyond any body that we would read is refused as out of range."""
    return parse_number(text, MAX_CONTENT_LENGTH)


def parse_max_forwards(text: str) -> int:
    """Hops left, 0..255."""
    return parse_number(text, MAX_FORWARDS)


def _odd_protocol(text: str) -> tuple[str, str, str]:
    """Version, transport and sent-by of a sent-protocol that is not spelled as usual."""
    name, _, rest = text.partition("/")
    version, slash, rest = rest.partition("/")
    if not slash or name.strip(WSP).upper() != "SIP":
        raise GrammarError("bad protocol")
    version = version.strip(WSP)
    transport, _, sent_by = rest.replace("\t", " ").strip(WSP).partition(" ")
    if not is_token(version) or not is_token(transport):
        raise GrammarError("bad protocol")
    return version, transport.upper(), sent_by


def _check_branch(value: str | None) -> None:
    if not value:
        raise GrammarError("empty branch")


def _check_rport(value: str | None) -> None:
    if value is not None and parse_number(value, 65535) == 0:
        raise GrammarError("bad port")


def _check_ttl(value: str | None) -> None:
    parse_number(value or "", 255)


def _check_address(value: str | None) -> None:
    bare_ipv6 = value and value.count(":") > 1 and value[0] != "["
    parse_host(f"[{value}]" if bare_ipv6 else value or "")


_VIA_CHECKS = {
    "branch": _check_branch,
    "rport": _check_rport,
    "ttl": _check_ttl,
    "received": _check_address,
    "maddr": _check_address,
}
"""Parameters of Via that we act on (RFC 3261 20.42, RFC 3581), and what their values must be."""


def _bare_address(text: str) -> NameAddr:
    uri, _, _ = text.partition(";")
    if "?" in uri or "," in uri:
        raise GrammarError("URI needs angle brackets")
    params = _params_after(text, len(uri))
    uri = uri.strip(WSP)
    if uri != "*":
        _check_uri_outline(uri)
    return NameAddr("", uri, params)


def _check_uri_outline(uri: str) -> None:
    scheme, colon, rest = uri.partition(":")
    if (
        not colon
        or _URI_TEXT.fullmatch(rest) is None
        or (scheme not in _OWN_SCHEMES and not is_token(scheme))
    ):
        raise GrammarError("bad URI")


def _params_after(text: str, end: int) -> Params:
    if end == len(text):
        return ()
    rest = text[end:].lstrip(WSP)
    if rest[:1] != ";":
        raise GrammarError("text after the URI")
    return parse_params(rest[1:])


# The values of a dialog come again in each of its messages: the same From seven times in a call. What
# is remembered is bounded in number and in length, so that a peer cannot make it large.
_REMEMBERED_LENGTH = 200
_REMEMBERED = 4096

_remembered_form = lru_cache(_REMEMBERED)(lambda text: ViaForm(_parse_via(text), shared=True))
_remembered_name_addr = lru_cache(_REMEMBERED)(_parse_name_addr)
_remembered_tag = lru_cache(_REMEMBERED)(_parse_tag)
_remembered_cseq = lru_cache(_REMEMBERED)(_parse_cseq)
