"""Stripe as the shop of a bot that only gives money back: an order is the payment whose metadata names it.

Stripe knows no parcels and no lines. It keeps a key for a day at least, so a repeat within that is safe; afterwards,
and after an error of Stripe's own, which it repeats under the key for ever, refunds are looked for in their list.
"""

import re
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import ClientSession
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.shop.changes import Applied, AppliedStatus, Change, Quote, Refund
from bot.shop.money import Money
from bot.shop.orders import Customer, Order, OrderStatus, Product, Profile
from bot.shop.quotes import OUTDATED_QUOTE, quote_refund
from bot.shop.remote import Answer, Json, OutcomeUnknownError, Remote
from bot.shop.shop import LookFirst, Reading, Safe, ShopCheckError, ShopRefusedError, ShopUnavailableError

_KEY = "support_bot_key"
_STATUS = {
    "succeeded": AppliedStatus.SUCCEEDED,
    "pending": AppliedStatus.PENDING,
    "requires_action": AppliedStatus.PENDING,
    "failed": AppliedStatus.FAILED,
    "canceled": AppliedStatus.FAILED,
}
_PAGE = 100


class StripeSettings(BaseSettings):
    """A secret or restricted key (read payments and customers, write refunds), and which metadata names an order."""

    model_config = SettingsConfigDict(env_prefix="BOT_STRIPE_", env_file=".env", extra="ignore")

    key: SecretStr
    order_key: str = "order_id"
    url: str = "https://api.stripe.com/v1"
    timeout_seconds: float = 15.0


@asynccontextmanager
async def open_stripe(settings: StripeSettings | None = None) -> AsyncIterator["Stripe"]:
    """Give the shop while its connections are open; what is not given is read from `BOT_STRIPE_…`."""
    settings = settings or StripeSettings()
    headers = {"Authorization": f"Bearer {settings.key.get_secret_value()}"}
    async with ClientSession(headers=headers) as session:
        yield Stripe(Remote(session, settings.url, seconds=settings.timeout_seconds), settings.order_key)


class Stripe:
    """The Shop port over Stripe's payments and refunds."""

    def __init__(self, remote: Remote, order_key: str) -> None:
        self._remote = remote
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
        """Ask for what the bot needs. Raises ShopCheckError with what to do."""
        try:
            payments = (await self._read("payment_intents", limit=10))["data"]
            await self._read("customers", limit=1)
            await self._read("refunds", limit=1)
        except ShopUnavailableError as error:
            raise ShopCheckError(
                f"{error} Check BOT_STRIPE_KEY: it has to read payments, customers and refunds, and to write refunds."
            ) from error
        if payments and not any(self._order_key in payment["metadata"] for payment in payments):
            raise ShopCheckError(
                f"None of the last payments has the metadata {self._order_key!r}; set BOT_STRIPE_ORDER_KEY to the one "
                "by which your shop names an order."
            )

    def order_number(self, text: str) -> str | None:
        """Return the number that the text is, without the sign before it."""
        number = text.strip().removeprefix("#")
        return (
            number
            if re.fullmatch(r"[A-Za-z0-9][\w./-]{1,38}[A-Za-z0-9]", number) and re.search(r"\d", number)
            else None
        )

    async def order(self, number: str) -> Order | None:
        """Return the payment with this order number; of several, the first that was paid."""
        payment = await self._payment(number)
        return await self._order(payment) if payment else None

    async def customer(self, email: str) -> Customer | None:
        """Find the customer, as the address was written or in lower case: Stripe tells letters apart."""
        for address in dict.fromkeys((email.strip().lower(), email.strip())):
            found = (await self._read("customers", email=address, limit=1))["data"] if address else ()
            for customer in found:
                return Customer(customer["id"], customer["name"] or "", customer["email"].lower())
        return None

    async def orders(self, customer: Customer, *, most: int) -> list[Order]:
        """List a customer's paid orders, the latest first."""
        payments = (await self._read("payment_intents", customer=customer.id, limit=_PAGE))["data"]
        named = [payment for payment in payments if self._is_order(payment)]
        return [await self._order(payment) for payment in named[:most]]

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
        return quote_refund(order, change, {}, tells_delivery=False)

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Look for the key, check the quote, and give the money back under the key."""
        if applied := await self.applied(change, key):
            return applied
        if await self.quote(change) != quote:
            raise ShopRefusedError(OUTDATED_QUOTE)
        payment = await self._payment(str(quote.order_id))
        if payment is None or quote.balance is None:
            raise ShopRefusedError(OUTDATED_QUOTE)
        form = {
            "payment_intent": payment["id"],
            "amount": str(quote.balance.minor),
            "reason": "requested_by_customer",
            f"metadata[{_KEY}]": key,
        }
        answer = await self._remote.change("POST", "refunds", data=form, headers={"Idempotency-Key": key})
        if answer.is_error:
            raise _refusal(answer)
        return _applied(answer.body)

    async def applied(self, change: Change, key: str) -> Applied | None:
        """Look for the key among the refunds of the order's payment."""
        payment = await self._payment(change.order_id) if isinstance(change, Refund) and key else None
        refunds = await self._refunds(payment["id"]) if payment else []
        ours = [refund for refund in refunds if (refund["metadata"] or {}).get(_KEY) == key]
        return _applied(ours[0]) if ours else None

    async def erase_due(self) -> None:
        """Nothing is kept here."""

    async def _payment(self, number: str) -> Json | None:
        if not self.order_number(number):
            return None
        quoted = number.replace("\\", "\\\\").replace("'", "\\'")
        query = f"metadata['{self._order_key}']:'{quoted}'"
        found = (await self._read("payment_intents/search", query=query, limit=_PAGE))["data"]
        paid = [
            payment for payment in found if self._is_order(payment) and payment["metadata"][self._order_key] == number
        ]
        return min(paid, key=lambda payment: payment["created"], default=None)

    def _is_order(self, payment: Mapping[str, Any]) -> bool:
        return payment["status"] == "succeeded" and bool((payment["metadata"] or {}).get(self._order_key))

    async def _order(self, payment: Json) -> Order:
        currency = payment["currency"].upper()
        gone = sum(
            r["amount"] for r in await self._refunds(payment["id"]) if _STATUS[r["status"]] != AppliedStatus.FAILED
        )
        return Order(
            id=payment["metadata"][self._order_key],
            customer=await self._customer_of(payment),
            status=OrderStatus.PAID,
            items=(),
            total=Money(payment["amount_received"], currency),
            refunded=Money(gone, currency),
            payment_method=", ".join(payment.get("payment_method_types") or ("the payment",)),
            placed_at=datetime.fromtimestamp(payment["created"], UTC),
        )

    async def _customer_of(self, payment: Json) -> Customer:
        if payment.get("customer"):
            found = await self._read(f"customers/{payment['customer']}")
            return Customer(found["id"], found.get("name") or "", (found.get("email") or "").lower())
        return Customer("", "Guest", (payment.get("receipt_email") or "").lower())

    async def _refunds(self, payment_id: str) -> list[Json]:
        """List all refunds of a payment; lists show at once what was made, searches do not."""
        refunds: list[Json] = []
        after: dict[str, str] = {}
        while True:
            page = await self._read("refunds", payment_intent=payment_id, limit=_PAGE, **after)
            refunds += page["data"]
            if not page.get("has_more") or not page["data"]:
                return refunds
            after = {"starting_after": page["data"][-1]["id"]}

    async def _read(self, path: str, **params: Any) -> Json:
        answer = await self._remote.read("GET", path, params={name: str(value) for name, value in params.items()})
        if answer.is_error:
            raise ShopUnavailableError(f"Stripe does not tell: {_message(answer)}")
        return answer.body


def _applied(refund: Json) -> Applied:
    status = _STATUS.get(refund.get("status") or "succeeded", AppliedStatus.PENDING)
    return Applied(refund["id"], status, str(refund.get("failure_reason") or "")[:200])


def _message(answer: Answer) -> str:
    error = answer.body.get("error")
    return str(error.get("message") if isinstance(error, dict) else error)[:200]


def _refusal(answer: Answer) -> Exception:
    """Tell a refusal, after which nothing has moved, from a key that is at work at this moment."""
    error = answer.body.get("error")
    kind = error.get("type") if isinstance(error, dict) else None
    if answer.status == HTTPStatus.CONFLICT:
        return OutcomeUnknownError(f"Stripe is at work on this key: {_message(answer)}")
    if kind in ("invalid_request_error", "card_error"):
        return ShopRefusedError(f"Stripe does not allow it: {_message(answer)}")
    if kind == "idempotency_error":
        return ShopRefusedError("This key has been used for something else.")
    return OutcomeUnknownError(f"Stripe answered {answer.status}: {_message(answer)}")
