"""A Vendure server as the shop: orders by their code, refunds and cancellations. It has no keys, so we look first.

Vendure gives back what it is asked for: twice for two requests, also for less than nothing, and it reads what is left
outside of a lock. So each change looks for its key first, one at a time for an order; no second bot may change orders
of the same shop. The key is written into the refund's reason, which is the only place that comes back.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from aiohttp import ClientSession
from pydantic import HttpUrl, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.shop.changes import Applied, AppliedStatus, CancelOrder, Change, Quote, Refund
from bot.shop.money import Money, exponent
from bot.shop.orders import Address, Customer, Order, OrderItem, OrderStatus, Parcel, Product, Profile
from bot.shop.quotes import OUTDATED_QUOTE, quote_cancellation, quote_refund
from bot.shop.remote import Json, OutcomeUnknownError, Remote
from bot.shop.shop import LookFirst, Safe, ShopCheckError, ShopRefusedError, ShopUnavailableError

_STATUS = {
    "PaymentAuthorized": OrderStatus.PAID,
    "PaymentSettled": OrderStatus.PAID,
    "ArrangingAdditionalPayment": OrderStatus.PAID,
    "Modifying": OrderStatus.PAID,
    "PartiallyShipped": OrderStatus.SHIPPED,
    "Shipped": OrderStatus.SHIPPED,
    "PartiallyDelivered": OrderStatus.SHIPPED,
    "Delivered": OrderStatus.DELIVERED,
    "Cancelled": OrderStatus.CANCELLED,
}
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
_REFUND_STATUS = {
    "Settled": AppliedStatus.SUCCEEDED,
    "Pending": AppliedStatus.PENDING,
    "Failed": AppliedStatus.FAILED,
}


class VendureSettings(BaseSettings):
    """Where the server is, and a key of a role with ReadOrder, UpdateOrder and ReadCustomer."""

    model_config = SettingsConfigDict(env_prefix="BOT_VENDURE_", env_file=".env", extra="ignore")

    url: HttpUrl
    """Address of the Admin API, such as https://shop.example.com/admin-api."""
    api_key: SecretStr
    timeout_seconds: float = 10.0


@asynccontextmanager
async def open_vendure(settings: VendureSettings | None = None) -> AsyncIterator["Vendure"]:
    """Give the shop while its connections are open; what is not given is read from `BOT_VENDURE_…`."""
    settings = settings or VendureSettings()
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

    async def check(self) -> None:
        """Ask for what the bot needs. Raises ShopCheckError with what to do."""
        try:
            await self._decimals()
            found = (await self._read(_LATEST))["orders"]["items"]
            await self._read(_CUSTOMER, email="nobody@example.com")
        except ShopUnavailableError as error:
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
            found = (await self._read(_ORDER, code=code))["orders"]["items"]
            for node in found:
                if node["code"] == code and not node["active"] and node["state"] in _STATUS:
                    return _order(node, await self._decimals())
        return None

    async def customer(self, email: str) -> Customer | None:
        """Find the customer; the shop keeps addresses in lower case."""
        wanted = email.strip().lower()
        if not wanted:
            return None
        found = (await self._read(_CUSTOMER, email=wanted))["customers"]["items"]
        return next((_customer(node) for node in found if node["emailAddress"].lower() == wanted), None)

    async def orders(self, customer: Customer, *, most: int) -> list[Order]:
        """List a customer's orders, the latest first."""
        decimals = await self._decimals()
        answer = await self._read(_ORDERS, id=customer.id, most=most)
        nodes = (answer["customer"] or {"orders": {"items": []}})["orders"]["items"]
        return [_order(node, decimals) for node in nodes if not node["active"] and node["state"] in _STATUS]

    async def profile(self, customer: Customer) -> Profile:
        """Return the customer; addresses and payment methods are not read."""
        return Profile(customer, None, ())

    async def products(self, query: str, *, most: int) -> list[Product]:  # noqa: ARG002 - the port's
        """Find nothing: the catalogue is not read."""
        return []

    async def quote(self, change: Change) -> Quote:
        """Say what a refund or a cancellation would do now."""
        return _quote(await self._node(change), change, await self._decimals())

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Look for the key, check the quote, and change the order; one at a time for an order.

        The same key again finishes a cancellation that was cut off between its two steps.
        """
        lock = self._locks.setdefault(str(quote.order_id), asyncio.Lock())
        async with lock:
            node = await self._node(change)
            if applied := _applied(node, change, key):
                if not (isinstance(change, CancelOrder) and applied.status == AppliedStatus.PENDING):
                    return applied
            elif _quote(node, change, await self._decimals()) != quote:
                raise ShopRefusedError(OUTDATED_QUOTE)
            if isinstance(change, CancelOrder) and node["state"] != "Cancelled":
                await self._change(_CANCEL, "cancelOrder", id=node["id"], reason=_reason("cancelled", key))
            if not quote.balance or not quote.balance.minor:
                return Applied(node["id"])
            reason = change.reason.value if isinstance(change, Refund) else "cancelled"
            lines = change.lines if isinstance(change, Refund) else ()
            return await self._give_back(node, quote.balance, _reason(reason, key, lines), change, key)

    async def applied(self, change: Change, key: str) -> Applied | None:
        """Look for the key in the order's refunds."""
        return _applied(await self._node(change), change, key)

    async def erase_due(self) -> None:
        """Nothing is kept here."""

    async def _give_back(self, node: Json, amount: Money, reason: str, change: Change, key: str) -> Applied:
        decimals = await self._decimals()
        payment = _payment_with(node, amount, decimals)
        sent = {"paymentId": payment["id"], "amount": _units(amount, decimals), "reason": reason}
        try:
            refund = await self._change(
                _REFUND, "refundOrder", input=sent | {"lines": [], "shipping": 0, "adjustment": 0}
            )
        except (ShopRefusedError, OutcomeUnknownError):
            if applied := _applied(await self._node(change), change, key):
                return applied  # an error, and yet the refund is there
            raise
        return _of_refund(refund)

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
            raise ShopUnavailableError(f"Vendure refuses to tell: {', '.join(sorted(codes))}.")
        data: Json = answer.get("data") or {}
        return data

    async def _node(self, change: Change) -> Json:
        """Read the order that a change is about. Raises ShopRefusedError when there is none."""
        code = change.order_id if isinstance(change, Refund | CancelOrder) else ""
        for node in (await self._read(_ORDER, code=code))["orders"]["items"] if code else ():
            if node["code"] == code and node["state"] in _STATUS:
                found: Json = node
                return found
        raise ShopRefusedError(f"There is no order {code}." if code else "This shop can't do that.")

    async def _decimals(self) -> int:
        """Return how many decimals the server's amounts have, whatever the currency has."""
        if self._precision is None:
            found = (await self._read(_SETTINGS))["globalSettings"]["serverConfig"]["moneyStrategyPrecision"]
            self._precision = int(found)
        return self._precision


def _codes(answer: Mapping[str, Any]) -> set[str]:
    """Return the codes of the errors, which come with HTTP 200."""
    errors = answer.get("errors") or ()
    return {str((error.get("extensions") or {}).get("code") or error.get("message"))[:100] for error in errors}


def _money(units: int, currency: str, decimals: int) -> Money:
    """Convert the server's units, rounding down what the currency does not have."""
    shift = exponent(currency) - decimals
    return Money(units * 10**shift if shift >= 0 else units // 10**-shift, currency)


def _units(amount: Money, decimals: int) -> int:
    """Convert to the server's units. Raises ShopRefusedError for what it cannot write."""
    shift = decimals - exponent(amount.currency)
    units, rest = divmod(amount.minor * int(10 ** max(shift, 0)), int(10 ** max(-shift, 0)))
    if rest:
        raise ShopRefusedError(f"The shop cannot give back {amount} exactly.", "Ask for a rounder amount.")
    return units


def _reason(why: str, key: str, lines: tuple[int, ...] = ()) -> str:
    """Write the reason, which the customer may read in the shop, with what we find it by."""
    of_lines = f", lines {' '.join(map(str, lines))}" if lines else ""
    return f"{why.replace('_', ' ')}{of_lines} [support-bot:{key}]"


def _refunds(node: Json) -> list[Json]:
    return [refund for payment in node["payments"] or () for refund in payment["refunds"]]


def _applied(node: Json, change: Change, key: str) -> Applied | None:
    ours = [refund for refund in _refunds(node) if str(refund["reason"]).endswith(f"[support-bot:{key}]")]
    if ours:
        return _of_refund(ours[-1])
    if isinstance(change, CancelOrder) and node["state"] == "Cancelled":
        cancelled = [entry["data"] for entry in node["history"]["items"] if entry["type"] == "ORDER_CANCELLATION"]
        if any(str(data.get("reason", "")).endswith(f"[support-bot:{key}]") for data in cancelled):
            rest = sum(payment["amount"] for payment in _settled(node)) - sum(_gone(p) for p in _settled(node))
            status = AppliedStatus.PENDING if rest > 0 else AppliedStatus.SUCCEEDED
            return Applied(node["id"], status)
    return None


def _of_refund(refund: Json) -> Applied:
    status = _REFUND_STATUS.get(refund["state"], AppliedStatus.PENDING)
    return Applied(refund["id"], status, "The payment provider refused it." if status == AppliedStatus.FAILED else "")


def _settled(node: Json) -> list[Json]:
    return [payment for payment in node["payments"] or () if payment["state"] == "Settled"]


def _gone(payment: Json) -> int:
    """Return what of a payment went back or is about to; what failed is free again."""
    gone: int = sum(refund["total"] for refund in payment["refunds"] if refund["state"] != "Failed")
    return gone


def _payment_with(node: Json, amount: Money, decimals: int) -> Json:
    """Choose the payment that so much can go back to. Raises ShopRefusedError when no single one has that much left."""
    left = {payment["id"]: payment["amount"] - _gone(payment) for payment in _settled(node)}
    for payment in _settled(node):
        if left[payment["id"]] >= _units(amount, decimals) > 0:
            return payment
    most = _money(max(left.values(), default=0), amount.currency, decimals)
    raise ShopRefusedError(
        f"{node['code']} was paid in parts, and {most} is the most that can go back at once.",
        f"Ask for at most {most.major}; the rest in another request afterwards.",
    )


def _quote(node: Json, change: Change, decimals: int) -> Quote:
    order = _order(node, decimals)
    if isinstance(change, CancelOrder):
        quote = quote_cancellation(order)
    elif isinstance(change, Refund):
        quote = quote_refund(order, change, _left_by_line(node, order))
    else:
        raise ShopRefusedError("This shop can't do that.")
    if quote.balance and quote.balance.minor:
        _payment_with(node, quote.balance, decimals)
    return quote


def _left_by_line(node: Json, order: Order) -> dict[int, int]:
    """Return what of each line's price did not go back for this very line; a refund of lines is of all of each."""
    given: set[int] = set()
    for refund in _refunds(node):
        found = re.search(r", lines ([\d ]+) \[support-bot:", str(refund["reason"]))
        if found and refund["state"] != "Failed":
            given.update(map(int, found[1].split()))
    return {number: 0 if number in given else item.price.minor for number, item in enumerate(order.items, 1)}


def _customer(node: Json) -> Customer:
    name = f"{node.get('firstName') or ''} {node.get('lastName') or ''}".strip()
    return Customer(str(node["id"]), name, node["emailAddress"].lower())


def _order(node: Json, decimals: int) -> Order:
    currency = node["currencyCode"]
    paid = sum(payment["amount"] for payment in _settled(node))
    gone = sum(_gone(payment) for payment in _settled(node))
    methods = list(dict.fromkeys(payment["method"] for payment in _settled(node)))
    numbers = {line["id"]: number for number, line in enumerate(node["lines"], 1)}
    delivered = [f["updatedAt"] for f in node["fulfillments"] or () if f["state"] == "Delivered"]
    parcels = tuple(_parcel(f, numbers) for f in node["fulfillments"] or () if f["state"] != "Cancelled")
    one = parcels[0] if len(parcels) == 1 else None
    return Order(
        id=node["code"],
        customer=_customer(node["customer"]) if node["customer"] else Customer("", "Guest", ""),
        status=_STATUS[node["state"]],
        items=tuple(_item(line, currency, decimals) for line in node["lines"]),
        total=_money(paid, currency, decimals),
        refunded=_money(gone, currency, decimals),
        payment_method=", ".join(method.replace("-", " ") for method in methods) or "not paid",
        placed_at=_time(node["orderPlacedAt"]) or datetime.now(UTC),
        delivered_at=_time(max(delivered, default=None)) if node["state"] == "Delivered" else None,
        carrier=one.carrier if one else None,
        tracking_number=one.tracking_number if one else None,
        parcels=parcels if len(parcels) > 1 else (),
        address=_address(node["shippingAddress"]),
    )


def _item(line: Json, currency: str, decimals: int) -> OrderItem:
    variant = line["productVariant"]
    options = ", ".join(option["name"] for option in variant["options"])
    price = _money(line["proratedUnitPriceWithTax"], currency, decimals)
    return OrderItem(variant["name"], line["orderPlacedQuantity"] or line["quantity"], price, options, variant["id"])


def _parcel(fulfillment: Json, numbers: Mapping[str, int]) -> Parcel:
    lines = tuple(
        sorted(numbers[line["orderLineId"]] for line in fulfillment["lines"] if line["orderLineId"] in numbers)
    )
    state = fulfillment["state"].lower()
    return Parcel(fulfillment["method"] or "", fulfillment["trackingCode"] or "", None, state, lines)


def _address(node: Json | None) -> Address | None:
    if not node or not node.get("streetLine1"):
        return None
    street = " ".join(filter(None, (node["streetLine1"], node["streetLine2"])))
    where = (node["city"], node["province"], node["postalCode"], node["countryCode"])
    return Address(node["fullName"] or "", street, *(part or "" for part in where))


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


_FIELDS = """id code state active currencyCode orderPlacedAt
  customer{id firstName lastName emailAddress}
  lines{id quantity orderPlacedQuantity proratedUnitPriceWithTax productVariant{id name options{name}}}
  payments{id state amount method refunds{id state total reason}}
  fulfillments{id state method trackingCode updatedAt lines{orderLineId}}
  shippingAddress{fullName streetLine1 streetLine2 city province postalCode countryCode}
  history(options:{filter:{type:{eq:"ORDER_CANCELLATION"}}}){items{type data}}"""
_ORDER = f"query($code:String!){{orders(options:{{filter:{{code:{{eq:$code}}}}}}){{items{{{_FIELDS}}}}}}}"
_ORDERS = f"""query($id:ID!,$most:Int!){{customer(id:$id){{orders(options:{{take:$most,sort:{{orderPlacedAt:DESC}},
  filter:{{active:{{eq:false}}}}}}){{items{{{_FIELDS}}}}}}}}}"""
_LATEST = "{orders(options:{take:1,filter:{active:{eq:false}}}){items{id customer{emailAddress}}}}"
_CUSTOMER = """query($email:String!){customers(options:{filter:{emailAddress:{eq:$email}}}){
  items{id firstName lastName emailAddress}}}"""
_SETTINGS = "{globalSettings{serverConfig{moneyStrategyPrecision}}}"
_REFUND = """mutation($input:RefundOrderInput!){refundOrder(input:$input){__typename
  ...on Refund{id state total} ...on ErrorResult{message}}}"""
_CANCEL = """mutation($id:ID!,$reason:String!){cancelOrder(input:{orderId:$id,reason:$reason,cancelShipping:true}){
  __typename ...on Order{id state} ...on ErrorResult{message}}}"""
