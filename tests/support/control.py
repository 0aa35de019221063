"""The control socket as its clients see it, and calls made up by a test."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

from b2bua_allinone.control.protocol import CallLine, LegLine, TransactionLine

RINGING = CallLine(
    call_id="1@192.0.2.1",
    state="ARComplete",
    ingress=LegLine(state="Ringing(UAS)", peer="udp:192.0.2.1:5060", calling="alice", called="200"),
    egress=LegLine(state="Ringing(UAC)", peer="tcp:192.0.2.2:5070", calling="alice", called="9200"),
)
WAITING = CallLine(
    call_id="2@192.0.2.1",
    state="WaitRoute",
    ingress=LegLine(state="Trying(UAS)", peer="udp:[2001:db8::1]:5060", calling="bob", called="300"),
    egress=None,
)


class FakeCalls:
    """Shows what it is given, and writes down what is asked of it."""

    def __init__(self, *shown: CallLine) -> None:
        self.shown = shown
        self.asked: list[object] = []
        self.ages = (1.0, 61.4)

    def calls(self) -> Iterator[CallLine]:
        return iter(self.shown)

    def server_transactions(self) -> Iterator[TransactionLine]:
        return (
            TransactionLine(id=f"s{age:.0f}", method="INVITE", state="PROCEEDING", age=age)
            for age in self.ages
        )

    def client_transactions(self) -> Iterator[TransactionLine]:
        for age in self.ages:
            yield TransactionLine(id=f"c{age:.0f}", method="BYE", state="TRYING", age=age)

    def disconnect(self, call_id: str) -> bool:
        self.asked.append(call_id)
        return any(call.call_id == call_id for call in self.shown)

    def disconnect_all(self) -> Iterator[None]:
        self.asked.append("*")
        yield from [None] * len(self.shown)

    def media_timeout(self, relay_id: str, media: int | None) -> bool:
        self.asked.append((relay_id, media))
        return relay_id == "12"


def ask(path: Path, command: str) -> str:
    """Send one command over a unix control socket; return the reply."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(f"{command}\nq\n".encode())
        reply = b""
        while piece := client.recv(65_536):
            reply += piece
    return reply.decode()
