"""The table of what a call does names tests that exist, and every ladder stands in it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from support.ladder import all_rows, render

ROOT = Path(__file__).parents[2]
TABLE = re.findall(r"^\| (\w+/[\w-]+) \| .+ \| (`.+`) \|$", (ROOT / "docs/conformance.md").read_text(), re.M)
LADDERS = {row.id: row for row in all_rows()}


@cache
def functions_of(path: str) -> set[str]:
    """Return the names of the test functions in a file."""
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_rows_have_names_of_their_own() -> None:
    names = [row for row, _ in TABLE]
    assert len(names) == len(set(names)) > 100


@pytest.mark.parametrize(("row", "shown_by"), TABLE, ids=[row for row, _ in TABLE])
def test_every_row_has_its_test(row: str, shown_by: str) -> None:
    for test in re.findall(r"`([^`]+)`", shown_by):
        path, _, function = test.partition("::")
        if function:
            assert function in functions_of(path), test
        else:
            assert test in LADDERS, test


def test_every_ladder_is_in_the_table() -> None:
    shown = {test for _, shown_by in TABLE for test in re.findall(r"`([^`]+)`", shown_by)}
    assert sorted(LADDERS.keys() - shown) == []


@pytest.mark.parametrize("name", LADDERS)
def test_every_ladder_can_be_written_down(name: str) -> None:
    row = LADDERS[name]
    assert "caller" in row.sides
    for side in row.sides:
        if not row.hears_only(side):
            assert render(row, side).startswith("<?xml")
