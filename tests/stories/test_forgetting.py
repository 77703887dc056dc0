"""After somebody is forgotten, no column of any table holds who they are or what they said."""

import json

from bot.store.postgres.migrations import TABLES
from bot.store.tables.erasure import Erasure
from bot.testing.openai import Answer
from tests.stories.test_orders import answered, called, form
from tests.world import (
    ANA,
    BEN,
    GENERAL,
    ON_BOTH_STORES,
    SAM,
    SUPPORT,
    TEAM,
    World,
    buttons,
    calls,
    refund_of,
    status_of,
)

CHLOE = "U0CHLOE"
OF_ANA = (ANA, "ana@example.com", "Ana Ruiz", "xyzzy", "F0XYZZY")
PHOTO = {"id": "F0XYZZY", "name": "xyzzy.jpg", "mimetype": "image/jpeg", "size": 120_000}


def traces(world: World, marks: tuple[str, ...]) -> dict[str, list[str]]:
    """Return which columns of which tables hold one of the marks."""
    found: dict[str, list[str]] = {}
    for table in TABLES:
        for row in world.rows(f"SELECT * FROM {table}"):  # noqa: S608 - our own tables
            for column, value in row.items():
                if any(mark in json.dumps(value, default=str, ensure_ascii=False) for mark in marks):
                    found.setdefault(table, []).append(f"{column}: {value}")
    return found


async def ask_for_things(world: World) -> None:
    """Ask as Ana in a channel and directly, with words, a photo and a form, and decide some of it."""
    world.script += [status_of("ORD-10188"), Answer("It has arrived, xyzzy.")]
    question = await world.says(ANA, "@bot where is ORD-10188? xyzzy, I am Ana Ruiz, ana@example.com", files=[PHOTO])
    (card,) = await world.replies(question)
    whisper = await world.whisper(ANA)
    await world.workspace.click(ANA, SUPPORT, whisper.ts, "share_order")
    await world.replies(question, 2)
    await world.workspace.click(ANA, SUPPORT, card.ts, "refresh_order")
    await called(world, "chat.update", 1)
    view = await form(world, ANA, card)
    given = {"reason": "defective", "note": "It is xyzzy.", "photo": [PHOTO]}
    await world.workspace.surfaces.submit(ANA, view.id, given)
    await answered(world, 2)
    await approve(world, SAM)
    await approve(world, CHLOE)
    await world.workspace.until(world.refunds)
    world.script += [calls(("escalate_to_human", {"summary": "xyzzy"})), Answer("A person answers.")]
    await world.says(ANA, "@bot xyzzy, I need a person", SUPPORT)
    post = await world.workspace.until(
        lambda: next((one for one in world.workspace.messages if one.channel == TEAM), None)
    )
    await world.says(SAM, "xyzzy is on its way, Ana Ruiz", TEAM, thread_ts=post.ts)


async def approve(world: World, person: str) -> None:
    """Press Approve on the card in an approver's direct message."""
    channel = f"D{person[1:]}"
    card = await world.workspace.until(
        lambda: next((one for one in world.workspace.messages if one.channel == channel and buttons(one)), None)
    )
    await world.workspace.click(person, channel, card.ts, "approve_call")


async def leave_traces_elsewhere(world: World) -> None:
    """Press things as Ana in Ben's thread, look orders up as her, and name her there as Ben."""
    world.script += [refund_of("ORD-10176"), Answer("It waits."), Answer("I see.")]
    asked = await world.says(BEN, "@bot refund ORD-10176", GENERAL)
    card = await world.card(asked)
    await world.workspace.click(ANA, GENERAL, card.ts, "approve_call")
    await world.workspace.click(SAM, GENERAL, card.ts, "cancel_call")
    await world.settled(card)
    answer = await world.workspace.until(
        lambda: next((one for one in world.workspace.replies_of_bot(asked) if "It waits" in one.text), None)
    )
    await world.workspace.click(ANA, GENERAL, answer.ts, "answer_feedback")
    await world.workspace.until(lambda: world.rows("SELECT 1 FROM ratings"))
    await world.says(BEN, f"<@{ANA}> has bought the same", GENERAL, thread_ts=asked.ts)
    await world.says(BEN, f"@bot <@{ANA}> has bought the same", GENERAL, thread_ts=asked.ts)
    await world.workspace.surfaces.command(ANA, GENERAL, "/order", "ORD-10234")
    await world.workspace.surfaces.command(ANA, GENERAL, "/order", "ORD-10176")


@ON_BOTH_STORES
async def test_nothing_is_left(world: World) -> None:
    """Whatever a person did, in their threads and in others', no table holds their id, address, name or words."""
    async with world.bot(BOT_APPROVERS=f"{SAM},{CHLOE}", BOT_SECOND_APPROVER_OVER=10):
        await ask_for_things(world)
        await leave_traces_elsewhere(world)
    before = traces(world, OF_ANA)
    assert before.keys() >= {
        "inbox",
        "messages",
        "tool_calls",
        "outbox",
        "ratings",
        "refused_clicks",
        "threads",
        "usage",
    }
    async with world.tables() as tables:
        await Erasure(tables).forget(ANA)
        assert traces(world, OF_ANA) == {}
        assert traces(world, (SAM,))
        for approver in (SAM, CHLOE):
            await Erasure(tables).forget(approver)
    assert traces(world, (SAM, CHLOE)) == {}
    assert world.rows("SELECT count(*) AS n FROM tool_calls WHERE status = 'succeeded' AND gated") == [{"n": 1}]
