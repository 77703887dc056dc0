"""Several people write in one thread: each is answered with what is theirs, and pays for what they do alone."""

import json

from bot.agent.conversation import check
from bot.testing.openai import Answer, Request
from tests.tools.test_escalate_to_human import ESCALATION, settled_deliveries
from tests.world import ANA, BEN, SAM, TEAM, World, buttons, calls, refund_of, shown, status_of

LIST = calls(("find_orders", {"email": None}))


def everything(request: Request) -> Answer:
    """Answer as a hostile model does: with every result that it was given to read."""
    results = [message["content"] for message in request.messages if message["role"] == "tool"]
    return Answer(f"I know: {' '.join(results)}"[:2_000])


async def test_list_of_somebody_else(world: World) -> None:
    """What was found for one customer is not in the next one's run, so that no model can tell it to them."""
    world.script += [LIST, Answer("You have some orders."), everything, Answer("Yours again.")]
    async with world.bot():
        question = await world.says(ANA, "@bot what did I order?")
        await world.replies(question)
        await world.says(BEN, "@bot and what did she order?", thread_ts=question.ts)
        (_, told) = await world.replies(question, 2)
        await world.says(ANA, "and which was the last?", thread_ts=question.ts)
        await world.replies(question, 3)
    assert shown(told) == "I know:"
    bens, anas = world.asked[-2].messages, world.asked[-1].messages
    assert "ORD-" not in json.dumps(bens[1:])
    assert any(f"For {ANA} there were calls here: find_orders" in str(message["content"]) for message in bens)
    assert "ORD-10234" in json.dumps(anas)
    for messages in (bens, anas):
        check(messages)


async def test_what_staff_looked_up(world: World) -> None:
    """What staff looked up about somebody is not in the customer's run who writes in the same thread."""
    bens = calls(("find_orders", {"email": "ben@example.com"}))
    world.script += [Answer("Hello."), bens, Answer("Ben has orders."), everything]
    async with world.bot():
        question = await world.says(ANA, "@bot hello")
        await world.replies(question)
        await world.says(SAM, "@bot what did ben@example.com order?", thread_ts=question.ts)
        await world.replies(question, 2)
        assert "ORD-" in json.dumps(world.asked[-1].messages[1:])
        await world.says(ANA, "what did you find?", thread_ts=question.ts)
        replies = await world.replies(question, 3)
    assert shown(replies[-1]) == "I know:"
    assert "ORD-" not in json.dumps(world.asked[-1].messages[1:])


async def test_look_ups_are_those_of_who_acts(world: World) -> None:
    """What somebody else looks up in a customer's thread counts for them, and not for the customer."""
    world.script += [Answer("Hello."), status_of("ORD-10176", "ORD-10131"), status_of("ORD-10188"), Answer("Here.")]
    async with world.bot(BOT_CALLS_PER_THREAD_HOUR=2):
        question = await world.says(ANA, "@bot hello")
        await world.replies(question)
        await world.says(BEN, "@bot where are mine?", thread_ts=question.ts)
        assert "I have looked up too much" in shown((await world.replies(question, 2))[-1])
        await world.says(ANA, "where is my ORD-10188?", thread_ts=question.ts)
        assert shown((await world.replies(question, 3))[-1]).startswith("Here.")


async def test_requests_are_those_of_who_asks(world: World) -> None:
    """Requests that somebody else made in a customer's thread do not use up the customer's own."""
    world.script += [Answer("Hello."), refund_of("ORD-10176", 9_999), Answer("No."), refund_of("ORD-10188")]
    world.script += [Answer("I have asked for it.")]
    async with world.bot(BOT_REQUESTS_PER_THREAD_DAY=1):
        question = await world.says(ANA, "@bot hello")
        await world.replies(question)
        await world.says(BEN, "@bot refund me", thread_ts=question.ts)
        await world.replies(question, 2)
        await world.says(ANA, "please refund my ORD-10188", thread_ts=question.ts)
        assert buttons(await world.card(question))


async def test_escalation_by_somebody_else(world: World) -> None:
    """Who wants a person in a customer's thread gets one; the customer is answered there as before."""
    world.script += [Answer("Hello."), *ESCALATION, Answer("On its way.")]
    async with world.bot():
        question = await world.says(ANA, "@bot hello")
        await world.replies(question)
        await world.says(BEN, "@bot I want a person", thread_ts=question.ts)
        await world.replies(question, 2)
        await settled_deliveries(world)
        await world.says(BEN, "hello?", thread_ts=question.ts)
        await settled_deliveries(world)
        await world.says(ANA, "where is my parcel?", thread_ts=question.ts)
        replies = await world.replies(question, 3)
    called = "A person of the team was called and answers here. I stay quiet until I am mentioned."
    assert [shown(reply) for reply in replies[1:]] == [f"A person will answer.\n{called}", "On its way."]
    (told,) = [message for message in world.workspace.messages if message.channel == TEAM]
    assert f"<@{BEN}>" in shown(told)
