"""The domain of From or To on an egress leg, as a route writes it: a host, or a template for one.

`from_domain=example.com`, `to_domain={request_host}`, `from_domain={from_host}`; placeholders may stand
inside a name, as in `{source_ip}.carrier.example`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from call_control.domain.routing.identity import is_host

#: What a placeholder can name.
PLACEHOLDERS = ("from_host", "to_host", "request_host", "source_ip", "route_host")

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class TemplateError(ValueError):
    """A template that cannot be used; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class DomainTemplate:
    """A parsed template."""

    parts: tuple[str, ...]
    """Literal text and names of placeholders by turns, literal first and last."""

    @property
    def literal(self) -> str | None:
        """The host, if it is the same for every call."""
        return self.parts[0] if len(self.parts) == 1 else None

    def fill(self, hosts: Mapping[str, str]) -> str:
        """Return the host for one call, empty if what comes out is none (a tel URI has no host).

        `hosts` has what each placeholder stands for.
        """
        filled = "".join(hosts[part] if index % 2 else part for index, part in enumerate(self.parts))
        return filled if is_host(filled) else ""


def parse_template(text: str) -> DomainTemplate:
    """Read a template. Raises TemplateError with a sentence for the operator."""
    parts = tuple(_PLACEHOLDER.split(text))
    unknown = next((name for name in parts[1::2] if name not in PLACEHOLDERS), None)
    if unknown is not None:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise TemplateError(f"has the placeholder {{{unknown}}}, known are {known}")
    trial = "".join("h" if index % 2 else part for index, part in enumerate(parts))
    if not is_host(trial):
        raise TemplateError(f"should be a host, with placeholders if need be, not {text[:60]!r}")
    return DomainTemplate(parts)
