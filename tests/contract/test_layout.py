"""The tests of a module are where its name says."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "tests/unit"

SITUATIONS = {
    "call_control/domain/test_transfer_performed.py": "transfer_begin, transfer_connect, transfer_end",
    "call_control/test_disconnect.py": "pod and domain/release",
    "sipcore/test_torture.py": "parser, validation, headers, uri",
    "svckit/test_grpc_environment.py": "the package itself",
}
"""Tests of what several modules do together, and which."""


def test_unit_tests_mirror_the_sources() -> None:
    modules = {
        path.relative_to(src).with_suffix("")
        for src in (*ROOT.glob("libs/*/src"), *ROOT.glob("services/*/src"))
        for path in src.glob("**/*")
        if path.suffix == ".py" or path.is_dir()
    }
    tests = {path.relative_to(UNITS) for path in UNITS.glob("**/test_*.py")}
    homeless = {str(test) for test in tests if test.with_name(test.stem.removeprefix("test_")) not in modules}
    assert homeless == SITUATIONS.keys()
