"""Changes of the built-in shop that give money back: a refund, and the cancellation of an order."""

import json
from dataclasses import replace

from sqlite_utils import Database

from bot.shop import quotes
from bot.shop.changes import CancelOrder, Quote, Refund, RefundReason
from bot.shop.money import Money
from bot.shop.orders import Order
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite.paying import ORIGINAL, Part, in_words, method_of, move, parts_back
from bot.shop.sqlite.reading import left_by_line, order_of


def quote_refund(db: Database, change: Refund) -> Quote:
    """Say what goes back for which lines. Raises ShopRefusedError when that is nothing, too much, or too early."""
    order = order_of(db, change.order_id)
    quote = quotes.quote_refund(order, change, left_by_line(db, order))
    return replace(quote, method=in_words(_parts(db, order, change, quote.balance)))


def make_refund(db: Database, change: Refund, quote: Quote, key: str) -> None:
    """Give it back, and note what of each line that is."""
    order = order_of(db, change.order_id)
    if change.lines and quote.balance:
        rest, of_lines = quote.balance.minor, {}
        for line, left in left_by_line(db, order).items():
            if line in change.lines:
                of_lines[line] = min(left, rest)
                rest -= of_lines[line]
        db.execute("UPDATE effects SET lines = ? WHERE idempotency_key = ?", [json.dumps(of_lines), key])
    for part in _parts(db, order, change, quote.balance):
        move(db, order.id, part.method, -part.amount, reason=change.reason, key=key)


def quote_cancellation(db: Database, change: CancelOrder) -> Quote:
    """Say what goes back. Raises ShopRefusedError when the order has left."""
    order = order_of(db, change.order_id)
    quote, parts = quotes.quote_cancellation(order), parts_back(db, order, order.refundable)
    return replace(quote, method=in_words(parts)) if parts else quote


def make_cancellation(db: Database, change: CancelOrder, quote: Quote, key: str) -> None:
    """Cancel it, and give back what is left of its money to where it came from."""
    db.execute("UPDATE orders SET status = 'cancelled' WHERE id = ?", [quote.order_id])
    order = order_of(db, change.order_id)
    for part in parts_back(db, order, order.refundable):
        move(db, order.id, part.method, -part.amount, reason=RefundReason.CHANGED_MIND, key=key)
    db.execute(
        """UPDATE variants SET stock = stock + kept.quantity
           FROM (SELECT variant_id, sum(quantity) AS quantity FROM order_items WHERE order_id = ? GROUP BY 1) AS kept
           WHERE kept.variant_id = variants.id""",
        [order.id],
    )


def _parts(db: Database, order: Order, change: Refund, amount: Money | None) -> tuple[Part, ...]:
    """Divide what goes back: to where it came from, or to what was chosen when the lines were sent back."""
    if not amount:
        return ()
    left = left_by_line(db, order)
    lines = change.lines or (() if change.amount else tuple(line for line in left if left[line]))
    rows = db.execute("SELECT line, refund_to FROM returns WHERE order_id = ?", [order.id]).fetchall()
    chosen = {line: wanted for line, wanted in rows if line in lines and wanted}
    wanted = {method_of(db, order, chosen.get(line, ORIGINAL)) for line in lines}
    if len(wanted) > 1:
        raise ShopRefusedError("The money of these lines goes to different places.", "Ask for each by its lines.")
    return parts_back(db, order, amount, next(iter(wanted), None))
