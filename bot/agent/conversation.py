"""What a model may be given to read: a conversation in which every call is answered, cut to what it can take."""

import json
import re
from collections.abc import Iterator, Sequence

from bot.store.records import NOTE, ChatMessage

MIN_CHARACTERS = 200  # of a text, below which shortening it would leave nothing to understand
# What may stand for an order's number in our own words, at whatever shop: one word, and no sentence.
_ORDER_NUMBER = re.compile(r"#?\w[\w#./-]{0,63}")
CHARACTERS_A_TOKEN = 4  # a rough mean for English text and JSON; the cut needs no better


class ConversationError(Exception):
    """A conversation in which a call has no answer, or more than one, or in the wrong place. It must never be sent."""


def check(messages: Sequence[ChatMessage]) -> None:
    """Check that each turn's calls are answered right after it, each once and in order. Raises ConversationError."""
    waiting: list[str] = []
    for position, message in enumerate(messages):
        if message["role"] == "tool":
            if not waiting or waiting.pop(0) != message["tool_call_id"]:
                raise ConversationError(f"message {position} answers no call that waits: {message['tool_call_id']}")
        elif waiting:
            raise ConversationError(f"message {position} stands before the answers to {waiting}")
        waiting += [call["id"] for call in message.get("tool_calls", ())]
    if waiting:
        raise ConversationError(f"no answers to {waiting}")


def seen_by(user: str, messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Return the conversation for a run of this person: what others had looked up is a line that tells no result.

    What was said in the thread stays, as everybody there has read it.
    """
    seen: list[ChatMessage] = []
    asker, hidden = user, list[ChatMessage]()
    for message in messages:
        is_look_up = message["role"] == "tool" or bool(message.get("tool_calls"))
        if hidden and not is_look_up:
            seen.append(_look_ups_of(asker, hidden))
            hidden = []
        if message["role"] == "user":
            asker = message.get("name", "")
        if asker != user and is_look_up:
            hidden.append(message)
        elif asker != user and message["role"] == "assistant":
            seen.append({"role": "assistant", "content": message["content"]})  # nothing that was kept beside the words
        else:
            seen.append(message)
    return [*seen, _look_ups_of(asker, hidden)] if hidden else seen


def _look_ups_of(asker: str, messages: Sequence[ChatMessage]) -> ChatMessage:
    """Name what was called for somebody, and what of it everybody has seen: requests, by their cards."""
    called = (str(call["function"]["name"]) for message in messages for call in message.get("tool_calls", ()))
    names = dict.fromkeys(name for name in called if re.fullmatch(r"[a-z_]{1,40}", name))  # a model may write any text
    waiting = [_waiting(message["content"]) for message in messages if message["role"] == "tool"]
    facts = [f"For {asker} there were calls here: {', '.join(names)}. Their results are for {asker} alone."]
    facts += [f"Asked for: {text}" for text in waiting if text]
    return {"role": "system", "content": " ".join(facts)}


def size(messages: Sequence[ChatMessage]) -> int:
    """Estimate how many tokens the messages are."""
    return sum(len(json.dumps(message)) for message in messages) // CHARACTERS_A_TOKEN


def cut(messages: Sequence[ChatMessage], tokens: int) -> list[ChatMessage]:
    """Leave out the oldest turns of a long conversation, and say their facts in one line in their place.

    Whole turns only, from one message of a person to the next. Where it cuts depends on what was said up to there and
    so stays for many turns, which keeps the beginning of the request the same for the server's cache.
    """
    turns = list(_turns(list(_readable(messages))))
    sizes = [size(turn) for turn in turns]
    first = total = 0
    for position, tokens_of_turn in enumerate(sizes):
        total += tokens_of_turn
        if total > tokens:
            while first < position and total > tokens // 2:
                total -= sizes[first]
                first += 1
    left_out = [message for turn in turns[:first] for message in turn]
    kept = [message for turn in turns[first:] for message in turn]
    return [{"role": "system", "content": _facts(left_out)}, *kept] if left_out else kept


def shortened(messages: Sequence[ChatMessage], tokens: int) -> list[ChatMessage]:
    """Cut the conversation, and where its last turn alone is too long, the longest texts in that."""
    kept = cut(messages, tokens)
    if size(kept) <= tokens:
        return kept
    limit = max(MIN_CHARACTERS, tokens * CHARACTERS_A_TOKEN // len(kept))
    return [_shorter(message, limit) for message in kept]


def _shorter(message: ChatMessage, limit: int) -> ChatMessage:
    content = message.get("content")
    if not isinstance(content, str) or len(content) <= limit:
        return message
    beginning = content[:limit]
    if message["role"] == "tool":
        return {**message, "content": json.dumps({"beginning_of_a_long_result": beginning}, ensure_ascii=False)}
    return {**message, "content": f"{beginning}… (the rest is left out)"}


def _readable(messages: Sequence[ChatMessage]) -> Iterator[ChatMessage]:
    """Leave out what a content filter did not let through: of a person's message it is still told that it was there."""
    for message in messages:
        if not message.get("left_out"):
            yield message
        elif message["role"] == "user":
            yield {**message, "content": "(a message that the content filter did not let through)"}


def _turns(messages: Sequence[ChatMessage]) -> Iterator[list[ChatMessage]]:
    turn: list[ChatMessage] = []
    for message in messages:
        if message["role"] == "user" and turn:
            yield turn
            turn = []
        turn.append(message)
    if turn:
        yield turn


def _facts(messages: Sequence[ChatMessage]) -> str:
    """Return what must not be forgotten: orders that were looked at, and requests with their outcomes."""
    calls = [call["function"]["arguments"] for message in messages for call in message.get("tool_calls", ())]
    asked = (_order_id(arguments) for arguments in calls)
    orders = dict.fromkeys(number for number in asked if _ORDER_NUMBER.fullmatch(number))
    notes = [message["content"].removeprefix(NOTE) for message in messages if message["role"] == "system"]
    waiting = [_waiting(message["content"]) for message in messages if message["role"] == "tool"]
    parts = [f"Orders: {', '.join(orders)}."] if orders else []
    parts += [f"Asked for: {text}" for text in waiting if text]
    return " ".join(["The beginning of this conversation is left out. Its facts:", *parts, *notes])


def _order_id(arguments: str) -> str:
    try:
        content = json.loads(arguments)
    except (ValueError, RecursionError):
        return ""
    return str(content.get("order_id") or "").strip() if isinstance(content, dict) else ""


def _waiting(result: str) -> str | None:
    content = json.loads(result)
    return content["message"] if content.get("status") == "waiting_for_approval" else None
