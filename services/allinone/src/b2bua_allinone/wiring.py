"""Edge and call-control in one process: the link between them is a queue.

Events and commands are the same messages as on the gRPC streams; they are passed by reference
and never serialised. The edge's shell calls `flush` when a batch of messages is through, so neither
side is ever called from inside itself, and no turn of the event loop is lost between them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from b2bua.common.v1 import sip_pb2
from b2bua.edge.v1 import edge_pb2 as edge
from call_control.pod import Pod

#: Commands with this id are not debts: nobody waits for their confirmation.
_UNOWED = 0
#: Seconds after which an event that could not be committed is offered again, and until it is given up.
_RETRY_AFTER = 1.0
_TRIES = 32


class InProcessLink:
    """`ControlLink` of the edge and `EdgePort` of the pod at once."""

    def __init__(
        self,
        *,
        edge_id: str,
        boot: int,
        execute: Callable[[edge.Command], None],
        schedule: Callable[[float, Callable[[], None]], object],
    ) -> None:
        """`execute` carries a command out at the edge; `schedule` calls back after some seconds."""
        self.edge_id = edge_id
        self.boot = boot
        self._execute = execute
        self._schedule = schedule
        self._pod: Pod | None = None
        self._events: deque[edge.Event] = deque()
        self._commands: deque[edge.Command] = deque()
        self._done: list[edge.CommandRef] = []
        self._open: dict[int, edge.Event] = {}
        self._tries: dict[int, int] = {}
        self._scheduled = False
        self._flushing = False

    def attach(self, pod: Pod) -> None:
        """Connect the edge to call-control."""
        self._pod = pod
        pod.attach(self)

    # -- the edge's side -------------------------------------------------------------------

    def submit(self, event: edge.Event) -> None:
        """Queue an event for call-control."""
        self._events.append(event)
        self._open[event.id] = event

    def done(self, refs: Sequence[edge.CommandRef]) -> None:
        """Queue confirmations for call-control."""
        self._done.extend([ref for ref in refs if ref.id != _UNOWED])

    def may_open_call(self) -> bool:
        """Tell whether call-control takes new calls: in one process it always does."""
        return self._pod is not None

    # -- the pod's side --------------------------------------------------------------------

    def send(self, commands: Sequence[edge.Command]) -> None:
        """Queue commands for the edge; outside of a flush they go in the next turn of the loop.

        Requests are copied: the edge keeps them until their transactions are over, and would keep with each
        the record that it is a part of. Of other commands the edge keeps what it has written on the wire.
        """
        for command in commands:
            if command.HasField("send_request"):
                copy = edge.Command()
                copy.CopyFrom(command)
                command = copy
            self._commands.append(command)
        if not self._flushing:
            self._wake()

    def acknowledge(self, event_ids: Sequence[int]) -> None:
        """Forget events whose transition is committed."""
        for event_id in event_ids:
            self._open.pop(event_id, None)
            if self._tries:
                self._tries.pop(event_id, None)

    def busy(self, event_ids: Sequence[int], *, unsure: bool = False) -> None:
        """The store is away: refuse what opens a call, offer all else again until 32 s have passed."""
        for event_id in event_ids:
            event = self._open.get(event_id)
            if event is None:
                continue
            tries = self._tries[event_id] = self._tries.get(event_id, 0) + 1
            may_exist = (unsure or event.redelivered) and tries <= _TRIES
            if event.opens_call and not may_exist:
                self._commands.append(_unavailable(event))
                self.acknowledge((event_id,))
                self._wake()
            elif tries > _TRIES:
                self.acknowledge((event_id,))
            else:
                self._schedule(_RETRY_AFTER, partial(self._offer_again, event))

    def _offer_again(self, event: edge.Event) -> None:
        event.redelivered = True
        self._events.append(event)
        self._wake()

    # -- the pump --------------------------------------------------------------------------

    def _wake(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._schedule(0.0, self._woken)

    def _woken(self) -> None:
        self._scheduled = False
        self.flush()

    def flush(self) -> None:
        """Hand everything over, in both directions, until nothing is left."""
        pod = self._pod
        if pod is None or self._flushing:
            return
        self._flushing = True
        try:
            self._hand_over(pod)
        finally:
            self._flushing = False

    def _hand_over(self, pod: Pod) -> None:
        events, commands, execute = self._events, self._commands, self._execute
        while events or commands or self._done:
            while events:
                pod.on_event(self, events.popleft())
            if self._done:
                refs, self._done = self._done, []
                pod.on_done(self, refs)
            while commands:
                execute(commands.popleft())


def _unavailable(event: edge.Event) -> edge.Command:
    respond = edge.Respond(
        transaction=event.request.transaction,
        status=503,
        reason="Service Unavailable",
        headers=[sip_pb2.Header(name="Retry-After", value="5")],
    )
    return edge.Command(id=_UNOWED, call_key=event.call_key, edge=event.edge, respond=respond)
