"""Every change in words: what its card shows, what is said when it is done, and what while its money is on its way.

All is made of a quote's figures, once for every shop and every tool.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.blocks.orders import STATUS_WORDS
from bot.blocks.text import bare, day
from bot.shop.changes import (
    Applied,
    AppliedStatus,
    CallTool,
    CancelOrder,
    Change,
    DeleteAccount,
    Quote,
    Quoted,
    Refund,
    RefundReason,
)
from bot.shop.money import Money
from bot.shop.orders import MAX_PAYEE_CHARACTERS, OrderStatus
from bot.tools.showing import Facts, argument_facts

MAX_ITEMS = 5
_MAX_QUOTED_CHARACTERS = 200
_MAX_NAME_CHARACTERS = 40
REASON_WORDS = {
    RefundReason.DEFECTIVE: "Defective",
    RefundReason.WRONG_ITEM: "Wrong item",
    RefundReason.NOT_DELIVERED: "Not delivered",
    RefundReason.CHANGED_MIND: "Changed their mind",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change will do, in figures from the shop: the card is drawn from this and nothing else.

    `quoted` is what runs if approved. No other open request may have its `subject`. `keep` is the button that says no;
    `background` is shown for the approver to judge by.
    """

    quoted: Quoted
    title: str
    summary: str
    button: str
    confirm: str
    facts: Facts
    keep: str
    background: Facts

    @property
    def subject(self) -> str:
        """What no other open request may touch."""
        return self.quoted.quote.subject


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change: facts for the log, a sentence for all, and in whose words people read more of it."""

    content: Mapping[str, Any]
    sentence: str
    quotation: str = ""


@dataclass(frozen=True, slots=True)
class _Words:
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
    background: Facts = ()


def preview_of(quoted: Quoted) -> Preview:
    """Return what a card shows of the quote."""
    words = _words(quoted)
    return Preview(
        quoted,
        title=words.title,
        summary=words.summary,
        button=words.button,
        confirm=words.confirm,
        facts=words.facts,
        keep=words.keep,
        background=words.background,
    )


def outcome_of(quoted: Quoted, applied: Applied) -> Outcome:
    """Return what is said of a change that the shop has made, or has begun to."""
    words = _words(quoted)
    content = {**words.content, "status": applied.status, "shop_id": applied.id}
    if applied.said:
        content["said"] = applied.said
    sentence = words.under_way if applied.status == AppliedStatus.PENDING else words.done
    return Outcome(content, sentence, quotation_of(applied))


def quotation_of(applied: Applied) -> str:
    """Return what a tool of somebody else's says, as people read it after our own words."""
    return f' (it says: "{applied.said[:_MAX_QUOTED_CHARACTERS]}")' if applied.said else ""


def _words(quoted: Quoted) -> _Words:
    return _KINDS[type(quoted.change)](quoted.change, quoted.quote)


def _refund(change: Refund, quote: Quote) -> _Words:
    amount, order, payee = _balance(quote), quote.order_id or "", quote.method[:MAX_PAYEE_CHARACTERS]
    whole = "" if amount == quote.total else f" of {quote.total}"
    return _Words(
        title=f"Refund {amount}{whole}",
        summary=f"Refund of {amount} for {order}",
        button=f"Approve refund of {amount}",
        confirm=f"{amount} goes back to {payee} for {order}. This cannot be undone.",
        facts=(
            ("Order", f"{order}, {quote.customer.name}"),
            ("Items" if change.lines or len(quote.items) == 1 else "Items of the order", _items(quote)),
            ("Amount", f"{amount} of {quote.total}{_already(quote)}"),
            ("Goes back to", quote.method),
            ("Reason", REASON_WORDS[change.reason]),
        ),
        background=(("Delivered", _delivered(quote)),),
        done=f"{amount} for {order} went back to {payee}",
        under_way=f"{amount} for {order} is on its way to {payee}, and is not there yet",
        content={"order_id": order, "refunded": str(amount)},
    )


def _cancellation(_: CancelOrder, quote: Quote) -> _Words:
    amount, order, payee = _balance(quote), quote.order_id or "", quote.method[:MAX_PAYEE_CHARACTERS]
    back = f"{amount} goes back to {payee}" if amount.minor else "nothing is left to give back"
    return _Words(
        title=f"Cancel {order}",
        summary=f"Cancellation of {order}",
        button=f"Approve cancelling {order}",
        keep="Keep the order",
        confirm=f"{order} will not be sent, and {back}. This cannot be undone.",
        facts=(
            ("Order", f"{order}, {quote.customer.name}"),
            ("Items", _items(quote)),
            ("Goes back", f"{amount} of {quote.total}"),
            ("To", quote.method),
        ),
        done=f"{order} is cancelled" + (f" and {amount} went back to {payee}" if amount.minor else ""),
        under_way=f"{order} is cancelled; {amount} is on its way to {payee}, and is not there yet",
        content={"order_id": order, "cancelled": True, "refunded": str(amount)},
    )


def _deletion(change: DeleteAccount, quote: Quote) -> _Words:
    email, days = quote.customer.email, change.undo_days
    done = f"The account {email} is deleted; it can be brought back for {days} days"
    return _Words(
        title="Delete an account",
        summary=f"Deletion of the account {email}",
        button="Approve deleting the account",
        keep="Keep the account",
        confirm=f"The account {email} is hidden at once, and erased after {days} days.",
        facts=(
            ("Account", f"{quote.customer.name}, {email}"),
            ("Orders", str(quote.orders or 0)),
            ("Can be undone", f"for {days} days"),
        ),
        done=done,
        under_way=f"The account {email} is being deleted",
        content={"deleted": True, "days_to_undo": days},
    )


def _call(change: CallTool, _: Quote) -> _Words:
    return _Words(
        title=f"Call {change.tool}",
        summary=f"Call of {change.tool}",
        button=f"Approve {change.tool}",
        confirm=f"{change.tool} is called with what the card shows. I can't tell what it does, nor undo it.",
        facts=argument_facts(json.loads(change.arguments)),
        done=f"{change.tool} was called",
        under_way=f"{change.tool} is being called",
        content={"called": change.tool},
    )


_KINDS: Mapping[type[Change], Callable[[Any, Quote], _Words]] = {
    Refund: _refund,
    CancelOrder: _cancellation,
    DeleteAccount: _deletion,
    CallTool: _call,
}


def _balance(quote: Quote) -> Money:
    return quote.balance or Money(0, quote.total.currency if quote.total else "USD")


def _already(quote: Quote) -> str:
    return f" ({quote.refunded} went back before)" if quote.refunded and quote.refunded.minor else ""


def _items(quote: Quote) -> str:
    """Return the first lines of the quote, and how many more there are."""
    lines = ", ".join(f"{item.quantity} x {bare(item.name)[:_MAX_NAME_CHARACTERS]}" for item in quote.items[:MAX_ITEMS])
    more = len(quote.items) - MAX_ITEMS
    return f"{lines} and {more} more" if more > 0 else lines or "None"


def _delivered(quote: Quote) -> str:
    """Say when the order was delivered, and how long ago that is."""
    if quote.status == OrderStatus.CANCELLED:
        return "No: the order was cancelled before"
    if quote.delivered_on is None:
        return f"Not yet: {STATUS_WORDS[quote.status or OrderStatus.PAID].lower()}"
    days = (datetime.now(UTC).date() - quote.delivered_on).days
    ago = "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"
    return f"{day(quote.delivered_on)}, {ago}"
