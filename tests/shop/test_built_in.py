"""The built-in shop: which order a number means, what may be refunded, and that older rows are brought over."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.shop.changes import Applied, AppliedStatus, CancelOrder, DeleteAccount, Quoted, Refund, RefundReason
from bot.shop.money import Money
from bot.shop.orders import OrderStatus
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite import SqliteShop, shop_migrations
from bot.store.sqlite.database import DatabaseThread

SHAPES = (
    *("#1001", "1002", "W2378156", "gid-AbC", "2024/113", "WEB-2026-#77-A", "C72LLEHKYN9RRFH6"),
    *("ORDER-1011", "no-1012", "ID_1013", "123e4567-e89b-12d3-a456-426614174000"),
)


async def write(database: DatabaseThread, sql: str, *values: object) -> None:
    """Change the shop as its own people might."""
    await database.commit(lambda db: db.execute(sql, values))


async def number_like(database: DatabaseThread, *numbers: str) -> None:
    """Give the customer Ana an order with each of these numbers."""
    for number in numbers:
        await write(
            database,
            """INSERT INTO orders (id, customer_id, status, total_minor, payment_method, placed_at)
               VALUES (?, 'cus_ana', 'delivered', 1000, 'Visa', '2026-01-01T00:00:00+00:00')""",
            number,
        )


async def found(shop: SqliteShop, text: str) -> str | None:
    """Find the order that a text means."""
    number = shop.order_number(text)
    order = await shop.order(number) if number else None
    return order.id if order else None


@pytest.mark.parametrize("number", [*SHAPES, "ORD-10188"])
@pytest.mark.parametrize("written", ["{}", " {} ", "order {}", "Order no. {}", "({})", "{}.", "'{}'?"])
async def test_any_shape(database: DatabaseThread, shop: SqliteShop, number: str, written: str) -> None:
    """An order is found by its number, whatever shape that has, and with what people write around it."""
    await number_like(database, *SHAPES)
    assert await found(shop, written.format(number)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1001", "#1001"),
        ("# 1001", "#1001"),
        ("#1002", "1002"),
        ("w2378156", "W2378156"),
        ("2378156", "W2378156"),
        ("GID-ABC", "gid-AbC"),
        ("10188", "ORD-10188"),
        ("#10188", "ORD-10188"),
        ("ord 10188", "ORD-10188"),
        ("Ord_10188", "ORD-10188"),
        ("ORD10188", "ORD-10188"),
        ("so 2024 0007", "SO-2024-0007"),
        ("100 000 123", "100000123"),
        ("B2B 1001", "B2B 1001"),
        ("en1001 US", "EN1001 US"),
    ],
)
async def test_other_spellings(database: DatabaseThread, shop: SqliteShop, text: str, number: str) -> None:
    """Signs, letters in front and capitals may be left out or differ, as long as one order alone can be meant."""
    await number_like(database, *SHAPES, "SO-2024-0007", "100000123", "B2B 1001", "EN1001 US")
    assert await found(shop, text) == number


@pytest.mark.parametrize(
    "text", ["", "#", "1018", "101888", "ORD-1018%", "ORD", "please", "%", "1001 OR 1=1", "gid", "1001 10188"]
)
async def test_no_order(database: DatabaseThread, shop: SqliteShop, text: str) -> None:
    """A part of a number, a pattern or a word is no order."""
    await number_like(database, *SHAPES)
    assert await found(shop, text) is None


async def test_two_shapes_at_once(database: DatabaseThread, shop: SqliteShop) -> None:
    """Of numbers that differ in signs only, each is found by its own spelling, and none by a doubtful one."""
    await number_like(database, "#5001", "5001", "gid-AbC", "gid-aBc")
    assert [await found(shop, text) for text in ("#5001", "5001", "gid-AbC", "gid-aBc")] == [
        *("#5001", "5001"),
        *("gid-AbC", "gid-aBc"),
    ]
    assert await found(shop, "GID-ABC") is None


@pytest.mark.parametrize("text", ["hello", "please", "my order", "$42.00", "a.b", "x" * 200, "", "e-mail", "12:30"])
def test_no_number(shop: SqliteShop, text: str) -> None:
    """A word, a sum or a sentence is no order's number."""
    assert shop.order_number(text) is None


async def test_lines(shop: SqliteShop) -> None:
    """Lines are refunded at their price, once; what is left of the others can still be."""
    order = await shop.order("ORD-10176")
    assert order
    lamp = Refund(order.id, RefundReason.DEFECTIVE, lines=(1,))
    quote = await shop.quote(lamp)
    assert (quote.balance, [item.name for item in quote.items]) == (Money(12950), ["Desk lamp, brass"])
    await shop.apply(lamp, quote, key="a")
    for lines in ((1,), (1, 2)):
        with pytest.raises(ShopRefusedError, match=r"refunded already: 1\. Desk lamp, brass"):
            await shop.quote(Refund(order.id, RefundReason.DEFECTIVE, lines=lines))
    assert (await shop.quote(Refund(order.id, RefundReason.DEFECTIVE, lines=(2,)))).balance == Money(1250)


async def test_part_of_a_line(shop: SqliteShop) -> None:
    """A sum for a line is at most what is left of that line."""
    first = Refund("ORD-10176", RefundReason.DEFECTIVE, Money(10000), (1,))
    await shop.apply(first, await shop.quote(first), key="a")
    assert (await shop.quote(Refund("ORD-10176", RefundReason.DEFECTIVE, lines=(1,)))).balance == Money(2950)
    with pytest.raises(ShopRefusedError, match="more than is left to refund for these items"):
        await shop.quote(Refund("ORD-10176", RefundReason.DEFECTIVE, Money(2951), (1,)))


@pytest.mark.parametrize("lines", [(0,), (3,), (1, 1), (-1,)])
async def test_lines_that_are_not_there(shop: SqliteShop, lines: tuple[int, ...]) -> None:
    """A line that the order does not have, or one named twice, is refused with the numbers that there are."""
    with pytest.raises(ShopRefusedError, match="has the lines 1 to 2"):
        await shop.quote(Refund("ORD-10176", RefundReason.DEFECTIVE, lines=lines))


@pytest.mark.parametrize("reason", RefundReason)
@pytest.mark.parametrize(("status", "days"), [("paid", 3), ("shipped", 3), ("delayed", 0), ("out_for_delivery", -1)])
async def test_too_early(
    database: DatabaseThread, shop: SqliteShop, reason: RefundReason, status: str, days: int
) -> None:
    """What is still to arrive is not refunded, unless it is overdue and that is the reason."""
    expected = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
    await write(database, "UPDATE orders SET status = ?, expected_on = ? WHERE id = 'ORD-10188'", status, expected)
    refund = Refund("ORD-10188", reason)
    if days < 0 and reason == RefundReason.NOT_DELIVERED:
        assert (await shop.quote(refund)).balance == Money(4200)
    else:
        with pytest.raises(ShopRefusedError, match="cancelled instead" if status == "paid" else "still on its way"):
            await shop.quote(refund)


async def test_cancelled_elsewhere(database: DatabaseThread, shop: SqliteShop) -> None:
    """A refund of a cancelled order says that it was cancelled: with the money gone as why, else on the card."""
    await write(database, "UPDATE orders SET status = 'cancelled' WHERE id = 'ORD-10188'")
    refund = Refund("ORD-10188", RefundReason.CHANGED_MIND)
    assert (await shop.quote(refund)).status == OrderStatus.CANCELLED
    await write(database, "INSERT INTO refunds VALUES ('r', 'ORD-10188', 4200, 'USD', 'x', 'else', '2026')")
    with pytest.raises(ShopRefusedError, match="was cancelled, and all of its money has gone back already"):
        await shop.quote(refund)


async def test_yen_and_dinars(database: DatabaseThread, shop: SqliteShop) -> None:
    """Lines of an order in any currency are refunded; a sum in dollars for one in yen is refused in words."""
    for currency, shown in (("JPY", "12,950 JPY"), ("KWD", "12.950 KWD"), ("EUR", "129.50 EUR")):
        await write(database, "UPDATE orders SET currency = ? WHERE id = 'ORD-10176'", currency)
        quote = await shop.quote(Refund("ORD-10176", RefundReason.DEFECTIVE, lines=(1,)))
        assert str(quote.balance) == shown
        with pytest.raises(ShopRefusedError, match=f"was paid in {currency}"):
            await shop.quote(Refund("ORD-10176", RefundReason.DEFECTIVE, Money(100)))


@pytest.mark.parametrize("status", AppliedStatus)
async def test_status_of_the_money(database: DatabaseThread, shop: SqliteShop, status: AppliedStatus) -> None:
    """What the payment provider says later is told; money that failed is free again, and pending money is gone."""
    refund = Refund("ORD-10188", RefundReason.DEFECTIVE)
    await shop.apply(refund, await shop.quote(refund), key="k")
    await write(database, "UPDATE effects SET status = ?, error = 'the card is closed'", status)
    applied = await shop.applied(refund, "k")
    assert applied
    assert (applied.status, applied.why) == (status, "the card is closed")
    order = await shop.order("ORD-10188")
    assert order
    assert order.refunded == Money(0 if status == AppliedStatus.FAILED else 4200)


async def test_a_deed_that_an_earlier_version_wrote(database: DatabaseThread, shop: SqliteShop) -> None:
    """What was done before a change had all that it has now is found under its key still, and not done again."""
    change = CancelOrder("ORD-10251")
    quote = await shop.quote(change)
    applied = await shop.apply(change, quote, key="k")
    written = '{"order_id": "ORD-10251", "kind": "cancel_order"}'
    await write(database, "UPDATE effects SET change = ? WHERE idempotency_key = 'k'", written)
    assert await shop.applied(change, "k") == applied == await shop.apply(change, quote, key="k")


@pytest.mark.parametrize(
    "change",
    [
        Refund("#1001", RefundReason.DEFECTIVE, Money(100, "JPY"), (1, 2)),
        CancelOrder("2024/113"),
        DeleteAccount("c", "a@b.c", 30),
    ],
)
async def test_frozen_as_json(shop: SqliteShop, change: Refund | CancelOrder | DeleteAccount) -> None:
    """What was quoted comes back from its row as the same value."""
    quote = await shop.quote(CancelOrder("ORD-10251"))
    assert Quoted.read(Quoted(change, quote).written) == Quoted(change, quote)


async def test_rows_of_an_older_version(tmp_path: Path) -> None:
    """Refunds, cancellations and deletions that were made before are told under their keys after the update."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        db = Database(connection)
        shop_migrations.apply(db, stop_before="one_table_of_effects")
        db.execute("INSERT INTO customers (id, name, email) VALUES ('c', 'Ana', 'ana@example.com')")
        for number, status in (("ORD-1", "delivered"), ("ORD-2", "cancelled")):
            db.execute(
                """INSERT INTO orders (id, customer_id, status, total_minor, payment_method, placed_at)
                   VALUES (?, 'c', ?, 5000, 'Visa', '2026-01-01T00:00:00+00:00')""",
                [number, status],
            )
        db.execute("INSERT INTO refunds VALUES ('re_1', 'ORD-1', 1000, 'USD', 'defective', 'k1', '2026')")
        db.execute("INSERT INTO refunds VALUES ('re_2', 'ORD-2', 5000, 'USD', 'changed_mind', 'k2', '2026')")
        db.execute("INSERT INTO effects VALUES ('k2', 'cancel', 'ORD-2', 5000, 'USD', '2026')")
        db.execute("INSERT INTO effects VALUES ('k3', 'delete_customer', 'c', NULL, NULL, '2026')")
        connection.commit()
    database = DatabaseThread(path, shop_migrations)
    await database.open()
    shop = SqliteShop(database)
    orders = [await shop.order(number) for number in ("ORD-1", "ORD-2")]
    assert [order.refunded for order in orders if order] == [Money(1000), Money(5000)]
    assert await shop.applied(Refund("ORD-1", RefundReason.DEFECTIVE), "k1") == Applied("re_1")
    assert await shop.applied(CancelOrder("ORD-2"), "k2")
    assert await shop.applied(DeleteAccount("c", "ana@example.com", 30), "k3")
    assert await shop.applied(CancelOrder("ORD-1"), "k2") is None
    paid = await database.read(lambda db: db.execute("SELECT sum(amount_minor) FROM payments").fetchone())
    assert paid == (4000,)
    await database.close()
