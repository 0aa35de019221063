"""What happened in a run, as lines for people, and as one hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from b2bua.callcontrol.v1.edge_link_pb2 import ConnectRequest, ConnectResponse
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain.store import Commit
from sipcore.testing.clock import Clock
from sipcore.testing.wire import Passage

_KEY_CHARACTERS = 8


class Trace:
    """Notes what happens; words are made of it only when somebody reads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start = clock.time()
        self._entries: list[tuple[float, str, str, object]] = []

    def note(self, who: str, what: str, detail: object = None) -> None:
        """Something happened now. `detail` must not change any more."""
        self._entries.append((self._clock.time(), who, what, detail))

    def lines(self) -> Iterator[str]:
        """One line, or several, for each thing that happened."""
        for time, who, what, detail in self._entries:
            for words in _words(detail):
                yield f"{time - self._start:10.4f}  {who:<16} {what:<12} {words}".rstrip()

    def digest(self) -> str:
        """A hash of all lines: equal for runs in which the same happened."""
        hashed = hashlib.sha256()
        for line in self.lines():
            hashed.update(line.encode())
        return hashed.hexdigest()


def _words(detail: object) -> Iterator[str]:
    if detail is None:
        yield ""
    elif isinstance(detail, Passage):
        yield f"{detail.fate.value:<11} {_packet(detail.data)}"
    elif isinstance(detail, ConnectRequest):
        yield from _request_frame(detail)
    elif isinstance(detail, ConnectResponse):
        yield from _response_frame(detail)
    elif isinstance(detail, Commit):
        yield _commit(detail)
    else:
        yield str(detail)


def _packet(data: bytes) -> str:
    head = data.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").split("\r\n")
    fields = dict(line.partition(": ")[::2] for line in reversed(head[1:]))
    branch = fields.get("Via", "").rpartition("branch=")[2].partition(";")[0]
    tags = "/".join(fields.get(name, "").rpartition(";tag=")[2] for name in ("From", "To"))
    start = head[0].removesuffix(" SIP/2.0").removeprefix("SIP/2.0 ")
    return f"{start} | {fields.get('CSeq')} | {fields.get('Call-ID')} | {branch} | {tags}"


def _request_frame(frame: ConnectRequest) -> Iterator[str]:
    for event in frame.events:
        yield f"event {event.edge.edge_id}/{event.edge.boot}#{event.id}{_marks(event)} {_event(event)}"
    if frame.done:
        yield "done " + " ".join(f"{_short(ref.call_key)}:{ref.id}" for ref in frame.done)


def _marks(event: edge.Event) -> str:
    return (" opens" if event.opens_call else "") + (" again" if event.redelivered else "")


def _event(event: edge.Event) -> str:
    key, kind = _short(event.call_key), event.WhichOneof("kind") or ""
    if kind == "request":
        return f"{key} {event.request.origin.method} {event.request.origin.cseq} {event.request.transaction}"
    if kind == "response":
        one = event.response
        flags = (" local" if one.local else "") + (" stray" if one.stray else "")
        return f"{key} {one.status} to {one.method} {one.cseq} {one.branch}{flags}"
    if kind == "sent":
        return f"{key} sent {event.sent.sent.branch}"
    return f"{key} {kind}"


def _response_frame(frame: ConnectResponse) -> Iterator[str]:
    if frame.acknowledged:
        yield "acknowledged " + " ".join(map(str, frame.acknowledged))
    for command in frame.commands:
        name = f"{_short(command.call_key)}:{command.id}"
        yield f"command {name} for {command.edge.edge_id} {_command(command)}"
    if frame.HasField("credits"):
        yield f"credits {frame.credits}"
    if frame.busy:
        yield "busy " + " ".join(map(str, frame.busy))


def _command(command: edge.Command) -> str:
    kind = command.WhichOneof("kind") or ""
    if kind == "respond":
        return f"respond {command.respond.status} to {command.respond.transaction}"
    if kind == "send_request":
        one = command.send_request
        return f"send {one.method} {one.cseq} {one.branch} to {one.target.uri}"
    if kind == "cancel":
        return f"cancel {command.cancel.branch}"
    return f"stop {command.stop.transaction or command.stop.branch}"


def _commit(commit: Commit) -> str:
    what = "restore" if commit.restore else "commit"
    ends = " ends" if commit.record is None else f" deadline {commit.deadline}"
    return f"{what} {_short(commit.key)} {commit.expected} by {commit.commit_id}{ends}"


def _short(key: str) -> str:
    return key[:_KEY_CHARACTERS]
