"""What became of an effect depends on its key alone, and only what was shown is done."""

import json

import pytest
from sqlite_utils import Database

from bot.shop.changes import CancelOrder, Change, Quoted, Refund, RefundReason
from bot.shop.money import Money
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite import SqliteShop
from bot.store.sqlite.database import DatabaseThread
from bot.tools.tool import GatedTool
from tests.tools.test_contract import GATED, TOOLS, context

ADDRESS = {
    "recipient": "Ana Ruiz",
    "street": "1 New Street",
    "city": "Portland",
    "region": "OR",
    "postcode": "97201",
    "country": "us",
}
ARGUMENTS: dict[str, dict[str, object]] = {
    "cancel_order": {"order_id": "ORD-10251"},
    "change_address": {"order_id": "ORD-10251", "address": ADDRESS},
    "change_default_address": {"address": ADDRESS},
    "change_items": {
        "order_id": "ORD-10251",
        "swaps": [{"line": 1, "variant": "candles-tall"}],
        "pay_with": "original",
    },
    "change_payment": {"order_id": "ORD-10251", "pay_with": "gift card"},
    "exchange_items": {
        "order_id": "ORD-10188",
        "swaps": [{"line": 1, "variant": "teapot-12"}],
        "pay_with": "gift card",
    },
    "return_items": {"order_id": "ORD-10188", "lines": [1], "reason": "changed_mind", "refund_to": "original"},
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


async def shown(shop: SqliteShop, database: DatabaseThread, name: str) -> Quoted:
    """Preview a gated tool and return what would be done if it is approved."""
    if name == "delete_account":
        await change(database, "UPDATE orders SET status = 'delivered'")
    tool = TOOLS[name].parse(json.dumps(ARGUMENTS[name]))
    assert isinstance(tool, GatedTool)
    return Quoted.read((await tool.preview(context(shop, "D0ANA"))).quoted.written)


def test_every_built_in_gated_tool_is_tried() -> None:
    """The arguments above are those of the gated tools that there are."""
    assert set(ARGUMENTS) == set(GATED)


@pytest.mark.parametrize("name", ARGUMENTS)
async def test_made_and_the_world_is_gone(shop: SqliteShop, database: DatabaseThread, name: str) -> None:
    """An effect that was made is told as done when nothing else of the shop can be read any more."""
    call = await shown(shop, database, name)
    done = await shop.apply(call.change, call.quote, key="k")
    await change(database, *GONE)
    assert await shop.applied(call.change, "k") == done


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("elsewhere", ELSEWHERE)
async def test_not_made(shop: SqliteShop, database: DatabaseThread, name: str, elsewhere: str) -> None:
    """What others did to the order or the account is never told as what this call did."""
    call = await shown(shop, database, name)
    await change(database, elsewhere)
    assert await shop.applied(call.change, "k") is None


@pytest.mark.parametrize("name", ARGUMENTS)
async def test_twice_under_one_key(shop: SqliteShop, database: DatabaseThread, name: str) -> None:
    """The same change made again under its key changes nothing and says the same."""
    call = await shown(shop, database, name)
    first = await shop.apply(call.change, call.quote, key="k")
    before = await database.read(lambda db: list(db.conn.iterdump()))
    assert await shop.apply(call.change, call.quote, key="k") == first
    assert await database.read(lambda db: list(db.conn.iterdump())) == before


@pytest.mark.parametrize(
    ("name", "elsewhere"),
    [
        ("initiate_refund", "UPDATE orders SET currency = 'GBP'"),
        ("initiate_refund", "UPDATE orders SET payment_method = 'PayPal mallory'"),
        ("cancel_order", "UPDATE orders SET currency = 'GBP'"),
        ("cancel_order", "UPDATE orders SET total_minor = total_minor + 1"),
        ("delete_account", "UPDATE customers SET email = 'other-' || email"),
    ],
)
async def test_identity_is_frozen(shop: SqliteShop, database: DatabaseThread, name: str, elsewhere: str) -> None:
    """A currency, an amount, a payee or an address that is another by now is refused by the shop; nothing is done."""
    call = await shown(shop, database, name)
    await change(database, elsewhere)
    with pytest.raises(ShopRefusedError):
        await shop.apply(call.change, call.quote, key="k")
    assert await shop.applied(call.change, "k") is None


@pytest.mark.parametrize(
    "other",
    [
        Refund("ORD-10142", RefundReason.DEFECTIVE, Money(100)),
        Refund("ORD-10188", RefundReason.DEFECTIVE, Money(101)),
        CancelOrder("ORD-10251"),
    ],
)
async def test_key_of_something_else(shop: SqliteShop, other: Change) -> None:
    """A key under which something was done does nothing else, and tells of nothing else."""
    first = Refund("ORD-10188", RefundReason.DEFECTIVE, Money(100))
    await shop.apply(first, await shop.quote(first), key="k")
    quote = await shop.quote(other)
    with pytest.raises(ShopRefusedError):
        await shop.apply(other, quote, key="k")
    assert await shop.applied(other, "k") is None
    assert await shop.applied(first, "") is None
