"""Changes of the built-in shop that give money back: a refund, and the cancellation of an order."""

import json
from collections import Counter
from datetime import UTC, datetime

from sqlite_utils import Database

from bot.shop.changes import CancelOrder, Quote, QuotedItem, Refund, RefundReason
from bot.shop.money import Money
from bot.shop.orders import Order, OrderStatus
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite.reading import read_order
from bot.store.records import new_id


def order_of(db: Database, number: str) -> Order:
    """Read an order that must be there. Raises ShopRefusedError."""
    if (order := read_order(db, number)) is None:
        raise ShopRefusedError(f"There is no order {number}.")
    return order


def quoted_items(order: Order, lines: tuple[int, ...] = ()) -> tuple[QuotedItem, ...]:
    """Name the lines with these numbers, or all of them. Raises ShopRefusedError when there is no such line."""
    numbers = lines or tuple(range(1, len(order.items) + 1))
    if len(set(numbers)) != len(numbers) or not all(1 <= number <= len(order.items) for number in numbers):
        raise ShopRefusedError(
            f"{order.id} has the lines 1 to {len(order.items)}.",
            "Send each line once, by its number in get_order_status.",
        )
    return tuple(
        QuotedItem(number, order.items[number - 1].quantity, order.items[number - 1].label) for number in numbers
    )


def quote_refund(db: Database, change: Refund) -> Quote:
    """Say what goes back for which lines. Raises ShopRefusedError when that is nothing, too much, or too early."""
    order = order_of(db, change.order_id)
    _refuse_early(order, change.reason)
    left = order.refundable
    if left.minor <= 0:
        how = "was cancelled, and all of its money has gone back" if order.status == OrderStatus.CANCELLED else (
            "was refunded in full"
        )  # fmt: skip
        raise ShopRefusedError(f"{order.id} {how} already; nothing is left to refund.")
    items = quoted_items(order, change.lines)
    amount = change.amount or (_left_of_lines(db, order, change.lines) if change.lines else left)
    if change.lines and change.amount and amount.minor > (most := _left_of_lines(db, order, change.lines)).minor:
        raise ShopRefusedError(
            f"{amount} is more than is left to refund for these items of {order.id}: {most}.",
            "Send null for the amount, and the shop takes what they cost.",
        )
    if amount.currency != left.currency:
        raise ShopRefusedError(
            f"{order.id} was paid in {left.currency}, and an amount can only be given in US dollars.",
            "Send null for the amount, with the lines that it is about or for all that is left.",
        )
    if not 0 < amount.minor <= left.minor:
        raise ShopRefusedError(
            f"{amount} is more than is left to refund for {order.id}: {left} of {order.total}.",
            f"Send at most {left.major}, or null for all of it, after the customer agreed.",
        )
    return Quote(
        customer=order.customer,
        order_id=order.id,
        items=items,
        balance=amount,
        method=order.payment_method,
        total=order.total,
        refunded=order.refunded,
        status=order.status,
        delivered_on=order.delivered_at.date() if order.delivered_at else None,
    )


def make_refund(db: Database, change: Refund, quote: Quote, key: str) -> None:
    """Give it back, and note what of each line that is."""
    if change.lines and quote.balance and quote.order_id:
        order, rest, of_lines = order_of(db, quote.order_id), quote.balance.minor, {}
        for line, left in _left_by_line(db, order).items():
            if line in change.lines:
                of_lines[line] = min(left, rest)
                rest -= of_lines[line]
        db.execute("UPDATE effects SET lines = ? WHERE idempotency_key = ?", [json.dumps(of_lines), key])
    give_back(db, quote, change.reason, key)


def quote_cancellation(db: Database, change: CancelOrder) -> Quote:
    """Say what goes back. Raises ShopRefusedError when the order has left."""
    order = order_of(db, change.order_id)
    if not order.cancellable:
        raise ShopRefusedError(f"{order.id} is {order.status} and can't be cancelled any more.")
    return Quote(
        customer=order.customer,
        order_id=order.id,
        items=quoted_items(order),
        balance=order.refundable,
        method=order.payment_method,
        total=order.total,
        refunded=order.refunded,
    )


def make_cancellation(db: Database, change: CancelOrder, quote: Quote, key: str) -> None:  # noqa: ARG001 - as all are
    """Cancel it, and give back what is left of its money."""
    db.execute("UPDATE orders SET status = 'cancelled' WHERE id = ?", [quote.order_id])
    give_back(db, quote, RefundReason.CHANGED_MIND, key)


def give_back(db: Database, quote: Quote, reason: RefundReason, key: str) -> None:
    """Write the payment that goes back."""
    if quote.balance and quote.balance.minor:
        db.table("payments").insert(
            {
                "id": f"re_{new_id()[:12]}",
                "order_id": quote.order_id,
                "amount_minor": -quote.balance.minor,
                "currency": quote.balance.currency,
                "method": quote.method,
                "reason": reason,
                "idempotency_key": key,
                "created_at": datetime.now(UTC).isoformat(),
            }
        )


def _refuse_early(order: Order, reason: RefundReason) -> None:
    if not order.under_way or (reason == RefundReason.NOT_DELIVERED and order.overdue):
        return
    if order.cancellable:
        raise ShopRefusedError(f"{order.id} has not left yet, so it can be cancelled instead.", "Offer to cancel it.")
    raise ShopRefusedError(
        f"{order.id} is still on its way, so it can't be refunded yet.",
        "It can be once it has arrived, or when it has not by the day after it was expected.",
    )


def _left_of_lines(db: Database, order: Order, lines: tuple[int, ...]) -> Money:
    left = _left_by_line(db, order)
    if gone := [f"{line}. {order.items[line - 1].label}" for line in lines if not left[line]]:
        raise ShopRefusedError(f"This was refunded already: {', '.join(gone)}.")
    return Money(sum(left[line] for line in lines), order.total.currency)


def _left_by_line(db: Database, order: Order) -> dict[int, int]:
    """Return what of each line's price has not gone back for this very line."""
    given = Counter[str]()
    for (lines,) in db.execute(
        "SELECT lines FROM effects WHERE order_id = ? AND status != 'failed'", [order.id]
    ).fetchall():
        given.update(json.loads(lines))
    return {number: item.price.minor - given[str(number)] for number, item in enumerate(order.items, 1)}
