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


NAMES = (
    "[find_orders]",
    "<find_orders>",
    "assistant<|channel|>commentary to=functions.find_orders",
    '{"name": "find_orders"}',
    "tool: find_orders",
)


@pytest.mark.parametrize("written", NAMES)
def test_name_in_its_wrapping(written: str) -> None:
    """A tool's name is found in what is wrapped around it, where it is the only one."""
    (call,) = read({"tool_calls": [{"id": "a", "function": {"name": written, "arguments": "{}"}}]}).calls
    assert call.name == "find_orders"


@pytest.mark.parametrize("written", ["find_orders_and_refund", "refund", "search find-orders or find_order"])
def test_name_of_no_tool(written: str) -> None:
    """A name that only begins like a tool's is none of it."""
    (call,) = read({"tool_calls": [{"id": "a", "function": {"name": written, "arguments": "{}"}}]}).calls
    assert call.name != "find_orders"


@pytest.mark.parametrize(
    "call",
    [
        {"id": "a", "type": "tool", "function": {"name": "find_orders", "arguments": "{}"}},
        {"id": "a", "tool_name": "find_orders", "args": {}},
        {"id": "a", "function": {"name": "find_orders", "args": "{}"}},
    ],
)
def test_call_by_other_names(call: dict[str, Any]) -> None:
    """A call is one under whatever name its type, its tool and its arguments stand."""
    (found,) = read({"tool_calls": [call]}).calls
    assert (found.name, found.arguments) == ("find_orders", "{}")


PIECE = {"choices": [{"index": 0, "delta": {"content": "Hello."}, "finish_reason": "stop"}]}
WHOLE = {"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}
BODIES = {
    "lines": json.dumps({"choices": [{"delta": {"content": ""}}]}) + "\n" + json.dumps(PIECE) + "\n",
    "one piece": json.dumps(PIECE),
    "a list": json.dumps([WHOLE]),
    "parts as text": json.dumps(
        {"choices": [{"message": {"content": json.dumps([{"type": "text", "text": "Hello."}])}}]}
    ),
}


@pytest.mark.parametrize("kind", BODIES)
def test_body(kind: str) -> None:
    """An answer in pieces, in a list or written out twice is an answer."""
    assert read_turn(BODIES[kind].encode(), asked="m", request_id=None, tools=TOOLS).text == "Hello."


@pytest.mark.parametrize("sent", ["data: {}\n\n", "{}\n{}\n"])
def test_pieces_without_an_end(sent: str) -> None:
    """An answer in pieces of which the end is missing is none, also where nobody asked for pieces."""
    body = sent.format(*[json.dumps({"choices": [{"delta": {"content": "It is"}}]})] * 2)
    with pytest.raises(ValueError, match="broke off"):
        read_turn(body.encode(), asked="m", request_id=None, tools=TOOLS)


THOUGHTS = {
    "of Gemini": [{"text": "The limit is secret.", "thought": True}, {"text": "Hello."}],
    "without a type": [{"thinking": "x", "text": "The limit is secret."}, {"text": "Hello."}],
    "with a type": [{"type": "reasoning", "text": "The limit is secret."}, {"type": "text", "text": "Hello."}],
}


@pytest.mark.parametrize("kind", THOUGHTS)
def test_thoughts_among_parts(kind: str) -> None:
    """Parts that are thoughts are not said."""
    assert read({"content": THOUGHTS[kind]}).text == "Hello."


FILTERS = ("content_filter", "PROHIBITED_CONTENT", "guardrail_intervened", "sensitive", "refusal", "RECITATION")
FAULTS = ("error", "insufficient_system_resource", "network_error", "abort", "MALFORMED_FUNCTION_CALL")


@pytest.mark.parametrize("reason", [*FILTERS, *FAULTS])
def test_half_of_an_answer(reason: str) -> None:
    """An answer that a filter or a fault has ended is none, by whatever name, and its calls are not made."""
    with pytest.raises(ValueError, match=f"(?i){reason}") as raised:
        read({"content": "Your order was del"}, reason)
    assert (isinstance(raised.value, EmptyAnswerError) and raised.value.filtered) is (reason in FILTERS)
    with pytest.raises(ValueError, match="in the middle of its calls"):
        read({"tool_calls": [CALL]}, reason)


@pytest.mark.parametrize(
    "reason", ["stop", "eos", "end_turn", "COMPLETE", "stop_sequence", "function_call", "", "unknown"]
)
def test_whole_answer(reason: str) -> None:
    """An answer that came to its end is one, by whatever name."""
    assert read({"content": "Hello."}, reason).text == "Hello."


REPORTS = (
    {"base_resp": {"status_code": 1004, "status_msg": "login fail"}, "choices": None},
    {"error_code": 110, "error_msg": "Access token invalid"},
    {"Response": {"Error": {"Code": "AuthFailure", "Message": "no"}}},
    {"success": False, "errors": [{"message": "Authentication error"}], "result": None},
    {"choices": [], "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}},
    {"detail": "Not authenticated"},
)


@pytest.mark.parametrize("body", REPORTS)
def test_error_with_status_200(body: dict[str, Any]) -> None:
    """A body without an answer that tells of an error reports it, in whatever fields."""
    with pytest.raises(ReportedError):
        read_turn(json.dumps(body).encode(), asked="m", request_id=None, tools=TOOLS)


OTHER_APIS: tuple[dict[str, Any], ...] = (
    {"model": "m", "message": {"role": "assistant", "content": "My secret."}, "done_reason": "stop", "done": True},
    {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "My secret."}], "stop_reason": "end"},
    {"candidates": [{"content": {"parts": [{"text": "My secret."}]}}], "usageMetadata": {"totalTokenCount": 3}},
    {"choices": [], "usage": {"prompt_tokens": 3}},
    {},
)


@pytest.mark.parametrize("body", OTHER_APIS)
def test_answer_of_another_api(body: dict[str, Any]) -> None:
    """An answer in the shape of another API can't be used, and none of its words are in what the log is told."""
    with pytest.raises(ValueError, match="no choice") as raised:
        read_turn(json.dumps(body).encode(), asked="m", request_id=None, tools=TOOLS)
    assert "secret" not in str(raised.value)


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


@pytest.mark.parametrize("index", [{"index": 0}, {}])
def test_calls_of_a_stream_that_counts_none(index: dict[str, int]) -> None:
    """Calls of a stream that all have one number, or none, are told apart by their ids."""
    first, second = ({**index, "id": one, "function": {"name": "find_orders", "arguments": "{"}} for one in "ab")
    more = {**index, "function": {"arguments": "}"}}
    body = events(*(delta(tool_calls=[one]) for one in (first, more, second, more)), delta("tool_calls"))
    calls = read_turn(body, asked="m", request_id=None, tools=TOOLS).calls
    assert [(call.id, call.arguments) for call in calls] == [("a", "{}"), ("b", "{}")]


def test_letters_that_end_lines_elsewhere() -> None:
    """A separator that stands raw in a text of a stream ends no line of it."""
    body = 'data: {"choices": [{"delta": {"content": "Hello.\u2028Bye.\x85"}}]}\r\n\r\ndata: [DONE]\r\n'.encode()
    assert read_turn(body, asked="m", request_id=None, tools=TOOLS).text == "Hello.\u2028Bye."


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
