"""Requests to a Redis Cluster: one lane per primary, each request to the owner of its slot.

redis-py's cluster client is not used: its pipelines cost 225 us per command, because each node's share is
sent and awaited on its own. Here each lane is a pipeline, and MOVED and ASK are answered by handing the
request to the lane they name.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

import hiredis

from call_control.adapters.redis_connection import Reply, Request, fail
from call_control.adapters.redis_dialer import Address, Dialer
from call_control.adapters.redis_function import pack
from call_control.adapters.redis_lane import Lane, error_code

_REFRESH_SECONDS = 0.25
_TRY_AGAIN_SECONDS = 0.05


class ClusterLanes:
    """`Lanes` to the primaries of a Redis Cluster that own the slots `routes`.

    `on_available` is called when `available` changes, `on_new_primary` when a slot is answered by another
    process than before.
    """

    def __init__(
        self,
        dialer: Dialer,
        routes: Iterable[int],
        *,
        on_available: Callable[[bool], None],
        on_new_primary: Callable[[], None],
    ) -> None:
        self.available = False
        self._dialer = dialer
        self._routes = frozenset(routes)
        self._on_available = on_available
        self._on_new_primary = on_new_primary
        self._loop = asyncio.get_running_loop()
        self._owners: dict[int, Address] = {}
        self._lanes: dict[Address, Lane] = {}
        self._run_ids: dict[int, str] = {}
        self._refreshing: asyncio.Task[None] | None = None
        self._closed = False

    async def open(self) -> None:
        """See `Lanes.open`."""
        slots = await self._dialer.cluster_slots()
        missing = self._routes - slots.keys()
        if missing:
            raise ConnectionError(f"Redis Cluster: nobody owns slot {min(missing)}")
        self._owners = {route: slots[route] for route in self._routes}
        try:
            for address in dict.fromkeys(self._owners.values()):
                self._lanes[address] = lane = self._new_lane(address)
                await lane.open()
        except BaseException:
            await self.close()
            raise
        self._look()

    async def close(self) -> None:
        """See `Lanes.close`."""
        self._closed = True
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait((self._refreshing,))
        for lane in self._lanes.values():
            await lane.close()

    def submit(self, request: Request) -> None:
        """See `Lanes.submit`."""
        self._lanes[self._owners[request.route]].submit(request)

    def _new_lane(self, address: Address) -> Lane:
        return Lane(
            partial(self._dialer.dial_node, address),
            on_up=self._changed,
            on_down=self._changed,
            redirect=partial(self._redirect, address),
        )

    def _lane(self, address: Address) -> Lane:
        lane = self._lanes.get(address)
        if lane is None:
            self._lanes[address] = lane = self._new_lane(address)
            lane.connect()
        return lane

    def _changed(self, _lane: Lane) -> None:
        # While `open` runs the picture is not complete.
        if self._run_ids:
            self._look()

    def _look(self) -> None:
        """Compare availability and run ids with what was known."""
        new_primary = False
        available = True
        for route, address in self._owners.items():
            lane = self._lanes[address]
            available = available and lane.available
            run_id = lane.run_id
            if run_id and self._run_ids.get(route) != run_id:
                new_primary = new_primary or route in self._run_ids
                self._run_ids[route] = run_id
        if available != self.available:
            self.available = available
            self._on_available(available)
        if new_primary:
            self._on_new_primary()
        if not available:
            self._refresh()

    def _redirect(self, asked: Address, request: Request, error: hiredis.ReplyError) -> bool:
        """Take over a request that this server would not serve, if another one, or later, might."""
        code = error_code(error)
        if request.deadline <= self._loop.time():
            return False
        if code in ("MOVED", "ASK"):
            host, _, port = str(error).split(" ")[2].rpartition(":")
            address = (host or asked[0], int(port))
            if code == "MOVED":
                self._owners[request.route] = address
                self._lane(address).enqueue(request)
                self._refresh()
            else:
                asking = Request(pack(("ASKING",)), request.route, _ignore)
                asking.deadline = request.deadline
                self._lane(address).enqueue(asking, request)
            return True
        if code in ("TRYAGAIN", "CLUSTERDOWN"):
            self._loop.call_later(_TRY_AGAIN_SECONDS, self._again, request)
            self._refresh()
            return True
        return False

    def _again(self, request: Request) -> None:
        if self._closed:
            fail((request,))
        else:
            self._lane(self._owners[request.route]).enqueue(request)

    def _refresh(self) -> None:
        if self._refreshing is None and not self._closed:
            self._refreshing = self._loop.create_task(self._read_slots())

    async def _read_slots(self) -> None:
        """Read the slot table until everything can be reached."""
        while not self._closed:
            try:
                slots = await self._dialer.cluster_slots(tuple(self._lanes))
            except OSError:
                slots = {}
            await self._use(slots)
            if self.available:
                break
            await asyncio.sleep(_REFRESH_SECONDS)
        self._refreshing = None

    async def _use(self, slots: dict[int, Address]) -> None:
        """Follow a new slot table: requests that wait at a former owner move to the new one."""
        self._owners.update({route: slots[route] for route in self._routes & slots.keys()})
        for address in set(self._owners.values()):
            self._lane(address)
        for address in self._lanes.keys() - self._owners.values():
            former = self._lanes.pop(address)
            for request in former.take_queue():
                self._lane(self._owners.get(request.route, address)).enqueue(request)
            await former.close()
        self._look()


def _ignore(_reply: Reply, _sent: float) -> None:
    """The reply to ASKING says nothing."""
