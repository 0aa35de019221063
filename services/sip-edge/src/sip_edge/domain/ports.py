"""What the core needs of the world: a way to put bytes on the wire, and a way to call-control.

The core calls both synchronously and has its own state in order before each call, so an implementation may
call back into the core at once (call-control in the same process does).
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from b2bua.edge.v1 import edge_pb2

Address = tuple[str, int]
"""IP address in text form without brackets, and port."""


class Endpoint(NamedTuple):
    """One transport address."""

    ip: str
    port: int
    transport: str
    """"udp" or "tcp"."""


class HostPort(NamedTuple):
    """A host as it is shown to peers: a name or an IP address without brackets, and a port."""

    host: str
    port: int


class Query(NamedTuple):
    """What RFC 3263 needs to know of a URI to find addresses for it."""

    scheme: str
    """"sip" or "sips"."""
    host: str
    """A domain name; the core handles IP addresses itself."""
    port: int | None
    """Port of the URI, if it has one: then only A and AAAA records count."""
    transport: str | None
    """Transport parameter of the URI in lower case, if it has one."""


class Outlet(Protocol):
    """Sockets and DNS. Nothing here raises for what the network does."""

    def send_datagram(self, listener: str, data: bytes, address: Address) -> None:
        """Send from the listener's socket. A failure known later is told by `EdgeCore.transport_failed`."""

    def connect(self, flow: str, listener: str, address: Address) -> None:
        """Open a connection under this id; failure and timeout are told by `EdgeCore.flow_closed`."""

    def send_stream(self, flow: str, data: bytes) -> None:
        """Send on a connection, or queue until it is up."""

    def close_stream(self, flow: str) -> None:
        """Close a connection that the core has forgotten already."""

    def resolve(self, token: int, query: Query) -> None:
        """Find addresses; answered exactly once by `EdgeCore.resolved`, at once or later."""

    def source_ip(self, towards: str) -> str:
        """The address that this host would use towards an IP address; empty if there is no route."""


class ControlLink(Protocol):
    """Call-control as one edge sees it. Delivery, repetition and the choice of the pod are its business."""

    def submit(self, event: edge_pb2.Event) -> None:
        """Take an event over for delivery at least once."""

    def done(self, refs: Sequence[edge_pb2.CommandRef]) -> None:
        """These commands were carried out."""

    def may_open_call(self) -> bool:
        """Whether a pod has a credit left for one more new call."""
