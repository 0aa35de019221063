"""One seed from drawing to judgement."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass

from support.simulation.invariants import violations
from support.simulation.plan import EDITIONS, Plan, draw
from support.simulation.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a seed."""

    seed: int
    edition: int
    violations: list[str]

    def __str__(self) -> str:
        listed = "\n".join(f"  - {one}" for one in self.violations)
        return (
            f"seed {self.seed} failed:\n{listed}\nreplay it with: {replay_command(self.seed, self.edition)}"
        )


def replay_command(seed: int, edition: int) -> str:
    """How to see a run in full."""
    return f"make simulate FIRST={seed} SEEDS=1 EDITION={edition}"


def play(seed: int, edition: int = len(EDITIONS)) -> tuple[World, Verdict]:
    """Run a seed and judge it. What the product raises is a violation."""
    world = World(draw(seed, edition))
    try:
        world.run()
        found = violations(world)
    except Exception:
        found = [traceback.format_exc()]
    return world, Verdict(seed=seed, edition=edition, violations=found)


def story(world: World) -> Iterator[str]:
    """Everything that happened in a run, for people."""
    plan: Plan = world.plan
    yield from plan.lines()
    yield from world.trace.lines()
