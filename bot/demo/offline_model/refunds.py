"""The talk that a refund needs: an order, a reason and perhaps an amount, gathered over several messages."""

from bot.demo.offline_model.calls import call
from bot.demo.offline_model.history import History
from bot.demo.offline_model.reading import (
    Amount,
    amount_in,
    any_of,
    email_in,
    mentions_amount,
    orders_in,
    reason_in,
    sentences,
    wants_refund,
)
from bot.testing.openai import Answer

_REASONS = "did it arrive broken, was it the wrong item, did it never arrive, or did you change your mind?"
_OFFER = "Would you like your money back for"
_ASKS_STATUS = any_of("where", r"track\w*", "status")


def ask_for_refund(history: History) -> Answer | None:
    """Ask for the refund that someone wishes, or for what is still missing; nothing when nobody wishes one."""
    new_wish = wants_refund(history.said)
    if not new_wish and not _goes_on(history):
        return None
    separate = [part for part in sentences(history.said) if _is_about_status(part)]
    said = " ".join(part for part in sentences(history.said) if part not in separate)
    refund = _request(history, said, new_wish=new_wish)
    if refund.tool_calls and separate:
        orders = orders_in(" ".join(separate))
        looked_up = call(
            history.request, "get_order_status", *({"order_id": order, "include_tracking": False} for order in orders)
        )
        return Answer(tool_calls=(*(looked_up.tool_calls if looked_up else ()), *refund.tool_calls))
    return refund


def offer_refund(history: History) -> Answer | None:
    """Offer a refund to someone who only complains."""
    orders = orders_in(history.said)
    if reason_in(history.said) in (None, "not_delivered") or not orders:
        return None
    return Answer(f"I am sorry to hear that. {_OFFER} {_either(orders)}?")


def take_up_offer(history: History) -> Answer | None:
    """Understand a plain yes to a question of ours about money back."""
    if _OFFER in history.we_said or _goes_on(history, with_new_facts=False):
        return _request(history, history.said, new_wish=False)
    return None


def _goes_on(history: History, *, with_new_facts: bool = True) -> bool:
    """Return whether we asked about a refund and this is the answer."""
    said = history.said
    last = history.outputs[-1] if history.outputs else None
    refused = last is not None and last.tool == "initiate_refund" and "error" in last.content
    listed = last is not None and last.tool == "find_orders"
    asked = "?" in history.we_said or refused or listed
    fact = bool(orders_in(said) or reason_in(said) or mentions_amount(said)) and not _ASKS_STATUS.search(said)
    return asked and any(map(wants_refund, history.since_refund)) and (fact or not with_new_facts)


def _is_about_status(sentence: str) -> bool:
    asks = bool(orders_in(sentence)) and bool(_ASKS_STATUS.search(sentence))
    return asks and not wants_refund(sentence) and not reason_in(sentence)


def _request(history: History, said: str, *, new_wish: bool) -> Answer:
    orders = orders_in(said)
    known = orders or history.orders
    # A new wish has its own reason, unless an earlier message gave one for the same order or for none.
    window = [text for text in history.since_refund if not new_wish or _fits(text, known)]
    texts = (said, *window)
    reason = next(filter(None, map(reason_in, texts)), None)
    amount = amount_in(texts)
    if not known:
        return call(history.request, "find_orders", {"email": email_in(said)}) or Answer(_question_about_order(reason))
    if len(known) > 1 and not orders:
        return Answer(f"Which of them is it about: {_either(known)}?")
    if reason is None:
        return Answer(f"I can ask for that. What is the reason for {_either(known)}: {_REASONS}")
    if amount is Amount.VAGUE:
        return Answer("How much is that in US dollars? I can only ask for a number of dollars, or for the whole.")
    if len(known) > 1 and isinstance(amount, float):
        return Answer(f"Which of them is the ${amount:,.2f} for: {_either(known)}?")
    dollars = amount if isinstance(amount, float) else None
    calls = ({"order_id": order, "reason": reason, "amount": dollars} for order in known)
    return call(history.request, "initiate_refund", *calls) or Answer(
        "I cannot ask for a refund at the moment, I am sorry."
    )


def _question_about_order(reason: str | None) -> str:
    order = "Which order is it about? The number looks like ORD-10234."
    return f"I am sorry about that. {order}" if reason else f"I can ask for that. {order} And why: {_REASONS}"


def _fits(text: str, orders: tuple[str, ...]) -> bool:
    named = orders_in(text)
    return not named or bool(set(named) & set(orders))


def _either(orders: tuple[str, ...]) -> str:
    return orders[0] if len(orders) == 1 else f"{', '.join(orders[:-1])} or {orders[-1]}"
