"""How long a regular expression can take: an upper bound for the ways in which it can match a short text.

Python's engine tries them one after the other when a text almost matches, so a pattern like `(a+)+$` takes
longer than anybody waits for thirty characters. The bound counts what each repeat can choose; it knows
nothing of what the characters are, and so is too careful at times, never too bold.
"""

from __future__ import annotations

import re

#: Ways from here on are all the same: too many.
TOO_MANY = 10**9

_DEEPEST = 20
_REPEAT = re.compile(r"(?:([*+?])|\{([0-9]*)(,?)([0-9]*)\})[?+]?")
_GROUP_HEAD = re.compile(r"\(\?(?:[:=!>]|<[=!]|P<\w+>|[aimsu-]+:|[aimsu]+(?=\)))")


class PatternError(ValueError):
    """A pattern that this reader does not follow; the text says where."""


def ways(pattern: str, length: int) -> int:
    """Return how many ways the pattern has to match a text of `length` characters, at most TOO_MANY.

    Takes patterns that `re` compiles. Raises PatternError for a construction that is not followed: nesting
    deeper than twenty groups, conditions, comments, the verbose form.
    """
    reader = _Reader(pattern, length)
    total = reader.alternatives(0)
    if reader.position < len(pattern):
        raise PatternError(f"has an unexpected {pattern[reader.position]!r}")
    return total


class _Reader:
    """Walks through a pattern once, from left to right."""

    def __init__(self, pattern: str, length: int) -> None:
        self._pattern = pattern
        self._length = length
        self.position = 0

    def alternatives(self, depth: int) -> int:
        """Read up to the end of the group: the ways of all branches together."""
        if depth > _DEEPEST:
            raise PatternError(f"has groups nested deeper than {_DEEPEST}")
        total, branch = 0, 1
        while self.position < len(self._pattern):
            mark = self._pattern[self.position]
            if mark == ")":
                break
            if mark == "|":
                self.position += 1
                total, branch = total + branch, 1
                continue
            branch = min(branch * self._repeated(self._atom(depth)), TOO_MANY)
        return min(total + branch, TOO_MANY)

    def _atom(self, depth: int) -> int:
        """Read one character, class or group: its ways."""
        mark = self._pattern[self.position]
        if mark == "(":
            return self._group(depth)
        if mark == "[":
            self._skip_class()
        else:
            self.position += 2 if mark == "\\" else 1
        return 1

    def _group(self, depth: int) -> int:
        if self._pattern.startswith("(?", self.position):
            head = _GROUP_HEAD.match(self._pattern, self.position)
            if head is None:
                raise PatternError(
                    f"has {self._pattern[self.position : self.position + 4]!r}, which is not supported"
                )
            self.position = head.end()
        else:
            self.position += 1
        inner = self.alternatives(depth + 1)
        self.position += 1
        return inner

    def _skip_class(self) -> None:
        pattern, at = self._pattern, self.position + 1
        at += pattern.startswith("^", at)
        at += pattern.startswith("]", at)
        while at < len(pattern) and pattern[at] != "]":
            at += 2 if pattern[at] == "\\" else 1
        self.position = at + 1

    def _repeated(self, inner: int) -> int:
        """Read the repeat behind an atom, if there is one: the ways of all counts together."""
        found = _REPEAT.match(self._pattern, self.position)
        if found is None or found[0].startswith("{}"):
            return inner
        self.position = found.end()
        least, most = self._bounds(found)
        if inner == 1:
            return max(most - least + 1, 1)
        total = 0
        for count in range(least, most + 1):
            total += min(inner**count, TOO_MANY)
            if total >= TOO_MANY:
                return TOO_MANY
        return total

    def _bounds(self, found: re.Match[str]) -> tuple[int, int]:
        sign, low, comma, high = found.groups()
        if sign:
            return {"*": (0, self._length), "+": (1, self._length), "?": (0, 1)}[sign]
        least = min(int(low or 0), self._length)
        most = min(int(high), self._length) if high else self._length
        return (least, most) if comma else (least, least)
