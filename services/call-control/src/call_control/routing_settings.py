"""Settings of routing, the same for call-control and for `b2bua run`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_settings import NoDecode

from call_control.domain.routing.entry import RouteEntry, parse_route_list
from call_control.domain.routing.pass_headers import PassHeaders, parse_pass_headers
from call_control.domain.routing.translation import Translation, parse_translation
from svckit.settings import ServiceSettings


def _from_text(parse: Callable[[str], object]) -> Callable[[object], object]:
    return lambda value: parse(value) if isinstance(value, str) else value


def _optional_translation(text: str) -> Translation | None:
    return parse_translation(text) if text else None


def _optional_patterns(text: str) -> PassHeaders | None:
    return parse_pass_headers(text) or None


_TEXT = WithJsonSchema({"type": "string"})

RoutesSetting = Annotated[
    tuple[RouteEntry, ...],
    NoDecode,
    BeforeValidator(_from_text(parse_route_list)),
    PlainSerializer(lambda entries: " ".join(map(str, entries)), return_type=str),
    _TEXT,
]
"""Several routes, see `parse_route_list`; passwords are masked when shown."""

TranslationSetting = Annotated[
    Translation | None,
    NoDecode,
    BeforeValidator(_from_text(_optional_translation)),
    PlainSerializer(lambda value: "" if value is None else str(value), return_type=str),
    _TEXT,
]
"""Rules for numbers, or nothing."""

PassHeadersSetting = Annotated[
    PassHeaders | None,
    NoDecode,
    BeforeValidator(_from_text(_optional_patterns)),
    PlainSerializer(lambda value: "" if value is None else str(value), return_type=str),
    _TEXT,
]
"""Patterns of header field names, or nothing."""


class RoutingSettings(ServiceSettings):
    """What an operator can tell about every route."""

    translate_in: TranslationSetting = Field(
        default=None,
        description="rules s/REGEX/REPLACEMENT/[g] with ; between, for the number that was dialled",
        examples=[r"s/^00/+/;s/[^0-9+]//g"],
    )
    translate_out: TranslationSetting = Field(
        default=None,
        description="the same for the number that a route calls",
        examples=[r"s/^\+//"],
    )
    pass_headers: PassHeadersSetting = Field(
        default=None,
        description="header fields of the caller's INVITE that go on to the callee: names, X-*, or *",
        examples=["P-Asserted-Identity,Privacy,Diversion,X-*"],
    )
    max_credit_seconds: float = Field(
        default=0.0,
        ge=0.0,
        le=604_800.0,
        description="longest talk time of a call in seconds, whatever its route says; 0 for no limit",
        examples=["7200"],
    )
    redirects: Literal["relay", "follow"] = Field(
        default="relay",
        description="what becomes of a 300, 301 or 302: relay it to the caller, or follow it",
        examples=["follow"],
    )
    transfer: Literal["pass", "perform"] = Field(
        default="pass",
        description="what becomes of a REFER: pass it on to the other side, or perform it",
        examples=["perform"],
    )
    transfer_direct: bool = Field(
        default=False,
        description="a transfer that we perform may lead to any host that a Refer-To names",
        examples=["true"],
    )
