"""What the documents name exists: files, make targets, programs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from call_control.domain.routing.entry import PARAMETERS, parse_route_list

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "proto/*.md", "services/*/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", document.read_text())
    local = [link for link in links if not link.startswith(("http:", "https:"))]
    assert [link for link in local if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_make_targets_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    used = set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", document.read_text(), flags=re.MULTILINE))
    assert used - targets == set()


def test_sources_name_documents_that_exist() -> None:
    existing = {path.name for path in DOCUMENTS}
    named_in = {
        named(path): set(re.findall(r"[\w-]+\.md\b", path.read_text())) - existing
        for folder in ("libs", "services", "proto", "tests", "scripts")
        for path in (ROOT / folder).glob("**/*")
        if path.suffix in (".py", ".proto", ".sh")
    }
    assert {source: names for source, names in named_in.items() if names} == {}


def test_programs_are_installed() -> None:
    scripts: set[str] = set()
    for path in ROOT.glob("services/*/pyproject.toml"):
        scripts |= tomllib.loads(path.read_text())["project"].get("scripts", {}).keys()
    readme = (ROOT / "README.md").read_text()
    assert scripts == {"b2bua", "b2bua_radius", "b2bua_simple", "call-control", "sip-edge"}
    assert [script for script in sorted(scripts) if script not in readme] == []


def test_decisions_are_numbered() -> None:
    pages = sorted(path.name for path in (ROOT / "docs/adr").glob("[0-9]*.md"))
    assert [page[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]


def test_routes_in_documents_are_routes() -> None:
    text = (ROOT / "docs/routing.md").read_text()
    examples = re.findall(r"```routes\n(.*?)```", text, flags=re.DOTALL)
    assert [len(parse_route_list(example)) for example in examples] == [3, 3, 2]


def test_every_parameter_of_a_route_is_documented() -> None:
    text = (ROOT / "docs/routing.md").read_text()
    assert [name for name in sorted(PARAMETERS) if f"`{name}`" not in text] == []
