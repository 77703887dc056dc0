"""Every change that a customer can want of a shop, what it would do in figures, and what became of it."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bot.shop.money import Money
from bot.shop.orders import Address, Customer, OrderStatus


class RefundReason(StrEnum):
    """Why money goes back."""

    DEFECTIVE = "defective"
    WRONG_ITEM = "wrong_item"
    NOT_DELIVERED = "not_delivered"
    CHANGED_MIND = "changed_mind"


@dataclass(frozen=True, slots=True)
class Refund:
    """Give money back: an amount, what some lines cost, or without either all that is left."""

    order_id: str
    reason: RefundReason
    amount: Money | None = None
    lines: tuple[int, ...] = ()
    kind: Literal["refund"] = "refund"


class CancelReason(StrEnum):
    """Why an order is not wanted any more, where the customer says it."""

    NO_LONGER_NEEDED = "no_longer_needed"
    BY_MISTAKE = "by_mistake"


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Keep a whole order from leaving, and give its money back."""

    order_id: str
    reason: CancelReason | None = None
    kind: Literal["cancel_order"] = "cancel_order"


@dataclass(frozen=True, slots=True)
class ReturnItems:
    """Send lines of an order back; their money follows when the goods have arrived."""

    order_id: str
    lines: tuple[int, ...]
    reason: RefundReason
    refund_to: str
    kind: Literal["return_items"] = "return_items"


@dataclass(frozen=True, slots=True)
class Swap:
    """Another variant of the same product in place of a line's."""

    line: int
    variant_id: str


@dataclass(frozen=True, slots=True)
class ExchangeItems:
    """Send lines of an order that has arrived back, for other variants of the same products."""

    order_id: str
    swaps: tuple[Swap, ...]
    pay_with: str
    kind: Literal["exchange_items"] = "exchange_items"


@dataclass(frozen=True, slots=True)
class ChangeItems:
    """Send other variants, of an order that has not left."""

    order_id: str
    swaps: tuple[Swap, ...]
    pay_with: str
    kind: Literal["change_items"] = "change_items"


@dataclass(frozen=True, slots=True)
class ChangeAddress:
    """Send an order that has not left to somewhere else."""

    order_id: str
    address: Address
    kind: Literal["change_address"] = "change_address"


@dataclass(frozen=True, slots=True)
class ChangePayment:
    """Pay an order that has not left with another of the customer's payment methods."""

    order_id: str
    pay_with: str
    kind: Literal["change_payment"] = "change_payment"


@dataclass(frozen=True, slots=True)
class ChangeDefaultAddress:
    """Keep another address for a customer's later orders."""

    customer_id: str
    address: Address
    kind: Literal["change_default_address"] = "change_default_address"


@dataclass(frozen=True, slots=True)
class DeleteAccount:
    """Hide a customer and their orders at once, and erase who they are when the days to undo it are over."""

    customer_id: str
    email: str
    undo_days: int
    kind: Literal["delete_account"] = "delete_account"


@dataclass(frozen=True, slots=True)
class CallTool:
    """Call a tool of somebody else's, which is no shop's to do: with these arguments, as JSON, for who asks.

    The hash says what the tool was when it was asked for.
    """

    tool: str
    arguments: str
    definition_hash: str
    requester: str
    kind: Literal["call_tool"] = "call_tool"


Change = (
    Refund
    | CancelOrder
    | ReturnItems
    | ExchangeItems
    | ChangeItems
    | ChangeAddress
    | ChangePayment
    | ChangeDefaultAddress
    | DeleteAccount
    | CallTool
)


class When(StrEnum):
    """When money moves."""

    NOW = "now"
    ON_RECEIPT = "on_receipt"


@dataclass(frozen=True, slots=True)
class QuotedItem:
    """A line that a change is about: how many of what, and what it becomes, if anything."""

    line: int
    quantity: int
    name: str
    becomes: str | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """What a change would do, in the shop's figures. Two quotes of one change are equal when the same would be done.

    `balance` is signed: what comes back to the customer, or, below zero, what they pay; by `method`, and `when`. Of an
    order, `total` is what it cost and `refunded` what went back before.
    """

    customer: Customer
    order_id: str | None = None
    items: tuple[QuotedItem, ...] = ()
    balance: Money | None = None
    method: str = ""
    when: When = When.NOW
    total: Money | None = None
    refunded: Money | None = None
    status: OrderStatus | None = None
    """How far the order is, where that matters: of a refund."""
    delivered_on: date | None = field(default=None, compare=False)
    """To judge by; it may change meanwhile."""
    address: Address | None = None
    """Where parcels go until now."""
    method_before: str = ""
    """What it was paid with until now, where that changes."""
    goes_abroad: bool = False
    """Whether goods would go to another country than was ordered to."""
    orders: int | None = None
    """How many orders the customer has, where that matters."""
    called: str | None = None
    """What is called, and how, where the change is no shop's."""

    @property
    def subject(self) -> str:
        """What no second open change may touch."""
        if self.called:
            return f"call:{self.called}"
        return f"order:{self.order_id}" if self.order_id else f"customer:{self.customer.id}"


class AppliedStatus(StrEnum):
    """How far an applied change is: payment providers answer "pending", and fail days later."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a change: by the shop's own id, and why where it failed.

    `said` is what a tool of somebody else's says of it: people are shown it as its words, the model is not told it.
    """

    id: str
    status: AppliedStatus = AppliedStatus.SUCCEEDED
    why: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A change with the quote that was shown: what a request is, and all that may be done for it."""

    change: Annotated[Change, Field(discriminator="kind")]
    quote: Quote

    @classmethod
    def read(cls, text: str) -> "Quoted":
        """Read what `written` wrote. Raises ValueError when this version cannot."""
        return _QUOTED.validate_json(text)

    @property
    def written(self) -> str:
        """The same as JSON, for a row."""
        return _QUOTED.dump_json(self).decode()


_QUOTED = TypeAdapter(Quoted)
