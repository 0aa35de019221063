"""Servicers of the call-control process: they translate, nothing more."""

from typing import Any

import grpc

from b2bua.callcontrol.v1.edge_link_pb2_grpc import (
    EdgeLinkServiceServicer,
    add_EdgeLinkServiceServicer_to_server,
)
from call_control.adapters.edge_streams import EdgeStreams


class EdgeLinkServicer(EdgeLinkServiceServicer):
    """b2bua.callcontrol.v1.EdgeLinkService."""

    def __init__(self, streams: EdgeStreams) -> None:
        self._streams = streams

    def add_to_server(self, server: grpc.aio.Server) -> None:
        """Register with a server that has not been started."""
        add_EdgeLinkServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]  # generated code

    async def Connect(self, request_iterator: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """Serve one stream of an edge."""
        await self._streams.serve(context)
