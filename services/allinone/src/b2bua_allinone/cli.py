"""Command line of `b2bua`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from ipaddress import ip_network
from typing import TypeVar

from b2bua_allinone.control.address import parse_control_address
from b2bua_allinone.message_log.settings import from_word
from call_control.domain.call_id import CALL_ID_FORMS
from call_control.domain.routing.entry import parse_route
from call_control.domain.routing.pass_headers import parse_pass_headers
from call_control.domain.routing.translation import parse_translation
from sipcore.codec_filter import parse_allowed_pts
from svckit.listen import parse_host_port
from svckit.runner import version

T = TypeVar("T")

_EXAMPLES = """examples:
  b2bua run                                      answer on UDP and TCP 5060 with a callee of its own
  b2bua run --route 192.0.2.10                   send every call to 192.0.2.10
  b2bua run --listen udp:127.0.0.1:5060 --listen tcp:127.0.0.1:5060 --route 127.0.0.1:5062
  b2bua run --route 192.0.2.10 --store redis://127.0.0.1:6379/0

environment:
  B2BUA_IDENTITY_KEY   signs tags and branches; only needed with a Redis store
"""

_DEFAULT_LISTENERS = ("udp:0.0.0.0:5060", "tcp:0.0.0.0:5060")


def _checked(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Make a parser whose ValueError argparse shows as one line."""

    def read(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def parse_arguments(arguments: Sequence[str] | None) -> dict[str, object]:
    """Read the command line into the fields of `Settings`.

    argparse ends the process with status 2 and one line on stderr for a wrong option.
    """
    parser = argparse.ArgumentParser(
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
        description="Run the B2BUA in this process.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_options(run)
    return _fields(parser.parse_args(arguments))


def _add_options(run: argparse.ArgumentParser) -> None:
    run.add_argument(
        "--listen",
        action="append",
        metavar="SPEC",
        help="udp:HOST:PORT or tcp:HOST:PORT[;advertise=HOST[:PORT]][;contact=HOST[:PORT]][;nat=yes|no]"
        f"[;for=CIDR+CIDR]; may be repeated (default: {' '.join(_DEFAULT_LISTENERS)})",
    )
    run.add_argument(
        "--route",
        action="append",
        type=_checked(parse_route),
        metavar="ROUTE",
        help="where calls go: [[NUMBER]@]HOST[:PORT][;NAME=VALUE...]; repeated: tried in order (default: a "
        "callee inside that answers). Others see the command line: routes with auth=USER:PASSWORD are better "
        "given in B2BUA_ROUTE",
    )
    run.add_argument(
        "--translate-in",
        type=_checked(parse_translation),
        metavar="RULES",
        help="s/REGEX/REPLACEMENT/[g] with ; between, for the number that was dialled",
    )
    run.add_argument(
        "--translate-out",
        type=_checked(parse_translation),
        metavar="RULES",
        help="the same for the number that a route calls",
    )
    run.add_argument(
        "--pass-headers",
        type=_checked(parse_pass_headers),
        metavar="NAMES",
        help="header fields of the caller's INVITE that go on to the callee: names with commas, X-*, *",
    )
    run.add_argument(
        "--max-credit", type=float, metavar="SECONDS", help="longest talk time of a call (default: no limit)"
    )
    run.add_argument(
        "--redirects",
        choices=("relay", "follow"),
        help="what becomes of a 300, 301 or 302: relay it to the caller, or follow it (default: relay)",
    )
    run.add_argument(
        "--transfer",
        choices=("pass", "perform"),
        help="what becomes of a REFER: pass it on to the other side, or perform it (default: pass)",
    )
    run.add_argument(
        "--transfer-direct",
        action="store_true",
        default=None,
        help="a transfer may lead to any host that a Refer-To names (default: the routes lead)",
    )
    run.add_argument("--store", metavar="memory|URL", help="memory, or a Redis URL (default: memory)")
    run.add_argument(
        "--http",
        type=_checked(parse_host_port),
        metavar="HOST:PORT",
        help="serve /livez, /readyz and /metrics there (default: nowhere)",
    )
    run.add_argument(
        "--allow",
        action="append",
        type=_checked(ip_network),
        metavar="CIDR",
        help="network that may open calls; may be repeated (default: everyone)",
    )
    run.add_argument(
        "--call-id", choices=sorted(CALL_ID_FORMS), help="Call-ID of the egress leg (default: suffixed)"
    )
    run.add_argument(
        "--sip-proxy",
        type=_checked(parse_route),
        metavar="HOST[:PORT]",
        help="registrar or proxy that REGISTER is passed on to (default: it is refused)",
    )
    run.add_argument(
        "--notify",
        choices=("accept", "refuse"),
        help="NOTIFY outside of dialogs: answer 200, or 489 (default: accept)",
    )
    run.add_argument(
        "--codecs",
        type=_checked(parse_allowed_pts),
        metavar="LIST",
        help="what session descriptions may hold: payload types and [NAME/RATE] with commas (default: all)",
    )
    run.add_argument(
        "--keepalive-caller",
        type=float,
        metavar="SECONDS",
        help="re-INVITE to the caller this often, to find out whether it still lives (default: never)",
    )
    run.add_argument(
        "--keepalive-callee", type=float, metavar="SECONDS", help="the same for the callee (default: never)"
    )
    run.add_argument(
        "--keepalive-method",
        choices=("INVITE", "OPTIONS"),
        help="request that keep-alives are (default: INVITE)",
    )
    run.add_argument(
        "--session-timer",
        type=int,
        metavar="SECONDS",
        help="session timer to ask for on each leg (default: none, but grant what a peer asks for)",
    )
    run.add_argument(
        "--reliable",
        choices=("supported", "always"),
        help="ask callees for reliable provisionals if the caller takes them, or always (default: supported)",
    )
    run.add_argument(
        "--pass-authentication",
        action="store_true",
        default=None,
        help="challenges of the callee reach the caller, and its credentials the callee (default: no)",
    )
    run.add_argument(
        "--nat-traversal",
        action="store_true",
        default=None,
        help="answer and call peers that show private addresses where they send from (default: no)",
    )
    run.add_argument(
        "--control",
        type=_checked(parse_control_address),
        metavar="SOCKET",
        help="control socket: PATH, unix:PATH or tcp:HOST[:PORT] (default: none)",
    )
    run.add_argument(
        "--message-log",
        type=_checked(from_word),
        metavar="none|stderr|syslog|FILE",
        help="log each SIP message there, without its secrets (default: none)",
    )
    run.add_argument("--t1", type=float, metavar="SECONDS", help="SIP timer T1 (default: 0.5)")
    run.add_argument("--log-level", choices=("debug", "info", "warning", "error"), help="(default: info)")


def _fields(options: argparse.Namespace) -> dict[str, object]:
    """Return what was given, by the names of the settings."""
    given = {
        "listen": ",".join(options.listen or _DEFAULT_LISTENERS),
        "route": tuple(options.route) if options.route else None,
        "translate_in": options.translate_in,
        "translate_out": options.translate_out,
        "pass_headers": options.pass_headers,
        "max_credit_seconds": options.max_credit,
        "redirects": options.redirects,
        "transfer": options.transfer,
        "transfer_direct": options.transfer_direct,
        "store": options.store,
        "http": options.http,
        "allow": tuple(options.allow or ()),
        "call_id": options.call_id,
        "sip_proxy": options.sip_proxy,
        "notify": options.notify,
        "allowed_codecs": options.codecs,
        "ingress_keepalive_seconds": options.keepalive_caller,
        "egress_keepalive_seconds": options.keepalive_callee,
        "keepalive_method": options.keepalive_method,
        "session_seconds": options.session_timer,
        "reliable": options.reliable,
        "pass_authentication": options.pass_authentication,
        "nat_traversal": options.nat_traversal,
        "control": options.control,
        "message_log": options.message_log,
        "t1_seconds": options.t1,
        "log_level": options.log_level,
    }
    return {name: value for name, value in given.items() if value is not None}
