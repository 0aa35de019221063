"""docs/telemetry/metrics.yaml is what the services declare, down to the values of the labels."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from svckit.metrics import Metric

ROOT = Path(__file__).parents[2]
CONTRACT: dict[str, list[dict[str, Any]]] = yaml.safe_load((ROOT / "docs/telemetry/metrics.yaml").read_text())
PACKAGES = sorted(path.parent.name for path in ROOT.glob("[ls]*/*/src/*/telemetry.py"))


def declared(package: str) -> tuple[Metric, ...]:
    metrics: tuple[Metric, ...] = importlib.import_module(f"{package}.telemetry").METRICS
    return metrics


def described(metric: Metric) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": metric.name,
        "kind": metric.kind,
        "unit": metric.unit,
        "help": metric.help,
    }
    if metric.labels:
        entry["labels"] = {label: [str(value) for value in values] for label, values in metric.labels.items()}
    return entry


def test_every_package_that_measures_has_its_section() -> None:
    assert sorted(CONTRACT) == PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
def test_the_contract_is_what_is_declared(package: str) -> None:
    contract = {entry["name"]: entry for entry in CONTRACT.get(package, [])}
    code = {metric.name: described(metric) for metric in declared(package)}
    assert contract == code


def test_a_name_means_one_thing() -> None:
    names = [metric.name for package in PACKAGES for metric in declared(package)]
    assert len(names) == len(set(names))
