"""A name server on loopback: answers from a table, counts what it was asked, fails on demand."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, cast

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer(asyncio.DatagramProtocol):
    """`zone` maps (name, type) to record texts; a name in no row does not exist."""

    def __init__(self, zone: dict[tuple[str, str], list[str]], ttl: int = 300) -> None:
        self.zone = zone
        self.ttl = ttl
        self.silent = False
        self.broken = False
        self.asked: Counter[tuple[str, str]] = Counter()
        self._transport: asyncio.DatagramTransport

    async def start(self) -> tuple[str, int]:
        """Begin to answer; the address is (ip, port)."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self._transport = transport
        return cast(tuple[str, int], transport.get_extra_info("sockname"))

    def close(self) -> None:
        """Stop answering."""
        self._transport.close()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Answer one query."""
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked[name, kind] += 1
        if self.silent:
            return
        answer = dns.message.make_response(query)
        if self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif (name, kind) in self.zone:
            rrset = dns.rrset.from_text(question.name, self.ttl, "IN", kind, *self.zone[name, kind])
            answer.answer.append(rrset)
        elif name not in {known for known, _ in self.zone}:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(answer.to_wire(), addr)
