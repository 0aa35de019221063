"""`make simulate`: many seeds one after the other; a single one with everything that happened."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from support.simulation.plan import EDITIONS
from support.simulation.run import Verdict, play, story

_CHUNK = 20


def main() -> int:
    """Return 0 when all seeds hold, else 1."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--edition", type=int, default=len(EDITIONS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    if given.seeds == 1:
        world, verdict = play(given.first, given.edition)
        print("\n".join(story(world)))
        print(f"trace {world.trace.digest()}")
        return _tell([verdict])
    return _tell(_play_all(given.first, given.seeds, given.edition, given.jobs))


def _play_all(first: int, seeds: int, edition: int, jobs: int) -> list[Verdict]:
    failed: list[Verdict] = []
    began = time.monotonic()
    played = 0
    for verdicts in _chunks(range(first, first + seeds), edition, jobs):
        played += len(verdicts)
        for verdict in verdicts:
            if verdict.violations:
                failed.append(verdict)
                print(f"\r{verdict}", flush=True)
        pace = played / (time.monotonic() - began)
        progress = f"\r{played} of {seeds} seeds, {pace:.0f} a second, {len(failed)} failed "
        print(progress, end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return failed


def _chunks(seeds: range, edition: int, jobs: int) -> Iterator[list[Verdict]]:
    starts = [seeds[position : position + _CHUNK] for position in range(0, len(seeds), _CHUNK)]
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(partial(_play_some, edition), starts)


def _play_some(edition: int, seeds: range) -> list[Verdict]:
    return [play(seed, edition)[1] for seed in seeds]


def _tell(verdicts: list[Verdict]) -> int:
    failed = [verdict for verdict in verdicts if verdict.violations]
    if len(verdicts) == 1:
        print(failed[0] if failed else f"seed {verdicts[0].seed} holds")
    elif failed:
        print(f"{len(failed)} seeds failed: {' '.join(str(verdict.seed) for verdict in failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
