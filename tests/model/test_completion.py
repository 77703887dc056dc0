"""How an answer is read: a call in whatever place it stands, no thoughts, and no half of an answer."""

import json
from typing import Any

import pytest

from bot.model.completion import EmptyAnswerError, read_turn
from bot.model.model import Turn

TOOLS = ("find_orders",)
CALL = {"id": "a", "function": {"name": "find_orders", "arguments": "{}"}}


def read(message: dict[str, Any], reason: str = "stop") -> Turn:
    """Read a turn out of a completion with this message."""
    body = {"choices": [{"message": {"role": "assistant", **message}, "finish_reason": reason}]}
    return read_turn(json.dumps(body).encode(), asked="m", request_id=None, tools=TOOLS)


CALLS: dict[str, dict[str, Any]] = {
    "a part of the content": {
        "content": [
            {"type": "text", "text": "One moment."},
            {"type": "tool_use", "id": "a", "name": "find_orders", "input": {}},
        ]
    },
    "by number": {"tool_calls": {"0": CALL}},
    "by itself": {"tool_calls": CALL},
    "flat": {"tool_calls": [{"id": "a", "name": "find_orders", "arguments": {}}]},
}


@pytest.mark.parametrize("where", CALLS)
def test_call(where: str) -> None:
    """A call is one wherever a server puts it."""
    (call,) = read(CALLS[where], "tool_calls").calls
    assert (call.id, call.name, call.arguments) == ("a", "find_orders", "{}")


THOUGHTS = {
    "of Gemini": [{"text": "The limit is secret.", "thought": True}, {"text": "Hello."}],
    "without a type": [{"thinking": "x", "text": "The limit is secret."}, {"text": "Hello."}],
    "with a type": [{"type": "reasoning", "text": "The limit is secret."}, {"type": "text", "text": "Hello."}],
}


@pytest.mark.parametrize("kind", THOUGHTS)
def test_thoughts_among_parts(kind: str) -> None:
    """Parts that are thoughts are not said."""
    assert read({"content": THOUGHTS[kind]}).text == "Hello."


@pytest.mark.parametrize(("reason", "error"), [("content_filter", EmptyAnswerError), ("error", ValueError)])
def test_half_of_an_answer(reason: str, error: type[ValueError]) -> None:
    """An answer that a filter or a fault has ended is none."""
    with pytest.raises(error, match=reason):
        read({"content": "Your order was del"}, reason)


def test_letter_that_is_none() -> None:
    """A body in which one letter is not as it should be is read without that."""
    body = '{"choices": [{"message": {"content": "H\u00e4llo Ana"}}]}'.encode("latin-1")
    assert read_turn(body, asked="m", request_id=None, tools=TOOLS).text == "H\ufffdllo Ana"
