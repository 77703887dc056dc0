"""What a conversation bears out: the requests that wait or have come to their end, and orders as the shop has them."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.store.records import NOTE, ChatMessage

ASKED = "Asked for: "  # what begins a line of facts that tells of a request
MAX_FACTS = 4
_OF_NOTES = {
    "Refund": {"money"},
    "Return": {"money"},
    "Exchange": {"money", "change"},
    "Cancellation": {"money", "cancel"},
    "Deletion": {"delete", "cancel"},
    "Change": {"change", "money"},
}
_OF_STATES = {
    "cancelled": {"money", "cancel"},
    "canceled": {"money", "cancel"},
    "refunded": {"money"},
    "returned": {"money"},
    "deleted": {"delete"},
    "closed": {"delete", "cancel"},
}
_WAITS, _DONE = " waits until ", re.compile(r"\band done\b|\bhas done it\b")
_FAILED_SINCE = "but has failed since"
_MIN_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Ground:
    """What bears a claim out: a request that waits or was made, or an order as the shop has it, with its words.

    Of a tool of somebody else's nobody knows the deeds.
    """

    deeds: frozenset[str] | None
    is_done: bool
    text: str


def grounds(messages: Sequence[ChatMessage]) -> Iterator[Ground]:
    """Find what a conversation bears out, without what has failed since it was done."""
    for waiting in _waiting(messages):
        yield Ground(_of_summary(waiting), is_done=False, text=waiting)
    failed = _failed_since(messages)
    for place, message in enumerate(messages):
        if place in failed:
            continue
        if message["role"] == "system" and _DONE.search(message["content"]):
            yield Ground(_of_summary(message["content"]), is_done=True, text=message["content"])
        for result in objects(message["content"]) if message["role"] == "tool" else ():
            if deeds := _of_result(result):
                yield Ground(deeds, is_done=True, text=json.dumps(result))


def _failed_since(messages: Sequence[ChatMessage]) -> set[int]:
    """Return where a note tells something as done that a later one says has failed since."""
    failed, places = set[str](), set[int]()
    for place, message in reversed([*enumerate(messages)]):
        if message["role"] == "system":
            what = message["content"].partition(": ")[0]
            if _FAILED_SINCE in message["content"]:
                failed.add(what)
            elif what in failed:
                places.add(place)
    return places


def _waiting(messages: Sequence[ChatMessage]) -> list[str]:
    """List the requests that wait, by what the model was told of each; of the others a note has told the end."""
    waiting: list[str] = []
    for message in messages:
        content = str(message.get("content") or "")
        if message["role"] == "tool":
            results = (one for one in objects(content) if one.get("status") == "waiting_for_approval")
            waiting += [str(one.get("message") or "") for one in results]
        elif message["role"] == "system":
            waiting += [f"{part.partition('. ')[0]}." for part in content.split(ASKED)[1:]]
            told = content.removeprefix(NOTE)
            waiting = [one for one in waiting if not told.startswith(f"{one.partition(_WAITS)[0]}:")]
    return list(dict.fromkeys(waiting))


def facts(messages: Sequence[ChatMessage]) -> list[str]:
    """List how the requests stand: those that wait and, the latest, those that have come to their end."""
    notes = [str(one["content"]) for one in messages if one["role"] == "system" and one["content"].startswith(NOTE)]
    ended = [note.removeprefix(NOTE) for note in notes]
    facts = [*ended, *(one for one in _waiting(messages) if one)][-MAX_FACTS:]
    return [fact if fact.endswith(".") else f"{fact}." for fact in facts]


def _of_summary(text: str) -> frozenset[str] | None:
    """Return the deeds that a summary of ours is about; None when that is not known."""
    words = {word for word in _OF_NOTES if re.search(rf"\b{word}\b", text)}
    return frozenset(deed for word in words for deed in _OF_NOTES[word]) if words else None


def _of_result(result: dict[str, Any]) -> frozenset[str]:
    refunded = result.get("refunded")
    given_back = isinstance(refunded, str) and re.search(r"[1-9]", refunded)
    return frozenset({*_OF_STATES.get(str(result.get("status")).lower(), ()), *(("money",) if given_back else ())})


def orders_in(messages: Sequence[ChatMessage]) -> frozenset[str]:
    """Return the numbers of the orders that were looked at, by their digits."""
    texts = [call["function"]["arguments"] for one in messages for call in one.get("tool_calls") or ()]
    texts += [str(one["content"]) for one in messages if one["role"] == "tool"]
    found = (str(one.get("order_id") or "") for text in texts for one in objects(text))
    digits = (re.sub(r"^\D+", "", number) for number in found)
    return frozenset(one for one in digits if len(one) >= _MIN_DIGITS)


def objects(content: str) -> Iterator[dict[str, Any]]:
    """Read a tool's result, and yield each object in it."""
    try:
        left: list[Any] = [json.loads(content)]
    except (ValueError, RecursionError):
        return
    while left:
        match left.pop():
            case dict() as found:
                yield found
                left += found.values()
            case list() as found:
                left += found
