"""Requests, responses and their header fields.

Header fields keep their order, the spelling of their names and their values. The typed accessors parse a
field the first time it is asked for and remember the result until the headers change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias, TypeVar

from sipcore.errors import GrammarError, PeerProtocolError
from sipcore.grammar import WSP, is_token, split_commas
from sipcore.headers import (
    CSeq,
    NameAddr,
    Via,
    ViaForm,
    parse_call_id,
    parse_content_length,
    parse_cseq,
    parse_delta_seconds,
    parse_first_via,
    parse_max_forwards,
    parse_name_addr,
    parse_tag,
    parse_token,
    parse_via,
    read_first_via,
)
from sipcore.names import CANONICAL, SPELLING, canonical_name
from sipcore.uri import AnyUri, parse_uri

_T = TypeVar("_T")


class Headers:
    """Ordered header fields; look-up by lower-case long form ("call-id" also finds ``i``)."""

    __slots__ = ("_lines", "_split", "_typed", "index")

    index: dict[str, list[str]]
    """Canonical name to values, in order. To be read only; it saves the hot path a call."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._lines: list[str] = []
        self._split: list[tuple[str, str]] | None = list(fields)
        self._typed: dict[str, Any] = {}
        self._rebuild()

    @classmethod
    def adopt(cls, lines: list[str], index: dict[str, list[str]]) -> Headers:
        """Headers around what the parser has built: lines that are header fields, unfolded, and ``index``,
        which maps canonical names to the values in order.
        """
        headers = cls.__new__(cls)
        headers._lines = lines
        headers._split = None
        headers.index = index
        headers._typed = {}
        return headers

    @property
    def _fields(self) -> list[tuple[str, str]]:
        """Names and values in order. Few messages are asked for them, so the parser leaves them to us."""
        fields = self._split
        if fields is None:
            pairs = [line.split(":", 1) for line in self._lines]
            fields = self._split = [(name.rstrip(WSP), value.strip(WSP)) for name, value in pairs]
        return fields

    def get(self, name: str) -> str | None:
        """The value of the first field called ``name``, or None."""
        values = self.index.get(name)
        if values is None:
            values = self.index.get(_canonical(name))
        return values[0] if values else None

    def get_all(self, name: str) -> list[str]:
        """The values of all fields called ``name``, in order, not split."""
        return list(self.index.get(_canonical(name), ()))

    def values(self, name: str) -> list[str]:
        """The values of all fields called ``name``, split on commas outside quotes and <>; empty ones left
        out.
        """
        return [part for value in self.get_all(name) for part in split_commas(value) if part]

    def count(self, name: str) -> int:
        """How many fields are called ``name``."""
        return len(self.index.get(_canonical(name), ()))

    def items(self) -> list[tuple[str, str]]:
        """All fields in order, names as on the wire."""
        return list(self._fields)

    def add(self, name: str, value: str) -> None:
        """Append a field."""
        self._fields.append((name, value))
        self.index.setdefault(_canonical(name), []).append(value)
        self._typed.clear()

    def set(self, name: str, value: str) -> None:
        """Put one field in the place of the first one called ``name``, drop the others; append if there is
        none.
        """
        key = _canonical(name)
        if key not in self.index:
            self.add(name, value)
            return
        fields: list[tuple[str, str]] = []
        replaced = False
        for field in self._fields:
            if _canonical(field[0]) != key:
                fields.append(field)
            elif not replaced:
                fields.append((name, value))
                replaced = True
        self._split = fields
        self._rebuild()

    def remove(self, name: str) -> None:
        """Drop all fields called ``name``."""
        key = _canonical(name)
        if key in self.index:
            self._split = [field for field in self._fields if _canonical(field[0]) != key]
            self._rebuild()

    def __contains__(self, name: str) -> bool:
        return _canonical(name) in self.index

    def __len__(self) -> int:
        return len(self._lines if self._split is None else self._split)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return self._fields == other._fields

    def __repr__(self) -> str:
        return f"Headers({self._fields!r})"

    def _rebuild(self) -> None:
        index: dict[str, list[str]] = {}
        for name, value in self._fields:
            index.setdefault(_canonical(name), []).append(value)
        self.index = index
        self._typed.clear()


class Essentials(NamedTuple):
    """What every message must have (RFC 3261 8.1.1), read in one go."""

    via: ViaForm
    """Form of the topmost Via."""
    branch: str
    """Branch of the topmost Via; "" if there is none."""
    from_tag: str
    """"" if there is none."""
    to_tag: str
    """"" if there is none."""
    call_id: str
    cseq: int
    method: str
    """Method of the CSeq."""


class _Message:
    """What requests and responses share: headers, body and the typed accessors."""

    __slots__ = ("body", "headers")

    headers: Headers
    body: bytes

    @property
    def essentials(self) -> Essentials:
        """The fields that every message must have; cheaper than the accessors one by one.

        Raises PeerProtocolError as the accessors do, for the first fault in the order of the fields there.
        """
        found: Essentials | None = self.headers._typed.get("essentials")
        return found if found is not None else self._read_essentials()

    @property
    def via_form(self) -> tuple[ViaForm, str]:
        """The topmost Via as its form and its branch, "" if there is none; cheaper than ``via``."""
        found: tuple[ViaForm, str] | None = self.headers._typed.get("via-form")
        return found if found is not None else self._mandatory("via", read_first_via, "via-form")

    @property
    def via(self) -> Via:
        """The topmost Via (RFC 3261 20.42)."""
        found: Via | None = self.headers._typed.get("via")
        return found if found is not None else self._mandatory("via", parse_first_via)

    @property
    def vias(self) -> tuple[Via, ...]:
        """All Via elements, topmost first."""
        values = self.headers.index.get("via")
        if values is not None and len(values) == 1 and "," not in values[0]:
            return (self.via,)
        return self._list("via", "vias", parse_via)

    @property
    def from_(self) -> NameAddr:
        """From (RFC 3261 20.20)."""
        found: NameAddr | None = self.headers._typed.get("from")
        return found if found is not None else self._mandatory("from", parse_name_addr)

    @property
    def to(self) -> NameAddr:
        """To (RFC 3261 20.39)."""
        found: NameAddr | None = self.headers._typed.get("to")
        return found if found is not None else self._mandatory("to", parse_name_addr)

    @property
    def from_tag(self) -> str:
        """The tag of From; "" if there is none."""
        found: str | None = self.headers._typed.get("from-tag")
        return found if found is not None else self._mandatory("from", parse_tag, "from-tag")

    @property
    def to_tag(self) -> str:
        """The tag of To; "" if there is none."""
        found: str | None = self.headers._typed.get("to-tag")
        return found if found is not None else self._mandatory("to", parse_tag, "to-tag")

    @property
    def call_id(self) -> str:
        """Call-ID (RFC 3261 20.8)."""
        found: str | None = self.headers._typed.get("call-id")
        return found if found is not None else self._mandatory("call-id", parse_call_id)

    @property
    def cseq(self) -> CSeq:
        """CSeq (RFC 3261 20.16)."""
        found: CSeq | None = self.headers._typed.get("cseq")
        return found if found is not None else self._mandatory("cseq", parse_cseq)

    @property
    def contact(self) -> NameAddr | None:
        """The first Contact (RFC 3261 20.10), or None; its ``uri`` is "*" for ``Contact: *``."""
        headers = self.headers
        if "contact" not in headers.index:
            return None
        found: NameAddr | None = headers._typed.get("contact")
        return found if found is not None else self._mandatory("contact", _first_address)

    @property
    def contacts(self) -> tuple[NameAddr, ...]:
        """All Contact elements."""
        values = self.headers.index.get("contact")
        if values is not None and len(values) == 1 and "," not in values[0]:
            first = self.contact
            return () if first is None else (first,)
        return self._list("contact", "contacts", parse_name_addr)

    @property
    def contact_uri(self) -> AnyUri | None:
        """The URI of the first Contact, parsed, or None; a scheme that we do not speak is a 400 too."""
        found: AnyUri | None = self.headers._typed.get("contact-uri")
        contact = self.contact
        if found is None and contact is not None:
            try:
                found = parse_uri(contact.uri)
            except PeerProtocolError as error:
                why = error.why if isinstance(error, GrammarError) else "scheme"
                raise GrammarError(why).within("Contact") from error
            self.headers._typed["contact-uri"] = found
        return found

    @property
    def record_routes(self) -> tuple[str, ...]:
        """The elements of Record-Route in order, each as on the wire and known to be well formed."""
        if "record-route" not in self.headers.index:
            return ()
        return self._list("record-route", "record-routes", _checked_route)

    @property
    def routes(self) -> tuple[str, ...]:
        """The elements of Route in order, each as on the wire and known to be well formed."""
        return self._list("route", "routes", _checked_route)

    @property
    def max_forwards(self) -> int | None:
        """Max-Forwards (RFC 3261 20.22), 0..255, or None."""
        headers = self.headers
        if "max-forwards" not in headers.index:
            return None
        found: int | None = headers._typed.get("max-forwards")
        return found if found is not None else self._mandatory("max-forwards", parse_max_forwards)

    @property
    def expires(self) -> int | None:
        """Expires (RFC 3261 20.19) in seconds, or None."""
        return self._optional("expires", parse_delta_seconds)

    @property
    def content_length(self) -> int | None:
        """Content-Length (RFC 3261 20.14) in octets as the peer gave it, or None."""
        return self._optional("content-length", parse_content_length)

    @property
    def require(self) -> tuple[str, ...]:
        """The option tags of Require (RFC 3261 20.32), in lower case."""
        if "require" not in self.headers.index:
            return ()
        return self._list("require", "require", _option_tag)

    @property
    def proxy_require(self) -> tuple[str, ...]:
        """The option tags of Proxy-Require (RFC 3261 20.29), in lower case."""
        return self._list("proxy-require", "proxy-require", _option_tag)

    @property
    def supported(self) -> tuple[str, ...]:
        """The option tags of Supported (RFC 3261 20.37), in lower case; what is no tag is left out."""
        return tuple([tag.lower() for tag in self.headers.values("supported") if is_token(tag)])

    @property
    def allow(self) -> tuple[str, ...]:
        """The methods of Allow (RFC 3261 20.5); what is no method is left out."""
        return tuple([method for method in self.headers.values("allow") if is_token(method)])

    def _read_essentials(self) -> Essentials:
        index = self.headers.index
        form, branch = self.via_form
        key = "from"
        try:
            from_tag = parse_tag(index[key][0])
            key = "to"
            to_tag = parse_tag(index[key][0])
            key = "call-id"
            call_id = parse_call_id(index[key][0])
            key = "cseq"
            cseq, method = parse_cseq(index[key][0])
        except KeyError:
            raise PeerProtocolError(400, f"Bad Request - Missing {SPELLING[key]}") from None
        except GrammarError as error:
            raise error.within(SPELLING[key]) from error
        read = Essentials(form, branch, from_tag, to_tag, call_id, cseq, method)
        self.headers._typed["essentials"] = read
        return read

    def _mandatory(self, key: str, parse: Callable[[str], _T], typed_key: str = "") -> _T:
        headers = self.headers
        values = headers.index.get(key)
        if values is None:
            raise PeerProtocolError(400, f"Bad Request - Missing {SPELLING[key]}")
        try:
            value = headers._typed[typed_key or key] = parse(values[0])
        except GrammarError as error:
            raise error.within(SPELLING[key]) from error
        return value

    def _optional(self, key: str, parse: Callable[[str], _T]) -> _T | None:
        if key not in self.headers.index:
            return None
        found: _T | None = self.headers._typed.get(key)
        return found if found is not None else self._mandatory(key, parse)

    def _list(self, key: str, typed_key: str, parse: Callable[[str], _T]) -> tuple[_T, ...]:
        values = self.headers.index.get(key)
        if values is None:
            return ()
        found: tuple[_T, ...] | None = self.headers._typed.get(typed_key)
        if found is None:
            try:
                found = tuple([parse(part) for value in values for part in split_commas(value)])
            except GrammarError as error:
                raise error.within(SPELLING[key]) from error
            self.headers._typed[typed_key] = found
        return found


class Request(_Message):
    """A SIP request. ``uri`` is the Request-URI as on the wire."""

    __slots__ = ("method", "uri")

    def __init__(self, method: str, uri: str, headers: Headers, body: bytes = b"") -> None:
        self.method = method
        self.uri = uri
        self.headers = headers
        self.body = body

    @property
    def request_uri(self) -> AnyUri:
        """The Request-URI, parsed; raises 416 for an unknown scheme and 400 for a malformed one."""
        found: AnyUri | None = self.headers._typed.get("request-line")
        if found is None:
            try:
                found = parse_uri(self.uri)
            except GrammarError as error:
                raise error.within("Request-URI") from error
            self.headers._typed["request-line"] = found
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Request):
            return NotImplemented
        return (self.method, self.uri, self.headers, self.body) == (
            other.method,
            other.uri,
            other.headers,
            other.body,
        )

    def __repr__(self) -> str:
        return f"Request({self.method!r}, {self.uri!r}, {self.headers!r}, {self.body!r})"


class Response(_Message):
    """A SIP response."""

    __slots__ = ("reason", "status")

    def __init__(self, status: int, reason: str, headers: Headers, body: bytes = b"") -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Response):
            return NotImplemented
        return (self.status, self.reason, self.headers, self.body) == (
            other.status,
            other.reason,
            other.headers,
            other.body,
        )

    def __repr__(self) -> str:
        return f"Response({self.status!r}, {self.reason!r}, {self.headers!r}, {self.body!r})"


Message: TypeAlias = Request | Response


def _canonical(name: str) -> str:
    known = CANONICAL.get(name)
    return known if known is not None else canonical_name(name) or name


def _first_address(text: str) -> NameAddr:
    return parse_name_addr(split_commas(text)[0] if "," in text else text)


def _checked_route(text: str) -> str:
    if "<" not in text:
        raise GrammarError("URI needs angle brackets")
    parse_name_addr(text)
    return text


def _option_tag(text: str) -> str:
    return parse_token(text).lower()
