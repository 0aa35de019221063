"""Settings of call-control: environment variables that begin with CALL_CONTROL_."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from call_control.domain.call_id import CALL_ID_FORMS
from call_control.domain.policy import Policy
from call_control.domain.routing.entry import RouteEntry
from call_control.domain.routing.pass_headers import PassHeaders
from call_control.routing_settings import RoutesSetting, RoutingSettings
from call_control.service import Keys
from svckit.listen import HostPort
from svckit.settings import HostPortSetting, OptionalHostPortSetting


class Settings(RoutingSettings):
    """What an operator can tell call-control."""

    model_config = SettingsConfigDict(env_prefix="CALL_CONTROL_")

    listen: HostPortSetting = Field(
        default=HostPort("127.0.0.1", 7001),
        description="host:port on which edges connect (gRPC)",
        examples=["0.0.0.0:7001"],
    )
    http: OptionalHostPortSetting = Field(
        default=HostPort("127.0.0.1", 8002),
        description="host:port for /livez, /readyz and /metrics; empty for none",
        examples=["0.0.0.0:8002"],
    )
    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0",
        description="where calls are kept: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://",
        examples=["redis://127.0.0.1:6379/0"],
    )
    route: RoutesSetting = Field(
        description="where calls go: [[NUMBER]@]HOST[:PORT][;NAME=VALUE...], tried in order; spaces between, "
        "or commas where no parameters are",
        examples=["192.0.2.10:5060 192.0.2.11;expires=30;hs_scodes=486,603"],
    )
    id: str = Field(
        default_factory=socket.gethostname,
        description="name of this pod, unique among the pods of one store",
        examples=["call-control-0"],
    )
    journal: Path = Field(
        default_factory=lambda: Path(tempfile.gettempdir()),
        description="directory for what cannot be committed while the store is away; on a disk that "
        "outlives the process",
        examples=["/var/lib/b2bua"],
    )
    shards: int = Field(
        default=64,
        ge=1,
        le=1024,
        description="number of shards; fixed when the store is first used",
        examples=["64"],
    )
    wait_replicas: int = Field(
        default=0,
        ge=0,
        le=5,
        description="replicas of Redis that must have an answer or the end of a call before it is told",
        examples=["1"],
    )
    call_id: str = Field(
        default="suffixed",
        description="Call-ID of the egress leg: same, suffixed (ID-b2b_1) or hidden (hashed)",
        examples=["hidden"],
    )
    user_agent: str = Field(
        default="b2bua", description="User-Agent of our requests", examples=["Example Voice"], max_length=200
    )
    answer_seconds: float = Field(
        default=300.0,
        gt=0.0,
        le=3600.0,
        description="seconds a call may stay unanswered when the caller's INVITE has no Expires",
        examples=["120"],
    )
    t1_seconds: float = Field(
        default=0.5,
        gt=0.0,
        le=5.0,
        description="SIP timer T1; answers wait 64 times this for their ACK",
        examples=["0.5"],
    )
    max_call_seconds: float = Field(
        default=43_200.0,
        gt=0.0,
        le=604_800.0,
        description="seconds after which a call is ended whatever its state",
        examples=["14400"],
    )

    @field_validator("route")
    @classmethod
    def _somewhere(cls, value: tuple[RouteEntry, ...]) -> tuple[RouteEntry, ...]:
        if not value:
            raise ValueError("should name at least one route")
        return value

    @field_validator("call_id")
    @classmethod
    def _known_form(cls, value: str) -> str:
        if value not in CALL_ID_FORMS:
            raise ValueError(f"should be one of {', '.join(sorted(CALL_ID_FORMS))}")
        return value

    @field_validator("user_agent", "id")
    @classmethod
    def _printable(cls, value: str) -> str:
        if not value or not value.isprintable():
            raise ValueError("should be one line of printable text")
        return value

    def policy(self) -> Policy:
        """Return these settings as the state machine reads them."""
        peer_wait = int(64 * self.t1_seconds * 1_000)
        return Policy(
            routes=self.route,
            egress_call_id=CALL_ID_FORMS[self.call_id],
            translate_in=self.translate_in,
            translate_out=self.translate_out,
            pass_headers=self.pass_headers or PassHeaders(),
            max_credit_ms=int(self.max_credit_seconds * 1_000),
            follow_redirects=self.redirects == "follow",
            transfer=self.transfer,
            transfer_direct=self.transfer_direct,
            user_agent=self.user_agent,
            answer_timeout_ms=int(self.answer_seconds * 1_000),
            ack_timeout_ms=peer_wait,
            tombstone_ms=peer_wait,
            edge_absence_ms=peer_wait,
            max_call_ms=int(self.max_call_seconds * 1_000),
        )

    def keys(self) -> Keys:
        """Return the identity keys."""
        current, previous = self.identity_keys()
        return Keys(current=current, previous=previous)
