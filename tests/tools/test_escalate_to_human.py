"""A customer needs a person: the team is told, and the bot stays quiet until it is called."""

from dataclasses import replace

import pytest

from bot import tools
from bot.testing.openai import Answer, Request
from bot.testing.slack.workspace import ApiCall, Message
from tests.world import ANA, SAM, SUPPORT, TEAM, World, calls, notes_in, results_in, shown, sorted_as

ESCALATION = [calls(("escalate_to_human", {"summary": "Wants to talk about a dent."})), Answer("A person will answer.")]


async def told(world: World) -> Message:
    """Wait for what the team is told."""
    return await world.workspace.until(lambda: next((m for m in world.workspace.messages if m.channel == TEAM), None))


async def handed_over(world: World, channel: str = SUPPORT) -> Message:
    """Play up to a thread that people have, and give back the customer's message."""
    world.script += ESCALATION
    question = await world.says(ANA, "@bot I want a person", channel)
    await world.replies(question)
    await told(world)
    await settled_deliveries(world)
    return question


async def settled_deliveries(world: World) -> None:
    """Wait until the bot has taken all that was said."""
    await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))


async def test_team_is_told(world: World) -> None:
    """The team's channel gets who, where, the summary and what it was understood as; the customer is told too."""
    world.intent = sorted_as("refund", "medium", summary="A dented teapot.")
    async with world.bot():
        question = await handed_over(world)
        (reply,) = await world.replies(question)
        text = shown(await told(world))
    assert shown(reply).splitlines() == [
        "A person will answer.",
        "A person of the team was called and answers here. I stay quiet until I am mentioned.",
    ]
    for part in (
        "A customer needs a person",
        f"<@{ANA}>",
        f"/archives/{SUPPORT}/p{question.ts.replace('.', '')}|Open the thread>",
        "“Wants to talk about a dent.”",
        "Understood as refund, medium urgency: “A dented teapot.”",
    ):
        assert part in text


async def test_quiet_until_mentioned(world: World) -> None:
    """In a thread that people have, the bot answers nobody until it is mentioned, and then goes on."""
    async with world.bot():
        question = await handed_over(world)
        await world.says(ANA, "hello?", thread_ts=question.ts)
        await world.says(SAM, "I am here.", thread_ts=question.ts)
        await settled_deliveries(world)
        assert len(world.workspace.replies_of_bot(question)) == 1
        world.script += [Answer("Yes?")]
        await world.says(SAM, "@bot take over again", thread_ts=question.ts)
        await world.replies(question, 2)
        world.script += [Answer("Glad to.")]
        await world.says(ANA, "thanks", thread_ts=question.ts)
        replies = await world.replies(question, 3)
    assert [shown(reply) for reply in replies[1:]] == ["Yes?", "Glad to."]


async def test_direct_message(world: World) -> None:
    """In a direct message too the thread is left to people, while a new message starts again."""
    async with world.bot():
        question = await handed_over(world, "D0ANA")
        await world.says(ANA, "hello?", "D0ANA", thread_ts=question.ts)
        await settled_deliveries(world)
        assert len(world.workspace.replies_of_bot(question)) == 1
        world.script += [Answer("Hello."), Answer("Here I am.")]
        await world.replies(await world.says(ANA, "something else", "D0ANA"))
        await world.says(ANA, "@bot are you there?", "D0ANA", thread_ts=question.ts)
        await world.replies(question, 2)


async def test_still_quiet_after_a_restart(world: World) -> None:
    """A thread that people have is theirs after a restart as well."""
    async with world.bot():
        question = await handed_over(world)
    async with world.bot():
        await world.says(ANA, "hello?", thread_ts=question.ts)
        await settled_deliveries(world)
    assert len(world.workspace.replies_of_bot(question)) == 1


async def test_card_is_still_decided(world: World) -> None:
    """A request that waits in the thread can be decided while people have the thread."""
    world.script += [calls(("initiate_refund", {"order_id": "ORD-10188", "reason": "defective", "amount": None}))]
    world.script += ESCALATION
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot refund it, and I want a person"))
        await told(world)
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_no_channel(world: World) -> None:
    """Without BOT_ESCALATION_CHANNEL the model is not offered the tool, and one that calls it hears that it is not."""
    assert "escalate_to_human" not in tools.load(world.settings(BOT_ESCALATION_CHANNEL=None))
    world.script += ESCALATION
    async with world.bot(BOT_ESCALATION_CHANNEL=None):
        question = await world.says(ANA, "@bot I want a person")
        await world.replies(question)
        world.script += [Answer("Still here.")]
        await world.says(ANA, "hello?", thread_ts=question.ts)
        await world.replies(question, 2)
    assert world.rows("SELECT status FROM tool_calls") == [{"status": "rejected"}]


async def test_redelivered_mention_does_not_call_the_bot_back(world: World) -> None:
    """A mention from before the hand-over that Slack delivers once more leaves the thread to the people."""
    async with world.bot():
        question = await handed_over(world)
        world.workspace.announce(question)
        await settled_deliveries(world)
        await world.says(ANA, "hello?", thread_ts=question.ts)
        await settled_deliveries(world)
    assert len(world.asked) == 2


async def in_direct_message(world: World, *, agreed: bool | None) -> Message:
    """Play up to a direct message that people have, and give back the customer's message."""
    wanted = {"summary": "Wants to talk about a dent.", "share_conversation": agreed}
    world.script += [Answer("May I pass this on?"), calls(("escalate_to_human", wanted)), Answer("The team knows.")]
    question = await world.says(ANA, "my teapot has a dent, ORD-10188. I want a person", "D0ANA")
    await world.replies(question)
    await world.says(ANA, "yes", "D0ANA", thread_ts=question.ts)
    await world.replies(question, 2)
    await told(world)
    return question


@pytest.mark.parametrize("agreed", [True, False, None])
async def test_conversation_is_passed_on_with_consent(world: World, *, agreed: bool | None) -> None:
    """The team reads a direct message only when its customer agreed to that, and the model hears what they can read."""
    async with world.bot():
        await in_direct_message(world, agreed=agreed)
        card = shown(await told(world))
    assert (f"*<@{ANA}>*: my teapot has a dent, ORD-10188. I want a person" in card) is bool(agreed)
    assert ("*I*: May I pass this on?" in card) is bool(agreed)
    assert "What you write in this thread is passed on to the customer" in card
    assert f"<@{ANA}> · in a direct message" in card  # which nobody of the team can open
    result = world.asked[-1].messages[-1]["content"]
    assert ("They cannot read this direct message" in result) is not agreed
    assert "what they answer there comes here through me" in result


async def test_answer_of_the_team_reaches_the_customer(world: World) -> None:
    """What the team writes below its post comes to the direct message once, and the customer's answer goes back."""
    async with world.bot():
        question = await in_direct_message(world, agreed=True)
        card = await told(world)
        await world.says(SAM, "Hello Ana, *I* can help & will.", TEAM, thread_ts=card.ts, copies=3)
        replies = await world.replies(question, 3)
        await world.says(ANA, "great, thank you", "D0ANA", thread_ts=question.ts, copies=2)
        back = await world.replies(card, 2)
        await world.says(SAM, f"<@{ANA}> is nice", TEAM, thread_ts=card.ts)
        await world.says(SAM, "see you", TEAM, thread_ts=card.ts)
        await world.replies(question, 4)
    assert shown(replies[2]).startswith(f"<@{SAM}>: Hello Ana, ")
    assert [shown(message) for message in back[1:]] == [f"<@{ANA}>: great, thank you"]
    assert len(world.workspace.replies_of_bot(question)) == 4
    assert len(world.asked) == 3


async def test_picture_of_the_team(world: World) -> None:
    """A picture that the team sends below its post is shown to the customer, and one of the customer's to the team."""
    photo = {"id": "F0LABEL", "name": "label.png", "mimetype": "image/png"}
    async with world.bot():
        question = await in_direct_message(world, agreed=True)
        card = await told(world)
        await world.says(SAM, "", TEAM, thread_ts=card.ts, files=[photo])
        passed = (await world.replies(question, 3))[2]
        await world.says(ANA, "like this?", "D0ANA", thread_ts=question.ts, files=[photo])
        back = (await world.replies(card, 2))[1]
    for message, words in ((passed, f"<@{SAM}>: "), (back, f"<@{ANA}>: like this?")):
        assert shown(message) == words
        assert message.blocks[-1]["slack_file"] == {"id": "F0LABEL"}


async def test_answer_after_a_restart(world: World) -> None:
    """What the team answers after a restart of the bot still reaches the customer."""
    async with world.bot():
        question = await in_direct_message(world, agreed=None)
        card = await told(world)
    async with world.bot():
        await world.says(SAM, "Hello Ana.", TEAM, thread_ts=card.ts)
        replies = await world.replies(question, 3)
    assert shown(replies[2]) == f"<@{SAM}>: Hello Ana."


async def test_thread_that_the_team_can_see(world: World) -> None:
    """In a channel the customer's words are not said twice to the team, whose answer below its post is passed on."""
    async with world.bot():
        question = await handed_over(world)
        card = await told(world)
        await world.says(ANA, "hello?", thread_ts=question.ts)
        await world.says(SAM, "Hello Ana.", TEAM, thread_ts=card.ts)
        replies = await world.replies(question, 2)
    assert shown(replies[1]) == f"<@{SAM}>: Hello Ana."
    assert world.workspace.replies_of_bot(card) == [card]


def team_posts(world: World) -> list[Message]:
    """List what the team's channel shows."""
    return [message for message in world.workspace.messages if message.channel == TEAM]


async def test_urgent_and_escalated(world: World) -> None:
    """A message that is urgent and wants a person gives one post in the team's channel, which says both."""
    world.intent = sorted_as("refund", "high", summary="A fire in the kitchen.")
    world.script += ESCALATION
    async with world.bot():
        question = await world.says(ANA, "@bot I want a person, my kitchen burns")
        await world.replies(question)
    (post,) = team_posts(world)
    assert "A customer needs a person" in shown(post)
    assert "high urgency: “A fire in the kitchen.”" in shown(post)


async def test_escalated_before_it_is_sorted(world: World) -> None:
    """What is found out to be urgent after people were called is no second post."""
    world.intent = replace(sorted_as("refund", "high", summary="A fire."), delay=1.3)
    world.script += ESCALATION
    async with world.bot():
        question = await world.says(ANA, "@bot I want a person, my kitchen burns")
        await world.replies(question)
        await told(world)
    assert world.rows("SELECT intent FROM threads")[0]["intent"]  # a stop lets what is being sorted come to its end
    assert len(world.rows("SELECT 1 FROM outbox WHERE channel = ?", TEAM)) == 1


async def test_escalated_twice(world: World) -> None:
    """A model that calls people twice for one message gives one post; the next message may give another."""
    world.script += [ESCALATION[0], *ESCALATION, *ESCALATION]
    async with world.bot():
        question = await world.says(ANA, "@bot I want a person")
        await world.replies(question)
    assert len(team_posts(world)) == 1
    async with world.bot():
        await world.says(ANA, "@bot still nobody here", thread_ts=question.ts)
        await world.replies(question, 2)
    assert len(team_posts(world)) == 2


async def test_urgent_post_that_slack_refused(world: World) -> None:
    """When the urgent post could not be made, calling people makes another."""
    world.intent = sorted_as("refund", "high", summary="A fire in the kitchen.")
    world.workspace.faults.refuse("chat.postMessage", "restricted_action")
    world.script += ESCALATION
    async with world.bot():
        question = await world.says(ANA, "@bot I want a person, my kitchen burns")
        await world.replies(question)
    assert len(team_posts(world)) == 1


@pytest.mark.parametrize("channel", [SUPPORT, "D0ANA"])
async def test_team_that_cannot_be_told(world: World, channel: str) -> None:
    """When Slack does not take the team's post, the customer hears that nobody knows, and is answered again."""
    lost = "could not be told"

    async def think(request: Request) -> Answer:
        if not results_in(request):
            return ESCALATION[0]
        if lost in str(notes_in(request)):
            return Answer("I am still here.")
        await world.workspace.until(lambda: world.rows("SELECT 1 FROM outbox WHERE status = 'failed'"))
        return Answer("A person will answer.")

    world.think = think
    async with world.bot(BOT_DIRECT_MESSAGE_MINUTES=0):
        world.workspace.faults.refuse("chat.postMessage", "is_archived", channel=TEAM)
        question = await world.says(ANA, "@bot I want a person", channel)
        said = await world.replies(question, 2)
        await world.says(ANA, "hello?", channel, thread_ts=question.ts)
        await world.replies(question, 3)
    assert shown(said[0]).startswith(f"<@{ANA}> I could not tell the support team after all")
    assert [shown(one) for one in world.workspace.replies_of_bot(question)[1:]] == ["I am still here."] * 2
    assert [lost in one for one in notes_in(world.asked[-1])] == [True]


async def test_urgent_post_that_is_lost(world: World) -> None:
    """Of an urgent message of which the team could not be told the customer hears nothing: nobody was promised."""
    world.intent = sorted_as("refund", "high", summary="A fire.")
    world.workspace.faults.refuse("chat.postMessage", "is_archived", channel=TEAM)
    world.script += [Answer("Call the fire brigade."), Answer("Yes.")]
    async with world.bot():
        question = await world.says(ANA, "@bot my kitchen burns")
        await world.replies(question)
        await world.workspace.until(lambda: any(call.arguments.get("channel") == TEAM for call in posts(world)))
        await world.says(ANA, "now?", thread_ts=question.ts)
        (_, answer) = await world.replies(question, 2)
    assert shown(answer) == "Yes."
    assert {"channel": TEAM} in world.rows("SELECT channel FROM outbox WHERE status = 'failed'")
    assert len(world.workspace.replies_of_bot(question)) == 2


def posts(world: World) -> list[ApiCall]:
    """List what the bot has tried to post."""
    return [call for call in world.workspace.calls if call.method == "chat.postMessage"]
