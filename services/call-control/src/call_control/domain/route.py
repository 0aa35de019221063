"""A fixed next hop as operators write it: `host`, `host:port`, `[v6]:port`, with `;transport=`."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address

#: Characters of a host name (RFC 3261 25.1) and of names met in the field.
_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")
_TRANSPORTS = ("udp", "tcp")


class RouteError(ValueError):
    """A route that cannot be used; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEntry:
    """Where a call is sent."""

    host: str
    """Name, IPv4 address, or IPv6 address in brackets, as written."""
    port: int = 0
    """1..65535; 0 when not given: RFC 3263 decides."""
    transport: str = ""
    """"udp", "tcp"; empty when not given: RFC 3263 decides."""

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


def parse_route(text: str) -> RouteEntry:
    """Read `host[:port][;transport=udp|tcp]`; an IPv6 host stands in brackets.

    Raises RouteError with a sentence for the operator.
    """
    target, _, parameters = text.strip().partition(";")
    transport = _read_transport(parameters, text)
    if target.startswith("["):
        host, bracket, rest = target.partition("]")
        host += bracket
        try:
            IPv6Address(host[1:-1])
        except (AddressValueError, ValueError) as error:
            raise RouteError(f"{text!r}: {host} is not an IPv6 address in brackets") from error
    else:
        host, colon, rest = target.partition(":")
        rest = colon + rest
        if not host or not _HOST_CHARACTERS.issuperset(host):
            raise RouteError(f"{text!r}: expected HOST[:PORT], [IPV6][:PORT]")
    return RouteEntry(host=host, port=_read_port(rest, text), transport=transport)


def _read_port(text: str, whole: str) -> int:
    if not text:
        return 0
    digits = text[1:]
    if text[0] != ":" or not (digits.isascii() and digits.isdigit() and len(digits) <= 5):
        raise RouteError(f"{whole!r}: expected a port 1..65535 after the host")
    port = int(digits)
    if not 1 <= port <= 65535:
        raise RouteError(f"{whole!r}: port {port} is not in 1..65535")
    return port


def _read_transport(parameters: str, whole: str) -> str:
    if not parameters:
        return ""
    name, _, value = parameters.partition("=")
    if name.strip().lower() != "transport" or value.strip().lower() not in _TRANSPORTS:
        raise RouteError(f"{whole!r}: only ;transport=udp or ;transport=tcp may follow the host")
    return value.strip().lower()
