"""Two pods on one call lose no update: see support/two_writers.py."""

import asyncio
import itertools
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from call_control.adapters.memory_store import MemoryStore
from call_control.adapters.redis_store import RedisStore
from call_control.domain.store import Commit, Outcome
from support.store_driver import answer
from support.two_writers import TwoWriters


def test_in_memory() -> None:
    class InMemory(TwoWriters):
        def __init__(self) -> None:
            super().__init__()
            self.key = "0" * 22
            self.store = MemoryStore()

        def perform(self, commit: Commit) -> Outcome:
            outcomes: list[Outcome] = []
            self.store.commit(commit, outcomes.append)
            return outcomes[0]

        def load_call(self, key: str) -> Outcome:
            outcomes: list[Outcome] = []
            self.store.load(key, outcomes.append)
            return outcomes[0]

    run_state_machine_as_test(InMemory, settings=settings(max_examples=100, stateful_step_count=30))


def test_in_redis(redis_url: str) -> None:
    numbers = itertools.count()
    with asyncio.Runner() as runner:
        store = RedisStore(redis_url)
        runner.run(store.start())

        class InRedis(TwoWriters):
            def __init__(self) -> None:
                super().__init__()
                self.key = f"{next(numbers):022}"

            def perform(self, commit: Commit) -> Outcome:
                outcome: Any = runner.run(answer(lambda then: store.commit(commit, then)))
                assert isinstance(outcome, Outcome)
                return outcome

            def load_call(self, key: str) -> Outcome:
                outcome: Any = runner.run(answer(lambda then: store.load(key, then)))
                assert isinstance(outcome, Outcome)
                return outcome

        few = settings(
            max_examples=20,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
        try:
            run_state_machine_as_test(InRedis, settings=few)
        finally:
            runner.run(store.close())
