"""A synchronous SIP user agent on plain UDP sockets, for what SIPp cannot do.

It shares no code with the product, so that both cannot be wrong in the same way. A :class:`Caller` has a
socket of its own; one :class:`Callee` takes any number of calls on one port. Requests and 2xx are repeated as
RFC 3261 asks, so that a lost process in between is met as a real peer would meet it.
"""

from __future__ import annotations

import itertools
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from support.ports import bracketed, loopback

T1 = 0.5
T2 = 4.0
PATIENCE = 10.0
_SDP = (
    "v=0\r\no={who} 1 1 IN IP4 127.0.0.1\r\ns={who}\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0\r\n"
)
_TOP_VIA = re.compile(r"SIP/2\.0/\w+ (\[[^]]+\]|[^;:]+)(?::(\d+))?")

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Message:
    """A SIP message as far as a user agent looks at it."""

    start_line: str
    headers: tuple[tuple[str, str], ...]
    body: str
    source: Address

    @property
    def method(self) -> str:
        """The method of a request, or of the request that a response answers."""
        return self.header("cseq").split()[1]

    @property
    def is_response(self) -> bool:
        return self.start_line.startswith("SIP/2.0 ")

    @property
    def status(self) -> int:
        """The status of a response; 0 for a request."""
        return int(self.start_line.split()[1]) if self.is_response else 0

    def header(self, name: str) -> str:
        """Return the first value of a header field (lower-case name), or the empty string."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def all(self, name: str) -> list[str]:
        """Return the values of all header fields of a name."""
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def branch(self) -> str:
        """The branch of the top Via."""
        return _parameter(self.header("via"), "branch")

    @property
    def call_id(self) -> str:
        return self.header("call-id")

    @property
    def contact(self) -> str:
        """The URI of the first Contact."""
        return _uri(self.header("contact"))

    @property
    def to_tag(self) -> str:
        return _parameter(self.header("to"), "tag")


def tag_of(value: str) -> str:
    """Return the tag in a From or To value."""
    return _parameter(value, "tag")


def _parameter(value: str, name: str) -> str:
    found = re.search(rf";{name}=([^;,\s]+)", value)
    return found.group(1) if found else ""


def _uri(value: str) -> str:
    found = re.search(r"<([^>]+)>", value)
    return found.group(1) if found else value.partition(";")[0]


def address_of(uri: str) -> Address:
    """Return the address in a SIP URI that holds a numeric host and a port."""
    hostport = uri.partition(":")[2].rpartition("@")[2].partition(";")[0]
    host, _, port = hostport.rpartition(":")
    return host.strip("[]"), int(port)


def sdp(who: str) -> str:
    """Return a session description that names its sender."""
    return _SDP.format(who=who)


def parse(data: bytes, source: Address) -> Message:
    """Read a message; well-formed ones only, as the product must send."""
    head, _, body = data.decode().partition("\r\n\r\n")
    start_line, *lines = head.split("\r\n")
    headers = tuple((name.strip(), value.strip()) for name, _, value in (x.partition(":") for x in lines))
    return Message(start_line, headers, body, source)


def compose(start_line: str, headers: list[tuple[str, str]], body: str = "") -> bytes:
    """Write a message."""
    lines = [start_line, *(f"{name}: {value}" for name, value in headers), f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def repeats() -> Iterator[float]:
    """Yield the waits between repeats of an unreliable message: T1, doubled up to T2."""
    wait = T1
    while True:
        yield wait
        wait = min(2 * wait, T2)


class Endpoint:
    """A UDP socket, and what came in on it: what nobody asked for yet, and all that was ever seen."""

    def __init__(self, family: int = 4, port: int = 0) -> None:
        self._socket = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
        self._socket.bind((loopback(family), port))
        self.host, self.port = self._socket.getsockname()[:2]
        self._inbox: list[Message] = []
        self.seen: list[Message] = []
        self.reflex: Callable[[Message], None] = lambda message: None

    @property
    def hostport(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"

    def close(self) -> None:
        self._socket.close()

    def send(self, data: bytes, to: Address) -> None:
        self._socket.sendto(data, to)

    def take(
        self,
        wanted: Callable[[Message], bool],
        what: str,
        *,
        timeout: float,
        repeat: Callable[[], None] | None = None,
    ) -> Message:
        """Return (and remove) the first message wanted; call ``repeat`` as T1 doubles until it comes."""
        deadline = time.monotonic() + timeout
        waits = repeats()
        repeat_at = time.monotonic() + next(waits)
        while True:
            for index, message in enumerate(self._inbox):
                if wanted(message):
                    return self._inbox.pop(index)
            now = time.monotonic()
            if now > deadline:
                seen = "\n".join(f"  {m.start_line} ({m.method})" for m in self.seen)
                raise AssertionError(f"{self.hostport}: no {what} within {timeout:g} s; seen:\n{seen}")
            if repeat is not None and now > repeat_at:
                repeat()
                repeat_at = now + next(waits)
            self._receive(min(deadline, repeat_at if repeat else deadline) - now)

    def drain(self, seconds: float) -> None:
        """Hear whatever comes in for a while."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._receive(left)

    def _receive(self, timeout: float) -> None:
        self._socket.settimeout(max(timeout, 0.001))
        try:
            data, source = self._socket.recvfrom(65535)
        except TimeoutError:
            return
        message = parse(data, source[:2])
        self.reflex(message)
        self.seen.append(message)
        self._inbox.append(message)


@dataclass(frozen=True, slots=True)
class Pending:
    """A request on its way."""

    method: str
    branch: str
    data: bytes


@dataclass(slots=True)
class Dialog:
    """One side of a call: what is needed to send a request in it and to answer one."""

    endpoint: Endpoint
    call_id: str
    local: str
    remote: str
    target: str = ""
    cseq: int = 1
    next_hop: Address | None = None
    _told: set[str] = field(default_factory=set)
    _counter: Iterator[int] = field(default_factory=itertools.count)

    def _send(self, data: bytes) -> None:
        self.endpoint.send(data, self.next_hop or address_of(self.target))

    def new_branch(self) -> str:
        return f"z9hG4bK{secrets.token_hex(6)}{next(self._counter)}"

    def request(
        self,
        method: str,
        *,
        branch: str = "",
        cseq: int = 0,
        body: str = "",
        extra: Sequence[tuple[str, str]] = (),
    ) -> bytes:
        """Write a request of this side."""
        headers = [
            ("Via", f"SIP/2.0/UDP {self.endpoint.hostport};branch={branch or self.new_branch()}"),
            ("Max-Forwards", "70"),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq or self.cseq} {method}"),
            ("Contact", f"<sip:{self.endpoint.hostport}>"),
        ]
        headers += extra
        if body:
            headers.append(("Content-Type", "application/sdp"))
        return compose(f"{method} {self.target} SIP/2.0", headers, body)

    def begin(self, method: str, *, body: str = "", extra: Sequence[tuple[str, str]] = ()) -> Pending:
        """Send an in-dialog request, the first time."""
        self.cseq += 1
        branch = self.new_branch()
        pending = Pending(method, branch, self.request(method, branch=branch, body=body, extra=extra))
        self._send(pending.data)
        return pending

    def repeat(self, pending: Pending) -> None:
        """Send a request again."""
        self._send(pending.data)

    def settle(self, pending: Pending, status: int = 200, *, timeout: float = PATIENCE) -> Message:
        """Wait for the final answer to a request, repeating it meanwhile, and check its status."""
        answer = self.endpoint.take(
            lambda m: m.branch == pending.branch and m.status >= 200,
            f"final answer to {pending.method}",
            timeout=timeout,
            repeat=lambda: self._send(pending.data),
        )
        assert answer.status == status, f"{pending.method}: {answer.start_line}"
        return answer

    def acknowledge(self) -> None:
        """Send ACK for the 2xx to the latest INVITE of this side."""
        self._send(self.request("ACK"))

    def acknowledge_refusal(self, pending: Pending) -> None:
        """Send ACK for a failure of an INVITE in the dialog."""
        self._send(self.request("ACK", branch=pending.branch))

    def hear(self, method: str, *, timeout: float = PATIENCE) -> Message:
        """Wait for a request of the other side in this dialog, without answering."""
        return self.endpoint.take(
            lambda m: not m.is_response and m.method == method and m.call_id == self.call_id,
            method,
            timeout=timeout,
        )

    def hear_progress(self, status: str) -> Message:
        """Wait for the NOTIFY that tells of a status; answer it, and the repeats of earlier ones."""
        while True:
            notify = self.hear("NOTIFY")
            self.answer(notify, 200, "OK")
            repeated = notify.branch in self._told
            self._told.add(notify.branch)
            if not repeated:
                assert notify.body == f"SIP/2.0 {status}\r\n"
                return notify

    def answer(self, request: Message, status: int, reason: str, *, body: str = "") -> None:
        """Answer a request in the dialog."""
        copied = [("Via", via) for via in request.all("via")]
        copied += [(name, request.header(name.lower())) for name in ("From", "To", "Call-ID", "CSeq")]
        if body:
            copied += [("Contact", f"<sip:{self.endpoint.hostport}>"), ("Content-Type", "application/sdp")]
        self.endpoint.send(compose(f"SIP/2.0 {status} {reason}", copied, body), request.source)

    def hear_bye(self, *, timeout: float = PATIENCE) -> None:
        """Wait for BYE and answer it."""
        self.answer(self.hear("BYE", timeout=timeout), 200, "OK")


class Caller(Dialog):
    """A caller with a socket of its own; ``next_hop`` is the edge that it sends to, and may be changed."""

    def __init__(self, next_hop: Address, *, user: str = "bob", family: int = 4) -> None:
        endpoint = Endpoint(family)
        host, port = next_hop
        uri = f"sip:{user}@{bracketed(host)}:{port}"
        local = f"<sip:alice@{endpoint.hostport}>;tag={secrets.token_hex(4)}"
        super().__init__(endpoint, f"{secrets.token_hex(8)}@test", local, f"<{uri}>", uri, next_hop=next_hop)
        self.branch = self.new_branch()
        self.invite_data = b""
        self._ack = b""
        endpoint.reflex = self._acknowledge_again

    def invite(self, *, body: str = sdp("caller"), extra: Sequence[tuple[str, str]] = ()) -> None:
        """Send the INVITE."""
        self.invite_data = self.request("INVITE", branch=self.branch, body=body, extra=extra)
        self._send(self.invite_data)

    def hear_status(self, status: int, *, method: str = "INVITE", timeout: float = PATIENCE) -> Message:
        """Wait for a response; the INVITE is repeated while nothing at all has answered it."""
        answer = self.endpoint.take(
            lambda m: m.status == status and m.method == method,
            f"{status} to {method}",
            timeout=timeout,
            repeat=self._repeat_invite,
        )
        if method == "INVITE" and 200 <= status < 300:
            self.target = answer.contact
            self.remote = answer.header("to")
        return answer

    def _repeat_invite(self) -> None:
        if not any(m.method == "INVITE" and m.is_response for m in self.endpoint.seen):
            self._send(self.invite_data)

    def acknowledge(self) -> None:
        """Send ACK for the 2xx, and from now on for each repeat of the first INVITE's."""
        self._ack = self._ack or self.request("ACK")
        super().acknowledge()

    def _acknowledge_again(self, message: Message) -> None:
        if self._ack and message.branch == self.branch and 200 <= message.status < 300:
            self._send(self._ack)

    def acknowledge_failure(self, answer: Message) -> None:
        """Acknowledge a failure: same branch and Request-URI as the INVITE."""
        self.remote, remote = answer.header("to"), self.remote
        self._send(self.request("ACK", branch=self.branch, cseq=1))
        self.remote = remote

    def cancel(self) -> None:
        """Send CANCEL for the INVITE."""
        self._send(self.request("CANCEL", branch=self.branch, cseq=1))

    @property
    def final_tags(self) -> set[str]:
        """The To tags of all final answers to the INVITE: more than one would be more than one answer."""
        finals = (m for m in self.endpoint.seen if m.method == "INVITE" and m.status >= 200)
        return {f"{m.status} {m.to_tag}" for m in finals}

    def close(self) -> None:
        self.endpoint.close()


class Callee(Endpoint):
    """A callee on a port of its own, for any number of calls."""

    def call(self, caller: Caller, *, user: str = "", timeout: float = PATIENCE) -> CalleeCall:
        """Wait for the INVITE that ``caller`` caused, to a user if given.

        Its Call-ID begins with the caller's.
        """
        start = f"INVITE sip:{user}@" if user else "INVITE "
        invite = self.take(
            lambda m: m.start_line.startswith(start) and m.call_id.startswith(caller.call_id),
            "INVITE",
            timeout=timeout,
        )
        return CalleeCall(self, invite)

    def invites(self, caller: Caller) -> set[tuple[str, str]]:
        """Return (Call-ID, branch) of every first INVITE that ``caller`` caused; repeats count once."""
        return {
            (m.call_id, m.branch)
            for m in self.seen
            if m.start_line.startswith("INVITE ") and m.call_id.startswith(caller.call_id) and not m.to_tag
        }


class CalleeCall(Dialog):
    """One call as its callee sees it. Responses go to ``next_hop`` when set, else where the top Via says."""

    def __init__(self, endpoint: Callee, invite: Message) -> None:
        local = f"{invite.header('to')};tag={secrets.token_hex(4)}"
        super().__init__(endpoint, invite.call_id, local, invite.header("from"), invite.contact)
        self.invite = invite

    def respond(
        self, status: int, reason: str, *, body: str = "", extra: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Answer the INVITE."""
        headers = [("Via", via) for via in self.invite.all("via")]
        headers += [("From", self.remote), ("To", self.local), ("Call-ID", self.call_id)]
        headers += [("CSeq", self.invite.header("cseq")), ("Contact", f"<sip:bob@{self.endpoint.hostport}>")]
        headers += extra
        if body:
            headers.append(("Content-Type", "application/sdp"))
        data = compose(f"SIP/2.0 {status} {reason}", headers, body)
        self.endpoint.send(data, self.next_hop or self._by_via())

    def _by_via(self) -> Address:
        found = _TOP_VIA.match(self.invite.header("via"))
        assert found is not None, self.invite.header("via")
        return found.group(1).strip("[]"), int(found.group(2) or 5060)

    def ring(self) -> None:
        self.respond(180, "Ringing")

    def pick_up(self) -> None:
        """Send 200 with an answer."""
        self.respond(200, "OK", body=sdp("callee"))

    def hear_ack(self, *, timeout: float = PATIENCE) -> Message:
        """Wait for ACK; the 200 is repeated until it comes."""
        return self.endpoint.take(
            lambda m: m.start_line.startswith("ACK ") and m.call_id == self.call_id,
            "ACK",
            timeout=timeout,
            repeat=self.pick_up,
        )
