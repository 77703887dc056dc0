"""What a model may be given to read: a conversation in which every call is answered, cut to what it can take."""

import json
import re
from collections.abc import Iterator, Sequence

from bot.store.records import NOTE, Item

CHARACTERS_A_TOKEN = 4  # a rough mean for English text and JSON; the cut needs no better


class ConversationError(Exception):
    """A conversation in which a call has no answer, or more than one, or in the wrong place. It must never be sent."""


def check(items: Sequence[Item]) -> None:
    """Check that each turn's calls are answered right after it, each once and in order. Raises ConversationError."""
    waiting: list[str] = []
    for position, item in enumerate(items):
        if item["role"] == "tool":
            if not waiting or waiting.pop(0) != item["tool_call_id"]:
                raise ConversationError(f"item {position} answers no call that waits: {item['tool_call_id']}")
        elif waiting:
            raise ConversationError(f"item {position} stands before the answers to {waiting}")
        waiting += [call["id"] for call in item.get("tool_calls", ())]
    if waiting:
        raise ConversationError(f"no answers to {waiting}")


def size(items: Sequence[Item]) -> int:
    """Estimate how many tokens the items are."""
    return sum(len(json.dumps(item)) for item in items) // CHARACTERS_A_TOKEN


def cut(items: Sequence[Item], tokens: int) -> list[Item]:
    """Leave out the oldest turns of a long conversation, and say their facts in one line in their place.

    Whole turns only, from one message of a person to the next. Where it cuts depends on what was said up to there and
    so stays for many turns, which keeps the beginning of the request the same for the server's cache.
    """
    turns = list(_turns(items))
    sizes = [size(turn) for turn in turns]
    first = total = 0
    for position, tokens_of_turn in enumerate(sizes):
        total += tokens_of_turn
        if total > tokens:
            while first < position and total > tokens // 2:
                total -= sizes[first]
                first += 1
    left_out = [item for turn in turns[:first] for item in turn]
    kept = [item for turn in turns[first:] for item in turn]
    return [{"role": "system", "content": _facts(left_out)}, *kept] if left_out else kept


def _turns(items: Sequence[Item]) -> Iterator[list[Item]]:
    turn: list[Item] = []
    for item in items:
        if item["role"] == "user" and turn:
            yield turn
            turn = []
        turn.append(item)
    if turn:
        yield turn


def _facts(items: Sequence[Item]) -> str:
    """Return what must not be forgotten: orders that were looked at, and requests with what became of them."""
    calls = [call["function"]["arguments"] for item in items for call in item.get("tool_calls", ())]
    orders = dict.fromkeys(re.findall(r"ORD-\d{1,12}\b", " ".join(calls)))
    notes = [item["content"].removeprefix(NOTE) for item in items if item["role"] == "system"]
    waiting = [_waiting(item["content"]) for item in items if item["role"] == "tool"]
    parts = [f"Orders: {', '.join(orders)}."] if orders else []
    parts += [f"Asked for: {text}" for text in waiting if text]
    return " ".join(["The beginning of this conversation is left out. Its facts:", *parts, *notes])


def _waiting(output: str) -> str | None:
    content = json.loads(output)
    return content["message"] if content.get("status") == "waiting_for_approval" else None
