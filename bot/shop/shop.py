"""The shop's values, and what the bot asks of any shop."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from bot.shop.money import Money

MAX_PAYEE_CHARACTERS = 80


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
    def payee(self) -> str:
        """Where money goes back to, cut so that a dialog that names it has room for what follows."""
        return self.payment_method[:MAX_PAYEE_CHARACTERS]

    @property
    def refundable(self) -> Money:
        """What can still be given back."""
        return self.total - self.refunded

    @property
    def cancellable(self) -> bool:
        """Whether it can still be kept from leaving."""
        return self.status in (OrderStatus.PAID, OrderStatus.PACKED)

    @property
    def under_way(self) -> bool:
        """Whether the customer still waits for it."""
        return self.status not in (OrderStatus.DELIVERED, OrderStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that went back."""

    id: str
    order_id: str
    amount: Money
    reason: RefundReason
    created_at: datetime


class ShopRefusedError(Exception):
    """The shop will not do this; nothing has moved."""


class Shop(Protocol):
    """What the bot asks of a shop. Anything but ShopRefusedError from `refund` means that the outcome is unknown."""

    async def order(self, order_id: str) -> Order | None:
        """Return the order with this number, anybody's."""

    async def customer(self, email: str) -> Customer | None:
        """Find the customer with this e-mail address, in any case of letters."""

    async def orders(self, customer: Customer, *, most: int) -> list[Order]:
        """List a customer's orders, the latest first."""

    async def refund(self, order_id: str, amount: Money, reason: RefundReason, *, key: str) -> Refund:
        """Give money back once for a key: asked again with the same key, return the first refund.

        Raises ShopRefusedError when the order is unknown, less than the amount is left to refund, or the key has been
        used for something else.
        """

    async def cancel(self, order_id: str, refund: Money, *, key: str) -> None:
        """Cancel an order that has not left yet and give back what is left of its money, once for a key.

        Raises ShopRefusedError when it has left, when another amount than `refund` is left, or when the key has been
        used for something else.
        """

    async def delete_customer(self, customer_id: str, email: str, *, undo_days: int, key: str) -> None:
        """Hide a customer and their orders at once, once for a key; erase who they are when the days are over.

        Raises ShopRefusedError when the customer is gone or has another e-mail address than the one that was shown.
        """

    async def erase_due(self) -> None:
        """Erase the customers whose days to come back are over; asked for again and again."""

    async def refund_with(self, key: str) -> Refund | None:
        """Return the refund that was made with this key, whatever became of its order; None when none was."""

    async def cancelled_with(self, key: str) -> Money | None:
        """Return what went back with the cancellation that was made with this key; None when none was."""

    async def deleted_with(self, key: str) -> bool:
        """Return whether an account was deleted with this key, also when it was brought back later."""
