"""A callee that wants to know who calls: the route's credentials, worked out here once more."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from support.boards import Board, Boards
from support.sipp import UDP4
from support.ua import PATIENCE, Callee, CalleeCall, Caller, Message

USER, PASSWORD, REALM = "alice", "open-sesame", "a realm, quoted"
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
#: status -> (header field of the challenge, of the credentials)
FIELDS = {
    401: ("WWW-Authenticate", "authorization"),
    407: ("Proxy-Authenticate", "proxy-authorization"),
}


@dataclass
class Ends:
    """A caller and a callee at the two ends of a board."""

    caller: Caller
    callee: Callee

    def challenge(self, call: CalleeCall, status: int, algorithm: str, qop: str) -> None:
        """Refuse an INVITE with a challenge, and hear the ACK."""
        value = f'Digest realm="{REALM}", nonce="n-{algorithm}", algorithm={algorithm}, opaque="o"'
        value += f', qop="{qop}"' if qop else ""
        call.respond(status, "Who Are You", extra=[(FIELDS[status][0], value)])
        branch = call.invite.branch
        self.callee.take(lambda m: m.method == "ACK" and m.branch == branch, "ACK", timeout=PATIENCE)

    def finish(self, call: CalleeCall) -> None:
        """Let the callee pick up and the caller hang up."""
        call.pick_up()
        self.caller.hear_status(200)
        self.caller.acknowledge()
        call.hear_ack()
        bye = self.caller.begin("BYE")
        call.hear_bye()
        self.caller.settle(bye)


def ends_of(board: Board) -> Iterator[Ends]:
    """Yield the ends of a board, and close them."""
    host, _, port = board.stack.sip_address(UDP4).rpartition(":")
    ends = Ends(Caller((host, int(port))), Callee(port=board.ports[0]))
    yield ends
    ends.caller.close()
    ends.callee.close()
    board.stack.assert_no_traceback()


@pytest.fixture
def trusted(form: str, boards: Boards) -> Iterator[Ends]:
    """Ends with a route that has credentials between them."""
    yield from ends_of(boards.get(form, "credentials"))


@pytest.fixture
def unknown(form: str, boards: Boards) -> Iterator[Ends]:
    """Ends with a route without credentials between them."""
    yield from ends_of(boards.get(form, "plain"))


def fields_of(value: str) -> dict[str, str]:
    """Return the fields of credentials, without quotes."""
    return {name.lower(): text.strip('"') for name, text in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', value)}


def right_response(invite: Message, given: dict[str, str], algorithm: str) -> str:
    """Work the response out from RFC 7616 3.4.1."""

    def digest(text: str) -> str:
        return HASHES[algorithm](text.encode()).hexdigest()

    secret = digest(f"{USER}:{REALM}:{PASSWORD}")
    asked = digest(f"INVITE:{given['uri']}")
    assert given["uri"] == invite.start_line.split()[1]
    if "qop" not in given:
        return digest(f"{secret}:{given['nonce']}:{asked}")
    return digest(f"{secret}:{given['nonce']}:{given['nc']}:{given['cnonce']}:{given['qop']}:{asked}")


@pytest.mark.parametrize("status", FIELDS)
@pytest.mark.parametrize(("algorithm", "qop"), [("MD5", ""), ("MD5", "auth"), ("SHA-256", "auth")])
def test_the_route_proves_who_it_is(trusted: Ends, status: int, algorithm: str, qop: str) -> None:
    trusted.caller.invite()
    first = trusted.callee.call(trusted.caller)
    trusted.challenge(first, status, algorithm, qop)
    again = trusted.callee.call(trusted.caller)
    given = fields_of(again.invite.header(FIELDS[status][1]))
    assert (given["username"], given["realm"], given["nonce"]) == (USER, REALM, f"n-{algorithm}")
    assert given["opaque"] == "o"
    assert given["response"] == right_response(again.invite, given, algorithm)
    assert again.invite.header("cseq").split()[0] == str(int(first.invite.header("cseq").split()[0]) + 1)
    assert again.invite.header("from") == first.invite.header("from")
    trusted.finish(again)


@pytest.mark.parametrize("status", FIELDS)
def test_wrong_credentials_are_a_failure(trusted: Ends, status: int) -> None:
    trusted.caller.invite()
    for _ in range(2):
        trusted.challenge(trusted.callee.call(trusted.caller), status, "MD5", "auth")
    refusal = trusted.caller.hear_status(status)
    trusted.caller.acknowledge_failure(refusal)
    assert not refusal.header(FIELDS[status][0].lower())


@pytest.mark.parametrize("status", FIELDS)
def test_without_credentials_the_challenge_stays_here(unknown: Ends, status: int) -> None:
    unknown.caller.invite()
    unknown.challenge(unknown.callee.call(unknown.caller), status, "MD5", "auth")
    refusal = unknown.caller.hear_status(status)
    unknown.caller.acknowledge_failure(refusal)
    assert not refusal.header(FIELDS[status][0].lower())
