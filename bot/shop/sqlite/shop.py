"""The Shop whose orders, payments and effects are rows beside the log."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from sqlite_utils import Database

from bot import clock
from bot.shop.changes import (
    Applied,
    AppliedStatus,
    CancelOrder,
    Change,
    ChangeAddress,
    ChangeDefaultAddress,
    ChangeItems,
    ChangePayment,
    DeleteAccount,
    ExchangeItems,
    Quote,
    Refund,
    ReturnItems,
)
from bot.shop.money import Money
from bot.shop.orders import Customer, Order, Product, Profile
from bot.shop.quotes import OUTDATED_QUOTE
from bot.shop.shop import LookFirst, Reading, Safe, ShopRefusedError
from bot.shop.sqlite import accounts, addresses, goods, paying, reading, refunds
from bot.shop.sqlite.receiving import Arrival, receive
from bot.store.records import new_id
from bot.store.sqlite.database import DatabaseThread


class _Kind(NamedTuple):
    """How one kind of change is quoted and made, each within a transaction."""

    quote: Callable[[Database, Any], Quote]
    make: Callable[[Database, Any, Quote, str], None]


_KINDS: Mapping[type[Change], _Kind] = {
    Refund: _Kind(refunds.quote_refund, refunds.make_refund),
    CancelOrder: _Kind(refunds.quote_cancellation, refunds.make_cancellation),
    ReturnItems: _Kind(goods.quote_return, goods.make_return),
    ExchangeItems: _Kind(goods.quote_exchange, goods.make_exchange),
    ChangeItems: _Kind(goods.quote_items, goods.make_items),
    ChangeAddress: _Kind(addresses.quote_address, addresses.make_address),
    ChangePayment: _Kind(paying.quote_payment, paying.make_payment),
    ChangeDefaultAddress: _Kind(addresses.quote_default_address, addresses.make_default_address),
    DeleteAccount: _Kind(accounts.quote_deletion, accounts.make_deletion),
}
_CHANGE: TypeAdapter[Change] = TypeAdapter(Change)


class SqliteShop:
    """The built-in shop. A change is checked, made and kept under its key in one transaction, so a repeat is safe."""

    def __init__(self, database: DatabaseThread) -> None:
        self._database = database

    @property
    def replay(self) -> Safe | LookFirst:
        """Keys are kept for ever."""
        return Safe()

    @property
    def changes(self) -> Collection[type[Change]]:
        """All that it can make."""
        return _KINDS

    @property
    def reads(self) -> Collection[Reading]:
        """All that the port knows of."""
        return tuple(Reading)

    async def check(self) -> None:
        """Nothing is needed but the database, which the bot has opened."""

    def order_number(self, text: str) -> str | None:
        """Return the number that the text is; how the order is spelt is seen when it is found."""
        return reading.order_number(text)

    async def order(self, number: str) -> Order | None:
        """Return the order with this number, anybody's."""
        return await self._database.read(lambda db: reading.read_order(db, number))

    async def customer(self, email: str) -> Customer | None:
        """Find the customer with this e-mail address, in any case of letters."""
        return await self._database.read(lambda db: reading.read_customer(db, "email", email.strip()))

    async def orders(self, customer: Customer, *, most: int) -> list[Order]:
        """List a customer's orders, the latest first."""

        def read(db: Database) -> list[Order]:
            sql = "SELECT id FROM orders WHERE customer_id = ? ORDER BY placed_at DESC LIMIT ?"
            ids = [row["id"] for row in db.query(sql, [customer.id, most])]
            return [order for order in (reading.read_order(db, order_id) for order_id in ids) if order]

        return await self._database.read(read)

    async def refunds_of(self, customer: Customer, *, since: datetime) -> list[Money]:
        """List each refund that a customer has had since a time, no matter who made it."""
        sql = """SELECT amount_minor, refunds.currency FROM refunds JOIN orders ON orders.id = order_id
                 WHERE customer_id = ? AND refunds.created_at >= ?"""

        def read(db: Database) -> list[Money]:
            rows = db.query(sql, [customer.id, since.isoformat()])
            return [Money(row["amount_minor"], row["currency"]) for row in rows]

        return await self._database.read(read)

    async def profile(self, customer: Customer) -> Profile:
        """Return the customer's address and payment methods."""

        def read(db: Database) -> Profile:
            row = db.execute("SELECT address FROM customers WHERE id = ?", [customer.id]).fetchone()
            address = reading.read_address(row[0]) if row else None
            return Profile(customer, address, reading.read_payment_methods(db, customer.id))

        return await self._database.read(read)

    async def products(self, query: str, *, most: int) -> list[Product]:
        """Find products by words of their names."""
        return await self._database.read(lambda db: reading.read_products(db, query, most))

    async def quote(self, change: Change) -> Quote:
        """Say what the change would do now."""
        return await self._database.read(lambda db: _quote(db, change))

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Check and make it, all in one transaction."""

        def write(db: Database) -> Applied:
            if effect := reading.effect_with(db, key):
                if not _is_of(effect, change):
                    raise ShopRefusedError("This key has been used for something else.")
                return _applied(effect)
            if _quote(db, change) != quote:
                raise ShopRefusedError(OUTDATED_QUOTE)
            applied = Applied(f"ef_{new_id()[:12]}")
            db.table("effects").insert(
                {
                    "idempotency_key": key,
                    "id": applied.id,
                    "kind": change.kind,
                    "order_id": quote.order_id,
                    "customer_id": quote.customer.id,
                    "change": _CHANGE.dump_json(change).decode(),
                    "created_at": clock.now().isoformat(),
                }
            )
            _KINDS[type(change)].make(db, change, quote, key)
            return applied

        return await self._database.commit(write)

    async def applied(self, change: Change, key: str) -> Applied | None:
        """Return what was done under the key."""
        effect = await self._database.read(lambda db: reading.effect_with(db, key))
        return _applied(effect) if effect and _is_of(effect, change) else None

    async def receive(self, number: str, lines: Sequence[int] = ()) -> list[Arrival]:
        """Note that lines which were sent back have arrived, or all, and return those whose money may go back now."""
        return await self._database.commit(lambda db: receive(db, self.order_number(number) or number, lines))

    async def erase_due(self) -> None:
        """Erase name and e-mail address of the customers whose days to come back are over; the orders stay."""
        await self._database.commit(accounts.erase_due)


def _quote(db: Database, change: Change) -> Quote:
    if (kind := _KINDS.get(type(change))) is None:
        raise ShopRefusedError("This shop can't do that.")
    return kind.quote(db, change)


def _is_of(effect: dict[str, Any], change: Change) -> bool:
    """Return whether the effect is what this change did; of those made before changes were kept, by their kind."""
    if effect["change"] is None:
        subject = getattr(change, "order_id", None) or getattr(change, "customer_id", None)
        return bool(effect["kind"] == change.kind and subject in (effect["order_id"], effect["customer_id"]))
    return _CHANGE.validate_json(effect["change"]) == change  # read, for an earlier version wrote less of it


def _applied(effect: dict[str, Any]) -> Applied:
    return Applied(effect["id"], AppliedStatus(effect["status"]), effect["error"] or "")
