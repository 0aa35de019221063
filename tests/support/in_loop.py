"""A one-process service in the loop of the test, between two phones that the test plays."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

from sipcore.testing.builders import invite, request
from svckit.health import Health
from svckit.lifecycle import Lifecycle, Service, serve
from svckit.metrics import Metrics
from svckit.runner import Runtime


class Phone:
    """A UDP socket that waits for what comes."""

    def __init__(self) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.setblocking(False)
        self.port = self.sock.getsockname()[1]
        self.via = f"SIP/2.0/UDP 127.0.0.1:{self.port}"

    async def hears(self, beginning: bytes) -> bytes:
        """Return the next message that begins so."""
        while True:
            data = await asyncio.get_running_loop().sock_recv(self.sock, 65_535)
            if data.startswith(beginning):
                return data

    async def says(self, data: bytes, port: int) -> None:
        """Send to a port of this host."""
        await asyncio.get_running_loop().sock_sendto(self.sock, data, ("127.0.0.1", port))


class InLoop:
    """A service in its life, a caller and a callee."""

    def __init__(self, *, drain_seconds: float) -> None:
        self.caller, self.callee = Phone(), Phone()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.lifecycle = Lifecycle()
        self._drain_seconds = drain_seconds
        self.life: asyncio.Task[None]

    def runtime(self) -> Runtime:
        """What a service is given besides its settings."""
        metrics = Metrics()
        health = Health(self.lifecycle, metrics.registry, on_lag=lambda lag: None)
        return Runtime(self.lifecycle, health, metrics)

    def begin(self, service: Service) -> None:
        """Let the service live."""
        self.life = asyncio.create_task(serve(service, self.lifecycle, drain_seconds=self._drain_seconds))

    async def end(self) -> None:
        """Stop the service, and the phones."""
        if not self.life.done():
            os.kill(os.getpid(), signal.SIGINT)
            await self.life
        self.caller.sock.close()
        self.callee.sock.close()

    async def ask(self, data: bytes) -> None:
        """Send from the caller."""
        await self.caller.says(data, self.port)

    async def call(self) -> bytes:
        """Place a call that rings; returns what the callee got."""
        contact = f"sip:127.0.0.1:{self.caller.port}"
        await self.ask(invite(via=self.caller.via, call_id="c@h", contact=contact))
        return await self.callee.hears(b"INVITE ")

    async def options(self) -> bytes:
        """Ask whether calls are taken."""
        branch = f"z9hG4bK-{os.urandom(4).hex()}"
        await self.ask(request("OPTIONS", via=self.caller.via, branch=branch, call_id=branch))
        return (await self.caller.hears(b"SIP/2.0 "))[8:11]
