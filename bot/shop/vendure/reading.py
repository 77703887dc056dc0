"""What Vendure's orders say in the port's values: lines, payments, what went back, what a change would do."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot import clock
from bot.currencies import exponent
from bot.shop.changes import Applied, AppliedStatus, CancelOrder, Change, Quote, Refund
from bot.shop.money import Money
from bot.shop.notes import check_note, is_under, lines_in
from bot.shop.orders import Address, Customer, Order, OrderItem, OrderStatus, Parcel
from bot.shop.quotes import quote_cancellation, quote_refund, take
from bot.shop.remote import Json
from bot.shop.shop import ShopRefusedError

STATUS = {
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
_REFUND_STATUS = {
    "Settled": AppliedStatus.SUCCEEDED,
    "Pending": AppliedStatus.PENDING,
    "Failed": AppliedStatus.FAILED,
}


def _money(units: int, currency: str, decimals: int) -> Money:
    """Convert the server's units, rounding down what the currency does not have."""
    shift = exponent(currency) - decimals
    return Money(units * 10**shift if shift >= 0 else units // 10**-shift, currency)


def units(amount: Money, decimals: int) -> int:
    """Convert to the server's units. Raises ShopRefusedError for what it cannot write."""
    shift = decimals - exponent(amount.currency)
    units, rest = divmod(amount.minor * int(10 ** max(shift, 0)), int(10 ** max(-shift, 0)))
    if rest:
        raise ShopRefusedError(f"The shop cannot give back {amount} exactly.", "Ask for a rounder amount.")
    return units


def _refunds(node: Json) -> list[Json]:
    return [refund for payment in node["payments"] or () for refund in payment["refunds"]]


def find_applied(node: Json, change: Change, key: str, decimals: int, *, settles_after: timedelta) -> Applied | None:
    """Return the outcome of a change, found by its key; of a cancellation also where no money was due.

    One whose money was never sent off is failed after so long, when no request can be under way; until then it is not
    known.
    """
    ours = _under(node, key)
    if not isinstance(change, CancelOrder):
        return read_refund(ours[-1]) if ours else None
    if (since := cancelled_at(node, key)) is None:
        return None
    if any(refund["state"] not in ("Settled", "Failed") for refund in ours):
        return Applied(node["id"], AppliedStatus.PENDING)
    if not sum(_left(node).values()):
        return Applied(node["id"])
    is_over = any(refund["state"] == "Failed" for refund in ours) or clock.now() - since > settles_after
    return without_its_money(node, decimals) if is_over else None


def cancelled_at(node: Json, key: str) -> datetime | None:
    """Return when the order was cancelled under this key, if it was."""
    if node["state"] != "Cancelled":
        return None
    entries = [entry for entry in node["history"]["items"] if entry["type"] == "ORDER_CANCELLATION"]
    ours = [entry["createdAt"] for entry in entries if is_under(entry["data"].get("reason"), key)]
    return _time(min(ours, default=None))


def without_its_money(node: Json, decimals: int) -> Applied:
    """Return that an order is cancelled, and what of its money is not on its way, if there is any."""
    rest = _money(sum(_left(node).values()), node["currencyCode"], decimals)
    if not rest.minor:
        return Applied(node["id"])
    return Applied(node["id"], AppliedStatus.FAILED, f"It is cancelled, but {rest} of its money has not gone back.")


def _under(node: Json, key: str) -> list[Json]:
    return [refund for refund in _refunds(node) if is_under(refund["reason"], key)]


def read_refund(refund: Json) -> Applied:
    """Return how a refund stands."""
    status = _REFUND_STATUS.get(refund["state"], AppliedStatus.PENDING)
    return Applied(refund["id"], status, "The payment provider refused it." if status == AppliedStatus.FAILED else "")


def _settled(node: Json) -> list[Json]:
    return [payment for payment in node["payments"] or () if payment["state"] == "Settled"]


def _gone(payment: Json) -> int:
    """Return what of a payment went back or is about to; what failed is free again."""
    gone: int = sum(refund["total"] for refund in payment["refunds"] if refund["state"] != "Failed")
    return gone


def _left(node: Json) -> dict[str, int]:
    """Return what is left of each payment, by its id."""
    return {payment["id"]: payment["amount"] - _gone(payment) for payment in _settled(node)}


def parts_of(node: Json, change: Change, amount: Money, decimals: int) -> list[tuple[str, int]]:
    """Choose the payments that money goes back to, and how much to each: of a cancellation all that each has left.

    Raises ShopRefusedError when no single payment has as much left as a refund is to give back.
    """
    left = {payment: minor for payment, minor in _left(node).items() if minor > 0}
    if isinstance(change, CancelOrder):
        return list(left.items())
    wanted = units(amount, decimals)
    for payment, minor in left.items():
        if minor >= wanted > 0:
            return [(payment, wanted)]
    most = _money(max(left.values(), default=0), amount.currency, decimals)
    raise ShopRefusedError(
        f"{node['code']} was paid in parts, and {most} is the most that can go back at once.",
        f"Ask for at most {most.major}; the rest in another request afterwards.",
    )


def quote(node: Json, change: Change, decimals: int) -> Quote:
    """Say what a change would do to this order now. Raises ShopRefusedError when it cannot be."""
    order = read_order(node, decimals)
    if isinstance(change, CancelOrder):
        quoted = quote_cancellation(order)
    elif isinstance(change, Refund):
        check_note(change.reason, change.lines)
        quoted = quote_refund(order, change, _left_by_line(node, order, decimals))
    else:
        raise ShopRefusedError("This shop can't do that.")
    if quoted.balance and quoted.balance.minor:
        parts_of(node, change, quoted.balance, decimals)
    return quoted


def _left_by_line(node: Json, order: Order, decimals: int) -> dict[int, int]:
    """Return what of each line's price did not go back for this very line.

    A refund of ours names its lines in the note; what the shop's own people gave back says how many of each.
    """
    numbers = {line["id"]: number for number, line in enumerate(node["lines"], 1)}
    left = {number: item.price.minor for number, item in enumerate(order.items, 1)}
    for refund in _refunds(node):
        if refund["state"] != "Failed":
            back = _money(refund["total"], order.total.currency, decimals)
            take(left, lines_in(refund["reason"]), back.minor)
            for line in refund["lines"]:
                number = numbers.get(line["orderLineId"], 0)
                each = order.items[number - 1].unit_price.minor if number else 0
                take(left, [number], each * line["quantity"])
    return left


def read_customer(node: Json) -> Customer:
    """Return who a customer is."""
    name = f"{node.get('firstName') or ''} {node.get('lastName') or ''}".strip()
    return Customer(str(node["id"]), name, node["emailAddress"].lower())


def read_order(node: Json, decimals: int) -> Order:
    """Return the order; `decimals` is how many the server keeps of each amount."""
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
        customer=read_customer(node["customer"]) if node["customer"] else Customer("", "Guest", ""),
        status=STATUS[node["state"]],
        items=tuple(_item(line, currency, decimals) for line in node["lines"]),
        total=_money(paid, currency, decimals),
        refunded=_money(gone, currency, decimals),
        payment_method=", ".join(method.replace("-", " ") for method in methods) or "not paid",
        placed_at=_time(node["orderPlacedAt"]) or clock.now(),
        delivered_at=_time(max(delivered, default=None)) if node["state"] == "Delivered" else None,
        carrier=one.carrier if one else None,
        tracking_number=one.tracking_number if one else None,
        parcels=parcels if len(parcels) > 1 else (),
        address=_address(node["shippingAddress"]),
    )


def read_home(nodes: Sequence[Json]) -> Address | None:
    """Return of a customer's addresses the one where parcels go unless they say otherwise."""
    home = next((one for one in nodes if one["defaultShippingAddress"]), nodes[0] if len(nodes) == 1 else None)
    return _address(home | {"countryCode": home["country"]["code"]}) if home else None


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
