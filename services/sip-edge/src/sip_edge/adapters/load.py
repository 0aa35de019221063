"""Whether the edge keeps up with what arrives."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection

from sip_edge.adapters.udp import UdpSocket
from sip_edge.domain import Admission, Lifecycle

_LOOK = 0.05  # seconds between two looks
_BEHIND_LIMIT = 0.2  # seconds of reading without catching up until new work is refused


class LoadWatch:
    """Refuses new work while datagrams come faster than they are read.

    A refusal costs a fraction of a call, so the sockets are soon empty again, and calls in progress are not
    lost in the kernel's queue.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sockets: Collection[UdpSocket], admission: Admission
    ) -> None:
        """Begin to watch; `sockets` may still grow."""
        self._loop = loop
        self._sockets = sockets
        self._admission = admission
        self._timer = loop.call_later(_LOOK, self._again)

    def close(self) -> None:
        """Watch no longer."""
        self._timer.cancel()

    def look(self, now: float) -> None:
        """Set the lifecycle by what the sockets say."""
        behind_since = min((sock.behind_since for sock in self._sockets), default=math.inf)
        behind = now - behind_since > _BEHIND_LIMIT
        if behind and self._admission.state is Lifecycle.SERVING:
            self._admission.state = Lifecycle.OVERLOADED
        elif not behind and self._admission.state is Lifecycle.OVERLOADED:
            self._admission.state = Lifecycle.SERVING

    def _again(self) -> None:
        self.look(self._loop.time())
        self._timer = self._loop.call_later(_LOOK, self._again)
