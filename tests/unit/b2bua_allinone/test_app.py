"""The one-process service: what becomes of calls in memory when it has to end, and a moved message log."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from b2bua_allinone.app import AllInOne
from b2bua_allinone.cli import fields, parse_arguments
from b2bua_allinone.settings import Settings
from sipcore.testing.builders import request, response_to
from support.in_loop import InLoop
from svckit.lifecycle import State
from svckit.settings import load


@asynccontextmanager
async def running(*options: str, drain_seconds: float = 60.0) -> AsyncIterator[InLoop]:
    """`b2bua run` between two phones."""
    found = InLoop(drain_seconds=drain_seconds)
    places = f"--listen udp:127.0.0.1:{found.port} --route 127.0.0.1:{found.callee.port}".split()
    settings = load(Settings, **fields(parse_arguments(["run", *places, *options])))
    found.begin(AllInOne(settings, found.runtime()))
    await found.lifecycle.reached(State.SERVING)
    try:
        yield found
    finally:
        await found.end()


async def answered(world: InLoop) -> Callable[[str], bytes]:
    """Place a call that is answered; returns how the caller makes a request of its dialog."""
    invited = await world.call()
    contact = f"sip:127.0.0.1:{world.callee.port}"
    await world.callee.says(response_to(invited, 200, to_tag="b", contact=contact), world.port)
    answer = await world.caller.hears(b"SIP/2.0 200")
    tag = answer.split(b"\r\nTo: ")[1].split(b";tag=")[1].split(b"\r\n")[0].decode()

    def asks(method: str) -> bytes:
        return request(
            method,
            via=world.caller.via,
            call_id="c@h",
            to_tag=tag,
            branch=f"z9hG4bK-{method}",
            cseq=1 if method == "ACK" else 2,
            uri=f"sip:127.0.0.1:{world.port}",
        )

    await world.ask(asks("ACK"))
    await world.callee.hears(b"ACK ")
    return asks


async def test_a_drain_waits_for_calls_that_only_this_process_knows() -> None:
    async with running() as world:
        asks = await answered(world)
        os.kill(os.getpid(), signal.SIGTERM)
        await world.lifecycle.reached(State.DRAINING)
        assert await world.options() == b"503"
        await world.ask(asks("BYE"))
        bye = await world.callee.hears(b"BYE ")
        await world.callee.says(response_to(bye, 200), world.port)
        await world.caller.hears(b"SIP/2.0 200")
        await asyncio.wait_for(world.life, 5)


async def test_calls_that_outlast_the_drain_are_hung_up() -> None:
    async with running(drain_seconds=0.01) as world:
        await answered(world)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(world.life, 5)
        assert await world.callee.hears(b"BYE ")
        assert await world.caller.hears(b"BYE ")


async def test_usr1_goes_on_in_a_new_message_log(tmp_path: Path) -> None:
    log = tmp_path / "sip.log"
    async with running("--message-log", str(log)) as world:
        log.rename(tmp_path / "old.log")
        os.kill(os.getpid(), signal.SIGUSR1)
        while not log.exists():
            assert await world.options() == b"200"
        assert await world.options() == b"200"
    assert "OPTIONS sip:" in log.read_text()
