"""The header fields that events carry: what call-control named in its greeting, and nothing else."""

from collections.abc import Iterable, Sequence
from typing import Final

from sipcore.message import Headers
from sipcore.names import CANONICAL, SPELLING

_HAVE_A_PLACE: Final = frozenset(
    {
        *("via", "from", "to", "call-id", "cseq", "contact", "max-forwards", "expires"),
        *("route", "record-route", "content-length", "content-type", "content-disposition"),
        *("content-encoding", "content-language", "mime-version"),
    }
)
"""Events have fields of their own for these, or they belong to this hop: no pattern means them."""

_KNOWN: Final = frozenset(SPELLING)


class Wanted:
    """Chooses header fields by canonical name (lower case, long form), or by patterns: `x-*`, `*`.

    Patterns are settled for all usual names beforehand: a message is looked at twice only when there are
    patterns and it has a field that no RFC knows.
    """

    __slots__ = ("_names", "_prefixes")

    def __init__(self, names: Iterable[str] = ()) -> None:
        exact: set[str] = set()
        prefixes: set[str] = set()
        for name in names:
            if name.endswith("*"):
                prefixes.add(name[:-1])
            else:
                exact.add(name)
        self._prefixes = tuple(prefixes)
        if prefixes:
            exact |= {name for name in _KNOWN - _HAVE_A_PLACE if name.startswith(self._prefixes)}
        self._names = frozenset(exact)

    def select(self, headers: Headers) -> Sequence[tuple[str, str]]:
        """The wanted fields in the order of the message, names as the peer spells them."""
        names, index = self._names, headers.index
        if names.isdisjoint(index) and (not self._prefixes or _KNOWN.issuperset(index)):
            return ()
        wanted = names
        if self._prefixes:
            # Names that no RFC knows are peers' to invent: they are decided here and not remembered.
            wanted = names.union(
                [name for name in index if name not in _KNOWN and name.startswith(self._prefixes)]
            )
        return [
            (name, value)
            for name, value in headers.items()
            if (CANONICAL.get(name) or name.lower()) in wanted
        ]
