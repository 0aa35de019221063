"""What a call does in each situation: the ladders, played by SIPp through both forms of the product."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.boards import Boards
from support.ladder import Row, read_rows

ROWS = [
    row for path in sorted((Path(__file__).parent / "ladders").glob("*.ladder")) for row in read_rows(path)
]


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boards]:
    """All stacks of this module."""
    all_boards = Boards(tmp_path_factory.mktemp("boards"))
    yield all_boards
    all_boards.stop()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.id))
def test_ladder(form: str, boards: Boards, row: Row, tmp_path: Path) -> None:
    boards.get(form, row.kind).play(row, tmp_path)
