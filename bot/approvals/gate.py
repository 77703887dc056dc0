"""Who has to say yes to a change: the requester for what is theirs alone to want, an approver for money, or both."""

from decimal import Decimal

from bot.shop.changes import (
    CallTool,
    CancelOrder,
    ChangeAddress,
    ChangeItems,
    DeleteAccount,
    ExchangeItems,
    Quoted,
    Refund,
)
from bot.shop.money import Money
from bot.store.records import Gate


def gate(quoted: Quoted, *, is_customers: bool, customer_may_confirm: Decimal, address_limit: Decimal) -> Gate:
    """Return whose yes the change needs, by its quote. Sums in other currencies than dollars are above any limit.

    What is a customer's alone to want needs an approver too when somebody else asks for it: `is_customers` is false.
    """
    whose = _of_customer(quoted, customer_may_confirm, address_limit)
    return Gate.BOTH if whose == Gate.REQUESTER and not is_customers else whose


def _of_customer(quoted: Quoted, customer_may_confirm: Decimal, address_limit: Decimal) -> Gate:
    change, quote = quoted.change, quoted.quote
    if isinstance(change, Refund | CallTool):
        return Gate.APPROVER
    if isinstance(change, DeleteAccount):
        return Gate.BOTH
    if isinstance(change, CancelOrder | ExchangeItems | ChangeItems):
        back = quote.balance or Money(0)
        return Gate.BOTH if _is_above(back, customer_may_confirm) else Gate.REQUESTER
    if isinstance(change, ChangeAddress) and (
        quote.goes_abroad or (quote.total is not None and _is_above(quote.total, address_limit))
    ):
        return Gate.BOTH
    return Gate.REQUESTER


def _is_above(amount: Money, limit: Decimal) -> bool:
    return amount.minor > 0 and (amount.currency != "USD" or amount.major > limit)
