"""Settings of call-control: environment variables that begin with CALL_CONTROL_."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from call_control.adapters.open_store import StoreSetting
from call_control.call_settings import CallSettings, RoutesSetting
from call_control.domain.policy import Policy
from call_control.domain.routing.entry import RouteEntry
from call_control.service import Keys
from svckit.listen import HostPort
from svckit.settings import HostPortSetting, OptionalHostPortSetting


class Settings(CallSettings):
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
    redis_url: StoreSetting = Field(
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

    @field_validator("route")
    @classmethod
    def _somewhere(cls, value: tuple[RouteEntry, ...]) -> tuple[RouteEntry, ...]:
        if not value:
            raise ValueError("should name at least one route")
        return value

    @field_validator("id")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value or not value.isprintable():
            raise ValueError("should be one line of printable text")
        return value

    def policy(self) -> Policy:
        """Return these settings as the state machine reads them."""
        return self.policy_for(self.route)

    def keys(self) -> Keys:
        """Return the identity keys."""
        current, previous = self.identity_keys()
        return Keys(current=current, previous=previous)
