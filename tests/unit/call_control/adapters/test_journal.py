"""What is kept on disk while the store is away."""

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from call_control.adapters.journal import FileJournal
from call_control.domain.store import Commit
from svckit.errors import StartError

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


def test_a_folder_that_cannot_be_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match=r"/file/pod\.journal: (Not a dir|File exists)"):
        FileJournal(tmp_path / "file" / "pod.journal").read()


def test_a_file_that_cannot_be_written_is_told_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write everything.
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(StartError, match=r"cannot use the journal .*: Permission denied"):
        FileJournal(tmp_path / "pod.journal").read()


def test_a_damaged_file_is_kept_and_what_stands_before_the_damage_counts(tmp_path: Path) -> None:
    path = tmp_path / "pod.journal"
    FileJournal(path).append(COMMIT)
    with path.open("ab") as file:
        file.write(b"\0\0\0\4\xff\xff\xff\xff")
    damaged = path.read_bytes()
    with capture_logs() as logs:
        assert FileJournal(path).read() == [COMMIT]
    assert [(log["event"], log["entries_read"]) for log in logs] == [("journal.damaged", 1)]
    assert (tmp_path / "pod.damaged").read_bytes() == damaged
    assert not path.exists()
