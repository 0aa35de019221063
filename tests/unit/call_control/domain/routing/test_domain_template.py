"""Hosts of From and To by template."""

import pytest

from call_control.domain.routing.domain_template import PLACEHOLDERS, TemplateError, parse_template

HOSTS = dict.fromkeys(PLACEHOLDERS, "") | {"from_host": "f.example", "source_ip": "192.0.2.9"}


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("a.example", "a.example"),
        ("192.0.2.1", "192.0.2.1"),
        ("[::1]", "[::1]"),
        ("{from_host}", "f.example"),
        ("{source_ip}.x.{from_host}", "192.0.2.9.x.f.example"),
        ("{to_host}", ""),
        ("{to_host}x", "x"),
    ],
)
def test_fill(text: str, host: str) -> None:
    assert parse_template(text).fill(HOSTS) == host


@pytest.mark.parametrize("hostile", ["a>b", "a\r\nb", "a;lr", "2001:db8::1", "a b"])
def test_what_is_no_host_is_left_out(hostile: str) -> None:
    assert parse_template("{from_host}").fill(HOSTS | {"from_host": hostile}) == ""


@pytest.mark.parametrize(
    "text", ["", "{x}", "{}", "{FROM_HOST}", "a b", "a:5060", "{from_host", "[{source_ip}]"]
)
def test_wrong_templates(text: str) -> None:
    with pytest.raises(TemplateError):
        parse_template(text)
