"""How an answer of the Chat Completions API is read: nothing of its shape is taken on trust.

An odd part costs itself and nothing else: a call without a name is a call of no tool, and what is not understood of
the rest is as if it was not there.
"""

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from bot.model.calls import read_calls
from bot.model.dialect import wanted_back
from bot.model.events import is_stream, read_events
from bot.model.literals import parsed
from bot.model.model import RequestedCall, Turn, Usage
from bot.model.spoken import UnspeakableError, spoken, unfenced
from bot.model.thoughts import has_thoughts
from bot.store.records import ChatMessage, writable

_MAX_REPLAYED_CHARACTERS = 4_000
_MAX_READ_CHARACTERS = 200_000  # of a text, thoughts included
_MAX_TEXT_CHARACTERS = 20_000  # far more than anybody reads in Slack
_MAX_KEPT_CHARACTERS = 60_000  # of thoughts and signatures that go back with a turn; half a signature is none
_CUT_OFF = re.compile(r"length|max_tokens")
_FILTERED = re.compile(r"filter|safety|sensitive|prohibit|guardrail|block|recitation|spii|refus|moderat")
_BROKEN_OFF = re.compile(r"error|abort|cancel|time.?out|resource|malformed|fail|interrupt")
_OF_A_REPORT = re.compile(r"err|code|msg|fault|block|^detail$|^message$", re.IGNORECASE)


class ReportedError(Exception):
    """An answer with status 200 that reports an error, which is its `body`."""

    def __init__(self, body: Any) -> None:
        super().__init__("an error with status 200")
        self.body = body


class EmptyAnswerError(ValueError):
    """An answer in which there is nothing that may be said; `filtered` tells whether a content filter ended it."""

    def __init__(self, reason: str | None) -> None:
        super().__init__(f"it is empty, finish reason {reason}")
        self.filtered = _FILTERED.search(reason or "") is not None


def read_turn(body: bytes, *, asked: str, request_id: str | None, tools: Collection[str] = ()) -> Turn:
    """Read a turn from a response's body, which the model `asked` gave, knowing the names of its tools.

    Raises ValueError when there is none in it that can be used, and ReportedError when it reports an error.
    """
    completion = read_completion(body)
    choice = _choice(completion)
    message = choice["message"]
    calls, kept = read_calls(message, tools)
    reason = _finish_reason(completion)
    ended = reason or ""
    if calls and any(kind.search(ended) for kind in (_CUT_OFF, _FILTERED, _BROKEN_OFF)):
        raise ValueError(f"it was cut off in the middle of its calls, finish reason {reason}")
    if _FILTERED.search(ended):
        raise EmptyAnswerError(reason)
    if _BROKEN_OFF.search(ended):
        raise ValueError(f"it broke off, finish reason {reason}")
    raw = _text(message)
    try:
        text = spoken(raw, tools)[:_MAX_TEXT_CHARACTERS]
    except UnspeakableError:
        if not calls:
            raise
        text = ""
    if not text and not calls:
        raise EmptyAnswerError(reason)
    written = _message(text, calls, _bounded(asked, wanted_back(message), kept) if calls else {})
    usage = read_usage(completion, asked=asked, request_id=request_id)
    return Turn(written, text, calls, usage, thinks_aloud=has_thoughts(raw))


def read_completion(body: bytes) -> dict[str, Any]:
    """Read a completion with at least one choice. Raises ValueError, and ReportedError when it is an error instead."""
    try:
        completion = _decoded(body)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if isinstance(completion, list) and len(completion) == 1:
        [completion] = completion
    if not isinstance(completion, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - as for all else that it may be
    choices = completion.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    reported = completion.get("error") or (first.get("error") if isinstance(first, dict) else None)
    if isinstance(first, dict) and "message" not in first and isinstance(first.get("delta"), dict):
        first["message"] = first["delta"]
    if reported or completion.get("object") == "error" or (not choices and any(_report_in(completion))):
        raise ReportedError(completion if not reported else {"error": reported})
    if not isinstance(first, dict) or not isinstance(first.get("message"), dict):
        raise ValueError("it has no choice with a message")  # noqa: TRY004 - as above
    return completion


def _report_in(completion: dict[str, Any]) -> Iterator[str]:
    """Find what in a body without an answer tells why there is none, in whatever fields."""
    for part in (completion, *completion.values()):
        for key, value in part.items() if isinstance(part, dict) else ():
            if value and _OF_A_REPORT.search(str(key)) and not (isinstance(value, dict) and "role" in value):
                yield key


def _decoded(body: bytes) -> Any:
    if is_stream(body):
        return read_events(body)
    try:
        return json.loads(body)
    except UnicodeDecodeError:  # a letter that is not as it should be costs itself
        return json.loads(body.decode("utf-8", "replace"))
    except ValueError:  # pieces, each in a line
        return read_events(body)


def read_text(completion: dict[str, Any]) -> str:
    """Return what a completion says, in a form that may be data: without thoughts, and out of its fence."""
    text = unfenced(re.sub(r"(?s)^.*</think(?:ing)?>", "", _text(_choice(completion)["message"])))
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text


def read_usage(completion: dict[str, Any], *, asked: str, request_id: str | None) -> Usage:
    """Read what a completion cost; what is no count is not known."""
    usage = _object(completion.get("usage"))
    name = completion.get("model")
    return Usage(
        model=writable(name) if isinstance(name, str) and name else asked,
        finish_reason=_finish_reason(completion),
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        cached_tokens=_count(_object(usage.get("prompt_tokens_details")).get("cached_tokens")),
        request_id=request_id,
    )


def _choice(completion: dict[str, Any]) -> dict[str, Any]:
    choice: dict[str, Any] = completion["choices"][0]
    return choice


def _finish_reason(completion: dict[str, Any]) -> str | None:
    reason = _choice(completion).get("finish_reason")
    return writable(reason).lower()[:100] if isinstance(reason, str) else None


def _count(number: Any) -> int | None:
    return number if isinstance(number, int) and 0 <= number < 2**31 else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(message: dict[str, Any]) -> str:
    said = _words(message.get("content")) or _words(message.get("refusal"))
    return writable(said[:_MAX_READ_CHARACTERS]).strip()


def _words(content: Any) -> str:
    """Read text that may come in parts; thoughts among them are none of it."""
    match content:
        case str():
            return _words(parts) if content.startswith("[{") and _are_parts(parts := parsed(content)) else content
        case list():
            return "".join(map(_words, content))
        case dict() if any(content.get(key) for key in ("thought", "thinking", "reasoning")):
            return ""
        case {"type": str(kind)} if kind not in ("text", "output_text", "refusal", "input_text"):
            return ""
        case {"text": words} | {"refusal": words} | {"value": words} | {"content": words} | {"parts": words}:
            return _words(words)
    return ""


def _are_parts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(_object(one).get("text"), str) and "type" in one for one in value)


def _bounded(model: str, of_message: dict[str, Any], of_calls: dict[str, Any]) -> dict[str, Any]:
    """Keep what the server wants back, with whose it is; too much of it is kept for the calls alone, or not at all."""
    for message in (of_message, {}):
        kept = {"model": model, "message": message, "calls": of_calls}
        if (message or of_calls) and len(json.dumps(kept)) <= _MAX_KEPT_CHARACTERS:
            return json.loads(writable(json.dumps(kept, ensure_ascii=False)))  # type: ignore[no-any-return]
    return {}


def _message(text: str, calls: tuple[RequestedCall, ...], kept: dict[str, Any]) -> ChatMessage:
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _replayable(call)}}
            for call in calls
        ]
    return message | ({"kept": kept} if kept else {})


def _replayable(call: RequestedCall) -> str:
    """Give the arguments back as they were, unless a server could not read them: some parse what they are sent."""
    try:
        readable = len(call.arguments) <= _MAX_REPLAYED_CHARACTERS and isinstance(json.loads(call.arguments), dict)
    except (ValueError, RecursionError):
        readable = False
    return call.arguments if readable else "{}"
