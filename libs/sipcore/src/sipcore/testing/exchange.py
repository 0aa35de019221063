"""A transaction with its bytes, its timer and its way to the peer: what an application adds to a machine."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from sipcore.message import Request, Response
from sipcore.testing.builders import ack_to
from sipcore.testing.clock import Handle, Scheduler
from sipcore.testing.wire import Address, Send
from sipcore.transaction import Action, ClientTransaction, ServerTransaction

__all__ = ["ClientExchange", "ServerExchange", "Surroundings"]

T = TypeVar("T", ClientTransaction, ServerTransaction)


class Surroundings(NamedTuple):
    """What an exchange needs of the agent it belongs to."""

    send: Send
    clock: Scheduler


class _Exchange(Generic[T]):
    """Runs one transaction: does its actions, keeps its timer."""

    def __init__(self, transaction: T, surroundings: Surroundings, forget: Callable[[], object]) -> None:
        self.transaction: T = transaction
        self._send, self._clock = surroundings
        self._forget = forget
        self._wake: Handle | None = None
        self._wake_at = float("inf")

    def stop(self) -> None:
        """Ends it without a word."""
        if self._wake is not None:
            self._wake.cancel()
        self._forget()

    def _act(self, action: Action, response: Response | None) -> None:
        raise NotImplementedError

    def _follow(self, actions: tuple[Action, ...], response: Response | None = None) -> None:
        self._arm()
        for action in actions:
            if action is Action.TERMINATE:
                self._forget()
            else:
                self._act(action, response)

    def _arm(self) -> None:
        deadline = self.transaction.deadline
        if deadline == self._wake_at:
            return
        if self._wake is not None:
            self._wake.cancel()
        self._wake_at = deadline
        self._wake = None if deadline == float("inf") else self._clock.call_at(deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._wake_at = float("inf")
        self._follow(self.transaction.on_timer(self._clock.time()))


class ClientExchange(_Exchange[ClientTransaction]):
    """A request of ours.

    `outcome(status, response)` hears of every response that is passed. A timeout is a 408 and a failed
    transport a 503, both without a response.
    """

    def __init__(
        self,
        transaction: ClientTransaction,
        surroundings: Surroundings,
        forget: Callable[[], object],
        request: bytes,
        destination: Address,
        outcome: Callable[[int, Response | None], None],
        call_id: str,
    ) -> None:
        super().__init__(transaction, surroundings, forget)
        self.call_id = call_id
        self.request = request
        self.destination = destination
        self.provisional = False
        """Whether a provisional response has come."""
        self.cancelled = False
        """Whether a CANCEL for it was sent."""
        self._outcome = outcome

    def start(self) -> None:
        """Sends the request."""
        self._follow(self.transaction.start(self._clock.time()))

    def receive(self, response: Response) -> None:
        """Takes a response of this transaction."""
        self._follow(self.transaction.on_response(response.status, self._clock.time()), response)

    def fail(self) -> None:
        """The peer cannot be reached."""
        self._follow(self.transaction.on_transport_error(self._clock.time()))

    def expect_end(self) -> None:
        """A CANCEL for this request was sent."""
        self.cancelled = True
        self._follow(self.transaction.expect_end(self._clock.time()))

    def _act(self, action: Action, response: Response | None) -> None:
        if action is Action.SEND_REQUEST:
            self._send(self.request, self.destination)
        elif action is Action.SEND_ACK and response is not None:
            self._send(ack_to(self.request, response), self.destination)
        elif action is Action.PASS_RESPONSE and response is not None:
            self._tell(response.status, response)
        elif action is Action.TIMEOUT:
            self._tell(408, None)
        elif action is Action.TRANSPORT_FAILED:
            self._tell(503, None)

    def _tell(self, status: int, response: Response | None) -> None:
        self.provisional |= status < 200
        self._outcome(status, response)


class ServerExchange(_Exchange[ServerTransaction]):
    """A request of the peer.

    For an INVITE, `acknowledged(happened)` hears once whether the ACK for a 2xx came, and that the one for a
    refusal did not.
    """

    def __init__(
        self,
        transaction: ServerTransaction,
        surroundings: Surroundings,
        forget: Callable[[], object],
        request: Request,
        source: Address,
    ) -> None:
        super().__init__(transaction, surroundings, forget)
        self.request = request
        self.via = request.via.with_source(*source)
        """The topmost Via as the response has to bring it back (RFC 3261 18.2.1, RFC 3581)."""
        self.acknowledged: Callable[[bool], None] = _nobody
        self._destination = self.via.reply_address() if self.via.transport == "UDP" else source
        self._reply = b""

    def respond(self, status: int, data: bytes) -> bool:
        """Sends a response; False when it comes after a final one and is discarded."""
        actions = self.transaction.on_send(status, self._clock.time())
        if Action.SEND_RESPONSE not in actions:
            return False
        self._reply = data
        self._follow(actions)
        return True

    def repeat(self) -> None:
        """The request came again."""
        self._follow(self.transaction.on_request(self._clock.time()))

    def acknowledge(self) -> None:
        """An ACK for the final response came."""
        self._follow(self.transaction.on_ack(self._clock.time()))

    def _act(self, action: Action, response: Response | None) -> None:
        if action is Action.SEND_RESPONSE:
            self._send(self._reply, self._destination)
        elif action in (Action.PASS_ACK, Action.ACK_MISSING):
            self.acknowledged(action is Action.PASS_ACK)


def _nobody(_: bool) -> None:
    """The acknowledgement matters to no one."""
