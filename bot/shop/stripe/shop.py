"""Stripe as the shop of a bot that only gives money back: an order is the payment whose metadata names it.

Stripe knows no parcels and no lines. It keeps a key for a day at least, so a repeat within that is safe; afterwards,
and after an error of Stripe's own, which it repeats under the key for ever, refunds are looked for in their list.
"""

import logging
import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from aiohttp import ClientSession
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.currencies import exponent
from bot.shop.changes import Applied, AppliedStatus, Change, Quote, Refund
from bot.shop.money import Money
from bot.shop.numbers import is_number
from bot.shop.orders import Customer, Order, OrderStatus, Product, Profile
from bot.shop.quotes import OUTDATED_QUOTE, quote_refund
from bot.shop.remote import HeaderKey, Json, OutcomeUnknownError, Remote, WrongRequestError
from bot.shop.shop import LookFirst, Reading, Safe, ShopCheckError, ShopRefusedError
from bot.shop.stripe.api import PAGE, StripeApi, together

logger = logging.getLogger(__name__)

_KEY = "support_bot_key"
_STATUS = {
    "succeeded": AppliedStatus.SUCCEEDED,
    "pending": AppliedStatus.PENDING,
    "requires_action": AppliedStatus.PENDING,
    "failed": AppliedStatus.FAILED,
    "canceled": AppliedStatus.FAILED,
}
_DECIMALS = {"ISK": 2, "UGX": 2, "MGA": 0}
"""How many decimals Stripe's amounts have where that is not what the currency has."""
_MAX_CUSTOMERS = 100  # of one address, the latest; each is asked for its payments
_TENS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
"""Currencies with thousandths, of which Stripe takes only whole tens."""


class StripeSettings(BaseSettings):
    """A secret or restricted key (read payments and customers, write refunds), and which metadata names an order."""

    model_config = SettingsConfigDict(env_prefix="BOT_STRIPE_", env_file=".env", extra="ignore", env_ignore_empty=True)

    key: HeaderKey
    order_key: str = "order_id"
    url: str = "https://api.stripe.com/v1"
    timeout_seconds: float = 15.0


@asynccontextmanager
async def open_stripe(settings: StripeSettings) -> AsyncIterator["Stripe"]:
    """Give the shop while its connections are open."""
    headers = {"Authorization": f"Bearer {settings.key.get_secret_value()}"}
    async with ClientSession(headers=headers) as session:
        remote = Remote(session, settings.url, seconds=settings.timeout_seconds)
        yield Stripe(StripeApi(remote), settings.order_key)


class Stripe:
    """The Shop port over Stripe's payments and refunds."""

    def __init__(self, api: StripeApi, order_key: str) -> None:
        self._api = api
        self._order_key = order_key

    @property
    def replay(self) -> Safe | LookFirst:
        """Keys are kept for 24 hours at least; some of them are left to the clock."""
        return Safe(timedelta(hours=20))

    @property
    def changes(self) -> Collection[type[Change]]:
        """Money back, and nothing else."""
        return (Refund,)

    @property
    def reads(self) -> Collection[Reading]:
        """Neither: only orders and customers are read."""
        return ()

    async def check(self) -> None:
        """Ask for what the bot needs. Raises ShopCheckError with what to do, and ShopUnavailableError."""
        try:
            payments = (await self._api.read("payment_intents", limit=10))["data"]
            await self._api.read("customers", limit=1)
            await self._api.read("refunds", limit=1)
            await self._require_refunds()
        except WrongRequestError as error:
            raise ShopCheckError(
                f"{error} Check BOT_STRIPE_KEY: it has to read payments, customers and refunds, and to write refunds."
            ) from error
        if payments and not any(self._order_key in payment["metadata"] for payment in payments):
            raise ShopCheckError(
                f"None of the last payments has the metadata {self._order_key!r}; set BOT_STRIPE_ORDER_KEY to the one "
                "by which your shop names an order."
            )

    def order_number(self, text: str) -> str | None:
        """Return the number that the text is, as it is written."""
        number = text.strip()
        return number if is_number(number) else None

    async def order(self, number: str) -> Order | None:
        """Return the payment with this order number; of several, the first that was paid."""
        payment = await self._payment(number)
        return await self._order(payment) if payment else None

    async def customer(self, email: str) -> Customer | None:
        """Find the customer, as the address was written or in lower case: Stripe tells letters apart."""
        found = await self._customers(email)
        return _customer(found[0]) if found else None

    async def orders(self, customer: Customer, *, most: int) -> list[Order]:
        """List the paid orders of all that Stripe knows under the customer's address, the latest first."""
        ids = [one["id"] for one in await self._customers(customer.email)][:_MAX_CUSTOMERS] or [customer.id]
        paid = await together(self._paid_by(one, most) for one in ids)
        named = sorted((one for found in paid for one in found), key=lambda payment: payment["created"], reverse=True)
        return await together(self._order(payment, customer) for payment in named[:most])

    async def profile(self, customer: Customer) -> Profile:
        """Return the customer; addresses and payment methods are not read."""
        return Profile(customer, None, ())

    async def products(self, query: str, *, most: int) -> list[Product]:  # noqa: ARG002 - the port's
        """Find nothing: there is no catalogue."""
        return []

    async def quote(self, change: Change) -> Quote:
        """Say what a refund would do now."""
        order = await self.order(change.order_id) if isinstance(change, Refund) else None
        if order is None or not isinstance(change, Refund):
            raise ShopRefusedError(
                "There is no such order." if isinstance(change, Refund) else "This shop can't do that."
            )
        quote = quote_refund(order, change, {})
        if quote.balance:
            _units(quote.balance)
        return quote

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Look for the key, check the quote, and give the money back under the key."""
        if applied := await self.applied(change, key):
            return applied
        if await self.quote(change) != quote:
            if applied := await self.applied(change, key):  # done under this very key since the look
                return applied
            raise ShopRefusedError(OUTDATED_QUOTE)
        payment = await self._payment(str(quote.order_id))
        if payment is None or quote.balance is None:
            raise ShopRefusedError(OUTDATED_QUOTE)
        form = {
            "payment_intent": payment["id"],
            "amount": str(_units(quote.balance)),
            "reason": "requested_by_customer",
            f"metadata[{_KEY}]": key,
        }
        return _applied(await self._api.create("refunds", form, key))

    async def applied(self, change: Change, key: str) -> Applied | None:
        """Look for the key among the refunds of the order's payment; among all when no payment has that name now."""

        def is_ours(refund: Json) -> bool:
            return (refund["metadata"] or {}).get(_KEY) == key

        if not isinstance(change, Refund):
            return None
        if payment := await self._payment(change.order_id):
            ours = [one for one in await self._api.all("refunds", payment_intent=payment["id"]) if is_ours(one)]
        else:
            ours = await self._api.latest("refunds", is_ours, 1)
        return _applied(ours[0]) if ours else None

    async def erase_due(self) -> None:
        """Nothing is kept here."""

    async def _require_refunds(self) -> None:
        """Ask for a refund of a payment that there is not: only the right to it can be refused."""
        try:
            await self._api.create("refunds", {"payment_intent": "pi_of_no_order", "amount": "1"}, secrets.token_hex())
        except (ShopRefusedError, OutcomeUnknownError) as error:
            logger.debug("as it should be: %s", error)

    async def _payment(self, number: str) -> Json | None:
        """Find the payment whose metadata is the number as a whole, with or without the sign before it."""
        if not self.order_number(number):
            return None
        bare = number.removeprefix("#")
        for name in dict.fromkeys((number, bare, f"#{bare}")):
            query = f"metadata['{self._order_key}']:'{name}'"
            found = (await self._api.read("payment_intents/search", query=query, limit=PAGE))["data"]
            alike = [one for one in found if self._is_order(one) and self._name(one).casefold() == name.casefold()]
            exact = [one for one in alike if self._name(one) == name]
            if exact or len({self._name(one) for one in alike}) == 1:
                first: Json = min(exact or alike, key=lambda payment: payment["created"])
                return first
        return None

    def _name(self, payment: Json) -> str:
        return str((payment["metadata"] or {}).get(self._order_key) or "")

    def _is_order(self, payment: Json) -> bool:
        return payment["status"] == "succeeded" and bool(self._name(payment))

    async def _paid_by(self, customer: str, most: int) -> list[Json]:
        """List a customer's latest payments that are orders."""
        return await self._api.latest("payment_intents", self._is_order, most, customer=customer)

    async def _order(self, payment: Json, customer: Customer | None = None) -> Order:
        currency = payment["currency"].upper()
        refunds = await self._api.all("refunds", payment_intent=payment["id"])
        gone = sum(one["amount"] for one in refunds if _status(one) != AppliedStatus.FAILED)
        return Order(
            id=self._name(payment),
            customer=customer or await self._customer_of(payment),
            status=OrderStatus.PAID,
            tells_delivery=False,
            items=(),
            total=_money(payment["amount_received"], currency),
            refunded=_money(gone, currency),
            payment_method=", ".join(payment.get("payment_method_types") or ("the payment",)),
            placed_at=datetime.fromtimestamp(payment["created"], UTC),
        )

    async def _customer_of(self, payment: Json) -> Customer:
        if payment.get("customer"):
            return _customer(await self._api.read(f"customers/{payment['customer']}"))
        return Customer("", "Guest", (payment.get("receipt_email") or "").lower())

    async def _customers(self, email: str) -> list[Json]:
        """List all that Stripe knows under an address: a shop may make a new customer for each purchase."""
        wanted = email.strip()
        found: dict[str, Json] = {}
        for address in dict.fromkeys((wanted.lower(), wanted)):
            for one in await self._api.all("customers", email=address) if address else ():
                if (one["email"] or "").lower() == wanted.lower():
                    found[one["id"]] = one
        return list(found.values())


def _status(refund: Json) -> AppliedStatus:
    return _STATUS.get(refund.get("status") or "succeeded", AppliedStatus.PENDING)


def _applied(refund: Json) -> Applied:
    reason = str(refund.get("failure_reason") or "")[:200].replace("_", " ")
    return Applied(refund["id"], _status(refund), f"Stripe's reason: {reason}." if reason else "")


def _customer(node: Json) -> Customer:
    return Customer(node["id"], node.get("name") or "", (node.get("email") or "").lower())


def _money(units: int, currency: str) -> Money:
    """Convert Stripe's units, rounding down what the currency does not have."""
    shift = exponent(currency) - _DECIMALS.get(currency, exponent(currency))
    return Money(units * 10**shift if shift >= 0 else units // 10**-shift, currency)


def _units(amount: Money) -> int:
    """Convert to Stripe's units. Raises ShopRefusedError for what it cannot write."""
    shift = _DECIMALS.get(amount.currency, exponent(amount.currency)) - exponent(amount.currency)
    units, rest = divmod(amount.minor * int(10 ** max(shift, 0)), int(10 ** max(-shift, 0)))
    if rest or (amount.currency in _TENS and units % 10):
        raise ShopRefusedError(f"The shop cannot give back {amount} exactly.", "Ask for a rounder amount.")
    return units
