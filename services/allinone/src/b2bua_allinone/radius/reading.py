"""Reading the command line and the INI file: strictly left to right, later values override earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from configparser import Error as IniError
from configparser import RawConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from b2bua_allinone.radius.kinds import ROUTES, without_passwords
from b2bua_allinone.radius.options import (
    BY_LONG,
    BY_SHORT,
    COMBINED_BY_SHORT,
    OPTIONS,
    Option,
    RadiusOptions,
    Repeat,
)

SECTION = "general"
_CONFIG = "config"
_LARGEST_FILE = 1_048_576


class OptionError(ValueError):
    """An option is wrong: one line that names it and says what it should be."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What was read: the options in effect, and the files to write them to."""

    options: RadiusOptions
    write_to: tuple[Path, ...]


def read_command_line(arguments: Sequence[str]) -> CommandLine:
    """Read a command line and the files it names. Raises OptionError."""
    reader = _Reader()
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word.startswith("--") and len(word) > 2:
            reader.long_option(word[2:])
        elif word.startswith("-") and len(word) > 1 and word != "--":
            reader.short_options(word[1:], rest)
        elif word != "--":
            raise OptionError(f"{without_passwords(word)!r} is not an option: all options begin with -")
    return reader.result()


class _Reader:
    """The values so far."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {row.long: row.default for row in OPTIONS}
        self._collecting: set[str] = set()
        self._write_to: list[Path] = []

    def result(self) -> CommandLine:
        # One field of RadiusOptions for each row, of the type that the row's kind reads: tests hold us to it.
        values: dict[str, Any] = {row.field: self._values[row.long] for row in OPTIONS}
        return CommandLine(RadiusOptions(**values), tuple(self._write_to))

    def long_option(self, text: str) -> None:
        name, equals, value = text.partition("=")
        option = _by_prefix(name)
        said = f"--{_CONFIG if option is None else option.long}"
        if not equals:
            expected = "FILE" if option is None else option.kind.symbol
            raise OptionError(f"{said} needs a value: {said}={expected}")
        if option is None:
            self._read_file(value.strip(), said)
        else:
            self._set(option, value, said)

    def short_options(self, letters: str, rest: list[str]) -> None:
        """Read one word of short options: flags may stand together, a value may stand behind its option."""
        while letters:
            letter, letters = letters[0], letters[1:]
            option = BY_SHORT.get(letter)
            if option is not None and option.flag is not None:
                self._put(option.long, option.flag)
                continue
            if option is None and letter not in COMBINED_BY_SHORT and letter not in "CWd":
                raise OptionError(f"-{letter} is not an option")
            if not letters and not rest:
                raise OptionError(f"-{letter} needs a value")
            value = letters or rest.pop(0)
            self._short_value(letter, option, value.strip())
            return

    def _short_value(self, letter: str, option: Option | None, value: str) -> None:
        said = f"-{letter}"
        if option is not None:
            self._set(option, value, f"{said} (--{option.long})", repeat=option.repeat)
        elif letter in COMBINED_BY_SHORT:
            combined = COMBINED_BY_SHORT[letter]
            if value not in combined.values:
                raise OptionError(
                    f"{said} should be one of {', '.join(combined.values)} ({combined.meaning})"
                )
            for name, part in combined.values[value].items():
                self._put(name, part)
        elif letter == "C":
            self._read_file(value, said)
        elif letter == "W":
            if not value:
                raise OptionError(f"{said} should be the name of a file")
            self._write_to.append(Path(value))

    def _set(self, option: Option, text: str, said: str, *, repeat: Repeat = Repeat.REPLACE) -> None:
        value = _read_value(option, text, said)
        before = self._values[option.long]
        adds = repeat is Repeat.APPEND or (repeat is Repeat.COLLECT and option.long in self._collecting)
        if adds and isinstance(before, tuple) and isinstance(value, tuple):
            value = (*before, *value)
        self._put(option.long, value)
        if repeat is Repeat.COLLECT:
            self._collecting.add(option.long)

    def _put(self, name: str, value: object) -> None:
        self._values[name] = value
        self._collecting.discard(name)

    def _read_file(self, name: str, said: str) -> None:
        for key, text in read_ini(name, said):
            option = BY_LONG.get(key)
            if option is None:
                raise OptionError(f"{said}: {name}: {key!r} is not an option")
            self._set(option, text, f"{said}: {name}: {option.long}")


def read_ini(name: str, said: str) -> list[tuple[str, str]]:
    """Return keys and values of the `[general]` section of a file. Raises OptionError, naming `said`."""
    try:
        with Path(name).open(encoding="utf-8") as file:
            text = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise OptionError(f"{said}: cannot read {name!r}: {error.strerror}") from None
    except ValueError:
        raise OptionError(f"{said}: {name!r} should be a text file in UTF-8") from None
    if len(text) > _LARGEST_FILE:
        raise OptionError(f"{said}: {name!r} should be at most {_LARGEST_FILE} characters long")
    parser = RawConfigParser()
    try:
        parser.read_string(text)
        return [(key, value or "") for key, value in parser.items(SECTION)]
    except IniError as error:
        # The error may quote lines, and these may hold a password.
        line = getattr(error, "lineno", None) or next((row for row, _ in getattr(error, "errors", ())), None)
        where = f", line {line}" if line else ""
        raise OptionError(
            f"{said}: {name!r}{where}: should be an INI file with one [{SECTION}] section"
        ) from None


def _read_value(option: Option, text: str, said: str) -> object:
    text = text.strip()
    # In a file routes may stand on lines of their own.
    line = text.replace("\n", " ") if option.kind is ROUTES else text
    if not line.isprintable():
        raise OptionError(f"{said} should have no control characters")
    try:
        return option.kind.read(text)
    except ValueError as error:
        problem = without_passwords(str(error))
        expected = f"should be {option.kind.expected}"
        raise OptionError(f"{said}: {problem} (it {expected})" if problem else f"{said} {expected}") from None


def _by_prefix(name: str) -> Option | None:
    """Return the option of a long name or of a prefix of only one name; None for --config."""
    if name in BY_LONG:
        return BY_LONG[name]
    names = [known for known in (*BY_LONG, _CONFIG) if name and known.startswith(name)]
    rows = {BY_LONG[known].long if known in BY_LONG else _CONFIG for known in names}
    if not rows:
        raise OptionError(f"--{name} is not an option")
    if len(rows) > 1:
        raise OptionError(f"--{name} could be any of {', '.join(f'--{row}' for row in sorted(rows))}")
    return BY_LONG.get(rows.pop())
