"""What kind of request a message is, for clients that ask for structured output."""

import json

from bot.demo.offline_model import words
from bot.demo.offline_model.calls import fill
from bot.demo.offline_model.thread import Thread
from bot.store.records import QUOTED
from bot.testing.openai import Answer

_MAX_WORDS = 20


def intent(thread: Thread) -> Answer:
    """Fill in a schema whose properties are those of `CustomerIntent`, and refuse any other."""
    said = thread.said
    spoken = said.partition(QUOTED.strip())[0].split()
    schema = ((thread.request.response_format or {}).get("json_schema") or {}).get("schema") or {}
    known = {
        "category": _category(said),
        # High only for what cannot wait, as the bot's instructions have it.
        "urgency": "high" if words.HIGH.search(said) else "low" if words.LOW.search(said) else "medium",
        "order_id": next(iter(words.orders_in(said)), None),
        "summary": (" ".join(spoken[:_MAX_WORDS])[:200] + ("…" if len(spoken) > _MAX_WORDS else ""))
        or "Nothing was said.",
    }
    filled = fill(schema, known)
    if filled is None:
        return Answer(refusal="I am the demo's offline stand-in, a set of rules, and none of them fits this schema.")
    return Answer(json.dumps(filled))


def _category(said: str) -> str:
    if words.SHOP.search(said):
        return "product_question"
    if words.REFUND.search(said) or words.reason_in(said) not in (None, "not_delivered"):
        return "refund"
    if any(wish.search(said) for wish in (words.CANCEL, words.DELETE, words.PERSON, words.ADDRESS)):
        return "other"
    if words.orders_in(said) or words.LIST.search(said) or words.WHERE.search(said):
        return "order_status"
    return "product_question" if "?" in said else "other"
