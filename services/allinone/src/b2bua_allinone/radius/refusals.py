"""Options that are understood but not done: never, not together, or not yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from b2bua_allinone.radius.kinds import PROXY_ENTRY, WSS_ENTRY
from b2bua_allinone.radius.options import RadiusOptions
from svckit.listen import parse_host_port


def proxy_address(options: RadiusOptions) -> IPv4Address | IPv6Address | None:
    """Return the address of `--sip_proxy`; None if there is none, or it is a name."""
    if options.sip_proxy is None:
        return None
    try:
        return ip_address(parse_host_port(options.sip_proxy).host)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A choice that keeps the program from starting, and the line that says what to do instead."""

    applies: Callable[[RadiusOptions], bool]
    line: str


NEVER: tuple[Refusal, ...] = (
    Refusal(
        lambda options: options.ui,
        "--ui is not supported: use the control socket (-c), and metrics (B2BUA_HTTP=HOST:PORT), instead",
    ),
    Refusal(
        lambda options: options.xmpp_b2bua_id is not None,
        "--xmpp_b2bua_id is not supported: XMPP has no successor here, use SIP over UDP or TCP instead",
    ),
)
"""Not supported, and not going to be."""

CONTRADICTIONS: tuple[Refusal, ...] = (
    Refusal(
        lambda options: not options.auth_enable and not options.static_route,
        "-u (--auth_enable=off) needs a route: give -s ROUTE (--static_route)",
    ),
    Refusal(
        lambda options: PROXY_ENTRY in options.accept_ips and proxy_address(options) is None,
        f"-a {PROXY_ENTRY} needs the IP address of the proxy: give --sip_proxy=ADDRESS[:PORT]",
    ),
)
"""Choices that do not go together."""

_LATER = "works from a later release"

LATER: tuple[Refusal, ...] = (
    Refusal(
        lambda options: options.auth_enable,
        f"--auth_enable=on: RADIUS authentication {_LATER}, for now give -u and -s ROUTE",
    ),
    Refusal(
        lambda options: options.acct_enable or options.start_acct_enable,
        f"--acct_enable=on: RADIUS accounting {_LATER}, for now give -A 0",
    ),
    Refusal(lambda options: bool(options.rtp_proxy_clients), f"-r (--rtp_proxy_clients): RTPproxy {_LATER}"),
    Refusal(
        lambda options: options.wss_socket is not None,
        f"--wss_socket: SIP over secure WebSocket {_LATER}",
    ),
    Refusal(
        lambda options: WSS_ENTRY in options.accept_ips,
        f"-a {WSS_ENTRY}: SIP over secure WebSocket {_LATER}",
    ),
)
"""Understood and checked, but not done yet."""


def refusal(options: RadiusOptions) -> str | None:
    """Return the line that says why the program does not start with these options; None if it does."""
    for row in (*NEVER, *CONTRADICTIONS, *LATER):
        if row.applies(options):
            return row.line
    return None
