"""What the sockets refuse or lose: each has a name and is counted."""

from __future__ import annotations

from enum import IntEnum


class IoDrop(IntEnum):
    """Reason why a socket did not pass something on."""

    UDP_QUEUE_FULL = 0  # the kernel's buffer is full, and so is our queue behind it
    UDP_SEND_FAILED = 1  # the kernel refuses to send there
    TCP_REFUSED = 2  # a connection beyond the limit
    TCP_UNSENT_LIMIT = 3  # a peer that does not read: closed
    TCP_CONNECT_FAILED = 4
    TCP_IDLE = 5
    TCP_NO_CONNECTION = 6  # bytes for a connection that has gone
    NOT_RESOLVED = 7  # a name that led to no address
    TCP_INCOMPLETE = 8  # a message that began and did not end: closed


class IoCounters:
    """`drops` is indexed by `IoDrop`; the rest counts datagrams and connections."""

    __slots__ = ("connections", "drops", "icmp_errors", "received", "sent")

    def __init__(self) -> None:
        self.drops = [0] * len(IoDrop)
        self.received = 0
        self.sent = 0
        self.icmp_errors = 0
        self.connections = 0
