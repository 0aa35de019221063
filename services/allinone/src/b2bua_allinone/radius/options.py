"""The options of `b2bua_radius`: one row each. Names, defaults and meanings are those of the reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from b2bua_allinone.radius.kinds import (
    ADDRESS,
    BOOLEAN,
    CODECS,
    CONTROL_SOCKET,
    COUNT,
    FILE,
    HEADERS,
    HOST_PORT,
    INTEGER,
    LIST,
    NETWORKS,
    PORT,
    POSITIVE_SECONDS,
    ROUTES,
    ROUTINE,
    SECONDS,
    SECONDS_OR_OFF,
    SECURE_WEBSOCKET,
    TEXT,
    TRANSLATION,
    Kind,
)


class Repeat(Enum):
    """What a short option does to the value that is there."""

    REPLACE = "replace"
    APPEND = "append"
    """Adds to whatever is there."""
    COLLECT = "collect"
    """Adds to what earlier short options of this name said; replaces what came from elsewhere."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option. Its long name is also its key in the INI file, and its name in `RadiusOptions`."""

    short: str
    """Letter; empty for none."""
    long: str
    kind: Kind
    default: object
    """None: not set."""
    meaning: str
    flag: bool | None = None
    """What the short form sets, if it takes no value."""
    repeat: Repeat = Repeat.REPLACE
    also: str = ""
    """Another long name for it."""

    @property
    def field(self) -> str:
        """Name of the value in `RadiusOptions`."""
        return self.long.replace(".", "_")


OPTIONS: tuple[Option, ...] = (
    Option("f", "foreground", BOOLEAN, False, "stay in the foreground", flag=True),
    Option("l", "sip_address", ADDRESS, "", "local SIP address"),
    Option("p", "sip_port", PORT, 5060, "local SIP port, UDP and TCP"),
    Option("P", "pidfile", FILE, "/var/run/b2bua.pid", "where a daemon writes its process id"),
    Option("L", "logfile", FILE, "/var/log/b2bua.log", "where a daemon writes what it prints"),
    Option(
        "s",
        "static_route",
        ROUTES,
        (),
        "route of all calls; several are tried in order: repeat -s, or put white space between them",
        repeat=Repeat.COLLECT,
    ),
    Option("a", "accept_ips", NETWORKS, (), "addresses and networks whose calls are taken (default: all)"),
    Option("D", "digest_auth", BOOLEAN, True, "challenge callers (-D: do not)", flag=False),
    Option("u", "auth_enable", BOOLEAN, True, "RADIUS authentication (-u: none)", flag=False),
    Option("", "acct_enable", BOOLEAN, True, "RADIUS accounting"),
    Option("", "start_acct_enable", BOOLEAN, False, "send Start records too"),
    Option("", "precise_acct", BOOLEAN, False, "milliseconds in accounting"),
    Option("", "alive_acct_int", SECONDS_OR_OFF, None, "send interim records this often"),
    Option("", "digest_auth_only", BOOLEAN, False, "challenge at once, without trying the address first"),
    Option("t", "static_tr_in", TRANSLATION, None, "translation of the number called, as it comes in"),
    Option("T", "static_tr_out", TRANSLATION, None, "translation of the number called, per route"),
    Option("", "keepalive_ans", SECONDS, 0, "keep-alive re-INVITE to the caller this often; 0: never"),
    Option("", "keepalive_orig", SECONDS, 0, "keep-alive re-INVITE to the callee this often; 0: never"),
    Option("m", "max_credit_time", POSITIVE_SECONDS, None, "longest time of a call"),
    Option(
        "r",
        "rtp_proxy_clients",
        LIST,
        (),
        "control sockets of RTPproxy; -r may be repeated",
        repeat=Repeat.APPEND,
        also="rtp_proxy_client",
    ),
    Option("F", "allowed_pts", CODECS, (), "codecs that may pass, such as 0,8,[telephone-event/8000]"),
    Option("R", "radiusclient.conf", FILE, None, "configuration of the reference's RADIUS helper"),
    Option("M", "max_radiusclients", COUNT, 20, "number of the reference's RADIUS helpers"),
    Option(
        "h",
        "pass_headers",
        HEADERS,
        (),
        "headers of the caller's INVITE that the callee gets; -h may be repeated",
        repeat=Repeat.APPEND,
    ),
    Option("c", "b2bua_socket", CONTROL_SOCKET, "/var/run/b2bua.sock", "control socket"),
    Option("H", "hide_call_id", BOOLEAN, False, "do not show the caller's Call-ID to the callee", flag=True),
    Option("x", "pre_auth_proc", ROUTINE, None, "routine run before authentication"),
    Option("", "sip_proxy", HOST_PORT, None, "where REGISTER and SUBSCRIBE are sent"),
    Option("", "nat_traversal", BOOLEAN, False, "answer to the source address of peers behind NAT"),
    Option("", "wss_socket", SECURE_WEBSOCKET, None, "listener for SIP over secure WebSocket"),
    Option("", "xmpp_b2bua_id", INTEGER, None, "not supported"),
    Option("", "ui", BOOLEAN, False, "not supported"),
    Option("", "uiparams", TEXT, None, "not supported"),
)


@dataclass(frozen=True, slots=True)
class Combined:
    """A short option that stands for values of several long ones."""

    short: str
    meaning: str
    values: Mapping[str, Mapping[str, object]]
    """Text of the value -> long name -> what it becomes."""


_KEEPALIVE_SECONDS = 32

COMBINED: tuple[Combined, ...] = (
    Combined(
        "A",
        "accounting: 0 none, 1 Stop records, 2 Start and Stop records",
        MappingProxyType(
            {
                "0": {"acct_enable": False, "start_acct_enable": False},
                "1": {"acct_enable": True, "start_acct_enable": False},
                "2": {"acct_enable": True, "start_acct_enable": True},
            }
        ),
    ),
    Combined(
        "k",
        f"keep-alive every {_KEEPALIVE_SECONDS} s: 0 none, 1 to the caller, 2 to the callee, 3 to both",
        MappingProxyType(
            {
                str(number): {
                    "keepalive_ans": _KEEPALIVE_SECONDS if number & 1 else 0,
                    "keepalive_orig": _KEEPALIVE_SECONDS if number & 2 else 0,
                }
                for number in range(4)
            }
        ),
    ),
)

BY_SHORT: Mapping[str, Option] = MappingProxyType({row.short: row for row in OPTIONS if row.short})
BY_LONG: Mapping[str, Option] = MappingProxyType(
    {name: row for row in OPTIONS for name in (row.long, row.also) if name}
)
COMBINED_BY_SHORT: Mapping[str, Combined] = MappingProxyType({row.short: row for row in COMBINED})


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiusOptions:
    """What was chosen: one field for each row of `OPTIONS`, as its kind reads it."""

    foreground: bool
    sip_address: str
    sip_port: int
    pidfile: str
    logfile: str
    static_route: tuple[str, ...]
    accept_ips: tuple[str, ...]
    digest_auth: bool
    auth_enable: bool
    acct_enable: bool
    start_acct_enable: bool
    precise_acct: bool
    alive_acct_int: int | None
    digest_auth_only: bool
    static_tr_in: str | None
    static_tr_out: str | None
    keepalive_ans: int
    keepalive_orig: int
    max_credit_time: int | None
    rtp_proxy_clients: tuple[str, ...]
    allowed_pts: tuple[str, ...]
    radiusclient_conf: str | None
    max_radiusclients: int
    pass_headers: tuple[str, ...]
    b2bua_socket: str
    hide_call_id: bool
    pre_auth_proc: str | None
    sip_proxy: str | None
    nat_traversal: bool
    wss_socket: str | None
    xmpp_b2bua_id: int | None
    ui: bool
    uiparams: str | None


def option_list() -> str:
    """Return the list of options as it is printed."""
    rows = [_row(row.short, row.long, row.kind.symbol, _described(row)) for row in OPTIONS]
    rows += [_row(row.short, "", "N", row.meaning) for row in COMBINED]
    rows += [
        _row("C", "config", "FILE", "read options from the [general] section of an INI file"),
        _row("W", "", "FILE", "write the options in effect as an INI file, and go on"),
        _row("d", "", "X", "taken and ignored"),
        _row("", "help", "", "print this and exit"),
        _row("", "version", "", "print the version and exit"),
    ]
    return "usage: b2bua_radius [option ...]\n\n" + "".join(rows)


def _row(short: str, long: str, symbol: str, meaning: str) -> str:
    value = f" {symbol}" if symbol else ""
    takes = short in BY_SHORT and BY_SHORT[short].flag is None
    left = f"-{short}{value if takes or short not in BY_SHORT else ''}" if short else ""
    right = f"--{long}={symbol}" if symbol and long else f"--{long}" if long else ""
    return f"  {', '.join(filter(None, (left, right)))}\n        {meaning}\n"


def _described(row: Option) -> str:
    if row.default in (None, (), ""):
        return row.meaning
    shown = {True: "on", False: "off"}.get(row.default) if isinstance(row.default, bool) else row.default
    return f"{row.meaning} (default: {shown})"
