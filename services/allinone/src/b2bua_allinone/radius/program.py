"""`b2bua_radius`: from its command line to its exit status."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from b2bua_allinone.control.server import check_control_socket
from b2bua_allinone.daemon import DaemonLog, PidFile, become_daemon
from b2bua_allinone.message_log.log import check_message_log
from b2bua_allinone.message_log.settings import from_environment
from b2bua_allinone.radius.mapping import settings_of
from b2bua_allinone.radius.options import RadiusOptions, option_list
from b2bua_allinone.radius.reading import OptionError, read_command_line
from b2bua_allinone.radius.refusals import refusal
from b2bua_allinone.radius.service import RadiusService
from b2bua_allinone.radius.writing import write_ini
from b2bua_allinone.settings import Settings
from sip_edge.service import check_listeners
from svckit.errors import ServiceError
from svckit.runner import Runtime, report, run_service, version
from svckit.settings import load

PROGRAM = "b2bua_radius"
_FAILED = 1
"""Exit status for all that is wrong at the start, as the reference's."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `b2bua_radius`; returns the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words == ["--help"]:
        print(option_list(), end="")
        return 0
    if words == ["--version"]:
        print(f"{PROGRAM} {version()}")
        return 0
    try:
        line = read_command_line(words)
        for path in line.write_to:
            write_ini(line.options, path)
    except OptionError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        print(option_list(), end="")
        return _FAILED
    refused = refusal(line.options)
    if refused is not None:
        print(f"{PROGRAM}: {refused} (--help lists the options)", file=sys.stderr)
        return _FAILED
    started_in = Path.cwd()
    try:
        restart = _run(line.options)
    except ServiceError as error:
        report(PROGRAM, error)
        return _FAILED
    if restart:
        _start_anew(started_in)
    return 0


def _run(options: RadiusOptions) -> bool:
    """Run the service to its end; returns whether it is to be started anew. Raises ServiceError."""
    message_log = from_environment(os.environ, now=time.time())
    settings = load(Settings, **settings_of(options, message_log))
    services: list[RadiusService] = []
    daemon_log = pid_file = None
    if not options.foreground:
        daemon_log, pid_file = DaemonLog(Path(options.logfile)), PidFile(Path(options.pidfile))
        _check(settings, pid_file)
        become_daemon(daemon_log)

    def build(settings: Settings, runtime: Runtime) -> RadiusService:
        services.append(RadiusService(settings, runtime, daemon_log=daemon_log, pid_file=pid_file))
        return services[0]

    run_service(PROGRAM, settings, build)
    return services[0].restart_wanted


def _check(settings: Settings, pid_file: PidFile) -> None:
    """Find out what would go wrong, as long as there is a terminal to say so. Raises StartError."""
    check_listeners(settings.listeners)
    check_message_log(settings.message_log)
    if settings.control is not None:
        check_control_socket(settings.control)
    pid_file.check()


def _start_anew(directory: Path) -> None:
    """Become a new process of the same command line, where the first one was started."""
    os.chdir(directory)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
