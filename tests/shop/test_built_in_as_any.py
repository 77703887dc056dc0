"""The built-in shop holds what every shop's adapter must."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlite_utils import Database

from bot.shop.sqlite import SqliteShop
from bot.store.sqlite.database import DatabaseThread
from bot.testing.shop import *  # noqa: F403 - the tests
from bot.testing.shop import NotHereError, Sale, StageWithoutHttp
from tests.shop.mutants import ON_ANY, WITH_GOODS, Behaviour, Mutant, dies


@dataclass(frozen=True)
class BuiltInStage(StageWithoutHttp):
    """The built-in shop and its rows."""

    database: DatabaseThread

    async def sell(self, sale: Sale) -> str:
        """Write the rows of an order."""
        if sale.refunds != "succeeded":
            raise NotHereError("the built-in shop has no payment provider")

        def write(db: Database) -> str:
            number = f"ORD-{10_001 + db.table('orders').count}"
            placed = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=int(number[4:]))
            customer = {"id": f"cus_{sale.email.partition('@')[0]}", "name": "Somebody", "email": sale.email}
            db.table("customers").insert(customer, ignore=True)
            db.table("orders").insert(
                {
                    "id": number,
                    "customer_id": customer["id"],
                    "status": sale.state,
                    "currency": sale.currency,
                    "total_minor": sum(sale.prices),
                    "payment_method": "Visa",
                    "placed_at": placed.isoformat(),
                    "delivered_at": datetime.now(UTC).isoformat() if sale.state == "delivered" else None,
                }
            )
            for position, price in enumerate(sale.prices):
                line = {"order_id": number, "position": position, "quantity": 1, "unit_price_minor": price}
                db.table("order_items").insert(line | {"name": sale.name if position == 0 else f"Thing {position}"})
            total, parts = sum(sale.prices), ("Visa", "Mastercard")[: sale.payments]
            for part, method in enumerate(parts):
                paid = total // len(parts) + (total % len(parts) if part == 0 else 0)
                payment = {"id": f"pay_{number}_{part}", "order_id": number, "amount_minor": paid, "method": method}
                db.table("payments").insert(payment | {"currency": sale.currency, "created_at": placed.isoformat()})
            return number

        return await self.database.commit(write)

    async def given_back(self, number: str) -> int:
        """Add up the rows of money that went back."""
        sql = "SELECT COALESCE(SUM(-amount_minor), 0) FROM payments WHERE order_id = ? AND amount_minor < 0"
        return int(await self.database.read(lambda db: db.execute(sql, [number]).fetchone()[0]))


@pytest.fixture
def stage(shop: SqliteShop, database: DatabaseThread) -> BuiltInStage:
    """Give the built-in shop of this test."""
    return BuiltInStage(shop, database)


@pytest.mark.parametrize(("mutant", "behaviour"), [*ON_ANY.items(), *WITH_GOODS.items()])
async def test_a_mutant_dies(stage: BuiltInStage, mutant: type[Mutant], behaviour: Behaviour) -> None:
    """A shop that is wrong in one thing is found out by the tests for shops, which the right one passes."""
    assert await dies(behaviour, replace(stage, shop=mutant(stage.shop)))
