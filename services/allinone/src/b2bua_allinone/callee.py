"""The callee inside `b2bua run` without --route: rings for a second, answers, takes the BYE.

It has no audio: its answer says `a=inactive`. It shows a newcomer a whole call with any SIP phone.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import cast

from sipcore.testing.agent import ScriptedAgent
from sipcore.testing.script import Script
from svckit.errors import StartError

_ANSWER = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 9 RTP/AVP 0 8\r\na=inactive\r\n"
)
#: A call of the built-in callee ends by itself after this many seconds.
_LONGEST_CALL = 600.0


class AnsweringCallee(asyncio.DatagramProtocol):
    """A user agent on an ephemeral UDP port of the loopback that answers every call."""

    def __init__(self) -> None:
        self._agent: ScriptedAgent | None = None
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> int:
        """Bind and return the port. Raises StartError."""
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        except OSError as error:
            raise StartError(f"the built-in callee cannot bind 127.0.0.1: {error.strerror}") from error
        self._transport = transport
        port = int(transport.get_extra_info("sockname")[1])
        script = Script(
            ring_after=0.0, answer_after=1.0, answer=_ANSWER, offer=_ANSWER, hangup_after=_LONGEST_CALL
        )
        self._agent = ScriptedAgent("callee", ("127.0.0.1", port), self._send, loop, script=script)
        return port

    def stop(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.DatagramProtocol."""

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Give a datagram to the agent; only our own process is answered."""
        if self._agent is not None and ip_address(addr[0]).is_loopback:
            self._agent.receive(data, (addr[0], addr[1]))

    def _send(self, data: bytes, destination: tuple[str, int]) -> None:
        cast(asyncio.DatagramTransport, self._transport).sendto(data, destination)
