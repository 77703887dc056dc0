"""Phrases that the words of several changes share, made of a quote's figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot import clock
from bot.blocks.orders import STATUS_WORDS
from bot.blocks.preview import Facts
from bot.blocks.text import bare, day
from bot.shop.changes import CancelReason, Quote, QuotedItem, RefundReason
from bot.shop.money import Money
from bot.shop.orders import OrderStatus

MAX_ITEMS = 5
_MAX_NAME_CHARACTERS = 40
REASON_WORDS = {
    RefundReason.DEFECTIVE: "Defective",
    RefundReason.WRONG_ITEM: "Wrong item",
    RefundReason.NOT_DELIVERED: "Not delivered",
    RefundReason.CHANGED_MIND: "Changed their mind",
}

CANCEL_WORDS = {
    CancelReason.NO_LONGER_NEEDED: "No longer needed",
    CancelReason.BY_MISTAKE: "Ordered by mistake",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one change; `under_way` is said for as long as money is pending, and claims nothing more."""

    title: str
    summary: str
    button: str
    confirm: str
    facts: Facts
    done: str
    under_way: str
    content: Mapping[str, Any]
    keep: str = "Cancel"
    change: str = ""
    background: Facts = ()


def balance(quote: Quote) -> Money:
    """Return what comes back, nothing if nothing moves."""
    return quote.balance or Money(0, quote.total.currency if quote.total else "USD")


def already(quote: Quote) -> str:
    """Say what went back before, if anything did."""
    return f" ({quote.refunded} went back before)" if quote.refunded and quote.refunded.minor else ""


def items(quote: Quote) -> str:
    """Return the first lines of the quote, and how many more there are."""
    lines = ", ".join(map(_item, quote.items[:MAX_ITEMS]))
    more = len(quote.items) - MAX_ITEMS
    return f"{lines} and {more} more" if more > 0 else lines or "None"


def delivered(quote: Quote) -> str:
    """Say when the order was delivered, and how long ago that is."""
    if quote.status == OrderStatus.CANCELLED:
        return "No: the order was cancelled before"
    if quote.delivered_on is None:
        return f"Not yet: {STATUS_WORDS[quote.status or OrderStatus.PAID].lower()}"
    days = (clock.now().date() - quote.delivered_on).days
    ago = "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"
    return f"{day(quote.delivered_on)}, {ago}"


def _item(item: QuotedItem) -> str:
    """Name a line, and what it becomes."""
    name = f"{item.quantity} x {bare(item.name)[:_MAX_NAME_CHARACTERS]}"
    return f"{name} → {bare(item.becomes)[:_MAX_NAME_CHARACTERS]}" if item.becomes else name
