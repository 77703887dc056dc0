"""The OpenAI endpoint, asked by the real `openai` client."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Literal

import openai
import pytest
from aiohttp import web
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel

from bot.testing.openai import Answer, CompletionsServer, Failure, Model, Request, ToolCall, add_routes, text_of
from bot.testing.serving import serving

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
TWO_CALLS = Answer(
    tool_calls=(
        ToolCall("call_a", "Look", '{"order_id": "ORD-10234", "deep": true}'),
        ToolCall("call_b", "Look", '{"order_id": "ORD-10235", "deep": false}'),
    )
)


class Look(BaseModel):
    """Look an order up."""

    order_id: str
    deep: bool


class Mood(BaseModel):
    """An answer with a shape."""

    mood: Literal["good", "bad"]
    note: str | None


LOOK = openai.pydantic_function_tool(Look)


@asynccontextmanager
async def talking_to(model: Model, *, retries: int = 0) -> AsyncIterator[tuple[AsyncOpenAI, CompletionsServer]]:
    """Connect the real client to a server that plays this model."""
    async with (
        CompletionsServer(model) as server,
        AsyncOpenAI(api_key="none", base_url=server.url, max_retries=retries) as client,
    ):
        yield client, server


async def test_text() -> None:
    """A text is one choice that stopped, with usage, a model name and an id of the request."""
    async with talking_to(lambda _: Answer("Good day to you.")) as (client, server):
        completion = await client.chat.completions.create(model="any", messages=HELLO)
    choice = completion.choices[0]
    assert (choice.message.role, choice.message.content, choice.finish_reason) == (
        "assistant",
        "Good day to you.",
        "stop",
    )
    assert completion.model == "scripted-model"
    assert completion._request_id  # noqa: SLF001 - the client's documented name for it
    assert completion.usage
    assert completion.usage.completion_tokens == 4
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + 4
    assert server.requests[0].messages == ({"role": "user", "content": "Hello"},)


async def test_tool_calls() -> None:
    """Calls arrive in order with their ids and arguments, and the turn finishes with `tool_calls`."""
    async with talking_to(lambda _: TWO_CALLS) as (client, server):
        completion = await client.chat.completions.create(model="any", messages=HELLO, tools=[LOOK])
    choice = completion.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    assert [call.to_dict() for call in choice.message.tool_calls or []] == [
        {"id": call.id, "type": "function", "function": {"name": "Look", "arguments": call.arguments}}
        for call in TWO_CALLS.tool_calls
    ]
    assert server.requests[0].tool_names == {"Look"}


async def test_ids_are_unique() -> None:
    """A call without an id is sent with one that no other call has."""
    twice = Answer(tool_calls=(ToolCall("", "Look", "{}"), ToolCall("", "Look", "{}")))
    async with talking_to(lambda _: twice) as (client, _):
        turns = [await client.chat.completions.create(model="any", messages=HELLO, tools=[LOOK]) for _ in range(2)]
    ids = [call.id for turn in turns for call in turn.choices[0].message.tool_calls or []]
    assert len(set(ids)) == 4


async def test_finish_reason() -> None:
    """A finish reason that is given is sent, half-written calls included."""
    cut = Answer(tool_calls=(ToolCall("call_a", "Look", '{"order_id": "ORD-1'),), finish_reason="length")
    async with talking_to(lambda _: cut) as (client, _):
        completion = await client.chat.completions.create(model="any", messages=HELLO, tools=[LOOK])
        assert completion.choices[0].finish_reason == "length"
        with pytest.raises(openai.LengthFinishReasonError):
            await client.chat.completions.parse(model="any", messages=HELLO, tools=[LOOK])


@pytest.mark.parametrize("text", ["", " ", "One", "Two words", " a  b\n\nc ", "Fünf 😀 Zeichen"])
async def test_stream_text(text: str) -> None:
    """A streamed text adds up to what was answered, whitespace included."""
    async with talking_to(lambda _: Answer(text)) as (client, _):
        stream = await client.chat.completions.create(model="any", messages=HELLO, stream=True)
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == text
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == "stop"
    assert len({chunk.id for chunk in chunks}) == 1


async def test_stream_tool_calls() -> None:
    """Streamed calls begin with id and name, go on with pieces of their arguments, and add up."""
    async with talking_to(lambda _: TWO_CALLS) as (client, _):
        stream = await client.chat.completions.create(model="any", messages=HELLO, tools=[LOOK], stream=True)
        deltas = [call for chunk in [c async for c in stream] for call in chunk.choices[0].delta.tool_calls or []]
        async with client.chat.completions.stream(model="any", messages=HELLO, tools=[LOOK]) as events:
            final = await events.get_final_completion()
    first = [delta for delta in deltas if delta.index == 0]
    assert (first[0].id, first[0].function and first[0].function.arguments) == ("call_a", "")
    assert len(first) > 2
    assert not any(delta.id for delta in first[1:])
    parsed = [call.function.parsed_arguments for call in final.choices[0].message.tool_calls or []]
    assert parsed == [Look(order_id="ORD-10234", deep=True), Look(order_id="ORD-10235", deep=False)]
    assert final.choices[0].finish_reason == "tool_calls"


async def test_stream_usage() -> None:
    """Usage is streamed in a last chunk without choices, and only to those who ask for it."""
    async with talking_to(lambda _: Answer("Three words here")) as (client, _):
        plain = await client.chat.completions.create(model="any", messages=HELLO, stream=True)
        assert not [chunk for chunk in [c async for c in plain] if chunk.usage or not chunk.choices]
        counted = await client.chat.completions.create(
            model="any", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in counted]
    assert [bool(chunk.usage) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].choices == []
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens == 3


async def test_structured_output() -> None:
    """`parse` gets its model from the text, and a refusal as a refusal, streamed or not."""
    answers = iter([Answer('{"mood": "good", "note": null}'), Answer(refusal="Not that."), Answer(refusal="Not that.")])
    async with talking_to(lambda _: next(answers)) as (client, server):
        parsed = await client.chat.completions.parse(model="any", messages=HELLO, response_format=Mood)
        refused = await client.chat.completions.parse(model="any", messages=HELLO, response_format=Mood)
        async with client.chat.completions.stream(model="any", messages=HELLO, response_format=Mood) as events:
            streamed = await events.get_final_completion()
    assert parsed.choices[0].message.parsed == Mood(mood="good", note=None)
    assert (refused.choices[0].message.refusal, refused.choices[0].message.parsed) == ("Not that.", None)
    assert streamed.choices[0].message.refusal == "Not that."
    assert (server.requests[0].response_format or {})["json_schema"]["name"] == "Mood"


async def test_models() -> None:
    """The list of models names the one that answers."""
    async with talking_to(lambda _: Answer("Hi")) as (client, _):
        assert [model.id async for model in client.models.list()] == ["scripted-model"]


async def test_own_application() -> None:
    """The routes live in an application that serves other things too."""
    app = web.Application()
    add_routes(app, lambda _: Answer("Hi"), "offline-model")
    async with serving(app) as url, AsyncOpenAI(api_key="none", base_url=f"{url}/v1") as client:
        completion = await client.chat.completions.create(model="any", messages=HELLO)
    assert completion.model == "offline-model"


async def test_waiting_answer() -> None:
    """An answer may be awaited, and a client that gives up does not hold the server open."""
    given_up = asyncio.Event()

    async def never(_: Request) -> Answer:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()
        return Answer("Too late")

    async with talking_to(never) as (client, _):
        with pytest.raises(openai.APITimeoutError):
            await client.chat.completions.create(model="any", messages=HELLO, timeout=0.05)
        await asyncio.wait_for(given_up.wait(), 5)


async def test_delay() -> None:
    """A delayed answer comes after its delay."""
    async with talking_to(lambda _: Answer("Hi", delay=0.02)) as (client, _):
        started = asyncio.get_running_loop().time()
        await client.chat.completions.create(model="any", messages=HELLO)
        assert asyncio.get_running_loop().time() - started >= 0.02


FAILURES: list[tuple[Failure, type[openai.APIStatusError], str | None]] = [
    (Failure(400, "context_length_exceeded", "Too long."), openai.BadRequestError, "invalid_request_error"),
    (Failure(401, "invalid_api_key", "Incorrect API key."), openai.AuthenticationError, "invalid_request_error"),
    (Failure(404, "model_not_found"), openai.NotFoundError, "invalid_request_error"),
    (Failure(429, "rate_limit_exceeded"), openai.RateLimitError, "requests"),
    (Failure(429, "insufficient_quota"), openai.RateLimitError, "insufficient_quota"),
    (Failure(500), openai.InternalServerError, "server_error"),
    (Failure(503, message="Overloaded."), openai.InternalServerError, "server_error"),
]


@pytest.mark.parametrize(("failure", "error", "kind"), FAILURES, ids=lambda value: getattr(value, "code", None))
async def test_failure(failure: Failure, error: type[openai.APIStatusError], kind: str) -> None:
    """A failure reaches the client as the error of its status, with code, type, message and request id."""
    async with talking_to(lambda _: failure) as (client, _):
        with pytest.raises(error) as raised:
            await client.chat.completions.create(model="any", messages=HELLO)
    assert (raised.value.status_code, raised.value.code, raised.value.type) == (failure.status, failure.code, kind)
    assert failure.message in raised.value.message
    assert raised.value.request_id


async def test_retry() -> None:
    """The client's own retries are heard, and see the headers of the failure."""
    limited = Failure(429, "rate_limit_exceeded", headers={"Retry-After-Ms": "1"})
    answers: Iterator[Answer | Failure] = iter([limited, Answer("At last")])
    async with talking_to(lambda _: next(answers), retries=1) as (client, server):
        completion = await client.chat.completions.create(model="any", messages=HELLO)
    assert completion.choices[0].message.content == "At last"
    assert len(server.requests) == 2


def test_text_of() -> None:
    """The text of a message is read from a string, from parts or from nothing."""
    assert text_of({"content": "one"}) == "one"
    assert text_of({"content": [{"type": "text", "text": "one"}, {"type": "image_url"}, {"text": "two"}]}) == "one  two"
    assert text_of({"content": None}) == ""


def test_tool_choice() -> None:
    """Only the tools that the choice allows may be called."""
    tools = tuple({"type": "function", "function": {"name": name}} for name in "ab")
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [tools[1]]}}
    for choice, names in (("auto", {"a", "b"}), ("none", set()), (allowed, {"b"})):
        assert Request("any", (), tools, None, {"tool_choice": choice}).tool_names == names
