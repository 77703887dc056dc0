"""What of an answer are the shop's own words: sentences of the help articles, which claim nothing of this customer."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.store.records import ChatMessage

HELP = "search_help"
MIN_LETTERS = 20
_BETWEEN = re.compile(r"(?<=[.!?:])\s+|\n+")
_WITHIN = re.compile(r"(?<![.!?:*])\n(?=[a-z])")  # a sentence goes on in the next line


def without_quotes(text: str, messages: Sequence[ChatMessage]) -> str:
    """Return the text without headings and sentences that stand word for word in an article found for it."""
    sections = list(_sections(messages))
    headings = {_letters(str(one.get(part))) for one in sections for part in ("title", "section")}
    articles = " ".join(_letters(str(one.get("text"))) for one in sections)

    def is_own(words: str) -> bool:
        letters = _letters(words)
        return letters not in headings and (len(letters) < MIN_LETTERS or letters not in articles)

    return "\n".join(filter(is_own, _BETWEEN.split(_WITHIN.sub(" ", text)))) if sections else text


def _letters(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())


def _sections(messages: Sequence[ChatMessage]) -> Iterator[Mapping[str, Any]]:
    asked = {
        call.get("id")
        for one in messages
        for call in one.get("tool_calls") or ()
        if call.get("function", {}).get("name") == HELP
    }
    for message in messages:
        if message["role"] == "tool" and message.get("tool_call_id") in asked:
            found = json.loads(message["content"])
            sections = found.get("sections") if isinstance(found, dict) else None
            yield from (one for one in sections or () if isinstance(one, dict))
