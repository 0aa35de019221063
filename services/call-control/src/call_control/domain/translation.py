"""Number translation: `s/regex/replacement/flags` rules, joined by `;` and applied one after the other.

Regular expressions are those of Python's `re`, back-references included. `/` and `;` cannot be escaped. Of
the flags only `g` counts, in either case: replace every occurrence, not just the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

#: A longer number is nobody's: it stays as it is, so that a regex which backtracks cannot be fed at will.
LONGEST_NUMBER = 128

Translation = Callable[[str], str]


class TranslationError(ValueError):
    """Rules that cannot be used; the text says which one and why."""


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    replacement: str
    times: int
    """As `re.sub` takes it: 0 for every occurrence."""


def parse_translation(text: str) -> Translation:
    """Read rules into a function from number to number.

    The function cuts the number at its first `#` before anything else. Raises TranslationError.
    """
    rules = tuple(_read_rule(rule) for rule in text.split(";"))

    def translate(number: str) -> str:
        if len(number) > LONGEST_NUMBER:
            return number
        translated = number.partition("#")[0]
        for pattern, replacement, times in rules:
            translated = pattern.sub(replacement, translated, count=times)
        return translated

    return translate


def _read_rule(text: str) -> _Rule:
    parts = text.split("/")
    if len(parts) != 4:
        raise TranslationError(f"{text!r} should look like s/regex/replacement/ or s/regex/replacement/g")
    _, pattern, replacement, flags = parts
    try:
        compiled = re.compile(pattern)
        # Reads the replacement, and finds references to groups that are not there.
        compiled.sub(replacement, "")
    except (re.error, IndexError, OverflowError, RecursionError) as error:
        raise TranslationError(f"{text!r}: {error}") from error
    return _Rule(compiled, replacement, 0 if "g" in flags.lower() else 1)
