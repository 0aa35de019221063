"""Peers behind a NAT: what they call themselves leads nowhere from here, where they send from does.

| message | shows | what is done |
| --- | --- | --- |
| request | a private address in the topmost Via | its answers go to its source |
| request with one Via | a private or impossible address in Contact | the same, and the Contact is replaced |
| response below 300 from a public address, without Record-Route | the same | the Contact is replaced |

The source of the packet takes the place of the Contact's address. Nothing else is changed: behind a proxy the
source is the proxy's, and the Contacts of a redirection lead elsewhere. The changed Contact is what
call-control hears of, so that each leg keeps its own source; what is passed on (`helper_proxy`) keeps its
Contact.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from sip_edge.domain.config import Listener
from sip_edge.domain.ports import Address
from sipcore.errors import PeerProtocolError
from sipcore.grammar import format_host_port
from sipcore.message import Request, Response

PRIVATE: Final = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),  # RFC 1918
            "100.64.0.0/10",  # between a carrier's NAT and its customers (RFC 6598)
            *("169.254.0.0/16", "fe80::/10"),  # link-local (RFC 3927, RFC 4291)
            "fc00::/7",  # unique local (RFC 4193)
        ),
    )
)
"""Networks whose addresses are somebody else's elsewhere."""

_NOWHERE: Final = "255.255.255.255"
_AUTHORITY: Final = re.compile(
    r"(?P<before>sips?:(?:[^@]*@)?)(?P<host>\[[^\]@]*\]|[^\[:;?@]*)(?::(?P<port>[0-9]*))?(?=[;?]|\Z)",
    re.IGNORECASE,
)
"""Of a URI that need not be valid otherwise: port 0 is what some phones write for want of a better one."""


class Nat:
    """For which peers this is done, by listener and by their network."""

    __slots__ = ("_default", "anywhere")

    def __init__(self, default: bool, listeners: Iterable[Listener]) -> None:
        self._default = default
        exceptions = [listener.nat for listener in listeners]
        exceptions += [network.nat for listener in listeners for network in listener.networks]
        self.anywhere: Final = default or True in exceptions
        """Whether any peer has to be asked about at all."""

    def applies(self, listener: Listener | None, ip: str) -> bool:
        """Whether a message of this peer is looked at; `None`: nobody knows which listener it came to."""
        if listener is None:
            return self._default
        if listener.networks:
            address = ip_address(ip)
            for network in listener.networks:
                if address in network.network:
                    if network.nat is not None:
                        return network.nat
                    break
        return self._default if listener.nat is None else listener.nat


@lru_cache(4096)
def is_private(host: str) -> bool:
    """Whether a peer that shows this host is behind a NAT: an address of `PRIVATE`, or a name that never
    resolves (RFC 2606; browsers show one, RFC 7118 5).
    """
    if host.lower().endswith(".invalid"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return any(address in network for network in PRIVATE)


def reachable(uri: str, source: Address) -> str | None:
    """The URI with `source` for its address, when that leads nowhere from here; `None` when it does."""
    found = _AUTHORITY.match(uri)
    if found is None:
        return None
    host, port = found["host"].strip("[]"), found["port"]
    if not (is_private(host) or host == _NOWHERE or (port and not port.strip("0"))):
        return None
    return f"{found['before']}{format_host_port(*source)}{uri[found.end() :]}"


def behind_nat(request: Request, source: Address, *, rewrite: bool) -> bool:
    """Whether the sender is behind a NAT; with `rewrite` the source then stands for a Contact that leads
    nowhere.
    """
    try:
        form, _ = request.via_form
    except PeerProtocolError:
        return False
    vias = request.headers.index["via"]
    alone = len(vias) == 1 and "," not in vias[0]
    return (alone and _is_lost(request, source, rewrite=rewrite)) or is_private(form.via.host)


def correct_response(response: Response, source: Address) -> None:
    """Let the source stand for a Contact that leads nowhere."""
    if response.status < 300 and "record-route" not in response.headers.index and not is_private(source[0]):
        _is_lost(response, source, rewrite=True)


def _is_lost(message: Request | Response, source: Address, *, rewrite: bool) -> bool:
    """Whether the first Contact leads nowhere from here."""
    try:
        contact = message.contact
    except PeerProtocolError:
        return False
    uri = reachable(contact.uri, source) if contact is not None else None
    if contact is None or uri is None:
        return False
    if rewrite:
        message.headers.set("Contact", str(contact._replace(uri=uri)))
    return True
