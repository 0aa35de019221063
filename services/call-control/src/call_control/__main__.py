"""`call-control`: the call-control service as a process of its own."""

from __future__ import annotations

import sys

from call_control.app import build
from call_control.settings import Settings
from svckit.runner import run


def main() -> int:
    """Run the service; returns the exit status."""
    return run("call-control", "Call control of the B2BUA: dialogs, routing, timers.", Settings, build)


if __name__ == "__main__":
    sys.exit(main())
