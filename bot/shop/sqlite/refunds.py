"""Changes of the built-in shop that give money back: a refund, and the cancellation of an order."""

import json
from collections import Counter
from datetime import UTC, datetime

from sqlite_utils import Database

from bot.shop import quotes
from bot.shop.changes import CancelOrder, Quote, Refund, RefundReason
from bot.shop.orders import Order
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite.reading import read_order
from bot.store.records import new_id


def order_of(db: Database, number: str) -> Order:
    """Read an order that must be there. Raises ShopRefusedError."""
    if (order := read_order(db, number)) is None:
        raise ShopRefusedError(f"There is no order {number}.")
    return order


def quote_refund(db: Database, change: Refund) -> Quote:
    """Say what goes back for which lines. Raises ShopRefusedError when that is nothing, too much, or too early."""
    order = order_of(db, change.order_id)
    return quotes.quote_refund(order, change, _left_by_line(db, order))


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
    return quotes.quote_cancellation(order_of(db, change.order_id))


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


def _left_by_line(db: Database, order: Order) -> dict[int, int]:
    """Return what of each line's price has not gone back for this very line."""
    given = Counter[str]()
    for (lines,) in db.execute(
        "SELECT lines FROM effects WHERE order_id = ? AND status != 'failed'", [order.id]
    ).fetchall():
        given.update(json.loads(lines))
    return {number: item.price.minor - given[str(number)] for number, item in enumerate(order.items, 1)}
