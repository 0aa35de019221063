"""Rendezvous hashing: which pod a shard belongs to, and which one is next when that pod is away.

Every edge computes the same order from the names of the pods alone, and a pod that comes or goes moves
only its own shards: the rest of the order stays as it was.
"""

from collections.abc import Iterable
from hashlib import blake2b


def _weight(pod: str, shard: str) -> bytes:
    return blake2b(f"{pod}\0{shard}".encode(), digest_size=8).digest()


class Rendezvous:
    """The order of preference of a changing set of pods, remembered for each shard asked about."""

    __slots__ = ("_order", "_pods")

    def __init__(self, pods: Iterable[str] = ()) -> None:
        self._pods = set(pods)
        self._order: dict[str, tuple[str, ...]] = {}

    def __len__(self) -> int:
        """Return how many pods take part."""
        return len(self._pods)

    def add(self, pod: str) -> None:
        """Let a pod take part."""
        self._pods.add(pod)
        self._order.clear()

    def discard(self, pod: str) -> None:
        """Take a pod out; unknown names are ignored."""
        self._pods.discard(pod)
        self._order.clear()

    def order(self, shard: str) -> tuple[str, ...]:
        """Return all pods, the one that owns the shard first.

        `shard` is any label of it, such as its two characters at the start of a call key.
        """
        order = self._order.get(shard)
        if order is None:
            order = tuple(sorted(self._pods, key=lambda pod: (_weight(pod, shard), pod), reverse=True))
            self._order[shard] = order
        return order
