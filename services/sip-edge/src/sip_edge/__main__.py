"""`sip-edge`: the edge as a process of its own."""

from __future__ import annotations

import sys

from sip_edge.app import build
from sip_edge.settings import Settings
from svckit.runner import run


def main() -> int:
    """Run the service; returns the exit status."""
    return run("sip-edge", "SIP edge of the B2BUA: transports, transactions, admission.", Settings, build)


if __name__ == "__main__":
    sys.exit(main())
