"""Server transactions (RFC 3261 17.2, RFC 6026 7.1)."""

import math
from typing import Final

from sipcore.timers import DEFAULT_TIMERS, Timers
from sipcore.transaction.machine import Transaction
from sipcore.transaction.tables import SERVER_INVITE, SERVER_NON_INVITE, Action, ServerEvent, ServerState

__all__ = ["ServerTransaction"]

# Indexed by `reliable`.
_INVITE: Final = (SERVER_INVITE.rows(reliable=False), SERVER_INVITE.rows(reliable=True))
_NON_INVITE: Final = (SERVER_NON_INVITE.rows(reliable=False), SERVER_NON_INVITE.rows(reliable=True))

# In Python 3.11 an attribute of an enumeration costs as much as a call: names for what each message needs.
_STATE_TRYING: Final = ServerState.TRYING
_ACK: Final = ServerEvent.ACK
_SEND_PROVISIONAL: Final = ServerEvent.SEND_PROVISIONAL
_SEND_SUCCESS: Final = ServerEvent.SEND_SUCCESS
_SEND_FAILURE: Final = ServerEvent.SEND_FAILURE
_REPEAT_DUE: Final = ServerEvent.REPEAT_DUE
_WAIT_OVER: Final = ServerEvent.WAIT_OVER


class ServerTransaction(Transaction[ServerState, ServerEvent]):
    """One request that this side received and handed to its user.

    A 2xx to an INVITE is repeated here, on every transport, from T1 doubling to T2, until the ACK or for
    64 * T1 (RFC 3261 13.3.1.4 gives this to the user, but the user may live in another process). Which ACK
    belongs to the 2xx is a matter of the dialog: the caller finds out and calls `on_ack`.
    """

    __slots__ = ("method",)

    def __init__(
        self, method: str, reliable: bool, timers: Timers = DEFAULT_TIMERS, *, give_up: float = math.inf
    ) -> None:
        """`give_up` is the time (not a duration) when a user without a final response is a TIMEOUT.

        After a TIMEOUT an INVITE still takes a final response; any other request is forgotten.
        """
        tables = _INVITE if method == "INVITE" else _NON_INVITE
        super().__init__(tables[reliable], _STATE_TRYING, timers, timers.waits, give_up)
        self.method: Final = method

    @property
    def terminated(self) -> bool:
        """Whether TERMINATE was returned."""
        return self.state is ServerState.TERMINATED

    def on_request(self, now: float) -> tuple[Action, ...]:
        """The request came again. Repeats the last response where the RFC wants it."""
        return self._take(ServerEvent.REQUEST, now)

    def on_ack(self, now: float) -> tuple[Action, ...]:
        """An ACK came: with the branch of the INVITE for a non-2xx, or through the dialog for a 2xx."""
        return self._take(_ACK, now)

    def on_send(self, status: int, now: float) -> tuple[Action, ...]:
        """The user answers. Without SEND_RESPONSE in the result the response comes too late: discard it."""
        if status < 200:
            return self._take(_SEND_PROVISIONAL, now)
        return self._take(_SEND_SUCCESS if status < 300 else _SEND_FAILURE, now)

    def on_timer(self, now: float) -> tuple[Action, ...]:
        """To be called at `deadline`; what is not due yet does not happen."""
        return self._due(_REPEAT_DUE, _WAIT_OVER, now)

    def on_transport_error(self, now: float) -> tuple[Action, ...]:
        """The response cannot be sent and no other way to the peer is left (RFC 3261 18.2.2)."""
        return self._take(ServerEvent.TRANSPORT_ERROR, now)
