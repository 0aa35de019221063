"""`b2bua`: the whole B2BUA in one process."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from b2bua_allinone.app import build
from b2bua_allinone.cli import parse_arguments
from b2bua_allinone.settings import Settings
from svckit.errors import ServiceError
from svckit.runner import report, run_service
from svckit.settings import load


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `b2bua`; returns the exit status."""
    try:
        run_service("b2bua", load(Settings, **parse_arguments(arguments)), build)
    except ServiceError as error:
        return report("b2bua", error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
