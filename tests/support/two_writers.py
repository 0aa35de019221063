"""A stateful property: two pods write one call, with lost replies and stale caches, and lose no update."""

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from call_control.domain.store import Commit, Outcome, Verdict

Perform = Callable[[Commit], Outcome]
Load = Callable[[str], Outcome]
PODS = ("a", "b")


class TwoWriters(RuleBasedStateMachine):
    """The record of the call is the list of the ids of the commits that made it.

    A subclass gives `perform`, `load_call` and a fresh `key` per run.
    """

    perform: Perform
    load_call: Load
    key: str

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []
        self.ended = False
        self.cached: dict[str, tuple[int, bytes]] = dict.fromkeys(PODS, (0, b""))
        self.last: dict[str, Commit | None] = dict.fromkeys(PODS)
        self.count = 0

    @rule(pod=st.sampled_from(PODS), reply_lost=st.booleans())
    def write(self, pod: str, reply_lost: bool) -> None:
        """Add to the record that the pod has cached."""
        version, record = self.cached[pod]
        self.count += 1
        commit_id = f"{pod}{self.count}"
        body = record + commit_id.encode() + b" "
        self.last[pod] = Commit(
            key=self.key,
            expected=version,
            commit_id=commit_id,
            record=body,
            ttl_ms=60_000,
            merge_key=self.key,
        )
        self.send(pod, reply_lost)

    @rule(pod=st.sampled_from(PODS), reply_lost=st.booleans())
    def end(self, pod: str, reply_lost: bool) -> None:
        """End the call as the pod has cached it."""
        version, record = self.cached[pod]
        if not version:
            return
        self.count += 1
        self.last[pod] = Commit(
            key=self.key,
            expected=version,
            commit_id=f"{pod}{self.count}",
            record=None,
            tombstone=record,
            ttl_ms=60_000,
        )
        self.send(pod, reply_lost)

    @rule(pod=st.sampled_from(PODS))
    def repeat(self, pod: str) -> None:
        """Send the last commit of a pod again: its reply may have been lost."""
        if self.last[pod] is not None:
            self.send(pod, reply_lost=False)

    @rule(pod=st.sampled_from(PODS))
    def load(self, pod: str) -> None:
        """Read the call anew."""
        outcome = self.load_call(self.key)
        if outcome.verdict is Verdict.COMMITTED:
            assert outcome.record is not None
            self.cached[pod] = (outcome.version, outcome.record)
        else:
            assert outcome.verdict is (Verdict.ENDED if self.ended else Verdict.GONE)

    def send(self, pod: str, reply_lost: bool) -> None:
        commit = self.last[pod]
        assert commit is not None
        version = len(self.written)
        outcome = self.perform(commit)
        known = commit.commit_id in self.written
        if outcome.verdict is Verdict.COMMITTED:
            if not known:
                assert commit.expected == version
                assert not self.ended
                self.written.append(commit.commit_id)
                self.ended = commit.record is None
            assert self.written[-1] == commit.commit_id
            assert outcome.version == len(self.written)
            if not reply_lost and commit.record is not None:
                self.cached[pod] = (outcome.version, commit.record)
            return
        # A commit whose reply was lost is recognised while nothing has come on top of it.
        assert not known or self.written[-1] != commit.commit_id
        # What is refused was written upon by another, or is over.
        assert not (commit.expected == version and not self.ended and not known)
        assert outcome.version == version
        if self.ended:
            assert outcome.verdict is Verdict.ENDED
        else:
            assert (outcome.verdict, outcome.record) == (Verdict.CONFLICT, self.body())

    def body(self) -> bytes:
        return b"".join(commit_id.encode() + b" " for commit_id in self.written)

    @invariant()
    def nothing_is_lost(self) -> None:
        """The store holds every commit it accepted, in order."""
        outcome = self.load_call(self.key)
        assert outcome.version == len(self.written)
        if self.ended:
            assert outcome.tombstone == b"".join(id_.encode() + b" " for id_ in self.written[:-1])
        elif self.written:
            assert outcome.record == self.body()
