"""A Vendure server as the shop: orders by their code, refunds and cancellations. It has no keys, so we look first.

Vendure gives back what it is asked for: twice for two requests, also for less than nothing, and it reads what is left
outside of a lock. So each change looks for its key first, one at a time for an order; no second bot may change orders
of the same shop. The key is written into the refund's reason, which is the only place that comes back.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from weakref import WeakValueDictionary

from aiohttp import ClientSession
from pydantic import HttpUrl, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.shop.changes import Applied, AppliedStatus, CancelOrder, Change, Quote, Refund
from bot.shop.money import Money
from bot.shop.notes import note
from bot.shop.orders import Customer, Order, Product, Profile
from bot.shop.quotes import OUTDATED_QUOTE
from bot.shop.remote import Json, KeyRefusedError, OutcomeUnknownError, Remote
from bot.shop.shop import LookFirst, Reading, Safe, ShopCheckError, ShopRefusedError, ShopUnavailableError
from bot.shop.vendure import documents, reading

# What Vendure answers before it has asked the payment provider; any other error says nothing of what was done.
_REFUSALS = frozenset(
    {
        "AlreadyRefundedError",
        "CancelActiveOrderError",
        "MultipleOrderError",
        "NothingToRefundError",
        "PaymentOrderMismatchError",
        "QuantityTooGreatError",
        "RefundAmountError",
        "RefundOrderStateError",
    }
)


class VendureSettings(BaseSettings):
    """Where the server is, and a key of a role with ReadOrder, UpdateOrder and ReadCustomer."""

    model_config = SettingsConfigDict(env_prefix="BOT_VENDURE_", env_file=".env", extra="ignore")

    url: HttpUrl
    """Address of the Admin API, such as https://shop.example.com/admin-api."""
    api_key: SecretStr
    timeout_seconds: float = 10.0


@asynccontextmanager
async def open_vendure(settings: VendureSettings) -> AsyncIterator["Vendure"]:
    """Give the shop while its connections are open."""
    async with ClientSession(headers={"vendure-api-key": settings.api_key.get_secret_value()}) as session:
        yield Vendure(Remote(session, str(settings.url), seconds=settings.timeout_seconds))


class Vendure:
    """The Shop port over Vendure's Admin API."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._precision: int | None = None

    @property
    def replay(self) -> Safe | LookFirst:
        """There are no keys; no request lasts longer than this."""
        return LookFirst(timedelta(minutes=15))

    @property
    def changes(self) -> Collection[type[Change]]:
        """What can be made safely: an order's address cannot be changed without leaving it half-way on a failure."""
        return (Refund, CancelOrder)

    @property
    def reads(self) -> Collection[Reading]:
        """Neither: only orders and customers are read."""
        return ()

    async def check(self) -> None:
        """Ask for what the bot needs. Raises ShopCheckError with what to do, and ShopUnavailableError."""
        try:
            await self._decimals()
            found = (await self._read(documents.LATEST))["orders"]["items"]
            await self._read(documents.CUSTOMER, email="nobody@example.com")
        except KeyRefusedError as error:
            advice = "Check BOT_VENDURE_URL, and that BOT_VENDURE_API_KEY is of a role with ReadOrder and ReadCustomer."
            raise ShopCheckError(f"{error} {advice}") from error
        if found and not (found[0]["customer"] or {}).get("emailAddress"):
            raise ShopCheckError("Vendure shows no e-mail address of customers; allow ReadCustomer to the key's role.")

    def order_number(self, text: str) -> str | None:
        """Return the code that the text is: letters and digits, as they are written."""
        code = text.strip().lstrip("#")
        return code if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{3,39}", code) and re.search(r"\d", code) else None

    async def order(self, number: str) -> Order | None:
        """Return the order with this code, in capital letters too; carts are none."""
        for code in dict.fromkeys((number, number.upper())):
            found = (await self._read(documents.ORDER, code=code))["orders"]["items"]
            for node in found:
                if node["code"] == code and not node["active"] and node["state"] in reading.STATUS:
                    return reading.read_order(node, await self._decimals())
        return None

    async def customer(self, email: str) -> Customer | None:
        """Find the customer; the shop keeps addresses in lower case."""
        wanted = email.strip().lower()
        if not wanted:
            return None
        found = (await self._read(documents.CUSTOMER, email=wanted))["customers"]["items"]
        return next((reading.read_customer(node) for node in found if node["emailAddress"].lower() == wanted), None)

    async def orders(self, customer: Customer, *, most: int) -> list[Order]:
        """List a customer's orders, the latest first."""
        decimals = await self._decimals()
        answer = await self._read(documents.ORDERS, id=customer.id, most=most)
        nodes = (answer["customer"] or {"orders": {"items": []}})["orders"]["items"]
        return [
            reading.read_order(node, decimals)
            for node in nodes
            if not node["active"] and node["state"] in reading.STATUS
        ]

    async def profile(self, customer: Customer) -> Profile:
        """Return the customer; addresses and payment methods are not read."""
        return Profile(customer, None, ())

    async def products(self, query: str, *, most: int) -> list[Product]:  # noqa: ARG002 - the port's
        """Find nothing: the catalogue is not read."""
        return []

    async def quote(self, change: Change) -> Quote:
        """Say what a refund or a cancellation would do now."""
        return reading.quote(await self._node(change), change, await self._decimals())

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Look for the key, check the quote, and change the order; one at a time for an order.

        The same key again finishes a cancellation that was cut off between its two steps.
        """
        lock = self._locks.setdefault(str(quote.order_id), asyncio.Lock())
        async with lock:
            node = await self._node(change)
            if applied := reading.find_applied(node, change, key):
                if not (isinstance(change, CancelOrder) and applied.status == AppliedStatus.PENDING):
                    return applied
            elif reading.quote(node, change, await self._decimals()) != quote:
                raise ShopRefusedError(OUTDATED_QUOTE)
            if isinstance(change, CancelOrder) and node["state"] != "Cancelled":
                reason = note("cancelled", key)
                await self._change(documents.CANCEL, "cancelOrder", id=node["id"], reason=reason)
            if not quote.balance or not quote.balance.minor:
                return Applied(node["id"])
            reason = change.reason.value if isinstance(change, Refund) else "cancelled"
            lines = change.lines if isinstance(change, Refund) else ()
            return await self._give_back(node, quote.balance, note(reason, key, lines), change, key)

    async def applied(self, change: Change, key: str) -> Applied | None:
        """Look for the key in the order's refunds."""
        return reading.find_applied(await self._node(change), change, key)

    async def erase_due(self) -> None:
        """Nothing is kept here."""

    async def _give_back(self, node: Json, amount: Money, reason: str, change: Change, key: str) -> Applied:
        decimals = await self._decimals()
        payment = reading.payment_with(node, amount, decimals)
        sent = {"paymentId": payment["id"], "amount": reading.units(amount, decimals), "reason": reason}
        try:
            refund = await self._change(
                documents.REFUND, "refundOrder", input=sent | {"lines": [], "shipping": 0, "adjustment": 0}
            )
        except (ShopRefusedError, OutcomeUnknownError):
            if applied := reading.find_applied(await self._node(change), change, key):
                return applied  # an error, and yet the refund is there
            raise
        return reading.read_refund(refund)

    async def _change(self, document: str, name: str, **variables: Any) -> Json:
        """Send a mutation. Raises ShopRefusedError only for an answer that is known to mean that nothing was done."""
        answer = (await self._remote.change(json={"query": document, "variables": variables})).body
        if codes := _codes(answer):
            if codes <= {"FORBIDDEN", "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}:
                raise ShopUnavailableError(f"Vendure refuses the request: {', '.join(sorted(codes))}.")
            raise OutcomeUnknownError(f"Vendure answered with an error: {', '.join(sorted(codes))}.")
        result: Json = (answer.get("data") or {}).get(name) or {}
        if result.get("__typename") in _REFUSALS:
            raise ShopRefusedError(f"The shop does not allow it: {result.get('message', '')}")
        if "id" not in result:
            raise OutcomeUnknownError(f"Vendure answered {result.get('__typename')}: {result.get('message')}")
        return result

    async def _read(self, document: str, **variables: Any) -> Json:
        answer = (await self._remote.read(json={"query": document, "variables": variables})).body
        if codes := _codes(answer):
            refusal = KeyRefusedError if codes == {"FORBIDDEN"} else ShopUnavailableError
            raise refusal(f"Vendure refuses to tell: {', '.join(sorted(codes))}.")
        data: Json = answer.get("data") or {}
        return data

    async def _node(self, change: Change) -> Json:
        """Read the order that a change is about. Raises ShopRefusedError when there is none."""
        code = change.order_id if isinstance(change, Refund | CancelOrder) else ""
        for node in (await self._read(documents.ORDER, code=code))["orders"]["items"] if code else ():
            if node["code"] == code and node["state"] in reading.STATUS:
                found: Json = node
                return found
        raise ShopRefusedError(f"There is no order {code}." if code else "This shop can't do that.")

    async def _decimals(self) -> int:
        """Return how many decimals the server's amounts have, whatever the currency has."""
        if self._precision is None:
            found = (await self._read(documents.SETTINGS))["globalSettings"]["serverConfig"]["moneyStrategyPrecision"]
            self._precision = int(found)
        return self._precision


def _codes(answer: Mapping[str, Any]) -> set[str]:
    """Return the codes of the errors, which come with HTTP 200."""
    errors = answer.get("errors") or ()
    return {str((error.get("extensions") or {}).get("code") or error.get("message"))[:100] for error in errors}
