"""What the wire carries: call keys, and the tags and branches that lead to them.

A *call key* names a call; every pod computes the same one from the same INVITE. A *tag* or a *branch*
that we mint carries the key of its call, the leg, and a MAC that proves we minted it, so that any edge can
take any message, forward it to the right shard without remembering anything, and drop what nobody here has
ever sent. Nothing in them is random, so nothing of them needs storing.

Everything is written in lower-case base32hex (``0-9a-v``): all of it SIP ``token`` characters
(RFC 3261 25.1), and a peer that changes the case of a tag does no harm.

Two secrets take part. The *salt* enters shards, call keys and merge markers and never changes. The *key*
makes the MACs and may be rotated: what the previous key signed is still accepted.
"""

import hashlib
from hmac import compare_digest
from typing import Final, NamedTuple, Protocol, TypeVar

_T = TypeVar("_T")

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuv"
_PAIRS: Final = tuple(high + low for high in _DIGITS for low in _DIGITS)
_PAIR_VALUES: Final = {pair: value for value, pair in enumerate(_PAIRS)}
_DIGIT_VALUES: Final = {digit: value for value, digit in enumerate(_DIGITS)}
# Takes 5 bits of each byte of a digest: one C call, where a dense base32 encoding costs a loop in Python.
_TO_DIGITS: Final = _DIGITS.encode() * 8

_KEY_LENGTH: Final = 22
_HASH_LENGTH: Final = _KEY_LENGTH - 2
_LEG_END: Final = _KEY_LENGTH + 2
_MAC_LENGTH: Final = 13  # 65 bits
_TAG_LENGTH: Final = _LEG_END + _MAC_LENGTH

_MAX_KNOWN: Final = 8192

_COOKIE: Final = "z9hG4bK"
_COOKIE_LENGTH: Final = len(_COOKIE)
_COUNTER_LENGTH: Final = 3
_COUNTERS: Final = 32**_COUNTER_LENGTH
_RETRY_AT: Final = _LEG_END + _COUNTER_LENGTH
_BRANCH_BODY_LENGTH: Final = _RETRY_AT + 1
_PROXY_COOKIE: Final = f"{_COOKIE}-p-"
"""No digit of ours, and another length: such a branch never passes for one of a call."""
_PROXY_BODY_LENGTH: Final = 20
_PROXY_LENGTH: Final = len(_PROXY_COOKIE) + _PROXY_BODY_LENGTH + _MAC_LENGTH
_BRANCH_LENGTH: Final = _COOKIE_LENGTH + _BRANCH_BODY_LENGTH + _MAC_LENGTH

MAX_LEG: Final = len(_PAIRS) - 1
"""Highest leg number that fits into a tag."""
MAX_RETRY: Final = len(_DIGITS) - 1
"""Highest retry number that fits into a branch."""
MAX_SHARDS: Final = len(_PAIRS)
"""Highest number of shards that fits into a call key."""


class BranchKey(NamedTuple):
    """What a branch of ours says."""

    key: str
    """Key of the call."""
    leg: int
    """Leg the request was sent on."""
    counter: int
    """Number of the request within the call, modulo 32768."""
    retry: int
    """0 for the first address tried, then one more per further address (RFC 3263 4.3)."""


class _Hash(Protocol):
    """The part of a hashlib object used here."""

    def copy(self) -> "_Hash": ...
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


def _keyed(secret: bytes, purpose: bytes, size: int) -> _Hash:
    """A BLAKE2b state ready to be copied per use; `purpose` keeps the uses of one secret apart."""
    # The secret of an operator may have any length, BLAKE2b takes 64 bytes.
    key = hashlib.blake2b(secret, person=b"b2bua.derive").digest()
    return hashlib.blake2b(key=key, digest_size=size, person=purpose)


def _letters(state: _Hash, data: bytes) -> bytes:
    state = state.copy()
    state.update(data)
    return state.digest().translate(_TO_DIGITS)


def _fields(*fields: str) -> bytes:
    """One byte string per tuple of strings, never the same for two of them; takes any text."""
    lengths = " ".join(map(str, map(len, fields)))
    return f"{lengths} {''.join(fields)}".encode("utf-8", "surrogatepass")


def shard_tag(shard: int) -> str:
    """The Redis hash tag of a shard: all keys of a call carry it, braces included."""
    return f"{{s{shard}}}"


def shard_of_key(key: str) -> int:
    """Shard of a call key that `Identity` made or verified; `KeyError` for most other texts."""
    return _PAIR_VALUES[key[:2]]


class Identity:
    """Computes call keys, mints tags and branches, and reads back those that are ours.

    `key` signs, and is shared by all pods; `previous` is still accepted while a rotation lasts. `salt` and
    `shards` are what the store recorded at first start. Raises `ValueError` for an empty key or salt and for
    a shard count outside 1..1024.
    """

    __slots__ = (
        "_branch_macs",
        "_call",
        "_cnonce",
        "_known_branches",
        "_known_tags",
        "_merge",
        "_proxy",
        "_proxy_macs",
        "_shard",
        "_tag_macs",
        "fingerprint",
        "shards",
    )

    def __init__(self, key: bytes, *, salt: bytes, shards: int, previous: bytes | None = None) -> None:
        if not key or not salt:
            raise ValueError("identity needs a key and a salt that are not empty")
        if not 1 <= shards <= MAX_SHARDS:
            raise ValueError(f"shard count must be 1..{MAX_SHARDS}, not {shards}")
        self.shards = shards
        self.fingerprint = _keyed(key, b"fingerprint", 8).digest().hex()
        """Tells two keys apart without revealing either."""
        self._shard = _keyed(salt, b"shard", 8)
        self._call = _keyed(salt, b"call", _HASH_LENGTH)
        self._merge = _keyed(salt, b"merge", _KEY_LENGTH)
        self._cnonce = _keyed(key, b"cnonce", _MAC_LENGTH)
        secrets = (key,) if previous is None else (key, previous)
        self._tag_macs = tuple(_keyed(secret, b"tag", _MAC_LENGTH) for secret in secrets)
        self._branch_macs = tuple(_keyed(secret, b"branch", _MAC_LENGTH) for secret in secrets)
        self._proxy = _keyed(salt, b"proxy", _PROXY_BODY_LENGTH)
        self._proxy_macs = tuple(_keyed(secret, b"proxy", _MAC_LENGTH) for secret in secrets)
        # What was minted or verified lately: a call brings the same few texts with each of its messages.
        self._known_tags: dict[str, tuple[str, int]] = {}
        self._known_branches: dict[str, BranchKey] = {}

    def shard_of(self, call_id: str, from_tag: str) -> int:
        """Shard of a call, from what all messages of its ingress dialog have; `from_tag` may be empty."""
        state = self._shard.copy()
        state.update(_fields(call_id, from_tag))
        return int.from_bytes(state.digest(), "big") % self.shards

    def call_key(self, call_id: str, from_tag: str, cseq: int, sent_by: str, branch: str) -> str:
        """Key of the call that an INVITE opens: 22 characters, the first two say the shard.

        `sent_by` and `branch` are those of the top Via. Retransmissions and the CANCEL give the same key,
        a new attempt of the peer another one.
        """
        letters = _letters(self._call, _fields(call_id, from_tag, str(cseq), sent_by, branch))
        return _PAIRS[self.shard_of(call_id, from_tag)] + letters.decode("ascii")

    def shard_of_key(self, key: str) -> int:
        """See the function `shard_of_key`."""
        return _PAIR_VALUES[key[:2]]

    def merge_key(self, call_id: str, from_tag: str, cseq: int, request_uri: str) -> str:
        """Marker of merged requests (RFC 3261 8.2.2.2): equal for an INVITE that arrives by two paths."""
        return _letters(self._merge, _fields(call_id, from_tag, str(cseq), request_uri)).decode("ascii")

    def tag(self, key: str, leg: int) -> str:
        """Our tag on leg `leg` of the call: 37 characters. `ValueError` if the leg does not fit."""
        if not 0 <= leg <= MAX_LEG:
            raise ValueError(f"leg must be 0..{MAX_LEG}, not {leg}")
        body = key + _PAIRS[leg]
        tag = body + _letters(self._tag_macs[0], body.encode("ascii")).decode("ascii")
        _remember(self._known_tags, tag, (key, leg))
        return tag

    def read_tag(self, tag: str) -> tuple[str, int] | None:
        """Call key and leg of a tag that we minted; `None` for any other text, whatever it is."""
        known = self._known_tags.get(tag)
        if known is not None:
            return known
        if len(tag) != _TAG_LENGTH or not tag.isascii():
            return None
        text = tag.lower()
        if not _signed(self._tag_macs, text.encode("ascii"), _LEG_END):
            return None
        read = (text[:_KEY_LENGTH], _PAIR_VALUES[text[_KEY_LENGTH:_LEG_END]])
        _remember(self._known_tags, tag, read)
        return read

    def branch(self, key: str, leg: int, counter: int, retry: int = 0) -> str:
        """Our Via branch for request number `counter` on leg `leg`: 48 characters.

        The counter is written modulo 32768: no transaction lives as long as 32768 others of its call.
        `ValueError` if leg or retry do not fit.
        """
        if not 0 <= leg <= MAX_LEG or not 0 <= retry <= MAX_RETRY:
            raise ValueError(f"leg must be 0..{MAX_LEG} and retry 0..{MAX_RETRY}, not {leg} and {retry}")
        counter %= _COUNTERS
        body = f"{key}{_PAIRS[leg]}{_PAIRS[counter >> 5]}{_DIGITS[counter & 31]}{_DIGITS[retry]}"
        mac = _letters(self._branch_macs[0], body.encode("ascii"))
        branch = f"{_COOKIE}{body}{mac.decode('ascii')}"
        _remember(self._known_branches, branch, BranchKey(key, leg, counter, retry))
        return branch

    def read_branch(self, branch: str) -> BranchKey | None:
        """What a branch that we minted says; `None` for any other text, whatever it is."""
        known = self._known_branches.get(branch)
        if known is not None:
            return known
        if len(branch) != _BRANCH_LENGTH or not branch.isascii():
            return None
        text = branch[_COOKIE_LENGTH:].lower()
        # The cookie too is compared without regard to case, as a parameter value is (RFC 3261 7.3.1).
        if branch[:_COOKIE_LENGTH].lower() != "z9hg4bk":
            return None
        if not _signed(self._branch_macs, text.encode("ascii"), _BRANCH_BODY_LENGTH):
            return None
        read = BranchKey(
            text[:_KEY_LENGTH],
            _PAIR_VALUES[text[_KEY_LENGTH:_LEG_END]],
            int(text[_LEG_END:_RETRY_AT], 32),
            _DIGIT_VALUES[text[_RETRY_AT]],
        )
        _remember(self._known_branches, branch, read)
        return read

    def cnonce(self, key: str, leg: int, nonce: str) -> str:
        """A client's nonce for digest (RFC 7616 3.4): one per nonce of the server, foreseen by nobody."""
        state = self._cnonce.copy()
        state.update(_fields(key, str(leg), nonce))
        return state.digest().hex()

    def retry_branch(self, branch: str, retry: int) -> str:
        """The branch for a further address of a request minted with `branch` (RFC 3263 4.3).

        `ValueError` if the branch is not ours or the number does not fit.
        """
        read = self.read_branch(branch)
        if read is None:
            raise ValueError("not a branch of ours")
        return self.branch(read.key, read.leg, read.counter, retry)

    def proxy_branch(self, *request: str) -> str:
        """Via branch for a request that is passed on without a call: 43 characters.

        `request` is what identifies it. The same request gets the same branch at any edge, so that what one
        sent and another sends again is one request to the next hop.
        """
        body = _letters(self._proxy, _fields(*request))
        return f"{_PROXY_COOKIE}{(body + _letters(self._proxy_macs[0], body)).decode('ascii')}"

    def is_proxy_branch(self, branch: str) -> bool:
        """Whether `proxy_branch` made this text, here or at another edge."""
        if len(branch) != _PROXY_LENGTH or not branch.isascii():
            return False
        text = branch.lower()
        if not text.startswith(_PROXY_COOKIE.lower()):
            return False
        return _signed(self._proxy_macs, text[len(_PROXY_COOKIE) :].encode("ascii"), _PROXY_BODY_LENGTH)


def _remember(known: dict[str, _T], text: str, read: _T) -> None:
    """Keep what a text says; all are forgotten when there are too many, which costs the next ones a MAC."""
    if len(known) >= _MAX_KNOWN:
        known.clear()
    known[text] = read


def _signed(macs: tuple[_Hash, ...], text: bytes, end: int) -> bool:
    """Whether what follows `end` is the MAC of what precedes it, under any of the accepted keys."""
    body, mac = text[:end], text[end:]
    return any(compare_digest(_letters(state, body), mac) for state in macs)
