"""Store URLs."""

import pytest

from call_control.adapters.redis_url import Topology, parse_redis_url, without_passwords


def test_one_server() -> None:
    target = parse_redis_url("redis://us%40er:p%3Ass@example.com/3")
    assert target.topology is Topology.SINGLE
    assert target.addresses == (("example.com", 6379),)
    assert (target.username, target.password, target.db) == ("us@er", "p:ss", 3)
    assert target.ssl_context() is None


def test_password_only_and_ipv6() -> None:
    target = parse_redis_url("redis://:secret@[2001:db8::1]:7000")
    assert target.addresses == (("2001:db8::1", 7000),)
    assert (target.username, target.password) == ("", "secret")


def test_unix_socket() -> None:
    target = parse_redis_url("unix:///run/redis/redis.sock?db=2")
    assert (target.path, target.db, target.addresses) == ("/run/redis/redis.sock", 2, ())


def test_sentinel() -> None:
    target = parse_redis_url("redis+sentinel://a:1,b/calls/4?sentinel_password=x")
    assert target.topology is Topology.SENTINEL
    assert target.addresses == (("a", 1), ("b", 26379))
    assert (target.master, target.db, target.sentinel_password) == ("calls", 4, "x")


def test_cluster_with_tls() -> None:
    target = parse_redis_url("rediss+cluster://a:1,b:2,[::1]:3?ssl_check_hostname=false")
    assert target.topology is Topology.CLUSTER
    assert target.addresses == (("a", 1), ("b", 2), ("::1", 3))
    context = target.ssl_context()
    assert context is not None
    assert not context.check_hostname


def test_its_text_holds_no_password() -> None:
    assert str(parse_redis_url("redis+sentinel://u:secret@a:1,b:2/calls")) == "sentinel a:1,b:2/calls"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://a:1/0", "redis://a:1/0"),
        ("redis://u:hush@[::1]:7000/3", "redis://u:***@[::1]:7000/3"),
        ("rediss://:hu:sh@a", "rediss://:***@a"),
        (
            "redis+sentinel://u:hush@a:1,b/calls?sentinel_username=x&sentinel_password=hush",
            "redis+sentinel://u:***@a:1,b/calls?sentinel_username=x&sentinel_password=***",
        ),
        ("redis://a/0?sentinel_password=hush&db=1", "redis://a/0?sentinel_password=***&db=1"),
        ("unix://u:hush@/run/redis.sock?db=2", "unix://u:***@/run/redis.sock?db=2"),
    ],
)
def test_what_is_shown_holds_no_password(url: str, shown: str) -> None:
    parse_redis_url(url)
    assert without_passwords(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hu/sh@a",
        "redis://u:12/hush@a",
        "redis://u:1?hush=1@a",
        "redis://u:1#hush@a",
        "http://u:hush@a",
    ],
)
def test_no_error_shows_a_password(url: str) -> None:
    with pytest.raises(ValueError, match="store URL") as caught:
        parse_redis_url(url)
    assert "hu" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://a", "must begin with"),
        ("unix+cluster:///a", "must begin with"),
        ("redis+ring://a", "neither sentinel nor cluster"),
        ("", "must begin with"),
        ("127.0.0.1:6379", "must begin with"),
        ("redis:a", "must begin with"),
        ("redis://", "no host"),
        ("redis://a:port", "bad address"),
        ("redis://a:1,b:2", "several servers"),
        ("redis+sentinel://a:1", "name of the primary"),
        ("redis://a/calls", "bad path"),
        ("redis+cluster://a/1", "database 0 only"),
        ("redis://a?sl_ca_certs=x", "unknown option sl_ca_certs"),
    ],
)
def test_what_is_wrong_is_said(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_redis_url(url)


def test_a_missing_certificate_is_named() -> None:
    target = parse_redis_url("rediss://a?ssl_ca_certs=/nowhere/ca.pem")
    with pytest.raises(ValueError, match=r"/nowhere/ca\.pem"):
        target.ssl_context()
