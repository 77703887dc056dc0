"""What a request says, taken apart: who wrote what, which notes came when, and which calls belong to one turn."""

import json
import re
from collections.abc import Iterator

from bot.testing.openai import Json, text_of

_NOTE = re.compile(r"^\[(.*)\]$")
_WROTE = re.compile(r"^\w+ wrote: ")
_NOTES_KEY = "notes_from_the_shop"
_NOTE_BEGINS = "Note from the shop: "


def apart(messages: list[Json]) -> list[Json]:
    """Return the messages with each note as a system message of its own, and words without who wrote them."""
    found: list[Json] = []
    for message in messages:
        found += _of_person(message) if message["role"] == "user" else _of_others(message, found)
    return found


def _of_person(message: Json) -> Iterator[Json]:
    lines = text_of(message).split("\n")
    while lines and (note := _NOTE.match(lines[0])):
        yield {"role": "system", "content": note[1]}
        lines = lines[1:]
    words: list[str] = []
    for line in lines:
        if words and _WROTE.match(line):
            yield {"role": "user", "content": "\n".join(words)}
            words = []
        words.append(_WROTE.sub("", line) if not words else line.removeprefix("  "))
    if words:
        yield {"role": "user", "content": "\n".join(words)}


def _of_others(message: Json, before: list[Json]) -> Iterator[Json]:
    text = text_of(message)
    if message["role"] == "tool":
        yield message
        content = _object(text)
        yield from ({"role": "system", "content": _NOTE_BEGINS + str(note)} for note in content.get(_NOTES_KEY, ()))
    elif message["role"] == "assistant" and not text and (turn := _begun(before)) and message.get("tool_calls"):
        turn["tool_calls"] = [*turn["tool_calls"], *message["tool_calls"]]  # one turn is written as one for each call
    elif not re.fullmatch(r"\(.*\)", text):  # what only stands where somebody has to have spoken
        yield {**message}


def _begun(before: list[Json]) -> Json | None:
    """Return the turn whose calls are being answered."""
    answered = before and before[-1]["role"] == "tool"
    last = next((one for one in reversed(before) if one["role"] == "assistant"), None) if answered else None
    return last if last and last.get("tool_calls") else None


def _object(text: str) -> Json:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {}
