"""What kind of request a message is, for clients that ask for structured output."""

import json

from bot.demo.offline_model.calls import fill
from bot.demo.offline_model.history import History
from bot.demo.offline_model.reading import any_of, orders_in, reason_in, wants_refund
from bot.demo.offline_model.wishes import (
    asks_about_shop,
    wants_account_deleted,
    wants_list,
    wants_person,
    wants_to_cancel,
)
from bot.testing.openai import Answer

_ORDER = any_of("orders?", "parcel", "package", r"track\w*", r"deliver\w*", r"arriv\w*")
# High only for what cannot wait, as the bot's instructions have it: an impatient customer is no emergency.
_HIGH = any_of(
    r"lawyers?|attorney|sue|suing|court|legal action|police",
    r"fire|smoke|smoking|burn\w*|explod\w*|injur\w*|hospital|electric shock|dangerous|allergic",
    "third (?:time|complaint)",
)
_MAX_WORDS = 20
_LOW = any_of("no (?:rush|hurry)", "whenever", "just curious")


def intent(history: History) -> Answer:
    """Fill in a schema whose properties are those of `CustomerIntent`, and refuse any other."""
    said = history.said
    schema = ((history.request.response_format or {}).get("json_schema") or {}).get("schema") or {}
    known = {
        "category": _category(said),
        "urgency": "high" if _HIGH.search(said) else "low" if _LOW.search(said) else "medium",
        "order_id": next(iter(orders_in(said)), None),
        "summary": _summary(history.said) or "Nothing was said.",
    }
    filled = fill(schema, known)
    if filled is None:
        return Answer(refusal="I am the demo's offline stand-in, a set of rules, and none of them fits this schema.")
    return Answer(json.dumps(filled))


def _category(said: str) -> str:
    if asks_about_shop(said):
        return "product_question"
    if wants_refund(said) or reason_in(said) not in (None, "not_delivered"):
        return "refund"
    if wants_to_cancel(said) or wants_account_deleted(said):
        return "other"
    if orders_in(said) or reason_in(said) or wants_list(said) or _ORDER.search(said):
        return "order_status"
    if wants_person(said):
        return "other"
    return "product_question" if "?" in said else "other"


def _summary(said: str) -> str:
    words = said.split()
    return " ".join(words[:_MAX_WORDS])[:200] + ("…" if len(words) > _MAX_WORDS else "")
