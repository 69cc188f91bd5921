"""Settings: `credsync.toml`, each key also as `CREDSYNC_…`; secrets by environment or `…_FILE` alone."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from credsync.core.durations import parse_duration
from credsync.core.forms import nearest
from credsync.core.people import Role
from credsync.core.schedule import Policy

ENV_PREFIX = "CREDSYNC_"
SECRETS = ("HUBSPOT_TOKEN_", "WEBHOOK_SECRET_", "OIDC_CLIENT_SECRET")
"""How environment names (after the prefix) begin that are secrets, not settings."""
MOST_WEBHOOK_SECRETS = 2
DEFAULT_FILE = Path("credsync.toml")


class SettingsError(Exception):
    """The settings cannot be used; the message names every fault and its remedy."""


def _duration(value: Any) -> Any:
    return value if isinstance(value, timedelta) else parse_duration(value)


def _not_a_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a number is expected")
    return value


def _listed(value: Any) -> Any:
    """A list in the environment is written as JSON."""
    return json.loads(value) if isinstance(value, str) else value


def _with_port(value: str) -> str:
    if int(value.rpartition(":")[2]) > 65_535:
        raise ValueError("there is no such port")
    return value


Span = Annotated[timedelta, BeforeValidator(_duration), Field(gt=timedelta(0))]
Text = Annotated[str, Field(min_length=1)]
_SECURE = r"^(https://[^\s?#]+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?(/[^\s?#]*)?)$"
_SPAN = "a span longer than nothing, such as 90s, 30m, 12h or 7d"
_EXPECTED: Final[Mapping[str, str]] = {
    "database_url": "a database's address: sqlite:///credsync.db or postgresql://user@host/name",
    "portals": "a pattern of file names, such as portals/*.toml",
    "bind": "a host and a port, such as 127.0.0.1:8080 or [::1]:8080",
    "public_url": "the address people reach this service by, such as https://credsync.example.org",
    "oidc_issuer": "the address of an OpenID Connect provider, to the letter, such as https://login.example.org",
    "oidc_client_id": "a text",
    "oidc_groups": 'a table from groups to roles, such as { "credsync-admins" = "admin" }',
    "oidc_groups_claim": "a text",
    "sentry_dsn": "a text",
    "notify_urls": 'a list of texts, such as ["https://example.org/hook"]',
    "log_format": "one of json and console",
    "look_again_share": "a number above 0 and at most 1, such as 0.05",
    "listen": "true or false",
}
_BARE = ("notify_urls", "look_again_share", "listen", "oidc_groups")
"""What each setting must be, told in place of what the parser makes of it. No value is repeated: some are secret."""


class Settings(BaseSettings):
    """Every setting, with its default. Spans are written `90s`, `30m`, `7d`."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True)

    database_url: Text = "sqlite:///credsync.db"
    portals: Text = "portals/*.toml"
    bind: Annotated[
        str,
        Field(pattern=r"^[^\s:]+:[0-9]{1,5}$|^\[[0-9a-fA-F:]+\]:[0-9]{1,5}$"),
        AfterValidator(_with_port),
    ] = "127.0.0.1:8080"
    public_url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    oidc_issuer: Annotated[str, Field(pattern=_SECURE)] | None = None
    oidc_client_id: Text | None = None
    oidc_groups: Annotated[dict[str, Role], NoDecode, BeforeValidator(_listed)] = {}
    oidc_groups_claim: Text = "groups"
    sentry_dsn: str | None = None
    notify_urls: Annotated[list[str], NoDecode, BeforeValidator(_listed)] = []
    log_format: Literal["json", "console"] = "json"
    overdue_after: Span = timedelta(minutes=30)
    give_up_after: Span = timedelta(days=7)
    settle_after: Span = timedelta(minutes=10)
    verify_every: Span = timedelta(days=1)
    look_again_min: Span = timedelta(seconds=4)
    look_again_max: Span = timedelta(hours=1)
    look_again_share: Annotated[float, BeforeValidator(_not_a_bool), Field(gt=0, le=1)] = 0.05
    coalesce: Span = timedelta(seconds=4)
    lease: Span = timedelta(seconds=12)
    listen: bool = True

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before the file."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @property
    def policy(self) -> Policy:
        """The look-again rule as set."""
        return Policy(
            look_again_min=self.look_again_min,
            look_again_max=self.look_again_max,
            look_again_share=self.look_again_share,
            coalesce=self.coalesce,
            overdue_after=self.overdue_after,
            overdue_set="overdue_after" in self.model_fields_set,
            give_up_after=self.give_up_after,
            settle_after=self.settle_after,
            verify_every=self.verify_every,
        )

    @property
    def address(self) -> tuple[str, int]:
        """Where to listen: host and port."""
        host, _, port = self.bind.rpartition(":")
        return host.strip("[]"), int(port)


def load_settings(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings from a file and the environment.

    `path` must exist if given; without it `credsync.toml` is read if it is there. Raises `SettingsError`.
    """
    environment = os.environ if environment is None else environment
    file = path or DEFAULT_FILE
    values: dict[str, Any] = {}
    if path is not None or file.exists():
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{file} cannot be read as settings: {error}") from None
    faults = _unknown(values, environment, str(file))
    try:
        settings = Settings(**values)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        wrong = dict.fromkeys(str(item["loc"][0]) for item in errors if item["type"] != "extra_forbidden")
        faults += [_wrong(key, environment, str(file)) for key in wrong]
        raise SettingsError(_message(faults)) from None
    if settings.look_again_min > settings.look_again_max:
        faults.append("look_again_min must not be longer than look_again_max: shorten it, or lengthen that")
    if settings.oidc_issuer is not None and not (settings.oidc_client_id and settings.oidc_groups):
        faults.append(
            "oidc_issuer needs oidc_client_id, and oidc_groups that says which group gives which role"
        )
    if faults:
        raise SettingsError(_message(faults))
    return settings


def _unknown(values: Mapping[str, Any], environment: Mapping[str, str], file: str) -> list[str]:
    known = list(Settings.model_fields)
    faults = [_unknown_key(key, known, f"in {file}") for key in values if key not in known]
    for name in environment:
        key = name.removeprefix(ENV_PREFIX)
        if name.startswith(ENV_PREFIX) and not key.startswith(SECRETS) and key.lower() not in known:
            faults.append(_unknown_key(name, [ENV_PREFIX + k.upper() for k in known], "in the environment"))
    return faults


def _wrong(key: str, environment: Mapping[str, str], file: str) -> str:
    variable, expected = ENV_PREFIX + key.upper(), _EXPECTED.get(key, _SPAN)
    if variable in environment:
        return f"{variable} in the environment must be {expected}"
    return f"{key} in {file} must be {expected}" + ("" if key in _BARE else "; it stands in quotes")


def _unknown_key(key: str, known: list[str], where: str) -> str:
    guess = nearest(key, known)
    meant = f"did you mean {guess}?" if guess else f"known are {', '.join(known)}"
    return f"{key} {where} is no setting: {meant}"


def _message(faults: list[str]) -> str:
    return "The settings cannot be used:" + "".join(f"\n  {fault}" for fault in faults)


def webhook_secrets(portal: str, environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The client secrets that sign a portal's webhooks: none, one, or the new and the old one while it is changed.

    Two stand in one variable (or one file), with a comma, a blank or a line break between. Raises `SettingsError`.
    """
    key = f"{ENV_PREFIX}WEBHOOK_SECRET_{portal.upper().replace('-', '_')}"
    found = tuple(
        dict.fromkeys((secret(f"WEBHOOK_SECRET_{portal}", environment) or "").replace(",", " ").split())
    )
    if len(found) > MOST_WEBHOOK_SECRETS:
        raise SettingsError(
            f"{key} holds {len(found)} secrets: at most two, the new one and the one before it."
        )
    if not all(each.isascii() and each.isprintable() for each in found):
        raise SettingsError(f"{key} holds a character that no client secret has: copy it anew from HubSpot.")
    return found


def secret(name: str, environment: Mapping[str, str] | None = None) -> str | None:
    """A secret from the variable `CREDSYNC_<name>`, or from the file that `CREDSYNC_<name>_FILE` names.

    None where neither is set. Raises `SettingsError` for a file that cannot be read.
    """
    environment = os.environ if environment is None else environment
    key = ENV_PREFIX + name.upper().replace("-", "_")
    value = environment.get(key)
    if value:
        return value.strip()
    file = secret_file(name, environment)
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip() or None
    except OSError as error:
        raise SettingsError(f"{key}_FILE cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{key}_FILE cannot be read: it is not UTF-8 text") from None


def secret_file(name: str, environment: Mapping[str, str] | None = None) -> Path | None:
    """The file that holds a secret; None where the variable itself does, or neither is set."""
    environment = os.environ if environment is None else environment
    key = ENV_PREFIX + name.upper().replace("-", "_")
    file = environment.get(f"{key}_FILE")
    return Path(file) if file and not environment.get(key) else None
