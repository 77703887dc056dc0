"""The built-in shop: its tables in the bot's own database file."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlite_utils import Database, Migrations

from bot.shop.money import Money
from bot.shop.shop import (
    Customer,
    Order,
    OrderItem,
    OrderStatus,
    Refund,
    RefundReason,
    ShopRefusedError,
    TrackingEvent,
)
from bot.store.records import new_id
from bot.store.sqlite.database import DatabaseThread

shop_migrations = Migrations("shop")


@shop_migrations()
def shop_tables(db: Database) -> None:
    """Create customers, orders and refunds."""
    db.execute("""
        CREATE TABLE customers (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL COLLATE NOCASE UNIQUE
        ) STRICT""")
    db.execute("""
        CREATE TABLE orders (
            id TEXT PRIMARY KEY,
            customer_id TEXT NOT NULL REFERENCES customers(id),
            status TEXT NOT NULL CHECK (status IN ('paid', 'packed', 'shipped', 'delayed', 'out_for_delivery',
                                                   'delivered', 'cancelled')),
            currency TEXT NOT NULL DEFAULT 'USD',
            total_minor INTEGER NOT NULL CHECK (total_minor >= 0),
            payment_method TEXT NOT NULL,
            placed_at TEXT NOT NULL,
            expected_on TEXT, delivered_at TEXT, carrier TEXT, tracking_number TEXT, tracking_url TEXT, note TEXT
        ) STRICT""")
    db.execute("CREATE INDEX orders_of_customer ON orders (customer_id, placed_at)")
    db.execute("""
        CREATE TABLE order_items (
            order_id TEXT NOT NULL REFERENCES orders(id), position INTEGER NOT NULL,
            name TEXT NOT NULL, quantity INTEGER NOT NULL CHECK (quantity > 0), unit_price_minor INTEGER NOT NULL,
            PRIMARY KEY (order_id, position)
        ) STRICT""")
    db.execute("""
        CREATE TABLE tracking_events (
            id INTEGER PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders(id),
            at TEXT NOT NULL, place TEXT NOT NULL, text TEXT NOT NULL
        ) STRICT""")
    db.execute("CREATE INDEX tracking_events_of_order ON tracking_events (order_id, at)")
    db.execute("""
        CREATE TABLE refunds (
            id TEXT PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders(id),
            amount_minor INTEGER NOT NULL CHECK (amount_minor > 0), currency TEXT NOT NULL,
            reason TEXT NOT NULL, idempotency_key TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL
        ) STRICT""")
    db.execute("CREATE INDEX refunds_of_order ON refunds (order_id)")


@shop_migrations()
def deleted_customers(db: Database) -> None:
    """Let a customer be hidden at once and erased later."""
    db.execute("ALTER TABLE customers ADD COLUMN deleted_at TEXT")
    db.execute("ALTER TABLE customers ADD COLUMN erase_after TEXT")


@shop_migrations()
def effects(db: Database) -> None:
    """Keep what was done under a key beside the refunds, so that its outcome depends on the key alone."""
    db.execute("""
        CREATE TABLE effects (
            idempotency_key TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('cancel', 'delete_customer')),
            subject TEXT NOT NULL, amount_minor INTEGER, currency TEXT, created_at TEXT NOT NULL
        ) STRICT""")


class SqliteShop:
    """The Shop whose orders and refunds are rows beside the log."""

    def __init__(self, database: DatabaseThread) -> None:
        self._database = database

    async def order(self, order_id: str) -> Order | None:
        """Return the order with this number, anybody's."""
        return await self._database.read(lambda db: _read_order(db, order_id))

    async def customer(self, email: str) -> Customer | None:
        """Find the customer with this e-mail address, in any case of letters."""

        def read(db: Database) -> Customer | None:
            sql = "SELECT id, name, email FROM customers WHERE email = ? AND deleted_at IS NULL"
            for row in db.query(sql, [email.strip()]):
                return Customer(**row)
            return None

        return await self._database.read(read)

    async def orders(self, customer: Customer, *, most: int) -> list[Order]:
        """List a customer's orders, the latest first."""

        def read(db: Database) -> list[Order]:
            sql = "SELECT id FROM orders WHERE customer_id = ? ORDER BY placed_at DESC LIMIT ?"
            ids = [row["id"] for row in db.query(sql, [customer.id, most])]
            return [order for order in (_read_order(db, order_id) for order_id in ids) if order]

        return await self._database.read(read)

    async def refund(self, order_id: str, amount: Money, reason: RefundReason, *, key: str) -> Refund:
        """Check what is left, reserve and give back, all in one transaction."""

        def write(db: Database) -> Refund:
            if earlier := _refund_with(db, key):
                if (earlier.order_id, earlier.amount) != (order_id, amount):
                    raise ShopRefusedError("This key belongs to another refund.")
                return earlier
            _refuse_used_key(db, key, "refund", order_id)
            order = _read_order(db, order_id)
            if order is None:
                raise ShopRefusedError(f"There is no order {order_id}.")
            if amount.currency != order.total.currency or not 0 < amount.minor <= order.refundable.minor:
                raise ShopRefusedError(
                    f"{amount} cannot be refunded: {order.refundable} of {order_id} is left to refund."
                )
            return _insert_refund(db, order, amount, reason, key)

        return await self._database.commit(write)

    async def cancel(self, order_id: str, refund: Money, *, key: str) -> None:
        """Cancel the order and give back what is left of its money, in one transaction."""

        def write(db: Database) -> None:
            if _refuse_used_key(db, key, "cancel", order_id):
                return
            order = _read_order(db, order_id)
            if order is None or not order.cancellable:
                raise ShopRefusedError(f"{order_id} can't be cancelled any more.")
            if refund != order.refundable:
                raise ShopRefusedError(f"{order.refundable} of {order_id} is left to give back, not {refund}.")
            db.execute("UPDATE orders SET status = 'cancelled' WHERE id = ?", [order_id])
            _insert_effect(db, key, "cancel", order_id, refund)
            if refund.minor:
                _insert_refund(db, order, refund, RefundReason.CHANGED_MIND, key)

        await self._database.commit(write)

    async def delete_customer(self, customer_id: str, email: str, *, undo_days: int, key: str) -> None:
        """Hide the customer now; `erase_due` does the rest when the days are over."""

        def write(db: Database) -> None:
            if _refuse_used_key(db, key, "delete_customer", customer_id):
                return
            now = datetime.now(UTC)
            hidden = db.execute(
                """UPDATE customers SET deleted_at = ?, erase_after = ?
                   WHERE id = ? AND email = ? AND deleted_at IS NULL""",
                [now.isoformat(), (now + timedelta(days=undo_days)).isoformat(), customer_id, email],
            )
            if hidden.rowcount != 1:
                raise ShopRefusedError("This account is gone, or has another e-mail address by now.")
            _insert_effect(db, key, "delete_customer", customer_id)

        await self._database.commit(write)

    async def erase_due(self) -> None:
        """Erase name and e-mail address of the customers whose days to come back are over; the orders stay."""
        await self._database.commit(
            lambda db: db.execute(
                """UPDATE customers SET name = 'Deleted customer', email = 'deleted-' || id, erase_after = NULL
                   WHERE erase_after <= ?""",
                [datetime.now(UTC).isoformat()],
            )
        )

    async def refund_with(self, key: str) -> Refund | None:
        """Return the refund that was made with this key, whatever became of its order; None when none was."""
        return await self._database.read(lambda db: _refund_with(db, key))

    async def cancelled_with(self, key: str) -> Money | None:
        """Return what went back with the cancellation that was made with this key; None when none was."""
        effect = await self._database.read(lambda db: _effect_with(db, key))
        cancelled = effect is not None and effect["kind"] == "cancel"
        return Money(effect["amount_minor"], effect["currency"]) if effect and cancelled else None

    async def deleted_with(self, key: str) -> bool:
        """Return whether an account was deleted with this key, also when it was brought back later."""
        effect = await self._database.read(lambda db: _effect_with(db, key))
        return effect is not None and effect["kind"] == "delete_customer"


def _read_order(db: Database, order_id: str) -> Order | None:
    rows = list(
        db.query(
            """SELECT orders.*, customers.name, customers.email,
                      (SELECT coalesce(sum(amount_minor), 0) FROM refunds WHERE order_id = orders.id) AS refunded_minor
               FROM orders JOIN customers ON customers.id = customer_id
               WHERE orders.id = ? AND customers.deleted_at IS NULL""",
            [order_id],
        )
    )
    if not rows:
        return None
    row = rows[0]
    currency = row["currency"]
    return Order(
        id=row["id"],
        customer=Customer(row["customer_id"], row["name"], row["email"]),
        status=OrderStatus(row["status"]),
        items=tuple(
            OrderItem(item["name"], item["quantity"], Money(item["unit_price_minor"], currency))
            for item in db.query("SELECT * FROM order_items WHERE order_id = ? ORDER BY position", [order_id])
        ),
        total=Money(row["total_minor"], currency),
        refunded=Money(row["refunded_minor"], currency),
        payment_method=row["payment_method"],
        placed_at=datetime.fromisoformat(row["placed_at"]),
        expected_on=date.fromisoformat(row["expected_on"]) if row["expected_on"] else None,
        delivered_at=datetime.fromisoformat(row["delivered_at"]) if row["delivered_at"] else None,
        carrier=row["carrier"],
        tracking_number=row["tracking_number"],
        tracking_url=row["tracking_url"],
        tracking=tuple(
            TrackingEvent(datetime.fromisoformat(event["at"]), event["place"], event["text"])
            for event in db.query("SELECT * FROM tracking_events WHERE order_id = ? ORDER BY at", [order_id])
        ),
    )


def _insert_refund(db: Database, order: Order, amount: Money, reason: RefundReason, key: str) -> Refund:
    refund = Refund(f"re_{new_id()[:12]}", order.id, amount, reason, datetime.now(UTC))
    db.table("refunds").insert(
        {
            "id": refund.id,
            "order_id": order.id,
            "amount_minor": amount.minor,
            "currency": amount.currency,
            "reason": reason,
            "idempotency_key": key,
            "created_at": refund.created_at.isoformat(),
        }
    )
    return refund


def _insert_effect(db: Database, key: str, kind: str, subject: str, amount: Money | None = None) -> None:
    row = {"idempotency_key": key, "kind": kind, "subject": subject, "created_at": datetime.now(UTC).isoformat()}
    paid = {"amount_minor": amount.minor, "currency": amount.currency} if amount else {}
    db.table("effects").insert(row | paid)


def _effect_with(db: Database, key: str) -> dict[str, Any] | None:
    return next(iter(db.query("SELECT * FROM effects WHERE idempotency_key = ?", [key])), None)


def _refuse_used_key(db: Database, key: str, kind: str, subject: str) -> bool:
    """Return whether this effect was made under the key before. Raises ShopRefusedError when another one was."""
    effect = _effect_with(db, key)
    if effect is None and (kind == "refund" or _refund_with(db, key) is None):
        return False
    if effect is None or (effect["kind"], effect["subject"]) != (kind, subject):
        raise ShopRefusedError("This key has been used for something else.")
    return True


def _refund_with(db: Database, key: str) -> Refund | None:
    for row in db.query("SELECT * FROM refunds WHERE idempotency_key = ?", [key]):
        return _refund(row)
    return None


def _refund(row: dict[str, Any]) -> Refund:
    return Refund(
        id=row["id"],
        order_id=row["order_id"],
        amount=Money(row["amount_minor"], row["currency"]),
        reason=RefundReason(row["reason"]),
        created_at=datetime.fromisoformat(row["created_at"]),
    )
