"""Every change in words: what its card shows, what is said when it is done, and what while its money is on its way.

All is made of a quote's figures, once for every shop and every tool.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.blocks.preview import Preview
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
)
from bot.shop.orders import MAX_PAYEE_CHARACTERS
from bot.tools import goods_wording
from bot.tools.phrases import CANCEL_WORDS, REASON_WORDS, Wording, already, balance, delivered, items
from bot.tools.showing import argument_facts

_MAX_QUOTED_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change: facts for the log, a sentence for all, and in whose words people read more of it."""

    content: Mapping[str, Any]
    sentence: str
    quotation: str = ""


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
        change=words.change,
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


def _words(quoted: Quoted) -> Wording:
    return _KINDS[type(quoted.change)](quoted.change, quoted.quote)


def _refund(change: Refund, quote: Quote) -> Wording:
    amount, order, payee = balance(quote), quote.order_id or "", quote.method[:MAX_PAYEE_CHARACTERS]
    whole = "" if amount == quote.total else f" of {quote.total}"
    return Wording(
        title=f"Refund {amount}{whole}",
        summary=f"Refund of {amount} for {order}",
        button=f"Approve refund of {amount}",
        confirm=f"{amount} goes back to {payee} for {order}. This cannot be undone.",
        facts=(
            ("Order", f"{order}, {quote.customer.name}"),
            ("Items" if change.lines or len(quote.items) == 1 else "Items of the order", items(quote)),
            ("Amount", f"{amount} of {quote.total}{already(quote)}"),
            ("Goes back to", quote.method),
            ("Reason", REASON_WORDS[change.reason]),
        ),
        background=(("Delivered", delivered(quote)),),
        change="Change amount",
        done=f"{amount} for {order} went back to {payee}",
        under_way=f"{amount} for {order} is on its way to {payee}, and is not there yet",
        content={"order_id": order, "refunded": str(amount)},
    )


def _cancellation(change: CancelOrder, quote: Quote) -> Wording:
    amount, order, payee = balance(quote), quote.order_id or "", quote.method[:MAX_PAYEE_CHARACTERS]
    back = f"{amount} goes back to {payee}" if amount.minor else "nothing is left to give back"
    return Wording(
        title=f"Cancel {order}",
        summary=f"Cancellation of {order}",
        button=f"Approve cancelling {order}",
        keep="Keep the order",
        confirm=f"{order} will not be sent, and {back}. This cannot be undone.",
        facts=(
            ("Order", f"{order}, {quote.customer.name}"),
            ("Items", items(quote)),
            ("Goes back", f"{amount} of {quote.total}"),
            ("To", quote.method),
            *((("Reason", CANCEL_WORDS[change.reason]),) if change.reason else ()),
        ),
        done=f"{order} is cancelled" + (f" and {amount} went back to {payee}" if amount.minor else ""),
        under_way=f"{order} is cancelled; {amount} is on its way to {payee}, and is not there yet",
        content={"order_id": order, "cancelled": True, "refunded": str(amount)},
    )


def _deletion(change: DeleteAccount, quote: Quote) -> Wording:
    email, days = quote.customer.email, change.undo_days
    done = f"The account {email} is deleted; it can be brought back for {days} days"
    return Wording(
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


def _call(change: CallTool, _: Quote) -> Wording:
    return Wording(
        title=f"Call {change.tool}",
        summary=f"Call of {change.tool}",
        button=f"Approve {change.tool}",
        confirm=f"{change.tool} is called with what the card shows. I can't tell what it does, nor undo it.",
        facts=argument_facts(json.loads(change.arguments)),
        done=f"{change.tool} was called",
        under_way=f"{change.tool} is being called",
        content={"called": change.tool},
    )


_KINDS: Mapping[type[Change], Callable[[Any, Quote], Wording]] = {
    Refund: _refund,
    CancelOrder: _cancellation,
    DeleteAccount: _deletion,
    CallTool: _call,
    **goods_wording.KINDS,
}
