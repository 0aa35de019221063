"""`b2bua`: the whole B2BUA in one process."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from b2bua_allinone.app import build
from b2bua_allinone.cli import fields, parse_arguments
from b2bua_allinone.settings import Settings
from svckit.runner import run_or_show


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `b2bua`; returns the exit status."""
    options = parse_arguments(arguments)
    return run_or_show("b2bua", options, Settings, build, **fields(options))


if __name__ == "__main__":
    sys.exit(main())
