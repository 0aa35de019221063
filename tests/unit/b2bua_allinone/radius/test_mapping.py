"""Options become settings, and these become what the edge and call-control are told."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from b2bua_allinone.control.address import ControlAddress
from b2bua_allinone.message_log.settings import OFF
from b2bua_allinone.radius.mapping import FIXED, ROWS, settings_of
from b2bua_allinone.radius.reading import read_command_line
from b2bua_allinone.settings import Settings
from svckit.settings import effective, load

RUNS = ("-u", "-A", "0", "-s", "192.0.2.1")


def settings(*arguments: str) -> Settings:
    return load(Settings, **settings_of(read_command_line([*RUNS, *arguments]).options, OFF))


def test_every_row_is_a_setting() -> None:
    assert (set(ROWS) | set(FIXED)) <= set(Settings.model_fields)
    assert not set(ROWS) & set(FIXED)


def test_the_defaults() -> None:
    found = settings()
    assert [str(spec) for spec in found.listeners] == [
        "udp:0.0.0.0:5060",
        "tcp:0.0.0.0:5060",
        "udp:[::]:5060",
        "tcp:[::]:5060",
    ]
    assert found.control == ControlAddress(path=Path("/var/run/b2bua.sock"))
    assert found.allow == ()
    assert found.drain_seconds < 2.5


def test_an_explicit_address_is_the_only_one() -> None:
    found = settings("-l", "[::1]", "-p", "5070")
    assert [str(spec) for spec in found.listeners] == ["udp:[::1]:5070", "tcp:[::1]:5070"]


def test_the_policy() -> None:
    found = settings("-s", "192.0.2.2;expires=30 192.0.2.3")
    policy = found.policy_for(found.route)
    assert [route.host for route in policy.routes] == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    assert policy.user_agent == policy.server == "Sippy B2BUA (RADIUS)"
    assert policy.pass_authentication
    assert policy.egress_call_id("id", 2, "key") == "id-b2b_2"


def test_what_is_done_to_each_call() -> None:
    found = settings(
        *("-t", "s/^00//", "-T", "s/^/9/", "-h", "X-*", "-h", "Diversion", "-m", "60", "-k", "1"),
        *("-F", "0,[telephone-event/8000]"),
    )
    policy = found.policy_for(found.route)
    assert policy.translate_in is not None and policy.translate_in("0049") == "49"
    assert policy.translate_out is not None and policy.translate_out("49") == "949"
    assert set(policy.pass_headers.wanted()) == {"diversion", "x-*"}
    assert policy.max_credit_ms == 60_000
    assert (policy.ingress_keepalive_ms, policy.egress_keepalive_ms) == (32_000, 0)
    assert policy.allowed_codecs is not None and policy.allowed_codecs.payload_types == {"0"}
    assert policy.wants_called_number
    assert effective(found)["B2BUA_ALLOWED_CODECS"] == "0,[telephone-event/8000]"


def test_nothing_is_done_unasked() -> None:
    found = settings()
    policy = found.policy_for(found.route)
    assert (policy.translate_in, policy.translate_out, policy.allowed_codecs) == (None, None, None)
    assert not policy.pass_headers
    assert (policy.max_credit_ms, policy.ingress_keepalive_ms, policy.egress_keepalive_ms) == (0, 0, 0)


def test_hiding_the_call_id() -> None:
    found = settings("-H")
    assert found.policy_for(found.route).egress_call_id("id", 2, "key").endswith("-b2b_2")
    assert "id-b2b" not in found.policy_for(found.route).egress_call_id("id", 2, "key")


def test_who_may_call() -> None:
    assert settings("-a", "192.0.2.7,2001:db8::/32").allow == (
        ip_network("192.0.2.7/32"),
        ip_network("2001:db8::/32"),
    )


def test_the_helper_proxy() -> None:
    found = settings("--sip_proxy=[2001:db8::5]", "-a", "192.0.2.7,[[PROXY]]")
    assert found.allow == (ip_network("192.0.2.7/32"), ip_network("2001:db8::5/128"))
    assert found.helper_proxy is not None
    assert found.helper_proxy.uri == "sip:[2001:db8::5]:5060"
    assert found.helper_proxy.methods == {"REGISTER", "SUBSCRIBE"}
    assert settings().helper_proxy is None


def test_peers_behind_nat() -> None:
    assert settings("--nat_traversal=on").nat_traversal
    assert not settings().nat_traversal


@pytest.mark.parametrize("route", ["192.0.2.9;auth=user:opensesame", "192.0.2.9;cli=1;auth=u:opensesame"])
def test_what_is_logged_at_the_start_shows_no_password(route: str) -> None:
    assert "opensesame" not in str(effective(settings("-s", route)))
