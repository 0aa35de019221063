"""What a proxy changes in the messages that it passes on (RFC 3261 16.6, 16.7; RFC 3327); nothing else."""

from collections.abc import Sequence
from typing import Final

from sipcore.grammar import split_commas
from sipcore.message import Request, Response
from sipcore.names import CANONICAL
from sipcore.serializer import serialize_request, serialize_response

MAX_FORWARDS: Final = 70
"""For a request that brings none (RFC 3261 16.6 step 3)."""


def request_bytes(request: Request, via: str, received_via: Sequence[str], path: str) -> bytes:
    """A request as it goes on: `via` on top, then `received_via`, the values of its own Via fields with the
    source of the packet filled in; one hop less; with `path` a Path before any other.

    Raises `LocalProtocolError` when it cannot be written down.
    """
    fields = [("Via", via)]
    if path:
        fields.append(("Path", path))
    max_forwards = request.max_forwards
    if max_forwards is None:
        fields.append(("Max-Forwards", str(MAX_FORWARDS)))
    below = iter(received_via)
    for name, value in request.headers.items():
        key = _key(name)
        if key == "via":
            fields.append((name, next(below)))
        elif key == "max-forwards" and max_forwards is not None:
            fields.append((name, str(max_forwards - 1)))
        else:
            fields.append((name, value))
    return serialize_request(request.method, request.uri, fields, request.body)


def response_bytes(response: Response) -> bytes:
    """A response as it goes back: without the topmost Via, which is ours.

    Raises `LocalProtocolError` when it cannot be written down.
    """
    fields: list[tuple[str, str]] = []
    ours = True
    for name, value in response.headers.items():
        if ours and _key(name) == "via":
            ours = False
            rest = split_commas(value)[1:]
            if rest:
                fields.append((name, ", ".join(rest)))
        else:
            fields.append((name, value))
    return serialize_response(response.status, response.reason, fields, response.body)


def _key(name: str) -> str:
    return CANONICAL.get(name) or name.lower()
