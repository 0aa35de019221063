"""Settings of call-control, from environment variables, and the policy they make."""

from __future__ import annotations

import pytest

from call_control.domain.policy import WANTED_HEADERS
from call_control.settings import Settings
from svckit.errors import SettingsError
from svckit.settings import effective, load, variables


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in variables(Settings):
        monkeypatch.delenv(variable.name, raising=False)


def settings_of(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in {"ROUTE": "192.0.2.1", **values}.items():
        monkeypatch.setenv(f"CALL_CONTROL_{name}", value)
    return load(Settings)


def test_routing_has_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = settings_of(monkeypatch).policy()
    assert (policy.translate_in, policy.translate_out, policy.max_credit_ms) == (None, None, 0)
    assert not policy.pass_headers
    assert not policy.follow_redirects
    assert set(policy.wanted_headers) == set(WANTED_HEADERS)


def test_routing_reaches_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = settings_of(
        monkeypatch,
        ROUTE="192.0.2.1:5060,192.0.2.2;gt=10,1;auth=u:hush gw.example",
        TRANSLATE_IN="s/^00/+/",
        TRANSLATE_OUT=r"s/^\+//",
        PASS_HEADERS="X-*,Diversion,Subject",
        MAX_CREDIT_SECONDS="7200",
        REDIRECTS="follow",
    ).policy()
    assert [entry.hostport for entry in policy.routes] == ["192.0.2.1", "192.0.2.2", "gw.example"]
    assert policy.translate_in is not None
    assert policy.translate_in("0044") == "+44"
    assert policy.translate_out is not None
    assert policy.translate_out("+44") == "44"
    assert policy.wanted_headers[-3:] == ("diversion", "subject", "x-*")
    assert policy.max_credit_ms == 7_200_000
    assert policy.follow_redirects


def test_what_is_in_effect_hides_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = effective(settings_of(monkeypatch, ROUTE="a;auth=u:hush b", PASS_HEADERS="X-A"))
    assert shown["CALL_CONTROL_ROUTE"] == "a;auth=*** b"
    assert shown["CALL_CONTROL_PASS_HEADERS"] == "x-a"
    assert "hush" not in str(shown)


def test_the_password_of_the_store_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(monkeypatch, REDIS_URL="redis://u:hush@a")
    assert settings.redis_url == "redis://u:hush@a"
    assert effective(settings)["CALL_CONTROL_REDIS_URL"] == "redis://u:***@a"


def test_a_store_that_is_not_understood_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="CALL_CONTROL_REDIS_URL: store URL must begin with"):
        settings_of(monkeypatch, REDIS_URL="localhost:6379")


def test_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(monkeypatch, TRANSLATE_IN="", TRANSLATE_OUT="", PASS_HEADERS="")
    assert (settings.translate_in, settings.translate_out, settings.pass_headers) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ROUTE", " , ", "CALL_CONTROL_ROUTE: should name at least one route"),
        ("ROUTE", "a b;expires=x", "CALL_CONTROL_ROUTE: route 2: expires should be a whole number"),
        ("ROUTE", "a;auth=hush", "CALL_CONTROL_ROUTE: route 1: auth should be USER:PASSWORD or nopass"),
        ("TRANSLATE_IN", "s/a/", "CALL_CONTROL_TRANSLATE_IN: rule 1 should look like"),
        ("TRANSLATE_OUT", "s/(a+)+/b/", "CALL_CONTROL_TRANSLATE_OUT: rule 1 can take for ever"),
        ("PASS_HEADERS", "X-A,Via", "CALL_CONTROL_PASS_HEADERS: 'Via' should not be passed on"),
        ("MAX_CREDIT_SECONDS", "-1", "CALL_CONTROL_MAX_CREDIT_SECONDS: "),
        ("REDIRECTS", "ignore", "CALL_CONTROL_REDIRECTS: should be 'relay' or 'follow'"),
    ],
)
def test_a_wrong_setting_is_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of(monkeypatch, **{name: value})
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
    assert "hush" not in str(caught.value)
