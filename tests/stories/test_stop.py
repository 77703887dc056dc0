"""A person stops the bot: nothing more is begun, and the thread hears how things stand."""

from bot.testing.openai import Answer, Request
from tests.world import ANA, World, refund_of, shown, status_of


async def test_stop_before_the_next_call(world: World) -> None:
    """What the model wants after Stop was pressed is not done, and the thread hears what was and what was not."""
    async with world.bot():
        hang = world.hold_model(lambda _: refund_of("ORD-10142"))
        think, world.think = world.think, None

        def go_on(_: Request) -> Answer:
            world.think = think
            return status_of("ORD-10188")

        world.script.append(go_on)
        question = await world.says(ANA, "@bot refund both")
        await hang.reached.wait()
        await world.workspace.surfaces.stop(ANA, question.channel, question.ts)
        await world.workspace.until(lambda: world.rows("SELECT 1 FROM threads WHERE stopped_at IS NOT NULL"))
        hang.released.set()
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
        world.think = None
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
