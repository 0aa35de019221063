"""Which of our addresses a peer sees, and which of a peer's addresses we use."""

from ipaddress import ip_address
from typing import Final

from sip_edge.domain.config import Listener
from sip_edge.domain.ports import Endpoint, HostPort, Outlet, Query
from sipcore.errors import PeerProtocolError
from sipcore.uri import Uri, parse_uri

DEFAULT_PORT: Final = 5060
_LOOPBACKS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_WILDCARDS: Final = frozenset(_LOOPBACKS)
MAX_CACHED: Final = 8192
"""Peers, or targets, of which anything is remembered; then all of it is forgotten."""
_TRANSPORTS: Final = frozenset({"udp", "tcp"})


def shown(address: HostPort) -> str:
    """Host and port as they stand in a Via or a URI: brackets where needed, no default port."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    return host if address.port == DEFAULT_PORT else f"{host}:{address.port}"


class Local:
    """How one listener shows itself to one peer."""

    __slots__ = ("_contact", "host", "listener", "path", "sent_by", "via")

    def __init__(self, listener: Listener, advertise: HostPort, contact: HostPort) -> None:
        self.listener = listener
        self.sent_by = shown(advertise)
        self.via = f"SIP/2.0/{listener.transport.upper()} {self.sent_by};rport;branch="
        """Our Via up to the branch."""
        self.host = f"[{advertise.host}]" if ":" in advertise.host else advertise.host
        """For "@local" in From."""
        reached = f"{shown(contact)}{';transport=tcp' if listener.transport == 'tcp' else ''}"
        self._contact = f"{reached}>"
        self.path = f"<sip:{reached};lr>"
        """Our Path (RFC 3327): as our Contact it leads to any edge."""

    def contact(self, user: str) -> str:
        """Value of our Contact; `user` is escaped already and may be empty."""
        return f"<sip:{user}@{self._contact}" if user else f"<sip:{self._contact}"


class Addressing:
    """Listeners by name and by destination."""

    __slots__ = ("_chosen", "_local", "_outlet", "by_name")

    def __init__(self, listeners: tuple[Listener, ...], outlet: Outlet) -> None:
        """Raises `ValueError` when two listeners have one name."""
        self.by_name: Final = {listener.name: listener for listener in listeners}
        if len(self.by_name) != len(listeners):
            raise ValueError("two listeners have the same name")
        self._outlet = outlet
        self._local: dict[tuple[str, str], Local] = {}
        self._chosen: dict[tuple[str, str, str], Listener | None] = {}

    def local(self, listener: Listener, peer_ip: str) -> Local:
        """How `listener` shows itself to the peer."""
        key = (listener.name, peer_ip)
        local = self._local.get(key)
        if local is None:
            if len(self._local) >= MAX_CACHED:
                self._local.clear()
            local = self._local[key] = self._make_local(listener, peer_ip)
        return local

    def choose(self, transport: str, ip: str, preferred: str = "") -> Listener | None:
        """The listener to send from; `None` if there is none of this kind, or no such address."""
        key = (transport, ip, preferred)
        try:
            return self._chosen[key]
        except KeyError:
            if len(self._chosen) >= MAX_CACHED:
                self._chosen.clear()
            chosen = self._chosen[key] = self._choose(transport, ip, preferred)
            return chosen

    def ourselves(self) -> list[Endpoint]:
        """Where this edge hears itself: its first listener, by UDP if there is one."""
        listeners = sorted(self.by_name.values(), key=lambda listener: listener.transport != "udp")
        return [
            Endpoint(_LOOPBACKS.get(listener.host, listener.host), listener.port, listener.transport)
            for listener in listeners[:1]
        ]

    def _make_local(self, listener: Listener, peer_ip: str) -> Local:
        advertise, contact = listener.advertise, listener.contact
        if listener.networks:
            address = ip_address(peer_ip)
            for network in listener.networks:
                if address in network.network:
                    contact = network.contact or network.advertise or contact
                    advertise = network.advertise or advertise
                    break
        if advertise is None:
            host = listener.host
            if host in _WILDCARDS:
                host = self._outlet.source_ip(peer_ip) or host
            advertise = HostPort(host, listener.port)
        return Local(listener, advertise, contact or advertise)

    def _choose(self, transport: str, ip: str, preferred: str) -> Listener | None:
        try:
            address = ip_address(ip)
        except ValueError:
            return None
        fitting = [
            listener
            for listener in self.by_name.values()
            if listener.transport == transport and (":" in listener.host) == (address.version == 6)
        ]
        for listener in fitting:
            if listener.name == preferred:
                return listener
        for listener in fitting:
            if any(address in network.network for network in listener.networks):
                return listener
        return fitting[0] if fitting else None


class Aims:
    """What a URI says about where to send: an address at once, or a question for the DNS."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, Endpoint | Query | None] = {}

    def of(self, uri: str) -> Endpoint | Query | None:
        """`None` when nothing can be sent there: another scheme or transport, or not a URI."""
        # The user part takes no part in this, and without it there are few different ones.
        scheme, _, rest = uri.partition(":")
        key = f"{scheme}:{rest.rpartition('@')[2]}"
        try:
            return self._known[key]
        except KeyError:
            if len(self._known) >= MAX_CACHED:
                self._known.clear()
            aim = self._known[key] = self._read(key)
            return aim

    @staticmethod
    def _read(text: str) -> Endpoint | Query | None:
        try:
            uri = parse_uri(text)
        except PeerProtocolError:
            return None
        if not isinstance(uri, Uri):
            return None
        host = uri.param("maddr") or uri.host
        try:
            ip = str(ip_address(host.strip("[]")))
        except ValueError:
            return Query(uri.scheme, host, uri.port, uri.transport)
        transport = uri.transport or "udp"
        if uri.scheme != "sip" or transport not in _TRANSPORTS:
            return None
        return Endpoint(ip, uri.port or DEFAULT_PORT, transport)
