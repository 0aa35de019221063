"""The edge without I/O: transactions, addresses, admission, and SIP to events and commands to SIP."""

from sip_edge.domain.admission import Admission, Lifecycle
from sip_edge.domain.config import EdgeConfig, HelperProxyConfig, Listener, PeerNetwork
from sip_edge.domain.drop_reasons import METHODS, Counters, DropReason
from sip_edge.domain.engine import EdgeCore
from sip_edge.domain.ports import Address, ControlLink, Endpoint, HostPort, Outlet, Query

__all__ = [
    "METHODS",
    "Address",
    "Admission",
    "ControlLink",
    "Counters",
    "DropReason",
    "EdgeConfig",
    "EdgeCore",
    "Endpoint",
    "HelperProxyConfig",
    "HostPort",
    "Lifecycle",
    "Listener",
    "Outlet",
    "PeerNetwork",
    "Query",
]
