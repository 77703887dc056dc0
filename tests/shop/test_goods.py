"""The built-in shop's changes of goods, addresses and payments: what they cost to the cent, and what is refused."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from bot.shop import sample as sample_shop
from bot.shop.changes import (
    CancelOrder,
    Change,
    ChangeAddress,
    ChangeDefaultAddress,
    ChangeItems,
    ChangePayment,
    DeleteAccount,
    ExchangeItems,
    Quote,
    Quoted,
    Refund,
    RefundReason,
    ReturnItems,
    Swap,
    When,
)
from bot.shop.money import Money
from bot.shop.orders import Address
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite import SqliteShop, shop_migrations
from bot.store.sqlite.database import DatabaseThread

ELSEWHERE = Address("Ana Ruiz", "1 New Street", "Portland", "OR", "97201", "US")
TEAPOT, CANDLES = "ORD-10188", "ORD-10251"


async def write(database: DatabaseThread, sql: str, *values: object) -> None:
    """Change the shop as its own people might."""
    await database.commit(lambda db: db.execute(sql, values))


async def rows(database: DatabaseThread, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Read the shop's rows."""
    return await database.read(lambda db: db.execute(sql, values).fetchall())


async def balance(database: DatabaseThread, method: str) -> int:
    """Read what is left on a gift card."""
    ((minor,),) = await rows(database, "SELECT balance_minor FROM payment_methods WHERE id = ?", method)
    return int(minor)


async def stock(database: DatabaseThread, variant: str) -> int:
    """Read how many of a variant there are."""
    ((number,),) = await rows(database, "SELECT stock FROM variants WHERE id = ?", variant)
    return int(number)


async def done(shop: SqliteShop, change: Change, key: str = "k") -> Quote:
    """Quote and make a change, and return the quote."""
    quote = await shop.quote(change)
    await shop.apply(change, quote, key=key)
    return quote


def teapot(reason: RefundReason = RefundReason.CHANGED_MIND, refund_to: str = "original") -> ReturnItems:
    """Send Ana's teapot back."""
    return ReturnItems(TEAPOT, (1,), reason, refund_to)


def swap(variant: str, pay_with: str = "original") -> ExchangeItems:
    """Exchange Ana's teapot."""
    return ExchangeItems(TEAPOT, (Swap(1, variant),), pay_with)


def candles(variant: str, pay_with: str = "original") -> ChangeItems:
    """Ask for other candles."""
    return ChangeItems(CANDLES, (Swap(1, variant),), pay_with)


async def test_return(database: DatabaseThread, shop: SqliteShop) -> None:
    """A return moves no money; when it has arrived it is refunded to where was chosen, a gift card included."""
    quote = await done(shop, teapot(refund_to="gift card"))
    assert (quote.balance, quote.when, quote.method) == (Money(4200), When.ON_RECEIPT, "Gift card ending 7731")
    assert await rows(database, "SELECT * FROM payments WHERE amount_minor < 0 AND order_id = ?", TEAPOT) == []
    refund = Refund(TEAPOT, RefundReason.CHANGED_MIND, lines=(1,))
    for early in (refund, Refund(TEAPOT, RefundReason.DEFECTIVE)):
        with pytest.raises(ShopRefusedError, match="is to come back first"):
            await shop.quote(early)
    await write(database, "UPDATE returns SET received_at = '2026-01-01' WHERE order_id = ?", TEAPOT)
    quote = await done(shop, refund, "refund")
    assert (quote.balance, quote.method) == (Money(4200), "Gift card ending 7731")
    assert await balance(database, "pm-ana-gift") == 6000 + 4200
    with pytest.raises(ShopRefusedError, match="nothing is left"):
        await shop.quote(refund)


async def test_return_twice(shop: SqliteShop) -> None:
    """A line is sent back once, and is exchanged no more after it."""
    await done(shop, teapot())
    for again in (teapot(), swap("teapot-12")):
        with pytest.raises(ShopRefusedError, match="was returned already"):
            await shop.quote(again)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (ReturnItems("ORD-10234", (1,), RefundReason.CHANGED_MIND, "original"), "shipped, so nothing of it"),
        (ReturnItems(CANDLES, (1,), RefundReason.CHANGED_MIND, "original"), "paid, so nothing of it"),
        (ReturnItems("ORD-10142", (1,), RefundReason.CHANGED_MIND, "original"), "more than 30 days ago"),
        (ReturnItems(TEAPOT, (), RefundReason.CHANGED_MIND, "original"), "No line"),
        (ReturnItems(TEAPOT, (2,), RefundReason.CHANGED_MIND, "original"), "has the lines 1 to 1"),
        (teapot(RefundReason.NOT_DELIVERED), "has not arrived can't be sent back"),
        (teapot(refund_to="PayPal"), "to Visa ending 4242 or to a gift card only"),
        (teapot(refund_to="Bitcoin"), "no such way of paying"),
        (teapot(refund_to="pm-ben-gift"), "no such way of paying"),
        (teapot(refund_to="ending"), "not clear which"),
        (ReturnItems("ORD-10199", (2,), RefundReason.CHANGED_MIND, "original"), "was exchanged already"),
        (swap("jacket-m"), "only be changed for one of the same product"),
        (swap("teapot-12-red"), "not in stock"),
        (swap("teapot-08"), "is this variant already"),
        (ExchangeItems(TEAPOT, (), "original"), "No line"),
        (ExchangeItems("ORD-10234", (Swap(1, "mug-moss"),), "original"), "shipped, so nothing of it"),
        (ExchangeItems("ORD-10142", (Swap(1, "mug-moss"),), "original"), "more than 30 days ago"),
        (ChangeItems(TEAPOT, (Swap(1, "teapot-12"),), "original"), "items can't be changed any more"),
        (ChangeItems("ORD-10240", (Swap(1, "dripper-copper"),), "gift"), r"has \$5\.00, and \$15\.00"),
        (ChangeItems("ORD-10240", (Swap(2, "dripper-copper"),), "gift"), "comes in no other variant"),
        (
            ChangeItems("ORD-10240", (Swap(1, "dripper-copper"), Swap(1, "dripper-white")), "original"),
            "each|lines 1 to",
        ),
        (ChangePayment(CANDLES, "original"), "paid with PayPal ana@… already"),
        (ChangePayment("ORD-10240", "gift card"), r"has \$5\.00, and \$46\.00"),
        (ChangePayment(TEAPOT, "gift card"), "can't be changed any more"),
        (ChangeAddress("ORD-10234", ELSEWHERE), "address can't be changed any more"),
        (ChangeAddress("ORD-99999", ELSEWHERE), "no order ORD-99999"),
        (ChangeDefaultAddress("cus_nobody", ELSEWHERE), "account is gone"),
        (Refund("ORD-10199", RefundReason.DEFECTIVE, lines=(2,)), "is being exchanged"),
    ],
)
async def test_refused(shop: SqliteShop, change: Change, why: str) -> None:
    """What the shop's rules do not allow is refused with a sentence for the customer."""
    with pytest.raises(ShopRefusedError, match=why):
        await shop.quote(change)


async def test_faults_have_a_year(database: DatabaseThread, shop: SqliteShop) -> None:
    """What came broken or wrong can be sent back for a year."""
    old = ReturnItems("ORD-10142", (1,), RefundReason.WRONG_ITEM, "original")
    assert (await shop.quote(old)).balance == Money(8900)
    await write(database, "UPDATE orders SET delivered_at = '2020-01-01T00:00:00+00:00'")
    with pytest.raises(ShopRefusedError, match="more than 365 days ago"):
        await shop.quote(old)


@pytest.mark.parametrize(
    ("variant", "back"),
    [("teapot-12", -1250), ("teapot-05", 900), ("teapot-08-red", 0)],
    ids=["dearer", "cheaper", "same"],
)
async def test_exchange(database: DatabaseThread, shop: SqliteShop, variant: str, back: int) -> None:
    """An exchange sets the new one aside and moves what they differ by, signed, at once."""
    before = await stock(database, variant), await stock(database, "teapot-08")
    quote = await done(shop, swap(variant, "gift card"))
    assert (quote.balance, quote.when, quote.method) == (Money(back), When.NOW, "Gift card ending 7731")
    moved = await rows(database, "SELECT amount_minor, method FROM payments WHERE idempotency_key = 'k'")
    assert moved == ([(-back, "Gift card ending 7731")] if back else [])
    assert await balance(database, "pm-ana-gift") == 6000 + back
    assert (await stock(database, variant), await stock(database, "teapot-08")) == (before[0] - 1, before[1])
    order = await shop.order(TEAPOT)
    assert order
    assert (order.total, order.items[0].variant_id, order.items[0].returning) == (
        Money(4200 - back),
        variant,
        "exchange",
    )


async def test_changed_items(database: DatabaseThread, shop: SqliteShop) -> None:
    """What has not left is changed once for all of its number, also by the words of its options; stock follows."""
    quote = await done(shop, candles("Pair,  tall"))
    assert (quote.balance, [(item.name, item.becomes) for item in quote.items]) == (
        Money(-825),
        [("Beeswax candles, pair", "Beeswax candles (pair, tall)")],
    )
    assert (await stock(database, "candles-pair"), await stock(database, "candles-tall")) == (43, 9)
    with pytest.raises(ShopRefusedError, match="only once"):
        await shop.quote(candles("candles-tea"))
    quote = await done(shop, CancelOrder(CANDLES), "cancel")
    assert (quote.balance, await stock(database, "candles-tall")) == (Money(4350 + 825), 12)


async def test_refunded_lines_are_not_swapped(database: DatabaseThread, shop: SqliteShop) -> None:
    """A line of which money went back is changed for no other, and no more comes back than is left."""
    await done(shop, Refund(TEAPOT, RefundReason.DEFECTIVE, Money(100), (1,)))
    for change in (swap("teapot-05"), swap("teapot-12")):
        with pytest.raises(ShopRefusedError, match="was refunded already"):
            await shop.quote(change)
    await write(database, "INSERT INTO refunds VALUES ('r', 'ORD-10251', 4000, 'USD', 'x', 'else', '2026')")
    with pytest.raises(ShopRefusedError, match=r"\$7\.50 would come back"):
        await shop.quote(candles("candles-tea"))


async def test_payment(database: DatabaseThread, shop: SqliteShop) -> None:
    """Another way of paying gives back all by the old and takes it by the new, a gift card's balance included."""
    quote = await done(shop, ChangePayment(CANDLES, "gift card ending 7731"))
    assert (quote.method_before, quote.method) == ("PayPal ana@…", "Gift card ending 7731")
    assert await rows(database, "SELECT amount_minor, method FROM payments WHERE idempotency_key = 'k'") == [
        (-4350, "PayPal ana@…"),
        (4350, "Gift card ending 7731"),
    ]
    assert await balance(database, "pm-ana-gift") == 1650
    await done(shop, CancelOrder(CANDLES), "cancel")
    assert await balance(database, "pm-ana-gift") == 6000


async def moved(database: DatabaseThread, key: str = "k") -> list[tuple[Any, ...]]:
    """Read the payments under a key."""
    return await rows(database, "SELECT amount_minor, method FROM payments WHERE idempotency_key = ?", key)


async def test_mixed_payment(database: DatabaseThread, shop: SqliteShop) -> None:
    """Of an order that was paid in two ways, each has its own back: by a cancellation, a refund, another payment."""
    await done(shop, candles("candles-tall", "gift card"), "dearer")
    order = await shop.order(CANDLES)
    assert order
    assert order.payment_method == "PayPal ana@… and Gift card ending 7731"
    other = await shop.quote(ChangePayment(CANDLES, "original"))
    assert other.method_before == "PayPal ana@… ($43.50) and Gift card ending 7731 ($8.25)"
    quote = await done(shop, CancelOrder(CANDLES))
    assert quote.method == other.method_before
    assert await moved(database) == [(-4350, "PayPal ana@…"), (-825, "Gift card ending 7731")]
    assert await balance(database, "pm-ana-gift") == 6000
    await done(shop, swap("teapot-12", "gift card"), "swap")
    await write(database, "UPDATE returns SET received_at = '2026-01-01'")
    part = await done(shop, Refund(TEAPOT, RefundReason.DEFECTIVE, Money(4300)), "part")
    assert part.method == "Visa ending 4242 ($42.00) and Gift card ending 7731 ($1.00)"
    assert (await done(shop, Refund(TEAPOT, RefundReason.DEFECTIVE), "rest")).method == "Gift card ending 7731"
    assert await balance(database, "pm-ana-gift") == 6000


async def test_another_payment_of_a_mixed_one(database: DatabaseThread, shop: SqliteShop) -> None:
    """All of an order can be paid with the card that paid a part of it, which needs only the rest on it."""
    await done(shop, candles("candles-tall", "gift card"), "dearer")
    await write(database, "UPDATE payment_methods SET balance_minor = 4350 WHERE id = 'pm-ana-gift'")
    await done(shop, ChangePayment(CANDLES, "gift card"))
    assert await balance(database, "pm-ana-gift") == 0
    assert await moved(database) == [
        *((-4350, "PayPal ana@…"), (-825, "Gift card ending 7731")),
        (5175, "Gift card ending 7731"),
    ]


async def test_gift_cards_that_are_called_alike(database: DatabaseThread, shop: SqliteShop) -> None:
    """Of two gift cards with the same words, the one that paid has its money back."""
    await write(
        database, "INSERT INTO payment_methods VALUES ('pm-twin', 'cus_ana', 'Gift card ending 7731', 900, 'USD')"
    )
    await done(shop, candles("candles-tall", "pm-twin"), "dearer")
    await done(shop, CancelOrder(CANDLES))
    assert (await balance(database, "pm-twin"), await balance(database, "pm-ana-gift")) == (900, 6000)


async def test_all_that_is_left_goes_where_the_return_said(database: DatabaseThread, shop: SqliteShop) -> None:
    """A refund that names no line goes to what was chosen for the line that came back, and not half of it elsewhere."""
    await done(shop, teapot(refund_to="gift card"))
    await write(database, "UPDATE returns SET received_at = '2026-01-01'")
    assert (await shop.quote(Refund(TEAPOT, RefundReason.CHANGED_MIND))).method == "Gift card ending 7731"


async def test_address(shop: SqliteShop) -> None:
    """An order that has not left goes elsewhere; another country is told, and the same address refused."""
    quote = await done(shop, ChangeAddress(CANDLES, ELSEWHERE))
    assert (quote.address, quote.goes_abroad, quote.total) == (
        Address("Ana Ruiz", "412 Maple Avenue, Apt 3", "Salt Lake City", "UT", "84102", "US"),
        *(False, Money(4350)),
    )
    order = await shop.order(CANDLES)
    assert order
    assert order.address == ELSEWHERE
    with pytest.raises(ShopRefusedError, match="goes to this address already"):
        await shop.quote(ChangeAddress(CANDLES, ELSEWHERE))
    away = Address("Ana Ruiz", "Rua 1", "Lisboa", "", "1000", "PT")
    assert (await shop.quote(ChangeAddress(CANDLES, away))).goes_abroad


async def test_unknown_address_is_abroad(database: DatabaseThread, shop: SqliteShop) -> None:
    """Where it is not known to which country an order goes, any other address counts as abroad."""
    await write(database, "UPDATE orders SET address = NULL")
    assert (await shop.quote(ChangeAddress(CANDLES, ELSEWHERE))).goes_abroad


async def test_default_address(shop: SqliteShop) -> None:
    """The address for later orders changes none of those that there are."""
    await done(shop, ChangeDefaultAddress("cus_ana", ELSEWHERE))
    customer, order = await shop.customer("ana@example.com"), await shop.order(CANDLES)
    assert customer
    assert order
    assert (await shop.profile(customer)).address == ELSEWHERE
    assert order.address != ELSEWHERE
    with pytest.raises(ShopRefusedError, match="address of the account already"):
        await shop.quote(ChangeDefaultAddress("cus_ana", ELSEWHERE))


async def test_other_currencies(database: DatabaseThread, shop: SqliteShop) -> None:
    """A gift card or a variant in another currency than the order's is refused."""
    await write(database, "UPDATE orders SET currency = 'JPY' WHERE id IN (?, ?)", TEAPOT, CANDLES)
    for change, why in (
        (teapot(refund_to="gift card"), f"{TEAPOT} is not"),
        (ChangePayment(CANDLES, "gift card"), "is in USD, and this is in JPY"),
        (swap("teapot-12"), "is not sold in JPY"),
    ):
        with pytest.raises(ShopRefusedError, match=why):
            await shop.quote(change)


@pytest.mark.parametrize(
    "change", [teapot(), swap("teapot-12"), candles("candles-tea"), ChangePayment(CANDLES, "gift")]
)
async def test_once_for_a_key(database: DatabaseThread, shop: SqliteShop, change: Change) -> None:
    """The same change twice at once under a key is made once, and told as the same; it comes back from its row."""
    quote = await shop.quote(change)
    assert Quoted.read(Quoted(change, quote).written) == Quoted(change, quote)
    first, second = await asyncio.gather(*(shop.apply(change, quote, key="k") for _ in range(2)))
    assert first == second == await shop.applied(change, "k")
    assert len(await rows(database, "SELECT * FROM effects WHERE idempotency_key = 'k'")) == 1


async def test_outdated(database: DatabaseThread, shop: SqliteShop) -> None:
    """A change whose price is another by now, or of which too few are left, is not made."""
    change = candles("candles-tall")
    quote = await shop.quote(change)
    await write(database, "UPDATE variants SET price_minor = 1726 WHERE id = 'candles-tall'")
    with pytest.raises(ShopRefusedError, match="not as it was shown"):
        await shop.apply(change, quote, key="k")
    await write(database, "UPDATE variants SET price_minor = 1725, stock = 2 WHERE id = 'candles-tall'")
    with pytest.raises(ShopRefusedError, match="not in stock"):
        await shop.apply(change, quote, key="k")
    assert await rows(database, "SELECT * FROM effects WHERE idempotency_key = 'k'") == []


async def test_erased(database: DatabaseThread, shop: SqliteShop) -> None:
    """When an account is erased, no address and no way of paying of theirs is left, and their deeds are told still."""
    await done(shop, ChangeAddress(CANDLES, ELSEWHERE), "move")
    await write(database, "UPDATE orders SET status = 'delivered'")
    gone = DeleteAccount("cus_ana", "ana@example.com", 0)
    await done(shop, gone, "gone")
    await shop.erase_due()
    everything = await database.read(lambda db: "\n".join(db.conn.iterdump()))
    for secret in ("1 New Street", "412 Maple", "ending 7731", "Ana Ruiz"):
        assert secret not in everything
    assert await shop.applied(gone, "gone")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("teapot", ["Cast-iron teapot"]),
        ("RAIN  jacket", ["Rain jacket"]),
        ("rain jackets in size M", ["Rain jacket"]),
        ("mugs", ["Stoneware mug"]),
        ("submarine", []),
        ("%", []),
        ("  ", []),
        ("a", ["Beeswax candles", "Cast-iron teapot", "Ceramic planter", "Desk lamp", "Rain jacket", "Stoneware mug"]),
    ],
)
async def test_products(shop: SqliteShop, query: str, names: list[str]) -> None:
    """Products are found by all words of a query, or else by the longer ones, also in the plural."""
    assert [product.name for product in await shop.products(query, most=9)] == names


LINES = st.lists(st.integers(0, 3), max_size=2).map(tuple)
VARIANTS = st.sampled_from(["mug-moss", "mug-large", "socks-l", "socks-m", "shirt-m", "teapot-12", "teapot-05", "x"])
SWAPS = st.lists(st.builds(Swap, st.integers(0, 3), VARIANTS), max_size=2).map(tuple)
WAYS = st.sampled_from(["original", "gift card", "PayPal"])
ORDERS = st.sampled_from(["ORD-10188", "ORD-10234", "ORD-10199"])
CHANGES = st.one_of(
    st.builds(Refund, ORDERS, st.just(RefundReason.DEFECTIVE), st.none() | st.integers(1, 9000).map(Money), LINES),
    st.builds(CancelOrder, ORDERS),
    st.builds(ReturnItems, ORDERS, LINES, st.sampled_from(RefundReason), WAYS),
    st.builds(ExchangeItems, ORDERS, SWAPS, WAYS),
    st.builds(ChangeItems, ORDERS, SWAPS, WAYS),
    st.builds(ChangePayment, ORDERS, WAYS),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CHANGES, st.booleans()), max_size=8))
def test_money_adds_up(tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[Change, bool]]) -> None:
    """Whatever is changed in whatever order, what was paid is what the order costs less what went back, to the cent."""

    async def play() -> None:
        database = DatabaseThread(tmp_path_factory.mktemp("shop") / "shop.db", shop_migrations)
        await database.open()
        await sample_shop.fill(database)
        await write(database, "UPDATE orders SET status = 'paid' WHERE id = 'ORD-10234'")
        shop = SqliteShop(database)
        for number, (change, arrives) in enumerate(changes):
            if arrives:
                await write(database, "UPDATE returns SET received_at = '2026-01-01'")
            try:
                await done(shop, change, f"k{number}")
            except ShopRefusedError:
                continue
        await database.read(assert_adds_up)
        await database.close()

    asyncio.run(play())


def assert_adds_up(db: Database) -> None:
    """Hold that payments, totals, refunds, gift cards and lines are of one piece."""
    for order_id, total, paid, refunded, lines in db.execute(
        """SELECT id, total_minor, (SELECT sum(amount_minor) FROM payments WHERE order_id = orders.id),
                  (SELECT coalesce(sum(amount_minor), 0) FROM refunds WHERE order_id = orders.id),
                  (SELECT sum(quantity * unit_price_minor) FROM order_items WHERE order_id = orders.id) FROM orders"""
    ).fetchall():
        assert (paid, lines) == (total - refunded, total), order_id
        assert 0 <= refunded <= total
    paid = "SELECT coalesce(sum(amount_minor), 0) FROM payments WHERE method LIKE 'Gift card%'"
    left = "SELECT sum(balance_minor) FROM payment_methods"
    assert db.execute(f"SELECT ({paid}) + ({left})").fetchone() == (6000 + 500 + 2500,)
    for (given_back,) in db.execute("SELECT lines FROM effects").fetchall():
        assert all(minor >= 0 for minor in json.loads(given_back).values())
