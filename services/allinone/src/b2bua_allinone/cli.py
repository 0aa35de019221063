"""Command line of `b2bua`: each option is a setting, under a name of its own."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from ipaddress import ip_network
from typing import TypeVar

from b2bua_allinone.control.address import parse_control_address
from b2bua_allinone.message_log.settings import from_word
from b2bua_allinone.settings import Settings
from call_control.domain.call_id import CALL_ID_FORMS
from call_control.domain.routing.entry import parse_route
from call_control.domain.routing.pass_headers import parse_pass_headers
from call_control.domain.routing.translation import parse_translation
from sipcore.codec_filter import parse_allowed_pts
from svckit.listen import parse_host_port, parse_listeners
from svckit.runner import CommandLine, add_show_options, environment_help, version
from svckit.settings import variables

T = TypeVar("T")

_EXAMPLES = """examples:
  b2bua run                                      answer on UDP and TCP 5060 with a callee of its own
  b2bua run --route 192.0.2.10                   send every call to 192.0.2.10
  b2bua run --listen udp:127.0.0.1:5060 --listen tcp:127.0.0.1:5060 --route 127.0.0.1:5062
  b2bua run --route 192.0.2.10 --store redis://127.0.0.1:6379/0
"""

_VARIABLES = """
Options have variables too, which --check-config shows; an option wins over its variable. Others see the
command line of a process: what holds a password is better given in B2BUA_ROUTE and B2BUA_STORE.
"""


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line.

    argparse ends the process with status 2 and one line on stderr for a wrong option.
    """
    parser = CommandLine(
        prog="b2bua",
        description="SIP back-to-back user agent in one process.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"b2bua {version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="run the B2BUA",
        usage="b2bua run [option ...]",
        description="Run the B2BUA in this process.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_show_options(run)
    _add_network(run.add_argument_group("network"))
    _add_routing(run.add_argument_group("routing"))
    _add_calls(run.add_argument_group("calls"))
    _add_operation(run.add_argument_group("operation"))
    options = vars(run.parse_args([]))
    without_option = (row for row in variables(Settings) if row.field not in options)
    run.epilog = f"{_EXAMPLES}\n{environment_help(without_option)}\n{_VARIABLES}"
    return parser.parse_args(arguments)


def fields(options: argparse.Namespace) -> dict[str, object]:
    """Return what was given, by the names of the settings."""
    given = {
        name: value
        for name, value in vars(options).items()
        if name in Settings.model_fields and value is not None
    }
    if "listen" in given:
        given["listen"] = ",".join(given["listen"])
    return given


def _checked(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Make a parser whose ValueError argparse shows as one line."""

    def read(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def _listener(text: str) -> str:
    parse_listeners(text)
    return text


# The `dest` of an option is the name of its setting. None: not given, so the variable or the default counts.


def _add_network(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--listen",
        action="append",
        type=_checked(_listener),
        metavar="SPEC",
        help="udp:HOST:PORT or tcp:HOST:PORT[;advertise=HOST[:PORT]][;contact=HOST[:PORT]][;nat=yes|no]"
        "[;for=CIDR+CIDR]; may be repeated (default: udp:0.0.0.0:5060 tcp:0.0.0.0:5060)",
    )
    group.add_argument(
        "--allow",
        action="append",
        type=_checked(ip_network),
        metavar="CIDR",
        help="network that may open calls; may be repeated (default: everyone)",
    )
    group.add_argument(
        "--sip-proxy",
        type=_checked(parse_route),
        metavar="HOST[:PORT]",
        help="registrar or proxy that REGISTER is passed on to (default: it is refused)",
    )
    group.add_argument(
        "--notify",
        choices=("accept", "refuse"),
        help="NOTIFY outside of dialogs: answer 200, or 489 (default: accept)",
    )
    group.add_argument(
        "--nat-traversal",
        action="store_true",
        default=None,
        help="answer and call peers that show private addresses where they send from (default: no)",
    )
    group.add_argument(
        "--t1", dest="t1_seconds", type=float, metavar="SECONDS", help="SIP timer T1 (default: 0.5)"
    )


def _add_routing(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--route",
        action="append",
        type=_checked(parse_route),
        metavar="ROUTE",
        help="where calls go: [[NUMBER]@]HOST[:PORT][;NAME=VALUE...]; repeated: tried in order (default: a "
        "callee inside that answers)",
    )
    group.add_argument(
        "--translate-in",
        type=_checked(parse_translation),
        metavar="RULES",
        help="s/REGEX/REPLACEMENT/[g] with ; between, for the number that was dialled",
    )
    group.add_argument(
        "--translate-out",
        type=_checked(parse_translation),
        metavar="RULES",
        help="the same for the number that a route calls",
    )
    group.add_argument(
        "--pass-headers",
        type=_checked(parse_pass_headers),
        metavar="NAMES",
        help="header fields of the caller's INVITE that go on to the callee: names with commas, X-*, *",
    )
    group.add_argument(
        "--max-credit",
        dest="max_credit_seconds",
        type=float,
        metavar="SECONDS",
        help="longest talk time of a call (default: no limit)",
    )
    group.add_argument(
        "--redirects",
        choices=("relay", "follow"),
        help="what becomes of a 300, 301 or 302: relay it to the caller, or follow it (default: relay)",
    )
    group.add_argument(
        "--transfer",
        choices=("pass", "perform"),
        help="what becomes of a REFER: pass it on to the other side, or perform it (default: pass)",
    )
    group.add_argument(
        "--transfer-direct",
        action="store_true",
        default=None,
        help="a transfer may lead to any host that a Refer-To names (default: the routes lead)",
    )


def _add_calls(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--call-id", choices=sorted(CALL_ID_FORMS), help="Call-ID of the egress leg (default: suffixed)"
    )
    group.add_argument(
        "--codecs",
        dest="allowed_codecs",
        type=_checked(parse_allowed_pts),
        metavar="LIST",
        help="what session descriptions may hold: payload types and [NAME/RATE] with commas (default: all)",
    )
    group.add_argument(
        "--keepalive-caller",
        dest="ingress_keepalive_seconds",
        type=float,
        metavar="SECONDS",
        help="re-INVITE to the caller this often, to find out whether it still lives (default: never)",
    )
    group.add_argument(
        "--keepalive-callee",
        dest="egress_keepalive_seconds",
        type=float,
        metavar="SECONDS",
        help="the same for the callee (default: never)",
    )
    group.add_argument(
        "--keepalive-method",
        choices=("INVITE", "OPTIONS"),
        help="request that keep-alives are (default: INVITE)",
    )
    group.add_argument(
        "--session-timer",
        dest="session_seconds",
        type=int,
        metavar="SECONDS",
        help="session timer to ask for on each leg (default: none, but grant what a peer asks for)",
    )
    group.add_argument(
        "--reliable",
        choices=("supported", "always"),
        help="ask callees for reliable provisionals if the caller takes them, or always (default: supported)",
    )
    group.add_argument(
        "--pass-authentication",
        action="store_true",
        default=None,
        help="challenges of the callee reach the caller, and its credentials the callee (default: no)",
    )


def _add_operation(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--store", metavar="memory|URL", help="memory, or a Redis URL (default: memory)")
    group.add_argument(
        "--http",
        type=_checked(parse_host_port),
        metavar="HOST:PORT",
        help="serve /livez, /readyz and /metrics there (default: nowhere)",
    )
    group.add_argument(
        "--control",
        type=_checked(parse_control_address),
        metavar="SOCKET",
        help="control socket: PATH, unix:PATH or tcp:HOST[:PORT] (default: none)",
    )
    group.add_argument(
        "--message-log",
        type=_checked(from_word),
        metavar="none|stderr|syslog|FILE",
        help="log each SIP message there, without its secrets (default: none)",
    )
    group.add_argument("--log-level", choices=("debug", "info", "warning", "error"), help="(default: info)")
