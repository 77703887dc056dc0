"""An answer that comes as a stream of events, asked for or not: its pieces put together, and heard one by one."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

_FIELD = re.compile(rb"\s*(?:data|event|id|retry)?:", re.ASCII)
_OVER = "[DONE]"
_END_BYTES = 40


def is_stream(body: bytes) -> bool:
    """Return whether a body is no JSON but events, or has their comments before it."""
    return _FIELD.match(body) is not None


def read_events(body: bytes) -> Any:
    """Return the completion that the events tell piece by piece, or what they tell in its place.

    Raises ValueError when there is nothing of the kind in them, or the end of it is missing.
    """
    pieces = list(_pieces(body.decode("utf-8", "replace")))
    whole = next((piece for piece in pieces if not _deltas(piece)), None)
    if whole is not None and (whole.get("choices") or not any(map(_deltas, pieces))):
        return whole
    message: dict[str, Any] = {"role": "assistant", "content": ""}
    calls: dict[str, dict[str, Any]] = {}
    told: dict[str, Any] = {}
    reason = None
    for piece in pieces:
        told |= {key: value for key, value in piece.items() if value and key != "choices"}
        for choice, delta in _deltas(piece):
            reason = choice.get("finish_reason") or reason
            _add(message, {key: value for key, value in delta.items() if key not in ("role", "tool_calls")})
            written = delta.get("tool_calls")
            for call in written if isinstance(written, list) else ():
                if isinstance(call, dict):
                    _add_call(_whole_of(call, calls), call)
    if calls:
        message["tool_calls"] = list(calls.values())
    if (calls or message["content"]) and not reason and _OVER.encode() not in body[-_END_BYTES:]:
        raise ValueError("the stream broke off")
    return told | {"choices": [{"message": message, "finish_reason": reason}]}


class Listener:
    """Follows the words of an answer in events while they come in; once a call comes in, nothing more is heard."""

    def __init__(self, hear: Callable[[str], None]) -> None:
        self._hear = hear
        self._rest = b""
        self._words = ""
        self._is_call = False

    def take(self, more: bytes) -> None:
        """Take the next bytes of the body; whether all of them are right is found when it is read as a whole."""
        *lines, self._rest = (self._rest + more).split(b"\n")
        before = len(self._words)
        for line in lines:
            with suppress(ValueError):
                self._follow(json.loads(line.removeprefix(b"data:")))
        if len(self._words) > before and not self._is_call:
            self._hear(self._words)

    def _follow(self, piece: Any) -> None:
        for _, delta in _deltas(piece) if isinstance(piece, dict) else ():
            self._is_call = self._is_call or bool(delta.get("tool_calls") or delta.get("function_call"))
            words = delta.get("content")
            self._words += words if isinstance(words, str) else ""


def _pieces(text: str) -> Iterator[dict[str, Any]]:
    """Read the data of the events; a body that only has comments before it is one piece."""
    # Only these end a line of events; others that Python knows may stand in a text.
    lines = [line for line in re.split(r"\r\n|\r|\n", text) if not line.startswith(":")]
    data = [line[len("data:") :].strip() for line in lines if line.startswith("data:")]
    for one in data or _values(lines):
        if one and one != _OVER:
            piece = json.loads(one)
            if not isinstance(piece, dict):
                raise ValueError("an event is no JSON object")
            yield piece


def _values(lines: list[str]) -> list[str]:
    """Return the one value of all the lines; where they are none, each of them may be one."""
    whole = "\n".join(lines)
    try:
        json.loads(whole)
    except ValueError:
        return lines
    return [whole]


def _deltas(piece: Mapping[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    choices = piece.get("choices")
    first = choices[:1] if isinstance(choices, list) else []
    return [(one, one["delta"]) for one in first if isinstance(one, dict) and isinstance(one.get("delta"), dict)]


def _add(whole: dict[str, Any], part: Mapping[str, Any]) -> None:
    for key, value in part.items():
        before = whole.get(key)
        whole[key] = before + value if isinstance(before, str) and isinstance(value, str) else value or before


def _whole_of(call: Mapping[str, Any], calls: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the call to which a piece belongs: some servers count all as the first, or none, but give each its id."""
    index, call_id = str(call.get("index")), call.get("id")
    before = [name for name in calls if name.partition(" ")[0] == index]
    if before and call_id in (None, "", calls[before[-1]].get("id")):
        return calls[before[-1]]
    return calls.setdefault(f"{index} {len(before)}", {})


def _add_call(whole: dict[str, Any], part: Mapping[str, Any]) -> None:
    of_function = part.get("function")
    function = whole.setdefault("function", {})
    if isinstance(of_function, dict):
        name = of_function.get("name") or function.get("name")  # told once, or again with each piece
        _add(function, {key: value for key, value in of_function.items() if key != "name"})
        function["name"] = name
    whole.update({key: value for key, value in part.items() if value and key not in ("index", "function")})
