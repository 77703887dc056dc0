"""Servers as they are: what one refuses is asked in another way, and what it needs back is sent back."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.agent.raw_model import GOOD, AnyServer, Raw, completion, refusal
from tests.stories.test_what_people_send import served
from tests.world import ANA, World, shown

LOOK_UP = json.dumps({"order_id": "ORD-10234", "include_tracking": False})
Body = dict[str, Any]


def says(text: str | None, **message: Any) -> Raw:
    """Word an answer of text."""
    return completion({"role": "assistant", "content": text, **message})


def calls(*written: Any, **message: Any) -> Raw:
    """Word a turn of calls, as they are written."""
    return completion(
        {"role": "assistant", "content": None, "tool_calls": list(written), **message}, finish_reason="tool_calls"
    )


def call(name: str | None = "get_order_status", arguments: Any = LOOK_UP, call_id: Any = "call_1") -> Body:
    """Write a call."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def has_result(body: Body) -> bool:
    """Return whether the last message is a tool's result."""
    return bool(body["messages"][-1]["role"] == "tool")


@asynccontextmanager
async def talking(
    world: World, answer: Callable[[Body], Raw], *texts: str, **changes: Any
) -> AsyncIterator[tuple[AnyServer, list[str]]]:
    """Write the texts as Ana in one thread, each after the answer to the one before; return all the answers."""
    async with AnyServer(answer) as server, world.bot(openai_base_url=server.url, **changes):
        question = await world.says(ANA, f"@bot {texts[0]}")
        for number, text in enumerate(texts[1:], 1):
            await world.replies(question, number)
            await world.says(ANA, text, thread_ts=question.ts)
        yield server, [shown(reply) for reply in await world.replies(question, len(texts))]


PARAMETERS: dict[str, tuple[Callable[[Body], bool], Raw]] = {
    "a param": (
        lambda body: "parallel_tool_calls" in body,
        refusal(400, {"error": {"code": "unsupported_parameter", "param": "parallel_tool_calls", "message": "No."}}),
    ),
    "words": (
        lambda body: "parallel_tool_calls" in body,
        refusal(400, "Unrecognized request argument supplied: parallel_tool_calls"),
    ),
    "words that could be about tools": (
        lambda body: "parallel_tool_calls" in body,
        refusal(400, {"error": {"message": "'parallel_tool_calls' is not supported with this model."}}),
    ),
    "another spelling": (
        lambda body: "parallel_tool_calls" in body,
        refusal(500, "parallelToolCalls: no such field"),
    ),
    "a common word": (
        lambda body: "strict" in body["tools"][0]["function"],
        refusal(400, {"error": {"message": "Strict mode is not supported for tools"}}),
    ),
    "a place": (
        lambda body: "strict" in body["tools"][0]["function"],
        refusal(422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "tools", 0, "function", "strict"]}]}),
    ),
    "a keyword of a schema": (
        lambda body: "additionalProperties" in json.dumps(body["tools"]),
        refusal(400, [{"error": {"code": 400, "message": "Unknown name \"additionalProperties\" at 'tools[0]'"}}]),
    ),
    "temperature": (
        lambda body: "temperature" in body,
        refusal(400, {"error": {"message": "Unsupported value: 'temperature' does not support 0.2 with this model."}}),
    ),
    "max_completion_tokens": (
        lambda body: "max_completion_tokens" in body or body.get("max_tokens") != 500,
        refusal(422, {"detail": [{"loc": ["body", "max_completion_tokens"], "msg": "Extra inputs are not permitted"}]}),
    ),
    "nothing": (lambda body: "parallel_tool_calls" in body, refusal(400, {"error": {"message": "Bad request."}})),
}


@pytest.mark.parametrize("kind", PARAMETERS)
async def test_what_a_server_does_not_take(world: World, kind: str) -> None:
    """A parameter that a server refuses is left out from then on: the customer notices nothing, the next not either."""
    refuses, refused = PARAMETERS[kind]
    refusals: list[bool] = []

    def answer(body: Body) -> Raw:
        if "tools" not in body:
            return says("{}")
        refusals.append(refuses(body))
        return refused if refusals[-1] else says(GOOD)

    settings = {"BOT_MODEL_TEMPERATURE": 0.2, "BOT_MODEL_MAX_TOKENS": 500}
    async with talking(world, answer, "hello", "and again", **settings) as (_, answers):
        assert answers == [GOOD, GOOD]
    assert refusals == [True, False, False]


async def test_structured_output_that_a_server_does_not_take(world: World) -> None:
    """A server without structured output is asked for JSON in words, and the thread is sorted all the same."""
    intent = {"category": "refund", "urgency": "low", "order_id": None, "summary": "Money back."}

    def answer(body: Body) -> Raw:
        if "response_format" in body:
            return refusal(400, {"error": {"message": "'response_format' of type json_schema is not supported"}})
        if "tools" in body:
            return says(GOOD)
        assert "JSON object of this schema" in body["messages"][0]["content"]
        return says(f"<think>Hm.</think>Sure:\n```json\n{json.dumps(intent)}\n```")

    async with talking(world, answer, "refund"):
        pass
    (row,) = world.rows("SELECT intent FROM threads")
    assert json.loads(row["intent"]) == intent


def wants_signature(body: Body) -> Raw:
    """Answer like a server that wants its signature back, and refuses what it did not give."""
    if not has_result(body):
        signed = {"extra_content": {"google": {"thought_signature": "c2lnbmVk"}}}
        return calls(call() | signed, reasoning_content="The customer asks for the order.")
    turn = next(message for message in body["messages"] if message.get("tool_calls"))
    (made,) = turn["tool_calls"]
    if made.get("extra_content") != {"google": {"thought_signature": "c2lnbmVk"}}:
        return refusal(400, [{"error": {"code": 400, "message": "Function call is missing a thought_signature"}}])
    if turn.get("reasoning_content") != "The customer asks for the order.":
        return refusal(400, {"error": {"message": "The reasoning_content must be passed back to the API."}})
    return says(GOOD)


async def test_what_a_server_wants_back(world: World) -> None:
    """Signature and thoughts that came with a call go back with it, and nobody is shown them."""
    async with talking(world, wants_signature, "where is ORD-10234?") as (_, answers):
        assert answers[0].startswith(GOOD)
    assert not any("asks for the order" in shown(message) for message in world.workspace.messages)


async def test_thoughts_that_a_server_refuses(world: World) -> None:
    """A server that gives thoughts and does not take them back gets its calls without them."""

    def answer(body: Body) -> Raw:
        if not has_result(body):
            return calls(call(), reasoning_content="Hm.")
        if "reasoning_content" in json.dumps(body):
            return refusal(400, {"error": {"message": "messages.2: Extra inputs are not permitted: reasoning_content"}})
        return says(GOOD)

    async with talking(world, answer, "where is ORD-10234?") as (_, answers):
        assert answers[0].startswith(GOOD)


async def test_forms_that_a_server_refuses(world: World) -> None:
    """A server without system messages reads the instructions in the first words, and one gets its results by name."""

    def answer(body: Body) -> Raw:
        first, *others = body["messages"]
        if first["role"] == "system":
            return refusal(400, {"error": {"message": "Conversation roles must alternate user/assistant/user/…"}})
        assert "You are the support assistant" in first["content"]
        assert "where is ORD-10234?" in first["content"]
        if not has_result(body):
            return calls(call())
        if "name" not in others[-1]:
            return refusal(400, [{"error": {"message": "parts[0].function_response.name: Name cannot be empty."}}])
        assert others[-1]["name"] == "get_order_status"
        return says(GOOD)

    async with talking(world, answer, "where is ORD-10234?") as (_, answers):
        assert answers[0].startswith(GOOD)


async def test_ids_that_a_server_refuses(world: World) -> None:
    """A server that wants ids of its own form gets them, and one that refuses empty words beside a call gets none."""

    def answer(body: Body) -> Raw:
        if not has_result(body):
            return calls(call())
        turn = body["messages"][-2]
        if turn["content"] is not None:
            return refusal(400, "messages.2: text content blocks must be non-empty")
        if len(turn["tool_calls"][0]["id"]) != 9:
            text = "Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9."
            return refusal(422, {"message": {"detail": [{"msg": text}]}})
        assert turn["tool_calls"][0]["id"] == body["messages"][-1]["tool_call_id"]
        return says(GOOD)

    async with talking(world, answer, "where is ORD-10234?") as (_, answers):
        assert answers[0].startswith(GOOD)


def wants_thoughts(body: Body) -> Raw:
    """Answer like a server that wants thoughts with each turn of calls."""
    for number, message in enumerate(body["messages"]):
        if message.get("tool_calls") and not message.get("reasoning_content"):
            text = (
                f"thinking is enabled but reasoning_content is missing in assistant tool call message at index {number}"
            )
            return refusal(400, {"error": {"message": text, "type": "invalid_request_error"}})
    return says(GOOD)


def wants_signatures(body: Body) -> Raw:
    """Answer like a server that wants a signature with the first call of each turn."""
    for message in body["messages"]:
        if message.get("tool_calls") and "thought_signature" not in json.dumps(message["tool_calls"][0]):
            text = "Function call is missing a thought_signature in functionCall parts."
            return refusal(400, [{"error": {"code": 400, "message": text, "status": "INVALID_ARGUMENT"}}])
    return says(GOOD)


def wants_ids(body: Body) -> Raw:
    """Answer like a server that knows ids of letters, digits and dashes alone."""
    ids = [one["id"] for message in body["messages"] for one in message.get("tool_calls", ())]
    if all(re.fullmatch(r"[a-zA-Z0-9_-]+", one) for one in ids):
        return says(GOOD)
    return refusal(
        400, {"error": {"message": "messages.2.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"}}
    )


@pytest.mark.parametrize("answer", [wants_thoughts, wants_signatures, wants_ids])
async def test_turns_of_another_model(world: World, answer: Callable[[Body], Raw]) -> None:
    """A thread that one model began goes on with another, which wants with each turn what only its own could have."""
    before = calls(call(call_id="functions.get_order_status:0"))
    first = iter((before, says(GOOD)))
    async with AnyServer(lambda _: next(first)) as server, world.bot(openai_base_url=server.url, BOT_SORTING=False):
        question = await world.says(ANA, "@bot where is ORD-10234?")
        await world.replies(question)
    async with AnyServer(answer) as server, world.bot(openai_base_url=server.url, openai_model="another"):
        for number, text in enumerate(("and now?", "thanks"), 2):
            await world.says(ANA, text, thread_ts=question.ts)
            assert shown((await world.replies(question, number))[-1]) == GOOD
        assert "ORD-10234" in json.dumps(server.asked[-1])
        assert len(server.asked) == 3


NO_PICTURES: dict[str, Raw] = {
    "OpenAI": refusal(
        400, {"error": {"message": "Invalid content type. image_url is only supported by certain models."}}
    ),
    "llama-server": refusal(500, {"error": {"code": 500, "message": "image input is not supported - hint: mmproj"}}),
    "OpenRouter": refusal(404, {"error": {"code": 404, "message": "No endpoints found that support image input"}}),
    "Go": refusal(400, "json: cannot unmarshal array into Go struct field .messages.content of type string"),
    "too large": refusal(413, "<html>413 Request Entity Too Large</html>"),
    "no words": refusal(422, {"detail": "e-17"}),
}


@pytest.mark.parametrize("kind", NO_PICTURES)
async def test_pictures_that_a_server_does_not_take(world: World, kind: str) -> None:
    """A picture that the model's server refuses is left out from then on, and who sent it hears that nobody saw it."""

    def answer(body: Body) -> Raw:
        return NO_PICTURES[kind] if "image_url" in json.dumps(body) else says(GOOD)

    photo = served(world)
    async with (
        AnyServer(answer) as server,
        world.bot(openai_base_url=server.url, BOT_MODEL_SEES_PICTURES=True, BOT_SORTING=False),
    ):
        question = await world.says(ANA, "@bot what is this?", files=[photo])
        (reply,) = await world.replies(question)
        await world.says(ANA, "and now?", thread_ts=question.ts)
        await world.replies(question, 2)
    assert shown(reply).startswith(GOOD)
    assert "I can't look into what you attached" in shown(reply)
    assert ["image_url" in json.dumps(body) for body in server.asked] == [True, False, False]


async def test_endless_thoughts(world: World) -> None:
    """Thoughts of a megabyte are neither kept nor sent back."""

    def answer(body: Body) -> Raw:
        return says(GOOD) if has_result(body) else calls(call(), reasoning_content="Hm. " * 250_000)

    async with talking(world, answer, "where is ORD-10234?") as (server, answers):
        assert answers[0].startswith(GOOD)
        assert len(json.dumps(server.asked[-1])) < 50_000


OBJECT = {"order_id": "ORD-10234", "include_tracking": False}
ODD = {
    "an object": call(arguments=OBJECT),
    "an id that is a number": call(call_id=0),
    "no id": {"type": "function", "function": {"name": "get_order_status", "arguments": LOOK_UP}},
    "an id that is null": call(call_id=None),
    "JSON twice": call(arguments=json.dumps(LOOK_UP)),
    "a dict of Python's": call(arguments="{'order_id': 'ORD-10234', 'include_tracking': False,}"),
    "a fence": call(arguments=f"```json\n{LOOK_UP}\n```"),
    "the same twice": call(arguments=LOOK_UP * 2),
    "a mark behind it": call(arguments=f"{LOOK_UP}</tool_call>"),
    "a flat call": {"id": "a", "name": "get_order_status", "arguments": OBJECT},
    "no type": {"id": "a", "function": {"name": "get_order_status", "arguments": LOOK_UP}},
    "a wrapped name": call("functions.get_order_status"),
    "another wrapped name": call("default_api:get_order_status"),
    "a name with marks": call("get_order_status<|channel|>commentary"),
    "a name in quotes": call('"get_order_status"'),
    "a name with brackets": call("get_order_status()"),
    "a name with dashes": call("get-order-status"),
    "a name with a server's": call("mcp__shop__get_order_status"),
    "a name in camel case": call("getOrderStatus"),
    "a name as a title": call("Get Order Status"),
    "arguments in a list": call(arguments=[OBJECT]),
    "a missing optional argument": call(arguments='{"order_id": "ORD-10234"}'),
    "calls in a call": call(
        "multi_tool_use.parallel",
        {"tool_uses": [{"recipient_name": "functions.get_order_status", "parameters": OBJECT}]},
    ),
}


@pytest.mark.parametrize("kind", ODD)
async def test_calls_as_servers_write_them(world: World, kind: str) -> None:
    """A call in an odd shape is the call that it means."""
    async with talking(world, lambda body: says(GOOD) if has_result(body) else calls(ODD[kind]), "hello") as (_, all_):
        assert "*Order ORD-10234*" in all_[0]
    assert [row["status"] for row in world.rows("SELECT status FROM tool_calls")] == ["succeeded"]


async def test_a_single_call(world: World) -> None:
    """A call that is not in a list, or in the field of old, is a call."""
    old = completion({"content": None, "function_call": {"name": "get_order_status", "arguments": LOOK_UP}})
    text = completion({"role": "assistant", "tool_calls": json.dumps([call()])})
    turns = iter(
        (completion({"role": "assistant", "tool_calls": call()}), says("One."), old, says("Two."), text, says("3."))
    )
    async with talking(world, lambda _: next(turns), "hello", "again", "and again", BOT_SORTING=False) as (_, answers):
        assert all("*Order ORD-10234*" in answer for answer in answers)


@pytest.mark.parametrize("arguments", ["", None, " ", {}, "null"])
async def test_no_arguments(world: World, arguments: Any) -> None:
    """A tool that needs no arguments is called with none, however none are written."""
    wanted = call("find_orders", arguments)
    async with talking(world, lambda body: says(GOOD) if has_result(body) else calls(wanted), "my orders?"):
        pass
    assert [row["status"] for row in world.rows("SELECT status FROM tool_calls")] == ["succeeded"]


@pytest.mark.parametrize("arguments", ["", None, " ", "null", "{}</tool_call>"])
async def test_no_arguments_of_a_request(world: World, arguments: Any) -> None:
    """A request that needs no arguments waits for a person's yes, however none are written."""
    world.deliver_all()
    wanted = call("delete_account", arguments)
    async with talking(world, lambda body: says(GOOD) if has_result(body) else calls(wanted), "delete me"):
        pass
    assert [row["status"] for row in world.rows("SELECT status FROM tool_calls")] == ["pending"]


async def test_one_odd_call_of_several(world: World) -> None:
    """What cannot be understood costs its own call: its sibling runs, and each is answered."""
    odd: tuple[Any, ...] = (None, 7, {}, call(arguments=[1]), call(name=None), call(arguments=3.5))
    turn = calls(*odd, call(call_id="call_9"))
    async with talking(world, lambda body: says(GOOD) if has_result(body) else turn, "hello") as (server, answers):
        assert "*Order ORD-10234*" in answers[0]
    kept = world.rows("SELECT status FROM tool_calls ORDER BY position")
    assert [row["status"] for row in kept] == ["rejected"] * 4 + ["succeeded"]
    assert sum(message["role"] == "tool" for message in server.asked[-1]["messages"]) == 5


CONTENTS: dict[str, Any] = {
    "parts": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Hello."}],
    "strings": ["Hel", "lo."],
    "an object": {"type": "text", "text": "Hello."},
    "a value": [{"type": "output_text", "text": {"value": "Hello."}}],
}


@pytest.mark.parametrize("kind", CONTENTS)
async def test_content_in_parts(world: World, kind: str) -> None:
    """An answer in parts is its words, without the thoughts among them."""
    async with talking(world, lambda _: completion({"content": CONTENTS[kind]}), "hello") as (_, answers):
        assert answers == ["Hello."]


END = 'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}'
BROKEN = {
    "no end": 'data: {"choices": [{"delta": {"content": "It is"}}]}',
    "no words": "data: [DONE]",
    "an end alone": END,
}


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
async def test_stream_that_breaks_off(world: World, sent: str) -> None:
    """An answer of which the end is missing is none; who loses ends, or calls, is not asked to stream again."""

    def answer(body: Body) -> Raw:
        if not has_result(body):
            return calls(call())
        return Raw(f"{sent}\n\n", "text/event-stream") if body["stream"] else says(GOOD)

    async with talking(world, answer, "where is it?", "and now?") as (server, replies):
        assert [GOOD in reply for reply in replies] == [True, True]
    assert [body["stream"] for body in server.asked if has_result(body)] == [True, False, False]


async def test_server_that_does_not_stream(world: World) -> None:
    """A server that refuses a parameter of streams by name is not asked to stream any more."""

    def answer(body: Body) -> Raw:
        if "stream_options" in body:
            return refusal(400, {"error": {"message": "Unrecognized request argument supplied: stream_options"}})
        return says(GOOD) if has_result(body) else calls(call())

    async with talking(world, answer, "where is it?", "and now?") as (server, replies):
        assert [GOOD in reply for reply in replies] == [True, True]
    assert [body["stream"] for body in server.asked if has_result(body)] == [True, False, False]


async def test_server_that_only_streams(world: World) -> None:
    """A server that gives no answer but as a stream is asked for one from then on, and its calls are made."""
    refused: list[bool] = []

    def answer(body: Body) -> Raw:
        refused.append(not body["stream"])
        if refused[-1]:
            return refusal(400, {"error": {"message": "This model only support stream mode, please enable the stream"}})
        delta = {"content": GOOD} if has_result(body) else {"tool_calls": [call() | {"index": 0}]}
        return Raw(f"data: {json.dumps({'choices': [{'delta': delta}]})}\n\n{END}\n\n", "text/event-stream")

    async with talking(world, answer, "where is it?", "and now?", BOT_SORTING=False) as (_, replies):
        assert [reply.startswith(GOOD) for reply in replies] == [True, True]
        assert "*Order ORD-10234*" in replies[0]
    assert refused == [True, False, False, False, False]
