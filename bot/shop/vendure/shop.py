"""A Vendure server as the shop: orders by their code, refunds and cancellations. It has no keys, so we look first.

Vendure gives back what it is asked for: twice for two requests, also for less than nothing, and it reads what is left
outside of a lock. So each change looks for its key first, one at a time for an order; no second bot may change orders
of the same shop. The key is written into the refund's reason, which is the only place that comes back.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from weakref import WeakValueDictionary

from aiohttp import ClientSession
from pydantic import HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.shop.changes import Applied, CancelOrder, Change, Quote, Refund
from bot.shop.money import Money
from bot.shop.notes import note
from bot.shop.numbers import is_number
from bot.shop.orders import Customer, Order, Product, Profile
from bot.shop.quotes import OUTDATED_QUOTE
from bot.shop.remote import HeaderKey, Json, KeyRefusedError, OutcomeUnknownError, Remote, WrongRequestError
from bot.shop.shop import LookFirst, Reading, Safe, ShopCheckError, ShopRefusedError, ShopUnavailableError
from bot.shop.vendure import documents, reading

logger = logging.getLogger(__name__)

SETTLES_AFTER = timedelta(minutes=15)
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


_WRONG = {"FORBIDDEN": KeyRefusedError, "GRAPHQL_VALIDATION_FAILED": WrongRequestError}
"""What of a question's errors time does not mend."""
_ADVICE = (
    "Check that BOT_VENDURE_URL is the address of the Admin API (it ends in /admin-api), and that BOT_VENDURE_API_KEY "
    "is of a role with ReadOrder, UpdateOrder and ReadCustomer."
)


class VendureSettings(BaseSettings):
    """Where the server is, and a key of a role with ReadOrder, UpdateOrder and ReadCustomer."""

    model_config = SettingsConfigDict(env_prefix="BOT_VENDURE_", env_file=".env", extra="ignore", env_ignore_empty=True)

    url: HttpUrl
    """Address of the Admin API, such as https://shop.example.com/admin-api."""
    api_key: HeaderKey
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
        return LookFirst(SETTLES_AFTER)

    @property
    def changes(self) -> Collection[type[Change]]:
        """What can be made safely: an order's address cannot be changed without leaving it half-way on a failure."""
        return (Refund, CancelOrder)

    @property
    def reads(self) -> Collection[Reading]:
        """A customer's address; no payment methods, and not the catalogue."""
        return (Reading.PROFILE,)

    async def check(self) -> None:
        """Ask for what the bot needs. Raises ShopCheckError with what to do, and ShopUnavailableError."""
        try:
            await self._decimals()
            found = (await self._read(documents.LATEST))["orders"]["items"]
            await self._read(documents.CUSTOMER, email="nobody@example.com")
            await self._require_changes()
        except WrongRequestError as error:
            raise ShopCheckError(f"{error} {_ADVICE}") from error
        if found and not (found[0]["customer"] or {}).get("emailAddress"):
            raise ShopCheckError("Vendure shows no e-mail address of customers; allow ReadCustomer to the key's role.")

    def order_number(self, text: str) -> str | None:
        """Return the code that the text is, as it is written: a shop may make its codes in any way."""
        code = text.strip()
        return code if is_number(code) else None

    async def order(self, number: str) -> Order | None:
        """Return the order with this code, with or without its sign, in capital letters too; carts are none."""
        node = await self._node_with(number)
        return reading.read_order(node, await self._decimals()) if node else None

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
        """Return the customer's address; payment methods are not read."""
        found = (await self._read(documents.PROFILE, id=customer.id))["customer"] if customer.id else None
        return Profile(customer, reading.read_home(found["addresses"] or ()) if found else None, ())

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
            if applied := await self._find(node, change, key):
                return applied
            if reading.cancelled_at(node, key) is None:
                if reading.quote(node, change, await self._decimals()) != quote:
                    raise ShopRefusedError(OUTDATED_QUOTE)
                if isinstance(change, CancelOrder):
                    reason = note("cancelled", key)
                    await self._change(documents.CANCEL, "cancelOrder", id=node["id"], reason=reason)
            if not quote.balance or not quote.balance.minor:
                return Applied(node["id"])
            if isinstance(change, CancelOrder):
                return await self._give_all_back(node, quote.balance, change, key)
            (part,) = reading.parts_of(node, change, quote.balance, await self._decimals())
            return await self._give_back(part, change, key)

    async def applied(self, change: Change, key: str) -> Applied | None:
        """Look for the key in the order's refunds, and in its history."""
        return await self._find(await self._node(change), change, key)

    async def erase_due(self) -> None:
        """Nothing is kept here."""

    async def _find(self, node: Json, change: Change, key: str) -> Applied | None:
        return reading.find_applied(node, change, key, await self._decimals(), settles_after=SETTLES_AFTER)

    async def _give_all_back(self, node: Json, amount: Money, change: Change, key: str) -> Applied:
        """Give a cancelled order's money back. Whatever is refused, the order is cancelled, so that is no refusal."""
        try:
            for part in reading.parts_of(node, change, amount, await self._decimals()):
                await self._give_back(part, change, key)
        except ShopRefusedError as error:
            logger.warning("the money of %s does not go back: %s", node["code"], error)
            return reading.without_its_money(await self._read_again(change), await self._decimals())
        except ShopUnavailableError as error:
            raise OutcomeUnknownError(f"The order is cancelled, and its money is not sent off: {error}") from error
        if (applied := await self._find(await self._read_again(change), change, key)) is None:
            raise OutcomeUnknownError("The order is cancelled, and its money is not seen to go back.")
        return applied

    async def _give_back(self, part: tuple[str, int], change: Change, key: str) -> Applied:
        """Give one payment's part back, and return how it stands."""
        payment, units = part
        reason = change.reason.value if isinstance(change, Refund) else "cancelled"
        written = note(reason, key, change.lines if isinstance(change, Refund) else ())
        sent = {"paymentId": payment, "amount": units, "reason": written, "lines": [], "shipping": 0, "adjustment": 0}
        try:
            return reading.read_refund(await self._change(documents.REFUND, "refundOrder", input=sent))
        except (ShopRefusedError, OutcomeUnknownError):
            if applied := await self._find(await self._read_again(change), change, key):
                return applied  # an error, and yet the refund is there
            raise

    async def _read_again(self, change: Change) -> Json:
        """Read an order again after something was sent: that it cannot be read says nothing of what was sent."""
        try:
            return await self._node(change)
        except (ShopUnavailableError, ShopRefusedError) as error:
            raise OutcomeUnknownError(f"The order cannot be read again: {error}") from error

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

    async def _require_changes(self) -> None:
        """Ask for a change of an order that there is not: only the right to it can be refused."""
        try:
            await self._read(documents.NOTE)
        except KeyRefusedError:
            raise
        except ShopUnavailableError as error:
            logger.debug("as it should be: %s", error)

    async def _read(self, document: str, **variables: Any) -> Json:
        answer = await self._remote.read(json={"query": document, "variables": variables})
        if codes := _codes(answer.body):
            refusal = _WRONG.get(next(iter(codes)), ShopUnavailableError) if len(codes) == 1 else ShopUnavailableError
            raise refusal(f"Vendure refuses to tell: {', '.join(sorted(codes))}.")
        data: Json | None = answer.body.get("data")
        if data is None:
            raise WrongRequestError(f"What answers there ({answer.status}) is no API of Vendure's.")
        return data

    async def _node(self, change: Change) -> Json:
        """Read the order that a change is about. Raises ShopRefusedError when there is none."""
        code = change.order_id if isinstance(change, Refund | CancelOrder) else ""
        node = await self._node_with(code)
        if node is None:
            raise ShopRefusedError(f"There is no order {code}." if code else "This shop can't do that.")
        return node

    async def _node_with(self, number: str) -> Json | None:
        """Find the order, by its code as it is written before any other spelling."""
        if not is_number(number):
            return None
        bare = number.removeprefix("#")
        codes = list(dict.fromkeys((number, bare, f"#{bare}", number.upper(), bare.upper(), f"#{bare.upper()}")))
        found = (await self._read(documents.ORDER, codes=codes))["orders"]["items"]
        orders = {node["code"]: node for node in found if not node["active"] and node["state"] in reading.STATUS}
        return next((orders[code] for code in codes if code in orders), None)

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
