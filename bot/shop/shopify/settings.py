"""What the operator says of a Shopify store."""

from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class ShopifySettings(BaseSettings):
    """The store (`example.myshopify.com`), and an app's id and secret, or a token of an older app."""

    model_config = SettingsConfigDict(env_prefix="BOT_SHOPIFY_", env_file=".env", extra="ignore")

    store: str
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    token: SecretStr | None = None
    version: str = "2026-10"
    url: str | None = None
    timeout_seconds: float = 15.0

    @model_validator(mode="after")
    def _has_a_key(self) -> "ShopifySettings":
        if self.token is None and not (self.client_id and self.client_secret.get_secret_value()):
            raise ValueError("set BOT_SHOPIFY_CLIENT_ID and BOT_SHOPIFY_CLIENT_SECRET, or BOT_SHOPIFY_TOKEN")
        return self
