"""How an answer of the Chat Completions API is read: nothing of its shape is taken on trust."""

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from bot.model.model import RequestedCall, Turn, Usage
from bot.store.records import ChatMessage, new_id, writable

_MAX_REPLAYED_CHARACTERS = 4_000
_MAX_CALLS = 50  # of one turn; the rest is dropped as if the model had not asked: it can ask again
_MAX_TEXT_CHARACTERS = 20_000  # far more than anybody reads in Slack
_CALL_ID = re.compile(r"[!-~]{1,40}")  # as OpenAI takes it back


def read_turn(body: bytes, *, asked: str, request_id: str | None) -> Turn:
    """Read a turn from a response's body, which the model `asked` gave. Raises ValueError when there is none in it."""
    try:
        completion = _Completion.model_validate(json.loads(body))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not completion.choices:
        raise ValueError("it has no choice")
    choice = completion.choices[0]
    message = choice.message
    # Calls of a turn that was cut off may be half-written: none of them is run.
    calls = _calls(message.tool_calls or ()) if choice.finish_reason not in ("length", "content_filter") else ()
    text = (message.content or message.refusal or "").strip()[:_MAX_TEXT_CHARACTERS]
    if not text and not calls:
        raise ValueError(f"it is empty, finish reason {choice.finish_reason}")
    return Turn(_message(text, calls), text, calls, read_usage(completion, asked=asked, request_id=request_id))


def read_usage(completion: object, *, asked: str, request_id: str | None) -> Usage:
    """Read what a completion cost: ours, or one of the SDK's. Raises ValueError."""
    read = _Completion.model_validate(completion, from_attributes=True)
    spent = read.usage or _Spent()
    return Usage(
        model=read.model or asked,
        finish_reason=read.choices[0].finish_reason if read.choices else None,
        prompt_tokens=spent.prompt_tokens,
        completion_tokens=spent.completion_tokens,
        cached_tokens=spent.prompt_tokens_details.cached_tokens if spent.prompt_tokens_details else None,
        request_id=request_id,
    )


def _count(number: Any) -> int | None:
    return number if isinstance(number, int) and 0 <= number < 2**31 else None


def _functions(calls: Any) -> Any:
    """Leave out calls of other kinds than functions."""
    if not isinstance(calls, list):
        return calls
    return [one for one in calls if not isinstance(one, dict) or one.get("type") in (None, "function")]


_Text = Annotated[str, BeforeValidator(lambda text: writable(text) if isinstance(text, str) else text)]
_Count = Annotated[int | None, BeforeValidator(_count)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Function(_Shape):
    name: _Text | None = None
    arguments: _Text | None = None


class _Call(_Shape):
    function: _Function
    id: _Text | None = None


class _Message(_Shape):
    content: _Text | None = None
    refusal: _Text | None = None
    tool_calls: Annotated[tuple[_Call, ...] | None, BeforeValidator(_functions)] = None


class _Choice(_Shape):
    message: _Message
    finish_reason: _Text | None = None


class _Details(_Shape):
    cached_tokens: _Count = None


class _Spent(_Shape):
    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    prompt_tokens_details: _Details | None = None


class _Completion(_Shape):
    choices: tuple[_Choice, ...]
    model: _Text | None = None
    usage: _Spent | None = None


def _calls(written: Sequence[_Call]) -> tuple[RequestedCall, ...]:
    calls: dict[str, RequestedCall] = {}
    for call in written[:_MAX_CALLS]:
        # An id that stands twice could not be answered; one out of the ordinary, or a name with a dot, not sent back.
        ordinary = call.id and _CALL_ID.fullmatch(call.id) and call.id not in calls
        call_id = call.id if call.id and ordinary else f"call_{new_id()}"
        name = re.sub(r"[^a-zA-Z0-9_-]", "_", call.function.name or "")[:64] or "unnamed"
        calls[call_id] = RequestedCall(call_id, name, call.function.arguments or "")
    return tuple(calls.values())


def _message(text: str, calls: Sequence[RequestedCall]) -> ChatMessage:
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _replayable(call)}}
            for call in calls
        ]
    return message


def _replayable(call: RequestedCall) -> str:
    """Give the arguments back as they were, unless a server could not read them: some parse what they are sent."""
    try:
        readable = len(call.arguments) <= _MAX_REPLAYED_CHARACTERS and isinstance(json.loads(call.arguments), dict)
    except (ValueError, RecursionError):
        readable = False
    return call.arguments if readable else "{}"
