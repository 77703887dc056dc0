"""Payments of the built-in shop: which way of paying words mean, where money goes back to, and how it moves."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlite_utils import Database

from bot import clock
from bot.shop.changes import ChangePayment, Quote
from bot.shop.money import Money
from bot.shop.orders import Order, PaymentMethod
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite.reading import came_from, order_of, present_method, read_payment_methods
from bot.store.records import new_id

ORIGINAL = "original"
_MIN_PART_CHARACTERS = 3


class Part(NamedTuple):
    """What of an amount goes back by which way of paying."""

    method: PaymentMethod
    amount: Money


def parts_back(db: Database, order: Order, amount: Money, to: PaymentMethod | None = None) -> tuple[Part, ...]:
    """Divide what goes back: all of it to what was chosen, else to each way of paying as far as it came from there.

    The one that the order is paid with is first; it also has what was paid in no way that is known.
    """
    present = present_method(db, order.id)
    if to is not None and to != present:
        return (Part(to, amount),) if amount.minor else ()
    rest, parts = amount.minor, dict[PaymentMethod, int]()
    for method, paid in came_from(db, order.id).items():
        parts[method] = max(0, min(rest, paid))
        rest -= parts[method]
    parts[present] += rest
    return tuple(Part(method, Money(minor, amount.currency)) for method, minor in parts.items() if minor)


def in_words(parts: Sequence[Part]) -> str:
    """Name the ways of paying, with what goes back by each when there are several."""
    if len(parts) == 1:
        return parts[0].method.label
    return " and ".join(f"{part.method.label} ({part.amount})" for part in parts)


def method_of(db: Database, order: Order, wanted: str) -> PaymentMethod:
    """Return the customer's payment method that is meant: `original`, an id, a label, or what is in one label alone.

    Raises ShopRefusedError.
    """
    words, original = " ".join(wanted.casefold().split()), present_method(db, order.id)
    known = [one for one in read_payment_methods(db, order.customer.id) if one.id != original.id]
    if words == ORIGINAL:
        return original
    methods = [original, *known]
    exact = [one for one in methods if words in (one.id.casefold(), one.label.casefold())]
    close = [one for one in methods if len(words) >= _MIN_PART_CHARACTERS and words in one.label.casefold()]
    found = exact or close
    if len(found) != 1:
        raise ShopRefusedError(
            "It is not clear which way of paying that is." if found else "The customer has no such way of paying.",
            "Ask which of theirs it is. `original` is how the order was paid; get_profile has all of them.",
        )
    return found[0]


def require_balance(method: PaymentMethod, amount: Money) -> None:
    """Refuse an amount that a gift card does not have, or that is in another currency."""
    if method.balance is None or not amount.minor:
        return
    if method.balance.currency != amount.currency:
        raise ShopRefusedError(f"{method.label} is in {method.balance.currency}, and this is in {amount.currency}.")
    if method.balance.minor < amount.minor:
        raise ShopRefusedError(f"{method.label} has {method.balance}, and {amount} would have to be paid.")


def move(db: Database, order_id: str, method: PaymentMethod, paid: Money, *, reason: str, key: str) -> None:
    """Write a payment, below zero for money that goes back, and draw it from the balance if the method has one."""
    if not paid.minor:
        return
    db.table("payments").insert(
        {
            "id": f"{'pay' if paid.minor > 0 else 're'}_{new_id()[:12]}",
            "order_id": order_id,
            "amount_minor": paid.minor,
            "currency": paid.currency,
            "method": method.label,
            "method_id": method.id or None,
            "reason": reason,
            "idempotency_key": key,
            "created_at": clock.now().isoformat(),
        }
    )
    db.execute(
        "UPDATE payment_methods SET balance_minor = balance_minor - ? WHERE id = ? AND balance_minor IS NOT NULL",
        [paid.minor, method.id],
    )


def quote_payment(db: Database, change: ChangePayment) -> Quote:
    """Say what is paid by what instead of what. Raises ShopRefusedError."""
    order = order_of(db, change.order_id)
    if not order.cancellable:
        raise ShopRefusedError(f"{order.id} is {order.status}, so how it is paid can't be changed any more.")
    method, parts = method_of(db, order, change.pay_with), parts_back(db, order, order.refundable)
    if {part.method for part in parts} <= {method}:
        raise ShopRefusedError(f"{order.id} is paid with {method.label} already.")
    comes_back = sum(part.amount.minor for part in parts if part.method == method)
    for part in parts:
        require_balance(part.method, -part.amount)
    require_balance(method, order.refundable - Money(comes_back, order.refundable.currency))
    return Quote(
        order.customer,
        order.id,
        method=method.label,
        total=order.total,
        refunded=order.refunded,
        method_before=in_words(parts),
    )


def make_payment(db: Database, change: ChangePayment, quote: Quote, key: str) -> None:  # noqa: ARG001 - as all are
    """Give back what was paid to where it came from, and take it by the other method."""
    order = order_of(db, change.order_id)
    method = method_of(db, order, change.pay_with)
    for part in parts_back(db, order, order.refundable):
        move(db, order.id, part.method, -part.amount, reason=change.kind, key=key)
    move(db, order.id, method, order.refundable, reason=change.kind, key=key)
    db.execute(
        "UPDATE orders SET payment_method = ?, payment_method_id = ? WHERE id = ?",
        [method.label, method.id or None, order.id],
    )
