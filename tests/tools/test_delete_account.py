"""Somebody wants their account gone: hidden at once, brought back for some days, erased after."""

import sqlite3
from contextlib import closing
from typing import Any

from bot.shop.sqlite import SqliteShop, shop_migrations
from bot.store.sqlite.database import DatabaseThread
from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message, Person
from tests.world import ANA, SAM, World, calls, shown, status_of

DELETE = [calls(("delete_account", {})), Answer("I have asked for it.")]


def write(world: World, sql: str) -> None:
    """Change the shop as its own staff might."""
    with closing(sqlite3.connect(world.database)) as db:
        assert db.execute(sql).rowcount > 0
        db.commit()


def account(world: World) -> dict[str, Any]:
    """Read Ana's row in the shop."""
    (row,) = world.rows("SELECT * FROM customers WHERE id = 'cus_ana'")
    return row


async def deleted(world: World) -> Message:
    """Play up to an account that is deleted, and give back the customer's message."""
    world.deliver_all()
    world.script += DELETE
    question = await world.says(ANA, "@bot delete my account")
    card = await world.confirmed(question)
    await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
    assert "The account ana@example.com is deleted; it can be brought back for 30 days" in shown(
        await world.settled(card)
    )
    return question


async def test_card(world: World) -> None:
    """The card names whose account goes and for how long it can come back; until the approval nothing happens."""
    world.deliver_all()
    world.script += DELETE
    async with world.bot(BOT_ACCOUNT_UNDO_DAYS=7):
        card = await world.card(await world.says(ANA, "@bot delete my account"))
    for part in (
        "Delete an account",
        "*Account*\nAna Ruiz, ana@example.com",
        "*Orders*\n5",
        "*Can be undone*\nfor 7 days",
    ):
        assert part in shown(card)
    assert account(world)["deleted_at"] is None


async def test_deleted(world: World) -> None:
    """A deleted customer's orders look like no orders, to themselves and to staff, while the rows are still there."""
    async with world.bot():
        question = await deleted(world)
        await world.replies(question, 3)
        for person in (ANA, SAM):
            world.script += [status_of("ORD-10188"), Answer("There is no such order.")]
            await world.replies(await world.says(person, "@bot where is ORD-10188?"))
            assert "no order ORD-10188" in world.asked[-1].messages[-1]["content"]
    assert account(world)["email"] == "ana@example.com"
    assert account(world)["erase_after"] > account(world)["deleted_at"]


async def test_brought_back(world: World) -> None:
    """Within the days, clearing one column brings the account back as it was."""
    async with world.bot():
        await world.replies(await deleted(world), 3)
        write(world, "UPDATE customers SET deleted_at = NULL, erase_after = NULL WHERE id = 'cus_ana'")
        world.script += [status_of("ORD-10188"), Answer("Here it is.")]
        (reply,) = await world.replies(await world.says(ANA, "@bot where is ORD-10188?"))
    assert "*Order ORD-10188*" in shown(reply)


async def test_erased_after_the_days(world: World) -> None:
    """When the days are over name and e-mail address are gone for good, the orders stay, and other accounts too."""
    async with world.bot():
        await deleted(world)
    database = DatabaseThread(world.database, shop_migrations)
    await database.open()
    shop = SqliteShop(database)
    await shop.erase_due()
    assert account(world)["email"] == "ana@example.com"
    write(world, "UPDATE customers SET erase_after = '2026-01-01T00:00:00+00:00' WHERE id = 'cus_ana'")
    await shop.erase_due()
    await database.close()
    assert "ana" not in (account(world)["name"] + account(world)["email"].removeprefix("deleted-cus_ana")).lower()
    assert len(world.rows("SELECT id FROM customers WHERE email LIKE '%@example.com'")) == 2
    assert len(world.rows("SELECT id FROM orders WHERE customer_id = 'cus_ana'")) == 5


async def test_orders_under_way(world: World) -> None:
    """An account with orders under way is refused, and they are named."""
    world.script += [calls(("delete_account", {})), Answer("Not yet.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot delete my account"))
    assert "while orders are under way: ORD-10251, ORD-10234" in world.asked[-1].messages[-1]["content"]


async def test_no_account(world: World) -> None:
    """Somebody who is no customer has no account to delete."""
    world.workspace.add(Person("U0EVE", "eve", "Eve"))
    world.script += [calls(("delete_account", {})), Answer("You have none.")]
    async with world.bot():
        await world.replies(await world.says("U0EVE", "@bot delete my account"))
    assert "no account" in world.asked[-1].messages[-1]["content"]
    assert world.rows("SELECT status FROM tool_calls") == [{"status": "rejected"}]
