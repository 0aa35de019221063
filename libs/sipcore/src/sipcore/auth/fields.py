"""The grammar that challenges and credentials share (RFC 3261 25.1, RFC 7616 3.3), and their form in logs."""

from __future__ import annotations

from sipcore.errors import GrammarError
from sipcore.grammar import TOKEN, WSP, parse_params, split_commas, unquote

DIGEST = "digest"

_SCHEMES = frozenset((DIGEST, "basic", "bearer"))
"""Schemes that a log may name. In any other value, what stands in the place of a scheme may be the secret."""

_SHOWN = frozenset(("username", "realm", "uri", "algorithm", "qop", "nc", "stale", "domain"))
"""Parameters that a log may show. Whoever has the others can guess passwords at leisure."""

_MASK = "***"


def split_schemes(text: str) -> list[tuple[str, list[str]]]:
    """The values in a field: scheme as on the wire, and its parameters, not parsed.

    RFC 3261 7.3.1 wants a field for each, but a comma may stand between two challenges as well as between two
    parameters: what begins with a word and no equals sign begins a value. Raises GrammarError.
    """
    values: list[tuple[str, list[str]]] = []
    for element in split_commas(text):
        part = element.strip(WSP)
        if not part:
            continue
        word = TOKEN.match(part)
        if word is None:
            raise GrammarError("bad parameter name")
        rest = part[word.end() :].lstrip(WSP)
        if rest[:1] != "=":
            if rest and part[word.end()] not in WSP:
                raise GrammarError("bad scheme")
            values.append((word.group(), [rest] if rest else []))
        elif values:
            values[-1][1].append(part)
        else:
            raise GrammarError("no scheme")
    if not values:
        raise GrammarError("empty")
    return values


def parse_parameters(elements: list[str]) -> dict[str, str]:
    """Name in lower case to unquoted value, of what :func:`split_schemes` gives for one value.

    A name without a value, given twice, or with a value that is neither quoted nor visible text is refused.
    """
    parameters: dict[str, str] = {}
    for element in elements:
        name, value = _parameter(element)
        key = name.lower()
        if key in parameters:
            raise GrammarError("parameter given twice")
        parameters[key] = unquote(value)
    return parameters


def mask_credentials(value: str) -> str:
    """A value of WWW-Authenticate, Authorization and their Proxy- forms as it may stand in a log.

    Everything is masked but the scheme and what neither proves nor helps to guess the password. Any text is
    taken; of text that is no such value nothing is shown.
    """
    try:
        values = split_schemes(value)
    except GrammarError:
        return _MASK
    return ", ".join([_masked(scheme, elements) for scheme, elements in values])


def _parameter(element: str) -> tuple[str, str]:
    params = parse_params(element)
    name, value = params[0]
    if len(params) > 1 or value is None:
        raise GrammarError("bad parameter")
    return name, value


def _masked(scheme: str, elements: list[str]) -> str:
    if scheme.lower() not in _SCHEMES:
        return _MASK
    if scheme.lower() != DIGEST:
        return f"{scheme} {_MASK}"
    return " ".join([scheme, ",".join([_masked_parameter(element) for element in elements])]).rstrip(WSP)


def _masked_parameter(element: str) -> str:
    try:
        name, value = _parameter(element)
    except GrammarError:
        return _MASK
    return f"{name}={value if name.lower() in _SHOWN else _MASK}"
