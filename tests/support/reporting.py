"""What a failing test shows besides its own traceback."""

from __future__ import annotations

import pytest


def add_reports(item: pytest.Item, report: pytest.TestReport) -> None:
    """Append to a failing test's report what each of its fixtures with a ``report()`` has to say."""
    if not report.failed or report.when != "call":
        return
    for name, value in getattr(item, "funcargs", {}).items():
        tell = getattr(value, "report", None)
        if callable(tell):
            report.sections.append((name, str(tell())))
