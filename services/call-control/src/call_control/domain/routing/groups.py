"""Groups of routes that share the load: entries that follow each other and have the same `group`.

The members of a group are tried in an order drawn by lot, in proportion to their `weight`: the first one
takes the call, the others follow when it fails. The lots come from the key of the call, so that every pod
draws the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from call_control.domain.routing.entry import RouteEntry, RouteError


def order_of_trial(
    entries: Sequence[RouteEntry | RouteError], seed: str
) -> Sequence[RouteEntry | RouteError]:
    """Return the entries with each group in the order drawn for `seed`; the others keep their place."""
    for entry in entries:
        if isinstance(entry, RouteEntry) and entry.group is not None:
            break
    else:
        return entries
    ordered: list[RouteEntry | RouteError] = []
    members: list[RouteEntry] = []
    for entry in entries:
        group = entry.group if isinstance(entry, RouteEntry) else None
        if members and members[0].group != group:
            ordered += _draw(members, seed, len(ordered))
            members = []
        if isinstance(entry, RouteEntry) and group is not None:
            members.append(entry)
        else:
            ordered.append(entry)
    return ordered + _draw(members, seed, len(ordered))


def _draw(members: list[RouteEntry], seed: str, start: int) -> list[RouteEntry]:
    """Draw all members without putting one back; `start` makes the lots of two groups differ."""
    left = list(members)
    drawn: list[RouteEntry] = []
    while len(left) > 1:
        ticket = _lot(seed, start + len(drawn)) % sum(_weight(entry) for entry in left)
        position = 0
        while ticket >= _weight(left[position]):
            ticket -= _weight(left[position])
            position += 1
        drawn.append(left.pop(position))
    return drawn + left


def _weight(entry: RouteEntry) -> int:
    return 1 if entry.weight is None else entry.weight


def _lot(seed: str, position: int) -> int:
    """Return 64 bits; the remainder of a sum of weights is as good as uniform."""
    return int.from_bytes(blake2b(f"{position} {seed}".encode(), digest_size=8).digest(), "big")
