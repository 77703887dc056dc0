"""What a store is and what its app may do there, as the bot finds it at its start."""

from dataclasses import dataclass, field

from bot.shop.remote import Json
from bot.shop.shop import ShopCheckError
from bot.shop.shopify import reading

_NEEDED = frozenset({"read_orders", "write_orders", "read_customers"})
_OF_RETURNS = frozenset({"read_returns", "write_returns"})


@dataclass(frozen=True, slots=True)
class Facts:
    """A store by its answer to `documents.SHOP`; before it has answered the app may do nothing that not all may."""

    data: Json = field(default_factory=dict)

    @property
    def returns(self) -> bool:
        """Whether the app may read returns and ask for them."""
        return self._scopes >= _OF_RETURNS

    @property
    def products(self) -> bool:
        """Whether the app may read what the store sells."""
        return "read_products" in self._scopes

    @property
    def affixes(self) -> tuple[str, str]:
        """What stands before and after the number in the names of orders."""
        shop = self.data["shop"]
        return shop["orderNumberFormatPrefix"], shop["orderNumberFormatSuffix"]

    @property
    def currency(self) -> str:
        """The currency in which the store has its prices."""
        return str(self.data["shop"]["currencyCode"])

    def require(self, version: str) -> None:
        """Raise ShopCheckError with what to do when the bot cannot work with it, in this version of the API."""
        if missing := sorted(_NEEDED - self._scopes):
            raise ShopCheckError(f"The app lacks the scopes {', '.join(missing)}; add them to it and install it again.")
        supported = {one["handle"] for one in self.data["publicApiVersions"] if one["supported"]}
        if version not in supported:
            newest = max((one for one in supported if one[:1].isdigit()), default="")
            raise ShopCheckError(f"Shopify has no version {version} any more; set BOT_SHOPIFY_VERSION to {newest}.")
        shown = [reading.customer(node).email for node in self.data["customers"]["nodes"]]
        if shown and not any(shown):
            raise ShopCheckError(
                "Shopify hides customers' e-mail addresses from this app, so every customer would be a stranger. "
                "Give it access to protected customer data, e-mail included."
            )

    @property
    def _scopes(self) -> set[str]:
        if not self.data:
            return set()
        return {scope["handle"] for scope in self.data["currentAppInstallation"]["accessScopes"]}
