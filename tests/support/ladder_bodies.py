"""The bodies and reason phrases that ladders name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Body:
    """A body by its lines."""

    lines: tuple[str, ...]
    content_type: str = "application/sdp"


def _sdp(
    name: str, *attributes: str, address: str = "IN IP4 192.0.2.44", media: str = "audio 40000 RTP/AVP 0 8"
) -> Body:
    head = ("v=0", f"o={name} 1 1 IN IP4 192.0.2.44", f"s={name}", f"c={address}", "t=0 0", f"m={media}")
    return Body((*head, *attributes))


BODIES = {
    "a": _sdp("aa", "a=sendrecv"),
    "b": _sdp("bb", "a=sendrecv"),
    "c": _sdp("cc", "a=sendrecv"),
    "d": _sdp("dd", "a=sendrecv"),
    "early": _sdp("early", "a=sendrecv"),
    "early2": _sdp("early2", "a=sendrecv"),
    "sendonly": _sdp("sendonly", "a=sendonly"),
    "recvonly": _sdp("recvonly", "a=recvonly"),
    "inactive": _sdp("inactive", "a=inactive"),
    "zero": _sdp("zero", address="IN IP4 0.0.0.0"),
    "zero6": _sdp("zero6", address="IN IP6 ::"),
    "portless": _sdp("portless", media="audio 0 RTP/AVP 0 8"),
    "broken": Body(("this is no session description",)),
    "text": Body(("hello, world",), "text/plain"),
    "dtmf": Body(("Signal=5", "Duration=160"), "application/dtmf-relay"),
}
"""By the name that a ladder gives them. A hold has one of the forms in use, and crosses unchanged."""

REASONS = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    404: "Not Found",
    408: "Request Timeout",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    503: "Service Unavailable",
    603: "Decline",
}
