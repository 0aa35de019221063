"""Challenges: WWW-Authenticate and Proxy-Authenticate (RFC 3261 20.44, 20.27, RFC 7616 3.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sipcore.auth.fields import DIGEST, parse_parameters, split_schemes
from sipcore.auth.hashes import QOPS, find_algorithm
from sipcore.errors import GrammarError
from sipcore.grammar import WSP


class Challenge(NamedTuple):
    """A digest challenge; texts are unquoted."""

    realm: str
    nonce: str
    opaque: str | None = None
    """To be given back as it is; None if there is none."""
    algorithm: str = ""
    """As the peer wrote it; "" if it named none."""
    qop: tuple[str, ...] = ()
    """The options in the peer's order, in lower case; empty: it knows RFC 2069 only."""
    stale: bool = False
    """The last credentials were right but for their nonce: there is no need to ask for a password again."""

    @property
    def usable_qop(self) -> str | None:
        """The first option that we speak, "" for the form without qop; None when we cannot answer at all."""
        algorithm = find_algorithm(self.algorithm)
        if algorithm is None:
            return None
        if not self.qop:
            return "" if algorithm.legacy else None
        return next((option for option in self.qop if option in QOPS), None)


def parse_challenges(text: str) -> tuple[Challenge, ...]:
    """The digest challenges in one field value, in order; those of other schemes are left out.

    Parameters that we do not know, and domain, which means nothing in SIP (RFC 3261 22.4), are not looked at.
    Raises GrammarError when the value or one of its digest challenges is malformed, or a challenge has no
    realm or nonce.
    """
    return tuple(
        [
            _challenge(parse_parameters(elements))
            for scheme, elements in split_schemes(text)
            if scheme.lower() == DIGEST
        ]
    )


def choose_challenge(values: Iterable[str]) -> Challenge | None:
    """The first challenge in these field values that we can answer; None if there is none.

    The order is the peer's, which puts first what it likes best (RFC 7616 3.7, RFC 8760 2.4). Malformed
    values are passed over.
    """
    for value in values:
        try:
            challenges = parse_challenges(value)
        except GrammarError:
            continue
        for challenge in challenges:
            if challenge.usable_qop is not None:
                return challenge
    return None


def _challenge(parameters: dict[str, str]) -> Challenge:
    for name in ("realm", "nonce"):
        if name not in parameters:
            raise GrammarError(f"no {name}")
    options = [option.strip(WSP).lower() for option in parameters.get("qop", "").split(",")]
    return Challenge(
        parameters["realm"],
        parameters["nonce"],
        parameters.get("opaque"),
        parameters.get("algorithm", ""),
        tuple([option for option in options if option]),
        parameters.get("stale", "").lower() == "true",
    )
