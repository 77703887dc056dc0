"""The Shop port over a Shopify store.

Refunds go out under Shopify's own idempotency key, which it forgets after a day; so the key stands in the refund's
note as well, by which a refund is found for ever. A cancellation takes no key: it stands in the staff's note; of a
return it stands in the customer's.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary

from aiohttp import ClientSession

from bot.shop.changes import Applied, CancelOrder, Change, ChangeAddress, Quote, Refund, ReturnItems
from bot.shop.money import Money
from bot.shop.orders import Customer, Order, Product, Profile
from bot.shop.quotes import OUTDATED_QUOTE
from bot.shop.remote import Json, OutcomeUnknownError, Remote, WrongRequestError
from bot.shop.shop import LookFirst, Reading, Safe, ShopCheckError, ShopRefusedError, ShopUnavailableError
from bot.shop.shopify import changes, documents, reading
from bot.shop.shopify.api import AdminApi, Tokens
from bot.shop.shopify.facts import Facts
from bot.shop.shopify.settings import ShopifySettings

_CERTAIN = frozenset({"NOT_FOUND", "NO_REFUND_PERMISSION"})
"""Why an order is not cancelled, before anything was begun."""
_WAITS_FOR_JOB = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


@asynccontextmanager
async def open_shopify(settings: ShopifySettings) -> AsyncIterator["Shopify"]:
    """Give the shop while its connections are open."""
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
        self._store = Facts()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def replay(self) -> Safe | LookFirst:
        """Keys are kept for 24 hours; some of them are left to the clock. An order is cancelled only once anyway."""
        return Safe(timedelta(hours=20))

    @property
    def changes(self) -> Collection[type[Change]]:
        """What a store does for an order, and returns where the app may ask for them."""
        return (Refund, CancelOrder, ChangeAddress, *((ReturnItems,) if self._store.returns else ()))

    @property
    def reads(self) -> Collection[Reading]:
        """A customer's address, and what the store sells where the app may read that; no payment methods."""
        return (Reading.PROFILE, *((Reading.PRODUCTS,) if self._store.products else ()))

    async def check(self) -> None:
        """Ask for what the bot needs. Raises ShopCheckError with what to do, and ShopUnavailableError."""
        try:
            self._store = Facts(await self._api.read(documents.SHOP))
        except WrongRequestError as error:
            raise ShopCheckError(
                f"{error} Check BOT_SHOPIFY_STORE, the app's id and secret or its token, and that it may read orders "
                "and customers."
            ) from error
        self._store.require(self._api.version)

    def order_number(self, text: str) -> str | None:
        """Return the order's name that the text is, such as #1001 or WEB-2026-#77-A."""
        name = text.strip()
        return name if re.fullmatch(r"[\w./#-]{1,40}", name) and re.search(r"\d", name) else None

    async def order(self, number: str) -> Order | None:
        """Return the order with this name, written with the store's prefix and suffix or without."""
        node = await self._node(number)
        return reading.order(node) if node else None

    async def customer(self, email: str) -> Customer | None:
        """Find the customer with this confirmed e-mail address, in any case of letters."""
        wanted = email.strip().lower()
        if not wanted:
            return None
        found = (await self._api.read(documents.CUSTOMER_BY_EMAIL, email=wanted))["customerByIdentifier"]
        one = reading.customer(found) if found else None
        return one if one and one.email == wanted else None

    async def orders(self, customer: Customer, *, most: int) -> list[Order]:
        """List a customer's orders, the latest first, with the first lines of each."""
        found: list[Order] = []
        after = None
        while len(found) < most:
            data = await self._api.read(documents.ORDERS_OF_CUSTOMER, id=customer.id, after=after)
            if not data["customer"]:
                break
            page = data["customer"]["orders"]
            found += map(reading.listed, page["nodes"])
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        return found[:most]

    async def refunds_of(self, customer: Customer, *, since: datetime) -> list[Money]:
        """List each refund that a customer has had since a time, of the orders that have changed since."""
        changed = f"updated_at:>={since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        data = await self._api.read(documents.REFUNDS_OF_CUSTOMER, id=customer.id, changed=changed)
        orders = data["customer"]["orders"]["nodes"] if data["customer"] else []
        return [
            amount
            for refund in (refund for node in orders for refund in node["refunds"])
            if refund["createdAt"] and datetime.fromisoformat(refund["createdAt"]) >= since
            if (amount := reading.money(refund["totalRefundedSet"])).minor > 0
        ]

    async def profile(self, customer: Customer) -> Profile:
        """Return the customer's address; payment methods are not read."""
        found = (await self._api.read(documents.PROFILE, id=customer.id))["customer"] if customer.id else None
        return Profile(customer, reading.address(found["defaultAddress"]) if found else None, ())

    async def products(self, query: str, *, most: int) -> list[Product]:
        """Find products by words of their titles; how many there are is told of what is sold at all."""
        words = re.findall(r"\w+", query)[:8]
        facts = await self._facts()
        if not words or not facts.products:
            return []
        search = " AND ".join([*(f"title:{word}*" for word in words), "status:active"])
        found = (await self._api.read(documents.PRODUCTS, query=search, most=min(most, 10)))["products"]["nodes"]
        return [reading.product(node, facts.currency) for node in found]

    async def quote(self, change: Change) -> Quote:
        """Say what the change would do now."""
        node = await self._node_of(change)
        quote = changes.quote(node, change)
        if isinstance(change, ReturnItems):
            changes.return_input(node, change, await self._returnable(node), "")
        return quote

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Look for the key, check the quote, and make the change under the key, one at a time for an order."""
        async with self._locks.setdefault(str(quote.order_id), asyncio.Lock()):
            return await self._apply(change, quote, key)

    async def _apply(self, change: Change, quote: Quote, key: str) -> Applied:
        node = await self._node_of(change)
        if applied := changes.applied(node, change, key):
            return applied
        if changes.quote(node, change) != quote:
            raise ShopRefusedError(OUTDATED_QUOTE)
        if isinstance(change, Refund):
            return await self._refund(node, change, quote, key)
        if isinstance(change, CancelOrder):
            return await self._cancel(node, change, key)
        if isinstance(change, ReturnItems):
            return await self._return(node, change, key)
        if isinstance(change, ChangeAddress):
            sent = changes.address_input(node, change.address)
            errors = (await self._api.change(documents.CHANGE_ADDRESS, input=sent))["orderUpdate"]["userErrors"]
            return Applied(node["id"]) if not errors else await self._after_error(node, change, key, errors)
        raise ShopRefusedError("This shop can't do that.")

    async def applied(self, change: Change, key: str) -> Applied | None:
        """Look for the key in the notes of the order."""
        return changes.applied(await self._node_of(change), change, key)

    async def erase_due(self) -> None:
        """Nothing is kept here."""

    async def _refund(self, node: Json, change: Refund, quote: Quote, key: str) -> Applied:
        if quote.balance is None:
            raise ShopRefusedError(OUTDATED_QUOTE)
        sent = changes.refund_input(node, change, quote.balance, key)
        result = (await self._api.change(documents.REFUND, input=sent, key=key))["refundCreate"]
        if result["userErrors"]:
            return await self._after_error(node, change, key, result["userErrors"])
        if not result["refund"]:
            raise OutcomeUnknownError("Shopify answered without a refund.")
        return changes.of_refund(result["refund"])

    async def _return(self, node: Json, change: ReturnItems, key: str) -> Applied:
        sent = changes.return_input(node, change, await self._returnable(node), key)
        result = (await self._api.change(documents.RETURN, input=sent))["returnRequest"]
        if result["userErrors"]:
            return await self._after_error(node, change, key, result["userErrors"])
        if not result["return"]:
            raise OutcomeUnknownError("Shopify answered without a return.")
        return changes.of_return(result["return"])

    async def _returnable(self, node: Json) -> list[Json]:
        """Read what of the order can be sent back. Raises ShopRefusedError where that is more than is read here."""
        if not self._store.returns:
            raise ShopRefusedError("This shop can't do that.")
        found: list[Json] = (await self._api.read(documents.RETURNABLE, id=node["id"]))["returnableFulfillments"][
            "nodes"
        ]
        if any(one["returnableFulfillmentLineItems"]["pageInfo"]["hasNextPage"] for one in found):
            raise ShopRefusedError(f"{node['name']} has too many lines in one parcel to be sent back here.")
        return found

    async def _cancel(self, node: Json, change: CancelOrder, key: str) -> Applied:
        """Cancel, and wait for the job that does it, also one that was begun before.

        Only what is cancelled otherwise, or certain not to be, is refused.
        """
        sent = {"orderId": node["id"], "staffNote": changes.staff_note(key)}
        result = (await self._api.change(documents.CANCEL, **sent))["orderCancel"]
        errors = result["orderCancelUserErrors"]
        for wait in _WAITS_FOR_JOB:
            now = await self._read_again(node)
            if applied := changes.applied(now, change, key):
                return applied
            if now["cancelledAt"] or any(error.get("code") in _CERTAIN for error in errors):
                raise ShopRefusedError(f"Shopify does not allow it: {_words(errors)}")
            await asyncio.sleep(wait)
        raise OutcomeUnknownError(f"Shopify: {_words(errors)}")

    async def _after_error(self, node: Json, change: Change, key: str, errors: Sequence[Json]) -> Applied:
        """Look for the outcome: Shopify's errors of refunds have no code, so an error is no refusal by itself.

        Raises ShopRefusedError when nothing was done for certain, and OutcomeUnknownError else.
        """
        if applied := changes.applied(await self._read_again(node), change, key):
            return applied
        if re.search(r"in progress|idempoten", _words(errors), re.IGNORECASE):
            raise OutcomeUnknownError(f"Shopify: {_words(errors)}")
        raise ShopRefusedError(f"Shopify does not allow it: {_words(errors)}")

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
        prefix, suffix = (await self._facts()).affixes
        found = (await self._api.read(documents.ORDER_IDS, query=f'name:"{number}"'))["orders"]["nodes"]
        for name in (number, f"{prefix}{number.removeprefix('#')}{suffix}"):
            ids = [node["id"] for node in found if node["name"].casefold() == name.casefold()]
            if len(ids) == 1:
                return await self._read_order(ids[0])
        return None

    async def _read_again(self, node: Json) -> Json:
        """Read an order again after something was sent: that it cannot be read says nothing of what was sent."""
        try:
            found = await self._read_order(node["id"])
        except ShopUnavailableError as error:
            raise OutcomeUnknownError(str(error)) from error
        if found is None:
            raise OutcomeUnknownError("The order cannot be read any more.")
        return found

    async def _read_order(self, order_id: str) -> Json | None:
        node: Json | None = (await self._api.read(documents.ORDER, id=order_id))["order"]
        page = node["lineItems"] if node else {"pageInfo": {"hasNextPage": False}}
        while node and page["pageInfo"]["hasNextPage"]:
            data = await self._api.read(documents.MORE_LINES, id=order_id, after=page["pageInfo"]["endCursor"])
            page = data["order"]["lineItems"]
            node["lineItems"]["nodes"] += page["nodes"]
        if node:
            node["returns"] = await self._returns_of(order_id) if self._store.returns else []
        return node

    async def _returns_of(self, order_id: str) -> list[Json]:
        order = (await self._api.read(documents.RETURNS, id=order_id))["order"]
        found: list[Json] = order["returns"]["nodes"] if order else []
        return found

    async def _facts(self) -> Facts:
        if not self._store.data:
            self._store = Facts(await self._api.read(documents.SHOP))
        return self._store


def _words(errors: Sequence[Json]) -> str:
    return " ".join(str(error["message"]) for error in errors)[:200] or "it is not there yet"
