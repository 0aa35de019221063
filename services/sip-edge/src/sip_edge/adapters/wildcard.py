"""UDP on all addresses of the host: answers leave from the address that the request went to.

A peer behind a NAT or a firewall takes nothing from another address, and a host may have several: floating
ones, one per network. The kernel tells where each datagram was sent to, and takes such an address along.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Callable

from sip_edge.adapters.udp import LARGEST, UdpSocket
from sip_edge.domain.ports import Address

WILDCARDS = frozenset({"0.0.0.0", "::"})

_IP_PKTINFO = 8  # linux/in.h; not in the socket module of Python 3.11
_PKTINFO4 = struct.Struct("=i4s4s")  # interface, local address, destination in the header
_PKTINFO6 = struct.Struct("=16si")  # local address, interface
_CONTROL = socket.CMSG_SPACE(max(_PKTINFO4.size, _PKTINFO6.size))
_MOST_PEERS = 10_000

_Control = list[tuple[int, int, bytes]]


class WildcardUdpSocket(UdpSocket):
    """As `UdpSocket`, bound to a wildcard address."""

    _sources: SourceAddresses
    _replies: dict[Address, _Control]

    def watch_destinations(self, sources: SourceAddresses) -> None:
        """Have the kernel tell where datagrams were sent to. Call it once, before the loop turns."""
        self._sources = sources
        self._replies = {}
        self._take = self._take_with_destination
        self._put = self._put_from_destination
        if self._sock.family is socket.AF_INET6:
            self._sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            self._sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)

    def _take_with_destination(self) -> tuple[bytes, Address]:
        data, control, _, source = self._sock.recvmsg(LARGEST, _CONTROL)
        peer = (source[0], source[1])
        local, reply = _destination(control)
        if local and local != self._sources.towards(peer[0]):
            self._remember(peer, reply)
        elif peer in self._replies:
            del self._replies[peer]
        return data, peer

    def _put_from_destination(self, data: bytes, address: Address) -> None:
        reply = self._replies.get(address)
        if reply is None:
            self._sock.sendto(data, address)
            return
        try:
            self._sock.sendmsg((data,), reply, 0, address)
        except BlockingIOError:
            raise
        except OSError:
            # The address may have moved to another host: the next try goes the usual way.
            del self._replies[address]
            raise

    def _remember(self, peer: Address, reply: _Control) -> None:
        if peer not in self._replies and len(self._replies) >= _MOST_PEERS:
            del self._replies[next(iter(self._replies))]
        self._replies[peer] = reply


def _destination(control: _Control) -> tuple[str, _Control]:
    """The address that a datagram was sent to, and what makes an answer leave from it."""
    for level, kind, data in control:
        if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
            _, local, _ = _PKTINFO4.unpack_from(data)
            info = _PKTINFO4.pack(0, local, bytes(4))
            return str(ipaddress.IPv4Address(local)), [(level, kind, info)]
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
            local, _ = _PKTINFO6.unpack_from(data)
            return str(ipaddress.IPv6Address(local)), [(level, kind, _PKTINFO6.pack(local, 0))]
    return "", []


class SourceAddresses:
    """The address that the kernel sends from towards a peer, for a socket bound to all addresses."""

    def __init__(self, clock: Callable[[], float], *, lifetime: float = 30.0, limit: int = 4096) -> None:
        """Routes may change: what was found holds for `lifetime` seconds. At most `limit` are kept."""
        self._clock = clock
        self._lifetime = lifetime
        self._limit = limit
        self._found: dict[str, tuple[str, float]] = {}

    def towards(self, ip: str) -> str:
        """Our address towards `ip`, empty if there is no route to it."""
        now = self._clock()
        known = self._found.get(ip)
        if known is not None and known[1] > now:
            return known[0]
        self._found.pop(ip, None)
        if len(self._found) >= self._limit:
            del self._found[next(iter(self._found))]
        source = _source_towards(ip)
        self._found[ip] = (source, now + self._lifetime)
        return source


def _source_towards(ip: str) -> str:
    """Connecting a UDP socket sends nothing, but makes the kernel choose the route."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((ip, 9))
        except OSError:
            return ""
        return str(sock.getsockname()[0])
