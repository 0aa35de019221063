"""What is kept on disk while the store is away."""

from dataclasses import replace
from pathlib import Path

import pytest

from call_control.adapters.journal import FileJournal
from call_control.domain.store import Commit

COMMIT = Commit(
    key="k1",
    expected=4,
    commit_id="journal:k1:4",
    record=b"record",
    deadline=12,
    ttl_ms=1000,
    outbox=(b"stop",),
    active=False,
    restore=True,
)


def test_the_last_commit_of_each_call_is_read_back(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "sub" / "pod.journal")
    ended = replace(
        COMMIT, expected=5, commit_id="journal:k1:5", record=None, tombstone=b"stone", deadline=None
    )
    other = replace(COMMIT, key="k2", commit_id="journal:k2:4")
    for commit in (COMMIT, other, ended):
        journal.append(commit)
    assert FileJournal(tmp_path / "sub" / "pod.journal").read() == [ended, other]


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_frame_that_was_cut_short_is_left_out(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "pod.journal"
    journal = FileJournal(path)
    journal.append(COMMIT)
    journal.append(replace(COMMIT, key="k2"))
    path.write_bytes(path.read_bytes()[:-cut])
    assert FileJournal(path).read() == [COMMIT]


def test_nothing_is_left_when_all_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "pod.journal"
    journal = FileJournal(path)
    journal.append(COMMIT)
    journal.clear()
    assert not path.exists()
    assert journal.read() == []
