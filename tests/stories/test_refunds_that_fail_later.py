"""Money that was told as gone back and did not arrive: a payment provider fails a refund days after it was made."""

import asyncio
from typing import Any

import pytest

from bot.store.tables.erasure import Erasure
from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message
from tests.operator.command import ask
from tests.world import ANA, ON_BOTH_STORES, SAM, SUPPORT, TEAM, World, buttons, calls, notes_in, refund_of, shown

LONG_AGO = "2026-01-01T00:00:00+00:00"
QUICKLY: dict[str, Any] = {"BOT_SWEEP_SECONDS": 0.1}


async def refunded(world: World) -> Message:
    """Play until a refund is done, and return its card."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    card = await world.card(await world.says(ANA, "@bot refund ORD-10188"))
    await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
    return await world.settled(card)


def a_day_passes(world: World) -> None:
    """Have the next look at refunds be due."""
    world.write("UPDATE refund_checks SET look_at = ? WHERE look_at IS NOT NULL", LONG_AGO)


def fails_at_the_provider(world: World) -> None:
    """Have the payment provider fail what it had said was done."""
    world.write("UPDATE effects SET status = 'failed', error = 'The card is closed' WHERE kind != 'sample'")


def checks(world: World) -> list[dict[str, object]]:
    """Read what is kept of the refunds that are looked at."""
    return world.rows("SELECT look_at IS NOT NULL AS looks, failed_at IS NOT NULL AS failed, why FROM refund_checks")


async def kept(world: World, sql: str, *parameters: str) -> None:
    """Wait until the query finds something."""
    async with asyncio.timeout(10):
        while True:
            if world.rows(sql, *parameters):
                return
            await asyncio.sleep(0.05)


async def card_shows(world: World, card: Message, words: str) -> None:
    """Wait until the card says so."""
    await world.workspace.until(lambda: words in shown(world.workspace.message(card.channel, card.ts) or card) or None)


@ON_BOTH_STORES
async def test_it_is_told(world: World) -> None:
    """A refund that fails days later is told once: on the card, in its thread, to the team, and to the model."""
    async with world.bot(**QUICKLY):
        card = await refunded(world)
        root = world.workspace.thread(SUPPORT, card.root_ts)[0]
        fails_at_the_provider(world)
        assert "✓ Approved by" in shown(world.workspace.message(card.channel, card.ts) or card)
        a_day_passes(world)
        await card_shows(world, card, "✕ Refund of $42.00 for ORD-10188: it was made, but has failed since")
        told = await world.replies(root, 4)
        assert "the money has not arrived. The card is closed. The team is told." in shown(told[-1])
        assert f"<@{ANA}>" in shown(told[-1])
        team = await world.workspace.until(lambda: [m for m in world.workspace.messages if m.channel == TEAM])
        assert f"<@{SAM}>: Refund of $42.00 for ORD-10188 was made, and has failed since" in shown(team[-1])
        a_day_passes(world)
        world.script += [refund_of("ORD-10188"), Answer("I have asked for it again.")]
        await world.says(ANA, "what now?", thread_ts=root.ts)
        again = await world.card(root)
        assert "$42.00" in shown(again)
    (note,) = [one for one in notes_in(world.asked[-2]) if "has failed since" in one]
    assert note.startswith("Refund of $42.00 for ORD-10188: it was made, but has failed since")
    assert len([m for m in world.workspace.messages if m.channel == TEAM]) == 1
    assert checks(world) == [{"looks": 0, "failed": 1, "why": "The card is closed."}]
    first, second = world.rows("SELECT status, failed_later_at, amount FROM refund_requests ORDER BY asked_at")
    assert (first["status"], first["failed_later_at"] is not None) == ("succeeded", True)
    assert (second["status"], second["failed_later_at"]) == ("pending", None)


async def test_it_is_not_claimed_any_more(world: World) -> None:
    """When a refund has failed since, the model's “it is done” is as unfounded as if it had never been."""
    async with world.bot(**QUICKLY):
        card = await refunded(world)
        root = world.workspace.thread(SUPPORT, card.root_ts)[0]
        fails_at_the_provider(world)
        a_day_passes(world)
        await card_shows(world, card, "has failed since")
        claim = Answer("Done! I have refunded $42.00 for ORD-10188 to your Visa.")
        world.script += [claim, claim, claim]
        await world.says(ANA, "so?", thread_ts=root.ts)
        replies = await world.replies(root, 5)
    assert "I have refunded" not in "".join(map(shown, replies))


async def test_what_holds_is_told_once(world: World) -> None:
    """A refund that holds is looked at day by day, without a word, and no more when its days are over."""
    async with world.bot(**QUICKLY):
        card = await refunded(world)
        await world.replies(world.workspace.thread(SUPPORT, card.root_ts)[0], 3)
        said = len(world.workspace.messages)
        for _ in range(2):
            a_day_passes(world)
            await kept(world, "SELECT 1 FROM refund_checks WHERE look_at > ?", LONG_AGO)
        world.forge(f"UPDATE tool_calls SET finished_at = '{LONG_AGO}' WHERE gated")  # noqa: S608 - ours
        a_day_passes(world)
        await kept(world, "SELECT 1 FROM refund_checks WHERE look_at IS NULL AND failed_at IS NULL")
        assert len(world.workspace.messages) == said
    assert "✓ Approved by" in shown(world.workspace.message(card.channel, card.ts) or card)


@pytest.mark.parametrize("days", [0, 30])
async def test_only_where_money_went_back(world: World, days: int) -> None:
    """Changes with which nothing has gone back are not looked at, and nothing is where that is switched off."""
    place = {"city": "Reno", "region": "NV", "postcode": "89501", "country": "US"}
    address = {"recipient": "Ana Ruiz", "street": "1 Elm St", **place}
    async with world.bot(BOT_REFUND_WATCH_DAYS=days, BOT_ADDRESS_CHANGE_LIMIT=1_000):
        world.script += [
            calls(("change_address", {"order_id": "ORD-10251", "address": address})),
            Answer("Please confirm."),
        ]
        question = await world.says(ANA, "@bot send ORD-10251 elsewhere", "D0ANA")
        card = await world.card(question)
        await world.workspace.click(ANA, card.channel, card.ts, "approve_call")
        assert not buttons(await world.settled(card))
        if not days:
            await refunded(world)
    assert checks(world) == []


@ON_BOTH_STORES
async def test_what_is_left_of_it(world: World) -> None:
    """The operator reads it in the story of the order; when the customer is forgotten, that it failed is left alone."""
    async with world.bot(**QUICKLY):
        card = await refunded(world)
        fails_at_the_provider(world)
        a_day_passes(world)
        await card_shows(world, card, "has failed since")
    told = await ask(world, "log", "ORD-10188")
    assert "made, and failed later at the payment provider: The card is closed." in " ".join(told.out.split())
    async with world.tables() as tables:
        await Erasure(tables).forget(ANA)
    assert checks(world) == [{"looks": 0, "failed": 1, "why": None}]
    assert world.rows("SELECT note FROM refund_checks") == [{"note": None}]
