"""`b2bua_simple`: the command line of Sippy's program of that name, on our engine.

One fixed next hop for calls and registrations, the ingress Call-ID on both legs, no daemon's helpers.
Beyond the reference: TCP beside UDP, Max-Forwards counted down, and a clean end on SIGTERM.
"""

from __future__ import annotations

import getopt
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from b2bua_allinone.app import build
from b2bua_allinone.settings import Settings
from call_control.domain.routing.entry import RouteError, parse_route
from svckit.errors import ServiceError
from svckit.runner import report, run_service, version
from svckit.settings import load

PROGRAM = "b2bua_simple"
_USAGE = "usage: b2bua_simple [-f] [-l addr] [-p port] [-n addr[:port]] [-L logfile]"
_HELP = f"""{_USAGE}

  -f            stay in the foreground (default: become a daemon)
  -l addr       local SIP address; IPv6 in brackets (default: all interfaces)
  -p port       local SIP port, UDP and TCP (default: 5060)
  -n addr:port  next hop of every call, and of REGISTER; IPv6 in brackets (default: 192.168.0.102:5060)
  -L logfile    where a daemon writes what it prints (default: /var/log/sippy.log)
  --version     print the version and exit
  --help        print this and exit

example:
  b2bua_simple -f -l 127.0.0.1 -p 5060 -n 127.0.0.1:5062
"""
#: What the reference says of itself, for peers that look at it.
_USER_AGENT = "Sippy B2BUA (Simple)"


class UsageError(ValueError):
    """The command line is wrong; the text says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options with the reference's defaults."""

    foreground: bool = False
    address: str = ""
    port: int = 5060
    next_hop: str = "192.168.0.102:5060"
    log_file: Path = Path("/var/log/sippy.log")

    @property
    def listeners(self) -> str:
        """The listeners as settings write them: one address, or every IPv4 and IPv6 one."""
        hosts = [self.address] if self.address else ["0.0.0.0", "[::]"]
        return ",".join(f"{transport}:{host}:{self.port}" for host in hosts for transport in ("udp", "tcp"))


def parse_options(arguments: Sequence[str]) -> Options:
    """Read the command line. Raises UsageError."""
    try:
        pairs, rest = getopt.getopt(list(arguments), "fl:p:n:L:", ["help", "version"])
    except getopt.GetoptError as error:
        raise UsageError(str(error)) from error
    if rest:
        raise UsageError(f"unexpected argument {rest[0]!r}")
    given = dict(pairs)
    _answer_questions(given)
    defaults = Options()
    return Options(
        foreground="-f" in given,
        address=_read_address(given.get("-l", "")),
        port=_read_port(given.get("-p", str(defaults.port))),
        next_hop=given.get("-n", defaults.next_hop),
        log_file=Path(given.get("-L", str(defaults.log_file))),
    )


def _answer_questions(given: dict[str, str]) -> None:
    if "--help" in given:
        print(_HELP, end="")
        raise SystemExit(0)
    if "--version" in given:
        print(f"{PROGRAM} {version()}")
        raise SystemExit(0)


def _read_address(text: str) -> str:
    return "" if text in ("*", "0.0.0.0", "::", "[::]") else text


def _read_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 <= int(text) <= 65535):
        raise UsageError(f"-p {text!r} should be a port 1..65535")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `b2bua_simple`; returns the exit status: 1 for a wrong command line, as the reference."""
    try:
        options = parse_options(sys.argv[1:] if arguments is None else arguments)
        routes = (parse_route(options.next_hop),)
    except (UsageError, RouteError) as error:
        print(f"{PROGRAM}: {error}\n{_USAGE}")
        return 1
    try:
        settings = load(
            Settings,
            listen=options.listeners,
            route=routes,
            sip_proxy=routes[0],
            call_id="same",
            user_agent=_USER_AGENT,
        )
        if not options.foreground:
            _become_daemon(options.log_file)
        run_service(PROGRAM, settings, build)
    except ServiceError as error:
        report(PROGRAM, error)
        return 1
    except OSError as error:
        print(f"{PROGRAM}: -L {options.log_file}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _become_daemon(log_file: Path) -> None:
    """Fork twice, leave the terminal, append output to the log. Raises OSError for a bad log file."""
    log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(null)
    os.close(log)
