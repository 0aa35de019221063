"""One entry of the route language: where a call goes, and everything that is special about this way.

    route    = target *( ";" name "=" value )
    target   = [ [ number ] "@" ] hostport
    hostport = host [ ":" port ] | "[" ipv6 "]" [ ":" port ] | "sip-ua" | "wss-ua"

`host` alone calls the number that the caller dialled, `number@host` another one, `@host` none. Hosts are not
resolved here: the edge does that (RFC 3263). Of a parameter given twice the last counts, but every `ash` adds
a header field. Parameters that are not known are kept and have no effect.

| parameter | value | meaning |
| --- | --- | --- |
| `credit-time` | seconds | talk time from the answer; negative: no limit; 0: the route is skipped |
| `expires` | seconds | from the INVITE to the final response; negative: no limit; 0: the route is skipped |
| `np_expires` | seconds | to the first response but 100; 0, negative, or not below `expires`: no limit |
| `nr_expires` | seconds | to the first response; as `np_expires`, and not below that or 32 |
| `gt` | `T,S` | after T seconds the hunt goes on S routes further; T of 0 or less: never |
| `auth` | `user:password`, `nopass` | we answer challenges, or nobody does; without it the caller does |
| `cli`, `cnam` | text, URL-quoted text | number and display name of the caller; empty removes them |
| `ash` | URL-quoted `Name: value` | header field of every request of the leg but ACK and CANCEL |
| `op` | host[:port] | outbound proxy |
| `hs_scodes` | statuses with commas | failures that end the hunt |
| `rtpp` | 0 or another number | 0: media passes no relay |
| `forward_on_fail` | anything | a forwarding leg, not accounted |
| `bill-to`, `bill-cli`, `bill-cld` | text | user name, calling and called number in the accounting |
| `po_proc` | `Name[argument]` | routine before the INVITE, see `hooks` |
| `transport` | `udp`, `tcp` | instead of what RFC 3263 finds |
| `from_domain`, `to_domain` | host or template | host of From and To, see `domain_template` |
| `group`, `weight` | name, 1..65535 | entries that share the load, see `groups` |
| `redirect` | `follow`, `relay` | what a 300, 301 or 302 meets |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import unquote

from call_control.domain.routing.domain_template import DomainTemplate, parse_template
from call_control.domain.routing.hooks import RouteHook, parse_route_hook
from call_control.domain.routing.identity import has_controls, is_host
from sipcore.grammar import is_token
from sipcore.names import canonical_name

T = TypeVar("T")

#: Pseudo hosts: where the INVITE came from, and the WebSocket connection that its Request-URI names.
SIP_UA = "sip-ua"
WSS_UA = "wss-ua"

#: Names that have a meaning.
PARAMETERS = frozenset(
    {
        "ash",
        "auth",
        "bill-cld",
        "bill-cli",
        "bill-to",
        "cli",
        "cnam",
        "credit-time",
        "expires",
        "forward_on_fail",
        "from_domain",
        "group",
        "gt",
        "hs_scodes",
        "np_expires",
        "nr_expires",
        "op",
        "po_proc",
        "redirect",
        "rtpp",
        "to_domain",
        "transport",
        "weight",
    }
)

_TRANSPORTS = ("udp", "tcp")
_REDIRECTS = ("follow", "relay")
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")
_PORT = re.compile(r"[0-9]{1,5}")
#: An `nr_expires` from here on says nothing: without it the transaction gives up (RFC 3261 64*T1).
_NO_REPLY_LIMIT_MS = 32_000
_LARGEST_WEIGHT = 65_535
#: Header fields that are made here and may stand in a message once; a second one would break it.
_NOT_TO_ADD = frozenset(
    {
        "call-id",
        "contact",
        "content-encoding",
        "content-length",
        "content-type",
        "cseq",
        "expires",
        "from",
        "max-forwards",
        "min-se",
        "rack",
        "record-route",
        "route",
        "rseq",
        "session-expires",
        "to",
        "via",
    }
)


class RouteError(ValueError):
    """A route that cannot be used; the text says what is wrong with it, and never shows a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEntry:
    """One entry of a list of routes. None: not given. Durations are milliseconds."""

    host: str
    """Name, IPv4 address, IPv6 address in brackets, as written; or `SIP_UA`, `WSS_UA`."""
    port: int = 0
    """1..65535; 0 when not given: RFC 3263 decides."""
    transport: str = ""
    """"udp", "tcp"; empty when not given: RFC 3263 decides."""
    called: str | None = None
    """Number to call, without escapes; empty for none; None for the one that was dialled."""
    calling: str | None = None
    """Number of the caller, without escapes; empty for none."""
    name: str | None = None
    """Display name of the caller, without quotes; empty for none."""
    credit_ms: int | None = None
    """Talk time from the answer. Negative: no limit, whatever authorisation says; 0: skip the route."""
    expires_ms: int | None = None
    """From INVITE to final response. 0: skip the route."""
    no_progress_ms: int | None = None
    """From INVITE to the first response but 100."""
    no_reply_ms: int | None = None
    """From INVITE to the first response."""
    group_ms: int | None = None
    """After this time the hunt goes on `group_skip` routes further."""
    group_skip: int = 0
    """See `group_ms`."""
    username: str | None = None
    """We answer challenges with this name and `password`."""
    password: str | None = field(default=None, repr=False)
    """See `username`. A secret: never shown."""
    nopass: bool = False
    """Nobody answers challenges."""
    headers: tuple[tuple[str, str], ...] = ()
    """Names and values of header fields to add."""
    outbound_proxy: tuple[str, int] | None = None
    """Host, IPv6 in brackets, and port, 0 when not given."""
    hunt_stop: tuple[int, ...] = ()
    """Final statuses that end the hunt."""
    no_relay: bool = False
    """Media passes no relay."""
    forwarding: bool = False
    """A forwarding leg: not accounted."""
    bill_to: str | None = None
    """User name of the accounting."""
    bill_calling: str | None = None
    """Calling number of the accounting."""
    bill_called: str | None = None
    """Called number of the accounting."""
    hook: RouteHook | None = None
    """What `po_proc` adds to the accounting."""
    from_domain: DomainTemplate | None = None
    """Host of From instead of our own."""
    to_domain: DomainTemplate | None = None
    """Host of To instead of the route's."""
    group: str | None = None
    """Entries that follow each other and have the same group share the load."""
    weight: int | None = None
    """Share within the group, 1 when not given."""
    redirect: str | None = None
    """"follow" or "relay"."""
    others: tuple[tuple[str, str], ...] = ()
    """Parameters without effect, `rid` among them: name and value."""
    text: str = field(default="", compare=False, repr=False)
    """The entry as written, the value of `auth` masked."""

    def __str__(self) -> str:
        return self.text or self.hostport

    @property
    def hostport(self) -> str:
        """Return host and port as they stand in a Request-URI: 5060 is not written."""
        return f"{self.host}:{self.port}" if self.port not in (0, 5060) else self.host

    @property
    def uri(self) -> str:
        """Return the URI to resolve: a given port is kept, so that no SRV lookup happens."""
        port = f":{self.port}" if self.port else ""
        transport = f";transport={self.transport}" if self.transport else ""
        return f"sip:{self.host}{port}{transport}"


def read_routes(texts: Iterable[str]) -> tuple[RouteEntry | RouteError, ...]:
    """Read routes that come from elsewhere.

    A malformed one becomes its error, so that the others keep their numbers.
    """

    def read(text: str) -> RouteEntry | RouteError:
        try:
            return parse_route(text)
        except RouteError as error:
            return error

    return tuple(map(read, texts))


def parse_route_list(text: str) -> tuple[RouteEntry, ...]:
    """Read several routes from one text, as a setting has them.

    White space separates routes. So does a comma, but only before the first parameter of a route: behind it a
    comma belongs to the parameter (`gt=10,1`).

        192.0.2.1,192.0.2.2:5070
        192.0.2.1;gt=10,1;expires=30  192.0.2.2;hs_scodes=486,603

    Raises RouteError with a sentence for the operator that has the number of the route.
    """
    texts: list[str] = []
    for word in text.split():
        plain, semicolon, parameters = word.partition(";")
        targets = plain.split(",")
        last = targets.pop() + semicolon + parameters
        texts += [target for target in (*targets, last) if target]
    routes = []
    for number, one in enumerate(texts, 1):
        try:
            routes.append(parse_route(one))
        except RouteError as error:
            hint = " (white space separates routes that have parameters)" if "," in one else ""
            raise RouteError(f"route {number}: {error}{hint}") from error
    return tuple(routes)


def parse_route(text: str) -> RouteEntry:
    """Read one route. Raises RouteError with a sentence for the operator that names the parameter."""
    text = text.strip()
    if has_controls(text):
        raise RouteError("a route should have no control characters and be valid UTF-8")
    target, *parameters = text.split(";")
    called, host, port = _read_target(target)
    given, headers = _split_parameters(parameters)
    expires_ms, no_progress_ms, no_reply_ms = _limits(given)
    group_ms, group_skip = _optional(given, "gt", _group_timeout) or (None, 0)
    username, password = _optional(given, "auth", _credentials) or (None, None)
    entry = RouteEntry(
        host=host,
        port=port,
        transport=_optional(given, "transport", _one_of(_TRANSPORTS)) or "",
        called=called,
        calling=given.get("cli"),
        name=_optional(given, "cnam", _url_quoted),
        credit_ms=_optional(given, "credit-time", _milliseconds),
        expires_ms=expires_ms,
        no_progress_ms=no_progress_ms,
        no_reply_ms=no_reply_ms,
        group_ms=group_ms,
        group_skip=group_skip,
        username=username,
        password=password,
        nopass="auth" in given and username is None,
        headers=headers,
        outbound_proxy=_optional(given, "op", _host_port),
        hunt_stop=_optional(given, "hs_scodes", _statuses) or (),
        no_relay=_optional(given, "rtpp", _whole_number) == 0,
        forwarding="forward_on_fail" in given,
        bill_to=given.get("bill-to"),
        bill_calling=given.get("bill-cli"),
        bill_called=given.get("bill-cld"),
        hook=_optional(given, "po_proc", parse_route_hook),
        from_domain=_optional(given, "from_domain", parse_template),
        to_domain=_optional(given, "to_domain", parse_template),
        group=_optional(given, "group", _group_name),
        weight=_optional(given, "weight", _weight),
        redirect=_optional(given, "redirect", _one_of(_REDIRECTS)),
        others=tuple((name, value) for name, value in given.items() if name not in PARAMETERS),
        text=";".join([target, *map(_masked, parameters)]),
    )
    _refuse_contradictions(entry)
    return entry


def _refuse_contradictions(entry: RouteEntry) -> None:
    if entry.weight is not None and entry.group is None:
        raise RouteError("weight has no meaning without group=NAME")
    if entry.host == SIP_UA and entry.port:
        raise RouteError("sip-ua is the address that the call came from and should have no port")


def _limits(given: Mapping[str, str]) -> tuple[int | None, int | None, int | None]:
    """Return `expires`, `np_expires` and `nr_expires`; one that cannot fire before the next is left out."""
    expires = _optional(given, "expires", _milliseconds)
    if expires is not None and expires < 0:
        expires = None
    no_progress = _limit(given, "np_expires", expires)
    no_reply = _limit(given, "nr_expires", expires, no_progress, _NO_REPLY_LIMIT_MS)
    return expires, no_progress, no_reply


def _limit(given: Mapping[str, str], name: str, *later: int | None) -> int | None:
    limit = _optional(given, name, _milliseconds)
    if limit is None or limit <= 0 or any(other is not None and limit >= other for other in later):
        return None
    return limit


# -- target and parameters as written ------------------------------------------------------------


def _read_target(target: str) -> tuple[str | None, str, int]:
    number, at, hostport = target.rpartition("@")
    try:
        host, port = _host_port(hostport.strip())
    except ValueError as error:
        raise RouteError(f"a route should begin with [[NUMBER]@]HOST[:PORT], its host {error}") from error
    return number.strip() if at else None, host, port


def _host_port(text: str) -> tuple[str, int]:
    """Read `host[:port]`, IPv6 in brackets; port 0 when not given."""
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        host += bracket
    elif text.count(":") > 1:
        raise ValueError(f"should be HOST:PORT, or [ADDRESS] for IPv6, not {_quoted(text)}")
    else:
        host, colon, rest = text.partition(":")
        rest = colon + rest
    if not is_host(host):
        kind = "an IPv6 address in brackets" if host.startswith("[") else "a name or an address"
        raise ValueError(f"should be {kind}, not {_quoted(host)}")
    if not rest:
        return host, 0
    digits = rest[1:]
    if rest[0] != ":" or not _PORT.fullmatch(digits) or not 1 <= int(digits) <= 65_535:
        raise ValueError(f"should have a port 1..65535 behind it, not {_quoted(digits or rest)}")
    return host, int(digits)


def _split_parameters(parameters: list[str]) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Return the parameters by name, the last of each, and all header fields to add.

    A word without "=" is not shown: it may be the rest of a password that holds a semicolon.
    """
    given: dict[str, str] = {}
    headers = []
    for position, parameter in enumerate(parameters, 1):
        name, equals, value = parameter.partition("=")
        name = name.strip().lower()
        if not name or not equals:
            what = (
                "is missing behind the last ';'" if not parameter.strip() else "should look like NAME=VALUE"
            )
            raise RouteError(f"parameter {position} {what}")
        if name == "ash":
            headers.append(_read("ash", value, _header))
        given[name] = value
    return given, tuple(headers)


def _masked(parameter: str) -> str:
    name = parameter.partition("=")[0]
    return f"{name}=***" if name.strip().lower() == "auth" else parameter


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}...")


# -- values --------------------------------------------------------------------------------------
# Each reads the value of a parameter, or raises ValueError with what should stand there.


def _optional(given: Mapping[str, str], name: str, read: Callable[[str], T]) -> T | None:
    text = given.get(name)
    return None if text is None else _read(name, text, read)


def _read(name: str, text: str, read: Callable[[str], T]) -> T:
    try:
        return read(text)
    except ValueError as error:
        raise RouteError(f"{name} {error}") from error


def _whole_number(text: str) -> int:
    text = text.strip()
    if not _WHOLE_NUMBER.fullmatch(text):
        raise ValueError(f"should be a whole number of at most nine digits, not {_quoted(text)}")
    return int(text)


def _milliseconds(text: str) -> int:
    return _whole_number(text) * 1_000


def _one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        word = text.strip().lower()
        if word not in words:
            raise ValueError(f"should be {' or '.join(words)}, not {_quoted(text)}")
        return word

    return read


def _url_quoted(text: str) -> str:
    try:
        plain = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(f"should be URL-quoted UTF-8, not {_quoted(text)}") from None
    if has_controls(plain):
        raise ValueError("should hold no line ends and no other control characters")
    return plain


def _header(text: str) -> tuple[str, str]:
    name, colon, value = _url_quoted(text).partition(":")
    name = name.strip()
    if not colon or not is_token(name):
        raise ValueError(f"should be a URL-quoted 'Name: value', not {_quoted(text)}")
    if canonical_name(name) in _NOT_TO_ADD:
        raise ValueError(f"cannot add {name}: that header field is made here")
    return name, value.strip()


def _credentials(text: str) -> tuple[str | None, str | None]:
    if text == "nopass":
        return None, None
    username, colon, password = text.partition(":")
    if not colon or not username:
        raise ValueError("should be USER:PASSWORD or nopass")
    return username, password


def _group_timeout(text: str) -> tuple[int | None, int]:
    seconds, comma, skip = text.partition(",")
    try:
        timeout, routes = _milliseconds(seconds), _whole_number(skip)
    except ValueError:
        timeout = routes = -1
    if not comma or routes < 0:
        raise ValueError(f"should be SECONDS,ROUTES, two whole numbers, not {_quoted(text)}")
    return (timeout, routes) if timeout > 0 else (None, 0)


def _statuses(text: str) -> tuple[int, ...]:
    statuses = tuple(_whole_number(word) for word in text.split(",") if word.strip())
    if not all(300 <= status <= 699 for status in statuses):
        raise ValueError(f"should be statuses 300..699 with commas between, not {_quoted(text)}")
    return statuses


def _group_name(text: str) -> str:
    name = text.strip()
    if not is_token(name):
        raise ValueError(f"should be a word of letters, digits and -_. signs, not {_quoted(text)}")
    return name


def _weight(text: str) -> int:
    weight = _whole_number(text)
    if not 1 <= weight <= _LARGEST_WEIGHT:
        raise ValueError(f"should be 1..{_LARGEST_WEIGHT}, not {_quoted(text)}")
    return weight
