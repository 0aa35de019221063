"""Settings of the edge, from environment variables."""

from __future__ import annotations

import socket
from ipaddress import ip_network

import pytest

from sip_edge.domain import HelperProxyConfig
from sip_edge.settings import Settings
from svckit.errors import SettingsError
from svckit.listen import HostPort
from svckit.settings import effective, load, variables


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in variables(Settings):
        monkeypatch.delenv(variable.name, raising=False)


def test_runs_without_any_setting() -> None:
    settings = load(Settings)
    assert settings.id == socket.gethostname()
    assert [str(spec) for spec in settings.listen] == ["udp:0.0.0.0:5060", "tcp:0.0.0.0:5060"]
    assert settings.call_control == ("127.0.0.1:7001",)
    assert settings.drain_seconds == 40.0
    config = settings.edge_config(boot=7)
    assert (config.mtu, config.timers.t1, config.boot, config.allow) == (1300, 0.5, 7, ())
    assert config.accept_notify
    assert config.helper_proxy is None


def test_carries_values_to_core_and_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "ID": "edge-1",
        "ALLOW": "10.0.0.0/8, 2001:db8::/32",
        "CALL_CONTROL": "dns:///call-control:7001",
        "T1": "0.1",
        "T2": "1",
        "T4": "2",
        "UDP_MTU": "1200",
        "MAX_MESSAGE_BYTES": "20000",
        "MAX_TRANSACTIONS": "10",
        "MAX_CONNECTIONS": "20",
        "MAX_DIALOG_TRANSACTIONS": "3",
        "MAX_UNSENT_BYTES": "70000",
        "CONNECT_SECONDS": "1.5",
        "IDLE_SECONDS": "60",
        "DNS_SERVERS": "192.0.2.53,[2001:db8::53]:5353",
        "DNS_SECONDS": "1",
        "PREFER_IPV6": "true",
        "NAT_TRAVERSAL": "true",
        "RETRY_AFTER_SECONDS": "9",
        "NOTIFY": "refuse",
        "SIP_PROXY": "[2001:db8::1]:5070;transport=tcp",
        "SIP_PROXY_METHODS": "REGISTER,SUBSCRIBE",
        "SERVER": "Example",
        "GRPC": "127.0.0.1:7002",
        "DRAIN_SHIFT_SECONDS": "10",
        "DRAIN_FLOW_SECONDS": "30",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"SIP_EDGE_{name}", value)
    settings = load(Settings)
    config, io = settings.edge_config(boot=1), settings.io_options()
    assert config.edge_id == "edge-1"
    assert config.allow == (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))
    assert (config.timers.t1, config.timers.t2, config.timers.t4) == (0.1, 1.0, 2.0)
    assert (config.mtu, config.limits.max_message, config.limits.max_body) == (1200, 20000, 20000)
    assert (config.max_transactions, config.max_flows, config.dialog_transactions) == (10, 20, 3)
    assert (config.nat_traversal, config.retry_after, config.server) == (True, 9, "Example")
    assert not config.accept_notify
    assert config.helper_proxy == HelperProxyConfig(
        uri="sip:[2001:db8::1]:5070;transport=tcp", methods=frozenset({"REGISTER", "SUBSCRIBE"})
    )
    assert (io.tcp.connections, io.tcp.unsent_bytes) == (20, 70000)
    assert (io.tcp.connect_timeout, io.tcp.idle_timeout) == (1.5, 60.0)
    assert io.dns_servers == (("192.0.2.53", 53), ("2001:db8::53", 5353))
    assert (io.dns_timeout, io.prefer_ipv6) == (1.0, True)
    assert settings.call_control == ("dns:///call-control:7001",)
    assert settings.grpc == HostPort("127.0.0.1", 7002)
    assert effective(settings)["SIP_EDGE_ALLOW"] == "10.0.0.0/8,2001:db8::/32"
    assert effective(settings)["SIP_EDGE_DNS_SERVERS"] == "192.0.2.53:53,[2001:db8::53]:5353"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("LISTN", "udp:0.0.0.0:5060", "did you mean SIP_EDGE_LISTEN"),
        ("LISTEN", "sctp:0.0.0.0:5060", "should begin with udp: or tcp:"),
        ("ALLOW", "10.0.0.0/99", "networks"),
        ("ALLOW", "10.0.0.1/8", "networks"),
        ("CALL_CONTROL", "", "should not be empty"),
        ("ID", "", "printable"),
        ("T1", "0", "greater than 0"),
        ("T2", "0.1", "SIP_EDGE_T1"),
        ("UDP_MTU", "100", "greater than or equal to 548"),
        ("DNS_SERVERS", "ns.example.com", "IP addresses"),
        ("SIP_PROXY", "a b", "should look like host"),
        ("SIP_PROXY", "sip:h", "should look like host"),
        ("SIP_PROXY", "alice@h", "should look like host"),
        ("SIP_PROXY", "192.0.2.1:99999", "should look like host"),
        ("SIP_PROXY", "192.0.2.1;transport=ws", "should look like host"),
        ("SIP_PROXY_METHODS", "INVITE", "MESSAGE, PUBLISH, REGISTER, SUBSCRIBE"),
        ("SIP_PROXY_METHODS", "", "MESSAGE, PUBLISH, REGISTER, SUBSCRIBE"),
        ("NOTIFY", "ignore", "'accept' or 'refuse'"),
        ("DRAIN_SHIFT_SECONDS", "41", "SIP_EDGE_DRAIN_SECONDS"),
        ("DRAIN_FLOW_SECONDS", "41", "SIP_EDGE_DRAIN_SECONDS"),
    ],
)
def test_says_in_one_line_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(f"SIP_EDGE_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load(Settings)
    assert caught.value.name == f"SIP_EDGE_{name}"
    assert problem in caught.value.problem
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2


def test_everything_is_described() -> None:
    for variable in variables(Settings):
        assert variable.description, variable.name
        assert variable.example, variable.name
