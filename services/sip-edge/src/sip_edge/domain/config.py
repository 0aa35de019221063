"""What an operator decides about an edge. Frozen: to change it, restart the edge."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from sip_edge.domain.ports import HostPort
from sipcore.parser import Limits
from sipcore.timers import DEFAULT_TIMERS, Timers

FORWARDED: Final = frozenset({"REGISTER", "SUBSCRIBE", "PUBLISH", "MESSAGE"})
"""Methods that the helper proxy can be for: those that mean nothing to a B2BUA outside of dialogs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerNetwork:
    """Addresses shown to the peers of one network, instead of the listener's own."""

    network: IPv4Network | IPv6Network
    advertise: HostPort | None = None
    contact: HostPort | None = None
    nat: bool | None = None
    """Whether these peers may be behind a NAT; `None`: as the listener's others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One bound socket and how peers reach it (bound, advertised and contact address are three things)."""

    name: str
    """Unique among the listeners of the edge."""
    transport: str
    """"udp" or "tcp"."""
    host: str
    """Bound address; a wildcard shows each peer the address that the host uses towards it."""
    port: int
    """Bound port, the real one."""
    advertise: HostPort | None = None
    """In Via and in our From: leads to this edge or its successor. Default: the bound address."""
    contact: HostPort | None = None
    """In Contact: leads to any edge. Default: the advertised address."""
    nat: bool | None = None
    """Whether peers may be behind a NAT; `None`: as `EdgeConfig.nat_traversal` says."""
    networks: tuple[PeerNetwork, ...] = ()
    """Exceptions by peer; the first that contains the peer counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelperProxyConfig:
    """Requests outside of dialogs that are passed on, and where to."""

    uri: str
    """SIP URI of the destination, found as RFC 3263 says."""
    methods: frozenset[str] = frozenset({"REGISTER"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeConfig:
    """Settings of the core. Durations are seconds."""

    edge_id: str
    """Stable over restarts."""
    boot: int
    """Another number for each start."""
    listeners: tuple[Listener, ...]
    allow: tuple[IPv4Network | IPv6Network, ...] = ()
    """Who may send requests outside of dialogs; empty: everyone."""
    timers: Timers = DEFAULT_TIMERS
    limits: Limits = field(default_factory=Limits)
    mtu: int = 1300
    """Requests of more octets go over TCP where that is possible (RFC 3261 18.1.1)."""
    helper_proxy: HelperProxyConfig | None = None
    """Where REGISTER and the like go; they are refused without it."""
    accept_notify: bool = True
    """Answer 200 to a NOTIFY outside of dialogs; otherwise it is refused."""
    max_transactions: int = 200_000
    """New work is refused at this number of transactions, work in progress at a quarter more."""
    max_flows: int = 20_000
    """Connections, both ways."""
    dialog_transactions: int = 16
    """Requests of one dialog that may wait for an answer at the same time."""
    undecided_cancel: float = 4.0
    """After a CANCEL without a decision of call-control the edge answers 487 by itself."""
    unanswered_invite: float = 600.0
    """An INVITE that call-control never answers is answered 500."""
    retry_after: int = 5
    """Seconds in Retry-After of a refusal."""
    nat_traversal: bool = False
    """Use the source address for answers to, and Contacts of, peers that show private addresses (`nat`)."""
    server: str = ""
    """Server header of answers that the edge gives by itself; empty: none."""
