"""What can be told to the one-process B2BUA, by its command line (`cli.py`, `simple.py`)."""

from __future__ import annotations

import os
import socket
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from b2bua_allinone.control.address import ControlAddress, parse_control_address
from b2bua_allinone.message_log.settings import OFF, MessageLogSettings, from_word
from call_control.adapters.open_store import MEMORY, StoreSetting
from call_control.call_settings import CallSettings, RouteSetting, RoutesSetting
from call_control.service import Keys
from sip_edge.domain import HelperProxyConfig
from sip_edge.settings import ForwardedMethodsSetting, NetworksSetting
from svckit.listen import ListenSpec, parse_listeners
from svckit.settings import ListenSetting, OptionalHostPortSetting, optional, shown, text_form

_KEY_BYTES = 32


ControlSetting = Annotated[ControlAddress | None, *text_form(optional(parse_control_address), shown)]
"""See `parse_control_address`; or nothing."""

MessageLogSetting = Annotated[MessageLogSettings, *text_form(from_word)]
"""See `b2bua_allinone.message_log.settings.from_word`."""


class Settings(CallSettings):
    """Settings of one process; the environment adds B2BUA_IDENTITY_KEY and the log settings."""

    model_config = SettingsConfigDict(env_prefix="B2BUA_", extra="ignore")

    listen: ListenSetting = Field(
        default=parse_listeners("udp:0.0.0.0:5060,tcp:0.0.0.0:5060"),
        description="SIP listeners: udp:HOST:PORT or tcp:HOST:PORT",
        examples=["udp:127.0.0.1:5060"],
    )
    route: RoutesSetting = Field(
        default=(),
        description="where calls go: [[NUMBER]@]HOST[:PORT][;NAME=VALUE...], tried in order; spaces between; "
        "none: a callee inside answers",
        examples=["192.0.2.10:5060 192.0.2.11;expires=30"],
    )
    store: StoreSetting = Field(
        default=MEMORY,
        description="where calls are kept: memory, or a Redis URL",
        examples=["redis://127.0.0.1:6379/0"],
    )
    http: OptionalHostPortSetting = Field(
        default=None, description="HOST:PORT for /livez, /readyz and /metrics", examples=["127.0.0.1:8001"]
    )
    allow: NetworksSetting = Field(
        default=(), description="networks that may open calls; empty: everyone", examples=["10.0.0.0/8"]
    )
    id: str = Field(
        default_factory=socket.gethostname,
        description="name of this process in its store; by default the host name",
        examples=["b2bua-0"],
    )
    sip_proxy: RouteSetting = Field(
        default=None,
        description="registrar or proxy that gets REGISTER and the like; empty: they are refused",
        examples=["registrar.example.com"],
    )
    sip_proxy_methods: ForwardedMethodsSetting = Field(
        default=("REGISTER",),
        description="what goes to B2BUA_SIP_PROXY: REGISTER, SUBSCRIBE, PUBLISH, MESSAGE",
        examples=["REGISTER,SUBSCRIBE"],
    )
    notify: Literal["accept", "refuse"] = Field(
        default="accept", description="NOTIFY outside of dialogs: answered 200, or refused with 489"
    )
    nat_traversal: bool = Field(
        default=False, description="answer and call peers with private addresses where they send from"
    )
    control: ControlSetting = Field(
        default=None,
        description="control socket: a path, unix:path or tcp:host[:port]; empty: none",
        examples=["/run/b2bua.sock"],
    )
    message_log: MessageLogSetting = Field(
        default=OFF,
        description="where SIP messages are logged: none, stderr, syslog or the name of a file",
        examples=["/var/log/sip.log"],
    )

    @property
    def helper_proxy(self) -> HelperProxyConfig | None:
        """Where the edge passes requests on that belong to no call."""
        if self.sip_proxy is None:
            return None
        return HelperProxyConfig(uri=self.sip_proxy.uri, methods=frozenset(self.sip_proxy_methods))

    def keys(self) -> Keys:
        """Return the identity keys; a random one if nothing of this process outlives it."""
        if self.forgets and super().identity_key_is_public:
            return Keys(current=os.urandom(_KEY_BYTES))
        current, previous = self.identity_keys()
        return Keys(current=current, previous=previous)

    @property
    def identity_key_is_public(self) -> bool:
        """The development key signs, and there are calls that outlive the process."""
        return not self.forgets and super().identity_key_is_public

    @property
    def forgets(self) -> bool:
        """Whether the calls end with the process."""
        return self.store == MEMORY

    @property
    def listeners(self) -> tuple[ListenSpec, ...]:
        """The listeners, in the order given."""
        return self.listen
