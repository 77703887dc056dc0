"""Who has to say yes to a change: the requester for what is theirs alone to want, approvers for money, or both."""

from bot.approval_settings import Limit
from bot.settings import Settings
from bot.shop.changes import (
    CallTool,
    CancelOrder,
    ChangeAddress,
    ChangeItems,
    DeleteAccount,
    ExchangeItems,
    Quoted,
    Refund,
    ReturnItems,
    When,
)
from bot.shop.money import Money
from bot.store.calls import Needs

_REQUESTER = Needs(requester=True)
_APPROVER = Needs(approvers=1)
_TWO_APPROVERS = Needs(approvers=2)


def gate(quoted: Quoted, settings: Settings, *, is_customers: bool) -> Needs:
    """Return whose yes the change needs, by its quote. Sums in another currency than a limit's are above it.

    What is a customer's alone to want needs an approver too when somebody else asks for it: `is_customers` is false.
    """
    needs = _of_customer(quoted, settings)
    if needs == _REQUESTER and not is_customers:
        needs |= _APPROVER
    limit = settings.second_approver_over
    return needs | _TWO_APPROVERS if limit and _is_above(_back_now(quoted), limit) else needs


def _of_customer(quoted: Quoted, settings: Settings) -> Needs:
    change, quote = quoted.change, quoted.quote
    if isinstance(change, Refund | CallTool):
        return _APPROVER
    if isinstance(change, DeleteAccount):
        return _REQUESTER | _APPROVER
    if isinstance(change, CancelOrder | ReturnItems | ExchangeItems | ChangeItems):
        needs_more = _is_above(_back_now(quoted), settings.customer_may_confirm)
        return _REQUESTER | _APPROVER if needs_more else _REQUESTER
    if isinstance(change, ChangeAddress) and (
        quote.goes_abroad or _is_above(quote.total, settings.address_change_limit)
    ):
        return _REQUESTER | _APPROVER
    return _REQUESTER


def _back_now(quoted: Quoted) -> Money | None:
    """Return what comes back with this change; what comes with the goods is asked for once more when they are here."""
    return quoted.quote.balance if quoted.quote.when == When.NOW else None


def _is_above(amount: Money | None, limit: Limit) -> bool:
    return amount is not None and limit.is_exceeded_by(amount.major, amount.currency)
