"""Delivery of events to call-control pods, at least once.

`Delivery` knows which events nobody has acknowledged yet, where each one is, and where it goes next. It does
no I/O: the adapter tells it what pods say, takes batches from it and lets it look at the clock.

An event goes to the first pod in rendezvous order of its shard. It goes on to the next one when the pod says
`busy`, when the stream breaks, or when nobody acknowledged it for `patience` seconds. A pod that said nothing
at all in that time is *silent*: everything it has goes elsewhere at once, and it gets nothing more until it
speaks. With no pod left to go to the event is *parked*, to be offered again each `patience` seconds and
whenever a pod appears. Only a request that opens a call, and that no pod can have committed, is refused.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Protocol

from b2bua.edge.v1.edge_pb2 import Event
from sip_edge.domain.rendezvous import Rendezvous

SHARD_CHARACTERS = 2
"""How many characters at the start of a call key name its shard."""


class Refusal(Enum):
    """Why the link gave an event up."""

    NO_POD = auto()
    """A new call, and no pod is connected."""
    NO_CREDIT = auto()
    """A new call, and no pod takes another one."""
    STALE = auto()
    """A new call that waited too long in a queue; no pod has seen it."""
    BUSY = auto()
    """A new call that every pod declined to commit."""
    OVERFLOW = auto()
    """Too many events wait for an acknowledgement."""
    EXPIRED = auto()
    """Nobody acknowledged it before the transaction it tells of was over."""


class Cause(Enum):
    """Why an event went on to another pod."""

    BUSY = auto()
    """The pod could not commit it."""
    TIMEOUT = auto()
    """Not acknowledged in time, by a pod that spoke meanwhile."""
    SILENT = auto()
    """The pod said nothing at all in that time."""
    BROKEN = auto()
    """The stream to the pod broke."""


class StreamName(Enum):
    """The two streams to a pod."""

    NEW_CALLS = auto()
    IN_PROGRESS = auto()


class Writer(Protocol):
    """Who writes on a stream: it is told that `take` has something for it."""

    def wake(self) -> None:
        """Somebody waits for it."""

    def wake_lazily(self) -> None:
        """It may wait a little for company, far less than `patience`."""


class _Lane:
    """What waits to be written on one stream; entries that went elsewhere meanwhile are skipped."""

    __slots__ = ("waiting", "writer")

    def __init__(self, writer: Writer) -> None:
        self.waiting: deque[_Pending] = deque()
        self.writer = writer

    def append(self, pending: "_Pending") -> None:
        """Queue an event; the report that a request was sent is in no hurry, as each response repeats it."""
        self.waiting.append(pending)
        if pending.event.HasField("sent"):
            self.writer.wake_lazily()
        else:
            self.writer.wake()


class _Pod:
    """One connected pod."""

    __slots__ = (
        "credits",
        "draining",
        "heard_at",
        "in_progress",
        "name",
        "new_calls",
        "silent_since",
        "unsettled",
    )

    def __init__(self, name: str, new_calls: _Lane, in_progress: _Lane, now: float) -> None:
        self.name = name
        self.new_calls = new_calls
        self.in_progress = in_progress
        self.heard_at = now
        self.silent_since: float | None = None
        self.draining = False
        self.credits = 0
        self.unsettled = 0

    def has_room(self) -> bool:
        """Tell whether it takes another new call."""
        return self.unsettled < self.credits and not self.draining


class _Pending:
    """One event that nobody has acknowledged."""

    __slots__ = (
        "event",
        "followers",
        "lane",
        "leader",
        "offered",
        "offered_at",
        "pod",
        "seen",
        "since",
        "written",
    )

    def __init__(self, event: Event, leader: "_Pending | None", now: float) -> None:
        self.event = event
        self.since = now
        self.offered_at = now
        self.pod: _Pod | None = None
        self.lane: _Lane | None = None
        self.written = False
        self.seen = False  # a pod may have committed it without our knowing
        self.offered: set[str] = set()  # pods it was offered to in this round
        self.leader = leader  # the unacknowledged INVITE whose stream it must stay on
        self.followers: list[_Pending] = []


class Delivery:
    """All unacknowledged events of an edge. Times are monotonic seconds."""

    def __init__(
        self,
        *,
        on_refused: Callable[[Event, Refusal], None],
        patience: float = 1.0,
        expiry: float = 32.0,
        limit: int = 20_000,
    ) -> None:
        """Start with no pods.

        `on_refused` is called for each event given up. `limit` bounds the events kept; new calls get half.
        """
        self._on_refused = on_refused
        self._patience = patience
        self._expiry = expiry
        self._limit = limit
        self._pods: dict[str, _Pod] = {}
        self._rendezvous = Rendezvous()
        self._pending: dict[int, _Pending] = {}  # in the order of `offered_at`
        self._opening: dict[str, _Pending] = {}  # unacknowledged new calls by call key
        self.refused: Counter[Refusal] = Counter()
        self.redelivered: Counter[Cause] = Counter()

    # Pods

    def pod_up(self, name: str, new_calls: Writer, in_progress: Writer, now: float) -> None:
        """Both streams to a pod are open."""
        self._pods[name] = _Pod(name, _Lane(new_calls), _Lane(in_progress), now)
        self._rendezvous.add(name)
        self._unpark(now)

    def pod_down(self, name: str, now: float) -> None:
        """A stream to the pod broke: what it had goes to the next one."""
        pod = self._pods.pop(name)
        self._rendezvous.discard(name)
        self._evict(pod, now, Cause.BROKEN)

    def heard(self, name: str, now: float) -> None:
        """A frame came from the pod, so it is alive."""
        pod = self._pods[name]
        pod.heard_at = now
        if pod.silent_since is not None:
            pod.silent_since = None
            self._rendezvous.add(name)
            self._unpark(now)

    def silence(self, name: str, now: float) -> float:
        """Return for how many seconds the pod has been taken for dead; 0.0 if it is not."""
        since = self._pods[name].silent_since
        return 0.0 if since is None else now - since

    def grant(self, name: str, credits: int) -> None:
        """The pod takes this many unacknowledged new calls."""
        self._pods[name].credits = credits

    def drain(self, name: str) -> None:
        """The pod takes no new calls any more; events in progress prefer other pods from now on."""
        self._pods[name].draining = True

    @property
    def live(self) -> int:
        """How many pods there are to send to."""
        return len(self._rendezvous)

    def may_open_call(self) -> bool:
        """Tell whether some pod takes another new call."""
        return len(self._pending) * 2 < self._limit and any(
            pod.has_room() for pod in self._pods.values() if pod.silent_since is None
        )

    def home(self, call_key: str) -> str | None:
        """Return the pod that events of this call go to at present."""
        names = self._rendezvous.order(call_key[:SHARD_CHARACTERS])
        for name in names:
            if not self._pods[name].draining:
                return name
        return names[0] if names else None

    # Events

    def __len__(self) -> int:
        """Return how many events are not acknowledged."""
        return len(self._pending)

    def submit(self, event: Event, now: float) -> None:
        """Deliver an event. Its id must not be in use; from now on it belongs to this object."""
        limit = self._limit // 2 if event.opens_call else self._limit
        if len(self._pending) >= limit:
            self._refuse(event, Refusal.OVERFLOW)
            return
        leader = self._opening.get(event.call_key)
        pending = _Pending(event, leader, now)
        self._pending[event.id] = pending
        if leader is not None:
            leader.followers.append(pending)
        elif event.opens_call:
            self._opening[event.call_key] = pending
        self._offer(pending, now)

    def take(self, name: str, stream: StreamName, limit: int, now: float) -> list[Event]:
        """Return the next events to write on a stream of a pod, oldest first; empty if there are none."""
        pod = self._pods[name]
        lane = pod.new_calls if stream is StreamName.NEW_CALLS else pod.in_progress
        waiting = lane.waiting
        batch: list[Event] = []
        while waiting and len(batch) < limit:
            pending = waiting.popleft()
            if pending.lane is not lane or pending.written:
                continue
            if self._is_stale(pending, now):
                self._give_up(pending, Refusal.STALE)
                continue
            pending.written = True
            batch.append(pending.event)
        return batch

    def acknowledge(self, name: str, event_ids: Iterable[int], now: float) -> None:
        """The pod has committed these events. Unknown ids (late or repeated) are ignored."""
        for event_id in event_ids:
            pending = self._pending.get(event_id)
            # A pod that the INVITE has left knows nothing of the call that a CANCEL is for.
            if pending is not None and (pending.leader is None or self._is_at(pending, name)):
                self._settle(pending, now)

    def busy(self, name: str, event_ids: Iterable[int], now: float) -> None:
        """The pod cannot commit these events now. Ids of events that are no longer there are ignored."""
        for event_id in event_ids:
            pending = self._pending.get(event_id)
            if pending is not None and self._is_at(pending, name):
                self._reroute(pending, now, Cause.BUSY)

    def on_timer(self, now: float) -> None:
        """Look for events that nobody acknowledged in time; call it several times per `patience`."""
        horizon = now - self._patience
        overdue = []
        for pending in self._pending.values():
            if pending.offered_at > horizon:
                break
            overdue.append(pending)
        for pending in overdue:
            # An earlier one of the list may have taken this one along, or ended it.
            if pending.offered_at <= horizon and pending.event.id in self._pending:
                self._overdue(pending, now)

    # Decisions

    def _overdue(self, pending: _Pending, now: float) -> None:
        pod = pending.pod
        if now - pending.since >= self._expiry:
            self._give_up(pending, Refusal.EXPIRED)
        elif pod is None:
            pending.offered.clear()
            self._offer_again(pending, now)
        elif self._is_stale(pending, now):
            self._give_up(pending, Refusal.STALE)
        elif pod.heard_at <= pending.offered_at:
            pod.silent_since = now
            self._rendezvous.discard(pod.name)
            self._evict(pod, now, Cause.SILENT)
        else:
            self._reroute(pending, now, Cause.TIMEOUT)

    def _is_stale(self, pending: _Pending, now: float) -> bool:
        return now - pending.since >= self._patience and self._is_refusable(pending)

    @staticmethod
    def _is_refusable(pending: _Pending) -> bool:
        """Whether no pod can have committed the new call: by this event, or by the same one told again."""
        if not pending.event.opens_call or pending.written or pending.seen:
            return False
        return not any(one.event.opens_call and (one.written or one.seen) for one in pending.followers)

    @staticmethod
    def _is_at(pending: _Pending, name: str) -> bool:
        return pending.pod is not None and pending.pod.name == name

    def _choose(self, pending: _Pending) -> _Pod | None:
        if pending.leader is not None:
            return pending.leader.pod
        must_have_room = pending.event.opens_call and not pending.seen
        last_resort = None
        for name in self._rendezvous.order(pending.event.call_key[:SHARD_CHARACTERS]):
            pod = self._pods[name]
            if name in pending.offered or (must_have_room and not pod.has_room()):
                continue
            if not pod.draining:
                return pod
            last_resort = last_resort or pod
        return last_resort

    def _offer(self, pending: _Pending, now: float) -> None:
        pod = self._choose(pending)
        pending.offered_at = now
        pending.written = False
        pending.pod = pod
        if pod is None:
            pending.lane = None
            if self._is_refusable(pending):
                self._give_up(pending, self._why_no_pod(pending))
            return
        opens_call = pending.event.opens_call
        lane = pod.new_calls if opens_call or pending.leader is not None else pod.in_progress
        pod.unsettled += opens_call
        pending.lane = lane
        lane.append(pending)

    def _why_no_pod(self, pending: _Pending) -> Refusal:
        if not self.live:
            return Refusal.NO_POD
        return Refusal.BUSY if pending.offered else Refusal.NO_CREDIT

    def _offer_again(self, pending: _Pending, now: float) -> None:
        """Offer an event that is nowhere, and after it those that must stay behind it."""
        self._pending[pending.event.id] = self._pending.pop(pending.event.id)
        self._offer(pending, now)
        for follower in tuple(pending.followers):
            self._leave(follower)
            self._offer_again(follower, now)

    def _reroute(self, pending: _Pending, now: float, cause: Cause) -> None:
        self.redelivered[cause] += 1
        if pending.pod is not None:
            pending.offered.add(pending.pod.name)
        if cause is Cause.BUSY:
            self._decline(pending, now)
            return
        self._leave(pending)
        if self._choose(pending) is None:
            pending.offered.clear()  # everybody had it: another round
        self._offer_again(pending, now)

    def _decline(self, pending: _Pending, now: float) -> None:
        seen = pending.seen
        self._leave(pending)
        pending.seen = seen  # this pod has surely not committed it
        if pending.leader is None:
            self._offer_again(pending, now)
            return
        # It may go nowhere else than its INVITE: wait until that one moves, is settled, or patience is over.
        pending.offered_at = now
        self._pending[pending.event.id] = self._pending.pop(pending.event.id)

    def _leave(self, pending: _Pending) -> None:
        """Take an event away from the pod that has it."""
        if pending.written:
            pending.seen = True
            pending.event.redelivered = True
        if pending.pod is not None:
            pending.pod.unsettled -= pending.event.opens_call
        pending.pod = None
        pending.lane = None
        pending.written = False

    def _evict(self, pod: _Pod, now: float, cause: Cause) -> None:
        for pending in self._leaders(lambda pending: pending.pod is pod):
            if pending.pod is pod:
                self._reroute(pending, now, cause)

    def _unpark(self, now: float) -> None:
        for pending in self._leaders(lambda pending: pending.pod is None):
            if pending.pod is None and pending.event.id in self._pending:
                self._offer_again(pending, now)

    def _leaders(self, wanted: Callable[[_Pending], bool]) -> list[_Pending]:
        """Return the events that follow none, oldest first: their followers are moved with them."""
        found = [pending for pending in self._pending.values() if pending.leader is None and wanted(pending)]
        found.sort(key=lambda pending: pending.event.id)
        return found

    # Ends

    def _settle(self, pending: _Pending, now: float) -> None:
        self._forget(pending)
        for follower in pending.followers:
            follower.leader = None
            if follower.pod is None:
                self._offer_again(follower, now)

    def _give_up(self, pending: _Pending, reason: Refusal) -> None:
        """Refuse an event, and with it those that make no sense without it."""
        self._forget(pending)
        self._refuse(pending.event, reason)
        for follower in tuple(pending.followers):
            self._give_up(follower, reason)
        pending.followers.clear()

    def _forget(self, pending: _Pending) -> None:
        del self._pending[pending.event.id]
        if pending.pod is not None:
            pending.pod.unsettled -= pending.event.opens_call
        pending.pod = None
        pending.lane = None
        if self._opening.get(pending.event.call_key) is pending:
            del self._opening[pending.event.call_key]
        if pending.leader is not None:
            pending.leader.followers.remove(pending)
            pending.leader = None

    def _refuse(self, event: Event, reason: Refusal) -> None:
        self.refused[reason] += 1
        self._on_refused(event, reason)
