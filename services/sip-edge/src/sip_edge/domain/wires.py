"""Bytes to sockets: the one place that knows which socket or connection a message leaves by."""

from typing import Final

from sip_edge.domain.addressing import Addressing
from sip_edge.domain.drop_reasons import Counters, DropReason
from sip_edge.domain.flows import Flows
from sip_edge.domain.origin import Origin
from sip_edge.domain.ports import Outlet
from sip_edge.domain.roads import Road


class Wires:
    """Sends answers and requests."""

    __slots__ = ("_addressing", "_counters", "_flows", "_outlet")

    def __init__(self, outlet: Outlet, addressing: Addressing, flows: Flows, counters: Counters) -> None:
        self._outlet: Final = outlet
        self._addressing: Final = addressing
        self._flows: Final = flows
        self._counters: Final = counters

    def answer(self, origin: Origin, status: int, data: bytes) -> None:
        """Send an answer the way its request came (RFC 3261 18.2.2)."""
        self._counters.sent_responses[status] += 1
        if not origin.flow:
            self._outlet.send_datagram(origin.listener, data, origin.reply_to)
        elif self._flows.get(origin.flow) is not None:
            self._outlet.send_stream(origin.flow, data)
        else:
            self._answer_anew(origin, data)

    def request(self, road: Road, data: bytes) -> bool:
        """Send a request. False: the connection is gone."""
        if not road.flow:
            self._outlet.send_datagram(road.local.listener.name, data, road.address)
        elif self._flows.get(road.flow) is not None:
            self._outlet.send_stream(road.flow, data)
        else:
            return False
        return True

    def _answer_anew(self, origin: Origin, data: bytes) -> None:
        """The request's connection is gone: open one to the address in the Via."""
        listener = self._addressing.choose("tcp", origin.source[0], origin.listener)
        flow = self._flows.towards(listener, origin.via_address) if listener is not None else None
        if flow is None:
            self._counters.drop(DropReason.FLOW_LOST)
        else:
            self._outlet.send_stream(flow.id, data)
