"""The function library and what is packed for it."""

import re

import pytest

from call_control.adapters import redis_function
from call_control.adapters.redis_function import Packer, ShardKeys, library_source, read_outcome
from call_control.domain.store import Commit, Outcome, Verdict

KEY = "01" + "a" * 20


def arguments(packed: bytes) -> list[str]:
    """The arguments of one packed command."""
    return [part.decode() for part in packed.split(b"\r\n")[2::2]]


def test_all_names_of_the_library_hold_one_digest() -> None:
    source = library_source()
    names = re.findall(r"b2bua_[a-z]+_([0-9a-f]+)", source)
    assert len(names) == 6
    assert len(set(names)) == 1
    assert "@" not in source


def test_lua_and_python_number_the_flags_and_verdicts_alike() -> None:
    source = library_source()
    lua: dict[str, int] = {}
    for names, numbers in re.findall(r"^local ([A-Z, ]+) = ([0-9, ]+)$", source, re.MULTILINE):
        lua.update(zip(names.split(", "), map(int, numbers.split(", ")), strict=True))
    flags = {name for name in lua if hasattr(redis_function, f"_{name}")}
    assert {name: getattr(redis_function, f"_{name}") for name in flags} == {
        name: lua[name] for name in flags
    }
    verdicts = {verdict.name: number for number, verdict in enumerate(redis_function._VERDICTS)}
    assert verdicts | {name: lua[name] for name in flags} == lua


def test_keys_of_a_shard_share_their_hash_tag() -> None:
    keys = ShardKeys.of(12)
    assert all(name.startswith("b2bua:{s12}:") for name in keys)
    assert [name for name in keys if ":call:" in name] == [keys.call]


@pytest.mark.parametrize(
    ("fields", "flags"),
    [
        ({}, 0),
        ({"active": True}, 16),
        ({"active": False}, 32),
        ({"merge_key": "m"}, 4),
        ({"merge_key": "m", "expected": 1}, 0),
        ({"merge_key": "m", "expected": 1, "drop_merge": True}, 8),
        ({"merge_key": "m", "expected": 1, "restore": True}, 2 | 4),
        ({"record": None, "tombstone": b"t", "expected": 1}, 1 | 32),
        ({"record": None, "tombstone": b"t", "expected": 1, "merge_key": "m"}, 1 | 8 | 32),
    ],
)
def test_flags_of_a_commit(fields: dict[str, object], flags: int) -> None:
    values: dict[str, object] = {"key": KEY, "expected": 0, "commit_id": "c", "record": b"r", "ttl_ms": 5}
    packed = arguments(Packer(64).commit(1, Commit(**(values | fields))))  # type: ignore[arg-type]  # a table
    first = 3 + int(packed[2])
    assert packed[first] == KEY
    assert packed[first + 4] == str(flags)


@pytest.mark.parametrize(("restore", "version"), [(False, 8), (True, 7)])
def test_what_is_written_begins_with_version_and_commit_id(restore: bool, version: int) -> None:
    commit = Commit(key=KEY, expected=7, commit_id="pod:1", record=b"r", ttl_ms=5, restore=restore)
    packed = Packer(64).commit(1, commit)
    assert b"\r\n%010dpod:1\nr\r\n" % version in packed


def test_only_a_creation_is_refused_by_a_full_server() -> None:
    packer = Packer(64)
    commits = [Commit(key=KEY, expected=n, commit_id="c", record=b"r", ttl_ms=5) for n in (0, 1)]
    names = [arguments(packer.commit(1, commit))[1] for commit in commits]
    assert names[0].startswith("b2bua_create_")
    assert names[1].startswith("b2bua_commit_")


def test_replies() -> None:
    assert read_outcome([0, 3, 99], 7) == Outcome(Verdict.COMMITTED, 3, None, None, 7)
    assert read_outcome([1, 3, 99, b"r"], 7) == Outcome(Verdict.CONFLICT, 3, b"r", None, 7)
    assert read_outcome([3, 3, 99, b"t"], 7) == Outcome(Verdict.ENDED, 3, None, b"t", 7)
