"""Changes of goods, addresses and payments in words: what their cards show, and what is said when they are done."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.shop.changes import (
    Change,
    ChangeAddress,
    ChangeDefaultAddress,
    ChangeItems,
    ChangePayment,
    ExchangeItems,
    Quote,
    ReturnItems,
)
from bot.shop.orders import MAX_PAYEE_CHARACTERS
from bot.tools.phrases import REASON_WORDS, Wording, balance, delivered, items


def _return(change: ReturnItems, quote: Quote) -> Wording:
    order, amount = quote.order_id or "", balance(quote)
    follows = f"{amount} goes to {quote.method[:MAX_PAYEE_CHARACTERS]} when it has arrived and a person has approved it"
    return Wording(
        title=f"Return items of {order}",
        summary=f"Return of {items(quote)} of {order}",
        button="Approve the return",
        confirm=f"Back to the shop, of {order}: {items(quote)}. {follows}.",
        facts=(
            ("Order", f"{order}, {quote.customer.name}"),
            ("Goes back to the shop", items(quote)),
            ("Money, when it has arrived", f"{amount} of {quote.total}"),
            ("Money goes to", quote.method),
            ("Reason", REASON_WORDS[change.reason]),
        ),
        background=(("Delivered", delivered(quote)),),
        change="Change lines",
        done=f"{items(quote)} of {order} can be sent back. {follows}",
        under_way=f"The shop has the wish to send {items(quote)} of {order} back, and has to agree to it first",
        content={"order_id": order, "returning": items(quote), "refund_when_it_has_arrived": str(amount)},
    )


def _exchange(_: ExchangeItems, quote: Quote) -> Wording:
    order, moved = quote.order_id or "", _moves(quote)
    return Wording(
        title=f"Exchange items of {order}",
        summary=f"Exchange of {items(quote)} of {order}",
        button="Approve the exchange",
        confirm=f"{items(quote)}, for {order}. {moved}.",
        facts=_swap_facts(quote),
        background=(("Delivered", delivered(quote)),),
        done=f"The exchange of {order} is under way: {items(quote)}. {moved}",
        under_way=f"The exchange of {order} is being noted",
        content={"order_id": order, "exchanging": items(quote), "money": moved},
    )


def _items(_: ChangeItems, quote: Quote) -> Wording:
    order, moved = quote.order_id or "", _moves(quote)
    return Wording(
        title=f"Change items of {order}",
        summary=f"Change of {items(quote)} of {order}",
        button="Approve the change",
        keep="Keep it as it is",
        confirm=f"{items(quote)}, for {order}. {moved}. The items of an order can be changed only once.",
        facts=_swap_facts(quote),
        done=f"{order} is changed: {items(quote)}. {moved}",
        under_way=f"The change of {order} is being noted",
        content={"order_id": order, "changed": items(quote), "money": moved},
    )


def _address(change: ChangeAddress, quote: Quote) -> Wording:
    order, country = quote.order_id or "", change.address.country
    before = quote.address.country if quote.address else "not known"
    return Wording(
        title=f"Change where {order} goes",
        summary=f"Change of the address of {order}",
        button="Approve the address",
        keep="Keep the address",
        confirm=f"{order} goes to {change.address}.",
        facts=(
            ("Order", f"{order}, {quote.customer.name}"),
            ("New address", str(change.address)),
            ("Country", f"{country}, until now {before}" if quote.goes_abroad else f"{country}, as until now"),
            ("Worth", str(quote.total)),
        ),
        done=f"{order} goes to the new address",
        under_way=f"The new address of {order} is being noted",
        content={"order_id": order, "address_changed": True},
    )


def _default_address(change: ChangeDefaultAddress, _: Quote) -> Wording:
    return Wording(
        title="Change the account's address",
        summary="Change of the account's address",
        button="Approve the address",
        keep="Keep the address",
        confirm=f"Later orders go to {change.address}. Those that there are go where they did.",
        facts=(("New address", str(change.address)), ("For", "Orders from now on")),
        done="Orders from now on go to the new address",
        under_way="The new address is being noted",
        content={"address_changed": True},
    )


def _payment(_: ChangePayment, quote: Quote) -> Wording:
    order, method = quote.order_id or "", quote.method[:MAX_PAYEE_CHARACTERS]
    paid = quote.total - quote.refunded if quote.total and quote.refunded else quote.total
    return Wording(
        title=f"Change how {order} is paid",
        summary=f"Change of how {order} is paid",
        button="Approve the change",
        keep="Keep it as it is",
        confirm=f"{paid} for {order} is paid with {method}, and goes back to what it was paid with before.",
        facts=(
            ("Order", f"{order}, {quote.customer.name}"),
            ("Amount", str(paid)),
            ("Paid with", quote.method),
            ("Goes back to", quote.method_before),
        ),
        done=f"{paid} for {order} is paid with {method}, and went back to {quote.method_before[:MAX_PAYEE_CHARACTERS]}",
        under_way=f"The payment of {order} is being changed",
        content={"order_id": order, "paid_with": quote.method},
    )


KINDS: Mapping[type[Change], Callable[[Any, Quote], Wording]] = {
    ReturnItems: _return,
    ExchangeItems: _exchange,
    ChangeItems: _items,
    ChangeAddress: _address,
    ChangeDefaultAddress: _default_address,
    ChangePayment: _payment,
}


def _swap_facts(quote: Quote) -> tuple[tuple[str, str], ...]:
    return (
        ("Order", f"{quote.order_id}, {quote.customer.name}"),
        ("Items", items(quote)),
        ("Money", _moves(quote)),
    )


def _moves(quote: Quote) -> str:
    """Say what is paid or comes back, in a sentence without its end."""
    amount, method = balance(quote), quote.method[:MAX_PAYEE_CHARACTERS]
    if not amount.minor:
        return "Nothing is to be paid and nothing comes back"
    return f"{-amount} is paid with {method}" if amount.minor < 0 else f"{amount} comes back to {method}"
