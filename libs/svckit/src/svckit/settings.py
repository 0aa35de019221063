"""Settings of a service: one frozen class, read from environment variables with the service's prefix.

    class Settings(ServiceSettings):
        model_config = SettingsConfigDict(env_prefix="SIP_EDGE_")
        listen: ListenSetting = Field(default=..., description="SIP listeners")

`load` reads and validates; a wrong value, a missing one, or a variable with our prefix that is no setting, is
one SettingsError that names the variable. Two settings are shared by all services and keep their name under
any prefix: B2BUA_IDENTITY_KEY and B2BUA_IDENTITY_KEY_PREVIOUS.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    SecretStr,
    ValidationError,
    WithJsonSchema,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import (
    SettingsError as SourceError,
)

from svckit.errors import SettingsError
from svckit.listen import HostPort, ListenSpec, parse_host_port, parse_listeners

S = TypeVar("S", bound="ServiceSettings")

DEVELOPMENT_KEY = "development key, not secret"
"""Signs tags and branches when B2BUA_IDENTITY_KEY is unset. Everybody knows it, so anybody can forge them."""

SECRETS_DIRECTORY = "B2BUA_SECRETS_DIR"
"""Environment variable: folder with one file per secret setting, named like its variable (a mounted Secret).
"""

_KEY_BYTES = range(16, 65)


def text_form(read: Callable[[str], object], show: Callable[[Any], str] = str) -> tuple[object, ...]:
    """How a setting is written: `Annotated[T, *text_form(read, show)]`.

    `read` makes a T of what the operator wrote and raises ValueError, `show` writes it for the log, without
    secrets. Values that are no text are taken as they are. Any: `show` gets a T, which cannot be said here.
    """
    return (
        NoDecode,
        BeforeValidator(lambda value: read(value) if isinstance(value, str) else value),
        PlainSerializer(show, return_type=str),
        WithJsonSchema({"type": "string"}),
    )


def optional(read: Callable[[str], object]) -> Callable[[str], object]:
    """Read an empty text as None."""
    return lambda text: read(text) if text else None


def words(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def joined(values: Iterable[object]) -> str:
    """The values with commas between."""
    return ",".join(map(str, values))


def shown(value: object) -> str:
    """The text of a value; empty for none."""
    return "" if value is None else str(value)


def _fits_blake2b(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value().encode()) not in _KEY_BYTES:
        raise ValueError(f"should have {_KEY_BYTES[0]} to {_KEY_BYTES[-1]} bytes")
    return key


ListenSetting = Annotated[tuple[ListenSpec, ...], *text_form(parse_listeners, joined)]
"""SIP listeners, see `svckit.listen`."""

HostPortSetting = Annotated[HostPort, *text_form(parse_host_port)]
"""`host:port`."""

OptionalHostPortSetting = Annotated[HostPort | None, *text_form(optional(parse_host_port), shown)]
"""`host:port`, or nothing to switch the feature off."""

TextListSetting = Annotated[tuple[str, ...], *text_form(words, joined)]
"""Words separated by commas."""

KeySetting = Annotated[SecretStr, AfterValidator(_fits_blake2b)]
"""A key for MACs: 16 to 64 bytes of text, never shown."""


class ServiceSettings(BaseSettings):
    """What every service can be told. Subclasses add their own fields and their `env_prefix`."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_nested_delimiter="__", hide_input_in_errors=True
    )

    http: OptionalHostPortSetting = Field(
        default=HostPort("127.0.0.1", 8080),
        description="host:port for /livez, /readyz and /metrics; empty for none",
        examples=["0.0.0.0:8080"],
    )
    drain_seconds: float = Field(
        default=30.0,
        ge=0.0,
        le=86_400.0,
        description="seconds that a drain (SIGTERM) may take before the process ends anyway",
        examples=["40"],
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="lowest level that is logged: debug, info, warning or error",
        examples=["warning"],
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto",
        description="json, text for people, or auto: text on a terminal, json elsewhere",
        examples=["json"],
    )
    identity_key: KeySetting = Field(
        default=SecretStr(DEVELOPMENT_KEY),
        validation_alias="B2BUA_IDENTITY_KEY",
        description="key that signs our tags and branches, the same in all pods, 16 to 64 bytes",
        examples=["the output of `openssl rand -base64 32`"],
    )
    identity_key_previous: KeySetting | None = Field(
        default=None,
        validation_alias="B2BUA_IDENTITY_KEY_PREVIOUS",
        description="key that was used before, still accepted during a rotation",
        examples=["the old value of B2BUA_IDENTITY_KEY"],
    )

    @property
    def identity_key_is_public(self) -> bool:
        """The development key is in use: fine on a laptop, a way to forge requests anywhere else."""
        return self.identity_key.get_secret_value() == DEVELOPMENT_KEY

    def identity_keys(self) -> tuple[bytes, bytes | None]:
        """The key and the previous one, as `svckit.identity.Identity` takes them."""
        previous = self.identity_key_previous
        return (
            self.identity_key.get_secret_value().encode(),
            None if previous is None else previous.get_secret_value().encode(),
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the program says wins over the environment, that over mounted secrets. No .env files."""
        return init_settings, env_settings, file_secret_settings


@dataclass(frozen=True, slots=True)
class Variable:
    """One setting as an operator sees it."""

    field: str
    name: str
    description: str
    default: str
    example: str


def variables(settings: type[ServiceSettings]) -> tuple[Variable, ...]:
    """All settings of a service, its own first, in the order of the class."""
    shared = set(ServiceSettings.model_fields)
    rows = [_variable(settings, field, info) for field, info in settings.model_fields.items()]
    return tuple(sorted(rows, key=lambda row: row.field in shared))


def load(settings: type[S], **values: object) -> S:
    """Read the settings of a service from the environment and from the folder of mounted secrets.

    `values` are given by field name and win over both, for a program that has a command line of its own.
    Raises SettingsError for the first thing wrong.
    """
    _refuse_unknown(settings)
    directory = os.environ.get(SECRETS_DIRECTORY)
    if directory is not None and not Path(directory).is_dir():
        raise SettingsError(SECRETS_DIRECTORY, "should be a folder with one file per secret setting")
    given: dict[str, Any] = {_alias(settings, field): value for field, value in values.items()}
    given["_secrets_dir"] = directory
    try:
        return settings(**given)
    except ValidationError as error:
        raise _as_settings_error(settings, error.errors(include_url=False)[0]) from None
    except SourceError as error:
        raise SettingsError(settings.__name__, str(error)) from None


def effective(settings: ServiceSettings) -> dict[str, object]:
    """Variable name to value, for the log: secrets are masked."""
    values = settings.model_dump(mode="json")
    return {variable.name: values[variable.field] for variable in variables(type(settings))}


def schema(settings: type[ServiceSettings]) -> dict[str, Any]:
    """JSON schema of the settings, keyed by environment variable."""
    by_field = settings.model_json_schema(by_alias=False)
    properties = by_field["properties"]
    return {
        **by_field,
        "properties": {row.name: properties[row.field] for row in variables(settings)},
        "required": [row.name for row in variables(settings) if row.field in by_field.get("required", ())],
    }


def _alias(settings: type[ServiceSettings], field: str) -> str:
    alias = settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else field


def _variable(settings: type[ServiceSettings], field: str, info: FieldInfo) -> Variable:
    alias = info.validation_alias
    prefix = settings.model_config.get("env_prefix", "")
    example = str(info.examples[0]) if info.examples else ""
    return Variable(
        field=field,
        name=alias if isinstance(alias, str) else f"{prefix}{field}".upper(),
        description=info.description or "",
        default=_default_text(info),
        example=example,
    )


def _default_text(info: FieldInfo) -> str:
    if info.default_factory is not None:
        return "found at start"
    default = info.default
    if default is PydanticUndefined:
        return "required"
    if isinstance(default, SecretStr):
        return "a development key, with a warning"
    if default is None:
        return "none"
    if isinstance(default, tuple):
        return ",".join(map(str, default)) or "none"
    return str(default)


def _refuse_unknown(settings: type[ServiceSettings]) -> None:
    """A misspelt variable would silently leave the default in force."""
    prefix = settings.model_config.get("env_prefix", "").upper()
    if not prefix:
        return
    known = {variable.name for variable in variables(settings)} | {SECRETS_DIRECTORY}
    for name in sorted(os.environ):
        upper = name.upper()
        if not upper.startswith(prefix) or upper in known:
            continue
        if _SERVICE_LINK.fullmatch(upper[len(prefix) :]):
            raise SettingsError(
                name, "is set by Kubernetes for a Service of this name: set enableServiceLinks: false"
            )
        close = difflib.get_close_matches(upper, known, n=1, cutoff=0.8)
        hint = f", did you mean {close[0]}?" if close else f"; --help lists all {prefix}* variables"
        raise SettingsError(name, f"is not a setting{hint}")


_SERVICE_LINK = re.compile(r"(SERVICE_(HOST|PORT)(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")


def _as_settings_error(settings: type[ServiceSettings], problem: ErrorDetails) -> SettingsError:
    where = str(problem["loc"][0]) if problem["loc"] else ""
    row = next((r for r in variables(settings) if where.lower() in (r.field, r.name.lower())), None)
    name = row.name if row is not None else where or settings.__name__
    if problem["type"] == "missing":
        return SettingsError(name, f"is required: {row.description if row is not None else ''}")
    if problem["type"] == "too_short":
        return SettingsError(name, f"should not be empty ({row.description if row is not None else ''})")
    if problem["type"] == "extra_forbidden":
        return SettingsError(name, "is not a setting")
    # A validator of ours says "should ..." or quotes the value; pydantic says "Input should be ...".
    reason = str(problem.get("ctx", {}).get("error", problem["msg"]))
    reason = reason.removeprefix("Input ").replace("\n", " ")
    meaning = f" ({row.description})" if row is not None and row.description else ""
    return SettingsError(name, f"{reason}{meaning}")
