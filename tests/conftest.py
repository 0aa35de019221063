"""What all tests share: order, groups and Hypothesis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

import svckit as svckit  # before anything imports gRPC, as in the services

PROCESS_FOLDERS = ("e2e", "integration", "resilience")
"""Tests that start programs run one after the other, on one worker: two cores do not carry more."""

settings.register_profile(
    "project", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("project")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that start programs into one xdist group."""
    tests = Path(__file__).parent
    for item in items:
        if item.path.relative_to(tests).parts[0] in PROCESS_FOLDERS:
            item.add_marker(pytest.mark.xdist_group("processes"))


@pytest.fixture(autouse=True)
def fresh_logging() -> Iterator[None]:
    """Let no test inherit the log of another, which may be a captured output that is closed by now."""
    yield
    structlog.reset_defaults()
