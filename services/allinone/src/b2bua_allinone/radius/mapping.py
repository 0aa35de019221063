"""From the options of `b2bua_radius` to the settings of the process: one row for each setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_network
from types import MappingProxyType

from b2bua_allinone.control.address import parse_control_address
from b2bua_allinone.listening import listeners
from b2bua_allinone.message_log.settings import MessageLogSettings
from b2bua_allinone.radius.options import RadiusOptions
from call_control.domain.routing.entry import parse_route_list

#: What the reference says of itself, for peers that look at it.
_NAME = "Sippy B2BUA (RADIUS)"
#: The reference is gone 2.5 s after SIGTERM; what follows the drain needs a moment too.
_DRAIN_SECONDS = 2.0

FIXED: Mapping[str, object] = MappingProxyType(
    {
        "user_agent": _NAME,
        "server": _NAME,
        "pass_authentication": True,
        "drain_seconds": _DRAIN_SECONDS,
    }
)
"""Settings that no option changes."""

ROWS: Mapping[str, Callable[[RadiusOptions], object]] = MappingProxyType(
    {
        "listen": lambda options: listeners(options.sip_address, options.sip_port),
        "route": lambda options: parse_route_list(" ".join(options.static_route)),
        "allow": lambda options: tuple(map(ip_network, options.accept_ips)),
        "call_id": lambda options: "hidden" if options.hide_call_id else "suffixed",
        "nat_traversal": lambda options: options.nat_traversal,
        "control": lambda options: parse_control_address(options.b2bua_socket),
    }
)
"""Name of a setting -> its value."""


def settings_of(options: RadiusOptions, message_log: MessageLogSettings) -> dict[str, object]:
    """Return the fields of `Settings` that the options stand for."""
    return {**FIXED, **{name: value(options) for name, value in ROWS.items()}, "message_log": message_log}
