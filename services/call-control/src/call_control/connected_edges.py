"""The edges that are connected to a pod: they carry out its commands, and may be away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from b2bua.edge.v1 import edge_pb2 as edge
from call_control.domain.ports import EdgePort
from call_control.domain.turn import Emission, Turn


class ConnectedEdges:
    """Which edge carries out what. Times are milliseconds of the store's clock."""

    def __init__(self, *, patience_ms: int, now: Callable[[], int]) -> None:
        """An edge is away once nobody has seen it for `patience_ms`."""
        self._patience_ms = patience_ms
        self._now = now
        self._started = now()
        self._ports: dict[str, EdgePort] = {}
        self._left_at: dict[str, int] = {}
        self.undeliverable = 0
        """Commands that found no edge; they are owed, and issued again."""

    def attach(self, port: EdgePort) -> None:
        """An edge connected; another port of the same edge is replaced."""
        self._ports[port.edge_id] = port
        self._left_at.pop(port.edge_id, None)

    def detach(self, port: EdgePort, now: int) -> None:
        """An edge went away; nothing if another port has taken its place."""
        if self._ports.get(port.edge_id) is port:
            del self._ports[port.edge_id]
            self._left_at[port.edge_id] = now

    def emit(self, emissions: Sequence[Emission]) -> None:
        """Hand commands to their edges, or to any other that can carry them out.

        An INVITE waits for its edge, which may have sent it: from another one the callee would see a merged
        request (RFC 3261 8.2.2.2).
        """
        ports = self._ports
        batches: dict[str, list[edge.Command]] = {}
        for command, origin in emissions:
            target = command.edge
            edge_id = target.edge_id
            port = ports.get(edge_id)
            if port is None:
                port = self._stand_in(command)
                if port is None:
                    self.undeliverable += 1
                    continue
                edge_id = port.edge_id
                if origin is not None:
                    command = _with_origin(command, origin)
            elif origin is not None and port.boot != target.boot:
                command = _with_origin(command, origin)
            if edge_id in batches:
                batches[edge_id].append(command)
            else:
                batches[edge_id] = [command]
        for edge_id, commands in batches.items():
            ports[edge_id].send(commands)

    def place_invites(self, turn: Turn) -> None:
        """Give new INVITEs whose edge is not here to one that is: after the commit no other may send them."""
        ports = self._ports
        lost = [command.id for command in turn.invites if command.edge.edge_id not in ports]
        if not lost or not ports:
            return
        port = next(iter(ports.values()))
        debts = [debt.command for debt in turn.call.debts[:]]
        for command in (*debts, *(command for command, _ in turn.emissions)):
            if command.id in lost:
                command.edge.edge_id, command.edge.boot = port.edge_id, port.boot

    def absences(self, now: int) -> Absences:
        """Return who is away at `now`."""
        return Absences(self._ports, self._left_at, self._started, now - self._patience_ms)

    def _stand_in(self, command: edge.Command) -> EdgePort | None:
        """Return an edge that can carry out a command whose own edge is not here."""
        if command.send_request.method == "INVITE" and not self.absences(self._now()).is_away(command.edge):
            return None
        return next(iter(self._ports.values()), None)


def _with_origin(command: edge.Command, origin: edge.Origin) -> edge.Command:
    """Return a copy of an answer with what an edge needs that lacks the transaction."""
    complete = edge.Command()
    complete.CopyFrom(command)
    complete.respond.origin.CopyFrom(origin)
    return complete


class Absences:
    """Edges that this pod has not seen since a time, and edges that have begun another life."""

    def __init__(
        self, ports: Mapping[str, EdgePort], left_at: Mapping[str, int], started: int, before: int
    ) -> None:
        self._ports, self._left_at, self._started, self._before = ports, left_at, started, before

    def is_away(self, ref: edge.EdgeRef) -> bool:
        """Whether the edge was away for too long."""
        if ref.edge_id in self._ports:
            return False
        return self._left_at.get(ref.edge_id, self._started) <= self._before

    def has_forgotten(self, ref: edge.EdgeRef) -> bool:
        """Whether the edge was started anew, and knows none of its transactions any more."""
        port = self._ports.get(ref.edge_id)
        return port is not None and port.boot != ref.boot
