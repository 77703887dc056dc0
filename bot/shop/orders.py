"""The shop's values, and what the bot asks of any shop."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from bot.shop.money import Money


class OrderStatus(StrEnum):
    """How far an order has come."""

    PAID = "paid"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELAYED = "delayed"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class RefundReason(StrEnum):
    """Why money goes back."""

    DEFECTIVE = "defective"
    WRONG_ITEM = "wrong_item"
    NOT_DELIVERED = "not_delivered"
    CHANGED_MIND = "changed_mind"


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who buys; Slack and the shop agree on who by the e-mail address."""

    id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One line of an order."""

    name: str
    quantity: int
    unit_price: Money


@dataclass(frozen=True, slots=True)
class TrackingEvent:
    """What the carrier reported, where and when."""

    at: datetime
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Order:
    """An order with its items, its journey, and what of its money went back."""

    id: str
    customer: Customer
    status: OrderStatus
    items: tuple[OrderItem, ...]
    total: Money
    refunded: Money
    payment_method: str
    placed_at: datetime
    expected_on: date | None = None
    delivered_at: datetime | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    tracking: tuple[TrackingEvent, ...] = ()

    @property
    def refundable(self) -> Money:
        """What can still be given back."""
        return self.total - self.refunded


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that went back."""

    id: str
    order_id: str
    amount: Money
    reason: RefundReason
    created_at: datetime


class RefundRefusedError(Exception):
    """The shop will not make this refund; nothing has moved."""


class Shop(Protocol):
    """What the bot asks of a shop. Anything but RefundRefusedError from `refund` means that the outcome is unknown."""

    async def order(self, order_id: str) -> Order | None:
        """Look the order up, whoever it belongs to."""

    async def customer(self, email: str) -> Customer | None:
        """Find the customer with this e-mail address, in any case of letters."""

    async def refund(self, order_id: str, amount: Money, reason: RefundReason, *, key: str) -> Refund:
        """Give money back once for a key: asked again with the same key, return the first refund.

        Raises RefundRefusedError when the order is unknown, or less than the amount is left to refund.
        """

    async def refund_with(self, key: str) -> Refund | None:
        """Tell what came of an earlier `refund` with this key; None when it never happened."""
