"""What the OpenAI endpoint refuses and what it lets through, sent without the client's own care."""

from typing import Any

import aiohttp
import openai
import pytest
from pydantic import BaseModel

from bot.testing.openai import Answer, CompletionsServer


class Look(BaseModel):
    """Look an order up."""

    order_id: str
    deep: bool


async def post(url: str, body: object) -> tuple[int, dict[str, Any]]:
    """Send a body that the real client would not."""
    async with aiohttp.ClientSession() as session, session.post(f"{url}/chat/completions", json=body) as response:
        return response.status, await response.json()


def function(**schema: object) -> dict[str, object]:
    """Describe a strict tool by its schema."""
    return {"type": "function", "function": {"name": "look", "strict": True, "parameters": schema}}


def strict(**properties: object) -> dict[str, object]:
    """Describe a strict tool by the properties of its arguments."""
    return function(type="object", properties=properties, required=list(properties), additionalProperties=False)


def called(*ids: str, name: str = "look") -> dict[str, object]:
    """Write an assistant's message that calls a tool, once for each id."""
    calls = [{"id": id_, "type": "function", "function": {"name": name, "arguments": "{}"}} for id_ in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def told(id_: str) -> dict[str, object]:
    """Write a tool's message."""
    return {"role": "tool", "tool_call_id": id_, "content": "{}"}


USER = {"role": "user", "content": "Hello"}
TEXT = {"type": "string"}
OPEN = {"type": "object"}
REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "no messages": ({"messages": []}, "empty array"),
    "messages missing": ({"messages": None}, "Missing required parameter: 'messages'"),
    "messages no list": ({"messages": "Hello"}, "expected an array"),
    "message no object": ({"messages": ["Hello"]}, "expected an object"),
    "no model": ({"model": None}, "you must provide a model parameter"),
    "unknown role": ({"messages": [{"role": "robot", "content": "Hi"}]}, "Invalid value: 'robot'"),
    "user says null": ({"messages": [{"role": "user", "content": None}]}, "expected a string, got null"),
    "assistant says nothing": ({"messages": [{"role": "assistant", "content": None}]}, "expected a string, got null"),
    "no calls in calls": ({"messages": [USER, called()]}, "Invalid 'messages[1].tool_calls': empty array"),
    "call unanswered at the end": ({"messages": [USER, called("a")]}, "did not have response messages: a"),
    "call unanswered": ({"messages": [USER, called("a", "b"), told("a"), USER]}, "did not have response messages: b"),
    "answered too late": ({"messages": [USER, called("a"), USER, told("a")]}, "did not have response messages: a"),
    "note in between": (
        {"messages": [USER, called("a"), {"role": "system", "content": "Note"}, told("a")]},
        "did not have response messages: a",
    ),
    "answer without call": ({"messages": [USER, told("a")]}, "must be a response to a preceeding message"),
    "answered twice": ({"messages": [USER, called("a"), told("a"), told("a")]}, "must be a response to"),
    "same id twice": ({"messages": [USER, called("a", "a"), told("a"), told("a")]}, "Duplicate value"),
    "id too long": ({"messages": [USER, called("a" * 41), told("a" * 41)]}, "string too long"),
    "dot in a call": ({"messages": [USER, called("a", name="multi_tool_use.parallel")]}, "not match pattern"),
    "no tools in tools": ({"tools": []}, "Invalid 'tools': empty array"),
    "tool without function": ({"tools": [{"type": "function", "name": "look"}]}, "'tools[0].function'"),
    "long name": ({"tools": [{"type": "function", "function": {"name": "a" * 65}}]}, "not match pattern"),
    "space in a name": ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "not match pattern"),
    "arguments no object": ({"tools": [function(type="string")]}, "must be a JSON Schema"),
    "open object": ({"tools": [function(type="object", properties={}, required=[])]}, "'additionalProperties'"),
    "optional property": (
        {"tools": [function(type="object", properties={"a": TEXT}, additionalProperties=False)]},
        "Missing 'a'",
    ),
    "default": ({"tools": [strict(a={"type": "string", "default": "x"})]}, "'default' is not permitted"),
    "oneOf": ({"tools": [strict(a={"oneOf": [TEXT]})]}, "'oneOf' is not permitted"),
    "untyped": ({"tools": [strict(a={"title": "A"})]}, "schema must have a 'type' key"),
    "open object inside": ({"tools": [strict(a={"type": "object"})]}, "('properties', 'a'), 'additionalProperties'"),
    "untyped items": ({"tools": [strict(a={"type": "array"})]}, "array schema missing items"),
    "fault in items": ({"tools": [strict(a={"type": "array", "items": {}})]}, "('properties', 'a', 'items')"),
    "fault in anyOf": ({"tools": [strict(a={"anyOf": [TEXT, {}]})]}, "('properties', 'a', 'anyOf', '1')"),
    "items no schema": ({"tools": [strict(a={"type": "array", "items": True})]}, "True is not a schema"),
    "words beside $ref": ({"tools": [strict(a={"$ref": "#/$defs/A", "title": "A"})]}, "$ref cannot have keywords"),
    "unknown format": ({"tools": [strict(a={"type": "string", "format": "password"})]}, "'password' is not a valid"),
    "looking ahead": ({"tools": [strict(a={"type": "string", "pattern": "^(?!a)"})]}, "may not look ahead"),
    "response format": ({"response_format": {"type": "yaml"}}, "Invalid value: 'yaml'"),
    "response format without schema": ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    "response format not strict": (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": OPEN}}},
        "Invalid schema for response_format 'a'",
    ),
    "parallel nothing": ({"parallel_tool_calls": True}, "only allowed when 'tools' are specified"),
    "choice of nothing": ({"tool_choice": "auto"}, "only allowed when 'tools' are specified"),
    "stream options without stream": ({"stream_options": {"include_usage": True}}, "only allowed when 'stream'"),
}


@pytest.mark.parametrize(("part", "words"), REFUSED.values(), ids=REFUSED.keys())
async def test_refused(part: dict[str, object], words: str) -> None:
    """What OpenAI refuses is refused with status 400, in its words, and never reaches the model."""
    async with CompletionsServer(lambda _: Answer("Hi")) as server:
        status, body = await post(server.url, {"model": "any", "messages": [USER], **part})
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")
    assert words in body["error"]["message"]
    assert server.requests == []


ACCEPTED: dict[str, dict[str, object]] = {
    "answers in another order": {"messages": [USER, called("a", "b"), told("b"), told("a"), USER]},
    "notes of the system": {"messages": [USER, called("a"), told("a"), {"role": "system", "content": "Note"}]},
    "the same id in two turns": {"messages": [USER, called("a"), told("a"), called("a"), told("a")]},
    "a refusal without text": {"messages": [USER, {"role": "assistant", "content": None, "refusal": "No."}, USER]},
    "parts of text": {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]},
    "a tool without arguments": {"tools": [{"type": "function", "function": {"name": "look"}}]},
    "a loose tool": {
        "tools": [{"type": "function", "function": {"name": "a", "parameters": {"type": "object", "default": 1}}}]
    },
    "null allowed": {"tools": [strict(a={"anyOf": [{"type": "number"}, {"type": "null"}]})], "tool_choice": "auto"},
    "what the client makes of a pydantic model": {"tools": [openai.pydantic_function_tool(Look)]},
}


@pytest.mark.parametrize("part", ACCEPTED.values(), ids=ACCEPTED.keys())
async def test_accepted(part: dict[str, object]) -> None:
    """What OpenAI accepts reaches the model."""
    async with CompletionsServer(lambda _: Answer("Hi")) as server:
        status, _ = await post(server.url, {"model": "any", "messages": [USER], **part})
    assert status == 200
    assert len(server.requests) == 1


async def test_no_json() -> None:
    """A body that is no JSON object is refused like any other fault."""
    async with CompletionsServer(lambda _: Answer("Hi")) as server, aiohttp.ClientSession() as session:
        for body in (b"", b"{", b"[]", b"\xff"):
            async with session.post(f"{server.url}/chat/completions", data=body) as response:
                assert response.status == 400
                assert "could not parse" in (await response.json())["error"]["message"]
