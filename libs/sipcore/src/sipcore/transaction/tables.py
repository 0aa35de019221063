"""The four transaction machines of RFC 3261 section 17 with the Accepted state of RFC 6026, as tables.

A row says: in this state, on this event, go to that state, let the caller do these actions, and set the two
clocks of the transaction: the one that repeats a message (`Repeat`: timers A, E and G) and the one that
bounds the state (`Wait`: all the others). Every pair of a state and an event is a row, or is listed as
ignored (nothing happens, on purpose), or as illegal (only a mistake of the caller or of this library leads
there).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, NamedTuple, TypeVar

from sipcore.timers import ZERO_WHEN_RELIABLE, Wait

__all__ = [
    "CLIENT_INVITE",
    "CLIENT_NON_INVITE",
    "SERVER_INVITE",
    "SERVER_NON_INVITE",
    "Action",
    "ClientEvent",
    "ClientState",
    "Machine",
    "Next",
    "Repeat",
    "Rows",
    "ServerEvent",
    "ServerState",
]


class Action(IntEnum):
    """What the caller has to do, in the order given."""

    SEND_REQUEST = 0
    """Client: put the request on the wire, first time or again."""
    PASS_RESPONSE = 1
    """Client: give this response to the transaction user."""
    SEND_ACK = 2
    """Client: acknowledge this non-2xx final response, same branch as the INVITE (RFC 3261 17.1.1.3)."""
    SEND_RESPONSE = 3
    """Server: put the response on the wire; outside `on_send` it is the last one again."""
    PASS_ACK = 4
    """Server: the 2xx is acknowledged, give the ACK to the transaction user. Happens once."""
    ACK_MISSING = 5
    """Server: nobody acknowledged the final response to the INVITE."""
    TIMEOUT = 6
    """Client: act as if a 408 had come. Server: the transaction user did not answer by `give_up`."""
    TRANSPORT_FAILED = 7
    """Client: act as if a 503 had come (RFC 3261 8.1.3.1). Server: no response can reach the peer."""
    TERMINATE = 8
    """Forget the transaction."""
    PRACK_MISSING = 9
    """Server: nobody acknowledged the reliable provisional response."""


class ClientState(IntEnum):
    """States of both client machines."""

    INITIAL = 0
    CALLING = 1
    TRYING = 2
    PROCEEDING = 3
    CANCELLING = 4
    """Proceeding, and a CANCEL is on its way: provisional responses no longer buy time (RFC 3261 9.1)."""
    EXPIRED = 5
    """Proceeding took too long and the user was told so; the transaction stays to acknowledge what comes."""
    COMPLETED = 6
    ACCEPTED = 7
    TERMINATED = 8


class ClientEvent(IntEnum):
    """What can happen to a client transaction."""

    START = 0
    PROVISIONAL = 1
    SUCCESS = 2
    FAILURE = 3
    """A final response from 300 on."""
    REPEAT_DUE = 4
    """Timer A or E."""
    WAIT_OVER = 5
    """The timer that bounds the state: B, C, D, F, K, M."""
    EXPECT_END = 6
    """A CANCEL for this INVITE was sent."""
    TRANSPORT_ERROR = 7


class ServerState(IntEnum):
    """States of both server machines."""

    TRYING = 0
    """The request is with the user, nothing was sent yet."""
    PROCEEDING = 1
    COMPLETED = 2
    CONFIRMED = 3
    ACCEPTED = 4
    """RFC 6026 Accepted, and no ACK yet: the 2xx is repeated."""
    ACKNOWLEDGED = 5
    """RFC 6026 Accepted after the ACK: only absorbs repeated INVITEs."""
    TERMINATED = 6


class ServerEvent(IntEnum):
    """What can happen to a server transaction."""

    REQUEST = 0
    """A repetition of the request."""
    ACK = 1
    SEND_PROVISIONAL = 2
    SEND_SUCCESS = 3
    SEND_FAILURE = 4
    REPEAT_DUE = 5
    """Timer G, or the same schedule for a 2xx (RFC 3261 13.3.1.4)."""
    WAIT_OVER = 6
    """The timer that bounds the state: H, I, J, L, or `give_up`."""
    TRANSPORT_ERROR = 7


class Repeat(IntEnum):
    """What a transition does to the clock that repeats a message."""

    KEEP = 0
    STOP = 1
    FIRST = 2
    """T1 from now, on unreliable transports only."""
    FIRST_ALWAYS = 3
    """T1 from now on every transport: a 2xx or a 1xx can be lost behind the first hop."""
    DOUBLE = 4
    """Twice the last interval (timer A, and reliable provisionals)."""
    DOUBLE_TO_T2 = 5
    """Twice the last interval, at most T2 (timers E and G)."""
    AT_T2 = 6
    """T2 (timer E in Proceeding)."""


S = TypeVar("S", bound=IntEnum)
E = TypeVar("E", bound=IntEnum)


class Next(NamedTuple, Generic[S]):
    """The decided outcome of one (state, event)."""

    state: S
    actions: tuple[Action, ...]
    repeat: Repeat = Repeat.KEEP
    wait: Wait = Wait.KEEP


Rows = tuple[tuple[Next[S] | None, ...], ...]
"""A table indexed by state, then event; None where the pair is illegal."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Machine(Generic[S, E]):
    """One table and its pairs without a row. Raises ValueError when a pair is not decided exactly once."""

    name: str
    states: tuple[S, ...]
    events: tuple[E, ...]
    wait_over: E
    table: Mapping[tuple[S, E], Next[S]]
    ignored: frozenset[tuple[S, E]]
    illegal: frozenset[tuple[S, E]]

    def __post_init__(self) -> None:
        for pair in ((state, event) for state in self.states for event in self.events):
            if (pair in self.table) + (pair in self.ignored) + (pair in self.illegal) != 1:
                raise ValueError(f"{self.name}: {pair} must be decided exactly once")

    def rows(self, *, reliable: bool) -> Rows[S]:
        """The table in the form that transactions run, for one kind of transport."""
        size = max(self.states) + 1
        grid: list[list[Next[S] | None]] = [[None] * len(self.events) for _ in range(size)]
        for state, event in self.ignored:
            grid[state][event] = Next(state, ())
        for (state, event), outcome in self.table.items():
            grid[state][event] = self._without_repeats(outcome) if reliable else outcome
        return tuple(tuple(row) for row in grid)

    def _without_repeats(self, outcome: Next[S]) -> Next[S]:
        """`outcome` on a reliable transport, where nothing is repeated and so no repetition is waited for."""
        if outcome.wait in ZERO_WHEN_RELIABLE:
            end = self.table[outcome.state, self.wait_over]
            return end._replace(actions=outcome.actions + end.actions)
        if outcome.repeat is Repeat.FIRST:
            return outcome._replace(repeat=Repeat.STOP)
        return outcome


def _pairs(rows: Mapping[S, Iterable[E]]) -> frozenset[tuple[S, E]]:
    return frozenset((state, event) for state, events in rows.items() for event in events)


_C = ClientState
_V = ClientEvent
_R = Repeat


def _client_end(*actions: Action) -> Next[ClientState]:
    return Next(_C.TERMINATED, (*actions, Action.TERMINATE), _R.STOP, Wait.STOP)


_CLIENT_ANY = frozenset(_V)
_CLIENT_TIMERS = frozenset({_V.REPEAT_DUE, _V.WAIT_OVER})
_ANSWERED_2XX: Next[ClientState] = Next(_C.ACCEPTED, (Action.PASS_RESPONSE,), _R.STOP, Wait.M)
_REFUSED: Next[ClientState] = Next(_C.COMPLETED, (Action.SEND_ACK, Action.PASS_RESPONSE), _R.STOP, Wait.D)

CLIENT_INVITE: Machine[ClientState, ClientEvent] = Machine(
    name="client INVITE",
    states=tuple(state for state in _C if state is not _C.TRYING),
    events=tuple(_V),
    wait_over=_V.WAIT_OVER,
    table={
        (_C.INITIAL, _V.START): Next(_C.CALLING, (Action.SEND_REQUEST,), _R.FIRST, Wait.B),
        (_C.CALLING, _V.PROVISIONAL): Next(_C.PROCEEDING, (Action.PASS_RESPONSE,), _R.STOP, Wait.C),
        (_C.CALLING, _V.SUCCESS): _ANSWERED_2XX,
        (_C.CALLING, _V.FAILURE): _REFUSED,
        (_C.CALLING, _V.REPEAT_DUE): Next(_C.CALLING, (Action.SEND_REQUEST,), _R.DOUBLE),
        (_C.CALLING, _V.WAIT_OVER): _client_end(Action.TIMEOUT),
        (_C.CALLING, _V.TRANSPORT_ERROR): _client_end(Action.TRANSPORT_FAILED),
        (_C.PROCEEDING, _V.PROVISIONAL): Next(_C.PROCEEDING, (Action.PASS_RESPONSE,), wait=Wait.C),
        (_C.PROCEEDING, _V.SUCCESS): _ANSWERED_2XX,
        (_C.PROCEEDING, _V.FAILURE): _REFUSED,
        (_C.PROCEEDING, _V.WAIT_OVER): Next(_C.EXPIRED, (Action.TIMEOUT,), wait=Wait.CANCELLED),
        (_C.PROCEEDING, _V.EXPECT_END): Next(_C.CANCELLING, (), wait=Wait.CANCELLED),
        (_C.PROCEEDING, _V.TRANSPORT_ERROR): _client_end(Action.TRANSPORT_FAILED),
        (_C.CANCELLING, _V.PROVISIONAL): Next(_C.CANCELLING, (Action.PASS_RESPONSE,)),
        (_C.CANCELLING, _V.SUCCESS): _ANSWERED_2XX,
        (_C.CANCELLING, _V.FAILURE): _REFUSED,
        (_C.CANCELLING, _V.WAIT_OVER): _client_end(Action.TIMEOUT),
        (_C.CANCELLING, _V.TRANSPORT_ERROR): _client_end(Action.TRANSPORT_FAILED),
        # The user was told 408 already: a non-2xx is only acknowledged, a 2xx is for the user to end.
        (_C.EXPIRED, _V.SUCCESS): _ANSWERED_2XX,
        (_C.EXPIRED, _V.FAILURE): Next(_C.COMPLETED, (Action.SEND_ACK,), _R.STOP, Wait.D),
        (_C.EXPIRED, _V.WAIT_OVER): _client_end(),
        (_C.EXPIRED, _V.TRANSPORT_ERROR): _client_end(),
        # A proxy forwards a 2xx of one fork even after the failure of another (RFC 3261 16.7 step 5).
        (_C.COMPLETED, _V.SUCCESS): _ANSWERED_2XX,
        (_C.COMPLETED, _V.FAILURE): Next(_C.COMPLETED, (Action.SEND_ACK,)),
        (_C.COMPLETED, _V.WAIT_OVER): _client_end(),
        # The user has its final response, so the lost ACK is not one more outcome.
        (_C.COMPLETED, _V.TRANSPORT_ERROR): _client_end(),
        (_C.ACCEPTED, _V.SUCCESS): Next(_C.ACCEPTED, (Action.PASS_RESPONSE,)),
        (_C.ACCEPTED, _V.WAIT_OVER): _client_end(),
    },
    ignored=_pairs(
        {
            _C.CANCELLING: {_V.EXPECT_END},
            _C.EXPIRED: {_V.PROVISIONAL, _V.EXPECT_END},
            _C.COMPLETED: {_V.PROVISIONAL, _V.EXPECT_END},
            _C.ACCEPTED: {_V.PROVISIONAL, _V.FAILURE, _V.EXPECT_END, _V.TRANSPORT_ERROR},
            _C.TERMINATED: _CLIENT_ANY - _CLIENT_TIMERS - {_V.START},
        }
    ),
    illegal=_pairs(
        {
            _C.INITIAL: _CLIENT_ANY - {_V.START},
            # RFC 3261 9.1: no CANCEL before a provisional response.
            _C.CALLING: {_V.START, _V.EXPECT_END},
            _C.PROCEEDING: {_V.START, _V.REPEAT_DUE},
            _C.CANCELLING: {_V.START, _V.REPEAT_DUE},
            _C.EXPIRED: {_V.START, _V.REPEAT_DUE},
            _C.COMPLETED: {_V.START, _V.REPEAT_DUE},
            _C.ACCEPTED: {_V.START, _V.REPEAT_DUE},
            _C.TERMINATED: _CLIENT_TIMERS | {_V.START},
        }
    ),
)

_FINAL: Next[ClientState] = Next(_C.COMPLETED, (Action.PASS_RESPONSE,), _R.STOP, Wait.K)

CLIENT_NON_INVITE: Machine[ClientState, ClientEvent] = Machine(
    name="client non-INVITE",
    states=(_C.INITIAL, _C.TRYING, _C.PROCEEDING, _C.COMPLETED, _C.TERMINATED),
    events=tuple(_V),
    wait_over=_V.WAIT_OVER,
    table={
        (_C.INITIAL, _V.START): Next(_C.TRYING, (Action.SEND_REQUEST,), _R.FIRST, Wait.F),
        (_C.TRYING, _V.PROVISIONAL): Next(_C.PROCEEDING, (Action.PASS_RESPONSE,)),
        (_C.TRYING, _V.SUCCESS): _FINAL,
        (_C.TRYING, _V.FAILURE): _FINAL,
        (_C.TRYING, _V.REPEAT_DUE): Next(_C.TRYING, (Action.SEND_REQUEST,), _R.DOUBLE_TO_T2),
        (_C.TRYING, _V.WAIT_OVER): _client_end(Action.TIMEOUT),
        (_C.TRYING, _V.TRANSPORT_ERROR): _client_end(Action.TRANSPORT_FAILED),
        (_C.PROCEEDING, _V.PROVISIONAL): Next(_C.PROCEEDING, (Action.PASS_RESPONSE,)),
        (_C.PROCEEDING, _V.SUCCESS): _FINAL,
        (_C.PROCEEDING, _V.FAILURE): _FINAL,
        (_C.PROCEEDING, _V.REPEAT_DUE): Next(_C.PROCEEDING, (Action.SEND_REQUEST,), _R.AT_T2),
        (_C.PROCEEDING, _V.WAIT_OVER): _client_end(Action.TIMEOUT),
        (_C.PROCEEDING, _V.TRANSPORT_ERROR): _client_end(Action.TRANSPORT_FAILED),
        (_C.COMPLETED, _V.WAIT_OVER): _client_end(),
    },
    ignored=_pairs(
        {
            _C.COMPLETED: {_V.PROVISIONAL, _V.SUCCESS, _V.FAILURE, _V.TRANSPORT_ERROR},
            _C.TERMINATED: {_V.PROVISIONAL, _V.SUCCESS, _V.FAILURE, _V.TRANSPORT_ERROR},
        }
    ),
    illegal=_pairs(
        {
            _C.INITIAL: _CLIENT_ANY - {_V.START},
            # Only an INVITE can be cancelled (RFC 3261 9.1).
            _C.TRYING: {_V.START, _V.EXPECT_END},
            _C.PROCEEDING: {_V.START, _V.EXPECT_END},
            _C.COMPLETED: {_V.START, _V.REPEAT_DUE, _V.EXPECT_END},
            _C.TERMINATED: _CLIENT_TIMERS | {_V.START, _V.EXPECT_END},
        }
    ),
)

_S = ServerState
_W = ServerEvent


def _server_end(*actions: Action) -> Next[ServerState]:
    return Next(_S.TERMINATED, (*actions, Action.TERMINATE), _R.STOP, Wait.STOP)


_SEND = (Action.SEND_RESPONSE,)
_SERVER_ANY = frozenset(_W)
_SERVER_TIMERS = frozenset({_W.REPEAT_DUE, _W.WAIT_OVER})
_SERVER_SENDS = frozenset({_W.SEND_PROVISIONAL, _W.SEND_SUCCESS, _W.SEND_FAILURE})
_RINGING: Next[ServerState] = Next(_S.PROCEEDING, _SEND)
_ACCEPT: Next[ServerState] = Next(_S.ACCEPTED, _SEND, _R.FIRST_ALWAYS, Wait.L)
_REFUSE: Next[ServerState] = Next(_S.COMPLETED, _SEND, _R.FIRST, Wait.H)

SERVER_INVITE: Machine[ServerState, ServerEvent] = Machine(
    name="server INVITE",
    states=tuple(_S),
    events=tuple(_W),
    wait_over=_W.WAIT_OVER,
    table={
        (_S.TRYING, _W.SEND_PROVISIONAL): _RINGING,
        (_S.TRYING, _W.SEND_SUCCESS): _ACCEPT,
        (_S.TRYING, _W.SEND_FAILURE): _REFUSE,
        (_S.TRYING, _W.WAIT_OVER): Next(_S.TRYING, (Action.TIMEOUT,), wait=Wait.STOP),
        (_S.TRYING, _W.TRANSPORT_ERROR): _server_end(Action.TRANSPORT_FAILED),
        (_S.PROCEEDING, _W.REQUEST): Next(_S.PROCEEDING, _SEND),
        (_S.PROCEEDING, _W.SEND_PROVISIONAL): _RINGING,
        (_S.PROCEEDING, _W.SEND_SUCCESS): _ACCEPT,
        (_S.PROCEEDING, _W.SEND_FAILURE): _REFUSE,
        (_S.PROCEEDING, _W.WAIT_OVER): Next(_S.PROCEEDING, (Action.TIMEOUT,), wait=Wait.STOP),
        (_S.PROCEEDING, _W.TRANSPORT_ERROR): _server_end(Action.TRANSPORT_FAILED),
        (_S.COMPLETED, _W.REQUEST): Next(_S.COMPLETED, _SEND),
        (_S.COMPLETED, _W.ACK): Next(_S.CONFIRMED, (), _R.STOP, Wait.I),
        (_S.COMPLETED, _W.REPEAT_DUE): Next(_S.COMPLETED, _SEND, _R.DOUBLE_TO_T2),
        (_S.COMPLETED, _W.WAIT_OVER): _server_end(Action.ACK_MISSING),
        (_S.COMPLETED, _W.TRANSPORT_ERROR): _server_end(Action.TRANSPORT_FAILED),
        (_S.CONFIRMED, _W.WAIT_OVER): _server_end(),
        (_S.ACCEPTED, _W.ACK): Next(_S.ACKNOWLEDGED, (Action.PASS_ACK,), _R.STOP),
        (_S.ACCEPTED, _W.REPEAT_DUE): Next(_S.ACCEPTED, _SEND, _R.DOUBLE_TO_T2),
        (_S.ACCEPTED, _W.WAIT_OVER): _server_end(Action.ACK_MISSING),
        (_S.ACKNOWLEDGED, _W.WAIT_OVER): _server_end(),
    },
    ignored=_pairs(
        {
            # Nothing was sent yet that could be repeated, and nothing that could be acknowledged.
            _S.TRYING: {_W.REQUEST, _W.ACK},
            _S.PROCEEDING: {_W.ACK},
            # RFC 3261 17.2.1: further responses of the user are discarded after the final one.
            _S.COMPLETED: _SERVER_SENDS,
            _S.CONFIRMED: _SERVER_SENDS | {_W.REQUEST, _W.ACK, _W.TRANSPORT_ERROR},
            # The 2xx has its own schedule; whether it arrives is decided by the ACK alone.
            _S.ACCEPTED: _SERVER_SENDS | {_W.REQUEST, _W.TRANSPORT_ERROR},
            _S.ACKNOWLEDGED: _SERVER_SENDS | {_W.REQUEST, _W.ACK, _W.TRANSPORT_ERROR},
            _S.TERMINATED: _SERVER_ANY - _SERVER_TIMERS,
        }
    ),
    illegal=_pairs(
        {
            _S.TRYING: {_W.REPEAT_DUE},
            _S.PROCEEDING: {_W.REPEAT_DUE},
            _S.CONFIRMED: {_W.REPEAT_DUE},
            _S.ACKNOWLEDGED: {_W.REPEAT_DUE},
            _S.TERMINATED: _SERVER_TIMERS,
        }
    ),
)

_COMPLETE: Next[ServerState] = Next(_S.COMPLETED, _SEND, wait=Wait.J)

SERVER_NON_INVITE: Machine[ServerState, ServerEvent] = Machine(
    name="server non-INVITE",
    states=(_S.TRYING, _S.PROCEEDING, _S.COMPLETED, _S.TERMINATED),
    events=tuple(_W),
    wait_over=_W.WAIT_OVER,
    table={
        (_S.TRYING, _W.SEND_PROVISIONAL): _RINGING,
        (_S.TRYING, _W.SEND_SUCCESS): _COMPLETE,
        (_S.TRYING, _W.SEND_FAILURE): _COMPLETE,
        # RFC 4320 4.2: no 408 to a non-INVITE request, the client has given up by itself.
        (_S.TRYING, _W.WAIT_OVER): _server_end(Action.TIMEOUT),
        (_S.TRYING, _W.TRANSPORT_ERROR): _server_end(Action.TRANSPORT_FAILED),
        (_S.PROCEEDING, _W.REQUEST): Next(_S.PROCEEDING, _SEND),
        (_S.PROCEEDING, _W.SEND_PROVISIONAL): _RINGING,
        (_S.PROCEEDING, _W.SEND_SUCCESS): _COMPLETE,
        (_S.PROCEEDING, _W.SEND_FAILURE): _COMPLETE,
        (_S.PROCEEDING, _W.WAIT_OVER): _server_end(Action.TIMEOUT),
        (_S.PROCEEDING, _W.TRANSPORT_ERROR): _server_end(Action.TRANSPORT_FAILED),
        (_S.COMPLETED, _W.REQUEST): Next(_S.COMPLETED, _SEND),
        (_S.COMPLETED, _W.WAIT_OVER): _server_end(),
        (_S.COMPLETED, _W.TRANSPORT_ERROR): _server_end(Action.TRANSPORT_FAILED),
    },
    ignored=_pairs(
        {
            _S.TRYING: {_W.REQUEST, _W.ACK},
            # A peer can send an ACK with any branch: it means nothing here.
            _S.PROCEEDING: {_W.ACK},
            _S.COMPLETED: _SERVER_SENDS | {_W.ACK},
            _S.TERMINATED: _SERVER_ANY - _SERVER_TIMERS,
        }
    ),
    illegal=_pairs(
        {
            _S.TRYING: {_W.REPEAT_DUE},
            _S.PROCEEDING: {_W.REPEAT_DUE},
            _S.COMPLETED: {_W.REPEAT_DUE},
            _S.TERMINATED: _SERVER_TIMERS,
        }
    ),
)
