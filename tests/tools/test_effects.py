"""What became of an effect depends on its key alone, and only what was shown is done."""

import json
from collections.abc import Callable

import pytest
from sqlite_utils import Database

from bot.shop.money import Money
from bot.shop.shop import RefundReason, ShopRefusedError
from bot.shop.sqlite import SqliteShop
from bot.store.sqlite.database import DatabaseThread
from bot.tools.tool import GatedTool, ToolError
from tests.tools.test_contract import GATED, TOOLS, context

ARGUMENTS = {
    "cancel_order": {"order_id": "ORD-10251"},
    "delete_account": {},
    "initiate_refund": {"order_id": "ORD-10188", "reason": "defective", "amount": None},
}
GONE = ("UPDATE customers SET deleted_at = '2026-01-01T00:00:00+00:00', email = 'gone-' || id",)
ELSEWHERE = (
    "UPDATE orders SET status = 'cancelled'",
    "UPDATE customers SET email = 'new-' || email",
    "UPDATE customers SET deleted_at = '2026-01-01T00:00:00+00:00'",
)


async def change(database: DatabaseThread, *statements: str) -> None:
    """Change the shop as others might."""

    def write(db: Database) -> None:
        for sql in statements:
            db.execute(sql)

    await database.commit(write)


async def shown(shop: SqliteShop, database: DatabaseThread, name: str) -> GatedTool:
    """Preview a gated tool and return the call that would run if it is approved."""
    if name == "delete_account":
        await change(database, "UPDATE orders SET status = 'delivered'")
    tool = TOOLS[name].parse(json.dumps(ARGUMENTS[name]))
    assert isinstance(tool, GatedTool)
    return (await tool.preview(context(shop))).call


def test_every_built_in_gated_tool_is_tried() -> None:
    """The arguments above are those of the gated tools that there are."""
    assert set(ARGUMENTS) <= set(GATED)


@pytest.mark.parametrize("name", ARGUMENTS)
async def test_made_and_the_world_is_gone(shop: SqliteShop, database: DatabaseThread, name: str) -> None:
    """An effect that was made is told as done when nothing else of the shop can be read any more."""
    call = await shown(shop, database, name)
    done = await call.run(context(shop))
    await change(database, *GONE)
    assert await call.outcome(context(shop)) == done


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("elsewhere", ELSEWHERE)
async def test_not_made(shop: SqliteShop, database: DatabaseThread, name: str, elsewhere: str) -> None:
    """What others did to the order or the account is never told as what this call did."""
    call = await shown(shop, database, name)
    await change(database, elsewhere)
    assert await call.outcome(context(shop)) is None


@pytest.mark.parametrize("name", ARGUMENTS)
async def test_twice_under_one_key(shop: SqliteShop, database: DatabaseThread, name: str) -> None:
    """The same call run again changes nothing and says the same."""
    call = await shown(shop, database, name)
    assert await call.run(context(shop)) == await call.run(context(shop))


@pytest.mark.parametrize(
    ("name", "elsewhere"),
    [
        ("initiate_refund", "UPDATE orders SET currency = 'GBP'"),
        ("cancel_order", "UPDATE orders SET currency = 'GBP'"),
        ("cancel_order", "UPDATE orders SET total_minor = total_minor + 1"),
        ("delete_account", "UPDATE customers SET email = 'other-' || email"),
    ],
)
async def test_identity_is_frozen(shop: SqliteShop, database: DatabaseThread, name: str, elsewhere: str) -> None:
    """A currency, an amount or an address that is another one by now is refused by the shop, and nothing is done."""
    call = await shown(shop, database, name)
    await change(database, elsewhere)
    with pytest.raises(ToolError):
        await call.run(context(shop))
    assert await call.outcome(context(shop)) is None


@pytest.mark.parametrize(
    "use",
    [
        lambda shop: shop.refund("ORD-10142", Money(100), RefundReason.DEFECTIVE, key="k"),
        lambda shop: shop.refund("ORD-10188", Money(101), RefundReason.DEFECTIVE, key="k"),
        lambda shop: shop.cancel("ORD-10251", Money(4350), key="k"),
        lambda shop: shop.delete_customer("cus_ana", "ana@example.com", undo_days=1, key="k"),
    ],
)
async def test_key_of_something_else(shop: SqliteShop, use: Callable[[SqliteShop], object]) -> None:
    """A key under which something was done does nothing else."""
    await shop.refund("ORD-10188", Money(100), RefundReason.DEFECTIVE, key="k")
    with pytest.raises(ShopRefusedError):
        await use(shop)  # type: ignore[misc]
