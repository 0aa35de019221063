"""From the options of `b2bua_radius` to the settings of the process: one row for each setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from types import MappingProxyType

from b2bua_allinone.control.address import parse_control_address
from b2bua_allinone.listening import listeners
from b2bua_allinone.message_log.settings import MessageLogSettings
from b2bua_allinone.radius.kinds import PROXY_ENTRY
from b2bua_allinone.radius.options import RadiusOptions
from b2bua_allinone.radius.refusals import proxy_address
from call_control.domain.routing.entry import parse_route, parse_route_list
from call_control.domain.routing.pass_headers import parse_pass_headers
from call_control.domain.routing.translation import parse_translation
from sipcore.codec_filter import parse_allowed_pts

#: What the reference says of itself, for peers that look at it.
_NAME = "Sippy B2BUA (RADIUS)"
#: The reference is gone 2.5 s after SIGTERM; what follows the drain needs a moment too.
_DRAIN_SECONDS = 2.0

FIXED: Mapping[str, object] = MappingProxyType(
    {
        "user_agent": _NAME,
        "server": _NAME,
        "pass_authentication": True,
        "wants_called_number": True,
        "drain_seconds": _DRAIN_SECONDS,
        "sip_proxy_methods": ("REGISTER", "SUBSCRIBE"),
    }
)
"""Settings that no option changes."""

ROWS: Mapping[str, Callable[[RadiusOptions], object]] = MappingProxyType(
    {
        "listen": lambda options: listeners(options.sip_address, options.sip_port),
        "route": lambda options: parse_route_list(" ".join(options.static_route)),
        "allow": lambda options: tuple(_network(entry, options) for entry in options.accept_ips),
        "call_id": lambda options: "hidden" if options.hide_call_id else "suffixed",
        "translate_in": lambda options: _if_set(parse_translation, options.static_tr_in),
        "translate_out": lambda options: _if_set(parse_translation, options.static_tr_out),
        "pass_headers": lambda options: parse_pass_headers(",".join(options.pass_headers)) or None,
        "allowed_codecs": lambda options: _if_set(parse_allowed_pts, ",".join(options.allowed_pts)),
        "max_credit_seconds": lambda options: options.max_credit_time or 0,
        "ingress_keepalive_seconds": lambda options: options.keepalive_ans,
        "egress_keepalive_seconds": lambda options: options.keepalive_orig,
        "sip_proxy": lambda options: _if_set(parse_route, options.sip_proxy),
        "nat_traversal": lambda options: options.nat_traversal,
        "control": lambda options: parse_control_address(options.b2bua_socket),
    }
)
"""Name of a setting -> its value."""


def _network(entry: str, options: RadiusOptions) -> IPv4Network | IPv6Network:
    return ip_network(proxy_address(options) or entry) if entry == PROXY_ENTRY else ip_network(entry)


def _if_set(parse: Callable[[str], object], text: str | None) -> object:
    return parse(text) if text else None


def settings_of(options: RadiusOptions, message_log: MessageLogSettings) -> dict[str, object]:
    """Return the fields of `Settings` that the options stand for."""
    return {**FIXED, **{name: value(options) for name, value in ROWS.items()}, "message_log": message_log}
