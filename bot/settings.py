"""Every setting of the bot, read once from the environment and `.env`."""

import logging
import os
import re
from contextvars import ContextVar
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.model_settings import ModelFields, printable
from bot.policy import usable_policy
from bot.prices import read_prices

logger = logging.getLogger(__name__)
_env_file: ContextVar[Path] = ContextVar("env_file", default=Path(".env"))
Ids = Annotated[tuple[str, ...], NoDecode]

RUN_MODEL_CALLS = 3  # that a run has time for: a look-up is two, and one may have to be asked again


class SettingsError(Exception):
    """A setting is missing or malformed; the text says which one and what to do."""


class PostgresUrl(SecretStr):
    """The address of a PostgreSQL database; what is shown of it has no password."""

    def _display(self) -> str:
        parts = urlsplit(self.get_secret_value())
        return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"


def database_place_of(word: str) -> Path | PostgresUrl:
    """Read where a database is: a file, or an address in PostgreSQL."""
    return PostgresUrl(word) if word.startswith(("postgresql:", "postgres:")) else Path(word)


def _database_place(value: Any) -> Any:
    return database_place_of(value) if isinstance(value, str) else value


Place = Annotated[Path | PostgresUrl, BeforeValidator(_database_place)]


class Settings(ModelFields):
    """What the operator decides. Each field's description is its line in the README."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    slack_bot_token: SecretStr = Field(description="Bot token, starts with xoxb- (OAuth & Permissions).")
    slack_app_token: SecretStr | None = Field(
        None, description="App-level token with connections:write, starts with xapp-; needed for Socket Mode."
    )
    slack_signing_secret: SecretStr | None = Field(
        None, description="Signing secret (Basic Information); needed for `--http`."
    )
    slack_config_token: SecretStr | None = Field(
        None,
        description="Configuration token, by which `support-bot check` compares the app's events; else not needed.",
    )
    slack_api_url: str = Field("https://slack.com/api/", description="Slack's Web API; a test server otherwise.")

    model_prices: str | None = Field(
        None,
        validation_alias="BOT_MODEL_PRICES",
        description="Dollars for a million tokens read and written, such as `gpt-5.4-mini=0.25/2.00`; for the log.",
    )

    database: Place = Field(
        Path("support.db"),
        validation_alias="BOT_DATABASE",
        description="SQLite file with the log and the shop; or `postgresql://…`, for the log on several machines.",
    )
    shop_database: Path | None = Field(
        None,
        validation_alias="BOT_SHOP_DATABASE",
        description="SQLite file of the built-in shop; that of `BOT_DATABASE`, or `support.db`, when not set.",
    )
    shop: str = Field(
        "sqlite",
        validation_alias="BOT_SHOP",
        description="The shop: `sqlite`, the built-in one, `shopify`, `vendure`, `stripe`, or "
        "`package.module:factory`, which makes one of your own.",
    )
    tools: Ids = Field(
        (), validation_alias="BOT_TOOLS", description="Modules (`package.module`) with tools of your own."
    )
    tools_off: Ids = Field((), validation_alias="BOT_TOOLS_OFF", description="Tools that are not offered, by name.")
    mcp: Path | None = Field(
        None, validation_alias="BOT_MCP", description="File of MCP servers (`mcp.json`) whose listed tools are offered."
    )
    approvers: Ids = Field(
        (),
        validation_alias="BOT_APPROVERS",
        description="Users (U…) and user groups (S…) who may approve; the workspace's admins and owners when not set.",
    )
    staff: Ids = Field(
        (), validation_alias="BOT_STAFF", description="Users and user groups who may look up anybody's orders."
    )
    trusted_teams: Ids = Field(
        (),
        validation_alias="BOT_TRUSTED_TEAMS",
        description="Other workspaces (T…) whose people are served too, also in channels shared with them.",
    )
    approval_channel: str | None = Field(
        None,
        validation_alias="BOT_APPROVAL_CHANNEL",
        description="Channel (C…) that gets a copy of every approval card; the bot must be in it.",
    )
    escalation_channel: str | None = Field(
        None,
        validation_alias="BOT_ESCALATION_CHANNEL",
        description="Channel (C…) that gets hand-overs to people and urgent messages; the bot must be in it.",
    )
    help_folder: Path | None = Field(
        None,
        validation_alias="BOT_HELP_FOLDER",
        description="Folder with help articles (`*.md`) that the bot may search and cite.",
    )
    policy: Annotated[Path, AfterValidator(usable_policy)] | None = Field(
        None,
        validation_alias="BOT_POLICY_FILE",
        description="Markdown file with the shop's own rules, which the model is given after the bot's.",
    )
    link_hosts: Ids = Field(
        (),
        validation_alias="BOT_LINK_HOSTS",
        description="Hosts that the model may name in a link, such as `shop.example.com`; any other link is removed.",
    )
    private_answers: bool = Field(
        default=True,
        validation_alias="BOT_PRIVATE_ANSWERS",
        description="Whether in public channels all but an order's status and dates is shown to who asks alone.",
    )
    allow_self_approval: bool = Field(
        default=False,
        validation_alias="BOT_ALLOW_SELF_APPROVAL",
        description="Whether approvers may approve what they asked for themselves, or what is about their own order.",
    )
    approval_hours: float = Field(
        24, gt=0, le=24 * 30, validation_alias="BOT_APPROVAL_HOURS", description="Hours until a request expires."
    )
    max_steps: int = Field(
        8, ge=1, le=50, validation_alias="BOT_MAX_STEPS", description="Model calls that one message may cost at most."
    )
    max_calls: int = Field(
        10,
        ge=1,
        le=100,
        validation_alias="BOT_MAX_CALLS",
        description="Tool calls that one model turn may make at most.",
    )
    calls_per_thread_hour: int = Field(
        60,
        ge=1,
        validation_alias="BOT_CALLS_PER_THREAD_HOUR",
        description="Tool calls that one person may have made in a thread an hour.",
    )
    requests_per_thread_day: int = Field(
        5,
        ge=1,
        validation_alias="BOT_REQUESTS_PER_THREAD_DAY",
        description="Requests for approval (of one tool) that a person may make in a thread a day, refused ones too.",
    )
    requests_per_user_day: int = Field(
        8,
        ge=1,
        validation_alias="BOT_REQUESTS_PER_USER_DAY",
        description="Requests for approval (of one tool) that a person may make in all a day, refused ones too.",
    )
    runs_per_user_hour: int = Field(
        60,
        ge=1,
        validation_alias="BOT_RUNS_PER_USER_HOUR",
        description="Messages of one person that are answered an hour; one that joins an answer under way is free.",
    )
    tokens_per_user_hour: int = Field(
        1_000_000,
        ge=1_000,
        validation_alias="BOT_TOKENS_PER_USER_HOUR",
        description="Tokens after which a person's further messages of the hour wait, as the model counts them.",
    )
    escalations_per_user_hour: int = Field(
        5,
        ge=1,
        validation_alias="BOT_ESCALATIONS_PER_USER_HOUR",
        description="Times that people are called for one person an hour, urgent messages included.",
    )
    clicks_per_user_hour: int = Field(
        120,
        ge=1,
        validation_alias="BOT_CLICKS_PER_USER_HOUR",
        description="Presses of buttons by one person that are looked at an hour.",
    )
    max_runs: int = Field(
        500,
        ge=1,
        validation_alias="BOT_MAX_RUNS",
        description="Messages that one process answers at once; others wait, and who has the fewest comes first.",
    )
    tokens_per_run: int = Field(
        100_000,
        ge=1_000,
        validation_alias="BOT_TOKENS_PER_RUN",
        description="Tokens that answering one message may cost, as the model counts them.",
    )
    history_tokens: int = Field(
        24_000,
        ge=1_000,
        validation_alias="BOT_HISTORY_TOKENS",
        description="Tokens of a thread, estimated, that the model reads; what is older becomes a line of facts.",
    )
    customer_may_confirm: Decimal = Field(
        Decimal(0),
        ge=0,
        validation_alias="BOT_CUSTOMER_MAY_CONFIRM",
        description="US dollars that may come back on the customer's own click; more needs an approver after it.",
    )
    address_change_limit: Decimal = Field(
        Decimal(200),
        ge=0,
        validation_alias="BOT_ADDRESS_CHANGE_LIMIT",
        description="US dollars of an order above which an approver has to agree to another address of it.",
    )
    account_undo_days: int = Field(
        30,
        ge=1,
        validation_alias="BOT_ACCOUNT_UNDO_DAYS",
        description="Days in which a deleted account can be brought back, before name and e-mail are erased.",
    )
    tool_timeout_seconds: float = Field(
        15, gt=0, validation_alias="BOT_TOOL_TIMEOUT_SECONDS", description="Seconds that one tool call may take."
    )
    run_timeout_seconds: float | None = Field(
        None,
        gt=0,
        validation_alias="BOT_RUN_TIMEOUT_SECONDS",
        description="Seconds that answering a message may take; three times those of a model call when not set.",
    )
    paused: bool = Field(
        default=False,
        validation_alias="BOT_PAUSED",
        description="Whether nothing can be approved for now; `support-bot pause` does the same while the bot runs.",
    )
    stale_minutes: float = Field(
        15,
        gt=0,
        validation_alias="BOT_STALE_MINUTES",
        description="Minutes after which a message that was found late is asked about before anything is done.",
    )
    direct_message_minutes: float = Field(
        30,
        ge=0,
        validation_alias="BOT_DIRECT_MESSAGE_MINUTES",
        description="Minutes after the bot's last word in which a direct message goes on in the same conversation.",
    )
    lines_seconds: float = Field(
        0.3,
        ge=0,
        le=10,
        validation_alias="BOT_LINES_SECONDS",
        description="Seconds to wait in a direct message or a thread for the next line, before the model is asked.",
    )
    lease_seconds: float = Field(
        15,
        gt=0,
        validation_alias="BOT_LEASE_SECONDS",
        description="Seconds without a sign of life after which another process on the same database takes over.",
    )
    sweep_seconds: float = Field(
        5,
        gt=0,
        validation_alias="BOT_SWEEP_SECONDS",
        description="Seconds between two looks at requests: what expires, what is reminded of, what is paused.",
    )
    hours: float | None = Field(
        24,
        gt=0,
        validation_alias="BOT_HOURS",
        description="Hours after which the bot answers again in a thread that was handed over to people.",
    )
    retention_days: float | None = Field(
        None,
        gt=0,
        validation_alias="BOT_RETENTION_DAYS",
        description="Days after its last message that a thread is erased; finished requests stay, without a name.",
    )
    silence_seconds: float = Field(
        40,
        gt=0,
        validation_alias="BOT_SILENCE_SECONDS",
        description="Seconds of silence until Socket Mode is connected again; after three times as many the bot ends.",
    )
    health_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        validation_alias="BOT_HEALTH_PORT",
        description="Port of `/healthz`, `/readyz` and `/metrics`; when not set they are on the port of `--http`.",
    )
    stop_seconds: float = Field(
        10, gt=0, validation_alias="BOT_STOP_SECONDS", description="Seconds that finishing work may take at a stop."
    )

    @property
    def shop_file(self) -> Path:
        """Where the built-in shop is."""
        return self.shop_database or (self.database if isinstance(self.database, Path) else Path("support.db"))

    @field_validator("approvers", "staff", "trusted_teams", "link_hosts", "tools", "tools_off", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = tuple(filter(None, (part.strip() for part in value.split(","))))
        if value and not parts:  # read as nothing, it would silently be the default, such as every admin
            raise ValueError("it is set and names nobody; remove it or name somebody")
        return parts

    @field_validator("link_hosts")
    @classmethod
    def _hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        read = tuple(map(_host, hosts))
        for given, host in zip(hosts, read, strict=True):
            if given.lower() != host:
                logger.warning("BOT_LINK_HOSTS: “%s” is read as the host %s and all below it.", given, host)
        return read

    @field_validator("model_prices")
    @classmethod
    def _prices(cls, prices: str | None) -> str | None:
        read_prices(prices or "")
        return prices

    @field_validator("approvers", "staff")
    @classmethod
    def _people(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        return _starting(ids, ("U", "W", "S"), "ids of users (U…) or user groups (S…), separated by commas")

    @field_validator("trusted_teams")
    @classmethod
    def _teams(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        return _starting(ids, ("T", "E"), "ids of workspaces (T…), separated by commas")

    @field_validator("slack_bot_token")
    @classmethod
    def _bot_token(cls, token: SecretStr) -> SecretStr:
        return _token(token, "xoxb-")

    @field_validator("slack_app_token")
    @classmethod
    def _app_token(cls, token: SecretStr | None) -> SecretStr | None:
        return _token(token, "xapp-") if token else None

    @field_validator("slack_api_url")
    @classmethod
    def _slash(cls, url: str) -> str:
        return url if url.endswith("/") else url + "/"

    @property
    def run_seconds(self) -> float:
        """How long answering a message may take."""
        return self.run_timeout_seconds or RUN_MODEL_CALLS * self.model_timeout_seconds


def _starting(ids: tuple[str, ...], prefixes: tuple[str, ...], wanted: str) -> tuple[str, ...]:
    for one in ids:
        if not one.startswith(prefixes) or not one.isalnum():
            raise ValueError(f"“{one}” is not one of: {wanted}")
    return ids


def _host(text: str) -> str:
    """Return a host in lower case, taken out of an address where one is given in its place."""
    parts = urlsplit(text if "//" in text else f"//{text}")
    host = (parts.hostname or "").removeprefix("*.").rstrip(".")
    if parts.path.strip("/") or parts.username or not re.fullmatch(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", host):
        raise ValueError(f"“{text}” is not a host such as shop.example.com")
    return host


def _token(token: SecretStr, prefix: str) -> SecretStr:
    printable(token)
    if not token.get_secret_value().startswith(prefix):
        raise ValueError(f"the token starts with {prefix}")
    return token


def variable(field: str) -> str:
    """Name the environment variable of a field."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else field.upper()


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


def read_for_check() -> Settings:
    """Read the settings, whether or not they are enough for a start. Raises SettingsError."""
    return _read()


def use_env_file(path: Path) -> None:
    """Read settings from this file from now on, in place of `.env`."""
    _env_file.set(path)


def env_file() -> Path:
    """Return the file that settings are read from beside the environment."""
    return _env_file.get()


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
