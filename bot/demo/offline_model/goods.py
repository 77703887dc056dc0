"""What the rules know of goods and addresses: a return, an exchange, other items, and where an order goes.

Each answer is nothing where the tool is not offered or no order is named, so that another rule has its turn.
"""

import re
from collections.abc import Sequence

from bot.demo.offline_model import words
from bot.demo.offline_model.calls import call
from bot.demo.offline_model.thread import Thread
from bot.testing.openai import Answer

_LINES = re.compile(
    r"\b(?:lines?|items?|numbers?) ([1-9][0-9]?(?:(?:,| and|, and|&) ?[1-9][0-9]?){0,9})\b(?!\w)", re.IGNORECASE
)
_GIFT = words.any_of("gift ?card")
_ORIGINAL = words.any_of(
    "original", "how i paid", "(?:same|way i paid|card i (?:used|paid with))", "my (?:visa|card|paypal|amex|mastercard)"
)
_QUOTED = re.compile(r'(?:for|to|into) (?:the )?["\u201c]([^"\u201c\u201d]{1,80})["\u201d]', re.IGNORECASE)
_NAMED = re.compile(
    r"\bfor (?:the |a )?((?!the difference)[\w .,-]{2,60}?)"
    r"(?=,? (?:and )?(?:pay|the (?:difference|rest)|with|from|on)\b|[.!?]|$)",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(
    r"(?:\bto:? |^|: )((?:(?! to )[^,\n:\d]){2,60}), ([^,\n]{2,90}), ([^,\n]{2,60}), ([^,\n]{2,40}), ([a-z]{2})\W*$",
    re.IGNORECASE | re.MULTILINE,
)
_WITH_POSTCODE_FIRST = re.compile(
    r"(?:\bto:? |^|: )((?:(?! to )[^,\n:\d]){2,60}), ([^,\n]{2,90}), (\d{4,6}) ([^,\n]{2,60}), ([a-z]{2})\W*$",
    re.IGNORECASE | re.MULTILINE,
)
_EXAMPLE = "Ana Ruiz, 15 Pioneer Road, Provo, UT 84601, US"
_WHY_BACK = "did it arrive broken, was it the wrong item, or did you change your mind?"


def send_back(thread: Thread) -> Answer | None:
    """Ask for a return, or for what is still missing of it: a line, a reason, where the money goes."""
    order = _order(thread, "return_items")
    if order is None:
        return None
    said = [words.BACK.sub(" ", text) for text in thread.wish]
    lines, goes_to = _lines(thread.wish), _way(thread.wish)
    reason = next(filter(None, map(words.reason_in, said)), None)
    if not lines:
        return _which_line(thread, order, f"Which line of {order} goes back?")
    if reason is None:
        return Answer(f"What is the reason: {_WHY_BACK}")
    if goes_to is None:
        return Answer("Where shall the money go when it has arrived: back to how you paid, or onto your gift card?")
    return call(
        thread.request, "return_items", {"order_id": order, "lines": lines, "reason": reason, "refund_to": goes_to}
    )


def exchange(thread: Thread) -> Answer | None:
    """Ask for an exchange of what has arrived."""
    return _swap(thread, "exchange_items")


def change_items(thread: Thread) -> Answer | None:
    """Ask for another variant of what has not left."""
    return _swap(thread, "change_items")


def send_elsewhere(thread: Thread) -> Answer | None:
    """Ask for another address of an order, or for the address in one line."""
    if "change_address" not in thread.request.tool_names:
        return None
    address = next(filter(None, map(_address, thread.wish)), None)
    texts = [_ADDRESS.sub(" ", text) for text in (*thread.wish, *thread.earlier)]
    orders = next(filter(None, map(words.orders_in, texts)), ())
    if len(orders) != 1:
        return None
    if address is None:
        return Answer(f"Where shall {orders[0]} go? Write it in one line, such as: {_EXAMPLE}")
    return call(thread.request, "change_address", {"order_id": orders[0], "address": address})


def _address(text: str) -> dict[str, str] | None:
    """Read an address in one line, with the postcode after the city and the region, or before the city."""
    if found := _ADDRESS.search(text):
        recipient, street, city, where, country = (part.strip() for part in found.groups())
        *region, last = where.split()
        postcode = last if any(map(str.isdigit, last)) else ""
        state = " ".join(region) if postcode else where
    elif found := _WITH_POSTCODE_FIRST.search(text):
        recipient, street, postcode, city, country = (part.strip() for part in found.groups())
        state = ""
    else:
        return None
    return {
        "recipient": recipient,
        "street": street,
        "city": city,
        "region": state,
        "postcode": postcode,
        "country": country.upper(),
    }


def _swap(thread: Thread, tool: str) -> Answer | None:
    order = _order(thread, tool)
    if order is None:
        return None
    lines, pay_with = _lines(thread.wish), _way(thread.wish)
    named = (_QUOTED.search(text) or _NAMED.search(text) for text in thread.wish)
    variant = next(filter(None, named), None)
    if not lines:
        return _which_line(thread, order, f"Which line of {order} is it?")
    if variant is None:
        return Answer("For which one? Put it in quotation marks, such as: for \u201c1.2 l, black\u201d.")
    if pay_with is None:
        return Answer("What shall a difference be paid with, or come back to: how you paid, or your gift card?")
    swaps = [{"line": line, "variant": variant[1].strip()} for line in lines]
    return call(thread.request, tool, {"order_id": order, "swaps": swaps, "pay_with": pay_with})


def _which_line(thread: Thread, order: str, question: str) -> Answer:
    in_words = Answer(f"{question} Say \u201cline 1\u201d for the first one on its card.")
    return call(thread.request, "ask_which", {"question": question, "order_id": order}) or in_words


def _order(thread: Thread, tool: str) -> str | None:
    return thread.orders[0] if tool in thread.request.tool_names and len(thread.orders) == 1 else None


def _lines(wish: Sequence[str]) -> list[int]:
    named = next(filter(None, map(_LINES.search, wish)), None)
    return [int(number) for number in re.findall(r"\d+", named[1])] if named else []


def _way(wish: Sequence[str]) -> str | None:
    for text in wish:
        if _GIFT.search(text):
            return "gift card"
        if _ORIGINAL.search(text):
            return "original"
    return None
