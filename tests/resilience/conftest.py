"""Distributed stacks whose parts are killed, kept for the session; what was killed comes back afterwards."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from support.reporting import add_reports
from support.scenes import Scene, running_scene

SHORT_T1 = 0.1


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    add_reports(item, report)
    return report


@pytest.fixture(scope="session")
def one_edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with running_scene(tmp_path_factory.mktemp("stack"), edges=1, t1=SHORT_T1) as scene:
        yield scene


@pytest.fixture(scope="session")
def two_edges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with running_scene(tmp_path_factory.mktemp("stack"), edges=2, t1=SHORT_T1) as scene:
        yield scene


@pytest.fixture(scope="session")
def usual_timers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with running_scene(tmp_path_factory.mktemp("stack"), edges=1, t1=0.5) as scene:
        yield scene


@pytest.fixture
def scene(one_edge: Scene) -> Iterator[Scene]:
    """One edge, two call-control pods, Redis; timers shortened to a fifth."""
    yield one_edge
    one_edge.close()


@pytest.fixture
def wide_scene(two_edges: Scene) -> Iterator[Scene]:
    """The same with two edges."""
    yield two_edges
    two_edges.close()


@pytest.fixture
def patient_scene(usual_timers: Scene) -> Iterator[Scene]:
    """One edge, two call-control pods, Redis, with the timers of RFC 3261."""
    yield usual_timers
    usual_timers.close()
