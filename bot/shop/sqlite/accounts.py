"""Changes of the built-in shop to an account: its deletion, with days to undo it."""

from datetime import timedelta

from sqlite_utils import Database

from bot import clock
from bot.shop.changes import DeleteAccount, Quote
from bot.shop.orders import OrderStatus
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite.reading import read_customer

_MAX_NAMED = 5


def quote_deletion(db: Database, change: DeleteAccount) -> Quote:
    """Say whose account goes. Raises ShopRefusedError when it is not as was asked, or orders are under way."""
    customer = read_customer(db, "id", change.customer_id)
    if customer is None or customer.email != change.email:
        raise ShopRefusedError("This account is gone, or has another e-mail address by now.")
    rows = db.execute(
        "SELECT id, status FROM orders WHERE customer_id = ? ORDER BY placed_at DESC", [customer.id]
    ).fetchall()
    waiting = [number for number, status in rows if status not in (OrderStatus.DELIVERED, OrderStatus.CANCELLED)]
    if waiting:
        more = f" and {len(waiting) - _MAX_NAMED} more" if len(waiting) > _MAX_NAMED else ""
        raise ShopRefusedError(
            f"Your account can't be deleted while orders are under way: {', '.join(waiting[:_MAX_NAMED])}{more}.",
            "Offer to ask again when they have arrived or are cancelled.",
        )
    return Quote(customer=customer, orders=len(rows))


def make_deletion(db: Database, change: DeleteAccount, quote: Quote, key: str) -> None:  # noqa: ARG001 - as all are
    """Hide the customer now; `erase_due` does the rest when the days are over."""
    now = clock.now()
    db.execute(
        "UPDATE customers SET deleted_at = ?, erase_after = ? WHERE id = ?",
        [now.isoformat(), (now + timedelta(days=change.undo_days)).isoformat(), change.customer_id],
    )


def erase_due(db: Database) -> None:
    """Erase who the customers are whose days to come back are over, and where they live; the orders stay."""
    now = clock.now().isoformat()
    for statement in (
        """UPDATE orders SET address = NULL, payment_method_id = NULL
           WHERE customer_id IN (SELECT id FROM customers WHERE erase_after <= ?)""",
        """UPDATE payments SET method_id = NULL WHERE order_id IN (
               SELECT id FROM orders WHERE customer_id IN (SELECT id FROM customers WHERE erase_after <= ?))""",
        "DELETE FROM payment_methods WHERE customer_id IN (SELECT id FROM customers WHERE erase_after <= ?)",
        "UPDATE effects SET change = NULL WHERE customer_id IN (SELECT id FROM customers WHERE erase_after <= ?)",
        """UPDATE customers SET name = 'Deleted customer', email = 'deleted-' || id, erase_after = NULL, address = NULL
           WHERE erase_after <= ?""",
    ):
        db.execute(statement, [now])
