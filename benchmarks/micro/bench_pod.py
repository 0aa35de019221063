"""CPU of call control for one plain call (INVITE 180 200 ACK BYE 200) on the memory store, no edge.

.venv/bin/python benchmarks/micro/bench_pod.py [--profile]
"""

from __future__ import annotations

import cProfile
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from b2bua.edge.v1 import edge_pb2 as edge
from support.call_driver import CallDriver

CALLS = 2_000


def record_events() -> list[edge.Event]:
    """Return the events of one call, as an edge tells them."""
    driver = CallDriver()
    events: list[edge.Event] = []
    tell = driver.tell
    driver.tell = lambda event, pod=None: (events.append(event), tell(event, pod))[1]  # type: ignore[method-assign]
    driver.confirmed()
    driver.in_dialog("BYE", 2)
    bye = next(c.send_request for c in driver.port.commands if c.send_request.method == "BYE")
    driver.response(200, bye.branch, method="BYE", cseq=bye.cseq)
    return events


def run(calls: int) -> float:
    """Play the call many times over; returns CPU seconds."""
    events = record_events()
    driver = CallDriver()
    pod, port = driver.pod, driver.port
    began = time.process_time()
    for _ in range(calls):
        for event in events:
            pod.on_event(port, event)
            pod.on_done(
                port,
                [
                    edge.CommandRef(call_key=one.call_key, id=one.id)
                    for one in port.take()
                    if one.send_request.method in ("", "ACK")
                ],
            )
        # The same call can be placed again only when its tombstone is gone.
        driver.time[0] += 40_000
    took = time.process_time() - began
    assert pod.cached_calls == 0
    return took


def main() -> None:
    """Print microseconds per call and per event."""
    if "--profile" in sys.argv:
        profile = cProfile.Profile()
        profile.runcall(run, CALLS)
        profile.print_stats("tottime")
        return
    run(100)
    best = min(run(CALLS) for _ in range(3)) / CALLS
    print(f"call control: {best * 1e6:.0f} us per call, {best * 1e6 / len(record_events()):.0f} us per event")


if __name__ == "__main__":
    main()
