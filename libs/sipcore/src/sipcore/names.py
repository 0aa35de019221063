"""Header field names: the long form, the compact form and the spelling in which we print them."""

from __future__ import annotations

from sipcore.grammar import is_token

_SPELLINGS = (
    "Accept",
    "Accept-Contact",
    "Accept-Encoding",
    "Accept-Language",
    "Alert-Info",
    "Allow",
    "Allow-Events",
    "Authentication-Info",
    "Authorization",
    "Call-ID",
    "Call-Info",
    "Contact",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Type",
    "CSeq",
    "Date",
    "Diversion",
    "Error-Info",
    "Event",
    "Expires",
    "From",
    "History-Info",
    "Identity",
    "Identity-Info",
    "In-Reply-To",
    "Max-Forwards",
    "MIME-Version",
    "Min-Expires",
    "Min-SE",
    "Organization",
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "Path",
    "Priority",
    "Privacy",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Require",
    "RAck",
    "Reason",
    "Record-Route",
    "Refer-Sub",
    "Refer-To",
    "Referred-By",
    "Reject-Contact",
    "Remote-Party-ID",
    "Replaces",
    "Reply-To",
    "Request-Disposition",
    "Require",
    "Retry-After",
    "Route",
    "RSeq",
    "Server",
    "Session-Expires",
    "Subject",
    "Subscription-State",
    "Supported",
    "Timestamp",
    "To",
    "Unsupported",
    "User-Agent",
    "Via",
    "Warning",
    "WWW-Authenticate",
)

_COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
"""The compact forms of the IANA registry."""

SPELLING = {name.lower(): name for name in _SPELLINGS}
"""Canonical name to the usual spelling."""

CANONICAL = {
    **{name: name.lower() for name in _SPELLINGS},
    **{name.lower(): name.lower() for name in _SPELLINGS},
    **_COMPACT,
    **{short.upper(): name for short, name in _COMPACT.items()},
}
"""Usual spellings, lower case and compact forms to the canonical name: one look-up for what nearly every
field has.
"""


def canonical_name(name: str) -> str | None:
    """The canonical name (lower case, long form) of a field name in any spelling; None if it is no token."""
    known = CANONICAL.get(name)
    if known is not None:
        return known
    if not is_token(name):
        return None
    lower = name.lower()
    return CANONICAL.get(lower, lower)
