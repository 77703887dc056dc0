"""What kind of request a message is, for clients that ask for structured output."""

import json

from bot.demo.completions import Answer
from bot.demo.offline_model.calls import fill
from bot.demo.offline_model.history import History
from bot.demo.offline_model.reading import any_of, orders_in, reason_in, wants_refund

_ORDER = any_of("orders?", "parcel", "package", r"track\w*", r"deliver\w*", r"arriv\w*")
_HIGH = any_of("urgent(?:ly)?", "asap", "immediately", "right now", "today", "lawyer", r"\w*!!+")
_LOW = any_of("no (?:rush|hurry)", "whenever", "just curious")


def intent(history: History) -> Answer:
    """Fill in a schema whose properties are those of `CustomerIntent`, and refuse any other."""
    said = history.said
    schema = ((history.request.response_format or {}).get("json_schema") or {}).get("schema") or {}
    known = {
        "category": _category(said),
        "urgency": "high" if _HIGH.search(said) else "low" if _LOW.search(said) else "medium",
        "order_id": next(iter(orders_in(said)), None),
        "summary": history.gist or "Nothing was said.",
    }
    filled = fill(schema, known)
    if filled is None:
        return Answer(refusal="I am the demo's offline stand-in, a set of rules, and none of them fits this schema.")
    return Answer(json.dumps(filled))


def _category(said: str) -> str:
    if wants_refund(said) or reason_in(said) not in (None, "not_delivered"):
        return "refund"
    if orders_in(said) or reason_in(said) or _ORDER.search(said):
        return "order_status"
    return "product_question" if "?" in said else "other"
