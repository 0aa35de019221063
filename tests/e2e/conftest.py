"""Stacks of both forms, started when first asked for and kept for the session; a line through one of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from support.boards import Boards
from support.lines import Line, Lines
from support.reporting import add_reports


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    add_reports(item, report)
    return report


@pytest.fixture(scope="session")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    """All stacks of the session."""
    all_lines = Lines(tmp_path_factory.mktemp("stacks"))
    yield all_lines
    all_lines.stop()


@pytest.fixture(scope="session")
def boards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boards]:
    """All stacks that ladders are played on."""
    all_boards = Boards(tmp_path_factory.mktemp("boards"))
    yield all_boards
    all_boards.stop()


@pytest.fixture
def open_line(lines: Lines, tmp_path: Path) -> Iterator[Callable[..., Line]]:
    """Open lines with the arguments of :meth:`Lines.get`; their sides end with the test."""
    opened: list[Line] = []

    def open_one(form: str, **options: object) -> Line:
        opened.append(lines.get(form, tmp_path, **options))  # type: ignore[arg-type]  # checked by get
        return opened[-1]

    yield open_one
    for line in opened:
        line.stop()


@pytest.fixture(params=["one-process", "distributed"])
def form(request: pytest.FixtureRequest) -> str:
    """Each form of the product in turn."""
    return str(request.param)


@pytest.fixture
def line(form: str, open_line: Callable[..., Line]) -> Line:
    """A line over UDP and IPv4 through each form of the product."""
    return open_line(form)
