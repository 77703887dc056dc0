"""A person stops the bot: nothing more is begun, and the thread hears how things stand."""

import asyncio

from bot.testing.openai import Answer, Request
from tests.world import ANA, ON_BOTH_STORES, World, refund_of, shown, status_of


async def test_stop_before_the_next_call(world: World) -> None:
    """What the model wants after Stop was pressed is not done, and the thread hears what was and what was not."""
    async with world.bot():

        def stopped_meanwhile(_: Request) -> Answer:
            world.write("UPDATE threads SET stopped_at = (SELECT max(ts) || '0' FROM inbox)")
            return refund_of("ORD-10142")

        world.script += [status_of("ORD-10188"), stopped_meanwhile]
        question = await world.says(ANA, "@bot refund both")
        (reply,) = await world.replies(question)
        assert "I have stopped" in shown(reply)
        assert "Done before that: looking up ORD-10188" in shown(reply)
        assert "Not done: checking what can be refunded for ORD-10142" in shown(reply)
        assert "Nothing was changed" in shown(reply)
        rows = world.rows("SELECT tool, status FROM tool_calls ORDER BY created_at")
        assert [tuple(row.values()) for row in rows] == [
            ("get_order_status", "succeeded"),
            ("initiate_refund", "rejected"),
        ]
        world.script.append(Answer("Yes?"))
        await world.says(ANA, "@bot go on", thread_ts=question.ts)
        assert "Yes?" in shown((await world.replies(question, 2))[1])


async def test_stop_in_another_process(world: World) -> None:
    """A stop that another process has taken ends the run as well; what waits for a decision stays, and it is said."""
    async with world.bot(BOT_PRIVATE_ANSWERS=False):
        world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
        question = await world.says(ANA, "@bot refund ORD-10188, it is broken")
        await world.card(question)
        await world.replies(question, 2)

        def stopped_meanwhile(_: Request) -> Answer:
            world.write("UPDATE threads SET stopped_at = '9999999999.000000'")
            return status_of("ORD-10188")

        world.script.append(stopped_meanwhile)
        await world.says(ANA, "@bot and where is it?", thread_ts=question.ts)
        reply = (await world.replies(question, 3))[2]
        assert "does not withdraw what waits for a decision: Refund of" in shown(reply)
        assert world.rows("SELECT status FROM tool_calls WHERE gated") == [{"status": "pending"}]


async def test_stop_cuts_off_what_the_model_is_asked(world: World) -> None:
    """A request to the model that is under way is cut off at once, and nothing of it is posted."""
    async with world.bot():
        hang = world.hold_model(lambda _: Answer("Too late."))
        think, world.think = world.think, None

        def go_on(_: Request) -> Answer:
            world.think = think
            return status_of("ORD-10188")

        world.script.append(go_on)
        question = await world.says(ANA, "@bot where is it?")
        await hang.reached.wait()
        await world.workspace.surfaces.stop(ANA, question.channel, question.ts)
        async with asyncio.timeout(0.9):  # before anything is looked for again
            (reply,) = await world.replies(question)
        assert "I have stopped" in shown(reply)
        assert "Done before that: looking up ORD-10188" in shown(reply)
        asked = world.rows("SELECT status, error FROM model_calls WHERE purpose = 'turn' ORDER BY created_at")
        assert [one["error"] for one in asked] == [None, "cut off"]
        hang.released.set()
        world.think = None
        world.script.append(Answer("Yes?"))
        await world.says(ANA, "@bot go on", thread_ts=question.ts)
        assert "Yes?" in shown((await world.replies(question, 2))[1])
    assert not any("Too late." in shown(one) for one in world.workspace.messages)


@ON_BOTH_STORES
async def test_stop_that_another_process_has_taken(world: World) -> None:
    """What is under way is cut off as well when another process of the same database has heard of the stop."""
    async with world.bot():
        hang = world.hold_model()
        question = await world.says(ANA, "@bot where is it?")
        await hang.reached.wait()
        world.write("UPDATE threads SET stopped_at = '9999999999.000000'")
        (reply,) = await world.replies(question)
        assert "I have stopped" in shown(reply)
        hang.released.set()
