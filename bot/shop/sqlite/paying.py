"""Payments of the built-in shop: which way of paying words mean, and money that moves by one, signed."""

from datetime import UTC, datetime

from sqlite_utils import Database

from bot.shop.changes import ChangePayment, Quote
from bot.shop.money import Money
from bot.shop.orders import Order, PaymentMethod
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite.reading import order_of, read_payment_methods
from bot.store.records import new_id

ORIGINAL = "original"
_MIN_PART_CHARACTERS = 3


def paid_with(db: Database, order: Order) -> PaymentMethod:
    """Return what the order was paid with, also when that is none of the customer's methods any more."""
    methods = read_payment_methods(db, order.customer.id)
    ours = (order.payment_method_id, order.payment_method)
    known = next((one for one in methods if (one.id, one.label) == ours), None)
    return known or PaymentMethod("", order.payment_method)


def method_of(db: Database, order: Order, wanted: str) -> PaymentMethod:
    """Return the customer's payment method that is meant: `original`, an id, a label, or what is in one label alone.

    Raises ShopRefusedError.
    """
    words, original = " ".join(wanted.casefold().split()), paid_with(db, order)
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
            "reason": reason,
            "idempotency_key": key,
            "created_at": datetime.now(UTC).isoformat(),
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
    before, method = paid_with(db, order), method_of(db, order, change.pay_with)
    if method == before:
        raise ShopRefusedError(f"{order.id} is paid with {before.label} already.")
    require_balance(before, -order.refundable)
    require_balance(method, order.refundable)
    return Quote(
        order.customer,
        order.id,
        method=method.label,
        total=order.total,
        refunded=order.refunded,
        method_before=before.label,
    )


def make_payment(db: Database, change: ChangePayment, quote: Quote, key: str) -> None:  # noqa: ARG001 - as all are
    """Give back what was paid, and take it by the other method."""
    order = order_of(db, change.order_id)
    method = method_of(db, order, change.pay_with)
    move(db, order.id, paid_with(db, order), -order.refundable, reason=change.kind, key=key)
    move(db, order.id, method, order.refundable, reason=change.kind, key=key)
    db.execute(
        "UPDATE orders SET payment_method = ?, payment_method_id = ? WHERE id = ?",
        [method.label, method.id, order.id],
    )
