"""How a conversation is written for the wire, so that whatever template a server has shows all of it.

One system message comes first and no other; people and the model take turns; notes and who wrote stand in the words.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.model.dialect import STAND_INS, Dialect, wanted_back
from bot.store.records import NOTE, ChatMessage

NOTES_KEY = "notes_from_the_shop"
_INTERRUPTED = "(Something new was written before I answered.)"
_LEFT_OUT = "(What was said before is left out.)"
_SHORT_ID = 9  # letters and digits: the only form that Mistral's servers take

Message = dict[str, Any]


def render(conversation: Sequence[ChatMessage], dialect: Dialect, model: str) -> list[Message]:
    """Return the messages for a server: the first message of the conversation is the instructions.

    Only what this model itself wants back with its turns goes with them.
    """
    instructions, *items = conversation
    messages: list[Message] = []
    notes: list[str] = []
    for item in items:
        match item["role"]:
            case "system":
                notes.append(f"[{item['content']}]")
            case "user":
                _add_words(messages, "\n".join([*notes, _words(item)]))
                notes = []
            case "assistant":
                _add_notes(messages, notes)
                _add_turn(messages, _turn(item, dialect, model))
                notes = []
            case _:
                messages.append({**item})
    _add_notes(messages, notes)
    split = list(_split(messages))
    if dialect.named_results:
        split = list(_with_names(split))
    written = list(_with_short_ids(split)) if dialect.short_ids else split
    if not dialect.no_system:
        return [{**instructions}, *written]
    words = [instructions["content"], *(one["content"] for one in written[:1])]
    return [{"role": "user", "content": "\n\n".join(words)}, *written[1:]]


def _words(item: ChatMessage) -> str:
    """Return what a person wrote, with their id; no line of theirs can begin like a note or like another person's."""
    if "name" not in item:
        return str(item["content"])
    said = str(item["content"]).replace(f"[{NOTE.strip()}", f"({NOTE.strip()}")
    return f"{item['name']} wrote: " + "\n  ".join(said.splitlines() or [""])


def _add_words(messages: list[Message], words: str) -> None:
    last = messages[-1] if messages else None
    if last is not None and last["role"] == "user":
        last["content"] += f"\n{words}"
        return
    if last is not None and last["role"] == "tool":
        messages.append({"role": "assistant", "content": _INTERRUPTED})
    messages.append({"role": "user", "content": words})


def _add_notes(messages: list[Message], notes: Sequence[str]) -> None:
    """Tell notes that no person's words follow: in the result before them, or else as words of their own."""
    if not notes:
        return
    if not messages or messages[-1]["role"] != "tool":
        _add_words(messages, "\n".join(notes))
        return
    told = [note[1:-1].removeprefix(NOTE) for note in notes]
    result = messages[-1]
    try:
        content = json.loads(result["content"])
    except ValueError:
        content = None
    if not isinstance(content, dict):
        content = {"result": result["content"]}
    result["content"] = json.dumps(content | {NOTES_KEY: told}, ensure_ascii=False)


def _add_turn(messages: list[Message], turn: Message) -> None:
    if not messages:
        messages.append({"role": "user", "content": _LEFT_OUT})
    last = messages[-1]
    if last["role"] != "assistant":
        messages.append(turn)
    else:
        messages[-1] = last | turn | {"content": "\n\n".join(filter(None, (last["content"], turn["content"])))}


def _turn(item: ChatMessage, dialect: Dialect, model: str) -> Message:
    turn: Message = {"role": "assistant", "content": item.get("content") or ""}
    thoughts = {key: value for key, value in STAND_INS.items() if key in dialect.stand_ins}
    if "reasoning_content" in thoughts:
        turn["reasoning_content"] = thoughts["reasoning_content"]
    if not item.get("tool_calls"):
        return turn
    if dialect.null_content:
        turn["content"] = turn["content"] or None
    kept: Mapping[str, Any] = item.get("kept") or {}
    wanted = kept if kept.get("model") == model else {}
    of_calls = wanted.get("calls") or {}
    if "thought_signature" in thoughts and not of_calls:
        of_calls = {item["tool_calls"][0]["id"]: {"extra_content": thoughts["thought_signature"]}}
    turn["tool_calls"] = [call | _taken(of_calls.get(call["id"]), dialect) for call in item["tool_calls"]]
    return turn | _taken(wanted.get("message"), dialect)


def _taken(kept: Mapping[str, Any] | None, dialect: Dialect) -> Message:
    return {key: value for key, value in (kept or {}).items() if key not in dialect.left_out}


def _split(messages: Sequence[Message]) -> Iterator[Message]:
    """Write a turn of several calls as one turn for each, with its result behind it: many templates show only one.

    A turn with signatures stays whole, since each is valid for the whole of it.
    """
    results = {position: message for position, message in enumerate(messages) if message["role"] == "tool"}
    for position, message in enumerate(messages):
        calls = message.get("tool_calls") or ()
        if len(calls) > 1 and not _is_signed(message):
            for number, call in enumerate(calls, 1):
                content = message["content"] if number == 1 else message["content"] and ""
                yield message | {"content": content, "tool_calls": [call]}
                yield results.pop(position + number)
        elif message["role"] != "tool" or position in results:
            yield message


def _is_signed(message: Message) -> bool:
    structured = [value for value in wanted_back(message).values() if not isinstance(value, str)]
    return bool(structured) or any(map(wanted_back, message["tool_calls"]))


def _with_names(messages: Sequence[Message]) -> Iterator[Message]:
    """Name the tool with each result."""
    names: dict[str, str] = {}
    for message in messages:
        names |= {call["id"]: call["function"]["name"] for call in message.get("tool_calls") or ()}
        name = names.get(message.get("tool_call_id", ""))
        yield message | {"name": name} if name else message


def _with_short_ids(messages: Sequence[Message]) -> Iterator[Message]:
    """Give calls and their results ids of nine letters and digits, unlike each other within their turn."""
    ids: dict[str, str] = {}
    for position, message in enumerate(messages):
        calls = message.get("tool_calls")
        if calls:
            ids = {call["id"]: _short(f"{position} {call['id']}") for call in calls}
            yield message | {"tool_calls": [call | {"id": ids[call["id"]]} for call in calls]}
        elif message["role"] == "tool":
            yield message | {"tool_call_id": ids.get(message["tool_call_id"], message["tool_call_id"])}
        else:
            yield message


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_SHORT_ID]
