"""A whole shop of one's own, as small as one can be: orders in a JSON file, of which money can go back."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.shop.changes import Applied, Change, Quote, Refund
from bot.shop.money import Money
from bot.shop.notes import lines_in, note
from bot.shop.orders import Customer, Order, OrderItem, OrderStatus, Product, Profile
from bot.shop.quotes import OUTDATED_QUOTE, quote_refund, take
from bot.shop.shop import Reading, Safe, ShopCheckError, ShopRefusedError


class JsonShopSettings(BaseSettings):
    """Where the file is: `JSON_SHOP_FILE`, in the environment or in .env."""

    model_config = SettingsConfigDict(env_prefix="JSON_SHOP_", env_file=".env", extra="ignore")
    file: Path


@asynccontextmanager
async def open_shop(settings: JsonShopSettings) -> AsyncIterator["JsonShop"]:
    """Give the shop while the bot runs; what is to be closed at the stop stands below the `yield`."""
    yield JsonShop(settings.file)


class JsonShop:
    """Nothing here awaits, so of two changes at once one is whole before the other begins; the key is in the file."""

    replay = Safe()
    changes: tuple[type[Change], ...] = (Refund,)
    reads: tuple[Reading, ...] = ()

    def __init__(self, file: Path) -> None:
        self._file = file

    async def check(self) -> None:
        """Tell at the start what is not as it has to be."""
        if not self._file.exists():
            raise ShopCheckError(f"{self._file} is not there; write the orders into it.")

    def order_number(self, text: str) -> str | None:
        """Take anything for a number: what is none is not found."""
        return text.strip() or None

    async def order(self, number: str) -> Order | None:
        """Find an order by its number."""
        return self._read().get(number)

    async def customer(self, email: str) -> Customer | None:
        """Find who has bought under this address."""
        known = (order.customer for order in self._read().values())
        return next((one for one in known if one.email == email.strip().lower()), None)

    async def orders(self, customer: Customer, *, most: int) -> list[Order]:
        """List what somebody has bought, the latest first."""
        theirs = [order for order in self._read().values() if order.customer == customer]
        return sorted(theirs, key=lambda order: order.placed_at, reverse=True)[:most]

    async def profile(self, customer: Customer) -> Profile:
        """Tell nothing of somebody but who they are."""
        return Profile(customer, None, ())

    async def products(self, query: str, *, most: int) -> list[Product]:  # noqa: ARG002 - the port's
        """Find nothing, since `reads` says so."""
        return []

    async def quote(self, change: Change) -> Quote:
        """Say what a refund would do now, by the rules that all shops share."""
        order = self._read().get(change.order_id) if isinstance(change, Refund) else None
        if order is None or not isinstance(change, Refund):
            raise ShopRefusedError("There is no such order.")
        left = {line: item.price.minor for line, item in enumerate(order.items, 1)}
        for refund in self._rows()[order.id]["refunds"].values():
            take(left, lines_in(refund["note"]), refund["minor"])
        return quote_refund(order, change, left)

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Do what was shown, once for a key."""
        if applied := await self.applied(change, key):
            return applied
        if await self.quote(change) != quote or not isinstance(change, Refund) or quote.balance is None:
            raise ShopRefusedError(OUTDATED_QUOTE)
        rows = self._rows()
        made = {"minor": quote.balance.minor, "note": note(change.reason, key, change.lines)}
        rows[change.order_id]["refunds"][key] = made
        self._file.write_text(json.dumps(rows))
        return Applied(key)

    async def applied(self, change: Change, key: str) -> Applied | None:
        """Look for what was done under a key."""
        done = isinstance(change, Refund) and key in self._rows()[change.order_id]["refunds"]
        return Applied(key) if done else None

    async def erase_due(self) -> None:
        """Keep nothing of anybody, so erase nothing."""

    def _rows(self) -> dict[str, Any]:
        rows: dict[str, Any] = json.loads(self._file.read_text())
        return rows

    def _read(self) -> dict[str, Order]:
        return {number: _order(number, row) for number, row in self._rows().items()}


def _order(number: str, row: dict[str, Any]) -> Order:
    currency = row["currency"]
    items = tuple(OrderItem(name, 1, Money(minor, currency)) for name, minor in row["items"])
    return Order(
        id=number,
        customer=Customer(row["email"], row["email"], row["email"]),
        status=OrderStatus(row["status"]),
        items=items,
        total=Money(sum(item.price.minor for item in items), currency),
        refunded=Money(sum(refund["minor"] for refund in row["refunds"].values()), currency),
        payment_method="Card",
        placed_at=datetime.fromisoformat(row["placed_at"]),
    )
