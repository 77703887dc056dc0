"""How the offline model words what the tools answered and the notes report; it adds no fact of its own."""

import re
from collections.abc import Callable
from datetime import date

from bot.demo.offline_model.thread import Thread, ToolResult
from bot.testing.openai import Json

# Told only when a note of the system says so, and never guessed.
_OUTCOMES = {
    "approved by a person and done": "Good news: {what} was approved and has gone through.",
    "confirmed by the customer and done": "Good news: {what} is confirmed.",
    "confirmed, but not done": "I am sorry, {what} did not go through. Ask me for a person if it helps.",
    "approved, but not done": "I am sorry, {what} did not go through. Ask me for a person if it helps.",
    "declined by a person": "The request for {what} was declined, and nothing was done.",
    "changed by a person who may approve": "An approver has changed {what}: {instead} waits for approval now.",
    "withdrawn": "The request for {what} is withdrawn, and nothing was done.",
    "closed": "The request for {what} is closed, and nothing was done.",
    "expired": "Nobody decided on {what} in time, so it expired and nothing was done.",
}
_REASON, _INSTEAD = ' The customer was told why: "', "What waits for approval now: "
_SENTENCES_QUOTED = 2
_NO_DATE = ("out_for_delivery", "delivered", "cancelled", "returned", "refunded", "lost")


def outputs_in_words(outputs: list[ToolResult]) -> str:
    """Tell what the tools answered, each in the words of its answer where it brings any."""
    return "\n".join(dict.fromkeys(map(_output_in_words, outputs)))


def articles_in_words(outputs: list[ToolResult]) -> str:
    """Tell all that was found in the help articles, a paragraph for each section."""
    found = (
        section for output in outputs if output.tool == "search_help" for section in _list(output.content, "sections")
    )
    told = (f"**{one.get('section') or one.get('title')}**\n{one['text']}" for one in found if isinstance(one, dict))
    return "\n\n".join(told)


def outcome_in_words(note: str) -> str | None:
    """Tell the outcome of a request that a note of the system reports, or nothing when it reports none."""
    what, told = _summary_of(note), note.removeprefix("Note from the shop: ").partition(": ")[2]
    ended, _, reason = told.partition(_REASON)
    sentence = next((words for part, words in _OUTCOMES.items() if part in ended), None)
    why = f' The reason given: "{reason}' if reason else ""
    return sentence.format(what=_the(what), instead=_the(_instead(note))) + why if sentence and what else None


def standing(request: ToolResult) -> str | None:
    """Tell the outcome of a request, by the notes that came after it; nothing while it waits for a person."""
    told, summary = None, request.summary
    for note in request.notes:
        if _summary_of(note) == summary:
            told, summary = outcome_in_words(note) or told, _instead(note) or summary
    return told


def undecided(thread: Thread) -> list[ToolResult]:
    """Find the requests that still wait for a person."""
    return [request for request in thread.waiting if not standing(request)]


def either(requests: list[ToolResult]) -> str:
    """Name requests to choose from."""
    return " or ".join(dict.fromkeys(_the(request.summary) for request in requests))


def _summary_of(note: str) -> str:
    return note.removeprefix("Note from the shop: ").partition(": ")[0]


def _instead(note: str) -> str:
    """Read what waits in place of a request, by the note that it was changed."""
    return note.partition(_INSTEAD)[2].partition(" (request")[0]


def _the(summary: str) -> str:
    return f"the {summary[:1].lower()}{summary[1:]}"


def _output_in_words(output: ToolResult) -> str:
    content = output.content
    if content.get("error"):
        return f"{_sentence(str(content['error']))} What shall I do instead?"
    if content.get("only"):
        return f"There is one alone, {content['only']}. What shall I do about {content['only']}?"
    if content.get("message"):
        return _sentence(str(content["message"]))
    return _WORDS[output.tool](output) if output.tool in _WORDS else "It is passed on. I will tell you here."


def _order(output: ToolResult) -> str:
    order = output.content
    name = str(order.get("order_id") or output.arguments.get("order_id") or "The order")
    status = str(order.get("status_text") or order.get("status") or "the card shows where it stands")
    told = f"{name}: {status[:1].lower()}{status[1:]}".rstrip(".")
    if order.get("expected") and order.get("status") not in _NO_DATE:
        told += f", and should arrive on {_day(str(order['expected']))}"
    events = [event for event in _list(order, "tracking") if isinstance(event, dict)]
    if not output.arguments.get("include_tracking") or not events:
        return f"{told}."
    last = max(events, key=lambda event: str(event.get("at") or ""))
    where = f" in {last['place']}" if last.get("place") else ""
    return f"{told}. Last seen{where}: {str(last.get('text') or 'no details').rstrip('.')}."


def _day(written: str) -> str:
    try:
        when = date.fromisoformat(written)
    except ValueError:
        return written
    return f"{when:%A, %B} {when.day}"


def _orders(output: ToolResult) -> str:
    orders = [order for order in _list(output.content, "orders") if isinstance(order, dict) and order.get("order_id")]
    if not orders:
        return "I could not find an order in your name."
    lines = []
    for order in orders:
        items = "; ".join(map(str, _list(order, "items")))
        status = str(order.get("status_text") or order.get("status") or "no status").lower()
        lines.append(f"• {order['order_id']} ({status})" + (f": {items}" if items else ""))
    listed = output.content.get("listed")
    heading = f"These are {listed}:" if isinstance(listed, str) else "I found, the latest first:"
    return "\n".join([heading, *lines, "What is the number of the one you mean?"])


def _help(output: ToolResult) -> str:
    sections = [section for section in _list(output.content, "sections") if isinstance(section, dict)]
    if not sections or not sections[0].get("text"):
        return "I found nothing about that in the help articles, so I do not know. A person may: ask me for one."
    best = sections[0]
    source = ", ".join(str(best[key]) for key in ("title", "section") if best.get(key))
    sentences = re.split(r"(?<=[.!?])\s+", " ".join(str(best["text"]).split()))
    return f"{_sentence(' '.join(sentences[:_SENTENCES_QUOTED]))} ({source})"


_WORDS: dict[str, Callable[[ToolResult], str]] = {
    "get_order_status": _order,
    "find_orders": _orders,
    "search_help": _help,
}


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    text = text if len(text) <= 400 else f"{text[:399]}…"  # noqa: PLR2004 - about four sentences
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _list(content: Json, key: str) -> list[object]:
    value = content.get(key)
    return value if isinstance(value, list) else []
