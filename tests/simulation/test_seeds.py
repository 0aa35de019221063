"""Whole runs from seeds: faults of all kinds, and nothing but what the tables of faults excuse."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.simulation.found import FOUND, Found
from support.simulation.run import play, story

SEEDS = 500

#: Runs that say by their hash whether the same seed gives the same run.
_REPEATED = (8, 192)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_seed(seed: int) -> None:
    _, verdict = play(seed)
    assert not verdict.violations, str(verdict)


@pytest.mark.parametrize("found", FOUND, ids=lambda found: str(found.seed))
def test_seed_that_found_something(found: Found) -> None:
    _, verdict = play(found.seed, found.edition)
    assert not verdict.violations, f"{found.what}?\n{verdict}"


@pytest.mark.parametrize("seed", _REPEATED)
def test_same_seed_gives_the_same_run(seed: int) -> None:
    (first, _), (second, _) = play(seed), play(seed)
    assert list(story(first)) == list(story(second))
    assert first.trace.digest() == second.trace.digest()


def test_other_seed_gives_another_run() -> None:
    assert len({play(seed)[0].trace.digest() for seed in range(5)}) == 5


def test_same_seed_gives_the_same_run_in_another_process() -> None:
    """The order of sets and dictionaries is another one there."""
    tests = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(tests), "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-m", "support.simulation", "--first", "8", "--seeds", "1"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=50)
    assert f"trace {play(8)[0].trace.digest()}" in told.stdout.splitlines()
