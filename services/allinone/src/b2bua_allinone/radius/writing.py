"""`-W`: the options in effect as an INI file that `-C` reads back."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from b2bua_allinone.radius.options import OPTIONS, RadiusOptions
from b2bua_allinone.radius.reading import SECTION, OptionError

#: A route may hold a password.
_MODE = 0o600


def ini_text(options: RadiusOptions) -> str:
    """Return the options that are set, defaults included, as an INI file."""
    lines = [f"[{SECTION}]"]
    for row in OPTIONS:
        value = getattr(options, row.field)
        if value not in (None, ()):
            lines.append(f"{row.long} = {row.kind.write(value)}")
    return "\n".join(lines) + "\n"


def write_ini(options: RadiusOptions, path: Path) -> None:
    """Write the options to a file that only its owner can read. Raises OptionError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, _MODE)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  # it is open already
            file.write(ini_text(options))
    except OSError as error:
        raise OptionError(f"-W: cannot write {str(path)!r}: {error.strerror}") from None
