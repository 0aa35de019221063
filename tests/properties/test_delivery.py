"""Whatever pods do, each event reaches a live pod until one commits it, and none is forgotten."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from b2bua.edge.v1.edge_pb2 import Event
from sip_edge.domain.delivery import Delivery, Refusal, StreamName

PODS = ("pod-a", "pod-b", "pod-c")
KEYS = tuple(f"0{number}call" for number in range(6))
pods = st.sampled_from(PODS)


class _Writer:
    def wake(self) -> None:
        pass

    def wake_lazily(self) -> None:
        pass


_WRITER = _Writer()


class DeliveryMachine(RuleBasedStateMachine):
    """Pods come, go, stall, drain, decline and commit while events are submitted and time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.ids = 0
        self.open: set[int] = set()  # neither acknowledged nor refused
        self.new_calls: set[int] = set()
        self.at: dict[str, set[int]] = {}  # read by a live pod and not answered
        self.exposed: set[int] = set()  # read by a pod that may have committed it
        self.refused_keys: set[str] = set()
        self.delivery = Delivery(on_refused=self.refused, expiry=1e9, limit=10_000)

    def refused(self, event: Event, reason: Refusal) -> None:
        assert event.id in self.open, "refused twice, or after its acknowledgement"
        if event.id in self.new_calls:
            self.refused_keys.add(event.call_key)
            assert event.id not in self.exposed, "a pod may have committed it"
        else:
            assert event.call_key in self.refused_keys, f"in progress, and refused: {reason}"
        self.open.discard(event.id)

    @rule(key=st.sampled_from(KEYS), opens_call=st.booleans())
    def submit(self, key: str, opens_call: bool) -> None:
        self.ids += 1
        self.open.add(self.ids)
        if opens_call:
            self.new_calls.add(self.ids)
        self.delivery.submit(Event(id=self.ids, call_key=key, opens_call=opens_call), self.now)

    @rule(pod=pods, credits=st.integers(0, 5))
    def connect(self, pod: str, credits: int) -> None:
        if pod not in self.at:
            self.at[pod] = set()
            self.delivery.pod_up(pod, _WRITER, _WRITER, self.now)
            self.delivery.grant(pod, credits)

    @precondition(lambda self: self.at)
    @rule(data=st.data())
    def break_stream(self, data: st.DataObject) -> None:
        pod = data.draw(st.sampled_from(sorted(self.at)))
        self.exposed |= self.at.pop(pod)
        self.delivery.pod_down(pod, self.now)

    @precondition(lambda self: self.at)
    @rule(data=st.data(), stream=st.sampled_from(StreamName), limit=st.integers(1, 4))
    def read(self, data: st.DataObject, stream: StreamName, limit: int) -> None:
        pod = data.draw(st.sampled_from(sorted(self.at)))
        for event in self.delivery.take(pod, stream, limit, self.now):
            assert event.id in self.open, "delivered although it is settled"
            self.at[pod].add(event.id)

    @precondition(lambda self: any(self.at.values()))
    @rule(data=st.data(), commits=st.booleans())
    def answer(self, data: st.DataObject, commits: bool) -> None:
        pod = data.draw(st.sampled_from(sorted(pod for pod, ids in self.at.items() if ids)))
        some = data.draw(st.sets(st.sampled_from(sorted(self.at[pod])), min_size=1))
        self.at[pod] -= some
        if commits:
            before = len(self.delivery)
            self.delivery.acknowledge(pod, some, self.now)
            self.exposed |= some
            self.open -= {one for one in some if not self.still_there(one)}
            assert len(self.delivery) <= before
        else:
            self.delivery.busy(pod, some, self.now)
        self.delivery.heard(pod, self.now)

    @rule(seconds=st.sampled_from([0.01, 0.4, 1.0, 3.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        exposed = self.exposed
        self.exposed = exposed.union(*self.at.values())  # what they hold may not be refused for being late
        self.delivery.on_timer(self.now)
        moved = {one for pod, ids in self.at.items() for one in ids if not self.is_at(one, pod)}
        self.exposed = exposed | moved

    @precondition(lambda self: self.at)
    @rule(data=st.data())
    def drain(self, data: st.DataObject) -> None:
        self.delivery.drain(data.draw(st.sampled_from(sorted(self.at))))

    def is_at(self, event_id: int, pod: str) -> bool:
        pending = self.delivery._pending.get(event_id)
        return pending is not None and pending.pod is not None and pending.pod.name == pod

    def still_there(self, event_id: int) -> bool:
        return event_id in self.delivery._pending

    @invariant()
    def none_is_forgotten(self) -> None:
        assert set(self.delivery._pending) == self.open

    @invariant()
    def the_deadlines_are_in_order(self) -> None:
        offered = [pending.offered_at for pending in self.delivery._pending.values()]
        assert offered == sorted(offered)

    @invariant()
    def credits_in_use_are_counted_right(self) -> None:
        pending = self.delivery._pending.values()
        for pod in self.delivery._pods.values():
            assert pod.unsettled == sum(one.event.opens_call for one in pending if one.pod is pod)

    def teardown(self) -> None:
        """With one sound pod in the end, everything that is left reaches it and is settled."""
        for pod in tuple(self.at):
            self.delivery.pod_down(pod, self.now)
        self.delivery.pod_up("sound", _WRITER, _WRITER, self.now)
        self.delivery.grant("sound", 100)
        for _ in range(4):
            for stream in StreamName:
                ids = [event.id for event in self.delivery.take("sound", stream, 1000, self.now)]
                self.delivery.acknowledge("sound", ids, self.now)
                self.delivery.heard("sound", self.now)
            self.now += 1.0
            self.delivery.on_timer(self.now)
        assert not len(self.delivery)


TestDelivery = DeliveryMachine.TestCase
TestDelivery.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
