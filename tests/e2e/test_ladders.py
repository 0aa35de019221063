"""What a call does in each situation: the ladders, played by SIPp through both forms of the product."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.boards import Boards
from support.ladder import Row, all_rows


@pytest.mark.parametrize("row", all_rows(), ids=lambda row: str(row.id))
def test_ladder(form: str, boards: Boards, row: Row, tmp_path: Path) -> None:
    boards.get(form, row.kind).play(row, tmp_path)
