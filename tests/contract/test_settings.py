"""Every setting says what it is and how it looks, and is read somewhere."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from svckit.settings import ServiceSettings, schema, variables

ROOT = Path(__file__).parents[2]
PACKAGES = {path.parent.name: path.parent for path in ROOT.glob("services/*/src/*/settings.py")}


def settings_of(package: str) -> type[ServiceSettings]:
    found: type[ServiceSettings] = importlib.import_module(f"{package}.settings").Settings
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_every_setting_is_described(package: str) -> None:
    rows = variables(settings_of(package))
    assert [row.name for row in rows if not row.description] == []
    assert [row.name for row in rows if row.default == "required" and not row.example] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_setting_is_read(package: str) -> None:
    shared = (ROOT / "libs/svckit/src", PACKAGES["call_control"])
    sources = [path for folder in {PACKAGES[package], *shared} for path in folder.rglob("*.py")]
    text = "\n".join(path.read_text() for path in sources)
    unread = [
        row.field
        for row in variables(settings_of(package))
        if not re.search(rf"(settings|self)\.{row.field}\b", text)
    ]
    assert unread == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_schema_can_be_printed(package: str) -> None:
    assert schema(settings_of(package))["properties"]


def test_no_two_services_read_one_variable() -> None:
    shared = {row.name for row in variables(ServiceSettings)}
    names = [
        row.name for package in PACKAGES for row in variables(settings_of(package)) if row.name not in shared
    ]
    assert len(names) == len(set(names))
