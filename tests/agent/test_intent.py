"""A thread is sorted by what its customer wants: beside the answer, never in its way."""

import asyncio
import json
from typing import Any

import pytest

from bot.intent import CustomerIntent, topic_turned
from bot.shop.sqlite.reading import order_number
from bot.testing.openai import Answer, Failure, Request
from bot.testing.slack.workspace import Message
from tests.agent.raw_model import GOOD, RawModel, ask_side_by_side
from tests.agent.test_garbage import SHAPES
from tests.world import ANA, TEAM, World, refund_of, shown, sorted_as


def stored(world: World) -> dict[str, Any] | None:
    """Read what the story's one thread was sorted as."""
    (row,) = world.rows("SELECT intent FROM threads")
    return json.loads(row["intent"]) if row["intent"] else None


def sortings(world: World) -> list[Request]:
    """List the requests that sort a thread."""
    return [request for request in world.model.requests if request.response_format]


async def card_for(world: World, question: Message, order_id: str = "ORD-10188") -> str:
    """Park a request in answer to a message; its card waits for the thread to be sorted and stored."""
    world.script += [refund_of(order_id), Answer("I have asked for it.")]
    cards = await world.workspace.until(
        lambda: [m for m in world.workspace.replies_of_bot(question) if f"{order_id}, Ana Ruiz" in shown(m)]
    )
    return shown(cards[0])


async def test_stored_on_the_thread(world: World) -> None:
    """The first message of a thread is sorted by structured output, and the thread keeps the result."""
    world.intent = sorted_as("order_status", "medium", "ORD-10234", "Where the order is.")
    async with world.bot():
        await card_for(world, await world.says(ANA, "@bot where is ORD-10234?"))
    assert stored(world) == {
        "category": "order_status",
        "urgency": "medium",
        "order_id": "ORD-10234",
        "summary": "Where the order is.",
    }
    (request,) = sortings(world)
    assert request.messages[-1] == {"role": "user", "content": "where is ORD-10234?"}
    assert request.raw["response_format"]["json_schema"]["strict"] is True
    (row,) = world.rows("SELECT status FROM model_calls WHERE purpose = 'intent'")
    assert row["status"] == "succeeded"


async def test_beside_the_first_call(world: World) -> None:
    """The thread is sorted while the model is asked for its turn, and a slow result keeps no answer waiting."""
    asked = asyncio.Event()

    def sort(_: Request) -> Answer:
        asked.set()
        return Answer("{}", delay=30)

    async def think(_: Request) -> Answer:
        await asyncio.wait_for(asked.wait(), 5)
        return Answer("Hello.")

    world.intent, world.think = sort, think
    async with world.bot():
        (reply,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(reply) == "Hello."
    assert stored(world) is None


@pytest.mark.parametrize(
    "failure",
    [
        Failure(500),
        Failure(400, "invalid_value"),
        Failure(429, headers={"Retry-After": "60"}),
        Answer("no JSON"),
        Answer('{"category": "spam", "urgency": "low", "order_id": null, "summary": ""}'),
        Answer('{"category": "other"'),
        Answer('{"category": "other", "urgency": "low", "order_id": null, "summary": "\\ud800"}'),
        Answer('{"category": "other"', finish_reason="length"),
        Answer("", finish_reason="content_filter"),
        Answer(refusal="No."),
    ],
)
async def test_failure_holds_nothing_up(world: World, failure: Answer | Failure) -> None:
    """When a thread cannot be sorted it is answered all the same, and the next message tries again."""
    world.intent = failure
    async with world.bot():
        question = await world.says(ANA, "@bot refund ORD-10188")
        await card_for(world, question)
        await world.replies(question, 2)
        assert stored(world) is None
        world.intent = sorted_as("refund")
        await world.says(ANA, "and the throw", thread_ts=question.ts)
        await card_for(world, question, "ORD-10142")
    assert stored(world) == json.loads(str(sorted_as("refund").text))
    rows = world.rows("SELECT status FROM model_calls WHERE purpose = 'intent' ORDER BY created_at")
    assert [row["status"] for row in rows] == ["failed", "succeeded"]


async def test_the_order_that_was_asked_for(world: World) -> None:
    """Who answers with an order's number alone still wants what they wanted: the thread is not sorted again by that."""
    world.intent = sorted_as("refund", "medium", None, "Wants the money back.")
    async with world.bot():
        question = await world.says(ANA, "@bot I want my money back for ORD-10142")
        await card_for(world, question, "ORD-10142")
        await world.replies(question, 2)
        await world.workspace.until(lambda: sortings(world))
        await world.says(ANA, "ORD-10188", thread_ts=question.ts)
        assert "Understood as refund, medium urgency: “Wants the money back.”" in await card_for(world, question)
    assert len(sortings(world)) == 1
    assert (stored(world) or {})["order_id"] == "ORD-10188"


async def test_results_of_any_shape(world: World) -> None:
    """Whatever a server sends in place of an intent, the answer comes."""
    shapes = {f"intent {name}": raw for name, raw in SHAPES.items()}
    async with RawModel(shapes) as model, world.bot(openai_base_url=model.url):
        replies = await ask_side_by_side(world, shapes)
    assert {shown(reply) for reply in replies.values()} == {GOOD}
    assert world.rows("SELECT ts FROM threads WHERE intent IS NOT NULL") == []


async def test_result_nested_too_deeply(world: World) -> None:
    """A result that nobody can read to its end is a failed call like any other."""
    question = "intent nested too deeply"
    async with RawModel({question: SHAPES["nested too deeply"]}) as model, world.bot(openai_base_url=model.url):
        await world.replies(await world.says(ANA, f"@bot {question}"))
    (row,) = world.rows("SELECT status, error FROM model_calls WHERE purpose = 'intent'")
    assert row["status"] == "failed"
    assert row["error"].endswith("nested too deeply")


async def test_topic_turns(world: World) -> None:
    """A thread is sorted again when its topic turns, and not when it goes on."""
    world.deliver_all()
    world.intent = sorted_as("order_status", order_id="ORD-10234")
    async with world.bot():
        question = await world.says(ANA, "@bot where is ORD-10234?")
        await card_for(world, question, "ORD-10234")
        await world.replies(question, 2)
        await world.says(ANA, "thanks, so ORD-10234 comes on Friday?", thread_ts=question.ts)
        await card_for(world, question, "ORD-10235")
        await world.replies(question, 4)
        assert len(sortings(world)) == 1
        world.intent = sorted_as("refund", order_id="ORD-10188")
        await world.says(ANA, "and I want a refund for ORD-10188", thread_ts=question.ts)
        assert "Understood as refund" in await card_for(world, question)
    assert (stored(world) or {})["order_id"] == "ORD-10188"
    assert len(sortings(world)) == 2


@pytest.mark.parametrize(
    ("category", "order_id", "text", "turned"),
    [
        ("order_status", "ORD-10234", "and ord-10235?", True),
        ("order_status", "ORD-10234", "ord-10234 or ORD-10235", False),
        ("order_status", "ORD-10234", "I want my money back", True),
        ("refund", "ORD-10234", "when is the refund there?", False),
        ("other", None, "where is ORD-10234?", True),
        ("other", None, "hello?", False),
        ("order_status", "ORD-10234", "is 10234 the one?", False),
        ("order_status", "#1001", "and #1002?", True),
        ("order_status", "#1001", "is 1001 on its way?", False),
        ("order_status", "1001", "what about W2378156?", True),
        ("order_status", "gid-AbC", "and gid-XyZ, please", True),
        ("order_status", "gid-AbC", "so gid-AbC comes today?", False),
        ("order_status", "2024/113", "and 2024/114?", True),
        ("order_status", "2024/113", "2024/113 comes on 24/12, for $42.00 and 2 mugs?", False),
    ],
)
def test_whether_the_topic_turned(category: Any, order_id: str | None, text: str, *, turned: bool) -> None:
    """Another order, or money back where it was not before, is another topic."""
    intent = CustomerIntent(category=category, urgency="low", order_id=order_id, summary="")
    assert topic_turned(intent, text, order_number) is turned


def team_posts(world: World) -> list[Message]:
    """List what stands in the team's channel."""
    return [message for message in world.workspace.messages if message.channel == TEAM]


async def test_urgent(world: World) -> None:
    """Something urgent is marked in the team's channel, in words that cannot act, while the bot answers."""
    world.intent = sorted_as("other", "high", summary="<!channel> see https://evil.example/x\n*Approved* by <@U0SAM>")
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot my lawyer will write to you"))
        (mark,) = await world.workspace.until(lambda: team_posts(world))
    text = shown(mark)
    assert text.startswith("Urgent message")
    assert (
        "“&lt;!channel&gt; see [link removed] \N{ASTERISK OPERATOR}Approved\N{ASTERISK OPERATOR} by &lt;@U0SAM&gt;”"
        in text
    )
    assert "other, high urgency" in text


@pytest.mark.parametrize(("urgency", "channel"), [("medium", TEAM), ("low", TEAM), ("high", None)])
async def test_not_urgent(world: World, urgency: str, channel: str | None) -> None:
    """What is not urgent, or has nowhere to be marked, is marked nowhere."""
    world.intent = sorted_as("other", urgency)
    async with world.bot(BOT_ESCALATION_CHANNEL=channel):
        await card_for(world, await world.says(ANA, "@bot hello"))
    assert stored(world)
    assert team_posts(world) == []


async def test_on_the_card(world: World) -> None:
    """The approver sees below the facts what the customer seems to want."""
    world.intent = sorted_as("refund", "medium", "ORD-10188", "The teapot\nis cracked.")
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot refund ORD-10188"))
    assert "Understood as refund, medium urgency: “The teapot is cracked.”" in shown(card)


async def test_card_waits_a_second_at_most(world: World) -> None:
    """A card for a thread that is not sorted in time comes without that line."""
    world.intent = Answer("{}", delay=30)
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot refund ORD-10188"))
    assert "Understood" not in shown(card)
    assert "Refund $42.00" in shown(card)
