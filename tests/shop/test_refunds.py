"""Money goes back once for a key, and never more than was paid."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.shop import sample as sample_shop
from bot.shop.changes import Refund, RefundReason
from bot.shop.money import Money
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite import SqliteShop, shop_migrations
from bot.store.sqlite.database import DatabaseThread

ATTEMPTS = st.lists(st.tuples(st.integers(-5, 5_000), st.sampled_from("abcdef")), max_size=8)


async def refund_all(shop: SqliteShop, attempts: list[tuple[int, str]]) -> None:
    """Ask for all refunds of one order at the same time; each is made or refused."""

    async def refund(minor: int, key: str) -> None:
        change = Refund("ORD-10188", RefundReason.DEFECTIVE, Money(minor))
        await shop.apply(change, await shop.quote(change), key=key)

    asked = (refund(minor, key) for minor, key in attempts)
    for outcome in await asyncio.gather(*asked, return_exceptions=True):
        assert not isinstance(outcome, BaseException) or isinstance(outcome, ShopRefusedError)


@settings(max_examples=25, deadline=None)
@given(ATTEMPTS)
def test_never_more_than_was_paid(attempts: list[tuple[int, str]]) -> None:
    """Whatever is asked for, at once and again, each key pays once and all of them at most what was paid."""

    async def play(folder: Path) -> None:
        database = DatabaseThread(folder / "shop.db", shop_migrations)
        await database.open()
        await sample_shop.fill(database)
        shop = SqliteShop(database)
        await refund_all(shop, attempts)
        order = await shop.order("ORD-10188")
        sql = "SELECT idempotency_key, amount_minor FROM refunds WHERE order_id = 'ORD-10188'"
        paid = await database.read(lambda db: db.execute(sql).fetchall())
        await database.close()
        assert order
        assert sum(minor for _, minor in paid) == order.refunded.minor <= order.total.minor
        assert all(minor > 0 for _, minor in paid)
        assert len({key for key, _ in paid}) == len(paid)

    with TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder)))
