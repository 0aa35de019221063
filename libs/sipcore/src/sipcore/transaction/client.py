"""Client transactions (RFC 3261 17.1, RFC 6026 7.2)."""

import math
from typing import Final

from sipcore.timers import DEFAULT_TIMERS, Timers, Wait
from sipcore.transaction.machine import Transaction
from sipcore.transaction.tables import CLIENT_INVITE, CLIENT_NON_INVITE, Action, ClientEvent, ClientState

__all__ = ["ClientTransaction"]

# Indexed by `reliable`.
_INVITE: Final = (CLIENT_INVITE.rows(reliable=False), CLIENT_INVITE.rows(reliable=True))
_NON_INVITE: Final = (CLIENT_NON_INVITE.rows(reliable=False), CLIENT_NON_INVITE.rows(reliable=True))

# In Python 3.11 an attribute of an enumeration costs as much as a call: names for what each message needs.
_WAIT_C: Final = Wait.C
_STATE_INITIAL: Final = ClientState.INITIAL
_START: Final = ClientEvent.START
_PROVISIONAL: Final = ClientEvent.PROVISIONAL
_SUCCESS: Final = ClientEvent.SUCCESS
_FAILURE: Final = ClientEvent.FAILURE
_REPEAT_DUE: Final = ClientEvent.REPEAT_DUE
_WAIT_OVER: Final = ClientEvent.WAIT_OVER


class ClientTransaction(Transaction[ClientState, ClientEvent]):
    """One request that this side sends. ACK is not a transaction (RFC 3261 17): do not make one for it.

    The user of an INVITE gets exactly one outcome (a final response, TIMEOUT or TRANSPORT_FAILED), except for
    2xx responses: each one of them is passed, repeated ones too, because the user has to acknowledge each.
    After a TIMEOUT without TERMINATE the callee may still be ringing: the user ought to send a CANCEL.
    Events that cannot happen raise LocalProtocolError and leave the transaction as it was.
    """

    __slots__ = ("branch", "method")

    def __init__(
        self,
        *,
        branch: str,
        method: str,
        reliable: bool,
        timers: Timers = DEFAULT_TIMERS,
        expiry: float | None = None,
    ) -> None:
        """`expiry` (seconds after the last provisional response) replaces `timers.invite_expiry`."""
        waits = timers.waits
        if expiry is not None:
            waits = (*waits[:_WAIT_C], expiry, *waits[_WAIT_C + 1 :])
        tables = _INVITE if method == "INVITE" else _NON_INVITE
        super().__init__(tables[reliable], _STATE_INITIAL, timers, waits, math.inf)
        self.branch: Final = branch
        self.method: Final = method

    @property
    def terminated(self) -> bool:
        """Whether TERMINATE was returned."""
        return self.state is ClientState.TERMINATED

    def start(self, now: float) -> tuple[Action, ...]:
        """The request goes out for the first time."""
        return self._take(_START, now)

    def on_response(self, status: int, now: float) -> tuple[Action, ...]:
        """A response with this branch and CSeq method came in. An empty answer means: absorbed."""
        if status < 200:
            return self._take(_PROVISIONAL, now)
        return self._take(_SUCCESS if status < 300 else _FAILURE, now)

    def on_timer(self, now: float) -> tuple[Action, ...]:
        """To be called at `deadline`; what is not due yet does not happen."""
        return self._due(_REPEAT_DUE, _WAIT_OVER, now)

    def expect_end(self, now: float) -> tuple[Action, ...]:
        """A CANCEL was sent: no final response within 64 * T1 is a TIMEOUT (RFC 3261 9.1).

        Raises LocalProtocolError before the first provisional response, when no CANCEL may be sent yet.
        """
        return self._take(ClientEvent.EXPECT_END, now)

    def on_transport_error(self, now: float) -> tuple[Action, ...]:
        """The request or the ACK could not be sent, or the connection that the response must use is gone."""
        return self._take(ClientEvent.TRANSPORT_ERROR, now)
