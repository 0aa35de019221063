"""Free ports for the processes of a test.

The kernel is asked whether a port is free, on every protocol at once. Candidates lie below the range from
which it serves outgoing connections, so that a port stays free while a killed process is away.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOWEST, HIGHEST = 11000, 32000
_TCP_LISTEN = "0A"
_handed_out: set[int] = set()
_choice = random.SystemRandom()


def loopback(family: int) -> str:
    """Return the loopback address of IP version 4 or 6, without brackets."""
    return "127.0.0.1" if family == 4 else "::1"


def bracketed(host: str) -> str:
    """Return the host as it stands in a URI: IPv6 references in brackets."""
    return f"[{host}]" if ":" in host else host


def _is_free(port: int) -> bool:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(family, kind) as probe:
                if kind == socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, port))
                except OSError:
                    return False
    return True


def free_port() -> int:
    """Return a port free for UDP and TCP on both loopback addresses, never handed out before in this run."""
    for _ in range(1000):
        port = _choice.randrange(LOWEST, HIGHEST)
        if port not in _handed_out and _is_free(port):
            _handed_out.add(port)
            return port
    raise RuntimeError("no free port found")


def is_bound(transport: str, port: int) -> bool:
    """Say whether somebody is bound to (UDP) or listens on (TCP) the port, without touching it."""
    suffix = f":{port:04X}"
    for table in (f"/proc/net/{transport}", f"/proc/net/{transport}6"):
        path = Path(table)
        if not path.exists():
            continue
        for line in path.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(suffix) and (transport == "udp" or fields[3] == _TCP_LISTEN):
                return True
    return False
