"""The line protocol of the control socket: bytes in, pieces of replies out. No I/O.

Commands end with LF, their word is read in either case, blank lines are nothing. A connection may send any
number of them. Long lists come out in pieces, and what is done to all calls yields empty ones, so that
whoever sends them can do other work in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

LONGEST_LINE = 4096
"""Bytes of a command without its LF."""

OLD_SECONDS = 60.0
"""`llt` shows transactions that are older."""

NOT_AVAILABLE = "N/A"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegLine:
    """One side of a call as it is shown."""

    state: str
    """Name of the state of this side, such as `Connected` or `Ringing(UAC)`."""
    peer: str
    """`transport:ip:port`."""
    calling: str
    called: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    """A call as it is shown."""

    call_id: str
    """Call-ID of the ingress leg."""
    state: str
    """`WaitRoute`, `ARComplete` or `Connected`."""
    ingress: LegLine | None
    egress: LegLine | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionLine:
    """A transaction as it is shown; `age` in seconds."""

    id: str
    method: str
    state: str
    age: float


class Calls(Protocol):
    """The calls of this process, as the control socket sees them. Nothing here raises."""

    def calls(self) -> Iterator[CallLine]:
        """All calls that are not over."""

    def server_transactions(self) -> Iterator[TransactionLine]:
        """Requests of peers."""

    def client_transactions(self) -> Iterator[TransactionLine]:
        """Requests of ours."""

    def disconnect(self, call_id: str) -> bool:
        """End all calls with this ingress Call-ID. False: there is none."""

    def disconnect_all(self) -> Iterator[None]:
        """End all calls, one with each step."""

    def media_timeout(self, relay_id: str, media: int | None) -> bool:
        """A media relay tells that nothing flows in a call that it knows by `relay_id`.

        `media` is the index of the stream, None for the first. False: there is no such call.
        """


class ControlSession:
    """One connection of the control socket."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._rest = b""
        self.closed = False
        """The connection is to be closed once the replies are sent."""

    def receive(self, data: bytes) -> Iterator[bytes]:
        """Take what arrived; yield the pieces of the replies. Exhaust it before the next call."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if len(line) > LONGEST_LINE:
                break
            for piece in self._command(line.decode("ascii", "replace").strip()):
                yield piece.encode("ascii", "backslashreplace")
            if self.closed:
                return
        else:
            if len(self._rest) <= LONGEST_LINE:
                return
        self.closed = True
        yield b"ERROR: the line is too long\n"

    def _command(self, line: str) -> Iterator[str]:
        if not line:
            return
        word, _, argument = line.partition(" ")
        if word.lower() == "q":
            self.closed = True
            return
        handler = _COMMANDS.get(word.lower())
        if handler is None:
            yield "ERROR: unknown command\n"
        else:
            yield from handler(self._calls, argument.strip())


def _list_calls(calls: Calls, argument: str) -> Iterator[str]:
    yield "In-memory calls:\n"
    total = 0
    for call in calls.calls():
        total += 1
        legs = f"{_leg(call.ingress)} -> {_leg(call.egress)}"
        yield _printable(f"{call.call_id}: {call.state} ({legs})") + "\n"
    yield f"Total: {total}\n"


def _leg(leg: LegLine | None) -> str:
    return NOT_AVAILABLE if leg is None else f"{leg.state} {leg.peer} {leg.calling} {leg.called}"


def _list_transactions(calls: Calls, argument: str) -> Iterator[str]:
    yield "In-memory server transactions:\n"
    yield from (_transaction(one) + "\n" for one in calls.server_transactions())
    yield "In-memory client transactions:\n"
    yield from (_transaction(one) + "\n" for one in calls.client_transactions())


def _list_old_transactions(calls: Calls, argument: str) -> Iterator[str]:
    yield "In-memory server transactions:\n"
    yield from _old(calls.server_transactions())
    yield "In-memory client transactions:\n"
    yield from _old(calls.client_transactions())


def _old(transactions: Iterable[TransactionLine]) -> Iterator[str]:
    for one in transactions:
        if one.age > OLD_SECONDS:
            yield f"{_transaction(one)} {one.age:.0f}\n"


def _transaction(one: TransactionLine) -> str:
    return _printable(f"{one.id} {one.method} {one.state}")


def _disconnect(calls: Calls, argument: str) -> Iterator[str]:
    if not argument or " " in argument:
        yield "ERROR: syntax error: d <call-id>\n"
    elif argument == "*":
        yield from ("" for _ in calls.disconnect_all())
        yield "OK\n"
    elif calls.disconnect(argument):
        yield "OK\n"
    else:
        yield f"ERROR: no call with id of {_printable(argument)} has been found\n"


def _media_timeout(calls: Calls, argument: str) -> Iterator[str]:
    relay_id, _, media = argument.partition(" ")
    media = media.strip()
    if not relay_id or (media and not (media.isdigit() and len(media) <= 4)):
        yield "ERROR: syntax error: r <id> [<media-index>]\n"
    elif calls.media_timeout(relay_id, int(media) if media else None):
        yield "OK\n"
    else:
        yield f"ERROR: no call with id of {_printable(relay_id)} has been found\n"


def _printable(text: str) -> str:
    """What came from the wire must not look like a line of ours, nor command a terminal."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else "?" for one in text)


_COMMANDS: Mapping[str, Callable[[Calls, str], Iterator[str]]] = MappingProxyType(
    {
        "l": _list_calls,
        "lt": _list_transactions,
        "llt": _list_old_transactions,
        "d": _disconnect,
        "r": _media_timeout,
    }
)
