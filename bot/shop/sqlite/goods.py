"""Changes of the built-in shop to the goods of an order: lines that go back, and other variants in their place."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from sqlite_utils import Database

from bot import clock
from bot.shop import quotes
from bot.shop.changes import ChangeItems, ExchangeItems, Quote, QuotedItem, RefundReason, ReturnItems
from bot.shop.money import Money
from bot.shop.orders import Order, OrderItem, PaymentMethod, Variant
from bot.shop.quotes import quoted_items, refuse_lines, require_returnable
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite.paying import in_words, method_of, move, parts_back, require_balance
from bot.shop.sqlite.reading import left_by_line, order_of, present_method, read_variants

RETURN_DAYS = 30
FAULT_DAYS = 365


class _Swapped(NamedTuple):
    """A line with the variant that comes in its place."""

    line: int
    item: OrderItem
    product: str
    variant: Variant


def quote_return(db: Database, change: ReturnItems) -> Quote:
    """Say what comes back for the lines when they have arrived. Raises ShopRefusedError."""
    order, left = order_of(db, change.order_id), left_by_line(db, order_of(db, change.order_id))
    at_fault = change.reason in (RefundReason.DEFECTIVE, RefundReason.WRONG_ITEM)
    quote = quotes.quote_return(order, change, left, "")
    _require_in_time(order, FAULT_DAYS if at_fault else RETURN_DAYS)
    method = _destination(db, order, change.refund_to)
    parts = parts_back(db, order, quotes.returned(order, change.lines, left), method)
    return replace(quote, method=in_words(parts) or method.label)


def make_return(db: Database, change: ReturnItems, quote: Quote, key: str) -> None:
    """Expect the lines; no money moves before they have arrived and somebody has approved it."""
    order = order_of(db, change.order_id)
    method = _destination(db, order, change.refund_to)
    for item in quote.items:
        _expect(db, order, item.line, key, kind="return", refund_to=method.id or method.label)


def quote_exchange(db: Database, change: ExchangeItems) -> Quote:
    """Say what each line becomes, and what that costs or brings back. Raises ShopRefusedError."""
    order = order_of(db, change.order_id)
    lines = [swap.line for swap in change.swaps]
    quoted_items(order, lines)
    require_returnable(order, lines)
    _require_in_time(order, RETURN_DAYS)
    return _quote_swaps(db, order, change)


def make_exchange(db: Database, change: ExchangeItems, quote: Quote, key: str) -> None:
    """Set the new variants aside, expect the old ones, and move what they differ by."""
    for swapped in _make_swaps(db, change, quote, key):
        _expect(db, order_of(db, change.order_id), swapped.line, key, kind="exchange", variant_id=swapped.variant.id)


def quote_items(db: Database, change: ChangeItems) -> Quote:
    """Say what each line becomes, and what that costs or brings back. Raises ShopRefusedError."""
    order = order_of(db, change.order_id)
    if not order.cancellable:
        raise ShopRefusedError(
            f"{order.id} is {order.status}, so its items can't be changed any more.",
            "Offer an exchange when it has arrived.",
        )
    if order.changed:
        raise ShopRefusedError(f"The items of {order.id} were changed once, and that can be done only once.")
    return _quote_swaps(db, order, change)


def make_items(db: Database, change: ChangeItems, quote: Quote, key: str) -> None:
    """Send the new variants, keep the old ones, and move what they differ by."""
    for swapped in _make_swaps(db, change, quote, key):
        db.execute(
            "UPDATE variants SET stock = stock + ? WHERE id = ?", [swapped.item.quantity, swapped.item.variant_id]
        )


def _quote_swaps(db: Database, order: Order, change: ExchangeItems | ChangeItems) -> Quote:
    swapped = _swaps(db, order, change)
    balance = Money(0, order.total.currency)
    for one in swapped:
        balance += one.item.price - one.variant.price * one.item.quantity
    method = method_of(db, order, change.pay_with)
    require_balance(method, -balance)
    if balance.minor > order.refundable.minor:
        raise ShopRefusedError(f"{balance} would come back, and of {order.id} only {order.refundable} is left.")
    items = tuple(
        QuotedItem(one.line, one.item.quantity, one.item.label, f"{one.product} ({one.variant.options})")
        for one in swapped
    )
    return Quote(
        order.customer,
        order.id,
        items,
        balance=balance,
        method=method.label,
        total=order.total,
        refunded=order.refunded,
        status=order.status,
        delivered_on=order.delivered_at.date() if order.delivered_at else None,
    )


def _swaps(db: Database, order: Order, change: ExchangeItems | ChangeItems) -> list[_Swapped]:
    """Find the variant of each swap: one of the same product, other than now, at a price, in stock."""
    quoted_items(order, [swap.line for swap in change.swaps])
    if not change.swaps:
        raise ShopRefusedError("No line of the order was named.", "Ask which, and for what.")
    left = left_by_line(db, order)
    touched = [swap.line for swap in change.swaps if left[swap.line] != order.items[swap.line - 1].price.minor]
    refuse_lines(order, touched, "was refunded already")
    swapped = [_swapped(db, order, swap.line, swap.variant_id) for swap in change.swaps]
    wanted = Counter[str]()
    for one in swapped:
        wanted[one.variant.id] += one.item.quantity
        if wanted[one.variant.id] > one.variant.in_stock:
            raise ShopRefusedError(
                f"{one.product} ({one.variant.options}) is not in stock: {one.variant.in_stock} left."
            )
    return swapped


def _swapped(db: Database, order: Order, line: int, wanted: str) -> _Swapped:
    item = order.items[line - 1]
    row = db.execute(
        "SELECT products.id, name FROM variants JOIN products ON products.id = product_id WHERE variants.id = ?",
        [item.variant_id],
    ).fetchone()
    if row is None:
        raise ShopRefusedError(f"{item.label} comes in no other variant.", "Offer to return or to cancel it.")
    product_id, product = row
    words = " ".join(wanted.casefold().split())
    variants = read_variants(db, product_id)
    found = [one for one in variants if one.id == wanted] or [
        one for one in variants if one.options.casefold() == words
    ]
    if len(found) != 1:
        raise ShopRefusedError(
            f"That is no variant of {product}, and it can only be changed for one of the same product.",
            "find_products has the variants with their ids.",
        )
    (variant,) = found
    if variant.id == item.variant_id:
        raise ShopRefusedError(f"{item.label} is this variant already.")
    if variant.price.currency != order.total.currency:
        raise ShopRefusedError(f"{product} ({variant.options}) is not sold in {order.total.currency}.")
    return _Swapped(line, item, product, variant)


def _make_swaps(db: Database, change: ExchangeItems | ChangeItems, quote: Quote, key: str) -> list[_Swapped]:
    order = order_of(db, change.order_id)
    method = method_of(db, order, change.pay_with)
    swapped = _swaps(db, order, change)
    for one in swapped:
        db.execute(
            """UPDATE order_items SET name = ?, options = ?, variant_id = ?, unit_price_minor = ?
               WHERE order_id = ? AND position = ?""",
            [*(one.product, one.variant.options, one.variant.id, one.variant.price.minor), order.id, one.line - 1],
        )
        db.execute("UPDATE variants SET stock = stock - ? WHERE id = ?", [one.item.quantity, one.variant.id])
    if quote.balance:
        db.execute("UPDATE orders SET total_minor = total_minor - ? WHERE id = ?", [quote.balance.minor, order.id])
        move(db, order.id, method, -quote.balance, reason=change.kind, key=key)
    return swapped


def _require_in_time(order: Order, days: int) -> None:
    if order.delivered_at and order.delivered_at + timedelta(days=days + 1) < clock.now():
        raise ShopRefusedError(f"{order.id} arrived more than {days} days ago, so it can't be sent back any more.")


def _destination(db: Database, order: Order, refund_to: str) -> PaymentMethod:
    """Return where the money of a return goes: how the order was paid, or a gift card of the customer's."""
    method = method_of(db, order, refund_to)
    if method != present_method(db, order.id) and method.balance is None:
        raise ShopRefusedError(f"Money of {order.id} goes back to {order.payment_method} or to a gift card only.")
    if method.balance is not None and method.balance.currency != order.total.currency:
        raise ShopRefusedError(f"{method.label} is in {method.balance.currency}, and {order.id} is not.")
    return method


def _expect(
    db: Database, order: Order, line: int, key: str, *, kind: str, refund_to: str = "", variant_id: str | None = None
) -> None:
    db.table("returns").insert(
        {
            "idempotency_key": key,
            "order_id": order.id,
            "line": line,
            "kind": kind,
            "variant_id": variant_id,
            "refund_to": refund_to or None,
            "created_at": clock.now().isoformat(),
        }
    )
