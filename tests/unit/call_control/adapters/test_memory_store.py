"""What the memory store does beyond the contract suite in tests/integration/store."""

from call_control.adapters.memory_store import MemoryStore
from call_control.domain.store import Commit, Outcome, Store, Verdict

KEY = "0" * 22


class Clock:
    def __init__(self) -> None:
        self.ms = 1000

    def __call__(self) -> int:
        return self.ms


def commit(store: Store, expected: int, deadline: int | None = None, key: str = KEY) -> Outcome:
    outcomes: list[Outcome] = []
    store.commit(
        Commit(key=key, expected=expected, commit_id="c", record=b"r", deadline=deadline, ttl_ms=1000),
        outcomes.append,
    )
    return outcomes[0]


def claim(store: Store) -> list[str]:
    claimed: list[list[str]] = []
    store.claim_due(0, 100, claimed.append)
    return claimed[0]


def test_callbacks_run_before_the_method_returns() -> None:
    store = MemoryStore(clock=Clock())
    assert commit(store, 0) == Outcome(Verdict.COMMITTED, 1, None, None, 1000)


def test_while_away_everything_is_unavailable() -> None:
    store = MemoryStore(clock=Clock())
    store.available = False
    assert commit(store, 0, deadline=0).verdict is Verdict.UNAVAILABLE
    loaded: list[Outcome] = []
    store.load(KEY, loaded.append)
    assert loaded[0].verdict is Verdict.UNAVAILABLE
    leased: list[tuple[int, ...]] = []
    store.lease("pod", 1000, leased.append)
    assert leased == [tuple(range(64))]
    assert claim(store) == []
    store.available = True
    assert commit(store, 0).verdict is Verdict.COMMITTED


def test_time_stands_still_where_the_clock_goes_back() -> None:
    clock = Clock()
    store = MemoryStore(clock=clock)
    assert store.now() == 1000
    clock.ms = 900
    assert store.now() == 1000
    clock.ms = 1100
    assert store.now() == 1100


def test_deadlines_that_were_overtaken_are_forgotten() -> None:
    clock = Clock()
    store = MemoryStore(clock=clock)
    for version in range(1000):
        commit(store, version, deadline=5000 + version)
    clock.ms = 5998
    assert claim(store) == []
    clock.ms = 5999
    assert claim(store) == [KEY]
    assert claim(store) == []


def test_one_deadline_set_twice_is_claimed_once() -> None:
    store = MemoryStore(clock=Clock())
    commit(store, 0, deadline=10)
    commit(store, 1, deadline=10)
    assert claim(store) == [KEY]
    assert claim(store) == []


def test_the_earliest_deadline_is_claimed_first() -> None:
    store = MemoryStore(clock=Clock())
    keys = [f"00{number:020}" for number in range(3)]
    for key, deadline in zip(keys, (30, 10, 20), strict=True):
        commit(store, 0, deadline=deadline, key=key)
    assert claim(store) == [keys[1], keys[2], keys[0]]


def test_salt_is_random_unless_given() -> None:
    assert MemoryStore().salt != MemoryStore().salt
    assert MemoryStore(salt=b"s").salt == b"s"
