"""What a REFER asks for (RFC 3515, RFC 3892, RFC 4488), read from its header fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from b2bua.common.v1 import sip_pb2
from sipcore.errors import GrammarError, PeerProtocolError
from sipcore.transfer import (
    ReferredBy,
    ReferTo,
    parse_refer_sub,
    parse_refer_to,
    parse_referred_by,
)

#: Names and compact forms.
_REFER_TO = ("refer-to", "r")
_REFERRED_BY = ("referred-by", "b")
_REFER_SUB = ("refer-sub",)


class Refusal(Exception):
    """The REFER cannot be carried out; `status` and `reason` are the answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Refer(NamedTuple):
    """A REFER that can be carried out as far as its text goes."""

    to: ReferTo
    """Whom to call. The method is INVITE."""
    by: ReferredBy | None
    """Who says so; without the reference to a body part, which does not cross."""
    subscribes: bool
    """The sender wants to be told of the progress."""


def targets(headers: Iterable[sip_pb2.Header]) -> list[str]:
    """Return the Refer-To values: a good REFER has one."""
    return _values(headers, _REFER_TO)


def read(headers: Sequence[sip_pb2.Header], also: str | None = None) -> Refer:
    """Read a REFER, or with `also` a BYE that names the target there. Raises Refusal: 400, 416, 603."""
    to = targets(headers) if also is None else [also]
    by, subscribes = _values(headers, _REFERRED_BY), _values(headers, _REFER_SUB)
    if len(to) != 1 or len(by) > 1 or len(subscribes) > 1:
        raise Refusal(400, "Bad Request")
    try:
        refer = Refer(
            parse_refer_to(to[0]),
            _without_body_part(parse_referred_by(by[0])) if by else None,
            parse_refer_sub(subscribes[0]) if subscribes else True,
        )
    except GrammarError as error:
        raise Refusal(400, "Bad Request") from error
    except PeerProtocolError as error:
        raise Refusal(error.status, error.reason) from error
    if refer.to.method != "INVITE":
        raise Refusal(603, "Only INVITE Is Referred")
    return refer


def _values(headers: Iterable[sip_pb2.Header], names: tuple[str, ...]) -> list[str]:
    return [header.value for header in headers if header.name.lower() in names]


def _without_body_part(by: ReferredBy) -> ReferredBy:
    return by._replace(params=tuple([param for param in by.params if param[0].lower() != "cid"]))
