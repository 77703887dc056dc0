"""Somebody asks about an order: in a channel, in a direct message, in a thread, and however Slack delivers it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.store.records import QUOTED
from bot.testing.openai import Answer, Failure, Request
from bot.testing.slack.workspace import Channel
from tests.world import (
    ANA,
    BEN,
    BOT,
    GENERAL,
    ON_BOTH_STORES,
    SAM,
    SUPPORT,
    World,
    calls,
    heard,
    shown,
    status_of,
    words_in,
)


async def test_question_in_a_channel(world: World) -> None:
    """A mention in a channel is answered in its thread, with the order as a card below the words."""
    world.script += [status_of("ORD-10234"), Answer("It is on its way.")]
    async with world.bot():
        question = await world.says(ANA, "@bot where is ORD-10234?")
        (answer,) = await world.replies(question)
        whisper = await world.whisper(ANA)
    text = shown(answer)
    assert answer.thread_ts == question.ts
    assert text.startswith("It is on its way.")
    assert "● *Shipped*" in text
    text = shown(whisper)
    for part in (
        "*Order ORD-10234*",
        "✓ Packed",
        "● *Shipped*",
        "○ Delivered",
        "2 x Stoneware mug, slate blue — $36.00",
    ):
        assert part in text
    assert "*Total*\n$84.00" in text
    assert "<https://www.ups.com/track?tracknum=1Z999AA10123456784|1Z999AA10123456784>" in text


async def test_tracking_events_when_asked_for(world: World) -> None:
    """The carrier's scans are on the card only when the call asks for them."""
    world.script += [
        calls(("get_order_status", {"order_id": "ORD-10234", "include_tracking": True})),
        Answer("Here it is."),
    ]
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "where is the parcel of ORD-10234?", "D0ANA"))
    assert "Arrived at the sorting centre, Boise, ID" in shown(answer)


async def test_question_in_a_direct_message(world: World) -> None:
    """A direct message needs no mention, and is answered in a thread of its own."""
    world.script += [status_of("ORD-10251"), Answer("Paid, and next it is packed.")]
    async with world.bot():
        question = await world.says(ANA, "ORD-10251?", "D0ANA")
        (answer,) = await world.replies(question)
    assert answer.thread_ts == question.ts
    assert "● *Paid*" in shown(answer)


async def test_thread_goes_on_without_a_mention(world: World) -> None:
    """In a thread that the bot is in, a reply needs no mention, and the model sees all that was said."""
    world.script += [Answer("Which order?"), status_of("ORD-10235"), Answer("It comes today.")]
    async with world.bot():
        question = await world.says(ANA, "@bot where is my order?")
        await world.replies(question)
        await world.says(ANA, "ORD-10235", thread_ts=question.ts)
        replies = await world.replies(question, 2)
    assert shown(replies[1]).startswith("It comes today.")
    spoken = [(m["role"], words_in(m)[0]) for m in world.asked[-1].messages[1:4]]
    assert spoken == [("user", "where is my order?"), ("assistant", "Which order?"), ("user", "ORD-10235")]


async def test_several_orders_in_one_turn(world: World) -> None:
    """Orders that are looked up in one turn come back as cards in one message, in the order of the calls."""
    world.script += [status_of("ORD-10234", "ORD-10235"), Answer("Both are on their way.")]
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "@bot ORD-10234 and ORD-10235?"))
    text = shown(answer)
    assert text.index("*Order ORD-10234*") < text.index("*Order ORD-10235*")
    outputs = [m["tool_call_id"] for m in world.asked[-1].messages if m["role"] == "tool"]
    asked = [call["id"] for m in world.asked[-1].messages for call in m.get("tool_calls", ())]
    assert outputs == asked


@pytest.mark.parametrize(
    "order", [("app_mention", "message"), ("message", "app_mention"), ("app_mention",), ("message",)]
)
async def test_doubles_are_answered_once(world: World, order: tuple[Any, ...]) -> None:
    """Slack's two events for a mention, in either order and each delivered three times, give one answer."""
    world.script += [Answer("Hello.")]
    async with world.bot():
        question = await world.says(ANA, "@bot hello", order=order, copies=3)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
    assert [shown(reply) for reply in world.workspace.replies_of_bot(question)] == ["Hello."]
    assert len(world.asked) == 1


@ON_BOTH_STORES
async def test_redelivered_after_a_restart(world: World) -> None:
    """A message that was answered before a restart is not answered again when Slack delivers it again."""
    world.script += [Answer("Hello.")]
    async with world.bot():
        question = await world.says(ANA, "@bot hello")
        await world.replies(question)
    async with world.bot():
        world.workspace.announce(question)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
    assert len(world.workspace.replies_of_bot(question)) == 1


@ON_BOTH_STORES
async def test_reply_that_comes_before_the_mention(world: World) -> None:
    """A reply that Slack delivers before the mention that it follows is answered with it, and talk before it is not."""
    world.script += [Answer("One."), Answer("Two."), Answer("Three.")]
    async with world.bot():
        root = world.workspace.post(ANA, SUPPORT, "has anybody seen my parcel?")
        talk = world.workspace.post(BEN, SUPPORT, "no", thread_ts=root.ts)
        mention = world.workspace.post(ANA, SUPPORT, f"<@{BOT}> where is it?", thread_ts=root.ts)
        reply = world.workspace.post(ANA, SUPPORT, "it is ORD-10234", thread_ts=root.ts)
        for message in (talk, reply):
            world.workspace.announce(message)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        world.workspace.announce(mention)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        await world.replies(root)
    assert [said.partition(QUOTED)[0] for said in heard(world.asked[-1])] == ["where is it?", "it is ORD-10234"]
    assert [row["status"] for row in world.rows("SELECT status FROM inbox ORDER BY ts")] == [
        "unclaimed",
        "done",
        "done",
    ]


async def test_what_is_not_for_us(world: World) -> None:
    """Talk among people, other bots, edits and deletions are acked and never reach the model."""
    async with world.bot():
        talk = await world.says(ANA, "has anybody seen my parcel?", GENERAL)
        await world.says(BEN, "no", GENERAL, thread_ts=talk.ts)
        await world.says(ANA, "@bot joined", subtype="channel_join")
        await world.says(BOT, "@bot I talk to myself")
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        world.workspace.update(GENERAL, talk.ts, text=f"<@{BOT}> edited", edited=True)
        world.workspace.delete(GENERAL, talk.ts)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
    assert world.asked == []


async def test_somebody_else_is_called_in_our_thread(world: World) -> None:
    """In the bot's own thread, a reply that calls another person is left to that person."""
    world.script += [Answer("Hello.")]
    async with world.bot():
        question = await world.says(ANA, "@bot hello")
        await world.replies(question)
        await world.says(ANA, f"<@{SAM}> can you look at this?", thread_ts=question.ts)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
    assert len(world.asked) == 1


@pytest.mark.parametrize("forged", [{"team_id": "T0OTHER"}, {"api_app_id": "A0OTHER"}])
async def test_event_of_another_team_or_app(world: World, forged: dict[str, str]) -> None:
    """An event that names another team or app is acked and ignored."""
    async with world.bot():
        await world.says(ANA, "@bot hello", forged=forged)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
    assert world.asked == []


@pytest.mark.parametrize("order_id", ["ORD-99999", "ORD-10240"])
async def test_no_such_order_and_somebody_elses_look_the_same(world: World, order_id: str) -> None:
    """The model is told the same of an order that is not there and of one that is somebody else's."""
    world.script += [status_of(order_id), Answer("I can't find that order.")]
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, f"@bot where is {order_id}?"))
    output = world.asked[-1].messages[-1]["content"]
    assert f"There is no order {order_id} in your name." in output
    assert shown(answer) == "I can't find that order."
    assert [row["status"] for row in world.rows("SELECT status FROM tool_calls")] == ["rejected"]


async def test_staff_may_look_up_any_order(world: World) -> None:
    """An approver sees a customer's order."""
    world.script += [status_of("ORD-10240"), Answer("Packed.")]
    async with world.bot():
        (answer,) = await world.replies(await world.says(SAM, "@bot ORD-10240?"))
    assert "*Order ORD-10240*" in shown(answer)


async def test_two_threads_do_not_wait_for_each_other(world: World) -> None:
    """A thread whose model call hangs holds up no other thread."""
    released = asyncio.Event()

    async def answer(request: Request) -> Answer:
        if "slow" in request.messages[-1]["content"]:
            await released.wait()
            return Answer("Slow answer.")
        return Answer("Quick answer.")

    world.think = answer
    async with world.bot():
        slow = await world.says(ANA, "@bot slow")
        quick = await world.says(BEN, "@bot quick")
        await world.replies(quick)
        assert world.workspace.replies_of_bot(slow) == []
        released.set()
        await world.replies(slow)


async def test_messages_that_come_during_a_model_call(world: World) -> None:
    """What the same person writes while the model thinks is in the one answer, together and in order."""
    model = world.hold_model(lambda request: Answer(f"You said: {', '.join(heard(request))}."))
    async with world.bot():
        first = await world.says(ANA, "@bot one")
        await model.reached.wait()
        await world.says(ANA, "two", thread_ts=first.ts)
        await world.says(ANA, "three", thread_ts=first.ts)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        model.release()
        await world.workspace.until(lambda: len(world.asked) == 2)
        await world.replies(first)
    replies = world.workspace.replies_of_bot(first)
    assert [shown(reply) for reply in replies] == ["You said: one, two, three."]
    assert [row["status"] for row in world.rows("SELECT status FROM inbox")] == ["done"] * 3


@ON_BOTH_STORES
async def test_message_that_comes_between_two_model_calls(world: World) -> None:
    """What the person adds during a run reaches the model before its next call, and is answered with the rest."""
    looking_up = world.workspace.faults.hang("users.info", times=2)
    world.script += [status_of("ORD-10234"), Answer("Both.")]
    async with world.bot():
        question = await world.says(ANA, "@bot ORD-10234?")
        await looking_up.reached.wait()
        await world.says(ANA, "and ORD-10235", thread_ts=question.ts)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        looking_up.release()
        replies = await world.replies(question)
    assert len(replies) == 1
    assert heard(world.asked[-1]) == ["ORD-10234?", "and ORD-10235"]


async def test_somebody_else_does_not_join_a_run(world: World) -> None:
    """What another person writes during a run gets a run of its own, so that nobody asks in somebody else's name."""
    looking_up = world.workspace.faults.hang("users.info")
    world.script += [Answer("Hello Ana."), status_of("ORD-10234"), Answer("Not yours.")]
    async with world.bot():
        question = await world.says(ANA, "@bot hello")
        await looking_up.reached.wait()
        await world.says(BEN, "and where is ORD-10234?", thread_ts=question.ts)
        await world.says(ANA, "thanks", thread_ts=question.ts)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        looking_up.release()
        await world.replies(question, 3)
    assert [row["requester"] for row in world.rows("SELECT requester FROM tool_calls")] == [BEN]
    assert [row["status"] for row in world.rows("SELECT status FROM tool_calls")] == ["rejected"]


async def test_status_while_it_works(world: World) -> None:
    """While it takes long, the thread shows what the bot is doing; the answer clears it."""
    turns = [status_of("ORD-10234"), Answer("On its way.")]

    async def answer(_: Request) -> Answer:
        wanted = 3 - len(turns)
        await world.workspace.until(lambda: len(world.workspace.status_history) >= wanted)
        return turns.pop(0)

    world.think = answer
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot ORD-10234?"))
    assert [status.status for status in world.workspace.status_history] == [
        "is thinking…",
        "is looking up ORD-10234…",
    ]
    assert not world.workspace.statuses


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (Failure(500), "I can't reach my language model right now."),
        (Failure(429, "insufficient_quota"), "My language model's allowance is used up"),
        (Failure(401, "invalid_api_key"), "I am not set up correctly"),
    ],
)
async def test_model_fails(world: World, failure: Failure, words: str) -> None:
    """When the model fails, the user gets plain words with a reference, which finds the row in the log."""
    world.script += [failure] * 3
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(answer).startswith(words)
    reference = shown(answer).rpartition(" ")[2]
    (row,) = world.rows("SELECT * FROM model_calls WHERE id LIKE ?", f"{reference}%")
    assert row["status"] == "failed"
    assert row["error"]


async def test_thread_goes_on_after_a_failure(world: World) -> None:
    """A thread in which the model failed is answered again with the next message."""
    world.script += [Failure(401, "invalid_api_key"), Answer("Here I am.")]
    async with world.bot():
        question = await world.says(ANA, "@bot hello")
        await world.replies(question)
        await world.says(ANA, "again?", thread_ts=question.ts)
        replies = await world.replies(question, 2)
    assert shown(replies[1]) == "Here I am."


async def test_model_that_never_stops_calling(world: World) -> None:
    """A model that only ever calls tools is stopped after the steps that it may take, and the user is told."""
    world.script += [status_of("ORD-10234")] * 10
    async with world.bot(BOT_MAX_STEPS=3):
        (answer,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert "number of steps" in shown(answer)
    assert len(world.asked) == 4


async def test_bad_calls_cost_only_themselves(world: World) -> None:
    """An unknown tool, broken JSON and wrong arguments are each told to the model; their sibling still runs."""
    world.script += [
        calls(
            ("send_money", {}),
            ("get_order_status", '{"order_id": "ORD-1'),
            ("get_order_status", {"order_id": "ORD-10234", "include_tracking": "perhaps"}),
            ("get_order_status", {"order_id": "ORD-10234", "include_tracking": False}),
            ("initiate_refund", {"order_id": "ORD-10234", "reason": "defective", "amount": -5}),
        ),
        Answer("Here it is."),
    ]
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "@bot hello"))
    statuses = [row["status"] for row in world.rows("SELECT status FROM tool_calls ORDER BY position")]
    assert statuses == ["rejected", "rejected", "rejected", "succeeded", "rejected"]
    assert "*Order ORD-10234*" in shown(answer)


async def test_model_text_cannot_act(world: World) -> None:
    """What the model writes mentions nobody, links nowhere and is never unfurled."""
    world.script += [Answer("<!channel> <@U0SAM> <https://evil.example/?q=1|click> & **bold**")]
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(answer) == ("&lt;!channel&gt; &lt;@U0SAM&gt; &lt;[link removed]|click&gt; &amp; *bold*")
    post = next(call.arguments for call in world.workspace.calls if call.method == "chat.postMessage")
    assert (post["unfurl_links"], post["unfurl_media"]) in [(False, False), ("0", "0"), ("false", "false")]
    assert "<!channel>" not in post["text"]


async def test_people_of_another_workspace(world: World) -> None:
    """Somebody from another workspace is told that they can't be helped, and the model is not asked."""
    stranger = world.workspace.people[BEN]
    world.workspace.add(
        type(stranger)("U0EVE", "eve", "Eve", email="ben@example.com", team="T0OTHER", is_stranger=True)
    )
    async with world.bot():
        (answer,) = await world.replies(await world.says("U0EVE", "@bot where is ORD-10240?"))
    assert shown(answer) == "I can only help people of this workspace."
    assert world.asked == []


async def test_log_tells_the_story(world: World) -> None:
    """Each tool call is a row with what was sent and what was validated, who asked, when, and how long it took."""
    world.script += [calls(("get_order_status", '{"include_tracking": false}')), status_of("#10234"), Answer("Yes.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot 10234?"))
    rejected, succeeded = world.rows("SELECT * FROM tool_calls ORDER BY created_at")
    assert (rejected["tool"], rejected["status"], rejected["arguments"]) == ("get_order_status", "rejected", None)
    assert "order_id" in rejected["error"]
    assert succeeded["arguments_sent"] == '{"order_id": "#10234", "include_tracking": false}'
    assert succeeded["arguments"] == '{"order_id":"#10234","include_tracking":false}'
    assert succeeded["requester"] == ANA
    assert succeeded["finished_at"] > succeeded["created_at"]
    assert succeeded["duration_ms"] > 0
    model_calls = world.rows("SELECT * FROM model_calls WHERE purpose = 'turn' ORDER BY created_at")
    assert [row["finish_reason"] for row in model_calls] == ["tool_calls", "tool_calls", "stop"]
    sorting = world.rows("SELECT * FROM model_calls WHERE purpose = 'intent'")
    assert len(sorting) == 1
    assert all(row["prompt_tokens"] and row["duration_ms"] for row in [*model_calls, *sorting])


@pytest.mark.parametrize(
    ("teams", "trusted", "answered"),
    [
        (("T0ACME", "T0PARTNER"), "", False),
        (("T0ACME", "T0PARTNER"), "T0PARTNER", True),
        (("T0ACME", "T0PARTNER", "T0EVIL"), "T0PARTNER", False),
        ((), "T0PARTNER", False),
    ],
)
async def test_channel_shared_with_other_companies(
    world: World, teams: tuple[str, ...], trusted: str, *, answered: bool
) -> None:
    """Orders are talked about in a shared channel only when every company in it is known and trusted."""
    shared = Channel("C0SHARED", "shared", "channel", frozenset({ANA, BOT}), shared_externally=True, shared_with=teams)
    world.workspace.add(shared)
    world.script += [Answer("Hello.")]
    async with world.bot(BOT_TRUSTED_TEAMS=trusted):
        (answer,) = await world.replies(await world.says(ANA, "@bot hello", "C0SHARED"))
    assert shown(answer).startswith("Hello." if answered else "This channel is shared with another company")


async def test_try_again_when_slack_did_not_name_the_asker(world: World) -> None:
    """When Slack does not say who asks, the question is kept, so that "try again" answers it."""
    world.script += [Answer("It is on its way.")]
    world.workspace.faults.refuse("users.info", "internal_error", times=3)
    async with world.bot():
        question = await world.says(ANA, "@bot where is ORD-10234?")
        (first,) = await world.replies(question)
        assert "did not tell me who you are" in shown(first)
        await world.says(ANA, "try again", thread_ts=question.ts)
        await world.replies(question, 2)
    assert heard(world.asked[-1]) == ["where is ORD-10234?", "try again"]


async def test_email_addresses_of_an_answer(world: World, tmp_path: Path) -> None:
    """An answer may name the customer's address, one that they wrote, and one of the shop's; any other is removed."""
    (tmp_path / "help.md").write_text("# Contact\nWrite to help@acme.example.", "utf-8")
    addresses = "ana@example.com", "ana@home.example", "help@acme.example", "returns@shop.example", "pay@evil.example"
    world.script += [Answer(f"Write to {', '.join(addresses)}")]
    async with world.bot(BOT_HELP_FOLDER=tmp_path, BOT_LINK_HOSTS="shop.example"):
        question = await world.says(ANA, "@bot my other address is ana@home.example")
        (answer,) = await world.replies(question)
    assert shown(answer) == f"Write to {', '.join(addresses[:4])}, [link removed]"
