"""How the calls in an answer are read, in whatever place and shape a server puts them."""

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from bot.model.dialect import wanted_back
from bot.model.literals import alone, as_json, parsed
from bot.model.model import RequestedCall
from bot.model.spoken import unfenced
from bot.store.records import new_id, writable

_MAX_CALLS = 50  # of one turn; the rest is dropped as if the model had not asked: it can ask again
_CALL_ID = re.compile(r"[!-~]{1,40}")  # as OpenAI takes it back
_CALLS_AS_PARTS = ("tool_use", "tool_call", "function_call")
_TYPES = (None, "", "function", *_CALLS_AS_PARTS)
_ARGUMENTS = ("arguments", "parameters", "input", "args")
_PARALLEL = "parallel"


def read_calls(message: dict[str, Any], tools: Collection[str]) -> tuple[tuple[RequestedCall, ...], dict[str, Any]]:
    """Return the calls of a message, and by their ids what the server wants back with each."""
    calls: dict[str, RequestedCall] = {}
    kept: dict[str, Any] = {}
    for call in _written_calls(message):
        function = _object(call.get("function")) or call
        # An id that stands twice could not be answered; one out of the ordinary is not sent back.
        given = str(call["id"]) if isinstance(call.get("id"), str | int) else ""
        call_id = given if _CALL_ID.fullmatch(given) and given not in calls else new_id()[:9]
        raw = next((function[key] for key in _ARGUMENTS if key in function), None)
        name = _name(function.get("name") or function.get("tool_name"), tools)
        calls[call_id] = RequestedCall(call_id, name, writable(_arguments(raw)))
        if wanted := wanted_back(call):
            kept[call_id] = wanted
        if len(calls) == _MAX_CALLS:
            break
    return tuple(calls.values()), kept


def _written_calls(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    written = message.get("tool_calls")
    if isinstance(written, str):
        written = parsed(written)
    if not written and isinstance(message.get("function_call"), dict):
        written = [{"function": message["function_call"]}]
    if not written and isinstance(message.get("content"), list):
        written = [part for part in message["content"] if _object(part).get("type") in _CALLS_AS_PARTS]
    if isinstance(written, dict) and all(isinstance(call, dict) for call in written.values()):
        written = written if "name" in written or "function" in written else list(written.values())
    for call in [written] if isinstance(written, dict) else written if isinstance(written, list) else ():
        if not isinstance(call, dict) or not (call.get("type") in _TYPES or _object(call.get("function"))):
            continue
        inner = _object(call.get("function"))
        if str(inner.get("name")).rpartition(".")[2] == _PARALLEL:
            yield from _uses(inner)
        else:
            yield call


def _uses(wrapper: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Read the calls out of one of `multi_tool_use.parallel`, which models write in place of several."""
    try:
        uses = json.loads(_arguments(wrapper.get("arguments"))).get("tool_uses")
    except (ValueError, AttributeError, RecursionError):
        uses = None
    found = [use for use in uses if isinstance(use, dict)] if isinstance(uses, list) else []
    for use in found:
        yield {"function": {"name": use.get("recipient_name") or use.get("name"), "arguments": use.get("parameters")}}
    if not found:
        yield {"function": wrapper}


def _name(written: Any, tools: Collection[str]) -> str:
    """Return the tool's name out of what was wrapped around it; one that cannot be sent back is made so that it can."""
    name = written if isinstance(written, str) else ""
    plain = re.sub(r"<\|.*|\(.*\)$", "", name, flags=re.DOTALL).strip(" \n\t\"'`:")
    tried = (name, plain, *re.split(r"[./:|]+|__", plain)[::-1])
    snake = (re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-\s]+", "_", one).lower() for one in tried)
    for one in (*tried, *snake):
        if one in tools:
            return one
    if len(among := set(re.findall(r"[\w-]+", name)) & set(tools)) == 1:
        return str(*among)
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "unnamed"


def _arguments(written: Any) -> str:
    """Return the arguments as JSON text: an object is written out, nothing is none, wrappings are opened."""
    if isinstance(written, list) and len(written) == 1:
        [written] = written
    if not isinstance(written, str):
        return "{}" if written is None else json.dumps(written)
    text = written.removeprefix("\ufeff")
    for _ in range(3):
        text = unfenced(text) if text.lstrip().startswith("`") else text
        try:
            inner = json.loads(text) if text.lstrip().startswith('"') else None
        except (ValueError, RecursionError):
            inner = None
        if not isinstance(inner, str):
            break
        text = inner
    if text.strip() in ("", "null", "None"):
        return "{}"
    return text if parsed(text) is not None else alone(text) or as_json(text) or text


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
