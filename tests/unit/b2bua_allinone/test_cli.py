"""The command line of `b2bua`: what it accepts, and one line for what it does not."""

import json
from pathlib import Path

import pytest

from b2bua_allinone.__main__ import main
from b2bua_allinone.cli import fields, parse_arguments
from b2bua_allinone.settings import Settings
from sip_edge.domain import HelperProxyConfig
from svckit.errors import SettingsError
from svckit.settings import load


def settings_of(*arguments: str) -> Settings:
    return load(Settings, **fields(parse_arguments(["run", *arguments])))


def test_the_defaults_listen_everywhere_and_answer_by_themselves() -> None:
    settings = settings_of()
    assert [str(spec) for spec in settings.listeners] == ["udp:0.0.0.0:5060", "tcp:0.0.0.0:5060"]
    assert settings.route == ()
    assert settings.store == "memory"
    assert settings.helper_proxy is None
    assert settings.notify == "accept"
    assert not settings.nat_traversal


def test_options_become_settings() -> None:
    settings = settings_of(
        "--listen",
        "udp:127.0.0.1:5070",
        "--route",
        "127.0.0.1:5062",
        "--route",
        "[::1]",
        "--store",
        "redis://h/1",
        "--sip-proxy",
        "registrar.example",
        "--notify",
        "refuse",
        "--nat-traversal",
    )
    assert [spec.port for spec in settings.listeners] == [5070]
    assert [entry.uri for entry in settings.route] == ["sip:127.0.0.1:5062", "sip:[::1]"]
    assert settings.store == "redis://h/1"
    assert settings.helper_proxy == HelperProxyConfig(uri="sip:registrar.example")
    assert settings.notify == "refuse"
    assert settings.nat_traversal


def test_options_of_routing_reach_the_policy() -> None:
    settings = settings_of(
        *("--route", "192.0.2.1;gt=10,1", "--route", "number@gw.example;expires=5", "--max-credit", "60"),
        *("--translate-in", "s/^00/+/", "--translate-out", "s/^9//", "--pass-headers", "X-*,Subject"),
        *("--redirects", "follow"),
    )
    policy = settings.policy_for(settings.route)
    assert [entry.called for entry in policy.routes] == [None, "number"]
    assert (policy.max_credit_ms, policy.follow_redirects) == (60_000, True)
    assert policy.translate_in is not None
    assert policy.translate_in("0044") == "+44"
    assert policy.translate_out is not None
    assert policy.translate_out("91") == "1"
    assert policy.pass_headers.wanted() == ("subject", "x-*")


def test_routes_with_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("B2BUA_ROUTE", "192.0.2.1;auth=u:hush 192.0.2.2")
    assert [entry.password for entry in settings_of().route] == ["hush", None]
    assert [entry.host for entry in settings_of("--route", "192.0.2.3").route] == ["192.0.2.3"]


def test_what_the_drop_ins_have_too(tmp_path: Path) -> None:
    settings = settings_of(
        *("--control", str(tmp_path / "c.sock"), "--message-log", str(tmp_path / "sip.log")),
        *("--codecs", "0,8", "--keepalive-caller", "30", "--keepalive-callee", "40", "--nat-traversal"),
    )
    assert str(settings.control) == f"unix:{tmp_path / 'c.sock'}"
    assert str(settings.message_log) == str(tmp_path / "sip.log")
    policy = settings.policy_for(settings.route)
    assert policy.allowed_codecs is not None and policy.allowed_codecs.payload_types == {"0", "8"}
    assert (policy.ingress_keepalive_ms, policy.egress_keepalive_ms) == (30_000, 40_000)
    assert settings.nat_traversal


def test_the_environment_can_say_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("B2BUA_CONTROL", "tcp:127.0.0.1")
    monkeypatch.setenv("B2BUA_MESSAGE_LOG", "syslog")
    monkeypatch.setenv("B2BUA_ALLOWED_CODECS", "0,8")
    settings = settings_of()
    assert (str(settings.control), str(settings.message_log)) == ("tcp:127.0.0.1:12345", "syslog")
    assert settings.allowed_codecs is not None
    monkeypatch.setenv("B2BUA_CONTROL", "tcp:")
    with pytest.raises(SettingsError, match="B2BUA_CONTROL"):
        settings_of()


def test_no_message_is_logged_unasked() -> None:
    assert str(settings_of().message_log) == "none"
    assert settings_of().control is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--route", "a b"], "--route"),
        (["run", "--route", "h:99999"], "99999"),
        (["run", "--route", "h;expires=soon"], "expires should be a whole number"),
        (["run", "--translate-in", "s/a/"], "--translate-in: rule 1"),
        (["run", "--translate-out", "s/(/b/"], "--translate-out: rule 1"),
        (["run", "--pass-headers", "Via"], "--pass-headers: 'Via' should not be passed on"),
        (["run", "--max-credit", "-1"], "MAX_CREDIT_SECONDS"),
        (["run", "--redirects", "ignore"], "--redirects"),
        (["run", "--http", "nonsense"], "--http"),
        (["run", "--allow", "10.0.0.0/99"], "--allow"),
        (["run", "--call-id", "random"], "--call-id"),
        (["run", "--sip-proxy", "a b"], "--sip-proxy"),
        (["run", "--notify", "ignore"], "--notify"),
        (["run", "--listen", "udp:127.0.0.1"], "--listen: '127.0.0.1' should look like host:port"),
        (["run", "--listen", "carrier-pigeon:1.2.3.4:5"], "--listen"),
        (["run", "--listen", "udp:127.0.0.1:5", "--listen", "udp:127.0.0.1:5"], "is named twice"),
        (["run", "--control", "tcp:"], "--control"),
        (["run", "--codecs", "x"], "--codecs"),
        (["run", "--message-log", ""], "--message-log"),
        ([], "COMMAND"),
        (["fly"], "fly"),
    ],
)
def test_a_wrong_option_is_one_line_and_status_two(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(arguments)
    except SystemExit as ended:
        status = int(str(ended.code))
    (line,) = capsys.readouterr().err.splitlines()
    assert status == 2
    assert said in line


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ALLOW", "10.0.0.0/8,192.0.2.1/24", "B2BUA_ALLOW: should be networks with commas between"),
        ("SIP_PROXY", "a:b", "B2BUA_SIP_PROXY: a route should begin with"),
        ("SIP_PROXY_METHODS", "REGISTER,INVITE", "B2BUA_SIP_PROXY_METHODS: should be some of MESSAGE"),
        ("SESSION_SECONDS", "30", "B2BUA_SESSION_SECONDS: should be 0, or 90 at least"),
        ("STORE", "redis://:hush@a/b", "B2BUA_STORE: store URL: bad path"),
    ],
)
def test_a_wrong_variable_is_one_line_and_status_two(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"B2BUA_{name}", value)
    assert main(["run"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert "hush" not in line


def test_variables_count_where_no_option_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("B2BUA_LISTEN", "udp:127.0.0.1:5071")
    monkeypatch.setenv("B2BUA_ALLOW", "10.0.0.0/8,192.0.2.1")
    monkeypatch.setenv("B2BUA_SIP_PROXY", "registrar.example")
    monkeypatch.setenv("B2BUA_SIP_PROXY_METHODS", "REGISTER,SUBSCRIBE")
    settings = settings_of()
    assert [str(spec) for spec in settings.listeners] == ["udp:127.0.0.1:5071"]
    assert [str(network) for network in settings.allow] == ["10.0.0.0/8", "192.0.2.1/32"]
    assert settings.helper_proxy == HelperProxyConfig(
        uri="sip:registrar.example", methods=frozenset({"REGISTER", "SUBSCRIBE"})
    )
    assert [str(spec) for spec in settings_of("--listen", "udp:127.0.0.1:1").listeners] == ["udp:127.0.0.1:1"]


def test_what_is_in_effect_can_be_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--check-config", "--store", "redis://u:hush@a", "--session-timer", "1800"]) == 0
    printed = capsys.readouterr().out
    assert "B2BUA_STORE=redis://u:***@a\n" in printed
    assert "B2BUA_SESSION_SECONDS=1800\n" in printed
    assert main(["run", "--print-schema"]) == 0
    assert "B2BUA_LISTEN" in json.loads(capsys.readouterr().out)["properties"]


@pytest.mark.parametrize(
    ("option", "said"),
    [("--version", "b2bua "), ("--help", "B2BUA_USER_AGENT"), ("--help", "--session-timer")],
)
def test_help_and_version(option: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", option])
    assert ended.value.code == 0
    assert said in capsys.readouterr().out


def test_a_key_nobody_knows_signs_what_ends_with_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("B2BUA_IDENTITY_KEY", raising=False)
    settings = settings_of()
    assert not settings.identity_key_is_public
    assert settings.keys() != settings.keys()
    assert settings_of("--store", "redis://127.0.0.1").identity_key_is_public
