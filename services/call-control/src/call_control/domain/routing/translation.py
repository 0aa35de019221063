"""Translation of numbers (`static_tr_in`, `static_tr_out`): `s/regex/replacement/flags`, joined by `;`.

What stands behind the first `#` of a number is cut off. Then each rule replaces the first match of its
regular expression (Python's `re`), with the flag `g` all of them; `\\1` in the replacement stands for a
group. A `/` cannot be escaped; other flags, and the letter in front, have no meaning.

| rules | number | becomes |
| --- | --- | --- |
| `s/^00/011/` | `0044123` | `01144123` |
| `s/[^0-9]//g` | `+1 (604) 628-8900` | `16046288900` |
| `s/^\\+//;s/^1//` | `+16046288900` | `6046288900` |
| `s/a/b/` | `aaa#bbb` | `baa` |
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

from call_control.domain.routing.pattern_cost import PatternError, ways

#: Longer numbers are not translated: what a pattern can do to a short text is bounded, see `pattern_cost`.
LONGEST_NUMBER = 64
#: Ways to match `LONGEST_NUMBER` characters that a pattern may have: three free repeats, but not four.
_MOST_WAYS = 300_000

_LONGEST_TEXT = 2_000


class TranslationError(ValueError):
    """Rules that cannot be used; the text says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    replacement: str
    count: int
    """Matches to replace, 0 for all."""


@dataclass(frozen=True, slots=True)
class Translation:
    """Parsed rules: a function from number to number."""

    text: str
    """The rules as written."""
    rules: tuple[_Rule, ...]
    """The rules in order."""

    def __call__(self, number: str) -> str:
        """Return the translated number.

        A number of more than 64 characters (behind which there is no `#`) comes back as it is, and one that a
        rule has made as long is left to no further rule.
        """
        translated = number.partition("#")[0]
        if len(translated) > LONGEST_NUMBER:
            return number
        for rule in self.rules:
            if len(translated) > LONGEST_NUMBER:
                break
            translated = rule.pattern.sub(rule.replacement, translated, count=rule.count)
        return translated

    def __str__(self) -> str:
        return self.text


def parse_translation(text: str) -> Translation:
    """Read rules. Raises TranslationError with a sentence for the operator that names the rule."""
    if len(text) > _LONGEST_TEXT:
        raise TranslationError(f"should have at most {_LONGEST_TEXT} characters")
    rules = []
    for number, rule in enumerate(text.split(";"), 1):
        try:
            rules.append(_parse_rule(rule.strip()))
        except ValueError as error:
            raise TranslationError(f"rule {number} {error}") from error
    return Translation(text, tuple(rules))


def _parse_rule(text: str) -> _Rule:
    parts = text.split("/")
    if len(parts) != 4:
        raise ValueError(f"should look like s/REGEX/REPLACEMENT/ or s/REGEX/REPLACEMENT/g, not {text[:60]!r}")
    _, regex, replacement, flags = parts
    if flags and not flags.isalpha():
        raise ValueError(f"should have letters behind the last '/', not {flags[:60]!r}")
    return _Rule(_compile(regex, replacement), replacement, 0 if "g" in flags.lower() else 1)


def _compile(regex: str, replacement: str) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pattern = re.compile(regex)
            # Reads the replacement whether something matches or not.
            pattern.sub(replacement, "")
    except (re.error, Warning, OverflowError, RecursionError, IndexError) as error:
        raise ValueError(f"cannot be used: {error}") from error
    try:
        found = ways(regex, LONGEST_NUMBER)
    except PatternError as error:
        raise ValueError(str(error)) from error
    if found > _MOST_WAYS:
        raise ValueError(
            "can take for ever on some numbers: it should have fewer repeats, and none inside another"
        )
    return pattern
