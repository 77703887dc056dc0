"""Nothing in a turn of the model claims what nobody did, and no silence is an answer."""

import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from bot.agent import claims
from bot.agent.errors import RunError
from bot.agent.instructions import without_instructions
from bot.agent.quotes import without_quotes
from bot.model.model import Hear, Turn, Usage
from bot.store.records import NOTE, Block, ChatMessage

Ask = Callable[[Sequence[ChatMessage], Hear | None], Awaitable[Turn]]

FOUND = "Here is what I found."
STANDING = (
    "I found no words for an answer, but this is how it stands. {} If you asked something else, write “try again”."
)
MAX_LINES = 5
MAX_LINE_CHARACTERS = 300
_NO_USAGE = Usage("", None, None, None, None, None)


async def true_turn(
    ask: Ask, messages: Sequence[ChatMessage], cards: Sequence[Sequence[Block]], hear: Hear | None = None
) -> Turn:
    """Ask for the next turn of a conversation, in whose run there are these cards; only what is asked first is heard.

    A claim that nothing bears out is asked about once more with the facts, and then replaced by what is true. Where
    the model says nothing that can be used, what its look-ups have found is the answer, or else how the requests of the
    conversation stand. Raises RunError.
    """
    try:
        turn = await ask(messages, hear)
    except RunError as error:
        if error.empty and (found := _found(messages, cards)):
            return _said(found)
        if error.empty and (standing := claims.standing(messages)):
            return _said(STANDING.format(standing))
        raise
    if turn.calls or not await _is_claim(ask, turn, messages):
        return turn
    try:
        again = await ask([*messages, turn.message, _note(claims.correction(messages))], None)
    except RunError:
        return _said(claims.truth(messages))
    if again.calls or not claims.is_unfounded(without_quotes(again.text, messages), messages):
        return again
    return replace(_said(claims.truth(messages)), usage=again.usage)


async def _is_claim(ask: Ask, turn: Turn, messages: Sequence[ChatMessage]) -> bool:
    """Return whether a turn claims what nothing bears out; where words do not tell, the model says whether it does."""
    said = without_quotes(without_instructions(turn.text), messages)
    if claims.is_unfounded(said, messages):
        return True
    if not claims.is_doubtful(said, messages):
        return False
    try:
        verdict = await ask([*messages, turn.message, _note(claims.doubt(messages))], None)
    except RunError:
        return False
    return not verdict.calls and claims.is_yes(verdict.text)


def _note(words: str) -> ChatMessage:
    return {"role": "system", "content": NOTE + words}


def _said(words: str) -> Turn:
    return Turn({"role": "assistant", "content": words}, words, (), _NO_USAGE)


def _found(messages: Sequence[ChatMessage], cards: Sequence[Sequence[Block]]) -> str:
    """Return in words what the calls since the last message have come to; nothing when none of them worked."""
    results = list(_results(messages))
    waiting = [str(one.get("message")) for one in results if one.get("status") == "waiting_for_approval"]
    if waiting:
        return " ".join(dict.fromkeys(waiting))
    if cards:
        return FOUND
    lines = [line for one in results if "error" not in one for line in _lines(one)]
    return "\n".join([FOUND, *lines[:MAX_LINES]]) if lines else ""


def _results(messages: Sequence[ChatMessage]) -> Iterator[dict[str, Any]]:
    last = max((number for number, one in enumerate(messages) if one["role"] == "user"), default=0)
    for message in messages[last:]:
        if message["role"] == "tool" and isinstance(content := json.loads(message["content"]), dict):
            yield content


def _lines(result: dict[str, Any]) -> Iterator[str]:
    if isinstance(result.get("message"), str):
        yield result["message"]
    for value in result.values():
        for part in value if isinstance(value, list) else ():
            texts = [one for one in part.values() if isinstance(one, str)] if isinstance(part, dict) else []
            if texts:
                yield f"• {', '.join(texts)}"[:MAX_LINE_CHARACTERS]
