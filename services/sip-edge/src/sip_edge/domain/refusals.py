"""Requests that the edge answers by itself, without state: what it refuses, and what needs no call."""

from typing import Final, NamedTuple
from zlib import crc32

from sip_edge.domain.drop_reasons import METHODS

Fields = list[tuple[str, str]]

ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, MESSAGE, NOTIFY"
"""What a peer may send us (RFC 3261 20.5)."""

REFUSAL_TAG: Final = "r-"
"""Tags in answers that leave no trace begin so: the ACK that comes back is known for what it is."""


class Verdict(NamedTuple):
    """An answer without further thought."""

    status: int
    reason: str
    allow: bool = False


OK: Final = Verdict(200, "OK")
FORBIDDEN: Final = Verdict(403, "Forbidden")
NO_TRANSACTION: Final = Verdict(481, "Call Leg/Transaction Does Not Exist")
NOT_ALLOWED: Final = Verdict(405, "Method Not Allowed", allow=True)
NOT_IMPLEMENTED: Final = Verdict(501, "Not Implemented", allow=True)
NOT_UTF8: Final = Verdict(400, "Bad Request - Not UTF-8")
UNAVAILABLE: Final = Verdict(503, "Service Unavailable")
TOO_MANY: Final = Verdict(500, "Server Internal Error")
BAD_EXTENSION: Final = Verdict(420, "Bad Extension")
TERMINATED: Final = Verdict(487, "Request Terminated")
UNDECIDED: Final = Verdict(500, "Server Internal Error")

OUTSIDE: Final[dict[str, Verdict]] = {
    **dict.fromkeys(("BYE", "INFO", "UPDATE", "PRACK"), NO_TRANSACTION),
    **dict.fromkeys(("NOTIFY", "PING"), OK),
    **dict.fromkeys(("REGISTER", "SUBSCRIBE", "PUBLISH", "REFER", "MESSAGE"), NOT_ALLOWED),
}
"""Methods that mean nothing to us outside of a dialog. INVITE, CANCEL and OPTIONS are the rest."""


def is_known(method: str) -> bool:
    """Whether a request of this method may be passed on inside a dialog."""
    return method in METHODS


def refusal_tag(reference: str) -> str:
    """To tag of an answer without state: the same for every repetition of the request (RFC 3261 8.2.7)."""
    return f"{REFUSAL_TAG}{crc32(reference.encode('utf-8', 'surrogateescape')):08x}"


def unsupported(required: tuple[str, ...], extensions: frozenset[str]) -> str:
    """The option tags that we do not know, as a value for Unsupported; empty when there is none."""
    return ", ".join([tag for tag in required if tag not in extensions])
