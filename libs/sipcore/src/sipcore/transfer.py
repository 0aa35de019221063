"""Call transfer: Refer-To (RFC 3515), Replaces (RFC 3891), Referred-By (RFC 3892), Refer-Sub (RFC 4488), and
what a NOTIFY tells of the progress (RFC 3420, RFC 6665).
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple
from urllib.parse import quote as _percent_quote

from sipcore.errors import GrammarError, LocalProtocolError
from sipcore.grammar import Params, find_param, format_params, is_token, quote
from sipcore.headers import parse_call_id, parse_name_addr, parse_parameterized
from sipcore.uri import AnyUri, Uri, parse_uri, unescape

SIPFRAG_TYPE = "message/sipfrag;version=2.0"
"""Content-Type of the body of a NOTIFY about a transfer (RFC 3515 2.4.5)."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_SAFE_IN_HEADER = "!*'()[]/?:+$"
"""hnv-unreserved and the marks that need no escape in a URI header (RFC 3261 25.1)."""


class Replaces(NamedTuple):
    """Replaces (RFC 3891 6.1): the dialog whose place the INVITE is to take, as its receiver sees it."""

    call_id: str
    to_tag: str
    """The tag of the receiver of the INVITE."""
    from_tag: str
    """The tag of the receiver's peer."""
    early_only: bool = False
    """Whether the dialog must not have been confirmed."""

    def __str__(self) -> str:
        early = ";early-only" if self.early_only else ""
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}{early}"

    def names(self, call_id: str, local_tag: str, remote_tag: str) -> bool:
        """Whether this is that dialog of ours (RFC 3891 3); "0" is the tag of a peer that has none."""
        return (
            self.call_id == call_id
            and _tag(self.to_tag) == _tag(local_tag)
            and _tag(self.from_tag) == _tag(remote_tag)
        )


class ReferTo(NamedTuple):
    """Refer-To (RFC 3515 2.1): whom to call, and with which header fields."""

    target: AnyUri
    """The URI to call, without its headers and ``method`` parameter."""
    headers: tuple[tuple[str, str], ...] = ()
    """The headers of the URI, name as on the wire and value with its escapes resolved: one line, no control
    characters. Who honours others than :attr:`replaces` has to weigh what the peer may set (RFC 3261 19.1.5).
    """
    method: str = "INVITE"
    display: str = ""
    params: Params = ()
    """Parameters of the header field."""

    def __str__(self) -> str:
        uri = str(self.target)
        if self.method != "INVITE":
            uri += f";method={_escaped(self.method)}"
        if self.headers:
            uri += "?" + "&".join([f"{_escaped(name)}={_escaped(value)}" for name, value in self.headers])
        display = f"{quote(self.display)} " if self.display else ""
        return f"{display}<{uri}>{format_params(self.params)}"

    def header(self, name: str) -> str | None:
        """The value of the first header called ``name`` (lower case), or None."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def replaces(self) -> Replaces | None:
        """The dialog that the call is to replace (RFC 3891 5), or None."""
        value = self.header("replaces")
        return None if value is None else parse_replaces(value)


class ReferredBy(NamedTuple):
    """Referred-By (RFC 3892 3): who asked for the transfer."""

    uri: str
    """As on the wire."""
    display: str = ""
    params: Params = ()
    """``cid`` names the body part that proves it, if there is one."""

    def __str__(self) -> str:
        display = f"{quote(self.display)} " if self.display else ""
        return f"{display}<{self.uri}>{format_params(self.params)}"

    @property
    def cid(self) -> str | None:
        """The Content-ID of the Referred-By token, without quotes, or None."""
        return find_param(self.params, "cid") or None


class SubscriptionReason(Enum):
    """Why a subscription has ended (RFC 6665 4.1.3)."""

    NO_RESOURCE = "noresource"
    """All has been told: how a transfer ends (RFC 3515 2.4.7)."""
    TIMEOUT = "timeout"
    REJECTED = "rejected"
    DEACTIVATED = "deactivated"
    PROBATION = "probation"
    GIVE_UP = "giveup"


def parse_refer_to(text: str) -> ReferTo:
    """The one value of Refer-To.

    Raises GrammarError when it is malformed, when a header of its URI holds a line end or another control
    character, or when there is more than one Replaces or a malformed one; PeerProtocolError 416 when the URI
    is neither sip, sips nor tel.
    """
    address = parse_name_addr(text)
    uri = parse_uri(address.uri)
    if not isinstance(uri, Uri):
        return ReferTo(uri, (), "INVITE", address.display, address.params)
    given = uri.param("method")
    method = "INVITE" if given is None else unescape(given)
    if not is_token(method):
        raise GrammarError("bad method")
    headers = tuple([_header(name, value) for name, value in uri.headers])
    replaces = [value for name, value in headers if name.lower() == "replaces"]
    if len(replaces) > 1:
        raise GrammarError("more than one Replaces")
    if replaces:
        parse_replaces(replaces[0])
    params = tuple([param for param in uri.params if param[0].lower() != "method"])
    target = uri._replace(params=params, headers=())
    return ReferTo(target, headers, method, address.display, address.params)


def parse_replaces(text: str) -> Replaces:
    """The value of Replaces, or of the URI header of that name with its escapes resolved.

    Raises GrammarError when a tag is missing or given twice, or the value is malformed.
    """
    value = parse_parameterized(text)
    to_tag, from_tag = value.param("to-tag"), value.param("from-tag")
    if to_tag is None or from_tag is None:
        raise GrammarError("no tag")
    if not (is_token(to_tag) and is_token(from_tag)):
        raise GrammarError("bad tag")
    return Replaces(parse_call_id(value.value), to_tag, from_tag, value.param("early-only") is not None)


def parse_referred_by(text: str) -> ReferredBy:
    """The one value of Referred-By. Raises GrammarError."""
    display, uri, params = parse_name_addr(text)
    if uri == "*":
        raise GrammarError("no URI")
    return ReferredBy(uri, display, params)


def parse_refer_sub(text: str) -> bool:
    """Refer-Sub (RFC 4488 4): whether the REFER wants to be told of the progress. Raises GrammarError."""
    value = _REFER_SUB.get(parse_parameterized(text).value.lower())
    if value is None:
        raise GrammarError("neither true nor false")
    return value


def sipfrag(status: int, reason: str) -> bytes:
    """The body of a NOTIFY that tells of such a response (RFC 3420, RFC 3515 2.4.5).

    Raises LocalProtocolError when the status is not 100..699 or the reason phrase is no single line.
    """
    if not 100 <= status <= 699:
        raise LocalProtocolError("status is not 100..699")
    if _CONTROLS.search(reason) is not None:
        raise LocalProtocolError("control character in reason phrase")
    return f"SIP/2.0 {status} {reason}\r\n".encode("utf-8", "surrogateescape")


def active_state(expires: int) -> str:
    """Subscription-State while there is more to tell, for ``expires`` seconds at most (RFC 6665 4.1.3)."""
    return f"active;expires={expires}"


def terminated_state(reason: SubscriptionReason) -> str:
    """Subscription-State of the last NOTIFY (RFC 6665 4.1.3)."""
    return f"terminated;reason={reason.value}"


def _header(name: str, value: str) -> tuple[str, str]:
    name, value = unescape(name), unescape(value)
    if not is_token(name):
        raise GrammarError("bad header in URI")
    if _CONTROLS.search(value) is not None:
        raise GrammarError("control character in URI")
    return name, value


def _escaped(text: str) -> str:
    return _percent_quote(text, safe=_SAFE_IN_HEADER, errors="surrogateescape")


def _tag(text: str) -> str:
    return "" if text == "0" else text


_REFER_SUB = {"true": True, "false": False}
