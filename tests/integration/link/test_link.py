"""The streams between edge and call-control, over real gRPC on loopback."""

from integration.link.conftest import Scene
from integration.link.fakes import until


async def test_events_arrive_in_order_and_commands_come_back_in_order(scene: Scene) -> None:
    pod = await scene.pod("pod-a")
    edge = await scene.edge(pod)
    await until(edge.link.may_open_call, "credits")
    for number in range(200):
        edge.submit(f"00call{number % 7}")
    await until(lambda: len(edge.commands) == 200, "all commands")
    assert pod.pod.ids == list(range(1, 201))
    assert [command.id for command in edge.commands] == list(range(1, 201))
    await until(lambda: not edge.link.unacknowledged, "all acknowledged")
