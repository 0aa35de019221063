"""Where a service listens, and how peers are told to reach it: three addresses, not one.

One text names all listeners, separated by commas:

    udp:0.0.0.0:5060;advertise=192.0.2.1;for=10.0.0.0/8+fd00::/8,tcp:[::1]:5060

`advertise` is the address for Via (it must reach this edge or its successor), `contact` the address for
Contact (it must reach any edge), `nat=yes` that peers may be behind a NAT (`nat=no`: they are not), `for` the
peer networks to which all that applies. A listener may be named several times, each time for other peer
networks; the most specific network wins, an entry without `for` serves everybody else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

IPNetwork = IPv4Network | IPv6Network
IPAddress = IPv4Address | IPv6Address

TRANSPORTS = ("udp", "tcp")
"""Transports that a listener can have."""

_PORTS = range(65536)


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host and a port.

    `host` is a name or an address, IPv6 without brackets. Port 0: the one the listener has got.
    """

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ListenSpec:
    """One entry of the list of listeners.

    `host` is an address without brackets; port 0 asks for any free port.
    """

    transport: str
    host: str
    port: int
    advertise: HostPort | None = None
    contact: HostPort | None = None
    networks: tuple[IPNetwork, ...] = ()
    nat: bool | None = None

    @property
    def socket(self) -> tuple[str, str, int]:
        """What is bound: transport, host, port. Entries with the same socket share one listener."""
        return self.transport, self.host, self.port

    def __str__(self) -> str:
        parts = [f"{self.transport}:{HostPort(self.host, self.port)}"]
        if self.advertise is not None:
            parts.append(f"advertise={self.advertise}")
        if self.contact is not None:
            parts.append(f"contact={self.contact}")
        if self.networks:
            parts.append("for=" + "+".join(map(str, self.networks)))
        if self.nat is not None:
            parts.append(f"nat={'yes' if self.nat else 'no'}")
        return ";".join(parts)


def parse_host_port(text: str, *, default_port: int | None = None) -> HostPort:
    """Read `host:port`, `[v6]:port`, or, when there is a `default_port`, also `host` and `[v6]`.

    Raises ValueError with one sentence.
    """
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} should look like [address]:port")
        _require_ipv6(host, text)
        separator, port = rest[:1], rest[1:]
    else:
        host, separator, port = text.partition(":")
        if ":" in port:
            raise ValueError(f"{text!r} has an IPv6 address, which needs brackets: [address]:port")
        _require_host(host, text)
    if not separator:
        if default_port is None:
            raise ValueError(f"{text!r} should look like host:port")
        return HostPort(host, default_port)
    return HostPort(host, _port(port, text))


def parse_listeners(text: str) -> tuple[ListenSpec, ...]:
    """Read the whole list. Raises ValueError with one sentence that quotes the entry at fault."""
    specs = tuple(_parse_entry(entry.strip()) for entry in text.split(",") if entry.strip())
    if not specs:
        raise ValueError("names no listener, expected for example udp:0.0.0.0:5060,tcp:0.0.0.0:5060")
    _refuse_conflicts(specs)
    return specs


def by_socket(specs: Iterable[ListenSpec]) -> dict[tuple[str, str, int], tuple[ListenSpec, ...]]:
    """The entries of each listener, in the order of the list: bind per key, choose the entry per peer."""
    listeners: dict[tuple[str, str, int], tuple[ListenSpec, ...]] = {}
    for spec in specs:
        listeners[spec.socket] = (*listeners.get(spec.socket, ()), spec)
    return listeners


def spec_for(specs: Iterable[ListenSpec], peer: str) -> ListenSpec | None:
    """The entry of one listener that applies to the address of a peer; None if none does.

    The longest prefix wins; an entry without networks is the last resort. An IPv4-mapped IPv6 address counts
    as IPv4.
    """
    address = _unmapped(ip_address(peer.partition("%")[0]))
    best: ListenSpec | None = None
    best_length = -2
    for spec in specs:
        length = _match_length(spec, address)
        if length is not None and length > best_length:
            best, best_length = spec, length
    return best


def _match_length(spec: ListenSpec, address: IPAddress) -> int | None:
    if not spec.networks:
        return -1
    lengths = [n.prefixlen for n in spec.networks if n.version == address.version and address in n]
    return max(lengths, default=None)


def _unmapped(address: IPAddress) -> IPAddress:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _parse_entry(entry: str) -> ListenSpec:
    listener, *options = entry.split(";")
    transport, colon, address = listener.partition(":")
    transport = transport.strip().lower()
    if not colon or transport not in TRANSPORTS:
        raise ValueError(f"{entry!r} should begin with {' or '.join(f'{t}:' for t in TRANSPORTS)}")
    bound = parse_host_port(address.strip())
    _require_address(bound.host, entry)
    found: dict[str, str] = {}
    for option in options:
        name, _, value = option.partition("=")
        name, value = name.strip(), value.strip()
        if name not in _OPTIONS:
            raise ValueError(f"{entry!r} has an option {name!r}, expected advertise=, contact=, for= or nat=")
        if name in found or not value:
            raise ValueError(f"{entry!r} should give {name}= once, with a value")
        found[name] = value
    advertise, contact = found.get("advertise"), found.get("contact")
    return ListenSpec(
        transport=transport,
        host=bound.host,
        port=bound.port,
        advertise=None if advertise is None else parse_host_port(advertise, default_port=bound.port),
        contact=None if contact is None else parse_host_port(contact, default_port=bound.port),
        networks=tuple(_network(part, entry) for part in found["for"].split("+")) if "for" in found else (),
        nat=_yes_or_no(found["nat"], entry) if "nat" in found else None,
    )


_OPTIONS = frozenset({"advertise", "contact", "for", "nat"})


def _yes_or_no(text: str, entry: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(f"{entry!r} should have nat=yes or nat=no")
    return text == "yes"


def _refuse_conflicts(specs: tuple[ListenSpec, ...]) -> None:
    """Two entries of one listener for the same peers would leave the choice to chance."""
    seen: set[tuple[tuple[str, str, int], IPNetwork | None]] = set()
    for spec in specs:
        for network in spec.networks or (None,):
            if (spec.socket, network) in seen:
                peers = "all peers (no for=)" if network is None else f"the peers in {network}"
                listener = f"{spec.transport}:{HostPort(spec.host, spec.port)}"
                raise ValueError(f"{listener} is named twice for {peers}")
            seen.add((spec.socket, network))


def _network(text: str, entry: str) -> IPNetwork:
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise ValueError(f"{entry!r} has a network that cannot be read: {error}") from None


def _port(text: str, context: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) not in _PORTS:
        raise ValueError(f"{context!r} should have a port from 0 to 65535")
    return int(text)


def _require_address(host: str, entry: str) -> None:
    try:
        ip_address(host)
    except ValueError:
        raise ValueError(f"{entry!r} should bind an IP address, not a name") from None


def _require_ipv6(host: str, context: str) -> None:
    try:
        IPv6Address(host)
    except ValueError:
        raise ValueError(f"{context!r} should have an IPv6 address in its brackets") from None


def _require_host(host: str, context: str) -> None:
    allowed = host.replace("-", "").replace(".", "").replace("_", "")
    if not allowed or not (allowed.isascii() and allowed.isalnum()):
        raise ValueError(f"{context!r} should have a host name or an IP address before the port")
