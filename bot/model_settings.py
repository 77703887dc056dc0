"""Which models are asked, where and how: the settings that the rest of the bot reads as `Settings.models`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

_UNFILLED = re.compile(r"\.{3}$|^\$|^%\w+%$|^\{\{|^[A-Z]+(?:_[A-Z]+)+=|^(?:sk|xox[bp]|xapp)-x+$", re.ASCII)
_ADDED = re.compile(r"/(chat(/completions)?|completions|responses|models|messages|generate|embeddings)/?$")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How one model is reached and asked; `parameters` go with each request as they are."""

    name: str
    base_url: str | None
    key: str | None
    timeout_seconds: float
    headers: tuple[tuple[str, str], ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


class ModelFields(BaseSettings):
    """The part of the settings that is about models."""

    openai_api_key: SecretStr | None = Field(
        None, description="API key; any text for a compatible server that wants none."
    )
    openai_base_url: str | None = Field(
        None, description="A server that speaks Chat Completions with tools; OpenAI's own when not set."
    )
    openai_model: str = Field("gpt-5.4-mini", description="The model to ask.")
    openai_fallback_model: str | None = Field(None, description="The model to ask when the first one fails.")
    openai_fallback_base_url: str | None = Field(
        None, description="The server of the fallback model; that of the first one when not set."
    )
    openai_fallback_api_key: SecretStr | None = Field(
        None, description="The API key for the fallback model's server; that of the first one when neither is set."
    )
    model_sees_pictures: bool = Field(
        default=False,
        validation_alias="BOT_MODEL_SEES_PICTURES",
        description="Whether the model gets the pictures that people send; if not, they are told that it does not.",
    )
    model_temperature: float | None = Field(
        None,
        ge=0,
        le=2,
        validation_alias="BOT_MODEL_TEMPERATURE",
        description="Temperature of the models; the server's own when not set.",
    )
    model_max_tokens: int | None = Field(
        None,
        ge=16,
        validation_alias="BOT_MODEL_MAX_TOKENS",
        description="Tokens that one answer of a model may have, thoughts included; as the server has it when not set.",
    )
    model_reasoning_effort: str | None = Field(
        None,
        pattern=r"^[a-z]+$",
        validation_alias="BOT_MODEL_REASONING_EFFORT",
        description="How much the models think, such as `low`; as the server has it when not set.",
    )
    model_headers: Annotated[tuple[tuple[str, str], ...], NoDecode] = Field(
        (),
        validation_alias="BOT_MODEL_HEADERS",
        description="Headers for the models' servers, such as `X-Title: Support, X-Team: shop`.",
    )
    sorting: bool | None = Field(
        None,
        validation_alias="BOT_SORTING",
        description="Whether threads are sorted by what they are about, which is a request of its own; when not set, "
        "yes, but not where the model's server is on this machine or a private network: it may have one slot only.",
    )
    model_timeout_seconds: float = Field(
        120, gt=0, validation_alias="BOT_MODEL_TIMEOUT_SECONDS", description="Seconds that one model call may take."
    )

    @field_validator("model_headers", mode="before")
    @classmethod
    def _headers(cls, value: Any) -> Any:
        return tuple(map(_header, filter(str.strip, value.split(",")))) if isinstance(value, str) else value

    @field_validator("openai_api_key", "openai_fallback_api_key")
    @classmethod
    def _api_key(cls, key: SecretStr | None) -> SecretStr | None:
        return printable(key) if key else None

    @field_validator("openai_base_url", "openai_fallback_base_url")
    @classmethod
    def _base_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        url = url.strip()
        if not re.fullmatch(r"https?://[!-~]+", url) or not _has_host(url):
            raise ValueError("it is an address such as https://models.example.com/v1")
        if added := _ADDED.search(url):
            raise ValueError(f"it ends before {added[0]}: /chat/completions is added to it")
        return url

    @field_validator("openai_model", "openai_fallback_model")
    @classmethod
    def _model_name(cls, name: str | None) -> str | None:
        if name is not None and not (name.strip() and name.isprintable()):
            raise ValueError("it is a name such as gpt-5.4-mini")
        return name and name.strip()

    @field_validator("model_reasoning_effort", mode="before")
    @classmethod
    def _effort(cls, effort: Any) -> Any:
        return effort.strip().lower() if isinstance(effort, str) else effort

    @property
    def models(self) -> tuple[ModelSettings, ...]:
        """The models to ask, the first one first."""
        key, url = _secret(self.openai_api_key), self.openai_base_url
        first = self._model(self.openai_model, url, key)
        if self.openai_fallback_model is None:
            return (first,)
        other_url, other_key = self.openai_fallback_base_url or url, _secret(self.openai_fallback_api_key)
        own_server = self.openai_fallback_base_url not in (None, url)
        return (first, self._model(self.openai_fallback_model, other_url, other_key or (None if own_server else key)))

    def _model(self, name: str, base_url: str | None, api_key: str | None) -> ModelSettings:
        parameters = {
            "temperature": self.model_temperature,
            "max_completion_tokens": self.model_max_tokens,
            "reasoning_effort": self.model_reasoning_effort,
        }
        given = {key: value for key, value in parameters.items() if value is not None}
        return ModelSettings(name, base_url, api_key, self.model_timeout_seconds, self.model_headers, given)

    @property
    def sorts(self) -> bool:
        """Whether threads are sorted, as set or else by where the model is."""
        return self.sorting if self.sorting is not None else not _is_private(self.openai_base_url)


def printable(secret: SecretStr) -> SecretStr:
    """Return the secret as it is. Raises ValueError when it holds a character that no key has."""
    text = secret.get_secret_value()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("it holds a space, a line break or a character that no key has; copy it again")
    if _UNFILLED.search(text):
        raise ValueError("it is a place for a key or the name of one, and no key")
    if text[:1] in ("'", '"', "`"):  # not every reader of a file of settings takes them off
        raise ValueError("it stands in quotation marks; leave them out")
    return secret


def _secret(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _header(text: str) -> tuple[str, str]:
    name, colon, value = (part.strip() for part in text.partition(":"))
    if not colon or not re.fullmatch(r"[A-Za-z0-9-]+", name) or not re.fullmatch(r"[ -~]+", value):
        raise ValueError("it is headers such as X-Title: Support, separated by commas")
    return name, value


def _has_host(url: str) -> bool:
    """Return whether an address has a host, a port if any that can be, and nothing behind its path."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:
        return False


def _is_private(url: str | None) -> bool:
    """Return whether a server is on this machine or in a private network."""
    host = urlsplit(url or "https://api.openai.com").hostname or ""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan", ".localhost", ".home.arpa"))
