"""Settings of the edge: environment variables that begin with SIP_EDGE_."""

from __future__ import annotations

import socket
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import SettingsConfigDict

from sip_edge.adapters.rfc3263 import numeric
from sip_edge.adapters.tcp import TcpLimits
from sip_edge.domain import EdgeConfig, HelperProxyConfig
from sip_edge.domain.addressing import Aims
from sip_edge.domain.config import FORWARDED
from sip_edge.service import IoOptions
from sipcore.parser import Limits
from sipcore.timers import Timers
from svckit.listen import HostPort, parse_host_port, parse_listeners
from svckit.settings import (
    ListenSetting,
    OptionalHostPortSetting,
    ServiceSettings,
    TextListSetting,
    joined,
    text_form,
    words,
)

_DNS_PORT = 53


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(map(ip_network, words(text)))
    except ValueError as error:
        raise ValueError(f"should be networks with commas between, such as 10.0.0.0/8: {error}") from None


def _name_servers(text: str) -> tuple[HostPort, ...]:
    servers = tuple(parse_host_port(word, default_port=_DNS_PORT) for word in words(text))
    for server in servers:
        if numeric(server.host) is None:
            raise ValueError(f"should have IP addresses, which {server.host} is not")
    return servers


def _can_be_forwarded(methods: tuple[str, ...]) -> tuple[str, ...]:
    if not methods or not FORWARDED.issuperset(methods):
        raise ValueError(f"should be some of {', '.join(sorted(FORWARDED))}")
    return methods


NetworksSetting = Annotated[tuple[IPv4Network | IPv6Network, ...], *text_form(_networks, joined)]
NameServersSetting = Annotated[tuple[HostPort, ...], *text_form(_name_servers, joined)]


ForwardedMethodsSetting = Annotated[TextListSetting, AfterValidator(_can_be_forwarded)]


class Settings(ServiceSettings):
    """What an operator can tell an edge."""

    model_config = SettingsConfigDict(env_prefix="SIP_EDGE_")

    http: OptionalHostPortSetting = Field(
        default=HostPort("127.0.0.1", 8001),
        description="host:port for /livez, /readyz and /metrics; empty for none",
        examples=["0.0.0.0:8001"],
    )
    drain_seconds: float = Field(
        default=40.0,
        ge=0.0,
        le=86_400.0,
        description="seconds that a drain (SIGTERM) may take in all before the process ends anyway",
        examples=["40"],
    )
    listen: ListenSetting = Field(
        default=parse_listeners("udp:0.0.0.0:5060,tcp:0.0.0.0:5060"),
        description="SIP listeners: transport:address:port[;advertise=..][;contact=..][;nat=yes|no]"
        "[;for=networks], ...",
        examples=["udp:0.0.0.0:5060;advertise=192.0.2.1,tcp:0.0.0.0:5060"],
    )
    call_control: TextListSetting = Field(
        default=("127.0.0.1:7001",),
        min_length=1,
        description="call-control pods: host:port with commas between, or one dns:///name:port",
        examples=["dns:///call-control:7001"],
    )
    id: str = Field(
        default_factory=socket.gethostname,
        description="name of this edge, unique and the same after a restart; by default the host name",
        examples=["sip-edge-0"],
    )
    grpc: OptionalHostPortSetting = Field(
        default=None,
        description="host:port for the gRPC health service; empty for none",
        examples=["0.0.0.0:7002"],
    )
    allow: NetworksSetting = Field(
        default=(),
        description="networks that may send requests outside of dialogs; empty: all",
        examples=["10.0.0.0/8,2001:db8::/32"],
    )
    drain_shift_seconds: float = Field(
        default=0.0,
        ge=0.0,
        le=3600.0,
        description="first seconds of a drain, in which OPTIONS is answered 503 but calls are still taken",
        examples=["40"],
    )
    drain_flow_seconds: float = Field(
        default=0.0,
        ge=0.0,
        le=86_400.0,
        description="seconds of a drain for which open connections alone keep the process",
        examples=["3600"],
    )
    t1: float = Field(
        default=0.5,
        gt=0.0,
        le=5.0,
        description="SIP timer T1 in seconds: estimate of the round trip",
        examples=["0.5"],
    )
    t2: float = Field(
        default=4.0,
        gt=0.0,
        le=40.0,
        description="SIP timer T2 in seconds: longest interval of retransmission",
        examples=["4"],
    )
    t4: float = Field(
        default=5.0,
        gt=0.0,
        le=50.0,
        description="SIP timer T4 in seconds: how long a message may stay in the network",
        examples=["5"],
    )
    udp_mtu: int = Field(
        default=1300,
        ge=548,
        le=65_507,
        description="requests of more bytes go over TCP where that is possible (RFC 3261 18.1.1)",
        examples=["1300"],
    )
    max_message_bytes: int = Field(
        default=65_535,
        ge=1300,
        le=1_048_576,
        description="longest message that is taken",
        examples=["65535"],
    )
    max_transactions: int = Field(
        default=200_000,
        ge=1,
        le=10_000_000,
        description="open transactions above which new work is refused",
        examples=["200000"],
    )
    max_dialog_transactions: int = Field(
        default=16,
        ge=1,
        le=1000,
        description="requests of one dialog that may wait for an answer at the same time",
        examples=["16"],
    )
    max_connections: int = Field(
        default=20_000, ge=1, le=1_000_000, description="open connections, both ways", examples=["20000"]
    )
    max_unsent_bytes: int = Field(
        default=1_048_576,
        ge=65_536,
        le=1_073_741_824,
        description="bytes that a peer may leave unread before its connection is closed",
        examples=["1048576"],
    )
    connect_seconds: float = Field(
        default=2.0, gt=0.0, le=60.0, description="seconds for a connection to come up", examples=["2"]
    )
    idle_seconds: float = Field(
        default=1800.0,
        gt=0.0,
        le=86_400.0,
        description="seconds without a byte from the peer after which a connection is closed",
        examples=["1800"],
    )
    dns_servers: NameServersSetting = Field(
        default=(),
        description="name servers, address[:port] with commas between; empty: those of the system",
        examples=["192.0.2.53"],
    )
    dns_seconds: float = Field(
        default=3.0, gt=0.0, le=30.0, description="seconds for the answer to one DNS question", examples=["3"]
    )
    prefer_ipv6: bool = Field(
        default=False, description="try the IPv6 addresses of a name before its IPv4 ones", examples=["true"]
    )
    nat_traversal: bool = Field(
        default=False,
        description="answer and call peers that show private addresses where they send from; nat= of "
        "SIP_EDGE_LISTEN says otherwise for some",
        examples=["true"],
    )
    sip_proxy: str = Field(
        default="",
        description="registrar or proxy, host[:port][;transport=udp|tcp], that gets REGISTER and the like; "
        "empty: they are refused",
        examples=["registrar.example.com"],
    )
    sip_proxy_methods: ForwardedMethodsSetting = Field(
        default=("REGISTER",),
        description="what goes to SIP_EDGE_SIP_PROXY: REGISTER, SUBSCRIBE, PUBLISH, MESSAGE",
        examples=["REGISTER,SUBSCRIBE"],
    )
    notify: Literal["accept", "refuse"] = Field(
        default="accept",
        description="NOTIFY outside of dialogs: accept answers 200 to what nobody reads, refuse 489",
        examples=["refuse"],
    )
    retry_after_seconds: int = Field(
        default=5, ge=1, le=3600, description="Retry-After of a refused call", examples=["5"]
    )
    server: str = Field(
        default="",
        max_length=200,
        description="Server header of answers that the edge gives by itself; empty: none",
        examples=["Example Voice"],
    )

    @field_validator("id", "server")
    @classmethod
    def _printable(cls, value: str, info: ValidationInfo) -> str:
        if (info.field_name == "id" and not value) or not value.isprintable():
            raise ValueError("should be one line of printable text")
        return value

    @field_validator("sip_proxy")
    @classmethod
    def _leads_somewhere(cls, value: str) -> str:
        if value and ("@" in value or Aims().of(f"sip:{value}") is None):
            raise ValueError("should look like host[:port] or host;transport=tcp")
        return value

    @field_validator("drain_shift_seconds", "drain_flow_seconds")
    @classmethod
    def _within_the_drain(cls, value: float, info: ValidationInfo) -> float:
        if value > info.data.get("drain_seconds", value):
            raise ValueError("should not be more than SIP_EDGE_DRAIN_SECONDS")
        return value

    @field_validator("t2")
    @classmethod
    def _not_below_t1(cls, value: float, info: ValidationInfo) -> float:
        if value < info.data.get("t1", value):
            raise ValueError("should not be less than SIP_EDGE_T1")
        return value

    def edge_config(self, *, boot: int) -> EdgeConfig:
        """What the core is told; `boot` is another number for each start."""
        return EdgeConfig(
            edge_id=self.id,
            boot=boot,
            listeners=(),
            allow=self.allow,
            timers=Timers(t1=self.t1, t2=self.t2, t4=self.t4),
            limits=Limits(max_message=self.max_message_bytes, max_body=self.max_message_bytes),
            mtu=self.udp_mtu,
            max_transactions=self.max_transactions,
            max_flows=self.max_connections,
            dialog_transactions=self.max_dialog_transactions,
            helper_proxy=HelperProxyConfig(
                uri=f"sip:{self.sip_proxy}", methods=frozenset(self.sip_proxy_methods)
            )
            if self.sip_proxy
            else None,
            accept_notify=self.notify == "accept",
            retry_after=self.retry_after_seconds,
            nat_traversal=self.nat_traversal,
            server=self.server,
        )

    def io_options(self) -> IoOptions:
        """What the sockets and the resolver are told."""
        return IoOptions(
            tcp=TcpLimits(
                connections=self.max_connections,
                unsent_bytes=self.max_unsent_bytes,
                connect_timeout=self.connect_seconds,
                idle_timeout=self.idle_seconds,
                dead_timeout=64 * self.t1,
            ),
            dns_servers=tuple((server.host, server.port) for server in self.dns_servers),
            dns_timeout=self.dns_seconds,
            prefer_ipv6=self.prefer_ipv6,
        )
