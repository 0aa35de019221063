"""The control socket on unix and TCP: its file, its rights, its bounds."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from b2bua_allinone.control import server as server_module
from b2bua_allinone.control.address import ControlAddress
from b2bua_allinone.control.protocol import CallLine
from b2bua_allinone.control.server import ControlServer, check_control_socket
from support.control import RINGING, FakeCalls
from svckit.errors import StartError
from svckit.listen import HostPort

NO_CALLS = b"In-memory calls:\nTotal: 0\n"


async def ask(path: Path, data: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(data)
    reply = await reader.read()
    writer.close()
    return reply


def rights(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
async def path(tmp_path: Path) -> AsyncIterator[Path]:
    """The path of a control socket that is served."""
    found = tmp_path / "c.sock"
    control = ControlServer(ControlAddress(path=found), FakeCalls())
    await control.start()
    yield found
    await control.stop()
    assert not found.exists()


async def test_unix(path: Path) -> None:
    assert await ask(path, b"l\nq\n") == NO_CALLS
    assert rights(path) == 0o600


async def test_tcp() -> None:
    control = ControlServer(ControlAddress(tcp=HostPort("127.0.0.1", 0)), FakeCalls())
    port = await control.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"l\nq\n")
    assert await reader.read() == NO_CALLS
    writer.close()
    await control.stop()


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)])
async def test_a_socket_for_everybody_is_warned_of(host: str, warned: bool) -> None:
    control = ControlServer(ControlAddress(tcp=HostPort(host, 0)), FakeCalls())
    with capture_logs() as logs:
        await control.start()
    await control.stop()
    assert [line["event"] for line in logs] == ["control.open"] * warned


async def test_a_socket_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "c.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(path))
    control = ControlServer(ControlAddress(path=path), FakeCalls())
    await control.start()
    assert await ask(path, b"q\n") == b""
    await control.stop()


async def test_another_process_is_left_alone(path: Path) -> None:
    with pytest.raises(StartError, match="another process"):
        await ControlServer(ControlAddress(path=path), FakeCalls()).start()
    with pytest.raises(StartError, match="another process"):
        check_control_socket(ControlAddress(path=path))
    assert await ask(path, b"q\n") == b""


async def test_a_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(StartError, match="no socket"):
        await ControlServer(ControlAddress(path=path), FakeCalls()).start()
    assert path.read_text() == "data"


async def test_the_socket_of_a_successor_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "c.sock"
    first = ControlServer(ControlAddress(path=path), FakeCalls())
    await first.start()
    path.unlink()
    second = ControlServer(ControlAddress(path=path), FakeCalls())
    await second.start()
    await first.stop()
    assert await ask(path, b"q\n") == b""
    await second.stop()


@pytest.mark.parametrize("check", [True, False])
async def test_a_folder_that_is_not_there(tmp_path: Path, check: bool) -> None:
    address = ControlAddress(path=tmp_path / "absent" / "c.sock")
    with pytest.raises(StartError, match=r"cannot open the control socket .*c\.sock"):
        if check:
            check_control_socket(address)
        else:
            await ControlServer(address, FakeCalls()).start()


async def test_a_port_in_use() -> None:
    control = ControlServer(ControlAddress(tcp=HostPort("127.0.0.1", 0)), FakeCalls())
    port = await control.start()
    taken = ControlAddress(tcp=HostPort("127.0.0.1", port))
    with pytest.raises(StartError, match="cannot open the control socket tcp:"):
        await ControlServer(taken, FakeCalls()).start()
    with pytest.raises(StartError, match="cannot open the control socket tcp:"):
        check_control_socket(taken)
    await control.stop()


async def test_too_many_connections_are_closed_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "_MOST_CONNECTIONS", 1)
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(b"l\n")
    assert await reader.readexactly(len(NO_CALLS)) == NO_CALLS
    assert await ask(path, b"") == b""
    writer.write(b"l\n")
    assert await reader.readexactly(len(NO_CALLS)) == NO_CALLS
    writer.close()


async def test_a_long_list_lets_the_calls_have_their_turn(tmp_path: Path) -> None:
    turns = 0

    class Counting(FakeCalls):
        def calls(self):  # type: ignore[no-untyped-def]
            for _ in range(1_000):
                seen.append(turns)
                yield RINGING

    seen: list[int] = []
    control = ControlServer(ControlAddress(path=tmp_path / "c.sock"), Counting())
    await control.start()

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    reply = await ask(tmp_path / "c.sock", b"l\nq\n")
    counting.cancel()
    assert reply.endswith(b"Total: 1000\n")
    assert seen[-1] - seen[0] >= 10
    await control.stop()


async def test_who_reads_nothing_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "_PATIENCE", 0.05)
    calls: tuple[CallLine, ...] = (RINGING,) * 20_000
    control = ControlServer(ControlAddress(path=tmp_path / "c.sock"), FakeCalls(*calls))
    await control.start()
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "c.sock"), limit=1024)
    writer.write(b"l\n")
    while control.connections == 0:  # noqa: ASYNC110  # there is no event of it
        await asyncio.sleep(0.001)
    while control.connections:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    writer.close()
    await control.stop()
    assert not reader.at_eof()
