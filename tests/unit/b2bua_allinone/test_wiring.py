"""The queue between edge and call-control of one process."""

from collections.abc import Callable, Sequence
from typing import cast

from b2bua.edge.v1 import edge_pb2 as edge
from b2bua_allinone.wiring import InProcessLink
from call_control.pod import Pod


class Later:
    """Keeps callbacks until they are run."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, seconds: float, callback: Callable[[], None]) -> None:
        self.waiting.append((seconds, callback))

    def run(self, rounds: int = 10) -> None:
        for _ in range(rounds):
            waiting, self.waiting = self.waiting, []
            for _, callback in waiting:
                callback()


class BusyPod:
    """A pod whose store is away; or one that does not know what the store has taken."""

    def __init__(self) -> None:
        self.unsure = False
        self.seen: list[edge.Event] = []
        self.done: list[int] = []

    def attach(self, port: InProcessLink) -> None:
        pass

    def on_event(self, port: InProcessLink, event: edge.Event) -> None:
        self.seen.append(event)
        port.busy((event.id,), unsure=self.unsure)

    def on_done(self, port: InProcessLink, refs: Sequence[edge.CommandRef]) -> None:
        self.done.extend(ref.id for ref in refs)


def wired() -> tuple[InProcessLink, BusyPod, Later, list[edge.Command]]:
    later, commands, pod = Later(), [], BusyPod()
    link = InProcessLink(edge_id="e", boot=1, execute=commands.append, schedule=later)
    link.attach(cast(Pod, pod))
    return link, pod, later, commands


def test_a_new_call_is_refused_while_the_store_is_away() -> None:
    link, _, later, commands = wired()
    link.submit(edge.Event(id=1, opens_call=True, request=edge.RequestEvent(transaction="t")))
    link.flush()
    later.run()
    (command,) = commands
    assert (command.respond.status, command.respond.transaction) == (503, "t")
    assert command.respond.headers[0].name == "Retry-After"


def test_a_new_call_that_may_be_committed_is_refused_only_when_it_is_too_late_for_it() -> None:
    link, pod, later, commands = wired()
    pod.unsure = True
    link.submit(edge.Event(id=1, opens_call=True, request=edge.RequestEvent(transaction="t")))
    link.flush()
    later.run(rounds=20)
    assert commands == []
    later.run(rounds=200)
    assert [command.respond.status for command in commands] == [503]


def test_everything_else_is_offered_again_until_nobody_waits_any_more() -> None:
    link, pod, later, commands = wired()
    link.submit(edge.Event(id=1, request=edge.RequestEvent(transaction="t")))
    link.flush()
    later.run(rounds=200)
    assert 10 < len(pod.seen) < 100
    assert pod.seen[-1].redelivered
    assert commands == []


def test_nobody_hears_of_commands_that_nobody_owes() -> None:
    link, pod, later, _ = wired()
    link.done([edge.CommandRef(call_key="k", id=0), edge.CommandRef(call_key="k", id=7)])
    link.flush()
    later.run()
    assert pod.done == [7]


def test_a_request_for_the_edge_does_not_keep_the_record_that_it_is_a_part_of() -> None:
    link, _, later, commands = wired()
    bye = edge.Command(id=1, call_key="k", send_request=edge.SendRequest(method="BYE", branch="b"))
    link.send([bye])
    later.run()
    assert commands == [bye]
    assert commands[0] is not bye
