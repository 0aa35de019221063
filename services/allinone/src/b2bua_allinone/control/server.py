"""The control socket as a server: over unix, readable by its owner only, or over TCP."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path

import structlog

from b2bua_allinone.control.address import ControlAddress
from b2bua_allinone.control.protocol import Calls, ControlSession
from svckit.errors import StartError

_MOST_CONNECTIONS = 64
_READ = 16_384
# A piece of a reply is a line: after so many the calls get their turn.
_PIECES = 64
#: A client that takes no replies for so many seconds is closed.
_PATIENCE = 30.0
_UMASK = 0o177
_BACKLOG = 64

_log = structlog.get_logger("control")


class ControlServer:
    """Serves the control socket from `start` to `stop`."""

    def __init__(self, address: ControlAddress, calls: Calls) -> None:
        self._address = address
        self._calls = calls
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()
        self._inode: tuple[int, int] | None = None

    async def start(self) -> int:
        """Bind and serve; returns the TCP port, 0 for a unix socket. Raises StartError."""
        tcp = self._address.tcp
        if tcp is not None and not _is_loopback(tcp.host):
            _log.warning("control.open", address=str(self._address), advice="whoever connects can end calls")
        sock = self._bind_unix() if tcp is None else _bind_tcp(tcp.host, tcp.port)
        start = asyncio.start_server if tcp is not None else asyncio.start_unix_server
        self._server = await start(self._connected, sock=sock, backlog=_BACKLOG)
        return 0 if tcp is None else int(sock.getsockname()[1])

    async def stop(self) -> None:
        """Close all connections, and remove the socket file if it is still ours."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        path = self._address.path
        if path is not None and self._inode == _inode(path):
            path.unlink(missing_ok=True)

    @property
    def connections(self) -> int:
        """Connections that are open."""
        return len(self._sessions)

    def _bind_unix(self) -> socket.socket:
        path = self._address.path
        assert path is not None
        try:
            _remove_stale(path)
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.setblocking(False)
                with _private():
                    sock.bind(str(path))
                # Before a client can find it: whoever sees the file may connect.
                sock.listen(_BACKLOG)
            except BaseException:
                sock.close()
                raise
        except OSError as error:
            raise _cannot_open(path, error) from error
        self._inode = _inode(path)
        return sock

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._sessions) >= _MOST_CONNECTIONS:
            _log.warning("control.refused", connections=_MOST_CONNECTIONS)
            writer.close()
            return
        self._sessions.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, TimeoutError) as error:
            _log.info("control.connection_lost", reason=str(error) or "no reply was read")
        finally:
            self._sessions.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = ControlSession(self._calls)
        while not session.closed and (data := await reader.read(_READ)):
            for count, piece in enumerate(session.receive(data), 1):
                writer.write(piece)
                if not count % _PIECES:
                    await _drain(writer)
            await _drain(writer)


def check_control_socket(address: ControlAddress) -> None:
    """Find out whether the socket can be had, without making it. Raises StartError."""
    if address.tcp is not None:
        _bind_tcp(address.tcp.host, address.tcp.port).close()
        return
    path = address.path
    assert path is not None
    try:
        _remove_stale(path)
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _cannot_open(path, error) from error


def _cannot_open(path: Path, error: OSError) -> StartError:
    return StartError(f"cannot open the control socket {path}: {error.strerror or error}")


async def _drain(writer: asyncio.StreamWriter) -> None:
    """Let the client read, and the calls have their turn."""
    async with asyncio.timeout(_PATIENCE):
        await writer.drain()
    await asyncio.sleep(0)


def _bind_tcp(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=_BACKLOG
        )
    except OSError as error:
        raise StartError(
            f"cannot open the control socket tcp:{host}:{port}: {error.strerror or error}"
        ) from error


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _remove_stale(path: Path) -> None:
    """Remove the socket that an earlier process left. Raises OSError if it is none, or somebody listens."""
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise OSError(errno.EEXIST, "there is a file of this name that is no socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
                return
        raise OSError(errno.EADDRINUSE, "another process serves it")


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def _private() -> Iterator[None]:
    """What is created meanwhile can be used by its owner only."""
    before = os.umask(_UMASK)
    try:
        yield
    finally:
        os.umask(before)
