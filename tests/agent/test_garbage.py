"""A model may say anything: each kind of nonsense has one outcome, and the thread goes on after it.

The scripted server refuses a request whose history is not right, so a second answer proves that it is.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.shop.orders import Order
from bot.shop.sqlite import SqliteShop
from bot.testing.openai import Answer, Request, ToolCall
from bot.testing.openai.turn import FinishReason
from tests.agent.raw_model import GOOD, Raw, RawModel, ask_side_by_side, completion
from tests.world import ANA, Turn, World, calls, heard, shown

LOOK_UP = {"order_id": "ORD-10234", "include_tracking": False}


def call(name: str = "get_order_status", arguments: str = json.dumps(LOOK_UP), call_id: str = "") -> ToolCall:
    """Make a call that is right but for what is given."""
    return ToolCall(call_id, name, arguments)


async def answer_to(world: World, *turns: Turn) -> str:
    """Play the turns, then a good answer; give back what was answered, after the thread has proved to be alive."""
    world.script += [*turns, Answer("Done.")]
    async with world.bot():
        question = await world.says(ANA, "@bot where is it?")
        (reply,) = await world.replies(question)
        world.script.clear()
        world.script += [Answer("Still here.")]
        await world.says(ANA, "and now?", thread_ts=question.ts)
        replies = await world.replies(question, 2)
    assert shown(replies[1]) == "Still here."
    return shown(reply)


def statuses(world: World) -> list[str]:
    """List how the calls ended, in the model's order."""
    return [row["status"] for row in world.rows("SELECT status FROM tool_calls ORDER BY message_id, position")]


def results(request: Request) -> list[tuple[str, dict[str, Any]]]:
    """List the tool messages of a request, with the id that each answers."""
    return [(m["tool_call_id"], json.loads(m["content"])) for m in request.messages if m["role"] == "tool"]


NAMES = ("send_money", "multi_tool_use.parallel", "", "n" * 200, "größe", "get order", "\ud800\0", "../tool")


async def test_unknown_tools(world: World) -> None:
    """A tool that there is not is an error that names those there are, and its siblings run."""
    wanted = (*(call(name, "{}") for name in NAMES), call())
    assert (await answer_to(world, Answer(tool_calls=wanted))).startswith("Done.")
    assert statuses(world) == ["rejected"] * len(NAMES) + ["succeeded"]
    told = [output for _, output in results(world.asked[1])]
    assert all("get_order_status, get_profile, initiate_refund" in output["hint"] for output in told[:-1])


async def test_repeated_ids(world: World) -> None:
    """Two calls under one id are both answered, each under an id of its own."""
    other = call(arguments=json.dumps(LOOK_UP | {"order_id": "ORD-10235"}), call_id="call_1")
    await answer_to(world, Answer(tool_calls=(call(call_id="call_1"), other)))
    (first, one), (second, two) = results(world.asked[1])
    assert first != second
    assert (one["order_id"], two["order_id"]) == ("ORD-10234", "ORD-10235")


async def test_ids_of_earlier_turns(world: World) -> None:
    """An id that was used in an earlier turn is answered again, with what the later call asked for."""
    other = call(arguments=json.dumps(LOOK_UP | {"order_id": "ORD-10235"}), call_id="call_1")
    await answer_to(world, Answer(tool_calls=(call(call_id="call_1"),)), Answer(tool_calls=(other,)))
    assert [output["order_id"] for _, output in results(world.asked[2])] == ["ORD-10234", "ORD-10235"]


async def test_odd_ids(world: World) -> None:
    """An id that a server would not take back is replaced by one that it does."""
    odd = ("x" * 200, "\ud800", "\0", "id with spaces", "é")
    wanted = [call(arguments=json.dumps(LOOK_UP | {"include_tracking": one})) for one in (True, False, 1, 0, "yes")]
    turn = Answer(
        tool_calls=tuple(ToolCall(one, like.name, like.arguments) for one, like in zip(odd, wanted, strict=True))
    )
    assert (await answer_to(world, turn)).startswith("Done.")
    assert len({call_id for call_id, _ in results(world.asked[1])}) == len(odd)


@pytest.mark.parametrize("reason", ["length", "content_filter"])
async def test_cut_off(world: World, reason: FinishReason) -> None:
    """Of a turn that was cut off among its calls none is run, not even a whole one, and its text is no answer."""
    half = call("initiate_refund", '{"order_id": "ORD-10188", "reason": "defective", "amount": 4')
    assert await answer_to(world, Answer("I am asking for it now.", (call(), half), reason)) == "Done."
    assert statuses(world) == []


@pytest.mark.parametrize("reason", ["length", "content_filter", "stop"])
async def test_nothing_usable(world: World, reason: FinishReason) -> None:
    """A turn without text and without a whole call is asked for again."""
    wanted = () if reason == "stop" else (call(),)
    assert await answer_to(world, Answer("", wanted, reason)) == "Done."
    assert statuses(world) == []
    (failed, _, _) = world.rows("SELECT status, error FROM model_calls WHERE purpose = 'turn' ORDER BY created_at")
    assert failed["status"] == "failed"
    assert reason in failed["error"]


async def test_nothing_but_nothing(world: World) -> None:
    """A model that stays silent three times is given up with plain words, and the next message is answered."""
    assert (await answer_to(world, Answer(), Answer(" \n"), Answer("\0"))).startswith(
        "My language model gave no answer."
    )


async def test_refusal(world: World) -> None:
    """A refusal is what the customer reads, as text that cannot act."""
    assert await answer_to(world, Answer(refusal="I can't help <!here>.")) == "I can't help &lt;!here&gt;."


async def test_text_beside_calls(world: World) -> None:
    """Text beside calls is kept in the history and not posted: only the last word is the answer."""
    text = await answer_to(world, Answer("Let me look…", (call(),)))
    assert text.startswith("Done.")
    assert world.asked[1].messages[-2]["content"] == "Let me look…"


async def test_twenty_calls(world: World) -> None:
    """Of twenty calls in a turn ten are run, and each of the others is told why it was not."""
    wanted = tuple(call(arguments=json.dumps(LOOK_UP | {"order_id": f"ORD-{one}"})) for one in range(20))
    await answer_to(world, Answer(tool_calls=wanted))
    told = [output["error"] for _, output in results(world.asked[1])]
    assert [error.startswith("That is more than") for error in told] == [False] * 10 + [True] * 10
    assert len(world.rows("SELECT id FROM tool_calls")) == 20


async def test_the_same_call_twice(world: World) -> None:
    """The same call twice in a turn runs once, answers both, and shows its card once."""
    text = await answer_to(world, Answer(tool_calls=(call(), call())))
    assert text.count("*Order ORD-10234*") == 1
    (_, one), (_, two) = results(world.asked[1])
    assert one == two


async def test_the_same_call_in_other_spellings(world: World) -> None:
    """The same arguments with other spaces, another order of keys or escapes are the same call."""
    spelt = (
        '{"order_id": "ORD-10234", "include_tracking": false}',
        '{"include_tracking":false,"order_id":"ORD-10234"}',
        '{ "order_id" : "\\u004fRD-10234",\n "include_tracking" : false }',
    )
    text = await answer_to(world, Answer(tool_calls=tuple(call(arguments=one) for one in spelt)))
    assert text.count("*Order ORD-10234*") == 1
    assert len({json.dumps(output) for _, output in results(world.asked[1])}) == 1


async def test_ten_thousand_calls(world: World) -> None:
    """A turn of ten thousand calls is fifty rows, and the model hears of no more than these."""
    wanted = tuple(call(arguments=json.dumps(LOOK_UP | {"order_id": f"ORD-{one}"})) for one in range(10_000))
    await answer_to(world, Answer(tool_calls=wanted))
    assert len(world.rows("SELECT id FROM tool_calls")) == 50
    assert len(results(world.asked[1])) == 50


async def test_the_same_request_many_times(world: World) -> None:
    """The same request for a refund five times in a turn is one card, and no failure that would end the run."""
    refund = call("initiate_refund", json.dumps({"order_id": "ORD-10188", "reason": "defective", "amount": 5}))
    world.script += [Answer(tool_calls=(refund,) * 5), Answer("I have asked for it.")]
    async with world.bot():
        question = await world.says(ANA, "@bot refund")
        replies = await world.replies(question, 2)
    assert shown(replies[1]) == "I have asked for it."
    assert statuses(world) == ["pending"] + ["rejected"] * 4
    assert {output["status"] for _, output in results(world.asked[1])} == {"waiting_for_approval"}


async def test_endless_arguments(world: World) -> None:
    """200 KB of arguments are refused, logged in part, and not sent back again and again."""
    await answer_to(world, calls(("get_order_status", json.dumps(LOOK_UP | {"order_id": "9" * 200_000}))))
    (row,) = world.rows("SELECT status, error, length(arguments_sent) AS size FROM tool_calls")
    assert row == {
        "status": "rejected",
        "error": "That is too long for me. Send at most 4000 characters.",
        "size": 20_000,
    }
    assert len(json.dumps(world.asked[-1].messages)) < 20_000


REFUND = '{"order_id": "ORD-10188", "reason": "defective", "amount": %s}'
NO_ARGUMENTS = (
    call(arguments='{"order_id": "\\ud800", "include_tracking": false}'),
    call(arguments='{"order_id": "\ud800", "include_tracking": false}'),
    call(arguments='{"order_id": "ORD-1\\u0000", "include_tracking": false}'),
    call("initiate_refund", REFUND % "1e999999999999999999999"),
    call("initiate_refund", REFUND % "1e-999999999"),
    call(arguments="{" * 3_000),
    call(arguments="null"),
)


async def test_arguments_that_are_none(world: World) -> None:
    """Half characters, NUL, numbers beyond reason and endless nesting cost their own call and nothing else."""
    assert (await answer_to(world, Answer(tool_calls=(*NO_ARGUMENTS, call())))).startswith("Done.")
    assert statuses(world) == ["rejected"] * len(NO_ARGUMENTS) + ["succeeded"]


async def test_text_that_is_none(world: World) -> None:
    """Half characters and NUL in an answer are taken out of it."""
    assert await answer_to(world, Answer("Dear\0 Ana \ud83d!")) == "Dear Ana ?!"


async def test_half_a_character_from_a_person(world: World) -> None:
    """Half characters and NUL in what somebody wrote do not keep them from an answer."""
    world.script += [Answer("Hello.")]
    async with world.bot():
        (reply,) = await world.replies(await world.says(ANA, "@bot \ud83d hello\0"))
    assert shown(reply) == "Hello."
    assert heard(world.asked[0]) == ["? hello"]


class BrokenShop(SqliteShop):
    """A shop whose orders come with half a character."""

    async def order(self, order_id: str) -> Order | None:
        """Break the name of the carrier."""
        order = await super().order(order_id)
        return order and replace(order, carrier="UPS \ud83d")


async def test_half_a_character_from_the_shop(world: World) -> None:
    """What a tool gives back is told to the model and kept in the row, without what could not be written."""
    world.script += [Answer(tool_calls=(call(),)), Answer("Here it is.")]
    async with world.bot(open_shop=BrokenShop):
        await world.replies(await world.says(ANA, "where is it?", "D0ANA"))
    assert statuses(world) == ["succeeded"]
    ((_, told),) = results(world.asked[1])
    assert told["carrier"] == "UPS ?"


async def test_very_long_text(world: World) -> None:
    """A text of a megabyte is cut to a few messages, and the next request is not a megabyte."""
    world.script += [Answer("a" + "\n" * 50_000 + "- b" * 300_000), Answer("Still here.")]
    async with world.bot():
        question = await world.says(ANA, "@bot where is it?")
        await world.replies(question)
        await world.says(ANA, "and now?", thread_ts=question.ts)
        await world.workspace.until(lambda: len(world.asked) == 2)
    replies = world.workspace.replies_of_bot(question)
    assert len(replies) < 10
    assert shown(replies[-1]) == "Still here."
    assert len(json.dumps(world.asked[1].messages)) < 60_000


SHAPES = {
    "not JSON": Raw("{'choices': []}"),
    "half of JSON": Raw('{"choices": [{"message"'),
    "a page": Raw("<h1>Bad gateway</h1>", "text/html"),
    "text": Raw("hello", "text/plain"),
    "nothing": Raw(""),
    "null": Raw("null"),
    "a list": Raw("[1, 2]"),
    "a string": Raw('"hello"'),
    "cut off": Raw(completion({"role": "assistant", "content": "x" * 5_000}).body, cut=True),
    "no choices": completion(None, choices=[]),
    "choices missing": Raw('{"id": "chatcmpl-1", "model": "raw-model"}'),
    "choices of another type": completion(None, choices=7),
    "choices of null": completion(None, choices=[None]),
    "no message": completion(None),
    "a message of text": completion("hello"),
    "content of another type": completion({"role": "assistant", "content": [7, None]}),
    "calls of another type": completion({"role": "assistant", "tool_calls": 7}),
    "calls of null": completion({"role": "assistant", "content": None, "tool_calls": [None]}),
    "a call of another kind": completion(
        {"role": "assistant", "tool_calls": [{"id": "1", "type": "custom", "custom": {"name": "x", "input": "y"}}]}
    ),
    "nested too deeply": Raw("[" * 100_000 + "]" * 100_000),
    "an error that is none": Raw('{"error": {"message": "overloaded"}}'),
}


async def test_answers_of_any_shape(world: World) -> None:
    """Whatever a server sends in place of a completion is a failed model call, which is tried again."""
    async with RawModel(SHAPES) as model, world.bot(openai_base_url=model.url):
        replies = await ask_side_by_side(world, SHAPES)
    assert {question: shown(reply) for question, reply in replies.items()} == dict.fromkeys(SHAPES, GOOD)
    failed = world.rows("SELECT id FROM model_calls WHERE purpose = 'turn' AND status = 'failed'")
    assert len(failed) == len(SHAPES)


USABLE = {
    "no model": completion({"role": "assistant", "content": GOOD}, model=None),
    "no reason": completion({"role": "assistant", "content": GOOD}, finish_reason=None),
    "another reason": completion({"role": "assistant", "content": GOOD}, finish_reason="eos"),
    "odd usage": completion({"role": "assistant", "content": GOOD}, usage={"prompt_tokens": "7", "total_tokens": -1}),
    "huge usage": completion({"role": "assistant", "content": GOOD}, usage={"prompt_tokens": 10**30}),
}


async def test_answers_of_a_careless_server(world: World) -> None:
    """An answer that lacks what nobody needs is an answer, and its row is finished like any other."""
    async with RawModel(USABLE) as model, world.bot(openai_base_url=model.url):
        replies = await ask_side_by_side(world, USABLE)
    assert {question: shown(reply) for question, reply in replies.items()} == dict.fromkeys(USABLE, GOOD)
    assert {row["status"] for row in world.rows("SELECT status FROM model_calls WHERE purpose = 'turn'")} == {
        "succeeded"
    }
