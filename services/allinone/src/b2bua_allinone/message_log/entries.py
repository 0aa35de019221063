"""How an entry of the message log looks: what users of the reference grep for."""

from __future__ import annotations

import time
from typing import NamedTuple

from b2bua_allinone.message_log.masking import mask

RECEIVED = "RECEIVED message from"
SENDING = "SENDING message to"


class Entry(NamedTuple):
    """One message, as it was seen."""

    at: float
    """Epoch seconds."""
    what: str
    """RECEIVED or SENDING."""
    transport: str
    peer: tuple[str, int]
    message: bytes


def entry_bytes(entry: Entry, relative_to: float | None) -> bytes:
    """Return an entry as it is written: a line with time and peer, the message, and a line end."""
    host, port = entry.peer
    shown = f"[{host}]" if ":" in host else host
    head = (
        f"{time_text(entry.at, relative_to)}/GLOBAL/b2bua: {entry.what} {entry.transport}:{shown}:{port}:\n"
    )
    return head.encode() + mask(entry.message) + b"\n"


def notice_bytes(at: float, text: str, relative_to: float | None) -> bytes:
    """Return a line of the log about itself."""
    return f"{time_text(at, relative_to)}/GLOBAL/b2bua: {text}\n".encode()


def time_text(at: float, relative_to: float | None) -> str:
    """Return `DD Mon HH:MM:SS.mmm` in local time, or `HH:MM:SS.mmm` since a zero point."""
    if relative_to is None:
        milliseconds = int(at * 1_000) % 1_000
        return f"{time.strftime('%d %b %H:%M:%S', time.localtime(at))}.{milliseconds:03}"
    seconds, milliseconds = divmod(max(0, int((at - relative_to) * 1_000)), 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"
