"""`pre_auth_proc` and `po_proc`: which attributes they add."""

import re

import pytest

from b2bua.common.v1 import sip_pb2
from call_control.domain.routing.hooks import (
    CallHook,
    HookError,
    RouteHook,
    parse_call_hook,
    parse_route_hook,
)


@pytest.mark.parametrize(
    ("text", "hook"),
    [
        ("Nop[]", RouteHook()),
        ("Nop[anything]", RouteHook()),
        ("VAL2Xattrs[a=1,b=2=3]", RouteHook(attributes=("a=1", "b=2=3"))),
        ("VAL2Xattrs[a=1, a=1,a=2]", RouteHook(attributes=("a=1", "a=2"))),
        ("VAL2XattrsA[a=1]", RouteHook(ingress_attributes=("a=1",))),
        ("VAL2XattrsO[a=[1]]", RouteHook(egress_attributes=("a=[1]",))),
    ],
)
def test_po_proc(text: str, hook: RouteHook) -> None:
    assert parse_route_hook(text) == hook


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "should look like NAME[ARGUMENT]"),
        ("VAL2Xattrs", "should look like NAME[ARGUMENT]"),
        ("VAL2Xattrs[a=1", "should look like NAME[ARGUMENT]"),
        ("HDR2Xattrs[x]", "there is no 'HDR2Xattrs'"),
        ("val2xattrs[a=1]", "there is no 'val2xattrs'"),
        ("VAL2Xattrs[]", "NAME=VALUE pairs"),
        ("VAL2Xattrs[a]", "NAME=VALUE pairs"),
        ("VAL2Xattrs[a=1,b=]", "NAME=VALUE pairs"),
        ("VAL2Xattrs[=1]", "NAME=VALUE pairs"),
        ("VAL2Xattrs[a=\x001]", "NAME=VALUE pairs"),
        ("VAL2Xattrs[a=" + "1" * 247 + "]", "NAME=VALUE pairs"),
    ],
)
def test_a_wrong_po_proc(text: str, said: str) -> None:
    with pytest.raises(HookError, match=re.escape(said)):
        parse_route_hook(text)


@pytest.mark.parametrize("name", ["X-foo-hdr", "x-foo-hdr", " X-FOO-HDR "])
def test_the_name_of_the_header_field_has_any_case(name: str) -> None:
    hook = parse_call_hook(f"HDR2Xattrs[{name}]")
    assert hook.wanted() == ("x-foo-hdr",)
    assert hook.attributes([sip_pb2.Header(name="X-Foo-Hdr", value="a=1")]).taken == ["a=1"]


def test_a_compact_name_is_the_long_one() -> None:
    hook = parse_call_hook("HDR2Xattrs[s]")
    assert hook.attributes([sip_pb2.Header(name="Subject", value="a=1")]).taken == ["a=1"]


def test_nop_takes_nothing() -> None:
    hook = parse_call_hook("Nop[x]")
    assert hook == CallHook()
    assert hook.wanted() == ()
    assert hook.attributes([sip_pb2.Header(name="X", value="a=1")]) == ([], 0)


@pytest.mark.parametrize(
    ("values", "taken", "refused"),
    [
        (["a=1;b=2"], ["a=1", "b=2"], 0),
        (["a=1", "b=2"], ["a=1", "b=2"], 0),
        (["a=1; a=1 ;a=2"], ["a=1", "a=2"], 0),
        (["a=;b=2;"], ["b=2"], 0),
        (["a;=1;b=2"], ["b=2"], 2),
        (["a=1\r\nb;c=\x00"], [], 2),
        (["a=" + "x" * 300], [], 1),
        ([";".join(f"a{n}=1" for n in range(40))], [f"a{n}=1" for n in range(32)], 8),
        ([""], [], 0),
    ],
)
def test_what_a_caller_adds(values: list[str], taken: list[str], refused: int) -> None:
    headers = [sip_pb2.Header(name="X-A", value=value) for value in values]
    assert parse_call_hook("HDR2Xattrs[x-a]").attributes(headers) == (taken, refused)


@pytest.mark.parametrize("text", ["HDR2Xattrs[]", "HDR2Xattrs[a b]", "VAL2Xattrs[a=1]", "Nop"])
def test_a_wrong_pre_auth_proc(text: str) -> None:
    with pytest.raises(HookError):
        parse_call_hook(text)
