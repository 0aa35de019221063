"""A stateless SIP proxy that sends each call once back to where it came from, then on to the callee.

A B2BUA in front of it sees a spiral (RFC 3261 6): its own request again, with another Request-URI.
"""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from typing import Self

from support.ua import Address, Message, address_of, compose, parse

TURNED = "turned-"
_FIRST_URI = re.compile(r"^(\S+ sips?:)(\S+ SIP/2\.0)$")
_SENT_BY = re.compile(r"SIP/2\.0/UDP ([^:;]+):(\d+)")


class TurningProxy:
    """The proxy on a port of the IPv4 loopback, run by a thread while the ``with`` block lasts."""

    def __init__(self, port: int, callee: Address) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self._sent_by = f"127.0.0.1:{port}"
        self._callee = callee
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="turning proxy")
        self.turned = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        self._socket.settimeout(0.05)
        while not self._stop.is_set():
            try:
                data, source = self._socket.recvfrom(65535)
            except TimeoutError:
                continue
            message = parse(data, source[:2])
            if message.is_response:
                self._send_back(message)
            else:
                self._send_on(message)

    def _send_back(self, response: Message) -> None:
        """Take our Via off and follow the next one.

        SIPp as a callee sends every response here, also those to requests that came to it directly.
        """
        vias = [via.strip() for value in response.all("via") for via in value.split(",")]
        if self._sent_by in vias[0]:
            del vias[0]
        rest = [("Via", via) for via in vias]
        rest += [(name, value) for name, value in response.headers if name != "Via"]
        where = _SENT_BY.match(vias[0])
        assert where is not None, vias
        self._write(response.start_line, rest, response.body, (where.group(1), int(where.group(2))))

    def _send_on(self, request: Message) -> None:
        """Send a request back with another user in its URI; the second time, on to the callee.

        A request that is for somebody else (SIPp's, in a dialog) goes there.
        """
        first, rest = _FIRST_URI.sub(r"\1\n\2", request.start_line).split("\n")
        headers = [("Via", f"SIP/2.0/UDP {self._sent_by};branch={self._branch(request)}"), *request.headers]
        if self._sent_by not in rest:
            self._write(request.start_line, headers, request.body, address_of(first + rest.split()[0]))
        elif rest.startswith(TURNED):
            self._write(request.start_line, headers, request.body, self._callee)
        else:
            self.turned += request.start_line.startswith("INVITE ")
            self._write(first + TURNED + rest, headers, request.body, request.source)

    def _branch(self, request: Message) -> str:
        """The same for a request, its repeats, its CANCEL and the ACK of its failure (RFC 3261 16.11)."""
        return "z9hG4bK" + hashlib.blake2b(request.branch.encode(), digest_size=8).hexdigest()

    def _write(self, start_line: str, headers: list[tuple[str, str]], body: str, to: Address) -> None:
        kept = [(name, value) for name, value in headers if name != "Content-Length"]
        self._socket.sendto(compose(start_line, kept, body), to)
