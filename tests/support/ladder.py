"""Scenarios written as ladders, one message a line, and made into SIPp scenarios.

A file of ``tests/e2e/ladders`` holds a group of rows; each names a kind of stack, and has one ladder a side::

    == refused on hunt
    -- caller
    > INVITE a
    < 100
    < 200 b
    > ACK
    -- callee 1
    < INVITE a
    > 503
    < ACK
    -- callee 2
    silent

``>`` sends and ``<`` awaits: a method, or a status with the method that it answers (by default the latest
request). Then may stand the name of a body (:data:`support.ladder_bodies.BODIES`), ``-`` for the absence of
one, ``"a reason phrase"``, and ``name=value`` (:data:`OPTIONS`). ``. 200`` waits for 200 ms, in which nothing
may come in. Below a message ``+ Name: value`` adds a header field, ``= Name: regex`` asks for one, ``! Name``
forbids it, ``~ regex`` asks for a line. A side that says ``silent`` hears and never answers; one without a
ladder must hear nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from support.ladder_bodies import BODIES, REASONS
from support.processes import ROOT

LADDERS = ROOT / "tests" / "e2e" / "ladders"

METHODS = frozenset(
    {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "REFER", "UPDATE", "PRACK", "MESSAGE"}
)
METHODS |= {"PUBLISH", "NOTIFY", "SUBSCRIBE", "REGISTER", "PING", "FROBNICATE"}
OPTIONS = frozenset({"cseq", "tag", "branch", "hops", "contact", "of", "ack"})
"""cseq: another number; tag: another To tag, or ``none``; branch: of the latest request with that method;
hops: Max-Forwards; contact: ``none``; of: which request a response or ACK belongs to, by its number among
those of its sender (ACK and CANCEL not counted); ack: ``none`` for an INVITE whose answer is never
acknowledged."""
_SILENT = "silent"
_DEFAULT_KIND = "plain"


class LadderError(Exception):
    """A ladder that cannot be read; the text names its line."""


@dataclass(slots=True)
class Step:
    """One line of a ladder, with the lines about header fields below it."""

    line: str
    verb: str
    words: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    adds: list[str] = field(default_factory=list)
    wants: list[tuple[str, str]] = field(default_factory=list)
    forbids: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def what(self) -> str:
        """The method or status."""
        return self.words[0]

    @property
    def is_response(self) -> bool:
        return self.what.isdigit()

    @property
    def of(self) -> str:
        """The method that a response names; empty for the latest request's."""
        return next((word for word in self.words[1:] if word in METHODS), "")

    @property
    def body(self) -> str | None:
        """The name of the body, ``-`` for none, or None when nobody asks."""
        return next((word for word in self.words[1:] if word == "-" or word in BODIES), None)


@dataclass(slots=True)
class Row:
    """One row: its kind of stack, and the ladder of each side by ``caller``, ``callee 1``, ..."""

    id: str
    kind: str
    sides: dict[str, list[Step]]

    def hears_only(self, side: str) -> bool:
        """Whether a side never answers."""
        return [step.verb for step in self.sides[side]] == [_SILENT]


def all_rows() -> list[Row]:
    """Return the rows of all files, in their order."""
    return [row for path in sorted(LADDERS.glob("*.ladder")) for row in read_rows(path)]


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a file. Raises :class:`LadderError`."""
    row: Row | None = None
    steps: list[Step] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.partition("#")[0].rstrip() if line.startswith(("#", "==", "--")) else line.rstrip()
        try:
            if text.startswith("=="):
                if row is not None:
                    yield row
                name, _, kind = text[2:].strip().partition(" on ")
                row = Row(f"{path.stem}/{name}", kind or _DEFAULT_KIND, {})
            elif text.startswith("--"):
                assert row is not None
                steps = row.sides.setdefault(text[2:].strip(), [])
            elif text:
                _read_step(text, steps)
        except (AssertionError, ValueError, IndexError) as error:
            raise LadderError(f"{path.name}:{number}: {line} ({error!r})") from error
    if row is not None:
        yield row


def _read_step(text: str, steps: list[Step]) -> None:
    verb, _, rest = text.strip().partition(" ")
    if verb == "+":
        steps[-1].adds.append(rest)
    elif verb == "=":
        name, _, pattern = rest.partition(":")
        steps[-1].wants.append((name, pattern.strip()))
    elif verb == "~":
        steps[-1].lines.append(rest)
    elif verb == "!":
        steps[-1].forbids.append(rest)
    else:
        steps.append(_message(verb, rest, text))


def _message(verb: str, rest: str, text: str) -> Step:
    step = Step(text, verb)
    if verb == _SILENT:
        return step
    assert verb in (">", "<", "."), "unknown verb"
    for word in shlex.split(rest):
        name, equals, value = word.partition("=")
        if equals and name in OPTIONS:
            step.options[name] = value
        elif word in METHODS or word in BODIES or word.isdigit() or word == "-":
            step.words.append(word)
        else:
            assert f'"{word}"' in rest, f"{word}?"
            step.reason = word
    assert step.words, "what?"
    return step


def render(row: Row, side: str) -> str:
    """Return the SIPp scenario of a side."""
    writer = _Caller() if side == "caller" else _Callee()
    return writer.write(f"{row.id} {side}", row.sides[side])


@dataclass(slots=True)
class _Sent:
    """A request of this side: its method, number in the ladder, and CSeq number."""

    method: str
    number: int
    cseq: str
    uri: str
    status: int = 0
    counted: int = 0
    named: bool = True


@dataclass(slots=True)
class _Got:
    """A request of the other side: its method, and its number in the ladder."""

    method: str
    number: int
    first: bool
    counted: int


class _Side:
    """Writes one side down; what both kinds of side share."""

    local_tag = ""
    number_of_first_request = 0

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._sent: list[_Sent] = []
        self._got: list[_Got] = []
        self._cseq = self.number_of_first_request
        self._variables: set[str] = set()
        self._text = ""

    def write(self, name: str, steps: list[Step]) -> str:
        self._lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<scenario name={quoteattr(name)}>"]
        self._text = "\n".join(line for step in steps for line in step.adds)
        for step in steps:
            if step.verb == ".":
                self._lines.append(f'  <pause milliseconds="{step.what}"/>')
            elif step.verb == ">" and step.is_response:
                self._send_response(step)
            elif step.verb == ">":
                self._send_request(step)
            elif step.is_response:
                self._await_response(step)
            else:
                self._await_request(step)
        if self._variables:
            self._lines.append(f'  <Reference variables="{",".join(sorted(self._variables))}"/>')
        self._lines.append("</scenario>\n")
        return "\n".join(self._lines)

    # -- what the sides differ in ----------------------------------------------------------

    def us(self) -> str:
        """From of requests of this side."""
        raise NotImplementedError

    def them(self, tag: str) -> str:
        """To of requests of this side."""
        raise NotImplementedError

    def uri(self) -> str:
        """Request-URI of requests of this side."""
        raise NotImplementedError

    def heard_response(self, sent: _Sent, status: int) -> Iterator[tuple[str, str, str]]:
        """Yield (header field, regex, variables) to keep of a response."""
        raise NotImplementedError

    def heard_request(self) -> Iterator[tuple[str, str, str]]:
        """Yield (header field, regex, variables) to keep of a request."""
        raise NotImplementedError

    # -- sending ---------------------------------------------------------------------------

    def _send_request(self, step: Step) -> None:
        method = step.what
        sent = self._next_request(step)
        attributes = 'retrans="500"'
        if method == "ACK":
            attributes = f'ack_txn="t{sent.number}"' if sent.named else ""
        else:
            # A CANCEL has the branch of its INVITE, and needs a name of its own.
            attributes += f' start_txn="{self._transaction(sent)}"' if sent.named else ""
        tag = step.options.get("tag", "")
        to = self.them(tag)
        if method == "ACK" and sent.status >= 300:
            to = f"[$refused{sent.number}]"
        elif method == "CANCEL":
            to = self.them_at_first() or to
        branch = sent.number
        if method == "ACK" and sent.status < 300:
            branch = 1000 + len(self._lines)
        headers = [
            f"{method} {sent.uri} SIP/2.0",
            f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={self._branch(branch)}",
            f"Max-Forwards: {step.options.get('hops', '70')}",
            f"From: {self.us()}",
            f"To: {to}",
            "Call-ID: [call_id]",
            f"CSeq: {step.options.get('cseq', sent.cseq)} {method}",
        ]
        if step.options.get("contact") != "none":
            headers.append("Contact: <sip:[local_ip]:[local_port]>")
        self._send(attributes, headers, step)

    def them_at_first(self) -> str:
        """To of the first INVITE of this side, for its CANCEL; empty for a callee."""
        return ""

    def _transaction(self, sent: _Sent) -> str:
        return f"c{sent.number}" if sent.method == "CANCEL" else f"t{sent.number}"

    def _branch(self, number: int) -> str:
        return f"z9hG4bK-[local_port]-[pid]-[call_number]-{number}"

    def _next_request(self, step: Step) -> _Sent:
        method = step.what
        if method in ("ACK", "CANCEL"):
            invite = self._meant("INVITE", step)
            if method == "ACK":
                return _Sent(
                    "ACK",
                    invite.number,
                    invite.cseq,
                    self._ack_uri(invite),
                    invite.status,
                    named=invite.named,
                )
            cancel = _Sent("CANCEL", invite.number, invite.cseq, invite.uri)
            self._sent.append(cancel)
            return cancel
        again = step.options.get("branch", "new")
        if again != "new":
            return self._latest(again)
        self._cseq += 1
        counted = 1 + sum(1 for one in self._sent if one.counted)
        sent = _Sent(method, len(self._sent) + 1, str(self._cseq), self.uri(), counted=counted)
        # SIPp wants an ACK for each INVITE that it knows by name.
        sent.named = step.options.get("ack") != "none"
        self._sent.append(sent)
        return sent

    def _ack_uri(self, invite: _Sent) -> str:
        return self.uri() if invite.status < 300 else invite.uri

    def _meant(self, method: str, step: Step) -> _Sent:
        if "of" in step.options:
            return next(one for one in self._sent if one.counted == int(step.options["of"]))
        return self._latest(method)

    def _latest(self, method: str) -> _Sent:
        return next(one for one in reversed(self._sent) if not method or one.method == method)

    def _send_response(self, step: Step) -> None:
        got = next(
            one
            for one in reversed(self._got)
            if one.method == (step.of or one.method)
            and one.counted == int(step.options.get("of", one.counted))
        )
        status = int(step.what)
        tag = step.options.get("tag", self.local_tag)
        tagged = got.first and tag != "none" and status > 100
        final_to_invite = got.method == "INVITE" and status >= 200
        reliable = any(line.startswith("RSeq") for line in step.adds)
        headers = [
            f"SIP/2.0 {status} {step.reason or REASONS.get(status, 'Whatever')}",
            f"Via: [$via{got.number}]",
            f"From: [$from{got.number}]",
            f"To: [$to{got.number}]{f';tag={tag}' if tagged else ''}",
            "Call-ID: [call_id]",
            f"CSeq: [$cseq{got.number}]",
        ]
        if step.options.get("contact") != "none" and status > 100 and status // 100 < 3:
            headers.append("Contact: <sip:bob@[local_ip]:[local_port]>")
        self._send('retrans="500"' if final_to_invite or reliable else "", headers, step)

    def _send(self, attributes: str, headers: list[str], step: Step) -> None:
        headers += step.adds
        lines = [f"  <send {attributes}><![CDATA[\n"]
        body = BODIES.get(step.body or "")
        if body is not None:
            headers.append(f"Content-Type: {body.content_type}")
        headers.append("Content-Length: [len]" if body is not None else "Content-Length: 0")
        lines += [f"      {header}" for header in headers] + [""]
        lines += [f"      {line}" for line in body.lines] if body is not None else []
        self._lines += [*lines, "  ]]></send>"]

    # -- hearing ---------------------------------------------------------------------------

    def _await_response(self, step: Step) -> None:
        sent = self._meant(step.of, step)
        status = int(step.what)
        if status >= 200:
            sent.status = status
        keeps = list(self.heard_response(sent, status)) if sent.method == "INVITE" else []
        if status >= 300 and sent.method == "INVITE":
            keeps.append(("To", "[^ ].*", f"refused{sent.number}"))
        transaction = f' response_txn="{self._transaction(sent)}"' if sent.named else ""
        if "[$rseq]" in self._text and 100 < status < 200:
            keeps.append(("RSeq", "[0-9]+", "rseq"))
        head = f'  <recv response="{status}"{transaction}>'
        self._await(head, step, keeps)

    def _await_request(self, step: Step) -> None:
        method = step.what
        keeps: list[tuple[str, str, str]] = []
        if method != "ACK":
            number = len(self._got) + 1
            counted = 0 if method == "CANCEL" else 1 + sum(1 for one in self._got if one.counted)
            self._got.append(_Got(method, number, not self._got and not self._sent, counted))
            names = ("Via", "From", "To", "CSeq")
            keeps += [(name, "[^ ].*", f"{name.lower()}{number}") for name in names]
            keeps += self.heard_request()
        self._await(f'  <recv request="{method}">', step, keeps)

    def _await(self, head: str, step: Step, keeps: list[tuple[str, str, str]]) -> None:
        actions = [_keep(name, regex, variables) for name, regex, variables in keeps]
        for _, _, variables in keeps:
            self._variables.update(variables.split(","))
        checks = [(name, pattern) for name, pattern in step.wants]
        if step.is_response and step.reason:
            actions.append(self._check("msg", "", f"^SIP/2.0 {step.what} {re.escape(step.reason)}"))
        if step.is_response and step.of:
            checks.append(("CSeq", step.of))
        if step.body == "-":
            checks.append(("Content-Length", "^ *0"))
        elif step.body:
            actions += [self._check("body", "", _literal(line)) for line in BODIES[step.body].lines if line]
        actions += [self._check("hdr", f"{name}:", pattern) for name, pattern in checks]
        actions += [self._check("msg", "", pattern) for pattern in step.lines]
        actions += [self._check("msg", "", f"[\r\n]{name} *:", inverse=True) for name in step.forbids]
        if not actions:
            self._lines.append(head[:-1] + "/>")
            return
        self._lines += [head, "    <action>", *actions, "    </action>", "  </recv>"]

    def _check(self, where: str, header: str, pattern: str, *, inverse: bool = False) -> str:
        variable = f"check{len(self._lines)}x{len(self._variables)}"
        self._variables.add(variable)
        named = f' header="{header}"' if header else ""
        verdict = "check_it_inverse" if inverse else "check_it"
        return (
            f'      <ereg regexp={_attribute(pattern)} search_in="{where}"{named} {verdict}="true"'
            f' assign_to="{variable}"/>'
        )


class _Caller(_Side):
    local_tag = "[pid]a[call_number]"
    _known = False

    def us(self) -> str:
        return f'"Alice" <sip:alice@[local_ip]:[local_port]>;tag={self.local_tag}'

    def them_at_first(self) -> str:
        invites = [one for one in self._sent if one.method == "INVITE"]
        return "<sip:bob@[remote_ip]:[remote_port]>" if len(invites) == 1 else ""

    def them(self, tag: str) -> str:
        if tag == "none" or not (self._known or tag):
            return "<sip:bob@[remote_ip]:[remote_port]>"
        return f"<sip:bob@[remote_ip]:[remote_port]>;tag={tag}" if tag else "[$them]"

    def uri(self) -> str:
        return "[$target]" if self._known else "sip:bob@[remote_ip]:[remote_port]"

    def heard_response(self, sent: _Sent, status: int) -> Iterator[tuple[str, str, str]]:
        if 100 < status < 300 and sent.number == 1:
            self._known = True
            yield "To", "[^ ].*", "them"
            yield "Contact", "<([^>]+)>", "contact,target"

    def heard_request(self) -> Iterator[tuple[str, str, str]]:
        yield from ()


class _Callee(_Side):
    local_tag = "[pid]b[call_number]"

    def us(self) -> str:
        return f"[$us];tag={self.local_tag}"

    def them(self, tag: str) -> str:
        return "[$them]"

    def uri(self) -> str:
        return "[$target]"

    def heard_response(self, sent: _Sent, status: int) -> Iterator[tuple[str, str, str]]:
        yield from ()

    def heard_request(self) -> Iterator[tuple[str, str, str]]:
        if len(self._got) == 1:
            yield "Contact", "<([^>]+)>", "contact,target"
            yield "From", "[^ ].*", "them"
            yield "To", "[^ ].*", "us"


def _keep(name: str, regex: str, variables: str) -> str:
    return (
        f'      <ereg regexp={_attribute(regex)} search_in="hdr" header="{name}:" check_it="true"'
        f' assign_to="{variables}"/>'
    )


def _literal(line: str) -> str:
    """Return a POSIX regular expression for a line of a body."""
    return re.sub(r"([.*+?()\[\]{}|^$\\])", r"\\\1", line)


def _attribute(text: str) -> str:
    return '"' + escape(text, {'"': "&quot;", "\r": "&#13;", "\n": "&#10;"}) + '"'
