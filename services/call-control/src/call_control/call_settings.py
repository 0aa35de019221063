"""Settings of calls, the same for call-control and for one process; and the policy that they make."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from call_control.domain.call_id import CALL_ID_FORMS
from call_control.domain.policy import Policy
from call_control.domain.routing.entry import RouteEntry, parse_route, parse_route_list
from call_control.domain.routing.pass_headers import PassHeaders, parse_pass_headers
from call_control.domain.routing.translation import Translation, parse_translation
from sipcore.codec_filter import AllowedCodecs, parse_allowed_pts
from sipcore.session_timer import LEAST_INTERVAL, Wish
from svckit.settings import ServiceSettings, optional, shown, text_form


def _optional_patterns(text: str) -> PassHeaders | None:
    return parse_pass_headers(text) or None


def _show_codecs(value: AllowedCodecs | None) -> str:
    if value is None:
        return ""
    return ",".join([*sorted(value.payload_types, key=int), *(f"[{one}]" for one in sorted(value.codecs))])


RoutesSetting = Annotated[
    tuple[RouteEntry, ...], *text_form(parse_route_list, lambda entries: " ".join(map(str, entries)))
]
"""Several routes, see `parse_route_list`; passwords are masked when shown."""

RouteSetting = Annotated[RouteEntry | None, *text_form(optional(parse_route), shown)]
"""One route, or nothing."""

TranslationSetting = Annotated[Translation | None, *text_form(optional(parse_translation), shown)]
"""Rules for numbers, or nothing."""

PassHeadersSetting = Annotated[PassHeaders | None, *text_form(_optional_patterns, shown)]
"""Patterns of header field names, or nothing."""

CodecsSetting = Annotated[AllowedCodecs | None, *text_form(optional(parse_allowed_pts), _show_codecs)]
"""What may cross, see `parse_allowed_pts`; or nothing, for everything."""


class CallSettings(ServiceSettings):
    """What an operator can tell about every call."""

    call_id: Literal["same", "suffixed", "hidden", "fresh"] = Field(
        default="suffixed",
        description="Call-ID of the egress leg: same, suffixed (ID-b2b_1), hidden (hashed) or fresh",
        examples=["hidden"],
    )
    user_agent: str = Field(
        default="b2bua", description="User-Agent of our requests", examples=["Example Voice"], max_length=200
    )
    server: str = Field(
        default="",
        description="Server of our answers; empty: none",
        examples=["Example Voice"],
        max_length=200,
    )

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
    pass_authentication: bool = Field(
        default=False,
        description="challenges of the callee reach the caller, and the caller's credentials the callee",
        examples=["true"],
    )
    wants_called_number: bool = Field(
        default=False, description="refuse calls whose Request-URI has no user part", examples=["true"]
    )
    allowed_codecs: CodecsSetting = Field(
        default=None,
        description="payload types and [NAME/RATE] that session descriptions may hold; empty: all",
        examples=["0,8,[telephone-event/8000]"],
    )
    reliable: Literal["supported", "always"] = Field(
        default="supported",
        description="ask callees for reliable provisionals (RFC 3262) when the caller takes them, or always",
        examples=["always"],
    )
    session_seconds: int = Field(
        default=0,
        ge=0,
        le=86_400,
        description="session timer (RFC 4028) to ask for on each leg; 0: only grant what a peer asks for",
        examples=["1800"],
    )
    session_minimum_seconds: int = Field(
        default=90, ge=1, le=86_400, description="shortest session timer to grant (Min-SE)", examples=["90"]
    )
    ingress_keepalive_seconds: float = Field(
        default=0.0,
        ge=0.0,
        le=86_400.0,
        description="seconds between keep-alives to the caller; 0: none",
        examples=["32"],
    )
    egress_keepalive_seconds: float = Field(
        default=0.0,
        ge=0.0,
        le=86_400.0,
        description="seconds between keep-alives to the callee; 0: none",
        examples=["32"],
    )
    keepalive_method: Literal["INVITE", "OPTIONS"] = Field(
        default="INVITE", description="request that keep-alives are", examples=["OPTIONS"]
    )
    answer_seconds: float = Field(
        default=300.0,
        gt=0.0,
        le=3600.0,
        description="seconds a call may stay unanswered when the caller's INVITE has no Expires",
        examples=["120"],
    )
    t1_seconds: float = Field(
        default=0.5,
        gt=0.0,
        le=5.0,
        description="SIP timer T1; answers wait 64 times this for their ACK",
        examples=["0.5"],
    )
    max_call_seconds: float = Field(
        default=43_200.0,
        gt=0.0,
        le=604_800.0,
        description="seconds after which a call is ended whatever its state",
        examples=["14400"],
    )

    @field_validator("session_seconds")
    @classmethod
    def _peers_take_it(cls, value: int) -> int:
        if 0 < value < LEAST_INTERVAL:
            raise ValueError(f"should be 0, or {LEAST_INTERVAL} at least (RFC 4028 4)")
        return value

    @field_validator("user_agent", "server")
    @classmethod
    def _printable(cls, value: str) -> str:
        if value and not value.isprintable():
            raise ValueError("should be one line of printable text")
        return value

    def policy_for(self, routes: tuple[RouteEntry, ...]) -> Policy:
        """Return these settings as the state machine reads them, with the routes in effect."""
        peer_wait = int(64 * self.t1_seconds * 1_000)
        return Policy(
            routes=routes,
            egress_call_id=CALL_ID_FORMS[self.call_id],
            translate_in=self.translate_in,
            translate_out=self.translate_out,
            pass_headers=self.pass_headers or PassHeaders(),
            max_credit_ms=int(self.max_credit_seconds * 1_000),
            follow_redirects=self.redirects == "follow",
            transfer=self.transfer,
            transfer_direct=self.transfer_direct,
            user_agent=self.user_agent,
            server=self.server,
            pass_authentication=self.pass_authentication,
            wants_called_number=self.wants_called_number,
            allowed_codecs=self.allowed_codecs,
            reliable=self.reliable,
            session=Wish(interval=self.session_seconds or None, minimum=self.session_minimum_seconds),
            ingress_keepalive_ms=int(self.ingress_keepalive_seconds * 1_000),
            egress_keepalive_ms=int(self.egress_keepalive_seconds * 1_000),
            keepalive_method=self.keepalive_method,
            answer_timeout_ms=int(self.answer_seconds * 1_000),
            ack_timeout_ms=peer_wait,
            tombstone_ms=peer_wait,
            edge_absence_ms=peer_wait,
            max_call_ms=int(self.max_call_seconds * 1_000),
        )
