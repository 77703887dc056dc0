"""Every setting of the bot, read once from the environment and `.env`."""

import logging
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from bot.approval_settings import ApprovalFields
from bot.limit_settings import LimitFields
from bot.model_settings import ModelFields, printable
from bot.policy import usable_policy
from bot.prices import read_prices

logger = logging.getLogger(__name__)
Ids = Annotated[tuple[str, ...], NoDecode]
ORDER_PLACE = "{order}"  # where an order's number stands in `order_links`
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
    if not isinstance(value, str):
        return value
    place = database_place_of(value)
    if isinstance(place, Path) and "://" in value:  # a password may stand in it, so it is not told
        raise ValueError("it is a file, or an address that begins with postgresql://")
    return place


Place = Annotated[Path | PostgresUrl, BeforeValidator(_database_place)]


class Settings(ApprovalFields, ModelFields, LimitFields):
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
    escalate_approvers: Ids = Field(
        (),
        validation_alias="BOT_ESCALATE_APPROVERS",
        description="Users and user groups who are asked next, and may then decide, when a request waits for too long.",
    )
    escalate_minutes: float | None = Field(
        None,
        gt=0,
        validation_alias="BOT_ESCALATE_MINUTES",
        description="Minutes that a request waits for approvers until those of `BOT_ESCALATE_APPROVERS` are asked; "
        "when not set, and at the latest, three quarters of its time.",
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
        description="Channel (C…) in which approvers get every card with its buttons; the bot must be in it.",
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
    order_links: str | None = Field(
        None,
        validation_alias="BOT_ORDER_LINKS",
        description="The shop's address of an order, such as `https://shop.example.com/orders/{order}`; below a link "
        "to one stands its status.",
    )
    private_answers: bool = Field(
        default=True,
        validation_alias="BOT_PRIVATE_ANSWERS",
        description="Whether in public channels all but an order's status and dates is shown to who asks alone.",
    )
    streaming: bool = Field(
        default=True,
        validation_alias="BOT_STREAMING",
        description="Whether a run of several steps shows them in a timeline that Slack streams, and an answer that "
        "takes long is read while it is written.",
    )
    allow_self_approval: bool = Field(
        default=False,
        validation_alias="BOT_ALLOW_SELF_APPROVAL",
        description="Whether approvers may approve what they asked for themselves, or what is about their own order.",
    )
    approval_hours: float = Field(
        24, gt=0, le=24 * 30, validation_alias="BOT_APPROVAL_HOURS", description="Hours until a request expires."
    )
    account_undo_days: int = Field(
        30,
        ge=1,
        validation_alias="BOT_ACCOUNT_UNDO_DAYS",
        description="Days in which a deleted account can be brought back, before name and e-mail are erased.",
    )
    paused: bool = Field(
        default=False,
        validation_alias="BOT_PAUSED",
        description="Whether nothing can be approved for now; `support-bot pause` does the same while the bot runs.",
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
    health_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        validation_alias="BOT_HEALTH_PORT",
        description="Port of `/healthz`, `/readyz` and `/metrics`; when not set they are on the port of `--http`.",
    )

    @property
    def shop_file(self) -> Path:
        """Where the built-in shop is."""
        return self.shop_database or (self.database if isinstance(self.database, Path) else Path("support.db"))

    @property
    def run_seconds(self) -> float:
        """How long answering a message may take."""
        return self.run_timeout_seconds or RUN_MODEL_CALLS * self.model_timeout_seconds

    @field_validator(
        *("approvers", "escalate_approvers", "staff", "trusted_teams", "link_hosts", "tools", "tools_off"),
        mode="before",
    )
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

    @field_validator("order_links")
    @classmethod
    def _order_links(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            parts = urlsplit(pattern)
            if parts.scheme not in ("http", "https") or not parts.hostname or ORDER_PLACE in parts.netloc:
                raise ValueError("it is an address such as https://shop.example.com/orders/{order}")
            if pattern.count(ORDER_PLACE) != 1 or "#" in pattern.partition(ORDER_PLACE)[0]:
                raise ValueError("it has {order} once, where an order's number stands")
        return pattern

    @field_validator("model_prices")
    @classmethod
    def _prices(cls, prices: str | None) -> str | None:
        read_prices(prices or "")
        return prices

    @field_validator("approvers", "escalate_approvers", "staff")
    @classmethod
    def _people(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        return _starting(ids, ("U", "W", "S"), "ids of users (U…) or user groups (S…), separated by commas")

    @field_validator("trusted_teams")
    @classmethod
    def _teams(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        return _starting(ids, ("T", "E"), "ids of workspaces (T…), separated by commas")

    @field_validator("slack_signing_secret")
    @classmethod
    def _secret(cls, secret: SecretStr | None) -> SecretStr | None:
        return printable(secret) if secret and secret.get_secret_value().strip() else secret

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
