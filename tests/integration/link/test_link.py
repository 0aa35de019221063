"""The streams between edge and call-control, over real gRPC on loopback."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from b2bua.edge.v1.edge_pb2 import Command, CommandRef, Event
from call_control.adapters.edge_streams import StreamSettings
from call_control.domain.ports import EdgePort
from integration.link.conftest import Scene
from integration.link.fakes import QUICK, EdgeEnd, PodServer, greeting, until
from sip_edge.domain.delivery import Cause, Refusal
from sip_edge.domain.rendezvous import Rendezvous

KEY = "07call"


def in_order(*pods: PodServer) -> list[PodServer]:
    """Sort pods as an event of KEY visits them."""
    order = Rendezvous(pod.pod.pod_id for pod in pods).order(KEY[:2])
    return sorted(pods, key=lambda pod: order.index(pod.pod.pod_id))


async def connected(edge: EdgeEnd, count: int) -> None:
    # Not those of the link: it reserves the place of a pod before both of its streams are open.
    await until(lambda: len(edge.link._delivery._pods) == count, f"{count} pods")


async def two_pods(scene: Scene) -> tuple[EdgeEnd, PodServer, PodServer]:
    pods = in_order(await scene.pod("pod-a"), await scene.pod("pod-b"))
    edge = await scene.edge(*pods)
    await connected(edge, 2)
    return edge, pods[0], pods[1]


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
    assert pod.streams.stats.events == 200


async def test_the_edge_hears_the_greeting_before_anything_else(scene: Scene) -> None:
    edge = await scene.edge(await scene.pod("pod-a"))
    await until(lambda: edge.link.ready, "a pod")
    assert edge.greetings == [greeting("pod-a")]


async def test_the_pod_knows_the_edge(scene: Scene) -> None:
    pod = await scene.pod("pod-a")
    await scene.edge(pod)
    await until(lambda: pod.pod.ports, "the edge")
    assert (pod.pod.ports[0].edge_id, pod.pod.ports[0].boot) == ("edge-0", 7)


async def test_a_cancel_arrives_behind_its_invite(scene: Scene) -> None:
    pod = await scene.pod("pod-a")
    pod.pod.answer = pod.pod.say_nothing
    edge = await scene.edge(pod)
    await until(edge.link.may_open_call, "credits")
    for number in range(20):
        edge.submit(f"00call{number}", opens_call=True)
        edge.submit(f"00call{number}")
    await until(lambda: len(pod.pod.events) == 40, "all events")
    assert pod.pod.ids == list(range(1, 41))


async def test_without_an_acknowledgement_the_next_pod_gets_the_event(scene: Scene) -> None:
    edge, first, second = await two_pods(scene)
    first.pod.answer = first.pod.say_nothing
    edge.submit(KEY)
    await until(lambda: edge.commands, "the command of the second pod")
    assert [event.redelivered for event in first.pod.events] == [False]
    assert [event.redelivered for event in second.pod.events] == [True]
    assert sum(edge.link.stats.redelivered.values()) == 1


async def test_when_a_stream_breaks_the_next_pod_gets_all_events(scene: Scene) -> None:
    edge, first, second = await two_pods(scene)
    first.pod.answer = first.pod.say_nothing
    for _ in range(10):
        edge.submit(KEY)
    await until(lambda: len(first.pod.events) == 10, "the events at the first pod")
    await first.stop()
    await until(lambda: not edge.link.unacknowledged, "the events at the second pod")
    assert second.pod.ids == list(range(1, 11))
    assert not first.pod.ports


async def test_a_pod_that_comes_back_gets_its_calls_again(scene: Scene) -> None:
    edge, first, second = await two_pods(scene)
    await first.stop()
    await connected(edge, 1)
    edge.submit(KEY)
    await until(lambda: second.pod.events, "the event at the second pod")
    await first.start()
    await connected(edge, 2)
    await until(lambda: first.pod.ports, "the edge at the first pod")
    edge.submit(KEY)
    await until(lambda: first.pod.events, "the event at the first pod")
    await until(lambda: not edge.link.unacknowledged, "acknowledgements")


async def test_events_wait_for_the_only_pod_and_new_calls_do_not(scene: Scene) -> None:
    pod = await scene.pod("pod-a")
    edge = await scene.edge(pod)
    await until(lambda: edge.link.ready, "the pod")
    await pod.stop()
    await until(lambda: not edge.link.ready, "its end")
    assert not edge.link.may_open_call()
    bye, invite = edge.submit(KEY), edge.submit("08new", opens_call=True)
    await pod.start()
    await until(lambda: not edge.link.unacknowledged, "the acknowledgement")
    assert pod.pod.ids == [bye.id]
    assert edge.refused == [(invite.id, Refusal.NO_POD)]


async def test_busy_sends_the_event_to_the_next_pod_at_once(scene: Scene) -> None:
    edge, first, second = await two_pods(scene)
    first.pod.answer = first.pod.decline
    edge.submit(KEY)
    await until(lambda: edge.commands, "the command of the second pod")
    assert first.pod.ids == second.pod.ids == [1]
    assert edge.link.stats.redelivered == {Cause.BUSY: 1}


async def test_credits_end_where_the_pod_says(scene: Scene) -> None:
    pod = await scene.pod("pod-a")
    pod.pod.answer = pod.pod.say_nothing
    edge = await scene.edge(pod)
    await until(edge.link.may_open_call, "credits")
    opened = 0
    while edge.link.may_open_call() and opened < 10_000:
        opened += 1
        edge.submit(f"00call{opened}", opens_call=True)
    assert opened == pod.streams.stats.credits
    await until(lambda: len(pod.pod.events) == opened, "the events")
    pod.pod.ports[0].acknowledge([1])
    await until(edge.link.may_open_call, "a credit")


async def test_a_pod_that_does_not_admit_gives_no_credits(scene: Scene) -> None:
    pod = await scene.pod("pod-a")
    edge = await scene.edge(pod)
    await until(edge.link.may_open_call, "credits")
    pod.streams.admit(False)
    await until(lambda: not edge.link.may_open_call(), "their end")
    pod.streams.admit(True)
    await until(edge.link.may_open_call, "credits again")


async def test_a_draining_pod_gets_no_new_calls(scene: Scene) -> None:
    edge, first, second = await two_pods(scene)
    await until(edge.link.may_open_call, "credits")
    first.streams.drain()
    await until(lambda: edge.link._delivery.home(KEY) == second.pod.pod_id, "the news")
    edge.submit(KEY, opens_call=True)
    await until(lambda: second.pod.events, "the call at the second pod")
    second.streams.drain()
    await until(lambda: not edge.link.may_open_call(), "the second news")
    edge.submit(KEY)
    await until(lambda: not edge.link.unacknowledged, "what is in progress goes on")
    assert not edge.refused


async def test_an_edge_that_connects_later_hears_of_draining(scene: Scene) -> None:
    pod = await scene.pod("pod-a")
    pod.streams.drain()
    edge = await scene.edge(pod)
    edge.submit(KEY)
    await until(lambda: pod.pod.events, "an event in progress")
    assert not edge.link.may_open_call()


@pytest.mark.parametrize("wrong", ["another key", "another salt", "another shard count"])
async def test_a_pod_of_another_cluster_is_not_used(scene: Scene, wrong: str) -> None:
    hello = {
        "another key": greeting("pod-b", key="other"),
        "another salt": greeting("pod-b", salt=b"other"),
        "another shard count": greeting("pod-b", shards=32),
    }[wrong]
    good, bad = await scene.pod("pod-a"), await scene.pod("pod-b", hello=hello)
    with capture_logs() as logs:
        edge = await scene.edge(good)
        await connected(edge, 1)
        edge.link._on_addresses(frozenset({good.address, bad.address}))
        await until(lambda: edge.link.stats.pods_refused >= 3, "refusals")
    lines = [line for line in logs if line["log_level"] == "error" and line["event"] == "link.pod_refused"]
    assert len(lines) == 1, "one line, however often it is tried"
    assert lines[0]["peer"] == bad.address
    assert not bad.pod.ports
    if wrong == "another key":
        assert any(line["event"] == "link.edge_refused" for line in logs)


async def test_confirmations_go_to_the_pod_that_issued_the_command(scene: Scene) -> None:
    edge, first, second = await two_pods(scene)
    await until(lambda: first.pod.ports and second.pod.ports, "both ports")
    first.pod.ports[0].send([Command(id=1, call_key=KEY)])
    second.pod.ports[0].send([Command(id=2, call_key=KEY)])
    await until(lambda: len(edge.commands) == 2, "both commands")
    edge.link.done([CommandRef(call_key=KEY, id=number) for number in (0, 1, 2)])
    await until(lambda: first.pod.done and second.pod.done, "both confirmations")
    assert [ref.id for ref in first.pod.done] == [1]
    assert [ref.id for ref in second.pod.done] == [2]


async def test_confirmations_without_a_pod_are_counted(scene: Scene) -> None:
    edge = await scene.edge(pods="127.0.0.1:1")
    edge.link.done([CommandRef(call_key=KEY, id=1)])
    assert edge.link.stats.confirmations_dropped == 1


async def test_a_pod_reached_over_two_addresses_is_connected_once(scene: Scene) -> None:
    pod = await scene.pod("pod-a")
    edge = await scene.edge(pods=f"127.0.0.1:{pod.port},ipv4:127.0.0.1:{pod.port}")
    await until(lambda: pod.pod.ports, "the edge")
    for _ in range(5):
        edge.submit(KEY)
    await until(lambda: not edge.link.unacknowledged, "acknowledgements")
    assert (edge.link.stats.sessions, pod.streams.stats.attached) == (1, 1)
    await pod.stop()
    await until(lambda: not edge.link.ready, "its end")
    await pod.start()
    await until(lambda: pod.pod.ports, "the edge again")
    assert pod.streams.stats.attached == 1


async def test_a_name_stands_for_all_its_addresses(scene: Scene) -> None:
    pod = await scene.pod("pod-a")
    edge = await scene.edge(pods=f"dns:///localhost:{pod.port}")
    edge.submit(KEY)
    await until(lambda: pod.pod.events, "the event")


async def test_an_address_that_is_no_longer_listed_serves_until_it_breaks(scene: Scene) -> None:
    edge, first, second = await two_pods(scene)
    edge.link._on_addresses(frozenset({second.address}))
    edge.submit(KEY)
    await until(lambda: first.pod.events, "the event")
    await first.stop()
    await connected(edge, 1)
    await first.start()
    assert set(edge.link._connections) == {second.address}
    edge.link._on_addresses(frozenset({first.address, second.address}))
    await connected(edge, 2)


async def test_an_edge_process_that_starts_again_replaces_its_predecessor(scene: Scene) -> None:
    pod = await scene.pod("pod-a")
    old = await scene.edge(pod, settings=replace(QUICK, retry_least=30.0, retry_most=30.0))
    await until(lambda: old.link.ready, "the old one")
    await scene.edge(pod)
    await until(lambda: not old.link.ready, "its end")
    await until(lambda: len(pod.pod.ports) == 1, "the new one")


async def test_a_command_that_cannot_be_carried_out_does_not_break_the_stream(scene: Scene) -> None:
    pod = await scene.pod("pod-a")
    edge = await scene.edge(pod)

    def fail_once(command: Command) -> None:
        edge.commands.append(command)
        if len(edge.commands) == 1:
            raise ValueError("no such transaction")

    edge.link._on_command = fail_once
    with capture_logs() as logs:
        edge.submit(KEY)
        edge.submit(KEY)
        await until(lambda: not edge.link.unacknowledged, "acknowledgements")
    assert edge.link.stats.callbacks_failed == 1
    assert edge.link.stats.sessions == 1
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["link.command_failed"]


async def test_an_event_that_the_pod_fails_on_goes_to_the_next(scene: Scene) -> None:
    edge, first, second = await two_pods(scene)

    def fail(port: EdgePort, event: Event) -> None:
        raise ValueError("a defect")

    first.pod.answer = fail
    with capture_logs() as logs:
        edge.submit(KEY)
        await until(lambda: second.pod.events, "the event at the second pod")
    assert first.streams.stats.failures == 1
    assert first.streams.stats.attached == 1
    assert "link.event_failed" in [line["event"] for line in logs]


async def test_a_pod_that_stays_silent_is_disconnected_and_tried_again(scene: Scene) -> None:
    pod = await scene.pod("pod-a")
    pod.pod.answer = pod.pod.say_nothing
    edge = await scene.edge(pod, settings=replace(QUICK, silence_limit=0.1))
    edge.submit(KEY)
    await until(lambda: edge.link.stats.sessions >= 2, "another session")


async def test_closing_waits_for_acknowledgements(scene: Scene) -> None:
    pod = await scene.pod("pod-a")
    edge = EdgeEnd(pod.address, settings=replace(QUICK, close_timeout=5.0))
    await edge.link.start()
    edge.submit(KEY)
    await edge.link.close()
    assert pod.pod.ids == [1]
    assert edge.link.unacknowledged == 0


async def test_commands_beyond_the_queue_disconnect_the_edge(scene: Scene) -> None:
    pod = await scene.pod("pod-a", settings=StreamSettings(queue_limit=10, interval=0.01))
    edge = await scene.edge(pod)
    await until(lambda: pod.pod.ports, "the edge")
    port = pod.pod.ports[0]
    with capture_logs() as logs:
        while pod.pod.ports and pod.pod.ports[0] is port:
            port.send([Command(id=1, call_key=KEY)] * 500)
            await asyncio.sleep(0)
    assert [line["reason"] for line in logs if line["event"] == "link.edge_stalled"] == [
        "too many commands wait for it"
    ]
    await until(lambda: edge.link.stats.sessions == 2, "another session")
