"""Where Sippy's programs listen: one address, or all of them, each on UDP and TCP."""

from __future__ import annotations

_ALL = ("0.0.0.0", "[::]")


def listeners(address: str, port: int) -> str:
    """Return the listeners as settings write them; an empty address is every IPv4 and IPv6 one."""
    hosts = (address,) if address else _ALL
    return ",".join(f"{transport}:{host}:{port}" for host in hosts for transport in ("udp", "tcp"))
