"""The Shop port over a Shopify store.

Refunds go out under Shopify's own idempotency key, which it forgets after a day; so the key stands in the refund's
note as well, by which a refund is found for ever. A cancellation takes no key: it stands in the staff's note.
"""

import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import timedelta

from aiohttp import ClientSession
from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.shop.changes import Applied, AppliedStatus, CancelOrder, Change, ChangeAddress, Quote, Refund, RefundReason
from bot.shop.money import Money
from bot.shop.orders import Address, Customer, Order, Product, Profile
from bot.shop.quotes import OUTDATED_QUOTE, quote_cancellation, quote_refund
from bot.shop.remote import Json, OutcomeUnknownError, Remote
from bot.shop.shop import LookFirst, Reading, Safe, ShopCheckError, ShopRefusedError, ShopUnavailableError
from bot.shop.shopify import documents, reading
from bot.shop.shopify.api import AdminApi, Tokens

_MAX_ORDERS = 20
_SCOPES = frozenset({"read_orders", "write_orders", "read_customers"})
_DISCREPANCY = {RefundReason.DEFECTIVE: "DAMAGE", RefundReason.WRONG_ITEM: "DAMAGE"}


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


@asynccontextmanager
async def open_shopify(settings: ShopifySettings | None = None) -> AsyncIterator["Shopify"]:
    """Give the shop while its connections are open; what is not given is read from `BOT_SHOPIFY_…`."""
    settings = settings or ShopifySettings()
    async with ClientSession() as session:
        remote = Remote(session, settings.url or f"https://{settings.store}", seconds=settings.timeout_seconds)
        tokens = Tokens(
            remote,
            token=settings.token.get_secret_value() if settings.token else None,
            client_id=settings.client_id,
            client_secret=settings.client_secret.get_secret_value(),
        )
        yield Shopify(AdminApi(remote, tokens, settings.version))


class Shopify:
    """The Shop port over Shopify's Admin API."""

    def __init__(self, api: AdminApi) -> None:
        self._api = api
        self._affixes: tuple[str, str] | None = None

    @property
    def replay(self) -> Safe | LookFirst:
        """Keys are kept for 24 hours; some of them are left to the clock."""
        return Safe(timedelta(hours=20))

    @property
    def changes(self) -> Collection[type[Change]]:
        """What a store does for an order as a whole."""
        return (Refund, CancelOrder, ChangeAddress)

    @property
    def reads(self) -> Collection[Reading]:
        """Neither: only orders and customers are read."""
        return ()

    async def check(self) -> None:
        """Ask for what the bot needs. Raises ShopCheckError with what to do."""
        try:
            data = await self._api.read(documents.SHOP)
        except ShopUnavailableError as error:
            raise ShopCheckError(
                f"{error} Check BOT_SHOPIFY_STORE, and the app's id and secret, or its token."
            ) from error
        scopes = {scope["handle"] for scope in data["currentAppInstallation"]["accessScopes"]}
        if missing := sorted(_SCOPES - scopes):
            raise ShopCheckError(f"The app lacks the scopes {', '.join(missing)}; add them to it and install it again.")
        shown = [reading.customer(node["customer"]) for node in data["orders"]["nodes"] if node["customer"]]
        if shown and not shown[0].email:
            raise ShopCheckError(
                "Shopify hides customers' e-mail addresses from this app, so every customer would be a stranger. "
                "Give it access to protected customer data, e-mail included."
            )

    def order_number(self, text: str) -> str | None:
        """Return the order's name that the text is, such as #1001 or WEB-2026-#77-A."""
        name = text.strip()
        return name if re.fullmatch(r"#?[\w./-]*#?[\w./-]{1,30}", name) and re.search(r"\d", name) else None

    async def order(self, number: str) -> Order | None:
        """Return the order with this name, written with the store's prefix and suffix or without."""
        node = await self._node(number)
        return reading.order(node) if node else None

    async def customer(self, email: str) -> Customer | None:
        """Find the customer with this e-mail address, in any case of letters."""
        wanted = email.strip().lower()
        if not wanted:
            return None
        found = (await self._api.read(documents.CUSTOMER_BY_EMAIL, email=wanted))["customerByIdentifier"]
        one = reading.customer(found) if found else None
        return one if one and one.email == wanted else None

    async def orders(self, customer: Customer, *, most: int) -> list[Order]:
        """List a customer's orders, the latest first, at most twenty and ten lines of each: a list costs points."""
        data = await self._api.read(documents.ORDERS_OF_CUSTOMER, id=customer.id, most=min(most, _MAX_ORDERS))
        return [reading.order(node) for node in (data["customer"] or {"orders": {"nodes": []}})["orders"]["nodes"]]

    async def profile(self, customer: Customer) -> Profile:
        """Return the customer; addresses and payment methods are not read."""
        return Profile(customer, None, ())

    async def products(self, query: str, *, most: int) -> list[Product]:  # noqa: ARG002 - the port's
        """Find nothing: the catalogue is not read."""
        return []

    async def quote(self, change: Change) -> Quote:
        """Say what the change would do now."""
        return _quote(await self._node_of(change), change)

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Look for the key, check the quote, and make the change under the key."""
        node = await self._node_of(change)
        if applied := _applied(node, change, key):
            return applied
        if _quote(node, change) != quote:
            raise ShopRefusedError(OUTDATED_QUOTE)
        try:
            return await self._make(node, change, quote, key)
        except ShopRefusedError:
            # An error of a user's has no code, so it is believed only when the change is not there.
            if applied := _applied(await self._node_of(change), change, key):
                return applied
            raise

    async def applied(self, change: Change, key: str) -> Applied | None:
        """Look for the key in the notes of the order."""
        return _applied(await self._node_of(change), change, key)

    async def erase_due(self) -> None:
        """Nothing is kept here."""

    async def _make(self, node: Json, change: Change, quote: Quote, key: str) -> Applied:
        if isinstance(change, Refund) and quote.balance:
            sent = _refund_input(node, change, quote.balance, key)
            result = (await self._api.change(documents.REFUND, input=sent, key=key))["refundCreate"]
            _check_errors(result["userErrors"])
            if not result["refund"]:
                raise OutcomeUnknownError("Shopify answered without a refund.")
            return Applied(result["refund"]["id"], reading.refund_status(result["refund"]))
        if isinstance(change, CancelOrder):
            data = await self._api.change(
                documents.CANCEL, orderId=node["id"], staffNote=f"By the customer. {_mark(key)}"
            )
            _check_errors(data["orderCancel"]["orderCancelUserErrors"])
            return _applied(await self._node_of(change), change, key) or Applied(node["id"], AppliedStatus.PENDING)
        if isinstance(change, ChangeAddress):
            sent = {"id": node["id"], "shippingAddress": _address_input(change.address)}
            _check_errors((await self._api.change(documents.CHANGE_ADDRESS, input=sent))["orderUpdate"]["userErrors"])
            return Applied(node["id"])
        raise ShopRefusedError("This shop can't do that.")

    async def _node_of(self, change: Change) -> Json:
        number = getattr(change, "order_id", None)
        if not number:
            raise ShopRefusedError("This shop can't do that.")
        if (node := await self._node(number)) is None:
            raise ShopRefusedError(f"There is no order {number}.")
        return node

    async def _node(self, number: str) -> Json | None:
        """Find the order by its name, which is compared in full: what Shopify does is a search."""
        if self.order_number(number) is None:
            return None
        prefix, suffix = await self._name_affixes()
        names = {number, f"{prefix}{number.removeprefix('#')}{suffix}"}
        plain = number.replace("\\", "").replace('"', "")
        found = (await self._api.read(documents.ORDERS_BY_NAME, query=f'name:"{plain}"'))["orders"]["nodes"]
        for node in found:
            if node["name"] in names:
                return await self._with_all_lines(node)
        return None

    async def _with_all_lines(self, node: Json) -> Json:
        page = node["lineItems"]
        while page["pageInfo"]["hasNextPage"]:
            data = await self._api.read(documents.MORE_LINES, id=node["id"], after=page["pageInfo"]["endCursor"])
            page = data["order"]["lineItems"]
            node["lineItems"]["nodes"] += page["nodes"]
        return node

    async def _name_affixes(self) -> tuple[str, str]:
        if self._affixes is None:
            shop = (await self._api.read(documents.SHOP))["shop"]
            self._affixes = (shop["orderNumberFormatPrefix"], shop["orderNumberFormatSuffix"])
        return self._affixes


def _mark(key: str) -> str:
    return f"[support-bot:{key}]"


def _quote(node: Json, change: Change) -> Quote:
    order = reading.order(node)
    if isinstance(change, Refund):
        return quote_refund(order, change, reading.left_by_line(node, order.items))
    if isinstance(change, CancelOrder):
        return quote_cancellation(order)
    if isinstance(change, ChangeAddress):
        if not order.cancellable:
            raise ShopRefusedError(f"{order.id} is {order.status}, so its address can't be changed any more.")
        country = order.address.country if order.address else change.address.country
        abroad = country != change.address.country
        return Quote(order.customer, order.id, total=order.total, address=order.address, goes_abroad=abroad)
    raise ShopRefusedError("This shop can't do that.")


def _applied(node: Json, change: Change, key: str) -> Applied | None:
    if isinstance(change, Refund):
        found = reading.refunds_with(node, key)
        return Applied(found[0]["id"], reading.refund_status(found[0])) if found else None
    if isinstance(change, CancelOrder):
        note = str((node["cancellation"] or {}).get("staffNote") or "")
        return Applied(node["id"]) if key and node["cancelledAt"] and note.endswith(_mark(key)) else None
    if isinstance(change, ChangeAddress):
        order = reading.order(node)
        return Applied(node["id"]) if order.address == change.address else None
    return None


def _refund_input(node: Json, change: Refund, amount: Money, key: str) -> Json:
    """Write what goes back to which payments, the first ones first, as far as each has something left."""
    gone = reading.gone(node)
    rest, transactions = amount.minor, []
    for payment in reading.payments(node):
        part = min(rest, reading.money(payment["amountSet"]).minor - gone.get(payment["id"], 0))
        if part > 0:
            transactions.append(
                {
                    "orderId": node["id"],
                    "parentId": payment["id"],
                    "gateway": payment["gateway"],
                    "kind": "REFUND",
                    "amount": str(Money(part, amount.currency).major),
                }
            )
            rest -= part
    lines = f", lines {' '.join(map(str, change.lines))}" if change.lines else ""
    return {
        "orderId": node["id"],
        "note": f"{change.reason.replace('_', ' ')}{lines} {_mark(key)}",
        "notify": True,
        "currency": amount.currency,
        "transactions": transactions,
        "discrepancyReason": _DISCREPANCY.get(change.reason, "CUSTOMER"),
    }


def _address_input(address: Address) -> Json:
    first, _, last = address.name.rpartition(" ")
    return {
        "firstName": first,
        "lastName": last,
        "address1": address.street,
        "address2": "",
        "city": address.city,
        "provinceCode": address.region or None,
        "zip": address.postcode,
        "countryCode": address.country,
    }


def _check_errors(errors: list[Json]) -> None:
    """Raise for errors of a user's: what is in progress is unknown, the others mean that nothing was done."""
    if errors:
        words = str(errors[0]["message"])[:200]
        if re.search(r"in progress|idempoten", words, re.IGNORECASE):
            raise OutcomeUnknownError(f"Shopify: {words}")
        raise ShopRefusedError(f"Shopify does not allow it: {words}")
