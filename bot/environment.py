"""Where settings are read from, the environment and a file, and which of them each command needs."""

import os
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.sources import read_env_file

from bot.settings import Place, PostgresUrl, Settings, SettingsError, variable

_env_file: ContextVar[Path] = ContextVar("env_file", default=Path(".env"))


def read_settings(*, http: bool = False, **overrides: Any) -> Settings:
    """Read the settings for a start over Socket Mode or HTTP. Raises SettingsError with one line for the operator."""
    settings = _read(**overrides)
    needed = "slack_signing_secret" if http else "slack_app_token"
    secret: SecretStr | None = getattr(settings, needed)
    if secret is None or not secret.get_secret_value().strip():
        raise SettingsError(
            f"{variable(needed)} is not set: {_describe(variable(needed))} Set it in the environment or in .env."
        )
    if settings.openai_api_key is None and settings.openai_base_url is None:
        raise SettingsError(
            f"OPENAI_API_KEY is not set: {_describe('OPENAI_API_KEY')} Set it in the environment or in .env."
        )
    return settings


def read_for_demo(**ours: Any) -> Settings:
    """Read the settings for a demo, in which `ours` are those that it makes itself. Raises SettingsError."""
    return _read(**ours)


class _Place(BaseSettings):
    """The one setting of commands that have to work whatever else is malformed."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    database: Place = Field(Path("support.db"), validation_alias="BOT_DATABASE")


def read_database_place() -> Path | PostgresUrl:
    """Read where the database is, whatever the other settings say. Raises SettingsError when no one can tell."""
    try:
        return _Place(_env_file=_env_file.get()).database
    except UnicodeDecodeError:
        if "BOT_DATABASE" in os.environ:
            return _Place(_env_file=None).database
        raise SettingsError(f"{_env_file.get()} is not UTF-8, so it cannot be read. Set BOT_DATABASE.") from None
    except ValidationError as error:  # whose own text would tell a password
        what = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise SettingsError(f"BOT_DATABASE is malformed: {what}.") from None


def read_for_check() -> Settings:
    """Read the settings, whether or not they are enough for a start. Raises SettingsError."""
    return _read()


def use_env_file(path: Path) -> None:
    """Read settings from this file from now on, in place of `.env`."""
    _env_file.set(path)


def env_file() -> Path:
    """Return the file that settings are read from beside the environment."""
    return _env_file.get()


def share_with_opentelemetry() -> None:
    """Put what the file says in OTEL_… into the environment, where its SDK reads it; what is there already wins."""
    if env_file().is_file():
        for name, value in read_env_file(env_file(), encoding="utf-8", case_sensitive=True).items():
            if name.startswith("OTEL_") and value is not None:
                os.environ.setdefault(name, value)


def read_mcp_path() -> Path | None:
    """Read where the file of MCP servers is, if there is one. Raises SettingsError."""
    return _read(slack_bot_token="xoxb-").mcp  # noqa: S106 - as above


def read_model_settings(**overrides: Any) -> Settings:
    """Read the settings for what asks the model and needs nothing of Slack. Raises SettingsError."""
    return _read(slack_bot_token="xoxb-", **overrides)  # noqa: S106 - as above


def _read(**overrides: Any) -> Settings:
    try:
        return Settings(**{"_env_file": _env_file.get(), **overrides})
    except UnicodeDecodeError:
        raise SettingsError(f"{_env_file.get()} is not UTF-8, so it cannot be read. Save it as UTF-8.") from None
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper()
        if first["type"] == "missing":
            raise SettingsError(f"{name} is not set: {_describe(name)} Set it in the environment or in .env.") from None
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{name} is malformed: {reason}. {_describe(name)}") from None


def _describe(name: str) -> str:
    fields = (field for key, field in Settings.model_fields.items() if variable(key) == name)
    return next((field.description or "" for field in fields), "")
