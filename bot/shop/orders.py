"""What a shop tells: customers, their orders with lines, parcels and money, and products."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot import clock
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


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who buys; Slack and the shop agree on who by the e-mail address."""

    id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where parcels go; country is the two-letter code."""

    name: str
    street: str
    city: str
    region: str
    postcode: str
    country: str

    def __str__(self) -> str:
        parts = (self.name, self.street, f"{self.city} {self.region} {self.postcode}", self.country)
        return ", ".join(filter(None, (" ".join(part.split()) for part in parts)))


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One line of an order; people and models name it by its number, from 1 on."""

    name: str
    quantity: int
    unit_price: Money
    options: str = ""
    variant_id: str | None = None
    returning: str | None = None
    """Whether it goes back or has gone, and what for: `return` or `exchange`."""
    received: bool = False
    """Whether what goes back has arrived at the shop."""

    @property
    def price(self) -> Money:
        """What all of the line cost."""
        return self.unit_price * self.quantity

    @property
    def label(self) -> str:
        """The name, with what was chosen of it."""
        return f"{self.name} ({self.options})" if self.options else self.name


@dataclass(frozen=True, slots=True)
class TrackingEvent:
    """What the carrier reported, where and when."""

    at: datetime
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """One of several parcels of an order, with the numbers of the lines that are in it."""

    carrier: str
    tracking_number: str
    tracking_url: str | None
    status: str
    lines: tuple[int, ...]


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
    parcels: tuple[Parcel, ...] = ()
    address: Address | None = None
    payment_method_id: str | None = None
    changed: bool = False
    """Whether its items were changed once already."""
    tells_delivery: bool = True
    """Whether the shop knows how far it has come."""

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

    @property
    def overdue(self) -> bool:
        """Whether it should have arrived on an earlier day and has not."""
        return self.under_way and self.expected_on is not None and self.expected_on < clock.now().date()


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """What a customer pays with; a gift card has a balance."""

    id: str
    label: str
    balance: Money | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What the shop knows of a customer, for themselves alone."""

    customer: Customer
    address: Address | None
    payment_methods: tuple[PaymentMethod, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """One product in one choice of its options."""

    id: str
    options: str
    price: Money
    in_stock: int


@dataclass(frozen=True, slots=True)
class Product:
    """Something that the shop sells."""

    id: str
    name: str
    variants: tuple[Variant, ...]
