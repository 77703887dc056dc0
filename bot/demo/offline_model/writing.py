"""How the offline model words what the tools answered; it adds no fact of its own."""

import re
from collections.abc import Callable
from datetime import date, datetime

from bot.demo.offline_model.history import Output
from bot.testing.openai import Json

_STATUS = {
    "pending": "has been placed and waits for its payment",
    "paid": "is paid and waits to be packed",
    "processing": "is being packed",
    "packed": "is packed and waits for the carrier",
    "shipped": "is on its way",
    "delayed": "is on its way, but late,",
    "in_transit": "is on its way",
    "out_for_delivery": "is out for delivery today",
    "delivered": "has been delivered",
    "lost": "seems to be lost on the way",
    "returned": "came back to us",
    "cancelled": "was cancelled",
    "refunded": "is closed, and its card shows what was paid back",
}
# What a customer can do about an error; the tools' own hints are for the model's ears.
_ADVICE = {
    "There is no order": "Please check the number in your order confirmation.",
    "waiting already": "Cancel on its card takes it back, and so does telling me that you never mind.",
    "more than is left": "How many dollars shall I ask for?",
    "be cancelled any more": "You can ask for your money back once it has arrived.",
    "are under way": "Ask again when they have arrived or are cancelled.",
}
# The tools speak about the customer to the model; the customer is spoken to.
_TO_THE_CUSTOMER = {
    "for this customer": "in your name",
    "This person has": "You have",
    "of this person": "of yours",
    "Only one's own": "Only your own",
    "The account can't": "Your account can't",
}
_SENTENCES_QUOTED = 2
_NO_DATE = ("out_for_delivery", "delivered", "cancelled", "returned", "refunded", "lost")


def outputs_in_words(outputs: tuple[Output, ...]) -> str:
    """Tell what the tools answered in one coherent text, a sentence or two for each."""
    told = list(dict.fromkeys(map(output_in_words, outputs)))
    return ("\n" if len(told) > 2 else " ").join(told)  # noqa: PLR2004 - two sentences read well in one line


def output_in_words(output: Output) -> str:
    """Tell what one tool call answered, in the words of the answer where it brings any."""
    content = output.content
    if content.get("error"):
        return _error(str(content["error"]))
    if output.tool == "withdraw_request":
        return _withdrawn(output)
    if content.get("message"):
        return _sentence(str(content["message"]))
    return _WORDS.get(output.tool, _anything)(output)


def _error(error: str) -> str:
    advice = [words for part, words in _ADVICE.items() if part in error]
    for told, tell in _TO_THE_CUSTOMER.items():
        error = error.replace(told, tell)
    return " ".join([_sentence(error), *advice])


def _order(output: Output) -> str:
    order = output.content
    name = str(order.get("order_id") or output.arguments.get("order_id") or "The order")
    status = str(order.get("status") or "")
    if status in _STATUS:
        told = f"{name} {_STATUS[status]}"
    else:
        told = f"{name}: {order.get('status_text') or status or 'the card shows where it stands'}".rstrip(".")
    if order.get("delivered") and status == "delivered":
        told = f"{name} was delivered on {_day(str(order['delivered']))}"
    if order.get("expected") and status not in _NO_DATE:
        told += f" and should arrive on {_day(str(order['expected']))}"
    return f"{told}.{_last_event(output)}"


def _last_event(output: Output) -> str:
    if not output.arguments.get("include_tracking"):
        return ""
    events = [event for event in _list(output.content, "tracking") if isinstance(event, dict)]
    if not events:
        return " The carrier has not reported anything yet."
    last = max(events, key=lambda event: str(event.get("at") or ""))
    where = f" in {last['place']}" if last.get("place") else ""
    when = f" on {_day(str(last['at']))}" if last.get("at") else ""
    return f" Last seen{where}{when}: {str(last.get('text') or 'no details').rstrip('.')}."


def _refund(output: Output) -> str:
    order = output.arguments.get("order_id") or "this order"
    return f"Your request for {order} is passed on. A person decides on it, and I will tell you here."


def _orders(output: Output) -> str:
    orders = [order for order in _list(output.content, "orders") if isinstance(order, dict) and order.get("order_id")]
    if not orders:
        return "I could not find an order in your name."
    lines = [f"• {_in_a_line(order)}" for order in orders]
    if len(lines) == 1:
        return f"I found one order:\n{lines[0]}\nWhat can I do about it?"
    listed = "\n".join(lines)
    return f"I found {len(lines)} orders, the latest first:\n{listed}\nTell me the number of the one you mean."


def _in_a_line(order: Json) -> str:
    status = str(order.get("status_text") or order.get("status") or "no status").lower()
    items = "; ".join(map(str, _list(order, "items")))
    return f"{order['order_id']} ({status})" + (f": {items}" if items else "")


def _help(output: Output) -> str:
    sections = [section for section in _list(output.content, "sections") if isinstance(section, dict)]
    if not sections or not sections[0].get("text"):
        return "I found nothing about that in the help articles, so I do not know. A person may: ask me for one."
    best = sections[0]
    source = ", ".join(str(best[key]) for key in ("title", "section") if best.get(key))
    return f"{_first_sentences(str(best['text']))} ({source})"


def _withdrawn(output: Output) -> str:
    told = str(output.content.get("message") or "")
    what, taken_back, _ = told.partition(": taken back")
    return f"{what} is taken back, and nothing was done." if taken_back else _sentence(told or "It is taken back")


def _first_sentences(text: str) -> str:
    sentences = re.split(r"(?<=[.!?])\s+", " ".join(text.split()))
    return _sentence(" ".join(sentences[:_SENTENCES_QUOTED]))


def _anything(_: Output) -> str:
    return "The shop answered, but I have no rule for putting it into words; a person can read it in the log."


_WORDS: dict[str, Callable[[Output], str]] = {
    "get_order_status": _order,
    "initiate_refund": _refund,
    "find_orders": _orders,
    "search_help": _help,
}


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    text = text if len(text) <= 400 else f"{text[:399]}…"  # noqa: PLR2004 - about four sentences
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _day(text: str) -> str:
    try:
        day: date = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{day:%A, %B} {day.day}"


def _list(content: Json, key: str) -> list[object]:
    value = content.get(key)
    return value if isinstance(value, list) else []
