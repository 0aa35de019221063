"""Who gets in: one object decides on each new piece of work, one on each new peer."""

from collections.abc import Callable
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from sip_edge.domain.ports import ControlLink


class Lifecycle(Enum):
    """What the process is ready for."""

    STARTING = "starting"
    """No link to call-control yet."""
    SERVING = "serving"
    OVERLOADED = "overloaded"
    """Calls in progress only."""
    SHIFTING = "shifting"
    """First phase of a drain: peers and load balancers are told to go elsewhere, new calls are served."""
    DRAINING = "draining"
    """Second phase of a drain: calls in progress only."""


class Work(Enum):
    """Kinds of new work."""

    CALL = "call"
    """An INVITE outside of dialogs."""
    OUT_OF_DIALOG = "out-of-dialog"
    """Any other request outside of dialogs that needs call-control."""
    PROBE = "probe"
    """An OPTIONS by which a peer asks whether to send calls here."""
    READINESS = "readiness"
    """The same question from the cluster."""


OPEN: Final[dict[Lifecycle, frozenset[Work]]] = {
    Lifecycle.STARTING: frozenset(),
    Lifecycle.SERVING: frozenset(Work),
    Lifecycle.OVERLOADED: frozenset({Work.READINESS}),
    Lifecycle.SHIFTING: frozenset({Work.CALL, Work.OUT_OF_DIALOG}),
    Lifecycle.DRAINING: frozenset(),
}
"""What is let in, by state. Work in progress is not asked about: it goes on until the reserve is used up."""


_NEEDS_CREDIT: Final = frozenset({Work.CALL, Work.PROBE})
"""A peer that probes asks whether its calls would be taken."""


class Admission:
    """Lifecycle, credits of call-control and the bound on transactions in one place."""

    __slots__ = ("_count", "_limit", "_link", "_open", "_reserve", "_state")

    def __init__(self, link: ControlLink, *, limit: int, count: Callable[[], int]) -> None:
        """New work is refused when `count()` transactions reach `limit`, work in progress a quarter later."""
        self._link = link
        self._limit = limit
        self._reserve = limit + limit // 4
        self._count = count
        self._state = Lifecycle.STARTING
        self._open = OPEN[Lifecycle.STARTING]

    @property
    def state(self) -> Lifecycle:
        """Set by the shell."""
        return self._state

    @state.setter
    def state(self, state: Lifecycle) -> None:
        self._state = state
        self._open = OPEN[state]

    @property
    def ready(self) -> bool:
        """Answer to a readiness probe of the cluster."""
        return Work.READINESS in self._open

    def admits(self, work: Work) -> bool:
        """Whether a new piece of work may come in."""
        if work not in self._open or self._count() >= self._limit:
            return False
        return work not in _NEEDS_CREDIT or self._link.may_open_call()

    def admits_more_in_progress(self) -> bool:
        """Whether there is room for one more transaction of a call in progress."""
        return self._count() < self._reserve


class AccessList:
    """Networks that may send requests outside of dialogs. Inside a dialog our tag is the permission."""

    __slots__ = ("_known", "_networks")
    _MAX_KNOWN: Final = 4096

    def __init__(self, networks: tuple[IPv4Network | IPv6Network, ...]) -> None:
        self._networks = networks
        self._known: dict[str, bool] = {}

    def allows(self, ip: str) -> bool:
        """Whether the peer is on the list; an empty list has everyone on it."""
        if not self._networks:
            return True
        verdict = self._known.get(ip)
        if verdict is None:
            if len(self._known) >= self._MAX_KNOWN:
                self._known.clear()
            address = ip_address(ip)
            verdict = any(address in network for network in self._networks)
            self._known[ip] = verdict
        return verdict
