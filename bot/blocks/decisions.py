"""The forms of who decides a request: why it is declined, and what is wanted in its place."""

from bot.blocks.forms import Field, View, form_view, labelled, lines_of
from bot.blocks.messages import context, section
from bot.blocks.text import Mrkdwn, mention, one_line
from bot.shop.changes import Quote, Refund, ReturnItems
from bot.shop.money import Money
from bot.shop.orders import Order
from bot.store.calls import ToolCall
from bot.store.records import Block

DECLINE_FORM = "decline_form"
CHANGE_FORM = "change_form"
DECLINE_TITLE = "Decline with a reason"
CHANGE_TITLE = "Change the request"
MAX_REASON_CHARACTERS = 500
_MAX_AMOUNT_CHARACTERS = 30


def decline_form(call: ToolCall, private: str, *, public: bool) -> View:
    """Ask what the customer is told; `private` comes back with it."""
    reason = {
        "type": "plain_text_input",
        "action_id": Field.REASON.value,
        "multiline": True,
        "max_length": MAX_REASON_CHARACTERS,
    }
    where = "in their thread, where everybody in the channel reads it" if public else "in their thread"
    told = f"{mention(call.requester)} reads it {where}, in your words and with your name. Nothing is done then."
    return form_view(
        DECLINE_FORM,
        DECLINE_TITLE,
        "Decline",
        private,
        [_request(call), labelled(Field.REASON, "What should they be told?", reason), context(Mrkdwn(told))],
    )


def change_form(call: ToolCall, change: Refund | ReturnItems, quote: Quote, order: Order, private: str) -> View:
    """Ask for another amount or other lines, with what is asked for now filled in."""
    fields: list[Block] = []
    if isinstance(change, Refund) and quote.balance is not None:
        amount = {
            "type": "plain_text_input",
            "action_id": Field.AMOUNT.value,
            "max_length": _MAX_AMOUNT_CHARACTERS,
            "initial_value": amount_of(quote.balance),
        }
        hint = "Leave it empty for what the chosen lines cost, or for all that is left."
        label = f"Amount in {quote.balance.currency}"
        fields.append(labelled(Field.AMOUNT, label, amount, optional=True, hint=hint))
    optional = isinstance(change, Refund)
    if (lines := lines_of(order, change.lines)) is not None:
        hint = "Nothing chosen means the whole order." if optional else "Each line that goes back to the shop."
        fields.append(labelled(Field.LINES, "Which lines?", lines, optional=optional, hint=hint))
    told = "It is asked for again with this, and still has to be approved. The thread is told what you have changed."
    return form_view(
        CHANGE_FORM,
        CHANGE_TITLE,
        "Ask for this instead",
        private,
        [_request(call, f"Left to give back: {order.refundable} of {order.total}"), *fields, context(Mrkdwn(told))],
    )


def amount_of(money: Money) -> str:
    """Write an amount as it is filled in: without its currency."""
    return f"{money.major:f}"


def _request(call: ToolCall, *more: str) -> Block:
    what = f"*{one_line(call.summary or 'This request')}*, asked by {mention(call.requester)}"
    return section(Mrkdwn("\n".join([what, *more])))
