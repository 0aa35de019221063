"""CPU of a plain call at the edge, no sockets: INVITE 100 180 200 ACK BYE 200 on two legs, 13 messages.

Once with call control on the memory store behind it, as in the one-process B2BUA, and once with the commands
that call control gave, so that what remains is the edge alone. All calls are recorded first: what peers and
call control say is made before the clock runs.

.venv/bin/python benchmarks/micro/bench_edge.py [--calls 4000] [--rounds 3] [--only edge|all] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import time
from collections.abc import Callable, Iterator, Sequence

from b2bua.edge.v1 import edge_pb2
from b2bua_allinone.wiring import InProcessLink
from call_control.adapters.memory_store import MemoryStore
from call_control.domain.policy import WANTED_HEADERS, Policy
from call_control.domain.routing.entry import parse_route
from call_control.pod import Pod
from sip_edge.domain import Address, EdgeConfig, EdgeCore, Lifecycle, Listener, Query
from svckit.identity import Identity

CALLER: Address = ("192.0.2.1", 5060)
CALLEE: Address = ("192.0.2.2", 5060)
UDP = Listener(name="udp:198.51.100.1:5060", transport="udp", host="198.51.100.1", port=5060)
SALT = b"s" * 16
SECONDS_PER_CALL = 0.02
SDP = (
    "v=0\r\no=alice 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0 8 101\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)

Step = tuple[bytes, Address, list[edge_pb2.Command]]
"""A datagram, who sends it, and what call control has the edge do about it."""


class Wire:
    """An `Outlet` that keeps only what the peers of the recording have to look at."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Address]] = []
        self.count = 0

    def send_datagram(self, listener: str, data: bytes, address: Address) -> None:
        self.sent.append((data, address))

    def take(self) -> list[tuple[bytes, Address]]:
        """Return what left since the last look."""
        self.count += len(self.sent)
        taken, self.sent = self.sent, []
        return taken

    def connect(self, flow: str, listener: str, address: Address) -> None:
        raise AssertionError("nothing goes over TCP here")

    def send_stream(self, flow: str, data: bytes) -> None:
        raise AssertionError("nothing goes over TCP here")

    def close_stream(self, flow: str) -> None:
        raise AssertionError("nothing goes over TCP here")

    def resolve(self, token: int, query: Query) -> None:
        raise AssertionError("there are only addresses here")

    def source_ip(self, towards: str) -> str:
        return "198.51.100.1"


class NoControl:
    """A `ControlLink` whose answers come from the recording."""

    def submit(self, event: edge_pb2.Event) -> None:
        """Nothing to do."""

    def done(self, refs: Sequence[edge_pb2.CommandRef]) -> None:
        """Nothing to do."""

    def may_open_call(self) -> bool:
        return True


class Edge:
    """An edge and its clock; with `control`, call control behind it."""

    def __init__(self, *, control: bool) -> None:
        self.now = 1000.0
        self.wire = Wire()
        self.commands: list[edge_pb2.Command] = []
        store = MemoryStore(salt=SALT, clock=lambda: int(self.now * 1000))
        identity = Identity(b"k" * 32, salt=store.salt, shards=store.shards)
        link = InProcessLink(edge_id="edge", boot=1, execute=self._execute, schedule=self._schedule)
        self.flush: Callable[[], None] = link.flush if control else lambda: None
        self.core = EdgeCore(
            EdgeConfig(edge_id="edge", boot=1, listeners=(UDP,)), self.wire, link if control else NoControl()
        )
        self.core.greeted(identity, WANTED_HEADERS)
        self.core.admission.state = Lifecycle.SERVING
        if control:
            policy = Policy(routes=(parse_route(f"{CALLEE[0]}:{CALLEE[1]}"),))
            link.attach(Pod(pod_id="pod", store=store, identity=identity, policy=policy))

    def _execute(self, command: edge_pb2.Command) -> None:
        self.commands.append(command)
        self.core.execute(command, self.now)

    @staticmethod
    def _schedule(seconds: float, callback: Callable[[], None]) -> None:
        raise AssertionError("nothing waits here")

    def receive(self, data: bytes, source: Address) -> None:
        """Take a datagram and do what follows from it."""
        self.core.receive_datagram(UDP.name, data, source, self.now)
        self.flush()

    def pass_time(self) -> None:
        """The next call comes a little later."""
        self.now += SECONDS_PER_CALL
        if self.core.next_deadline() <= self.now:
            self.core.on_timer(self.now)
            self.flush()


def caller_says(method: str, call: int, cseq: int, uri: str, to_tag: str, body: str = "") -> bytes:
    """Return a request of the caller."""
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-5060-4711-{call}-{method}",
        "Max-Forwards: 70",
        f"From: <sip:alice@192.0.2.1:5060>;tag=4711a{call}",
        f"To: <sip:1234@198.51.100.1:5060>{to_tag}",
        f"Call-ID: {call}-4711@192.0.2.1",
        f"CSeq: {cseq} {method}",
    ]
    if body:
        lines += ["Contact: <sip:alice@192.0.2.1:5060>", "Content-Type: application/sdp"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()


def field(message: bytes, name: str) -> str:
    """Return the value of a header field."""
    return message.partition(f"\r\n{name}: ".encode())[2].partition(b"\r\n")[0].decode()


def callee_says(status: int, reason: str, request: bytes, to_tag: str, body: str = "") -> bytes:
    """Return an answer of the callee."""
    lines = [f"SIP/2.0 {status} {reason}"]
    lines += [f"{name}: {field(request, name)}" for name in ("Via", "From")]
    lines += [f"To: {field(request, 'To')}{to_tag}"]
    lines += [f"{name}: {field(request, name)}" for name in ("Call-ID", "CSeq")]
    if to_tag:
        lines.append("Contact: <sip:bob@192.0.2.2:5060>")
    if body:
        lines.append("Content-Type: application/sdp")
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()


def record(calls: int) -> list[Step]:
    """Play calls with call control and return what was said, call after call."""
    edge = Edge(control=True)
    steps: list[Step] = []

    def say(data: bytes, source: Address, listener: Address) -> bytes:
        """Send a datagram, and return the last one that somebody is sent for it."""
        edge.receive(data, source)
        steps.append((data, source, edge.commands))
        edge.commands = []
        return next((data for data, address in reversed(edge.wire.take()) if address == listener), b"")

    for call in range(calls):
        callee_tag = f";tag=4712b{call}"
        invite = say(caller_says("INVITE", call, 1, "sip:1234@198.51.100.1:5060", "", SDP), CALLER, CALLEE)
        say(callee_says(180, "Ringing", invite, callee_tag), CALLEE, CALLER)
        answer = say(callee_says(200, "OK", invite, callee_tag, SDP), CALLEE, CALLER)
        target, to_tag = field(answer, "Contact").strip("<>"), ";" + field(answer, "To").partition(";")[2]
        say(caller_says("ACK", call, 1, target, to_tag), CALLER, CALLEE)
        bye = say(caller_says("BYE", call, 2, target, to_tag), CALLER, CALLEE)
        say(callee_says(200, "OK", bye, ""), CALLEE, CALLER)
        edge.pass_time()
    assert edge.wire.count == 7 * calls, "100, INVITE, 180, 200, ACK, 200 and BYE leave in each call"
    return steps


def calls_of(steps: list[Step]) -> Iterator[list[Step]]:
    """The steps of one call after the other."""
    for first in range(0, len(steps), 6):
        yield steps[first : first + 6]


def play_edge(steps: list[Step]) -> None:
    """The edge alone."""
    edge = Edge(control=False)
    core = edge.core
    for call in calls_of(steps):
        for data, source, commands in call:
            core.receive_datagram(UDP.name, data, source, edge.now)
            for command in commands:
                core.execute(command, edge.now)
        edge.wire.take()
        edge.pass_time()
    assert edge.wire.count * 6 == 7 * len(steps)


def play_all(steps: list[Step]) -> None:
    """The edge and call control."""
    edge = Edge(control=True)
    for call in calls_of(steps):
        for data, source, _ in call:
            edge.receive(data, source)
        edge.commands.clear()
        edge.wire.take()
        edge.pass_time()
    assert edge.wire.count * 6 == 7 * len(steps)


PARTS: dict[str, Callable[[list[Step]], None]] = {"edge": play_edge, "all": play_all}


def cpu_seconds(part: str, steps: list[Step]) -> float:
    """CPU of one run."""
    gc.collect()
    began = time.process_time()
    PARTS[part](steps)
    return time.process_time() - began


def main() -> None:
    """Print microseconds per call."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=sorted(PARTS), help="this part")
    parser.add_argument("--profile", action="store_true", help="what takes the time, instead of how much")
    options = parser.parse_args()
    steps = record(options.calls)
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # as services run
    for part in [options.only] if options.only else PARTS:
        if options.profile:
            profile = cProfile.Profile()
            profile.runcall(PARTS[part], steps)
            pstats.Stats(profile).sort_stats("tottime").print_stats(60)
            continue
        best = min(cpu_seconds(part, steps) for _ in range(options.rounds)) / options.calls
        print(f"{part}: {best * 1e6:.1f} us per call")


if __name__ == "__main__":
    main()
