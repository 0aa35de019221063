"""A process with one fake pod, to be killed and stopped: prints its port, then the id of each event."""

import asyncio
import sys

from b2bua.edge.v1.edge_pb2 import Event
from call_control.domain.ports import EdgePort
from integration.link.fakes import PodServer


async def main(pod_id: str) -> None:
    server = PodServer(pod_id)

    def commit(port: EdgePort, event: Event) -> None:
        print(event.id, flush=True)
        server.pod.commit(port, event)

    server.pod.answer = commit
    await server.start()
    print(server.port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
