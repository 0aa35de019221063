"""Where the control socket is: a path, `unix:path`, or `tcp:host[:port]`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from svckit.listen import HostPort, parse_host_port

DEFAULT_TCP_PORT = 12345
# sockaddr_un.sun_path of Linux, with its final NUL.
_LONGEST_PATH = 107


@dataclass(frozen=True, slots=True)
class ControlAddress:
    """A unix socket, whose path is absolute, or a TCP address: exactly one of the two is set."""

    path: Path | None = None
    tcp: HostPort | None = None

    def __str__(self) -> str:
        return f"tcp:{self.tcp}" if self.tcp is not None else f"unix:{self.path}"


def parse_control_address(text: str) -> ControlAddress:
    """Read an address. Raises ValueError with one sentence."""
    scheme, colon, rest = text.partition(":")
    if colon and scheme == "tcp":
        return ControlAddress(tcp=parse_host_port(rest, default_port=DEFAULT_TCP_PORT))
    path = rest if colon and scheme == "unix" else text
    if not path or "\0" in path or len(path.encode()) > _LONGEST_PATH:
        raise ValueError(f"should be a path of at most {_LONGEST_PATH} bytes, unix:path or tcp:host[:port]")
    return ControlAddress(path=Path(path).absolute())
