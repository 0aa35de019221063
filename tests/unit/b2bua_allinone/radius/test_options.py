"""The table of options: one row for each, in step with the names that the program uses."""

from __future__ import annotations

import dataclasses

import pytest

from b2bua_allinone.radius.options import (
    BY_LONG,
    COMBINED,
    OPTIONS,
    Option,
    RadiusOptions,
    option_list,
)

RESERVED = "CWd"


def test_every_option_has_its_field_and_every_field_its_option() -> None:
    assert [row.field for row in OPTIONS] == [field.name for field in dataclasses.fields(RadiusOptions)]


def test_letters_and_names_mean_one_thing() -> None:
    letters = [row.short for row in OPTIONS if row.short] + [row.short for row in COMBINED] + list(RESERVED)
    assert len(letters) == len(set(letters))
    assert len(BY_LONG) == len(OPTIONS) + sum(bool(row.also) for row in OPTIONS)


@pytest.mark.parametrize("row", OPTIONS, ids=lambda row: row.long)
def test_a_default_is_a_value_of_its_kind(row: Option) -> None:
    if row.default not in (None, ()):
        assert row.kind.read(row.kind.write(row.default)) == row.default
    elif row.default == ():
        assert row.kind.symbol in ("LIST", "ROUTE")


def test_combined_options_set_what_there_is() -> None:
    for combined in COMBINED:
        for values in combined.values.values():
            assert set(values) <= set(BY_LONG)


def test_the_list_names_all_of_them() -> None:
    text = option_list()
    for row in OPTIONS:
        assert f"--{row.long}={row.kind.symbol}" in text
        assert not row.short or f"  -{row.short}" in text
    assert "-f, --foreground=on|off" in text
    assert "-p PORT, --sip_port=PORT" in text
    assert max(map(len, text.splitlines())) <= 110
