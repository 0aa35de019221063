"""Finds the next hops of a URI (RFC 3263): at once when it can, else in a task that never blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from sip_edge.adapters.dns_records import DnsRecords
from sip_edge.adapters.rfc3263 import Family, Found, Question, Records, next_hops
from sip_edge.domain.ports import Endpoint, Query

# NAPTR and SRV, SRV of a replacement, addresses, and one more for a record that expired meanwhile.
_MOST_ROUNDS = 4


class Resolver:
    """Next hops from DNS records."""

    def __init__(
        self,
        records: DnsRecords,
        *,
        families: Sequence[Family],
        transports: Sequence[str],
        random: Callable[[], float],
        timeout: float = 8.0,
    ) -> None:
        """`families` and `transports` are what the edge can use, preferred first.

        `timeout` bounds one search with all its rounds, in seconds.
        """
        self._records = records
        self._families = tuple(families)
        self._transports = tuple(transports)
        self._random = random
        self._timeout = timeout

    def locate_now(self, query: Query) -> tuple[Endpoint, ...] | None:
        """The hops if they follow from the URI or the cache; None if DNS must be asked."""
        found = self._search(query, self._records.cached)
        return None if found.missing else found.hops

    async def locate(self, query: Query) -> tuple[Endpoint, ...]:
        """The hops in the order to try them (RFC 3263 section 4.3); empty if there are none in time."""
        fresh: dict[Question, Records] = {}

        def look(question: Question) -> Records | None:
            return fresh[question] if question in fresh else self._records.cached(question)

        try:
            async with asyncio.timeout(self._timeout):
                for _ in range(_MOST_ROUNDS):
                    found = self._search(query, look)
                    if not found.missing:
                        return found.hops
                    answers = await asyncio.gather(*map(self._records.fetch, found.missing))
                    fresh.update(zip(found.missing, answers, strict=True))
        except TimeoutError:
            return ()
        return self._search(query, look).hops

    async def close(self) -> None:
        """Give up all questions under way."""
        await self._records.close()

    def _search(self, query: Query, look: Callable[[Question], Records | None]) -> Found:
        return next_hops(
            query,
            look,
            families=self._families,
            transports=self._transports,
            random=self._random,
        )
