"""Which edge carries out a command whose own edge is here, away, or started anew."""

from b2bua.edge.v1 import edge_pb2 as edge
from call_control.connected_edges import ConnectedEdges
from support.call_driver import RecordingPort

AWAY_MS = 32_000
ORIGIN = edge.Origin(call_id="call-1")


class Scene:
    def __init__(self, *edge_ids: str) -> None:
        self.now = 1_000_000
        self.edges = ConnectedEdges(patience_ms=AWAY_MS, now=lambda: self.now)
        self.ports = {edge_id: RecordingPort(edge_id) for edge_id in edge_ids}
        for port in self.ports.values():
            self.edges.attach(port)

    def answer(self, edge_id: str = "edge-a", boot: int = 1) -> None:
        ref = edge.EdgeRef(edge_id=edge_id, boot=boot)
        self.edges.emit([(edge.Command(id=1, edge=ref, respond=edge.Respond(status=200)), ORIGIN)])

    def request(self, method: str, edge_id: str = "edge-a") -> None:
        request = edge.SendRequest(method=method)
        command = edge.Command(id=1, edge=edge.EdgeRef(edge_id=edge_id, boot=1), send_request=request)
        self.edges.emit([(command, None)])


def test_its_own_edge_needs_no_more_than_the_command() -> None:
    scene = Scene("edge-a", "edge-b")
    scene.answer()
    (command,) = scene.ports["edge-a"].take()
    assert not command.respond.HasField("origin")
    assert scene.ports["edge-b"].take() == []


def test_an_edge_that_was_started_anew_is_told_what_it_forgot() -> None:
    scene = Scene("edge-a")
    scene.answer(boot=7)
    (command,) = scene.ports["edge-a"].take()
    assert command.respond.origin == ORIGIN


def test_another_edge_stands_in_and_is_told_all() -> None:
    scene = Scene("edge-b")
    scene.answer()
    (command,) = scene.ports["edge-b"].take()
    assert command.respond.origin == ORIGIN


def test_an_invite_waits_for_its_edge_until_that_is_away_for_good() -> None:
    scene = Scene("edge-a", "edge-b")
    scene.edges.detach(scene.ports["edge-a"], scene.now)
    scene.request("INVITE")
    scene.request("BYE")
    assert [one.send_request.method for one in scene.ports["edge-b"].take()] == ["BYE"]
    assert scene.edges.undeliverable == 1
    scene.now += AWAY_MS
    scene.request("INVITE")
    assert len(scene.ports["edge-b"].take()) == 1


def test_without_any_edge_a_command_is_counted() -> None:
    scene = Scene()
    scene.answer()
    assert scene.edges.undeliverable == 1


def test_a_port_that_was_replaced_cannot_take_its_successor_along() -> None:
    scene = Scene("edge-a")
    successor = RecordingPort("edge-a", boot=2)
    scene.edges.attach(successor)
    scene.edges.detach(scene.ports["edge-a"], scene.now)
    scene.answer(boot=2)
    assert len(successor.take()) == 1
