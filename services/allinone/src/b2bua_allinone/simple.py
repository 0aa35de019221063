"""`b2bua_simple`: the command line of Sippy's program of that name, on our engine.

One fixed next hop for calls and registrations, the ingress Call-ID on both legs, no daemon's helpers.
Beyond the reference: TCP beside UDP, Max-Forwards counted down, and a clean end on SIGTERM.
"""

from __future__ import annotations

import getopt
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from b2bua_allinone.app import build
from b2bua_allinone.daemon import DaemonLog, become_daemon
from b2bua_allinone.listening import listeners
from b2bua_allinone.message_log.log import check_message_log
from b2bua_allinone.message_log.settings import from_environment
from b2bua_allinone.radius.kinds import ADDRESS
from b2bua_allinone.settings import Settings
from call_control.domain.call_id import CALL_ID_FORMS
from call_control.domain.routing.entry import RouteError, parse_route
from sip_edge.service import check_listeners
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
  --call-id=FORM
                Call-ID of the second leg: same as the first (default), suffixed, hidden or fresh
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
    call_id: str = "same"
    """Beyond the reference, whose one Call-ID on both legs confuses proxies that a call passes twice."""

    @property
    def listeners(self) -> str:
        """The listeners as settings write them: one address, or every IPv4 and IPv6 one."""
        return listeners(self.address, self.port)


def parse_options(arguments: Sequence[str]) -> Options:
    """Read the command line. Raises UsageError."""
    try:
        pairs, rest = getopt.getopt(list(arguments), "fl:p:n:L:", ["help", "version", "call-id="])
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
        call_id=_read_call_id(given.get("--call-id", defaults.call_id)),
    )


def _answer_questions(given: dict[str, str]) -> None:
    if "--help" in given:
        print(_HELP, end="")
        raise SystemExit(0)
    if "--version" in given:
        print(f"{PROGRAM} {version()}")
        raise SystemExit(0)


def _read_address(text: str) -> str:
    try:
        return str(ADDRESS.read(text)) if text else ""
    except ValueError:
        raise UsageError(f"-l {text!r} should be {ADDRESS.expected}") from None


def _read_call_id(text: str) -> str:
    if text not in CALL_ID_FORMS:
        raise UsageError(f"--call-id {text!r} should be one of {', '.join(CALL_ID_FORMS)}")
    return text


def _read_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
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
            call_id=options.call_id,
            user_agent=_USER_AGENT,
            message_log=from_environment(os.environ, now=time.time()),
        )
        if not options.foreground:
            check_listeners(settings.listeners)
            check_message_log(settings.message_log)
            become_daemon(DaemonLog(options.log_file))
        run_service(PROGRAM, settings, build)
    except ServiceError as error:
        report(PROGRAM, error)
        return 1
    return 0
