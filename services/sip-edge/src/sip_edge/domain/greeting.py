"""What the greetings of all pods must agree on, and what an edge makes of them."""

from collections.abc import Collection

from b2bua.callcontrol.v1.edge_link_pb2 import Greeting


class GreetingRefusedError(Exception):
    """A pod that must not be used; the text says why."""


class Cluster:
    """The salt, shard count and wanted headers of the pods accepted so far; the extensions of the last one.

    During an update of call-control the pods differ for a while in what they support; in the end they agree.
    """

    __slots__ = ("_accepted_keys", "_greeting", "_key_fingerprint")

    def __init__(self, key_fingerprint: str, also_accepted: Collection[str] = ()) -> None:
        """Take pods with our key or with one of `also_accepted` (key rotation)."""
        self._key_fingerprint = key_fingerprint
        self._accepted_keys = frozenset(also_accepted) | {key_fingerprint}
        self._greeting: Greeting | None = None

    def accept(self, greeting: Greeting) -> Greeting | None:
        """Check a greeting; return what all pods want together if that is news, else None.

        Raises GreetingRefusedError for another identity key, or another salt or shard count than before:
        keys made with them would name other calls.
        """
        if greeting.key_fingerprint not in self._accepted_keys:
            raise GreetingRefusedError(
                f"identity key differs: ours {self._key_fingerprint}, the pod's {greeting.key_fingerprint}"
            )
        if not greeting.pod_id or not greeting.salt or not greeting.shards:
            raise GreetingRefusedError("greeting without name, salt or shard count")
        known = self._greeting
        if known is None:
            self._greeting = Greeting()
            self._greeting.CopyFrom(greeting)
            return self._greeting
        if greeting.salt != known.salt or greeting.shards != known.shards:
            raise GreetingRefusedError(
                f"salt or shard count ({greeting.shards}) differs from the other pods' ({known.shards}): "
                "not the same store"
            )
        more = [name for name in greeting.wanted_headers if name not in known.wanted_headers]
        if not more and greeting.extensions == known.extensions:
            return None
        known.wanted_headers.extend(more)
        known.extensions[:] = greeting.extensions
        return known
