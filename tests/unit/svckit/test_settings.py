"""Settings: where they come from, and the one line for a wrong one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import Field, ValidationError
from pydantic_settings import SettingsConfigDict

from svckit.errors import SettingsError
from svckit.listen import HostPort
from svckit.settings import (
    DEVELOPMENT_KEY,
    ListenSetting,
    ServiceSettings,
    TextListSetting,
    effective,
    load,
    schema,
    variables,
)

KEY = "0123456789abcdef"


class DemoSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="DEMO_")

    listen: ListenSetting = Field(description="SIP listeners", examples=["udp:0.0.0.0:5060"])
    peers: TextListSetting = Field(default=(), description="addresses of peers")
    workers: int = Field(default=2, ge=1, description="number of workers")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("B2BUA_IDENTITY_KEY", "B2BUA_IDENTITY_KEY_PREVIOUS", "B2BUA_SECRETS_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DEMO_LISTEN", "udp:127.0.0.1:5060")


def test_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_PEERS", "one:1, two:2")
    monkeypatch.setenv("DEMO_HTTP", "[::1]:80")
    settings = load(DemoSettings)
    assert settings.peers == ("one:1", "two:2")
    assert settings.http == HostPort("::1", 80)
    assert [spec.socket for spec in settings.listen] == [("udp", "127.0.0.1", 5060)]


def test_nothing_switches_http_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_HTTP", "")
    assert load(DemoSettings).http is None


def test_a_value_of_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_WORKERS", "3")
    monkeypatch.setenv("B2BUA_IDENTITY_KEY", "the key of the environment")
    settings = load(DemoSettings, workers=4, identity_key=KEY)
    assert settings.workers == 4
    assert settings.identity_keys() == (KEY.encode(), None)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        load(DemoSettings).workers = 5  # type: ignore[misc]  # that is what is tested


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DEMO_LISTEN", "udp:0.0.0.0", "DEMO_LISTEN: '0.0.0.0' should look like host:port (SIP listeners)"),
        ("DEMO_WORKERS", "0", "DEMO_WORKERS: should be greater than or equal to 1 (number of workers)"),
        ("DEMO_WORKERS", "two", "DEMO_WORKERS: should be a valid integer"),
        ("DEMO_LOG_LEVEL", "loud", "DEMO_LOG_LEVEL: should be 'debug', 'info', 'warning' or 'error'"),
        ("DEMO_DRAIN_SECONDS", "-1", "DEMO_DRAIN_SECONDS: should be greater than or equal to 0"),
        ("DEMO_LISTN", "x", "DEMO_LISTN: is not a setting, did you mean DEMO_LISTEN?"),
        ("DEMO_COLOUR", "x", "DEMO_COLOUR: is not a setting; --help lists all DEMO_* variables"),
        ("DEMO_SERVICE_HOST", "10.0.0.1", "DEMO_SERVICE_HOST: is set by Kubernetes"),
        ("DEMO_PORT_5060_UDP_ADDR", "10.0.0.1", "set enableServiceLinks: false"),
        ("B2BUA_IDENTITY_KEY", "short", "B2BUA_IDENTITY_KEY: should have 16 to 64 bytes"),
        ("B2BUA_IDENTITY_KEY_PREVIOUS", "x" * 65, "B2BUA_IDENTITY_KEY_PREVIOUS: should have 16 to 64 bytes"),
        ("B2BUA_SECRETS_DIR", "/does/not/exist", "B2BUA_SECRETS_DIR: should be a folder"),
    ],
)
def test_one_line_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load(DemoSettings)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEMO_LISTEN")
    with pytest.raises(SettingsError, match="DEMO_LISTEN: is required: SIP listeners"):
        load(DemoSettings)


def test_the_development_key_is_recognised() -> None:
    assert load(DemoSettings).identity_key_is_public
    assert load(DemoSettings).identity_keys() == (DEVELOPMENT_KEY.encode(), None)
    assert not load(DemoSettings, identity_key=KEY).identity_key_is_public


def test_secrets_may_be_mounted_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "B2BUA_IDENTITY_KEY").write_text(f"{KEY}\n")
    (tmp_path / "B2BUA_IDENTITY_KEY_PREVIOUS").write_text("the key of last year")
    monkeypatch.setenv("B2BUA_SECRETS_DIR", str(tmp_path))
    assert load(DemoSettings).identity_keys() == (KEY.encode(), b"the key of last year")


def test_the_effective_settings_hide_secrets() -> None:
    shown = effective(load(DemoSettings, identity_key=KEY))
    assert shown["DEMO_LISTEN"] == "udp:127.0.0.1:5060"
    assert KEY not in json.dumps(shown)
    assert list(shown) == [row.name for row in variables(DemoSettings)]


def test_the_schema_is_keyed_by_variable() -> None:
    described = schema(DemoSettings)
    assert set(described["properties"]) == {row.name for row in variables(DemoSettings)}
    assert described["required"] == ["DEMO_LISTEN"]


def test_every_shared_setting_says_what_it_is() -> None:
    for row in variables(ServiceSettings):
        assert row.description, row.name
        assert row.example, row.name
