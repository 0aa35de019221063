"""A memory of bounded duration: what a peer or call-control may repeat within 64 * T1."""

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """A dictionary that forgets an entry between one and two spans after it was put in.

    Two generations instead of a clock per entry: nothing is paid for forgetting but the swap.
    """

    __slots__ = ("_old", "_span", "_swap_at", "_young")

    def __init__(self, span: float) -> None:
        self._span = span
        self._swap_at = 0.0
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def put(self, key: K, value: V, now: float) -> None:
        """Remember `value` until at least `now` + span."""
        if now >= self._swap_at:
            self._swap(now)
        self._young[key] = value

    def get(self, key: K) -> V | None:
        """The value, if it is remembered still."""
        value = self._young.get(key)
        return value if value is not None else self._old.get(key)

    def _swap(self, now: float) -> None:
        overdue = now >= self._swap_at + self._span
        self._old = {} if overdue else self._young
        self._young = {}
        self._swap_at = now + self._span
