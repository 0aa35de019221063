"""Settings of calls, and the policy that they make."""

import pytest
from pydantic import ValidationError

from call_control.settings import Settings
from sipcore.session_timer import Wish


def made(**fields: object) -> Settings:
    return Settings(route="192.0.2.1", **fields)  # type: ignore[arg-type]  # as the environment gives them


def test_the_defaults_are_those_of_the_policy() -> None:
    policy = made().policy()
    assert policy.session == Wish(interval=None)
    assert (policy.reliable, policy.transfer, policy.server) == ("supported", "pass", "")
    assert (policy.ingress_keepalive_ms, policy.egress_keepalive_ms) == (0, 0)
    assert policy.egress_call_id("id", 2, "key") == "id-b2b_2"


def test_what_is_said_reaches_the_policy() -> None:
    policy = made(
        session_seconds=1800,
        session_minimum_seconds=120,
        reliable="always",
        ingress_keepalive_seconds="32",
        keepalive_method="OPTIONS",
        allowed_codecs="0,[telephone-event/8000]",
        pass_authentication="true",
        call_id="fresh",
        server="Example",
    ).policy()
    assert policy.session == Wish(interval=1800, minimum=120)
    assert (policy.reliable, policy.keepalive_method) == ("always", "OPTIONS")
    assert policy.ingress_keepalive_ms == 32_000
    assert policy.allowed_codecs is not None
    assert policy.pass_authentication
    assert policy.server == "Example"
    first, second = (policy.egress_call_id("id", 1, key) for key in ("a", "b"))
    assert "id" not in (first, second)
    assert first != second


@pytest.mark.parametrize(
    "fields",
    [
        {"call_id": "none"},
        {"reliable": "never"},
        {"keepalive_method": "BYE"},
        {"allowed_codecs": "pcma"},
        {"user_agent": "a\r\nX: y"},
        {"session_seconds": -1},
    ],
)
def test_what_cannot_be(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        made(**fields)
