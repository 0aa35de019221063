"""Compare Sippy, our single process, and edge + call-control + Redis on the same load (see README.md)."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "tests")]

from measure import cpu_per_call, highest_rate, memory_per_call, set_up_delay  # noqa: E402
from systems import SYSTEMS, Direct, System  # noqa: E402

Make = Callable[[], System]
Figures = dict[str, dict[str, Any]]

ROWS = (
    ("CPU per call", "cpu_ms", "ms"),
    ("highest rate without retransmission", "highest_rate", "calls/s"),
    ("added set-up delay p50", "added_delay_p50_ms", "ms"),
    ("added set-up delay p99", "added_delay_p99_ms", "ms"),
    ("memory per held call", "memory_kb", "KB"),
    ("  of it Redis, by its own count", "redis_kb", "KB"),
)
MEASURES = ("cpu", "rate", "delay", "memory", "stream")


def say(text: str) -> None:
    """Tell the person waiting how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def measure_cpu(systems: dict[str, Make], figures: Figures, options: argparse.Namespace) -> None:
    """CPU per call: the median of several rounds, the systems taking turns."""
    rounds: dict[str, list[float]] = {name: [] for name in systems}
    for _ in range(1 if options.quick else 3):
        for name, make in systems.items():
            rounds[name].append(cpu_per_call(make, rate=options.rate, seconds=5 if options.quick else 10))
            say(f"{name}: {rounds[name][-1]:.2f} ms CPU per call at {options.rate} calls/s")
    for name, values in rounds.items():
        figures[name]["cpu_ms"] = round(statistics.median(values), 3)
        figures[name]["cpu_ms_rounds"] = [round(value, 3) for value in values]


def measure_delay(systems: dict[str, Make], figures: Figures, options: argparse.Namespace) -> None:
    """Set-up delay over what SIPp takes without a B2BUA between: INVITE to 180."""
    seconds = 5 if options.quick else 15
    direct = set_up_delay(Direct, rate=options.delay_rate, seconds=seconds)
    for name, make in systems.items():
        delay = set_up_delay(make, rate=options.delay_rate, seconds=seconds)
        for share in ("p50", "p99"):
            figures[name][f"added_delay_{share}_ms"] = round(delay[share] - direct["p50"], 2)
        say(f"{name}: INVITE to 180 {delay}, direct {direct}")


def measure_rate(systems: dict[str, Make], figures: Figures, options: argparse.Namespace) -> None:
    """Highest rate at which neither side sends anything twice."""
    for name, make in systems.items():
        figures[name]["highest_rate"] = highest_rate(
            make,
            start=options.rate,
            step=50 if options.quick else 25,
            seconds=5 if options.quick else 10,
            tell=lambda text, name=name: say(f"{name}: {text}"),  # type: ignore[misc]  # bound early
        )


def measure_memory(systems: dict[str, Make], figures: Figures, options: argparse.Namespace) -> None:
    """Memory while many calls are held."""
    calls = 1000 if options.quick else 5000
    for name, make in systems.items():
        memory = memory_per_call(make, calls=calls, rate=options.rate)
        figures[name]["memory_kb"] = round(memory["rss_kb"], 1)
        figures[name]["redis_kb"] = round(memory["redis_kb"], 1)
        say(f"{name}: {memory['rss_kb']:.1f} KB per call at {calls} held calls")


def measure_stream(options: argparse.Namespace) -> Any:
    """Cost per item of the stream between edge and call-control, by batch size."""
    script = HERE / "micro" / "bench_link.py"
    if not script.exists():
        return None
    done = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True)
    *lines, last = done.stdout.splitlines()
    print("\n".join(lines))
    return json.loads(last)["link"]


def commit() -> str:
    """Return the short name of the commit, with ``-dirty`` when files differ from it."""
    head = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    changed = subprocess.run(["git", "-C", str(ROOT), "diff", "--quiet", "HEAD"], check=False).returncode
    return f"{head}-dirty" if changed else head


def machine() -> dict[str, Any]:
    """Return what the figures depend on besides the code."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "kernel": platform.release()}


def table(figures: Figures) -> str:
    """Return the figures as a table in Markdown."""
    head = ["", *figures]
    lines = [head, ["---"] * len(head)]
    for title, key, unit in ROWS:
        if any(key in values for values in figures.values()):
            cells = [f"{values[key]:g} {unit}" if key in values else "" for values in figures.values()]
            lines.append([title, *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs, 1,000 held calls: a rough picture")
    parser.add_argument("--only", action="append", choices=sorted(SYSTEMS), help="this system (repeatable)")
    parser.add_argument("--measure", action="append", choices=MEASURES, help="this measurement (repeatable)")
    parser.add_argument("--rate", type=int, default=250, help="calls/s for CPU and memory; first rate tried")
    parser.add_argument("--delay-rate", type=int, default=50, help="calls/s while the delay is measured")
    parser.add_argument("--no-save", action="store_true", help="write no JSON")
    return parser.parse_args(argv)


def main() -> None:
    """Run the chosen measurements, print the table, write the JSON."""
    options = parse()
    systems = {name: make for name, make in SYSTEMS.items() if name in (options.only or SYSTEMS)}
    figures: Figures = {name: {} for name in systems}
    chosen = options.measure or MEASURES
    steps = {"cpu": measure_cpu, "delay": measure_delay, "memory": measure_memory, "rate": measure_rate}
    for name, step in steps.items():
        if name in chosen:
            step(systems, figures, options)
    result: dict[str, Any] = {
        "commit": commit(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "quick": options.quick,
        "rate": options.rate,
        "systems": figures,
    }
    if "stream" in chosen:
        result["stream"] = measure_stream(options)
    print(table(figures))
    if not options.no_save:
        path = HERE / "results" / f"{result['commit']}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(result, indent=2) + "\n")
        say(f"written to {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
