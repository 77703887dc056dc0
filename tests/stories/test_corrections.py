"""Somebody corrects what they wrote: before it is answered, while it is, and after."""

import pytest

from bot.testing.openai import Answer, Failure, Request
from bot.testing.slack.workspace import Message
from tests.world import ANA, BOT, ON_BOTH_STORES, SAM, SUPPORT, World, calls, heard, refund_of, shown, status_of


async def edit(world: World, message: Message, text: str) -> None:
    """Edit a message as its author, and wait until the bot has taken it."""
    world.workspace.update(message.channel, message.ts, text=text.replace("@bot", f"<@{BOT}>"), edited=True)
    await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))


async def test_while_the_model_is_asked(world: World) -> None:
    """An answer to words that are gone meanwhile is not given: the model is asked again, for what is there now."""
    model = world.hold_model(lambda request: Answer(f"You said: {heard(request)[-1]}"))
    async with world.bot():
        question = await world.says(ANA, "@bot where is ORD-10234?")
        await model.reached.wait()
        await edit(world, question, "@bot where is ORD-10235?")
        model.release()
        await world.replies(question)
    assert [shown(reply) for reply in world.workspace.replies_of_bot(question)] == ["You said: where is ORD-10235?"]


async def test_refund_is_for_what_is_there_now(world: World) -> None:
    """A request that the model makes for words that are gone is not parked; one for the new words is."""
    model = world.hold_model()

    async def think(request: Request) -> Answer:
        model.reached.set()
        await model.released.wait()
        if request.messages[-1]["role"] == "tool" and "waits until" in request.messages[-1]["content"]:
            return Answer("I have asked for it.")
        if "10188" in heard(request)[-1]:
            return refund_of("ORD-10188")
        return calls(("cancel_order", {"order_id": "ORD-10251"}))

    world.think = think
    async with world.bot():
        question = await world.says(ANA, "@bot cancel ORD-10251")
        await model.reached.wait()
        await edit(world, question, "@bot refund ORD-10188, broken")
        model.release()
        card = await world.card(question)
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_before_the_run(world: World) -> None:
    """Words that are corrected while the message waits are those that the model reads."""
    model = world.hold_model(lambda _: Answer("Yes."))
    async with world.bot():
        first = await world.says(ANA, "@bot hello")
        await model.reached.wait()
        second = await world.says(ANA, "where is ORD-10234?", thread_ts=first.ts)
        gone = await world.says(ANA, "never mind", thread_ts=first.ts)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        await edit(world, second, "where is ORD-10235?")
        world.workspace.delete(SUPPORT, gone.ts)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        model.release()
        await world.replies(first)
    assert heard(world.asked[-1]) == ["hello", "where is ORD-10235?"]


@ON_BOTH_STORES
@pytest.mark.parametrize("fails", [False, True])
async def test_deleted_while_the_model_is_asked(world: World, *, fails: bool) -> None:
    """Who deletes what they asked meanwhile gets no answer to it, nor an apology, and nothing is shown as under way.

    What they write next is answered.
    """
    held = world.hold_model()
    reached, released = held.reached, held.released

    async def think(_: Request) -> Answer | Failure:
        reached.set()
        await released.wait()
        return Failure(400) if fails else Answer("ORD-10234 is on its way.")

    world.think = think
    async with world.bot():
        root = await world.says(ANA, "is anybody here?")
        question = await world.says(ANA, "@bot where is ORD-10234?", thread_ts=root.ts)
        await reached.wait()
        world.workspace.delete(question.channel, question.ts)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        await world.workspace.until(lambda: world.workspace.statuses)
        held.release()
        await world.workspace.until(lambda: not world.workspace.statuses)
    assert world.said_to(root) == []
    world.think = None
    world.script += [Answer("Hello.")]
    async with world.bot():
        await world.says(ANA, "@bot hello", thread_ts=root.ts)
        (reply,) = await world.replies(root)
    assert shown(reply) == "Hello."


async def test_changed_back_while_the_model_is_asked(world: World) -> None:
    """Words that are changed and changed back meanwhile are answered."""
    model = world.hold_model(lambda request: Answer(f"You said: {heard(request)[-1]}"))
    async with world.bot():
        question = await world.says(ANA, "@bot where is ORD-10234?")
        await model.reached.wait()
        await edit(world, question, "@bot where is ORD-10235?")
        await edit(world, question, "@bot where is ORD-10234?")
        model.release()
        await world.replies(question)
    assert [shown(reply) for reply in world.said_to(question)] == ["You said: where is ORD-10234?"]


async def test_after_the_answer(world: World) -> None:
    """Who corrects what was answered is told once that the answer is to the old words, and how to ask again."""
    world.script += [status_of("ORD-10234"), Answer("On its way.")]
    async with world.bot():
        question = await world.says(ANA, "@bot where is ORD-10234?")
        await world.replies(question)
        await edit(world, question, "@bot where is ORD-10235?")
        await world.replies(question, 2)
        await edit(world, question, "@bot where is ORD-10236?")
    told = world.workspace.replies_of_bot(question)
    assert len(told) == 2
    assert "so my answer is about the old words" in shown(told[1])
    assert "write it as a new message here" in shown(told[1])


@pytest.mark.parametrize("text", ["@bot Where is ORD-10234", "@bot where is  ORD-10234 ?", "where is ORD-10234?"])
async def test_change_that_says_the_same(world: World, text: str) -> None:
    """A capital letter, a space or the mention of the bot that is changed after the answer is no correction."""
    world.script += [Answer("On its way.")]
    async with world.bot():
        question = await world.says(ANA, "@bot where is ORD-10234?")
        await world.replies(question)
        await edit(world, question, text)
    assert len(world.workspace.replies_of_bot(question)) == 1


async def test_request_that_waits(world: World) -> None:
    """A request that waits is closed when its message is corrected, and that is all that is said about it."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        question = await world.says(ANA, "@bot refund ORD-10188, broken")
        await world.replies(question, 2)
        await edit(world, question, "@bot cancel ORD-10251")
        await world.replies(question, 3)
    replies = world.workspace.replies_of_bot(question)
    assert len(replies) == 3
    assert "the message was changed after it was asked for" in shown(replies[2])


@pytest.mark.parametrize("in_thread", [False, True])
async def test_mention_that_is_added(world: World, *, in_thread: bool) -> None:
    """A message to which the mention is added later is answered once, and its request is not taken back by that."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        root = await world.says(ANA, "is anybody here?")
        question = await world.says(ANA, "refund ORD-10188, broken", thread_ts=root.ts if in_thread else None)
        changed = world.workspace.update(SUPPORT, question.ts, text=f"<@{BOT}> refund ORD-10188, broken", edited=True)
        world.workspace.announce(changed, order=("app_mention",))
        await world.card(question)
        await world.replies(question, 2)
    assert world.rows("SELECT status FROM tool_calls") == [{"status": "pending"}]


async def test_edit_of_which_nobody_knows_how_it_was(world: World) -> None:
    """An edit that comes without the former words is a correction only if the words are others."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        question = await world.says(ANA, "@bot refund ORD-10188, broken")
        await world.replies(question, 2)
        changed = {"type": "message", "user": ANA, "ts": question.ts, "edited": {"user": ANA, "ts": question.ts}}
        for text, status in ((question.text, "pending"), (f"<@{BOT}> refund ORD-10234", "cancelled")):
            event = {"type": "message", "subtype": "message_changed", "channel": SUPPORT, "ts": question.ts}
            await world.workspace.send_event(event | {"message": changed | {"text": text}})
            await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
            assert world.rows("SELECT status FROM tool_calls") == [{"status": status}]
