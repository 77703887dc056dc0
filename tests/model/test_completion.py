"""How an answer is read: a call in whatever place it stands, no thoughts, and no half of an answer."""

import json
from typing import Any

import pytest

from bot.model.completion import EmptyAnswerError, ReportedError, read_turn
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


def events(*pieces: object) -> bytes:
    """Write an event stream."""
    data = [json.dumps(piece) if not isinstance(piece, str) else piece for piece in pieces]
    return b": keep-alive\n\n" + "".join(f"data: {one}\n\n" for one in data).encode()


def delta(reason: str | None = None, **said: Any) -> dict[str, Any]:
    """Write a piece of a completion."""
    return {"model": "m-1", "choices": [{"index": 0, "delta": said, "finish_reason": reason}]}


def test_stream_that_nobody_asked_for() -> None:
    """A server that streams in spite of all is understood: words and calls are put together."""
    body = events(
        delta(role="assistant", content=""), delta(content="Hel"), delta(content="lo."), delta("stop"), "[DONE]"
    )
    turn = read_turn(body, asked="m", request_id=None, tools=TOOLS)
    assert (turn.text, turn.usage.model, turn.usage.finish_reason) == ("Hello.", "m-1", "stop")
    begun = {"index": 0, "id": "a", "function": {"name": "find_orders", "arguments": ""}}
    more = [{"index": 0, "function": {"arguments": part}} for part in ('{"email"', ": null}")]
    body = events(
        *(delta(tool_calls=[one]) for one in (begun, *more)), delta("tool_calls"), {"choices": [], "usage": {}}
    )
    (call,) = read_turn(body, asked="m", request_id=None, tools=TOOLS).calls
    assert (call.id, call.name, call.arguments) == ("a", "find_orders", '{"email": null}')


def test_events_that_are_none() -> None:
    """A whole completion behind comments is read, an error in an event is one, and half of an event is no answer."""
    whole = {"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}
    commented = b": processing\n\n" + json.dumps(whole).encode()
    assert read_turn(commented, asked="m", request_id=None, tools=TOOLS).text == "Hello."
    assert read_turn(events(whole), asked="m", request_id=None, tools=TOOLS).text == "Hello."
    with pytest.raises(ReportedError):
        read_turn(events({"error": {"message": "overloaded"}}), asked="m", request_id=None, tools=TOOLS)
    for half in (
        b'data: {"choices": [{"del',
        b"data: [DONE]",
        b"data: 7",
        b": nothing",
        events(delta(tool_calls=[7], content=[1])),
    ):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever it says, it is no answer
            read_turn(half, asked="m", request_id=None, tools=TOOLS)
