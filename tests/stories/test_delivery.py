"""Slack takes a post, or does not, or does not say: each is said once, or a row tells why not."""

from typing import Any

import pytest

from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message
from tests.stories.test_crashes import tamper
from tests.world import ANA, BEN, ON_BOTH_STORES, SAM, SUPPORT, World, buttons, refund_of, shown, status_of

POST = "chat.postMessage"


async def asked(world: World, text: str = "hello") -> Message:
    """Ask as Ana, and wait for one answer."""
    question = await world.says(ANA, f"@bot {text}")
    await world.replies(question)
    return question


def outbox(world: World) -> list[dict[str, Any]]:
    """Read what became of the posts."""
    return world.rows("SELECT * FROM outbox ORDER BY seq")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("fault", ["server_error", "lose_connection"])
async def test_outcome_of_a_post_is_unknown(world: World, fault: str, moment: str) -> None:
    """Whether Slack has posted or not before it failed, the answer stands there once and its ts is known."""
    getattr(world.workspace.faults, fault)("chat.postMessage", moment=moment)
    world.script += [Answer("Hello.")]
    async with world.bot():
        question = await asked(world)
    (answer,) = world.workspace.replies_of_bot(question)
    (row,) = outbox(world)
    assert (row["status"], row["ts"]) == ("sent", answer.ts)
    assert any(call.method == "conversations.replies" for call in world.workspace.calls)


async def test_a_table_with_pages(world: World) -> None:
    """A long table of the model's has pages; where Slack does not take those yet, it is shown as a whole."""
    rows = "\n".join(f"| {number} | pot |" for number in range(20))
    world.script += [Answer(f"| No | What |\n|---|---|\n{rows}")] * 2
    async with world.bot():
        (first,) = await world.replies(await world.says(ANA, "@bot all of them"))
        world.workspace.faults.refuse("chat.postMessage", "invalid_blocks")
        (second,) = await world.replies(await world.says(ANA, "@bot all of them"))
    (paged, plain) = (one.blocks[0] for one in (first, second))
    assert (paged["type"], paged["page_size"], plain["type"]) == ("data_table", 10, "table")
    assert paged["rows"] == plain["rows"]
    assert len(plain["rows"]) == 21
    assert second.blocks[-1]["type"] == "actions"


async def test_killed_between_the_post_and_its_row(world: World) -> None:
    """A post that stood in Slack when the process died is found by its id at the next start, and not said again."""
    world.script += [Answer("Hello.")]
    async with world.bot():
        question = await asked(world)
    tamper(world, "UPDATE outbox SET status = 'waiting', ts = NULL, sender = 'a process that died'")
    async with world.bot():
        pass
    (answer,) = world.workspace.replies_of_bot(question)
    assert (outbox(world)[0]["status"], outbox(world)[0]["ts"]) == ("sent", answer.ts)


async def test_card_outside_of_a_thread_is_found_too(world: World) -> None:
    """A card that is no reply is looked for among the channel's messages, and can be decided after."""
    world.workspace.faults.server_error("chat.postMessage", moment="after", channel="D0SAM")
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        await world.says(ANA, "refund ORD-10188", "D0ANA")
        await world.workspace.until(lambda: any(c.method == "conversations.history" for c in world.workspace.calls))
        card = next(m for m in world.workspace.messages if m.channel == "D0SAM")
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
    assert len([m for m in world.workspace.messages if m.channel == "D0SAM"]) == 1
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_looking_fails_too(world: World) -> None:
    """When Slack cannot be asked whether the post stands there, it is asked again before anything is sent."""
    world.workspace.faults.server_error("chat.postMessage", moment="after")
    world.workspace.faults.server_error("conversations.replies")
    world.workspace.faults.rate_limit("conversations.replies", retry_after=0)
    world.script += [Answer("Hello.")]
    async with world.bot():
        question = await asked(world)
    assert len(world.workspace.replies_of_bot(question)) == 1


async def test_rate_limit_that_goes_on(world: World) -> None:
    """A post waits as often as Slack says so, and is not looked for, because it was never taken."""
    world.workspace.faults.rate_limit("chat.postMessage", retry_after=0, times=5)
    world.script += [Answer("Hello.")]
    async with world.bot():
        question = await asked(world)
    assert len(world.workspace.replies_of_bot(question)) == 1
    assert not any(call.method == "conversations.replies" for call in world.workspace.calls)


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_too_long", "msg_blocks_too_long"])
async def test_blocks_that_slack_does_not_take(world: World, error: str) -> None:
    """An answer whose blocks are refused is said in plain text, with all that the blocks showed."""
    world.workspace.faults.refuse("chat.postMessage", error)
    world.script += [status_of("ORD-10234"), Answer("It is on its way.")]
    async with world.bot():
        question = await asked(world)
    (answer,) = world.workspace.replies_of_bot(question)
    assert answer.blocks == ()
    for part in ("It is on its way.", "*Order ORD-10234*", "● *Shipped*", "*Placed*\n"):
        assert part in shown(answer)


async def test_long_answer_whose_blocks_are_refused(world: World) -> None:
    """A long answer whose blocks are refused is said in plain text, in its place, and whole."""
    words = [f"word{number}" for number in range(1200)]
    world.workspace.faults.refuse("chat.postMessage", "msg_blocks_too_long")
    world.script += [Answer(" ".join(words))]
    async with world.bot():
        question = await world.says(ANA, "@bot tell me all")
        replies = await world.replies(question, 2)
    assert replies[0].blocks == ()
    assert " ".join(map(shown, replies)).split() == words


@pytest.mark.parametrize("error", ["channel_not_found", "is_archived", "not_in_channel"])
async def test_post_that_can_never_be_made(world: World, error: str) -> None:
    """A post that Slack refuses for good ends in a row with Slack's word, and the channel's next post is sent."""
    world.workspace.faults.refuse("chat.postMessage", error)
    world.script += [Answer("One."), Answer("Two.")]
    async with world.bot():
        first = await world.says(ANA, "@bot one")
        await world.workspace.until(lambda: any(call.method == "chat.postMessage" for call in world.workspace.calls))
        await asked(world, "two")
    assert [(row["status"], row["error"]) for row in outbox(world)] == [("failed", error), ("sent", None)]
    assert world.workspace.replies_of_bot(first) == []


async def test_redraw_is_tried_again(world: World) -> None:
    """A settled card whose first redraw failed is redrawn."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot refund"))
        world.workspace.faults.server_error("chat.update", times=2)
        world.workspace.faults.lose_connection("chat.update")
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        assert "✓ Approved by <@U0SAM>" in shown(await world.settled(card))
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_redraw_whose_blocks_are_refused(world: World) -> None:
    """A settled card that cannot be drawn says its outcome in text, and has no buttons."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot refund"))
        world.workspace.faults.refuse("chat.update", "invalid_blocks")
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        settled = await world.settled(card)
    assert settled.blocks == ()
    assert "✓ Approved by <@U0SAM>" in settled.text


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked", "team_added_to_org", "an_error_of_next_year"])
async def test_refusal_that_is_not_about_the_post(world: World, error: str) -> None:
    """A post is kept and tried again when Slack refuses for a reason that may pass, and is made once."""
    world.workspace.faults.refuse("chat.postMessage", error, times=2)
    world.script += [Answer("Here it is.")]
    async with world.bot():
        (reply,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(reply) == "Here it is."
    assert [(row["status"], row["error"]) for row in outbox(world)] == [("sent", None)]


@ON_BOTH_STORES
async def test_others_do_not_wait_for_a_refusal(world: World) -> None:
    """While Slack takes a post of one thread for no reason that is known, others of its channel are answered."""
    world.workspace.faults.refuse(POST, "an_error_of_next_year", times=5, text="One")
    world.script += [Answer("One."), Answer("Two.")]
    async with world.bot():
        first = await world.says(ANA, "@bot one")
        await world.workspace.until(lambda: [call.method for call in world.workspace.calls].count(POST) == 3)
        second = await world.says(BEN, "@bot two")
        (answer,) = await world.replies(second)
        assert (shown(answer), world.said_to(first)) == ("Two.", [])
        (late,) = await world.replies(first)
    assert shown(late) == "One."
    assert [row["status"] for row in outbox(world)] == ["sent", "sent"]


@pytest.mark.parametrize("error", ["cant_update_message", "edit_window_closed", "message_not_found"])
async def test_card_that_cannot_be_redrawn(world: World, error: str) -> None:
    """A card that Slack will not change keeps its buttons; a row says so, the thread is told, a click does nothing."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        question = await world.says(ANA, "@bot refund")
        card = await world.card(question)
        await world.replies(question, 2)
        world.workspace.faults.refuse("chat.update", error)
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        replies = await world.replies(question, 3)
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        assert "Nothing was done twice" in await world.whisper_to(SAM)
    assert "went back to Visa ending 4242" in shown(replies[2])
    redrawn = next(row for row in outbox(world) if row["replaces"])
    assert (redrawn["status"], redrawn["error"]) == ("failed", error)
    assert world.refunds() == [("ORD-10188", 4200)]
    now = world.workspace.message(SUPPORT, card.ts)
    assert now
    assert buttons(now)
