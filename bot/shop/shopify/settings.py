"""What the operator says of a Shopify store."""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.shop.remote import HeaderKey


def _store(value: str) -> str:
    """Return the store's host, also of the address of its admin, and of its name alone."""
    host = re.sub(r"^https?://|[/?#].*$", "", value.strip().lower())
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)*(:\d+)?", host):
        raise ValueError("a store is named as example.myshopify.com")
    return host if "." in host or ":" in host else f"{host}.myshopify.com"


class ShopifySettings(BaseSettings):
    """The store (`example.myshopify.com`), and an app's id and secret, or a token of an older app."""

    model_config = SettingsConfigDict(env_prefix="BOT_SHOPIFY_", env_file=".env", extra="ignore", env_ignore_empty=True)

    store: Annotated[str, AfterValidator(_store)]
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    token: HeaderKey | None = None
    version: str = "2026-10"
    url: str | None = None
    timeout_seconds: float = 15.0

    @model_validator(mode="after")
    def _has_a_key(self) -> "ShopifySettings":
        if self.token is None and not (self.client_id and self.client_secret.get_secret_value()):
            raise ValueError("set BOT_SHOPIFY_CLIENT_ID and BOT_SHOPIFY_CLIENT_SECRET, or BOT_SHOPIFY_TOKEN")
        return self
