"""UDP: plain non-blocking sockets under the loop's reader, without a transport in between."""

from __future__ import annotations

import asyncio
import errno
import math
import socket
import struct
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

from sip_edge.adapters.counters import IoCounters, IoDrop
from sip_edge.domain.ports import Address

_BATCH = 64  # datagrams read per wake-up, so that timers and other sockets get their turn
_CONTENT_FOR = 8  # wake-ups
LARGEST = 65535
"""Octets of a datagram, at most."""

_BUFFER = 4 * 1024 * 1024  # asked of the kernel, which may grant less

# linux/in.h, linux/in6.h and linux/errqueue.h; not in the socket module of Python 3.11.
_ERROR_OPTIONS = {
    socket.AF_INET: (socket.IPPROTO_IP, 11),  # IP_RECVERR
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),  # IPV6_RECVERR
}
_MSG_ERRQUEUE = getattr(socket, "MSG_ERRQUEUE", 0)  # Linux only; elsewhere such errors are not told
_ERROR_HEADER = struct.Struct("=IB")  # errno and origin, the first fields of sock_extended_err
_ICMP_ORIGINS = frozenset({2, 3})
# Errors that say that nobody is there (RFC 3261 section 18.4). The rest, such as a smaller path MTU, passes.
_UNREACHABLE = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN})


class Receiver(Protocol):
    """Takes one datagram: name of the listener, the bytes, who sent them, and the loop's time."""

    def __call__(self, listener: str, data: bytes, source: Address, now: float, /) -> None: ...


def bind_udp(host: str, port: int) -> socket.socket:
    """A bound, non-blocking socket; raises OSError. Port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
        if _MSG_ERRQUEUE:
            sock.setsockopt(*_ERROR_OPTIONS[family], 1)
        sock.bind((host, port))
    except BaseException:
        sock.close()
        raise
    return sock


class UdpSocket:
    """One bound socket: hands on what arrives, sends what it is given."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        listener: str,
        *,
        receive: Receiver,
        batch_done: Callable[[], None],
        unreachable: Callable[[Address], None],
        counters: IoCounters,
        max_queue: int = 2000,
    ) -> None:
        """`batch_done` is called after each wake-up; `unreachable` for an address that an ICMP error or
        the kernel says cannot be reached, never from inside `send`; at most `max_queue` datagrams wait
        for room in the kernel.
        """
        self._loop = loop
        self._sock = sock
        self._listener = listener
        self._receive = receive
        self._batch_done = batch_done
        self._unreachable = unreachable
        self._counters = counters
        self._max_queue = max_queue
        self._queue: deque[tuple[bytes, Address]] = deque()
        self._error_seen = False
        self._wanted = 1
        self._content_for = 0
        """For how many more full batches not to ask for larger ones."""
        self.behind_since = math.inf
        """Since when the kernel has had more for us than one batch at a time; infinity: we keep up."""
        self._put: Callable[[bytes, Address], object] = sock.sendto
        """Gives one datagram to the kernel; raises OSError."""
        self._take: Callable[[], tuple[bytes, Address]] = (
            partial(sock.recvfrom, LARGEST) if sock.family is socket.AF_INET else self._take_ipv6
        )
        """Gets one datagram and its sender from the kernel; raises OSError."""
        bound = sock.getsockname()
        self.address: Address = (bound[0], bound[1])
        loop.add_reader(sock, self._readable)

    def close(self) -> None:
        """Stop at once; what waits is lost."""
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        self._queue.clear()
        self._sock.close()

    def send(self, data: bytes, address: Address) -> None:
        """Send one datagram, or queue it while the kernel has no room. Never raises for the network."""
        if self._queue:
            self._enqueue(data, address)
            return
        try:
            self._put(data, address)
            self._counters.sent += 1
        except BlockingIOError:
            self._enqueue(data, address)
        except OSError:
            self._send_again(data, address)

    def _take_ipv6(self) -> tuple[bytes, Address]:
        """As `_take`, without the flow and the scope of the sender."""
        data, source = self._sock.recvfrom(LARGEST)
        return data, (source[0], source[1])

    def _enqueue(self, data: bytes, address: Address) -> None:
        if len(self._queue) >= self._max_queue:
            self._counters.drops[IoDrop.UDP_QUEUE_FULL] += 1
            return
        self._queue.append((data, address))
        if len(self._queue) == 1:
            self._loop.add_writer(self._sock, self._writable)

    def _writable(self) -> None:
        queue = self._queue
        while queue:
            data, address = queue[0]
            try:
                self._put(data, address)
                self._counters.sent += 1
            except BlockingIOError:
                return
            except OSError:
                self._send_again(data, address)
            queue.popleft()
        self._loop.remove_writer(self._sock)

    def _send_again(self, data: bytes, address: Address) -> None:
        """The kernel tells an earlier datagram's ICMP error at the next call; only a second one is ours."""
        self._error_seen = True
        try:
            self._put(data, address)
            self._counters.sent += 1
        except OSError as error:
            self._counters.drops[IoDrop.UDP_SEND_FAILED] += 1
            if error.errno in _UNREACHABLE:
                self._loop.call_soon(self._unreachable, address)

    def _readable(self) -> None:
        """Read what is there, but do not ask for more than came lately: the loop tells if there is more.

        At a low rate each wake-up brings one datagram, and a second look would cost as much as the first.
        """
        take, receive, listener, time = self._take, self._receive, self._listener, self._loop.time
        errors = self._error_seen
        wanted, found = self._wanted, 0
        try:
            while found < wanted:
                try:
                    data, source = take()
                except BlockingIOError:
                    self.behind_since = math.inf
                    errors = errors or not found
                    break
                except OSError:
                    errors = True
                    wanted -= 1
                    continue
                found += 1
                receive(listener, data, source, time())
            else:
                if wanted == _BATCH:
                    self.behind_since = min(self.behind_since, time())
        finally:
            self._counters.received += found
            self._adapt(found, wanted)
            if errors:
                self._error_seen = False
                self._read_errors()
                self._rearm()
            self._batch_done()

    def _adapt(self, found: int, wanted: int) -> None:
        """Ask for twice as much while it comes; when less came, for that much, and a while for no more."""
        if found < wanted or not found:
            self._wanted, self._content_for = found or 1, _CONTENT_FOR
        elif self._content_for:
            self._content_for -= 1
        else:
            self._wanted = min(2 * wanted, _BATCH)

    def _rearm(self) -> None:
        """libuv gives up watching a descriptor that had an error, so watch it anew."""
        loop, sock = self._loop, self._sock
        if sock.fileno() < 0:
            return
        loop.remove_reader(sock)
        loop.remove_writer(sock)
        loop.add_reader(sock, self._readable)
        if self._queue:
            loop.add_writer(sock, self._writable)

    def _read_errors(self) -> None:
        """Take what the kernel knows about datagrams that did not arrive."""
        if not _MSG_ERRQUEUE:
            return
        for _ in range(_BATCH):
            try:
                _, control, _, address = self._sock.recvmsg(0, 512, _MSG_ERRQUEUE)
            except OSError:
                return
            self._counters.icmp_errors += 1
            for _, _, data in control:
                number, origin = _ERROR_HEADER.unpack_from(data)
                if origin in _ICMP_ORIGINS and number in _UNREACHABLE and address:
                    self._unreachable((address[0], address[1]))
