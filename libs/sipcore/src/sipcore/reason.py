"""Reason values that go on to another leg (RFC 3326)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sipcore.errors import GrammarError
from sipcore.grammar import format_params, quote, split_commas, unquote
from sipcore.headers import parse_parameterized, parse_reason

_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def passable_reasons(values: Iterable[str]) -> tuple[str, ...]:
    """All Reason elements of a message, one each, in a form that is safe to pass on.

    ``values`` are its Reason fields. Parameters that we do not know are kept, quoted texts are quoted anew
    with the escapes that they need. What is malformed, a cause that is no number included, is left out; of a
    field in which a quoted string does not end, everything.
    """
    passable: list[str] = []
    for value in values:
        try:
            elements = split_commas(value)
        except GrammarError:
            continue
        for element in elements:
            try:
                passable.append(_requoted(element))
            except GrammarError:
                continue
    return tuple(passable)


def _requoted(element: str) -> str:
    if _CONTROLS.search(element) is not None:
        raise GrammarError("control character")
    parse_reason(element)
    protocol, params = parse_parameterized(element)
    return protocol + format_params(
        tuple(
            [(name, quote(unquote(value)) if value and value[0] == '"' else value) for name, value in params]
        )
    )
