"""From the command line to the exit status: what the `__main__` of each service calls.

    def main() -> int:
        return run("sip-edge", "SIP edge of the B2BUA", Settings, build)

`build(settings, runtime)` is the composition root of the service.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import NoReturn, TypeVar

import structlog
import uvloop

from svckit.errors import ServiceError
from svckit.health import Health
from svckit.lifecycle import Lifecycle, Service, serve
from svckit.logging import configure_logging
from svckit.metrics import Metrics
from svckit.settings import ServiceSettings, Variable, effective, load, schema, variables
from svckit.telemetry import ProcessMetrics

S = TypeVar("S", bound=ServiceSettings)

_GC_THRESHOLDS = (20_000, 20, 20)
"""A message makes hundreds of objects, next to none of them in cycles: the default looks every 700."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a service is given besides its settings."""

    lifecycle: Lifecycle
    health: Health
    metrics: Metrics


Build = Callable[[S, Runtime], Service]


def run(
    program: str,
    description: str,
    settings: type[S],
    build: Build[S],
    arguments: Sequence[str] | None = None,
) -> int:
    """Run a service that is configured by its environment only; returns the exit status.

    Options: --version, --help, --check-config, --print-schema. A ServiceError becomes one line on stderr.
    """
    options = _parser(program, description, settings).parse_args(arguments)
    return run_or_show(program, options, settings, build)


def run_or_show(
    program: str, options: argparse.Namespace, settings: type[S], build: Build[S], **values: object
) -> int:
    """Do what the options of `add_show_options` ask for, or run the service; returns the exit status.

    `values` are settings by field name, from a command line: they win over the environment.
    """
    if options.print_schema:
        print(json.dumps(schema(settings), indent=2))
        return 0
    try:
        loaded = load(settings, **values)
        if options.check_config:
            for name, value in effective(loaded).items():
                print(f"{name}={'' if value is None else value}")
            return 0
        run_service(program, loaded, build)
    except ServiceError as error:
        return report(program, error)
    return 0


def run_service(program: str, settings: S, build: Build[S]) -> None:
    """Run a service whose settings are loaded, on uvloop, until it is told to end.

    Raises what made it fail.
    """
    configure_logging(settings.log_level, settings.log_format)
    log = structlog.get_logger("svckit.runner")
    log.info("service.configured", program=program, version=version(), settings=effective(settings))
    if settings.identity_key_is_public:
        log.warning("identity.development_key", advice="set B2BUA_IDENTITY_KEY, or tags can be forged")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(settings, build))


def report(program: str, error: ServiceError) -> int:
    """Say on stderr, in one line, what is wrong; returns the exit status."""
    print(f"{program}: {error}", file=sys.stderr)
    return error.exit_status


def version() -> str:
    """Version of the product."""
    return metadata.version("b2bua-svckit")


async def _run(settings: S, build: Build[S]) -> None:
    metrics = Metrics()
    process = ProcessMetrics(metrics)
    lifecycle = Lifecycle()
    lifecycle.watch(process.on_state)
    health = Health(lifecycle, metrics.registry, on_lag=process.on_lag)
    service = build(settings, Runtime(lifecycle, health, metrics))
    failure: ServiceError | None = None
    try:
        # What is alive now stays alive: the collector need not walk it again and again during calls.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        probed = _Probed(service, lambda: health.start(settings.http))
        await serve(probed, lifecycle, drain_seconds=settings.drain_seconds)
    except* ServiceError as group:
        # Raised below: until Python 3.11.3 what is raised here comes out in a group, and not as one line.
        failure = _first(group)
    finally:
        health.close()
    if failure is not None:
        raise failure


class _Probed:
    """A service whose probes are answered from the beginning of its start.

    Not earlier: whoever sees /livez may send SIGTERM, and must find its handler in place.
    """

    def __init__(self, service: Service, answer_probes: Callable[[], object]) -> None:
        self._service = service
        self._answer_probes = answer_probes
        self.drain = service.drain
        self.stop = service.stop

    async def start(self, tasks: asyncio.TaskGroup) -> None:
        """See `Service.start`."""
        self._answer_probes()
        await self._service.start(tasks)


def _first(group: BaseExceptionGroup[ServiceError]) -> ServiceError:
    """The operator gets one line, about the first thing that went wrong."""
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    if not isinstance(found, ServiceError):
        raise found
    return found


class CommandLine(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """See argparse."""
        self.exit(2, f"{self.prog}: {message}; --help lists the options\n")


def add_show_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that print something and stop."""
    program = parser.prog.partition(" ")[0]
    parser.add_argument("--version", action="version", version=f"{program} {version()}")
    parser.add_argument("--check-config", action="store_true", help="read the settings, print them, and stop")
    parser.add_argument("--print-schema", action="store_true", help="print the JSON schema of the settings")


def environment_help(rows: Iterable[Variable]) -> str:
    """Return the section of --help about environment variables."""
    lines = ["environment variables:"]
    for row in rows:
        example = f", for example {row.example}" if row.example else ""
        lines += [f"  {row.name}", f"      {row.description} (default: {row.default or 'none'}{example})"]
    return "\n".join(lines)


def _parser(program: str, description: str, settings: type[ServiceSettings]) -> CommandLine:
    parser = CommandLine(
        prog=program,
        description=description,
        epilog=environment_help(variables(settings)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_show_options(parser)
    return parser
