"""Shopify's orders as the bot's own values."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from bot.currencies import exponent
from bot.shop.changes import AppliedStatus
from bot.shop.money import Money
from bot.shop.orders import Address, Customer, Order, OrderItem, OrderStatus, Parcel, TrackingEvent
from bot.shop.remote import Json

_FULFILLED = ("FULFILLED", "PARTIALLY_FULFILLED")
_ON_ITS_WAY = {
    "OUT_FOR_DELIVERY": OrderStatus.OUT_FOR_DELIVERY,
    "DELAYED": OrderStatus.DELAYED,
    "ATTEMPTED_DELIVERY": OrderStatus.DELAYED,
    "NOT_DELIVERED": OrderStatus.DELAYED,
    "FAILURE": OrderStatus.DELAYED,
}
RETURNS_THAT_ENDED = frozenset({"DECLINED", "CANCELED"})
_PENDING = frozenset({"PENDING", "AWAITING_RESPONSE", "UNKNOWN"})
_FAILED = frozenset({"FAILURE", "ERROR"})


def money(bag: Json) -> Money:
    """Read an amount in the currency that the customer paid in."""
    paid = bag["presentmentMoney"]
    return Money.from_major(Decimal(paid["amount"]), paid["currencyCode"])


def _rounded(bag: Json) -> Money:
    """Read the price of one of several, which a discount may have left with a fraction of a cent."""
    paid = bag["presentmentMoney"]
    smallest = Decimal(1).scaleb(-exponent(paid["currencyCode"]))
    return Money.from_major(Decimal(paid["amount"]).quantize(smallest), paid["currencyCode"])


def customer(node: Json | None) -> Customer:
    """Read a customer; a guest, and one whose address is hidden or not confirmed, has none and is nobody's match."""
    if not node:
        return Customer("", "Guest", "")
    email = (node["defaultEmailAddress"] or {}).get("emailAddress") or ""
    return Customer(node["id"], node["displayName"] or "", email.strip().lower() if node["verifiedEmail"] else "")


def listed(node: Json) -> Order:
    """Read an order of a list: without its parcels and address, and with its first lines."""
    return Order(
        id=node["name"],
        customer=customer(node["customer"]),
        status=_status(node),
        items=tuple(_item(line) for line in node["lineItems"]["nodes"]),
        total=money(node["totalReceivedSet"]),
        refunded=money(node["totalRefundedSet"]),
        payment_method=", ".join(node["paymentGatewayNames"]) or "the original payment",
        placed_at=datetime.fromisoformat(node["createdAt"]),
        expected_on=_expected_on(node),
        delivered_at=_delivered_at(node),
    )


def order(node: Json) -> Order:
    """Read an order as a whole, with all of its lines."""
    currency = node["presentmentCurrencyCode"]
    parcels = tuple(_parcel(one, _numbers(node)) for one in node["fulfillments"] if one["displayStatus"] != "CANCELED")
    one = parcels[0] if len(parcels) == 1 else None
    gateways = dict.fromkeys(paid["formattedGateway"] or paid["gateway"] for paid in payments(node))
    return Order(
        id=node["name"],
        customer=customer(node["customer"]),
        status=_status(node),
        items=_with_returns(node, tuple(_item(line) for line in node["lineItems"]["nodes"])),
        total=Money(sum(money(paid["amountSet"]).minor for paid in payments(node)), currency),
        refunded=Money(sum(gone(node).values()), currency),
        payment_method=", ".join(filter(None, gateways)) or "the original payment",
        placed_at=datetime.fromisoformat(node["createdAt"]),
        expected_on=_expected_on(node),
        delivered_at=_delivered_at(node),
        carrier=one.carrier if one else None,
        tracking_number=one.tracking_number if one else None,
        tracking_url=one.tracking_url if one else None,
        tracking=_events(node["fulfillments"]),
        parcels=parcels if len(parcels) > 1 else (),
        address=_address(node["shippingAddress"]),
    )


def payments(node: Json) -> list[Json]:
    """List what was paid in the order's currency, in the order of paying."""
    paid = (t for t in node["transactions"] if t["kind"] in ("SALE", "CAPTURE") and t["status"] == "SUCCESS")
    return [t for t in paid if _is_in_its_currency(node, t)]


def _is_in_its_currency(node: Json, transaction: Json) -> bool:
    return bool(transaction["amountSet"]["presentmentMoney"]["currencyCode"] == node["presentmentCurrencyCode"])


def gone(node: Json) -> dict[str, int]:
    """Return what of each payment went back or is about to, in minor units, by the payment's id; "" for no payment."""
    sums: dict[str, int] = {}
    for one in node["transactions"]:
        if one["kind"] == "REFUND" and one["status"] not in _FAILED and _is_in_its_currency(node, one):
            parent = (one["parentTransaction"] or {"id": ""})["id"]
            sums[parent] = sums.get(parent, 0) + money(one["amountSet"]).minor
    return sums


def returns(node: Json) -> list[Json]:
    """List the returns that stand, whether or not the merchant has agreed to them yet, the latest first."""
    return [one for one in node["returns"] if one["status"] not in RETURNS_THAT_ENDED]


def refund_status(refund: Json) -> AppliedStatus:
    """Return how far a refund is, by its transactions: one that failed makes it failed, one that waits pending."""
    statuses = {one["status"] for one in refund["transactions"]["nodes"]}
    if statuses & _FAILED:
        return AppliedStatus.FAILED
    return AppliedStatus.PENDING if statuses & _PENDING or not statuses else AppliedStatus.SUCCEEDED


def is_pending(transaction: Json) -> bool:
    """Return whether the payment provider has not said the outcome yet."""
    return transaction["status"] in _PENDING


def is_failed(transaction: Json) -> bool:
    """Return whether the payment provider refused it."""
    return transaction["status"] in _FAILED


def _expected_on(node: Json) -> date | None:
    expected = [found["estimatedDeliveryAt"] for found in node["fulfillments"] if found["estimatedDeliveryAt"]]
    return datetime.fromisoformat(max(expected)).date() if expected else None


def _delivered_at(node: Json) -> datetime | None:
    arrived = [found["deliveredAt"] for found in node["fulfillments"] if found["deliveredAt"]]
    is_there = arrived and _status(node) == OrderStatus.DELIVERED
    return datetime.fromisoformat(max(arrived)) if is_there else None


def _status(node: Json) -> OrderStatus:
    if node["cancelledAt"]:
        return OrderStatus.CANCELLED
    if node["displayFulfillmentStatus"] not in _FULFILLED:
        return OrderStatus.PACKED if node["displayFulfillmentStatus"] == "IN_PROGRESS" else OrderStatus.PAID
    shown = [one["displayStatus"] for one in node["fulfillments"] if one["displayStatus"] != "CANCELED"]
    if shown and node["displayFulfillmentStatus"] == "FULFILLED" and all(one == "DELIVERED" for one in shown):
        return OrderStatus.DELIVERED
    return next((_ON_ITS_WAY[one] for one in shown if one in _ON_ITS_WAY), OrderStatus.SHIPPED)


def _item(line: Json) -> OrderItem:
    price = _rounded(line["discountedUnitPriceAfterAllDiscountsSet"])
    variant = (line["variant"] or {}).get("id")
    return OrderItem(line["title"], line["quantity"], price, line["variantTitle"] or "", variant)


def _with_returns(node: Json, items: tuple[OrderItem, ...]) -> tuple[OrderItem, ...]:
    """Note which lines go back or have gone, and whether they have arrived."""
    numbers, found = _numbers(node), list(items)
    for one in reversed(returns(node)):
        for line in one["returnLineItems"]["nodes"]:
            number = numbers.get(((line.get("fulfillmentLineItem") or {}).get("lineItem") or {}).get("id", ""), 0)
            if number:
                received = one["status"] == "CLOSED" or line["processedQuantity"] >= line["quantity"]
                found[number - 1] = replace(found[number - 1], returning="return", received=received)
    return tuple(found)


def _numbers(node: Json) -> dict[str, int]:
    return {line["id"]: number for number, line in enumerate(node["lineItems"]["nodes"], 1)}


def _parcel(fulfillment: Json, numbers: Mapping[str, int]) -> Parcel:
    tracking: Json = next(iter(fulfillment["trackingInfo"]), {})
    ids = (line["lineItem"]["id"] for line in fulfillment["fulfillmentLineItems"]["nodes"])
    return Parcel(
        tracking.get("company") or "",
        tracking.get("number") or "",
        tracking.get("url"),
        (fulfillment["displayStatus"] or "").lower().replace("_", " "),
        tuple(sorted(numbers[line] for line in ids if line in numbers)),
    )


def _events(fulfillments: Sequence[Json]) -> tuple[TrackingEvent, ...]:
    nodes = [event for one in fulfillments for event in one["events"]["nodes"]]
    found = [
        TrackingEvent(
            datetime.fromisoformat(event["happenedAt"]),
            ", ".join(filter(None, (event["city"], event["country"]))),
            event["message"] or event["status"].lower().replace("_", " "),
        )
        for event in nodes
    ]
    return tuple(sorted(found, key=lambda event: event.at))


def _address(node: Json | None) -> Address | None:
    if not node:
        return None
    street = " ".join(filter(None, (node["address1"], node["address2"])))
    where = (node["city"], node["provinceCode"], node["zip"], node["countryCodeV2"])
    return Address(node["name"] or "", street, *(part or "" for part in where))
