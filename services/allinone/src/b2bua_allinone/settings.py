"""What can be told to the one-process B2BUA, by its command line (`cli.py`, `simple.py`)."""

from __future__ import annotations

import os
import socket
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from call_control.domain.call_id import CALL_ID_FORMS
from call_control.domain.policy import Policy
from call_control.domain.routing.entry import RouteEntry
from call_control.domain.routing.pass_headers import PassHeaders
from call_control.routing_settings import RoutesSetting, RoutingSettings
from call_control.service import Keys
from sip_edge.domain import HelperProxyConfig
from svckit.listen import ListenSpec
from svckit.settings import ListenSetting, OptionalHostPortSetting

_KEY_BYTES = 32


class Settings(RoutingSettings):
    """Settings of one process; the environment adds B2BUA_IDENTITY_KEY and the log settings."""

    model_config = SettingsConfigDict(env_prefix="B2BUA_", extra="ignore")

    listen: ListenSetting = Field(
        description="SIP listeners: udp:HOST:PORT or tcp:HOST:PORT", examples=["udp:127.0.0.1:5060"]
    )
    route: RoutesSetting = Field(
        default=(), description="where calls go, tried in order; none: a callee inside answers"
    )
    store: str = Field(
        default="memory",
        description="where calls are kept: memory, or a Redis URL",
        examples=["redis://127.0.0.1:6379/0"],
    )
    http: OptionalHostPortSetting = Field(
        default=None, description="HOST:PORT for /livez, /readyz and /metrics", examples=["127.0.0.1:8001"]
    )
    allow: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(), description="networks that may open calls; empty: everyone"
    )
    id: str = Field(default_factory=socket.gethostname, description="name of this process in its store")
    call_id: str = Field(default="suffixed", description="Call-ID of the egress leg")
    user_agent: str = Field(default="b2bua", description="User-Agent of our requests")
    sip_proxy: RouteEntry | None = Field(
        default=None, description="where requests outside of dialogs go that are not for us"
    )
    sip_proxy_methods: frozenset[str] = Field(
        default=frozenset({"REGISTER"}), description="which those are, of `sip_edge.domain.config.FORWARDED`"
    )
    notify: Literal["accept", "refuse"] = Field(
        default="accept", description="NOTIFY outside of dialogs: answered 200, or refused with 489"
    )
    nat_traversal: bool = Field(
        default=False, description="answer and call peers with private addresses where they send from"
    )
    t1_seconds: float = Field(default=0.5, gt=0.0, le=5.0, description="SIP timer T1")

    def policy(self, routes: tuple[RouteEntry, ...]) -> Policy:
        """Return these settings as call control reads them, with the routes in effect."""
        peer_wait = int(64 * self.t1_seconds * 1_000)
        return Policy(
            routes=routes,
            egress_call_id=CALL_ID_FORMS[self.call_id],
            translate_in=self.translate_in,
            translate_out=self.translate_out,
            pass_headers=self.pass_headers or PassHeaders(),
            max_credit_ms=int(self.max_credit_seconds * 1_000),
            follow_redirects=self.redirects == "follow",
            user_agent=self.user_agent,
            ack_timeout_ms=peer_wait,
            tombstone_ms=peer_wait,
            edge_absence_ms=peer_wait,
        )

    @property
    def helper_proxy(self) -> HelperProxyConfig | None:
        """Where the edge passes requests on that belong to no call."""
        if self.sip_proxy is None:
            return None
        return HelperProxyConfig(uri=self.sip_proxy.uri, methods=self.sip_proxy_methods)

    def keys(self) -> Keys:
        """Return the identity keys; a random one if nothing of this process outlives it."""
        if self._forgets and super().identity_key_is_public:
            return Keys(current=os.urandom(_KEY_BYTES))
        current, previous = self.identity_keys()
        return Keys(current=current, previous=previous)

    @property
    def identity_key_is_public(self) -> bool:
        """The development key signs, and there are calls that outlive the process."""
        return not self._forgets and super().identity_key_is_public

    @property
    def _forgets(self) -> bool:
        return self.store == "memory"

    @property
    def listeners(self) -> tuple[ListenSpec, ...]:
        """The listeners, in the order given."""
        return self.listen
