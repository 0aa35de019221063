"""Generate libs/api from proto/, or check that it is what proto/ generates.

    python scripts/generate_api.py [--check]

The proto root is the root of the Python package, so the generated imports need no patching.
"""

from __future__ import annotations

import argparse
import filecmp
import sys
import tempfile
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
API = ROOT / "libs" / "api" / "src"


def generate(target: Path) -> None:
    """Write the generated modules below `target`."""
    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    includes = [f"-I{PROTO}", f"-I{resources.files('grpc_tools') / '_proto'}"]
    outputs = [f"--{kind}_out={target}" for kind in ("python", "pyi", "grpc_python")]
    status = protoc.main(["protoc", *includes, *outputs, *sources])
    if status != 0:
        raise SystemExit(status)


def differences(generated: Path, committed: Path) -> list[str]:
    """Generated modules that are missing, stale or left over in `committed`, as paths."""
    fresh = {path.relative_to(generated) for path in generated.rglob("*_pb2*.py*")}
    present = {
        path.relative_to(committed)
        for path in committed.rglob("*_pb2*.py*")
        if path.suffix in (".py", ".pyi")
    }
    stale = {
        path for path in fresh & present if not filecmp.cmp(generated / path, committed / path, shallow=False)
    }
    return sorted(str(path) for path in (fresh ^ present) | stale)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="generate libs/api from proto/")
    parser.add_argument(
        "--check", action="store_true", help="only say what would change; exit status 1 if any"
    )
    if not parser.parse_args().check:
        generate(API)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        found = differences(Path(folder), API)
    for path in found:
        print(f"libs/api/src/{path} is not what proto/ generates; run `make proto`", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
