"""The store's time in this process: the monotonic clock plus an offset that replies keep right."""

import time
from collections.abc import Callable


class StoreClock:
    """Follows the time of a server by the times in its replies; all arguments in seconds of
    `time.monotonic`, except for the server's time.

    A reply proves that the offset lies between two bounds: the server read its clock after we sent and
    before we received. The offset is moved into these bounds and no further, so that a slow reply does not
    disturb what a fast one taught.
    """

    __slots__ = ("_adjusted", "_last", "_monotonic", "_offset")

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        # Until the first reply: our own clock.
        self._offset = time.time() - monotonic()
        self._adjusted: float | None = None
        self._last = 0

    def observe(self, sent: float, received: float, server_micros: int) -> None:
        """Learn from a reply that carries the server's time."""
        server = server_micros / 1e6
        if self._adjusted is None:
            self._offset = server - (sent + received) / 2
            self._last = 0
        elif self._offset < server - received:
            self._offset = server - received
        elif self._offset > server - sent:
            # Time may not run backwards: at worst let it run at half its speed until it is right.
            slack = (received - self._adjusted) / 2
            self._offset = max(server - sent, self._offset - slack)
        self._adjusted = received

    def now(self) -> int:
        """Time of the store in ms since the epoch; from the first reply on, never less than it was."""
        now = int((self._monotonic() + self._offset) * 1000)
        if now > self._last:
            self._last = now
        return self._last
